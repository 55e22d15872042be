"""Networks that answer at every place: each is clearly better than who only knows frequencies or means."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.fields import replace
from studio.project import Project
from studio.training.control import Control
from studio.training.events import Finished
from studio.training.runner import Job, run
from tests.data.conftest import SHARED
from tests.training.conftest import with_settings

SHAKESPEARE = SHARED / "char-text" / "tinyshakespeare.txt"


def trained(project: Project, tmp_path: Path, data_folder: Path | None = None) -> Finished:
    return run(Job(project, tmp_path / "run", data_folder), Control(), lambda event: None)


def test_the_autoencoder_beats_the_mean_picture(tmp_path: Path) -> None:
    project = with_settings("digits-autoencoder", epochs=20)
    data = prepare(project.data)
    images = data.scalings[0].apply(data.inputs[0])
    mean = images[data.splits["train"]].mean(0)
    of_the_mean = float((images[data.splits["test"]] - mean).square().mean())
    figures = trained(project, tmp_path).metrics["test"]
    assert figures["loss"] < 0.6 * of_the_mean
    assert 0 < figures["mae"] < figures["loss"] ** 0.5


def test_the_unet_tells_shapes_from_the_background(tmp_path: Path) -> None:
    project = with_settings("shapes-unet", epochs=2)
    source = sources.get("shapes")(samples=800, noise=20)
    project = dataclasses.replace(project, data=replace(project.data, source=source))
    data = prepare(project.data)
    background = float((data.targets[data.splits["test"]] == 0).float().mean())
    figures = trained(project, tmp_path).metrics["test"]
    assert figures["accuracy"] > background + 0.3 * (1 - background)


def test_the_gpt_knows_more_than_how_often_each_character_comes(tmp_path: Path) -> None:
    if not SHAKESPEARE.is_file():
        pytest.skip("the shared test data is not on this machine")
    (tmp_path / SHAKESPEARE.name).write_text(SHAKESPEARE.read_text("ascii")[:60_000])
    project = with_settings("shakespeare-gpt", epochs=3)
    data = prepare(project.data, tmp_path)
    shares = np.bincount(data.targets[data.splits["test"]].flatten()) / data.targets[data.splits["test"]].numel()
    unigram = -sum(share * np.log(share) for share in shares if share)
    figures = trained(project, tmp_path, tmp_path).metrics["test"]
    assert figures["loss"] < 0.9 * unigram
