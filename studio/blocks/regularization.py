"""Blocks that act against overfitting."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Value, expect_float, registry
from studio.fields import field


@registry.add
class Dropout(Block):
    """Sets a random share of the numbers to zero while training and scales the rest up; does nothing in evaluation.

    Shape: in (N, *) out (N, *)
    Source: Srivastava et al., "Dropout", 2014.
    """

    kind: ClassVar[str] = "dropout"
    title: ClassVar[str] = "Dropout"
    group: ClassVar[str] = "Regularization"
    synonyms: ClassVar[tuple[str, ...]] = ("noise", "drop")

    rate: float = field(0.5, min=0.0, max=0.99, help="Share of numbers set to zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        return rec.layer("Dropout", p=self.rate)(x).named(x.spec.axes)
