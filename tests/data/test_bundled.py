"""The datasets of scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sklearn.datasets
import torch

from studio.data import DataChoice
from studio.data import registry as sources
from studio.data.batches import Batches
from studio.data.dataset import prepare
from studio.data.scaling import IDENTITY


def test_digits_are_bytes() -> None:
    samples = sources.get("digits")().load()
    (images,) = samples.inputs
    original = sklearn.datasets.load_digits()
    assert images.dtype == np.uint8
    assert images.shape == (1797, 1, 8, 8)
    assert images.max() == 16
    assert np.array_equal(images[:, 0], original.images)
    assert np.array_equal(samples.targets, original.target)
    assert samples.test_start is None


@pytest.mark.parametrize(("kind", "count"), [("iris", 150), ("wine", 178), ("breast_cancer", 569)])
def test_tables(kind: str, count: int) -> None:
    source = sources.get(kind)()
    samples = source.load()
    original = getattr(sklearn.datasets, f"load_{kind}")()
    (rows,) = samples.inputs
    assert rows.dtype == np.float32
    assert rows.shape == (count, *source.spec.inputs[0].dims)
    assert np.allclose(rows, original.data)
    assert samples.targets.dtype == np.int64
    assert np.array_equal(samples.targets, original.target)
    assert source.spec.target.names == tuple(original.target_names)


@pytest.mark.parametrize(("kind", "count", "options"), [("diabetes", 442, {"scaled": False}), ("linnerud", 20, {})])
def test_tables_of_numbers_to_predict(kind: str, count: int, options: dict[str, bool]) -> None:
    source = sources.get(kind)()
    samples = source.load()
    original = getattr(sklearn.datasets, f"load_{kind}")(**options)
    assert samples.inputs[0].shape == (count, *source.spec.inputs[0].dims)
    assert np.allclose(samples.inputs[0], original.data)
    assert samples.targets.shape == (count, source.spec.target.size)
    assert np.array_equal(samples.targets, original.target.reshape(count, -1).astype(np.float32))
    assert source.spec.features == tuple(original.feature_names)
    assert source.spec.target.names == tuple(getattr(original, "target_names", source.spec.target.names))


def test_numbers_to_predict_are_scaled_by_the_training_split_alone() -> None:
    choice = DataChoice(source=sources.get("linnerud")())
    dataset = prepare(choice)
    rows = dataset.splits["train"].numpy()
    stored = dataset.targets.numpy()
    by_hand = (stored - stored[rows].mean(0)) / stored[rows].std(0)
    np.testing.assert_allclose(dataset.wanted(torch.arange(20)).numpy(), by_hand, rtol=1e-5)
    (_, targets), *_ = Batches(dataset, "train", 20, torch.device("cpu")).epoch()
    np.testing.assert_allclose(targets.numpy(), by_hand[rows], rtol=1e-5)
    assert prepare(replace(choice, scaling="none")).answers == IDENTITY
    low, high = prepare(replace(choice, scaling="unit range")).wanted(torch.from_numpy(rows)).aminmax()
    assert (float(low), float(high)) == (0.0, 1.0)
