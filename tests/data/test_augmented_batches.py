"""Transforms in the batches of a split: training alone, and each sample by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from studio.data import DataChoice, DataError, Split
from studio.data import registry as sources
from studio.data.batches import Batches
from studio.data.dataset import Dataset, prepare
from studio.data.transforms import Transform
from studio.data.transforms import registry as transforms
from studio.fields import FieldError
from studio.registry import UnknownKindError

CPU = torch.device("cpu")
MOVES = (transforms.get("rotation")(), transforms.get("flip_horizontally")())


def prepared(kind: str, *chosen: Transform, **choice: Any) -> Dataset:
    return prepare(DataChoice(source=sources.get(kind)(), transforms=chosen, **choice))


def epoch(dataset: Dataset, number: int = 1, batch_size: int = 32, split: str = "train", seed: int = 5) -> Any:
    """Inputs and targets by the order in which they come."""
    batches = Batches(dataset, split, batch_size, CPU)
    found = list(batches.epoch(torch.Generator().manual_seed(seed), number))
    return torch.cat([inputs[0] for inputs, _ in found]), torch.cat([targets for _, targets in found])


def test_a_sample_is_changed_alike_whatever_the_batches_are() -> None:
    dataset = prepared("digits", *MOVES)
    large, small = epoch(dataset), epoch(dataset, batch_size=7)
    count = min(len(large[0]), len(small[0]))
    assert torch.equal(large[1][:count], small[1][:count])
    assert torch.allclose(large[0][:count], small[0][:count], atol=1e-5)
    assert torch.equal(epoch(dataset)[0], large[0])


def test_it_is_drawn_anew_in_each_epoch_and_for_each_seed() -> None:
    plain, dataset = prepared("digits"), prepared("digits", *MOVES)
    first, second = epoch(dataset)[0], epoch(dataset, 2)[0]
    assert not torch.equal(first, second)
    assert not torch.equal(first, epoch(plain)[0])
    assert torch.equal(epoch(plain)[0], epoch(plain, 2)[0])
    # Another seed mixes in another way too, so look at what one picture becomes.
    one = replace(dataset, splits={**dataset.splits, "train": dataset.splits["train"][:1]})
    assert not torch.equal(epoch(one)[0], epoch(one, seed=6)[0])


@pytest.mark.parametrize("split", ["validation", "test"])
def test_what_only_measures_is_never_changed(split: str) -> None:
    assert torch.equal(epoch(prepared("digits", *MOVES), split=split)[0], epoch(prepared("digits"), split=split)[0])


def test_training_samples_in_order_are_as_they_are() -> None:
    changed, plain = (Batches(prepared("digits", *chosen), "train", 64, CPU) for chosen in ((), MOVES))
    for (given, _), (expected, _) in zip(changed.epoch(), plain.epoch(), strict=True):
        assert torch.equal(given[0], expected[0])


def test_classes_of_pixels_move_with_their_pixels() -> None:
    flip = transforms.get("flip_horizontally")(chance=1.0)
    (x, classes), (flipped_x, flipped_classes) = epoch(prepared("shapes")), epoch(prepared("shapes", flip))
    assert torch.equal(flipped_x, x.flip(-1))
    assert torch.equal(flipped_classes, classes.flip(-1))


def test_the_input_itself_is_predicted_as_it_was_changed() -> None:
    inputs, targets = epoch(prepared("digits", *MOVES, target="the input itself"))
    assert torch.equal(inputs, targets)


def test_noise_of_a_table_is_in_units_of_its_scaling() -> None:
    noisy, plain = epoch(prepared("wine", transforms.get("table_noise")(strength=0.1))), epoch(prepared("wine"))
    assert float((noisy[0] - plain[0]).std()) == pytest.approx(0.1, rel=0.1)


def test_what_cannot_be_used_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="Flip left and right is for pictures"):
        prepared("wine", *MOVES[1:])


def test_a_choice_with_transforms_comes_back_and_drops_those_that_do_not_fit() -> None:
    choice = DataChoice(source=sources.get("digits")(), transforms=(*MOVES, transforms.get("erase")(chance=0.25)))
    assert DataChoice.from_json(choice.to_json()) == choice
    assert choice.with_source(sources.get("mnist")()).transforms == choice.transforms
    assert choice.with_source(sources.get("wine")()).transforms == ()


@pytest.mark.parametrize(
    "data", ["flip", [3], [{"kind": "flip_horizontally", "more": 1}], [{"fields": {}}], [{"kind": 3}],
             [{"kind": "erase", "fields": {"chance": 7.0}}], [{"kind": "erase"}] * 51],
)  # fmt: skip
def test_other_json_is_refused(data: Any) -> None:
    with pytest.raises(FieldError):
        DataChoice.from_json({"kind": "digits", "transforms": data})


def test_an_unknown_transform_is_refused() -> None:
    with pytest.raises(UnknownKindError):
        DataChoice.from_json({"kind": "digits", "transforms": [{"kind": "sparkle"}]})


def test_the_split_is_the_same_with_and_without() -> None:
    plain, changed = prepared("digits", split=Split(seed=3)), prepared("digits", *MOVES, split=Split(seed=3))
    assert plain.fingerprint == changed.fingerprint
