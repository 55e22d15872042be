"""The losses of the training script, as code; `studio.training.losses` has the same mathematics."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.data.base import IGNORED
from studio.export.formats import ExportError
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
    SquaredError,
    Weighted,
)


@dataclass(frozen=True)
class LossCode:
    """A loss that is not the usual one.

    Args:
        constants: name -> value, with what it is made.
        functions: `loss_of(answers, targets)`.
    """

    constants: Mapping[str, Any]
    functions: tuple[str, ...]

    EXPRESSION = "loss_of(answers, targets)"


def loss_code(loss: Loss, kind: str, preparation: Mapping[str, Any]) -> LossCode | None:
    """The code of a loss; None for the usual one.

    Args:
        kind: of the target.
        preparation: that of the checkpoint, which has the weights of classes.

    Raises:
        ExportError: if it does not.
    """
    if isinstance(loss, ByTask):
        return None
    weights = _weights(loss, preparation)
    about, constants, body = _code(loss, kind, weights)
    if kind == STEPS:
        body = "answers, targets = answers.flatten(0, 1), targets.flatten()\n" + body
    head = "def loss_of(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:\n"
    function = head + textwrap.indent(f'"""{about}"""\n{body}', "    ")
    return LossCode({**({"CLASS_WEIGHTS": list(weights)} if weights else {}), **constants}, (function,))


_FOCAL = """\
each = functional.cross_entropy(answers, targets, reduction="none")
right = torch.exp(-each)
return ((1 - right) ** FOCAL_GAMMA * each).sum() / (targets != $ignored).sum()
"""
_FOCAL_OF_LABELS = """\
each = functional.binary_cross_entropy_with_logits(answers, targets, reduction="none")
shares = answers.sigmoid()
right = shares * targets + (1 - shares) * (1 - targets)
return ((1 - right) ** FOCAL_GAMMA * each).mean()
"""
_DICE = """\
known = (targets != $ignored).unsqueeze(1)
shares = answers.softmax(1) * known
wanted = functional.one_hot(targets.clamp_min(0), answers.shape[1]).movedim(-1, 1) * known
overlap = (shares * wanted).sum((0, 2, 3))
sizes = shares.sum((0, 2, 3)) + wanted.sum((0, 2, 3))
apart = 1 - ((2 * overlap + DICE_SMOOTH) / (sizes + DICE_SMOOTH)).mean()
"""
_MIXED = "return CROSS_ENTROPY * functional.cross_entropy(answers, targets) + (1 - CROSS_ENTROPY) * apart\n"


def _code(loss: Loss, kind: str, weights: tuple[float, ...]) -> tuple[str, dict[str, Any], str]:
    """What it is in words, its constants and its body."""
    weighing = "weights = torch.tensor(CLASS_WEIGHTS, device=answers.device)\n" if weights else ""
    match loss:
        case CrossEntropy():
            given = (", weight=weights" if weights else "") + ", label_smoothing=LABEL_SMOOTHING"
            call = f"{weighing}return functional.cross_entropy(answers, targets{given})\n"
            return "Cross-entropy.", {"LABEL_SMOOTHING": loss.label_smoothing}, call
        case Focal():
            body = _FOCAL_OF_LABELS if kind == LABELS else _FOCAL.replace("$ignored", str(IGNORED))
            return "Cross-entropy in which what is told right hardly counts.", {"FOCAL_GAMMA": loss.gamma}, body
        case Dice():
            constants = {"DICE_SMOOTH": loss.smooth, "CROSS_ENTROPY": loss.cross_entropy}
            body = _DICE.replace("$ignored", str(IGNORED)) + (_MIXED if loss.cross_entropy else "return apart\n")
            return "One less the overlap with the classes, and some cross-entropy.", constants, body
        case BinaryCrossEntropy():
            given = ", pos_weight=weights" if weights else ""
            call = f"{weighing}return functional.binary_cross_entropy_with_logits(answers, targets{given})\n"
            return "Cross-entropy of each label.", {}, call
        case SquaredError():
            return "The mean of squared errors.", {}, "return functional.mse_loss(answers, targets)\n"
        case AbsoluteError():
            return "The mean of absolute errors.", {}, "return functional.l1_loss(answers, targets)\n"
        case Huber():
            call = "return functional.huber_loss(answers, targets, delta=HUBER_DELTA)\n"
            return "Squared for small errors, absolute for large ones.", {"HUBER_DELTA": loss.delta}, call
    raise ExportError(
        f"There is no training script for this run yet: the loss “{loss.title}” cannot be written as code so far. "
        "Nothing was written."
    )


def _weights(loss: Loss, preparation: Mapping[str, Any]) -> tuple[float, ...]:
    """What each class counts; nothing where all count the same."""
    if not isinstance(loss, Weighted):
        return ()
    if not loss.is_balanced:
        return loss.numbers
    try:
        return tuple(map(float, preparation["loss_weights"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError("The checkpoint does not say what each class counts. Nothing was written.") from error
