"""studio explain: values, pictures, features, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.__main__ import main
from studio.evaluation.explain.explained import Question, explain
from studio.evaluation.explain.methods import registry
from studio.evaluation.trained import open_trained
from tests.evaluation.kinds_of_data import train_on


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CACHE"):
            patch.setenv(f"TRAINING_STUDIO_{name}", str(tmp_path_factory.mktemp(name)))
        made = {kind: tmp_path_factory.mktemp(kind) for kind in ("picture", "text", "columns", "series")}
        for kind, folder in made.items():
            train_on(kind, folder)
        yield {kind: folder / "run" for kind, folder in made.items()}


def test_values_are_written_as_they_are_computed(runs: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    asked = ["--sample", "8", "--method", "integrated-gradients:steps=9", "--class", "4", "-o", str(file)]
    assert main(["explain", str(runs["picture"]), *asked]) == 0
    told = json.loads(file.read_text())
    wanted = explain(open_trained(runs["picture"]), Question(7, 4), registry.get("integrated-gradients")(steps=9))
    np.testing.assert_allclose(told["values"], wanted.values)
    assert (told["class"], told["sample"], told["settings"]) == ("4", 8, {"steps": 9})
    assert told["remainder"] == pytest.approx(wanted.remainder)


@pytest.mark.parametrize("kind", ["picture", "text", "columns", "series"])
def test_pictures_are_drawn_without_a_window(runs: dict[str, Path], tmp_path: Path, kind: str) -> None:
    files = [tmp_path / f"{sample}.png" for sample in (3, 4)]
    for sample, file in zip((3, 4), files, strict=True):
        assert main(["explain", str(runs[kind]), "--sample", str(sample), "--method", "saliency", "-o", str(file)]) == 0
    pixels = [np.asarray(Image.open(file).convert("RGB")).astype(int) for file in files]
    assert (np.ptp(pixels[0], axis=2) > 60).any()  # there are colours
    assert pixels[0].shape != pixels[1].shape or (pixels[0] != pixels[1]).any()


def test_parts_are_told_the_strongest_first(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(runs["columns"]), "--sample", "5", "--method", "occlusion:window=1,stride=1"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    sizes = [abs(float(line[0])) for line in lines if line[0] != "and"]
    assert sizes == sorted(sizes, reverse=True)
    assert any("town" in line for line in lines)


def test_features_are_measured(runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "features.json"
    assert main(["explain", str(runs["columns"]), "--importance", "--repeats", "2", "-o", str(file)]) == 0
    told = json.loads(file.read_text())
    assert {each["name"] for each in told["features"]} == {"size", "town", "colour"}
    assert all(len(each["drops"]) == 2 for each in told["features"])
    assert "without town" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sample", "0"], "samples 1 to 1,797"),
        (["--sample", "1", "--class", "eleven"], "no class “eleven”"),
        (["--sample", "1", "--input", "sound"], "no input “sound”"),
        (["--sample", "1", "--place", "1"], "no place 1"),
        (["--sample", "1", "--method", "magic"], "magic"),
        (["--sample", "1", "--method", "lime:x=1"], "no setting of LIME"),
        (["--sample", "1", "-o", "a.gif"], "must end with .png or .json"),
        (["--importance", "-o", "a.png"], "as .json only"),
        (["--importance"], "only tables"),
    ],
)
def test_what_cannot_be_explained_is_one_clear_message(
    runs: dict[str, Path], options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(runs["picture"]), *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_look_at_a_test_sample_is_counted(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    splits, told = open_trained(runs["picture"]).dataset.splits, []
    for row in (splits["test"][0], splits["test"][1], splits["train"][0]):
        assert main(["explain", str(runs["picture"]), "--sample", str(int(row) + 1), "--method", "saliency"]) == 0
        told.append(re.findall(r"were used (\d+) times? so far", capsys.readouterr().out))
    assert told[2] == []
    assert int(told[1][0]) == int(told[0][0]) + 1
