"""Parts of the training settings that are the same for every optimizer, schedule and loss."""

from __future__ import annotations

from typing import ClassVar

from studio.fields import Declared, field

# Figures of the validation; what is known of each stands in studio.settings.measures.
FIGURES = (
    "loss", "accuracy", "top5_accuracy", "balanced_accuracy", "f1", "auroc", "iou", "dice", "perplexity", "mae", "rmse",
    "r2",
)  # fmt: skip


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

    mode: str = field(
        "exact", choices=("exact", "auto"),
        help="exact: as always, the same bits every time. auto: a few steps are measured at the start, and what is "
        "fastest on this machine is taken for everything below that is left at auto, and for the threads. What was "
        "chosen is told and recorded; results differ in the last digits, with bfloat16 in the third.",
    )  # fmt: skip
    precision: str = field(
        "auto", choices=("auto", "float32", "tf32", "bfloat16", "float16"),
        help="bfloat16 and float16: numbers of half the size where that is safe (autocast), with a scaled loss for "
        "float16; the weights stay float32. tf32: float32 that NVIDIA GPUs multiply with fewer digits. The results "
        "differ in the third digit. auto is float32, unless the mode is auto.",
    )  # fmt: skip
    layout: str = field(
        "auto", choices=("auto", "contiguous", "channels last"),
        help="How images lie in memory. auto is channels last for networks with 2-D convolutions, unless the mode is "
        "auto.",
    )  # fmt: skip
    compile: str = field(
        "auto", choices=("auto", "off", "network", "whole step"),
        help="Translate the network, or the whole step with gradient and optimizer, to machine code of its own: takes "
        "up to half a minute once and needs a C++ compiler; tiny networks then learn about twice as fast. auto is off, "
        "unless the mode is auto.",
    )  # fmt: skip
    prefetch: str = field(
        "auto", choices=("auto", "off", "on"),
        help="Prepare the next batches in a second thread while the network learns from these. The results are the "
        "same. auto is off, unless the mode is auto.",
    )  # fmt: skip


class Stopping(Declared):
    """Which epoch is the best, whose checkpoint is kept, and when to give up waiting for a better one."""

    title: ClassVar[str] = "Best epoch and early stopping"

    metric: str = field(
        "loss", choices=FIGURES,
        help="The figure of the validation split by which the best epoch is chosen, and by which a run is stopped "
        "early. Each kind of data has some of them.",
    )  # fmt: skip
    patience: int = field(
        0, min=0, max=1_000_000, unit="epochs", special="never stop early",
        help="After how many epochs without a better validation the run ends. The best epoch is what is kept.",
    )  # fmt: skip
    min_delta: float = field(
        0.0, min=0.0, max=1e6, help="By how much a figure must get better to count for the patience."
    )


class Averaging(Declared):
    """Averages of the weights over many steps; they often do better than the last weights alone.

    Validation and the best checkpoint have the averaged weights; training goes on with its own.
    """

    title: ClassVar[str] = "Averaged weights"

    method: str = field(
        "off", choices=("off", "ema", "swa"),
        help="EMA: a running average in which old steps are forgotten little by little. SWA: the plain mean of the "
        "weights at the end of each of the last epochs.",
    )  # fmt: skip
    decay: float = field(
        0.999, min=0.0, max=0.999999,
        help="EMA: the share of the average that each step keeps; less at first, so that the start is soon forgotten.",
    )  # fmt: skip
    from_step: int = field(0, min=0, max=1_000_000_000, help="EMA: how many steps go by before it begins.")
    last_share: float = field(0.25, min=0.01, max=1.0, help="SWA: the share of the epochs, the last ones, that count.")


class Mixing(Declared):
    """Batches in which each sample is mixed with another one, and so are their classes. Against overfitting."""

    title: ClassVar[str] = "Mixed samples"

    method: str = field(
        "off", choices=("off", "mixup", "cutmix", "either"),
        help="Mixup: a weighted mean of two samples. CutMix: a rectangle of one picture in another. Either: one of the "
        "two for each batch. For classes of samples only; the accuracy in training is that of the larger part.",
    )  # fmt: skip
    strength: float = field(
        0.2, min=0.01, max=10.0,
        help="Both parameters of the beta distribution from which the shares are drawn: small ones hardly mix, with 1 "
        "all shares are equally likely.",
    )  # fmt: skip


class Repeats(Declared):
    """The same run several times, as one: what differs between the runs is chance, and shows how much it matters."""

    title: ClassVar[str] = "Repeat"

    method: str = field(
        "off", choices=("off", "seeds", "folds"),
        help="Seeds: other first weights and another order each time, on the same split. Folds: cross-validation, in "
        "which each of several equal parts of the data is the validation once.",
    )  # fmt: skip
    number: int = field(5, min=2, max=100, help="How many seeds, or into how many folds the data is cut.")


class Spread(Declared):
    """How several processes share the work of one run; a run of one process has no use for it."""

    title: ClassVar[str] = "Several processes"

    shard: str = field(
        "none", choices=("none", "full"),
        help="full: each process keeps only its part of the weights, gradients and the optimizer's memory (FSDP), and "
        "the others send theirs when a block needs them: for models larger than one device. It costs time; results "
        "are the same but for the last digits. none: each process keeps all.",
    )  # fmt: skip
