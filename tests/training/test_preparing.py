"""A run tells how far its data is made ready, and can be stopped meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from studio.data import cache
from studio.data.recognize import recognize
from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.project.model import fit_ends
from studio.training import telling
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import Preparing, Started
from tests.data.pictures import class_folders


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (source,) = recognize(class_folders(tmp_path / "mine", count=20))
    read = read_template("photos-cnn")
    training = replace_fields(read.training, epochs=1, threads=1)
    graph = fit_ends(read.graph, source.look().spec).apply(read.graph)
    cache.clear()
    return replace(read, graph=graph, data=replace(read.data, source=source), training=training)


def test_how_far_the_data_is(project: Project, train: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "SECONDS_BETWEEN_EVENTS", 0.0)
    _, events = train(project)
    assert events[:3] == [Preparing(16, 40), Preparing(32, 40), Preparing(40, 40)]
    assert isinstance(events[3], Started)
    _, events = train(project)
    assert isinstance(events[0], Started)  # it is in the cache


def test_a_stop_before_it_begins_writes_nothing(project: Project, train: Callable, tmp_path: Path) -> None:
    control = Control()
    control.stop()
    with pytest.raises(TrainingError, match="stopped before it began"):
        train(project, control)
    assert not list(tmp_path.glob("run*"))
    assert cache.entries() == []
