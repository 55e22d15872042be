"""Pictures drawn by the program."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from studio.data.shapes import Shapes


def test_they_are_the_same_on_any_machine() -> None:
    # Written down: other pictures would make old runs and new ones differ without a word.
    samples = Shapes(samples=100).load()
    digest = hashlib.sha256(samples.inputs[0].tobytes() + samples.targets.astype("<i8").tobytes()).hexdigest()
    assert digest == "92999beeb572f82592a1fda5aa62dd6058eb57e19d20662158558294a1e7a8be"


def test_without_noise_a_pixels_class_shows_in_its_grey() -> None:
    samples = Shapes(samples=200, noise=0).load()
    images, labels = samples.inputs[0][:, 0], samples.targets
    assert images[labels == 0].max() < 100 <= 130 <= images[labels > 0].min()
    assert all(len(np.unique(image[label == 0])) == 1 for image, label in zip(images, labels, strict=True))


@pytest.mark.parametrize("seed", [0, 1])
def test_every_picture_has_a_shape_and_every_class_its_share(seed: int) -> None:
    labels = Shapes(samples=500, seed=seed).load().targets
    assert all(label.any() for label in labels)
    shares = np.bincount(labels.ravel()) / labels.size
    assert 0.75 < shares[0] < 0.87
    assert (shares[1:] > 0.03).all()


def test_each_field_changes_the_pictures() -> None:
    plain = Shapes(samples=60).load()
    for other in (Shapes(samples=60, noise=10), Shapes(samples=60, seed=1)):
        assert not np.array_equal(other.load().inputs[0], plain.inputs[0])
    assert len(Shapes(samples=70).load().targets) == 70
