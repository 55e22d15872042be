"""Parts of the training settings that are the same for every optimizer, schedule and loss."""

from __future__ import annotations

from typing import ClassVar

from studio.fields import Declared, field


class Gradients(Declared):
    """What happens to gradients before the optimizer sees them."""

    accumulate: int = field(
        1, min=1, max=1_000_000, unit="batches", special="each batch",
        help="How many batches are summed up to one step of the optimizer: as a batch that many times as large, in the "
        "memory of a small one.",
    )  # fmt: skip
    clip_norm: float = field(
        0.0, min=0.0, max=1e9, special="off", help="Longest that the gradient of all weights together may be."
    )
    clip_value: float = field(
        0.0, min=0.0, max=1e9, special="off", help="Largest that a single number of the gradient may be."
    )


class Parameters(Declared):
    """What holds for some of the weights and not for others."""

    title: ClassVar[str] = "Weights and biases"

    decay_biases: bool = field(
        True,
        help="Let the weight decay (L2) pull biases and the scales of norms, too: all that has one axis. Off is usual "
        "for transformers and large networks.",
    )
    backbone_rate: float = field(
        1.0, min=0.0, max=1.0, help="Share of the learning rate for backbones that begin with learned weights."
    )
    l1: float = field(
        0.0, min=0.0, max=1e3, special="off",
        help="Pulls weights to exactly zero: this times the sum of their sizes is added to the loss.",
    )  # fmt: skip


class Speed(Declared):
    """How the mathematics is done; what changes results is never chosen without a word."""

    precision: str = field(
        "float32", choices=("float32", "bfloat16"),
        help="bfloat16: numbers of half the size where that is safe (autocast). Faster on processors and GPUs that can "
        "do it; the weights stay float32, the results differ in the third digit.",
    )  # fmt: skip
