"""Toy data: what the shapes are, that they repeat on any machine, and that every setting can be trained on."""

from __future__ import annotations

import numpy as np
import pytest

from studio.data import DataChoice, Source
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.fields import specs

KINDS = ("xor", "spirals", "moons", "circles", "blobs")


def points(kind: str, **fields: object) -> tuple[np.ndarray, np.ndarray]:
    samples = sources.get(kind)(**fields).load()
    return samples.inputs[0], samples.targets


def splits(source: Source) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    dataset = prepare(DataChoice(source))
    return {
        name: (dataset.inputs[0][rows].numpy(), dataset.targets[rows].numpy()) for name, rows in dataset.splits.items()
    }


def test_they_stand_between_what_is_built_in_and_what_is_downloaded() -> None:
    groups = list(dict.fromkeys(source.group for source in sources))
    assert groups.index("Built in") < groups.index("Toy data") < groups.index("Torchvision")
    assert tuple(source.kind for source in sources if source.group == "Toy data")[: len(KINDS)] == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_features_are_called_x_and_y(kind: str) -> None:
    spec = sources.get(kind)().spec
    assert spec.features == ("x", "y")
    assert [(tensor.dims, tensor.axes, tensor.dtype) for tensor in spec.inputs] == [((2,), "D", "float")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_bound_of_every_field_gives_data_that_can_be_trained_on(kind: str) -> None:
    source = sources.get(kind)
    for spec in specs(source):
        for bound in (spec.min, spec.max):
            classes = {"classes": 5} if spec.name == "samples" and "classes" in dir(source) else {}
            made = source(**{spec.name: bound, **classes})
            for values, targets in splits(made).values():
                assert set(targets) == set(range(made.spec.target.size))
                assert np.isfinite(values).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_moves_the_points_and_nothing_else_does(kind: str) -> None:
    (first, classes), (same, _), (other, _) = points(kind), points(kind), points(kind, seed=1)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert np.abs(first - other).max() < 3, "only the errors differ"
    assert np.bincount(classes).max() - np.bincount(classes).min() <= 1


# Written down: points that differ from machine to machine would be seen by nobody.
FIRST_POINT = {
    "xor": [0.875409, 0.926773],
    "spirals": [-0.042313, -0.016566],
    "moons": [-0.12308, 0.371823],
    "circles": [0.372389, -0.01836],
    "blobs": [-0.811478, 0.682959],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_points_on_any_machine(kind: str) -> None:
    values, _ = points(kind)
    assert values[7].tolist() == pytest.approx(FIRST_POINT[kind], abs=1e-6)


def test_the_classic_xor_has_the_four_corners_in_every_split() -> None:
    for values, targets in splits(sources.get("xor")(samples=4, noise=0.0)).values():
        assert values.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert targets.tolist() == [0, 1, 1, 0]


def test_a_noisy_xor_draws_points_of_its_own_for_every_split() -> None:
    parts = splits(sources.get("xor")(samples=100, noise=0.1))
    drawn = [tuple(row) for values, _ in parts.values() for row in values.tolist()]
    assert len(set(drawn)) == len(drawn) == 300
    for values, targets in parts.values():
        first, second = (values > 0.5).T
        assert np.array_equal(first ^ second, targets == 1)  # noise of a tenth seldom crosses the middle


def test_without_noise_the_shapes_are_exact() -> None:
    values, targets = points("circles", noise=0.0, inner_radius=0.25)
    assert np.hypot(*values.T) == pytest.approx(np.where(targets == 0, 1, 0.25), abs=1e-6)
    values, targets = points("moons", noise=0.0)
    centre = np.where(targets[:, None] == 0, [[0, 0]], [[1, 0.5]])
    assert np.hypot(*(values - centre).T) == pytest.approx(np.ones(len(values)), abs=1e-6)
    assert ((values - centre)[:, 1] >= 0).tolist() == (targets == 0).tolist()
    values, targets = points("blobs", noise=0.0, classes=5)
    assert len(np.unique(values.round(5), axis=0)) == 5
    values, targets = points("spirals", noise=0.0, turns=2.0, classes=3)
    radius, angle = np.hypot(*values.T), np.arctan2(values[:, 1], values[:, 0])
    turned = 2 * np.pi * (2.0 * radius + targets / 3)
    assert np.cos(angle - turned) == pytest.approx(np.ones(len(values)), abs=1e-4)


@pytest.mark.parametrize("kind", ["spirals", "blobs"])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_number_of_classes_can_be_chosen(kind: str, classes: int) -> None:
    source = sources.get(kind)(classes=classes)
    assert source.spec.target.names == ("A", "B", "C", "D", "E")[:classes]
    assert set(source.load().targets) == set(range(classes))
