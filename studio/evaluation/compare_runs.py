"""Several networks on the same samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from studio.evaluation.comparison import Comparison, compare_numbers, compare_rights
from studio.evaluation.predictions import Predictions
from studio.evaluation.trained import Trained
from studio.training.errors import TrainingError
from studio.training.tasks import CLASSES, NUMBERS, kind_of


def check_comparable(trained: Sequence[Trained], split: str) -> None:
    """Refuse networks that answer other questions, or were asked about other samples.

    Raises:
        TrainingError: which of them, and why.
    """
    first = trained[0]
    for other in trained[1:]:
        same_question = (kind_of(first.dataset.spec.target), first.dataset.spec.target.names) == (
            kind_of(other.dataset.spec.target),
            other.dataset.spec.target.names,
        )
        if not same_question:
            raise TrainingError(f"{other.path} predicts something else than {first.path}; they cannot be compared.")
        if not _same_samples(first, other, split):
            raise TrainingError(
                f"{other.path} has other samples in its {split} split than {first.path}. Compare runs on the same "
                "data, divided in the same way."
            )


def _same_samples(first: Trained, second: Trained, split: str) -> bool:
    if not torch.equal(first.dataset.splits[split], second.dataset.splits[split]):
        return False
    rows = first.dataset.splits[split]
    return torch.equal(*(each.dataset.target_rows().take(rows) for each in (first, second)))


def compare(first: Predictions, second: Predictions) -> Comparison:
    """Whether the second is really better or worse: by right answers of classes, by the share of right places, by the
    absolute error of numbers, else by the loss."""
    if first.kind == CLASSES:
        return compare_rights(_rights(first), _rights(second))
    if first.kind == NUMBERS:
        return compare_numbers(_errors(first), _errors(second), "mae")
    if first.rights is not None and second.rights is not None:
        assert first.sizes is not None
        sizes = np.maximum(first.sizes.numpy(), 1)
        return compare_numbers(first.rights.numpy() / sizes, second.rights.numpy() / sizes, "accuracy")
    return compare_numbers(first.losses.numpy(), second.losses.numpy(), "loss")


def _rights(predictions: Predictions) -> np.ndarray:
    assert predictions.targets is not None
    return np.asarray(predictions.guesses.numpy() == predictions.targets.numpy())


def _errors(predictions: Predictions) -> np.ndarray:
    assert predictions.answers is not None
    assert predictions.targets is not None
    return np.asarray((predictions.answers - predictions.targets).abs().mean(1).numpy())
