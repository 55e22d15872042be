"""The best answer that does not look at the input, against counting by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from studio.data import IGNORED, DataChoice, Target
from studio.data import registry as datasets
from studio.data.base import DataSpec
from studio.data.dataset import Dataset, prepare
from studio.data.scaling import Scaling
from studio.tensors import TensorSpec
from studio.training.baseline import trivial_baseline


def dataset(target: Target, targets: torch.Tensor, training: int) -> Dataset:
    """Inputs that nobody looks at; the first samples are for training, the rest for validation."""
    rows = torch.arange(len(targets))
    return Dataset(
        spec=DataSpec((TensorSpec((1,), "D"),), target),
        inputs=(torch.zeros(len(targets), 1),),
        targets=targets,
        splits={"train": rows[:training], "validation": rows[training:], "test": rows[training:]},
        scalings=(Scaling(),),
        fingerprint="",
        learned=(None,),
        raw=(None,),
    )


def test_the_most_frequent_class_is_answered() -> None:
    targets = torch.tensor([0, 1, 1, 1, 2, 1, 0, 1])  # trained on the first five
    found = trivial_baseline(dataset(Target("classification", ("a", "b", "c")), targets, 5), "validation")
    assert found["accuracy"] == pytest.approx(2 / 3)
    shares = torch.tensor([1.5, 3.5, 1.5]) / 6.5
    assert found["loss"] == pytest.approx(float(functional.cross_entropy(shares.log().repeat(3, 1), targets[5:])))


def test_the_mean_of_the_numbers_is_answered() -> None:
    targets = torch.tensor([[1.0, 10.0], [3.0, 30.0], [5.0, 0.0]])
    found = trivial_baseline(dataset(Target("regression", ("x", "y")), targets, 2), "validation")
    assert found["mae"] == pytest.approx((3 + 20) / 2)
    assert found["loss"] == pytest.approx((9 + 400) / 2)


def test_each_label_is_answered_by_its_share() -> None:
    targets = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])  # trained on four
    found = trivial_baseline(dataset(Target("multi-label", ("a", "b")), targets, 4), "validation")
    assert found["loss"] == pytest.approx(-math.log(0.5))


def test_places_without_an_answer_are_not_counted() -> None:
    targets = torch.tensor([[1, 1, 0], [1, IGNORED, IGNORED], [1, 0, IGNORED]])
    target = Target("classification", ("a", "b"), (3,))
    shares = torch.tensor([1.5, 3.5]) / 5
    found = trivial_baseline(dataset(target, targets, 2), "validation")
    assert found["loss"] == pytest.approx(float(-(shares[1].log() + shares[0].log()) / 2))


def test_pixels() -> None:
    targets = torch.zeros(3, 4, 5, dtype=torch.int64)
    targets[:, 0] = 1
    found = trivial_baseline(dataset(Target("classification", ("out", "in"), (4, 5)), targets, 2), "validation")
    assert found["accuracy"] == pytest.approx(15 / 20)


def test_the_input_itself_is_answered_by_the_mean_input() -> None:
    prepared = prepare(DataChoice(source=datasets.get("iris")(), target="the input itself"))
    rows = prepared.splits["validation"]
    scaled = prepared.scalings[0].apply(prepared.inputs[0]).numpy()
    mean = scaled[prepared.splits["train"].numpy()].mean(0)
    found = trivial_baseline(prepared, "validation")
    assert found["loss"] == pytest.approx(float(np.square(scaled[rows.numpy()] - mean).mean()), rel=1e-5)


@pytest.mark.parametrize(("naive", "mae"), [([4.0, 7.0, 9.0], 1.0), ([50.0, 0.0, 9.0], 4.0)])
def test_the_naive_answers_are_taken_where_they_are_better_in_training(naive: list[float], mae: float) -> None:
    targets = torch.tensor([[4.0], [8.0], [10.0]])  # their mean in training is 6
    given = dataset(Target("regression", ("x",)), targets, 2)
    given = replace(given, naive=torch.tensor(naive)[:, None], answers=Scaling((6.0,), (0.5,)))
    assert trivial_baseline(given, "validation")["mae"] == pytest.approx(mae)
