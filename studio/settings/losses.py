"""Losses: what a run makes small. Each says for which kinds of targets it is made; `training/losses.py` computes it."""

from __future__ import annotations

import math
from typing import ClassVar

from studio.fields import Declared, FieldError, field
from studio.registry import Registry

# Kinds of targets: a class of each sample, of each step or of each pixel; several labels; numbers.
CLASSES, STEPS, PLACES = "classes", "classes of steps", "classes of places"
LABELS, NUMBERS = "labels", "numbers"
KINDS = (CLASSES, STEPS, PLACES, LABELS, NUMBERS)

EQUAL, BALANCED = "equal", "balanced"
_WEIGHTS_HELP = (
    "equal; balanced: rare ones count more, by the training samples; or a number for each, in order, such as 1 2.5 1."
)


class Loss(Declared):
    """Base of every loss."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    fits: ClassVar[tuple[str, ...]]  # some of KINDS


class Weighted(Loss):
    """Base of those that may count some classes or labels more than others."""

    weights: str = field(EQUAL, help=_WEIGHTS_HELP)

    def _check_fields(self) -> None:
        super()._check_fields()
        if self.weights.strip() in (EQUAL, BALANCED):
            return
        try:
            fine = bool(self.numbers) and all(math.isfinite(n) and n >= 0 for n in self.numbers) and any(self.numbers)
        except ValueError:
            fine = False
        if not fine:
            reason = "must be equal, balanced, or numbers of zero or more, not all of them zero, such as 1 2.5 1"
            raise FieldError(type(self).__name__, "weights", reason)

    @property
    def is_balanced(self) -> bool:
        """Whether the training samples say what counts more."""
        return self.weights.strip() == BALANCED

    @property
    def numbers(self) -> tuple[float, ...]:
        """The weights that were given by hand; none for others."""
        if self.weights.strip() in (EQUAL, BALANCED):
            return ()
        return tuple(map(float, self.weights.replace(",", " ").replace(";", " ").split()))


registry: Registry[Loss] = Registry("loss")


@registry.add
class ByTask(Loss):
    """Cross-entropy for classes, binary cross-entropy for labels, squared error for numbers."""

    kind: ClassVar[str] = "by-task"
    title: ClassVar[str] = "Usual for the task"
    fits: ClassVar[tuple[str, ...]] = KINDS


@registry.add
class CrossEntropy(Weighted):
    """The negative logarithm of the right class's probability."""

    kind: ClassVar[str] = "cross-entropy"
    title: ClassVar[str] = "Cross-entropy"
    fits: ClassVar[tuple[str, ...]] = (CLASSES, STEPS, PLACES)

    label_smoothing: float = field(
        0.0, min=0.0, max=0.99, help="Share of the target that is spread over all classes: answers grow less sure."
    )


@registry.add
class Focal(Loss):
    """Cross-entropy in which samples that are told right already hardly count. For rare classes.

    Source: Lin and others, "Focal loss for dense object detection", 2017.
    """

    kind: ClassVar[str] = "focal"
    title: ClassVar[str] = "Focal"
    fits: ClassVar[tuple[str, ...]] = (CLASSES, STEPS, PLACES, LABELS)

    gamma: float = field(2.0, min=0.0, max=20.0, help="How much less what is easy counts; 0 is cross-entropy.")


@registry.add
class Dice(Loss):
    """One less the overlap of the answer with each class, which does not depend on how large the class is. For masks.

    Source: Milletari and others, "V-Net", 2016.
    """

    kind: ClassVar[str] = "dice"
    title: ClassVar[str] = "Dice"
    fits: ClassVar[tuple[str, ...]] = (PLACES,)

    cross_entropy: float = field(
        0.5, min=0.0, max=1.0, help="Share of cross-entropy in the sum: it teaches faster in the beginning."
    )
    smooth: float = field(
        1.0, min=1e-6, max=1e6, help="Added above and below, so that absent classes count little.", rare=True
    )


@registry.add
class BinaryCrossEntropy(Weighted):
    """Cross-entropy of each label by itself; a weight counts the samples that have the label so many times."""

    kind: ClassVar[str] = "binary-cross-entropy"
    title: ClassVar[str] = "Binary cross-entropy"
    fits: ClassVar[tuple[str, ...]] = (LABELS,)


@registry.add
class SquaredError(Loss):
    """The mean of squared errors: large errors count most."""

    kind: ClassVar[str] = "squared-error"
    title: ClassVar[str] = "Squared error (MSE)"
    fits: ClassVar[tuple[str, ...]] = (NUMBERS,)


@registry.add
class AbsoluteError(Loss):
    """The mean of absolute errors: outliers count no more than others."""

    kind: ClassVar[str] = "absolute-error"
    title: ClassVar[str] = "Absolute error (MAE)"
    fits: ClassVar[tuple[str, ...]] = (NUMBERS,)


@registry.add
class Huber(Loss):
    """Squared for small errors, absolute for large ones.

    Source: Huber, "Robust estimation of a location parameter", 1964.
    """

    kind: ClassVar[str] = "huber"
    title: ClassVar[str] = "Huber"
    fits: ClassVar[tuple[str, ...]] = (NUMBERS,)

    delta: float = field(1.0, min=1e-6, max=1e6, help="Errors above it count as absolute ones, in scaled units.")


@registry.add
class KLDivergence(Loss):
    """How far the answered shares are from the true ones, as soft labels are: numbers of zero or more that sum to 1.

    The network answers with scores; their softmax is part of the loss, as for classes. The numbers are not scaled.

    Source: Kullback and Leibler, "On information and sufficiency", 1951.
    """

    kind: ClassVar[str] = "kl-divergence"
    title: ClassVar[str] = "KL divergence"
    fits: ClassVar[tuple[str, ...]] = (NUMBERS,)
