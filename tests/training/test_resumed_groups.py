"""A group of runs that was interrupted goes on, and comes to what it would have been."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import main
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.runs import GroupFolder, RunFolder, RunFolderError, runs_folder
from studio.runs.interrupted import interrupted_runs, leave, note_closing
from studio.settings.parts import Repeats
from studio.training import keeper
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import EpochEnded, Event, Finished, RepeatEnded, RepeatStarted, Resumed, Started
from studio.training.job import Job
from studio.training.runner import run
from tests.training.conftest import with_settings

EPOCHS = 4


class PowerFailureError(Exception):
    """The machine is gone."""


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(keeper, "SECONDS_BETWEEN_WRITES", 0.0)
    monkeypatch.setattr(keeper, "SHARE_OF_TIME", 1.0)
    project = with_settings("iris-mlp", epochs=EPOCHS, threads=1, repeats=Repeats(method="seeds", number=3))
    return replace(project, title="Three irises")


def interrupted(project: Project, path: Path, number: int, epoch: int) -> Path:
    """A group as a power failure leaves it, in one epoch of one run."""
    events: list[Event] = []

    def fail(event: Event) -> None:
        events.append(event)
        now = [each.number for each in events if isinstance(each, RepeatStarted)][-1]
        if (now, type(event)) == (number, EpochEnded) and event.epoch == epoch:
            raise PowerFailureError

    with pytest.raises(PowerFailureError):
        run(Job(project, path), Control(), fail)
    for folder in (GroupFolder(path), RunFolder(GroupFolder(path).run(number))):
        folder.write_record({**folder.read_record(), "status": "running"})
    return path


def resumed(project: Project, path: Path) -> tuple[Finished, list[Event]]:
    events: list[Event] = []
    return run(Job(project, path, resume=True), Control(), events.append), events


def curves(events: list[Event]) -> list[Any]:
    """All that a band or a table is made of."""
    kinds = RepeatStarted | Started | EpochEnded | RepeatEnded
    found: list[Any] = []
    for event in events:
        if isinstance(event, EpochEnded):
            found.append(replace(event, seconds=0.0))
        elif isinstance(event, Started):
            found.append(replace(event, run="", first_step=0))
        elif isinstance(event, kinds):
            found.append(replace(event, run="") if isinstance(event, RepeatEnded) else event)
    return found


def test_it_comes_to_what_it_would_have_been(project: Project, train, tmp_path: Path) -> None:
    whole, expected = train(replace(project, training=replace_fields(project.training)))
    path = interrupted(project, tmp_path / "broken", 2, 3)
    first = RunFolder(GroupFolder(path).run(1))
    before = (first.path / "run.json").read_bytes(), first.last.stat().st_mtime_ns
    finished, events = resumed(project, path)
    assert sum(isinstance(event, Resumed) for event in events) == 1
    assert curves(events) == curves(expected)
    assert ((first.path / "run.json").read_bytes(), first.last.stat().st_mtime_ns) == before  # not trained again
    assert (finished.status, finished.runs, finished.epochs) == ("finished", 3, whole.epochs)
    assert (finished.metrics, finished.deviations) == (whole.metrics, whole.deviations)
    assert finished.test_uses == whole.test_uses + 3  # each of its runs looked once
    record, other = (json.loads((folder / "group.json").read_text()) for folder in (path, Path(whole.run)))
    assert [row["metrics"] for row in record["runs"]] == [row["metrics"] for row in other["runs"]]
    assert (record["status"], record["mean"], record["deviation"]) == ("finished", other["mean"], other["deviation"])


def test_a_run_without_a_checkpoint_is_begun_anew(project: Project, train, tmp_path: Path) -> None:
    path = interrupted(project, tmp_path / "broken", 2, 1)
    run_two = RunFolder(GroupFolder(path).run(2))
    for checkpoint in (run_two.path / "checkpoints").iterdir():
        checkpoint.unlink()
    finished, events = resumed(project, path)
    assert finished.runs == 3
    assert not any(isinstance(event, Resumed) for event in events)


def test_it_is_offered_as_one_thing(project: Project) -> None:
    path = interrupted(project, runs_folder() / "broken", 2, 3)
    (found,) = interrupted_runs()
    assert (found.path, found.project) == (path, project)
    assert found.words.startswith("“Three irises” was interrupted in run 2 of 3, at epoch")
    lock = GroupFolder(path).lock()
    assert lock.acquire()
    assert interrupted_runs() == []
    with pytest.raises(RunFolderError, match="trained already"):
        resumed(project, path)
    lock.release()
    leave(found)
    assert interrupted_runs() == []
    GroupFolder(path).write_record({**GroupFolder(path).read_record(), "status": "stopped"})
    note_closing(GroupFolder(path).run(2))
    assert "ended with the window" in interrupted_runs()[0].words


def test_it_goes_on_by_the_command_line_with_its_own_settings(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = interrupted(project, tmp_path / "broken", 2, 3)
    assert main(["resume", str(path), "--epochs", "9"]) != 0
    assert "Start a new group" in capsys.readouterr().err
    assert main(["resume", str(path)]) == 0
    assert GroupFolder(path).read_record()["status"] == "finished"


def test_other_settings_are_refused(project: Project, tmp_path: Path) -> None:
    path = interrupted(project, tmp_path / "broken", 1, 3)
    other = replace(project, training=replace_fields(project.training, epochs=EPOCHS + 1))
    with pytest.raises(TrainingError, match="settings that it began with"):
        resumed(other, path)
