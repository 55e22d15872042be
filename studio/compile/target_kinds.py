"""Which kind of target a dataset has: what losses, scores and checks go by."""

from __future__ import annotations

from studio.data.base import Target
from studio.settings.losses import CLASSES, KINDS, LABELS, NUMBERS, PLACES, STEPS

KIND_WORDS = dict(
    zip(KINDS, ("classes", "classes of steps", "classes of pixels", "several labels", "numbers"), strict=True)
)


def kind_of(target: Target) -> str:
    """One of the KINDS of studio.settings.losses."""
    if target.task == "regression":
        return NUMBERS
    if target.task == "multi-label":
        return LABELS
    return (CLASSES, STEPS, PLACES)[min(len(target.dims), 2)]
