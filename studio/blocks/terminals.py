"""Where data enters the network and where its answer leaves."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Value, expect_float, registry
from studio.fields import field
from studio.tensors import TensorSpec, axes_for

FROM_DATA, FROM_SETTINGS, INPUT = "from data", "from settings", "input"  # choices of an Output's fields
# The kinds of losses that `studio.settings.losses` declares: blocks do not see it, so a test compares the two.
LOSSES = (
    "by-task", "cross-entropy", "focal", "dice", "binary-cross-entropy", "squared-error", "absolute-error", "huber",
    "kl-divergence",
)  # fmt: skip


@registry.add
class Input(Block):
    """Where samples of the dataset enter the network, one batch at a time.

    Choosing a dataset sets the shape to that of its samples.

    Shape: out (N, *shape)
    """

    kind: ClassVar[str] = "input"
    title: ClassVar[str] = "Input"
    group: ClassVar[str] = "Input and output"
    synonyms: ClassVar[tuple[str, ...]] = ("data", "source", "start")
    inputs: ClassVar[tuple[str, ...]] = ()

    shape: tuple[int, ...] = field(
        (1, 28, 28), min=1, max=1_000_000, help="Size of one sample: channels, height, width for an image."
    )
    values: str = field(
        "real", choices=("real", "tokens"), help="Real numbers, or whole numbers that stand for tokens."
    )

    @property
    def spec(self) -> TensorSpec:
        """The tensor that enters here."""
        if self.values == "tokens":
            return TensorSpec(self.shape, "L" * len(self.shape), "int")
        return TensorSpec(self.shape, axes_for(len(self.shape)))


@registry.add
class Output(Block):
    """What the network answers. The loss and the metrics of training compare it with the dataset's target.

    For classification it takes one score (logit) per class; the softmax is part of the loss, so put none before it.
    For several labels (multi-label) it takes one score per label, each with a sigmoid in the loss; for regression one
    number per target. Where the dataset has a class for every pixel, or for every step of a
    sequence, there must be scores for each of them; where the target is the input itself, an answer of its size.

    A network may have several Outputs: the sum of their losses, each times its weight, is made small. The first whose
    target is that of the data is the main one: its score and its answers are those of the network.

    Shape: in (N, classes or labels or targets); at every pixel (N, classes, H, W), at every step (N, T, classes)
    """

    kind: ClassVar[str] = "output"
    title: ClassVar[str] = "Output"
    group: ClassVar[str] = "Input and output"
    synonyms: ClassVar[tuple[str, ...]] = ("target", "prediction", "logits", "answer", "loss")
    outputs: ClassVar[tuple[str, ...]] = ()
    later: ClassVar[tuple[str, ...]] = ("target", "loss", "weight")

    task: str = field(
        FROM_DATA,
        choices=(FROM_DATA, "classification", "multi-label", "regression"),
        help="What the answer means; it chooses the loss (cross-entropy, the same for each of several labels, or mean "
        "squared error) and the metrics.",
    )
    target: str = field(
        FROM_DATA,
        choices=(FROM_DATA, INPUT),
        help="What the answer is compared with: the target of the data, or what entered the network at its first Input "
        "of real numbers, scaled, as for a decoder beside a classifier.",
    )
    loss: str = field(
        FROM_SETTINGS,
        choices=(FROM_SETTINGS, *LOSSES),
        help="How it is compared: as the training settings say, where that loss is made for this target, else as is "
        "usual for it; or by a loss of its own, with that one’s usual numbers.",
    )
    weight: float = field(
        1.0,
        min=0.0,
        max=1e6,
        help="With several Outputs: how much the loss of this one counts in their sum. 0 only tells its figures.",
    )

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        return x  # type: ignore[no-any-return]
