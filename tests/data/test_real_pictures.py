"""What the studio makes of real pictures that are dropped: kind, classes, sizes, problems."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.cli.main import main
from studio.data import DataChoice, DataError
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from tests.data.conftest import SHARED

CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
# By folder: kind, rows, size, column types, target, task, classes, their counts, problems that must be told.
EXPECTED: dict[str, tuple[Any, ...]] = {
    "hymenoptera-subset": (
        "image-folders", 41, (128, 128), ["image", "categorical"], "label", "classification", ["ants", "bees"],
        [21, 20], ["ants/imageNotFound.gif” seems to show that a picture is missing", "are stretched"],
    ),
    "cifar10-jpeg": (
        "image-folders", 8_500, (32, 32), ["image", "categorical"], "label", "classification", CIFAR, [850] * 10, [],
    ),
    "nuclei-segmentation": (
        "image-masks", 37, (256, 256), ["image", "mask"], "mask", "classification", ["background", "object"], [],
        ["are stretched"],
    ),
    "blood-cell-detection": (
        "image-boxes", 100, (192, 256), ["image", "boxes"], "boxes", "detection", ["Platelets", "RBC", "WBC"],
        [85, 1_161, 98], ["Training on boxes is not possible yet"],
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Folders with what is in the archives, each unpacked once."""
    done: dict[str, Path] = {}

    def unpack(name: str) -> Path:
        if not (SHARED / name).is_dir():
            pytest.skip("the shared test data is not on this machine")
        if name not in done:
            done[name] = tmp_path_factory.mktemp(name)
            (archive,) = (SHARED / name).glob("*.tar.gz")
            with tarfile.open(archive) as tar:
                tar.extractall(done[name], filter="data")
        return done[name]

    return unpack


@pytest.mark.parametrize("name", EXPECTED)
def test_a_dropped_folder(name: str, unpacked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    kind, rows, size, types, target, task, classes, counts, problems = EXPECTED[name]
    (source,) = recognize(unpacked(name))
    assert (source.kind, source.size, source.colour) == (kind, size, "RGB")
    assert main(["inspect", str(unpacked(name)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [column["type"] for column in found["columns"]] == types
    given = (found["kind"], found["rows"], found["target"], found["task"], found["classes"], found["counts"])
    assert given == (kind, rows, target, task, classes, counts)
    told = [problem["message"] for problem in found["problems"]]
    assert all(any(text in message for message in told) for text in problems)


def test_the_sets_of_the_authors_are_kept(unpacked: Any) -> None:
    (source,) = recognize(unpacked("hymenoptera-subset"))
    listing = source.listing()
    assert (listing.validation_start, listing.test_start, listing.count) == (None, 31, 41)
    splits = prepare(DataChoice(source)).splits
    assert splits["test"].tolist() == list(range(31, 41))


def test_nuclei_are_the_union_of_their_masks(unpacked: Any) -> None:
    (source,) = recognize(unpacked("nuclei-segmentation"))
    assert sum(len(masks) for masks in source.masked.masks) == 1_023
    samples = source.load()
    assert samples.targets.shape == (37, 256, 256)
    assert set(np.unique(samples.targets).tolist()) == {0, 1}
    shown = source.listing().show(0)
    assert shown.picture.shape[:2] == shown.mask.shape


def test_blood_cells_are_shown_with_their_boxes(unpacked: Any) -> None:
    (source,) = recognize(unpacked("blood-cell-detection"))
    listing = source.listing()
    shown = [listing.show(i) for i in range(0, 100, 9)]
    assert all(one.boxes and one.picture is not None for one in shown)
    inside = [0 <= b.left < b.right <= 641 and 0 <= b.top < b.bottom <= 481 for one in shown for b in one.boxes]
    assert all(inside)
    with pytest.raises(DataError, match="not possible yet"):
        source.load()


def test_strange_files_among_good_ones(shared: Any, tmp_path: Path) -> None:
    """All files of the edge cases, in two classes: what cannot be read is named, and the rest trains."""
    for number, path in enumerate(sorted(shared("image-edge-cases").iterdir())):
        target = tmp_path / "mine" / "ab"[number % 2] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (source,) = recognize(tmp_path / "mine")
    findings = source.look()
    assert findings.rows == 41
    (problem,) = (problem for problem in findings.problems if problem.severity == "error")
    assert problem.message.startswith("10 of 41 files cannot be read")
    dataset = prepare(DataChoice(source).remedied(problem.remedies[0]))
    assert sum(len(rows) for rows in dataset.splits.values()) == 31
