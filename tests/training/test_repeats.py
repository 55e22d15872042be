"""Several runs as one job: what each is, what is told, and what is kept of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import pytest

from studio.fields import replace as replace_fields
from studio.project import read_project
from studio.runs import RunFolderError
from studio.settings.parts import Mixing, Repeats
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import EpochEnded, Event, Finished, RepeatEnded, RepeatStarted, Started
from studio.training.repeats import run_repeated, single_projects
from studio.training.runner import Job, run
from tests.training.conftest import with_settings


def test_seeds_differ_in_the_seed_alone() -> None:
    project = with_settings("iris-mlp", seed=7, repeats=Repeats(method="seeds", number=3))
    titles, projects = zip(*single_projects(project), strict=True)
    assert titles == ("seed 7", "seed 8", "seed 9")
    for seed, single in zip((7, 8, 9), projects, strict=True):
        assert single == replace(project, training=replace_fields(project.training, seed=seed, repeats=Repeats()))


def test_folds_differ_in_the_validation_alone() -> None:
    project = with_settings("iris-mlp", repeats=Repeats(method="folds", number=4))
    titles, projects = zip(*single_projects(project), strict=True)
    assert titles[2] == "fold 3 of 4"
    splits = [single.data.split for single in projects]
    assert [(split.method, split.folds, split.fold) for split in splits] == [("k-fold", 4, n) for n in (1, 2, 3, 4)]
    assert {single.training for single in projects} == {replace_fields(project.training, repeats=Repeats())}


@pytest.fixture
def three(train) -> tuple[Finished, list[Event]]:
    return train(with_settings("iris-mlp", epochs=3, repeats=Repeats(method="seeds", number=3)))


def test_each_run_of_a_group_is_what_it_would_be_alone(train, three) -> None:
    finished, events = three
    ended = [event for event in events if isinstance(event, RepeatEnded)]
    alone, _ = train(with_settings("iris-mlp", epochs=3, seed=1))
    assert ended[1].metrics == alone.metrics
    assert [event.title for event in ended] == ["seed 0", "seed 1", "seed 2"]
    values = [event.metrics["test"]["loss"] for event in ended]
    assert len(set(values)) == 3
    assert finished.metrics["test"]["loss"] == pytest.approx(fmean(values))
    assert finished.deviations["test"]["loss"] == pytest.approx(stdev(values))
    assert (finished.runs, finished.status, finished.test_uses) == (3, "finished", 3)


def test_a_group_tells_the_story_of_each_run_and_one_end(three) -> None:
    _, events = three
    told = [type(event) for event in events if isinstance(event, RepeatStarted | Started | RepeatEnded | Finished)]
    assert told == [RepeatStarted, Started, RepeatEnded] * 3 + [Finished]
    assert sum(isinstance(event, EpochEnded) for event in events) == 9
    assert events[0] == RepeatStarted(1, 3, "seed 0")


def test_a_group_has_a_folder_with_a_record_and_a_folder_of_each_run(three) -> None:
    finished, events = three
    folder = Path(finished.run)
    record = json.loads((folder / "group.json").read_text())
    assert (record["status"], record["repeats"], record["number"]) == ("finished", "seeds", 3)
    assert [run["folder"] for run in record["runs"]] == ["run-1", "run-2", "run-3"]
    assert record["mean"] == finished.metrics
    assert record["deviation"] == finished.deviations
    for row in record["runs"]:
        own = json.loads((folder / row["folder"] / "run.json").read_text())
        assert own["result"]["metrics"] == row["metrics"]
    assert read_project(folder / "project.json").training.repeats.number == 3
    losses = {Path(e.run): e.metrics["validation"]["loss"] for e in events if isinstance(e, RepeatEnded)}
    assert Path(finished.checkpoint).parents[1] == min(losses, key=lambda path: losses[path])


def test_folds_validate_every_sample_once(train) -> None:
    _, events = train(with_settings("iris-mlp", epochs=1, repeats=Repeats(method="folds", number=5)))
    samples = [event.samples for event in events if isinstance(event, Started)]
    assert sum(sizes["validation"] for sizes in samples) == 150 - samples[0]["test"]


def test_a_stop_ends_the_group(train) -> None:
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, EpochEnded) and isinstance(last[-1], RepeatStarted) and last[-1].number == 2:
            control.stop()
        if isinstance(event, RepeatStarted):
            last.append(event)

    last: list[Event] = []
    project = with_settings("iris-mlp", epochs=3, repeats=Repeats(method="seeds", number=4))
    finished, events = train(project, control, stop)
    ended = [event.status for event in events if isinstance(event, RepeatEnded)]
    assert ended == ["finished", "stopped"]
    assert (finished.status, finished.runs) == ("stopped", 2)
    assert finished.metrics == next(event for event in events if isinstance(event, RepeatEnded)).metrics
    record = json.loads((Path(finished.run) / "group.json").read_text())
    assert [row["status"] for row in record["runs"]] == ["finished", "stopped"]


def test_runs_that_diverge_do_not_count(tmp_path: Path) -> None:
    losses = iter([0.3, None, 0.1])

    def run_one(job: Job, control: Control, on_event) -> Finished:
        loss, name = next(losses), job.run_folder.name
        if loss is None:
            return Finished("diverged", name, f"{name}.pt", 10, 1.0, 2)
        return Finished("finished", name, f"{name}.pt", 10, 1.0, 5, {"validation": {"loss": loss}})

    (tmp_path / "group").mkdir()
    project = with_settings("iris-mlp", repeats=Repeats(method="seeds", number=3))
    finished = run_repeated(Job(project, tmp_path / "group"), Control(), lambda event: None, run_one)
    assert (finished.status, finished.runs, finished.checkpoint) == ("finished", 3, "run-3.pt")
    assert finished.metrics == {"validation": {"loss": pytest.approx(0.2)}}
    assert finished.reason == "1 of 3 runs diverged and does not count in the means."


def test_nothing_is_written_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    project = with_settings("iris-mlp", repeats=Repeats(method="seeds", number=2))
    with pytest.raises(RunFolderError, match="not an empty folder"):
        run(Job(project, tmp_path / "mine"), Control(), lambda event: None)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_group_that_cannot_be_trained_leaves_nothing(tmp_path: Path) -> None:
    project = with_settings("iris-mlp", repeats=Repeats(method="seeds", number=2))
    broken = replace(project, training=replace_fields(project.training, mixing=Mixing(method="cutmix")))
    with pytest.raises(TrainingError):
        run(Job(broken, tmp_path / "group"), Control(), lambda event: None)
    assert not (tmp_path / "group").exists()
