"""Attention: every step looks at every other."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import (
    Block,
    Recorder,
    Remedy,
    ShapeError,
    Value,
    expect,
    expect_float,
    registry,
    sequence_remedies,
)
from studio.fields import field


@registry.add
class SelfAttention(Block):
    """Multi-head self-attention: each step of the sequence becomes a weighted mean of all steps.

    softmax(Q Kᵀ / sqrt(D / heads)) V in each head, with Q, K, V linear in the input, and a linear map at the end.
    It does not know the order of the steps.

    Shape: in (N, T, D) out (N, T, D); heads must divide D
    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    kind: ClassVar[str] = "self_attention"
    title: ClassVar[str] = "Self-attention"
    group: ClassVar[str] = "Attention"
    synonyms: ClassVar[tuple[str, ...]] = ("multi-head attention", "mha", "transformer")

    heads: int = field(4, min=1, max=1_024, help="How many attentions side by side; they share the features.")
    dropout: float = field(0.0, min=0.0, max=0.99, help="Share of attention weights set to zero while training.")
    bias: bool = field(True, help="Add learned constants to the linear maps.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(
            inputs[0], "TD", self.title, "Put Reshape or Embedding in between.", *sequence_remedies(inputs[0].spec)
        )
        expect_float(x, self.title)
        features = x.spec.dims[-1]
        if features % self.heads:
            fitting = [h for h in range(1, min(features, 64) + 1) if features % h == 0]
            raise ShapeError(
                f"Self-attention: {self.heads} heads do not divide {features} features. "
                f"Possible: {', '.join(map(str, fitting))}.",
                *(Remedy(fields=(("heads", h),)) for h in sorted(fitting, key=lambda h: abs(h - self.heads))[:3]),
            )
        attention = rec.layer(
            "MultiheadAttention",
            embed_dim=features,
            num_heads=self.heads,
            dropout=self.dropout,
            bias=self.bias,
            batch_first=True,
        )
        return attention(x, x, x, need_weights=False)[0].named(inputs[0].spec.axes)
