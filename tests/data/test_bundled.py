"""The datasets of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets

from studio.data import registry as sources


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
