"""The training script of runs on pictures: it reads the files and ends with the studio's weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from studio.data import Source
from studio.data.recognize import recognize
from studio.export.formats import ExportError
from studio.export.write import export
from studio.project import Project
from studio.project.model import fit_ends
from tests.data.pictures import class_folders, save
from tests.export.conftest import Train, assert_same_end, written
from tests.training.conftest import own_folders, with_settings  # noqa: F401  (a fixture)


def on(source: Source, template: str) -> Project:
    """A template on some pictures."""
    read = with_settings(template, epochs=2, threads=1)
    graph = fit_ends(read.graph, source.look().spec).apply(read.graph)
    return dataclasses.replace(read, graph=graph, data=dataclasses.replace(read.data, source=source))


def dropped(path: Path) -> Any:
    (source,) = recognize(path)
    return source


@pytest.mark.parametrize("parts", [("",), ("train", "val")])
def test_class_folders_end_as_the_run_did(train: Train, tmp_path: Path, parts: tuple[str, ...]) -> None:
    finished = train(on(dropped(class_folders(tmp_path / "mine", parts)), "photos-cnn"))
    script = written(finished, tmp_path / "script")
    assert str(tmp_path / "mine") in script.read_text()
    assert_same_end(finished, script)


def test_masks_are_refused_by_name(train: Train, tmp_path: Path) -> None:
    for i in range(9):
        save(tmp_path / "mine" / "images" / f"{i}.png", i, (32, 32))
        save(tmp_path / "mine" / "masks" / f"{i}.png", i % 2, (32, 32))
    finished = train(on(dropped(tmp_path / "mine"), "masks-unet"))
    with pytest.raises(ExportError, match="“Pictures with masks” is loaded"):
        export(Path(finished.checkpoint), "script", tmp_path / "train.py")
