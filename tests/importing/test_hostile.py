"""Hostile model files, through every command that opens one: no code, no network, little memory, and helpful words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.project import read_template, write_project
from tests import hostile_child
from tests.helpers import block, chain
from tests.hostile_models import HOSTILE, MARKER, make_all

MOST_KILOBYTES = 200_000
SECONDS = 600  # of a machine with much else to do; 15 at rest
# The weights of these may leave as they are: nothing is built for that.
SOUND = {("export", "no-numbers.pt"), ("export", "custom-code.pt")}
DOORS = ("import-weights", "evaluate", "predict", "serve", "export", "resume", "train", "check")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    make_all(folder)
    return folder


@pytest.fixture(scope="module")
def reports(files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[Any]]:
    """What a process said that opened all of them."""
    folder = tmp_path_factory.mktemp("work")
    graph = chain(block("input", shape=(4,)), block("dense", units=3), block("output"))
    write_project(folder / "small.studio.json", replace(read_template("iris-mlp"), graph=graph))
    own = {f"TRAINING_STUDIO_{name}": str(folder / name.lower()) for name in ("CONFIG", "DATA", "CACHE")}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, hostile_child.__file__, str(files), str(folder)],
        env={**os.environ, **own, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(door, file): rest for door, file, *rest in lines}


def each(reports: dict[tuple[str, str], list[Any]]) -> Iterator[tuple[str, Any]]:
    assert len(reports) == len(DOORS) * len(HOSTILE)
    for (door, file), report in reports.items():
        if (door, file) not in SOUND:
            yield f"{door} {file}", report


def test_there_are_many() -> None:
    assert len(HOSTILE) >= 40


def test_each_is_refused_with_a_sentence(reports: dict[tuple[str, str], list[Any]]) -> None:
    assert all(reports[where][0] == 0 for where in SOUND)
    wrong = {where: report[:2] for where, report in each(reports) if not _is_refusal(*report[:2])}
    assert wrong == {}


def _is_refusal(code: object, said: str) -> bool:
    return (
        code == 2
        and said.startswith("studio: ")
        and "Traceback" not in said
        and said.rstrip()[-1] in ".?”"
        and len(said) > 30
    )


def test_nothing_runs_and_nothing_calls_out(reports: dict[tuple[str, str], list[Any]], files: Path) -> None:
    assert {where: report[2] for where, report in each(reports) if report[2]} == {}
    assert not (files / MARKER).exists()


def test_a_run_refuses_them_as_its_starting_weights(reports: dict[tuple[str, str], list[Any]]) -> None:
    assert "starting weights" in reports["train", "pipe.pt"][1]
    assert "posix.system" in reports["train", "system.pt"][1]
    assert "no tensor has the same name and size" in reports["train", "no-numbers.pt"][1]


def test_memory_is_bounded(reports: dict[tuple[str, str], list[Any]]) -> None:
    assert {where: report[3] for where, report in each(reports) if report[3] > MOST_KILOBYTES} == {}
