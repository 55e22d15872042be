"""Processes for exports: they end when they are given up, and what they say arrives."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from studio.export.clean_process import LateError, ProcessError, run, run_alone, run_studio, trusted_in
from studio.trust import is_trusted, take_over, trust_for_now

SLEEPING = """
import os, sys, time
open(sys.argv[1], "w").write(str(os.getpid()))
print("studio-says: asleep", flush=True)
time.sleep(60)
"""


class GivenUpError(Exception):
    pass


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_giving_up_ends_the_process_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()

    def tick(words: str) -> None:
        if words == "asleep":
            raise GivenUpError

    with pytest.raises(GivenUpError):
        run_alone(SLEEPING, [str(tmp_path / "pid")], 50, tick)
    assert not is_running(int((tmp_path / "pid").read_text()))
    assert not list((tmp_path / "t").iterdir())


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(LateError, match="longer than"):
        run([sys.executable, "-I", "-c", SLEEPING, str(tmp_path / "pid")], 0.5)


def test_its_last_words_are_told() -> None:
    with pytest.raises(ProcessError, match=r"^ValueError: because\.$"):
        run_alone("raise ValueError('because')", [], 50)
    with pytest.raises(ProcessError, match="signal 9"):
        run_alone("import os; os.kill(os.getpid(), 9)", [], 50)


def test_a_process_of_the_studio_trusts_the_same_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    trust_for_now("print('trusted')")
    run_studio("tests.export.test_clean_process", [str(tmp_path / "told")], 50)
    assert (tmp_path / "told").read_text() == "True False"


def main(arguments: list[str], given: str) -> None:
    """In a process of the studio: tell which code may run."""
    take_over(trusted_in(given))
    Path(arguments[0]).write_text(f"{is_trusted('print(' + repr('trusted') + ')')} {is_trusted('print(1)')}")
