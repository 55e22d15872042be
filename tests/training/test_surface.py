"""Looks at what a network makes of the plane: they tell the truth, change nothing and cost little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from studio.blocks import registry as blocks
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data import DataChoice, Source
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.fields import replace as replace_fields
from studio.graph.edits import insert_on, new_node
from studio.project import Project
from studio.training import surface as surface_module
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.events import EpochEnded, Event, Finished, Plane, Started, Surface
from studio.training.runner import Job, run
from studio.training.surface import MOST_POINTS, SIDE, Surveyor, can_be_surveyed
from tests.training.conftest import with_settings

Watch = Callable[..., tuple[Finished, list[Event]]]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """Trains a project in a new folder; returns the result and all events."""
    numbers = iter(range(100))

    def watch(project: Project, *, surfaces: bool = True, control: Control | None = None) -> tuple[Finished, list]:
        events: list[Event] = []
        job = Job(project, tmp_path / f"run {next(numbers)}", surfaces=surfaces)
        return run(job, control or Control(), events.append), events

    return watch


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look after every epoch."""
    monkeypatch.setattr(surface_module, "SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(surface_module, "SHARE_OF_TIME", 1e9)


def surfaces(events: list[Event]) -> list[Surface]:
    return [event for event in events if isinstance(event, Surface)]


def numbers(values: bytes) -> np.ndarray:
    return np.frombuffer(values, np.uint8).reshape(SIDE, SIDE)


def surveyor(source: Source, model: nn.Module) -> Surveyor:
    return Surveyor(model, prepare(DataChoice(source)), torch.device("cpu"))


def drained(made: Surveyor) -> Surface:
    *steps, last = made.look(0)
    assert set(steps) == {None}
    return last


def test_the_plane_is_told_after_the_start_and_a_surface_before_the_first_epoch(watch: Watch) -> None:
    project = with_settings("spirals-mlp", epochs=2)
    _, events = watch(project)
    assert [type(event) for event in events[:3]] == [Started, Plane, Surface]
    plane, first = events[1], events[2]
    assert (plane.features, plane.classes, first.epoch, first.best) == (("x", "y"), ("A", "B", "C"), 0, False)
    assert {split: points.total for split, points in plane.points.items()} == {
        split: count for split, count in events[0].samples.items() if split != "test"
    }
    dataset = prepare(project.data)
    drawn = np.array([plane.points["train"].x, plane.points["train"].y]).T
    assert np.allclose(drawn, dataset.inputs[0][dataset.splits["train"]])
    assert list(plane.points["train"].classes) == dataset.targets[dataset.splits["train"]].tolist()
    for (low, high), values in zip((plane.x_range, plane.y_range), dataset.inputs[0].T.tolist(), strict=True):
        assert low < min(values) < max(values) < high


def test_the_last_surface_is_that_of_the_weights_that_are_kept(watch: Watch) -> None:
    finished, events = watch(with_settings("spirals-mlp", epochs=12))
    assert isinstance(events[-1], Finished)
    told, plane = events[-2], events[1]
    kept = read_checkpoint(Path(finished.checkpoint))
    assert (told.best, told.epoch) == (True, kept.epoch)
    project = kept.project
    model = build_network(make_plan(project.graph))
    model.load_state_dict(kept.model)
    (left, right), (bottom, top) = plane.x_range, plane.y_range
    for row, column in ((0, 0), (3, 90), (50, 20), (99, 99), (70, 41)):  # counted from the lowest y and x
        place = torch.tensor(
            [[left + (right - left) * (column + 0.5) / SIDE, bottom + (top - bottom) * (row + 0.5) / SIDE]]
        )
        with torch.no_grad():
            share = model.eval()(prepare(project.data).scalings[0].apply(place)).softmax(1)[0]
        assert numbers(told.classes)[row, column] == int(share.argmax())
        assert numbers(told.shares)[row, column] == pytest.approx(255 * float(share.max()), abs=0.51)


@pytest.mark.usefixtures("eager")
def test_weights_and_figures_are_the_same_bit_for_bit_with_and_without(watch: Watch) -> None:
    """With batch norm, whose means a look could move, and dropout, whose random numbers it could use up."""
    project = with_settings("spirals-mlp", epochs=5)
    graph = project.graph
    for kind in ("batch_norm", "dropout"):
        place = next(k for k in graph.links if graph.node(k.source).block.kind == "tanh")
        graph = insert_on(graph, place, new_node(graph, blocks.get(kind)())).apply(graph)
    project = replace(project, graph=graph)
    (with_looks, told), (without, silent) = watch(project), watch(project, surfaces=False)
    assert [event.epoch for event in surfaces(told)][:-1] == [0, 1, 2, 3, 4, 5]
    assert [event for event in silent if isinstance(event, Plane | Surface)] == []
    for name in ("last.pt", "best.pt"):
        first, second = (
            read_checkpoint(Path(finished.run) / "checkpoints" / name).model for finished in (with_looks, without)
        )
        assert any("running_mean" in key for key in first)
        assert all(torch.equal(first[key], second[key]) for key in first | second)
    figures = [[(e.train, e.validation) for e in events if isinstance(e, EpochEnded)] for events in (told, silent)]
    assert figures[0] == figures[1]
    assert with_looks.metrics == without.metrics


class _Restless(nn.Module):
    """Draws random numbers even while it is only asked."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand_like(x)


def test_a_look_uses_up_no_random_numbers() -> None:
    made = surveyor(sources.get("moons")(), _Restless())
    before = torch.get_rng_state()
    drained(made)
    assert torch.equal(torch.get_rng_state(), before)


def test_looks_take_a_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(surface_module.time, "perf_counter", lambda: now[0])

    class Slow(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            now[0] += 0.005
            return x

    made = surveyor(sources.get("moons")(), Slow())
    assert made.is_due()
    drained(made)
    spent = now[0] - 10.0
    now[0] += 99 * spent
    assert not made.is_due()
    now[0] += 2 * spent
    assert made.is_due()


def test_a_quick_look_is_done_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(surface_module.time, "perf_counter", lambda: now[0])
    made = surveyor(sources.get("moons")(), nn.Identity())
    drained(made)
    now[0] += 0.099
    assert not made.is_due()
    now[0] += 0.002
    assert made.is_due()


@pytest.mark.parametrize("template", ["iris-mlp", "digits-mlp"])
def test_other_data_has_no_surface(watch: Watch, template: str) -> None:
    _, events = watch(with_settings(template, epochs=1))
    assert [event for event in events if isinstance(event, Plane | Surface)] == []


def test_numbers_to_predict_and_many_classes_have_no_surface() -> None:
    dataset = prepare(DataChoice(sources.get("moons")()))
    assert can_be_surveyed(dataset)
    target = dataset.spec.target
    for other in (replace(target, task="regression"), replace(target, names=tuple(map(str, range(11))))):
        assert not can_be_surveyed(replace(dataset, spec=replace(dataset.spec, target=other)))


@pytest.mark.usefixtures("eager")
def test_a_look_under_way_is_given_up_when_the_run_is_stopped(tmp_path: Path) -> None:
    control, events = Control(), []

    def stop_at_the_first(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochEnded):
            control.stop()

    finished = run(Job(with_settings("xor-mlp"), tmp_path / "run", surfaces=True), control, stop_at_the_first)
    assert finished.status == "stopped"
    assert [(event.epoch, event.best) for event in surfaces(events)] == [(0, False), (1, True)]


def test_of_many_samples_some_are_drawn() -> None:
    points = surveyor(sources.get("xor")(samples=5_000), nn.Identity()).plane.points["train"]
    assert (len(points.x), len(points.y), len(points.classes), points.total) == (*[MOST_POINTS] * 3, 5_000)
    assert len(set(zip(points.x, points.y, strict=True))) == MOST_POINTS
    assert 0.4 < np.mean(points.classes) < 0.6


def test_a_feature_that_never_changes_still_has_a_width() -> None:
    source = replace_fields(sources.get("circles")(), noise=0.0)
    dataset = prepare(DataChoice(source))
    dataset.inputs[0][:, 1] = 3.0
    plane = Surveyor(nn.Identity(), dataset, torch.device("cpu")).plane
    assert plane.y_range == (2.0, 4.0)
