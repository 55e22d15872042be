"""The mathematics of the losses that `studio.settings.losses` declares.

Axis letters: N batch, K classes or labels, H W space; `...` stands for no further axes, or for H W.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from studio.compile.target_kinds import kind_of
from studio.data.base import IGNORED
from studio.data.dataset import Dataset
from studio.settings import Loss
from studio.settings.losses import (
    LABELS,
    STEPS,
    AbsoluteError,
    BinaryCrossEntropy,
    ByTask,
    CrossEntropy,
    Dice,
    Focal,
    Huber,
    KLDivergence,
    SquaredError,
    Weighted,
)
from studio.training.counts import class_counts, label_counts
from studio.training.errors import TrainingError

LossFunction = Callable[[Tensor, Tensor], Tensor]


def loss_function(loss: Loss, kind: str, weights: Tensor | None = None) -> LossFunction:
    """Answers and targets of a batch to the mean loss ().

    Args:
        loss: any but the usual one, which a `Task` has.
        kind: of the target, one of the loss's `fits`.
        weights: what `weights_of` says, on the device of the answers.

    Raises:
        TrainingError: if the loss is not made for that kind of target.
    """
    if kind not in loss.fits:
        raise TrainingError(
            f"The loss “{loss.title}” is made for {' or '.join(loss.fits)}, but the data has {kind} to predict. Choose "
            f"“{ByTask.title}” in the training settings."
        )
    made = _function(loss, kind, weights)
    return partial(_of_steps, made) if kind == STEPS else made


def _function(loss: Loss, kind: str, weights: Tensor | None) -> LossFunction:
    match loss:
        case CrossEntropy():
            return partial(functional.cross_entropy, weight=weights, label_smoothing=loss.label_smoothing)
        case Focal():
            return partial(focal_of_labels if kind == LABELS else focal, gamma=loss.gamma)
        case Dice():
            return partial(dice, cross_entropy=loss.cross_entropy, smooth=loss.smooth)
        case BinaryCrossEntropy():
            return partial(functional.binary_cross_entropy_with_logits, pos_weight=weights)
        case SquaredError():
            return functional.mse_loss
        case AbsoluteError():
            return functional.l1_loss
        case Huber():
            return partial(functional.huber_loss, delta=loss.delta)
        case KLDivergence():
            return divergence
    raise AssertionError(f"nothing computes the loss {loss.kind}")


def _of_steps(loss: LossFunction, answers_NTK: Tensor, targets_NT: Tensor) -> Tensor:
    return loss(answers_NTK.flatten(0, 1), targets_NT.flatten())


def focal(answers_NK: Tensor, targets_N: Tensor, gamma: float) -> Tensor:
    """Cross-entropy, each place times (1 - probability of the right class) to the power of gamma.

    Args:
        answers_NK: (N, K, ...).
        targets_N: (N, ...), of which those of IGNORED do not count.
        gamma: 1 or more.
    """
    each = functional.cross_entropy(answers_NK, targets_N, reduction="none")  # zero for what is ignored
    right = torch.exp(-each)
    return ((1 - right) ** gamma * each).sum() / (targets_N != IGNORED).sum()


def focal_of_labels(answers_NK: Tensor, targets_NK: Tensor, gamma: float) -> Tensor:
    """The same for labels, each of which is there or not; gamma is 1 or more."""
    each = functional.binary_cross_entropy_with_logits(answers_NK, targets_NK, reduction="none")
    shares_NK = answers_NK.sigmoid()
    right = shares_NK * targets_NK + (1 - shares_NK) * (1 - targets_NK)
    return ((1 - right) ** gamma * each).mean()


def dice(answers_NKHW: Tensor, targets_NHW: Tensor, cross_entropy: float, smooth: float) -> Tensor:
    """One less the mean overlap with the classes over the batch, and some cross-entropy.

    Args:
        targets_NHW: places of IGNORED do not count.
        cross_entropy: its share of the sum, from 0 to 1.
        smooth: added above and below of the fraction.
    """
    known_N1HW = (targets_NHW != IGNORED).unsqueeze(1)
    shares_NKHW = answers_NKHW.softmax(1) * known_N1HW
    classes = functional.one_hot(targets_NHW.clamp_min(0), answers_NKHW.shape[1])
    wanted_NKHW = classes.movedim(-1, 1) * known_N1HW
    overlap_K = (shares_NKHW * wanted_NKHW).sum((0, 2, 3))
    sizes_K = shares_NKHW.sum((0, 2, 3)) + wanted_NKHW.sum((0, 2, 3))
    apart = 1 - ((2 * overlap_K + smooth) / (sizes_K + smooth)).mean()
    if not cross_entropy:
        return apart
    return cross_entropy * functional.cross_entropy(answers_NKHW, targets_NHW) + (1 - cross_entropy) * apart


def divergence(answers_NK: Tensor, shares_NK: Tensor) -> Tensor:
    """How far the softmax of the answers is from the true shares: the mean over samples of the divergence."""
    return functional.kl_div(functional.log_softmax(answers_NK, 1), shares_NK, reduction="batchmean")


def weights_of(loss: Loss, dataset: Dataset) -> Tensor | None:
    """What each class or label counts (K,), on the CPU; None where all count the same.

    Balanced weights of classes are samples / (classes × samples of the class), so that their mean over the samples is
    1; those of labels the samples without it by those with it. A class that no training sample has counts as one that
    a single sample has.

    Raises:
        TrainingError: if weights by hand are more or fewer than classes.
    """
    if not isinstance(loss, Weighted) or (not loss.is_balanced and not loss.numbers):
        return None
    if loss.is_balanced:
        if kind_of(dataset.spec.target) == LABELS:
            present_K, samples = label_counts(dataset)
            return ((samples - present_K) / present_K.clamp_min(1)).float()
        counts_K = class_counts(dataset)
        return (counts_K.sum() / (len(counts_K) * counts_K.clamp_min(1))).float()
    names = dataset.spec.target.names
    if len(loss.numbers) != len(names):
        raise TrainingError(
            f"The loss “{loss.title}” has {len(loss.numbers)} weights, but the data has {len(names)} classes. Give one "
            "weight for each, in the order of the classes."
        )
    return torch.tensor(loss.numbers)
