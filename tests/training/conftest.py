from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.training.control import Control
from studio.training.events import Event, Finished
from studio.training.runner import Job, run


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TRAINING_STUDIO_CACHE", str(tmp_path / "cache"))


def with_settings(template: str, **settings: object) -> Project:
    """A template with other training settings."""
    project = read_template(template)
    return replace(project, training=replace_fields(project.training, **settings))


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., tuple[Finished, list[Event]]]:
    """Trains a project in a new folder; returns the result and all events."""
    numbers = iter(range(1_000))

    def train(project: Project, control: Control | None = None, on_event: Callable[[Event], None] | None = None):
        events: list[Event] = []

        def collect(event: Event) -> None:
            events.append(event)
            if on_event:
                on_event(event)

        job = Job(project, tmp_path / f"run {next(numbers)}")
        return run(job, control or Control(), collect), events

    return train
