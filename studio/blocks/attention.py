"""Attention: every step looks at every other."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from studio.blocks.base import (
    NOT_LAST_AXIS,
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

_CAUSAL_HELP = "Each step sees only itself and those before it, as when the next word is to be predicted."


def later_steps(rec: Recorder, x: Value) -> Value:
    """The mask (T, T) that is true where a step of x (N, T, D) would look at a later one."""
    steps = rec.function("ones_like", rec.function("select", rec.function("narrow", x, 0, 0, 1), 2, 0))  # 1, T
    pairs = rec.function("matmul", rec.function("transpose", steps, 0, 1), steps)
    return rec.function("gt", rec.function("triu", pairs, diagonal=1), 0)


@registry.add
class SelfAttention(Block):
    """Multi-head self-attention: each step of the sequence becomes a weighted mean of all steps.

    softmax(Q Kᵀ / sqrt(D / heads)) V in each head, with Q, K, V linear in the input, and a linear map at the end.
    It does not know the order of the steps: put Positional encoding before it. Causal, a step sees only those before it
    and itself.

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
    causal: bool = field(False, help=_CAUSAL_HELP)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = _sequence(inputs[0], self.title)
        features = x.spec.dims[-1]
        check_heads(self.title, self.heads, features)
        attention = rec.layer(
            "MultiheadAttention",
            embed_dim=features,
            num_heads=self.heads,
            dropout=self.dropout,
            bias=self.bias,
            batch_first=True,
        )
        mask = x.mask
        hidden = rec.function("logical_not", mask) if mask is not None else None
        if self.causal or mask is not None:
            later = later_steps(rec, x) if self.causal else None
            mixed = attention(x, x, x, hidden, False, later)[0]
        else:
            mixed = attention(x, x, x, need_weights=False)[0]
        return mixed.named(inputs[0].spec.axes).masked(mask, 1)


def check_heads(title: str, heads: int, features: int) -> None:
    """Raises ShapeError if the heads cannot share the features."""
    if features % heads:
        fitting = [h for h in range(1, min(features, 64) + 1) if features % h == 0]
        raise ShapeError(
            f"{title}: {heads} heads do not divide {features} features. Possible: {', '.join(map(str, fitting))}.",
            *(Remedy(fields=(("heads", h),)) for h in sorted(fitting, key=lambda h: abs(h - heads))[:3]),
        )


@registry.add
class CrossAttention(Block):
    """Multi-head attention of one sequence to another: each step becomes a weighted mean of the memory's steps.

    softmax(Q Kᵀ / sqrt(D / heads)) V in each head, with Q linear in the queries, K and V in the memory.

    Shape: in queries (N, T, D) and memory (N, S, M) out (N, T, D); heads must divide D
    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    kind: ClassVar[str] = "cross_attention"
    title: ClassVar[str] = "Cross-attention"
    group: ClassVar[str] = "Attention"
    synonyms: ClassVar[tuple[str, ...]] = ("multi-head attention", "encoder-decoder attention", "mha")
    inputs: ClassVar[tuple[str, ...]] = ("queries", "memory")

    heads: int = field(4, min=1, max=1_024, help="How many attentions side by side; they share the features.")
    dropout: float = field(0.0, min=0.0, max=0.99, help="Share of attention weights set to zero while training.")
    bias: bool = field(True, help="Add learned constants to the linear maps.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        queries, memory = (_sequence(value, self.title) for value in inputs)
        features, other = queries.spec.dims[-1], memory.spec.dims[-1]
        check_heads(self.title, self.heads, features)
        attention = rec.layer(
            "MultiheadAttention",
            embed_dim=features,
            num_heads=self.heads,
            dropout=self.dropout,
            bias=self.bias,
            kdim=other,
            vdim=other,
            batch_first=True,
        )
        mask = memory.mask
        if mask is not None:
            mixed = attention(queries, memory, memory, rec.function("logical_not", mask), False)[0]
        else:
            mixed = attention(queries, memory, memory, need_weights=False)[0]
        return mixed.named(inputs[0].spec.axes).masked(queries.mask, 1)


def _sequence(value: Value, title: str) -> Value:
    x = expect(value, "TD", title, "Put Reshape or Embedding in between.", *sequence_remedies(value.spec))
    expect_float(x, title)
    return x


class _TransformerLayer(Block):
    group: ClassVar[str] = "Attention"
    layer_class: ClassVar[str]

    heads: int = field(4, min=1, max=1_024, help="How many attentions side by side; they share the features.")
    hidden: int = field(256, min=1, max=1_000_000, help="Units between the two dense layers.")
    dropout: float = field(0.1, min=0.0, max=0.99, help="Share of numbers set to zero while training.")
    activation: str = field("relu", choices=("relu", "gelu"), help="Between the two dense layers.")
    norm_first: bool = field(False, help="Normalize before attention and dense layers, not after: trains more easily.")
    causal: bool = field(False, help=_CAUSAL_HELP)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        sequences = [_sequence(value, self.title) for value in inputs]
        features = sequences[0].spec.dims[-1]
        check_heads(self.title, self.heads, features)
        for other in sequences[1:]:
            if other.spec.dims[-1] != features:
                raise ShapeError(
                    f"{self.title}: both sequences need as many features, but get ({sequences[0].spec}) and "
                    f"({other.spec}). Put a Dense in between.",
                    Remedy("dense", (("units", features),), 1),
                )
        layer = rec.layer(
            self.layer_class,
            d_model=features,
            nhead=self.heads,
            dim_feedforward=self.hidden,
            dropout=self.dropout,
            activation=self.activation,
            batch_first=True,
            norm_first=self.norm_first,
        )
        later = later_steps(rec, sequences[0]) if self.causal else None
        hidden = [rec.function("logical_not", x.mask) if x.mask is not None else None for x in sequences]
        masks = self.masks(later, hidden)
        while masks and masks[-1] is None:
            masks = masks[:-1]
        return layer(*sequences, *masks).named(inputs[0].spec.axes).masked(sequences[0].mask, 1)

    def masks(self, later: Value | None, hidden: list[Value | None]) -> tuple[Value | None, ...]:
        """The layer's further arguments in its own order.

        Args:
            later: true (T, T) where a step would look at a later one; None if it may.
            hidden: for each sequence, true (N, T) where a step only fills up.
        """
        raise AssertionError(f"{type(self).__name__} does not say how it takes masks")


@registry.add
class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention, then two dense layers at every step, each with a residual connection and a layer norm.

    Repeat it for a stack. It does not know the order of the steps: put Positional encoding before the first. Causal, a
    step sees only those before it and itself.

    Shape: in (N, T, D) out (N, T, D); heads must divide D
    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    kind: ClassVar[str] = "transformer_encoder_layer"
    title: ClassVar[str] = "Transformer encoder layer"
    synonyms: ClassVar[tuple[str, ...]] = ("transformer", "encoder", "bert")
    layer_class: ClassVar[str] = "TransformerEncoderLayer"

    def masks(self, later: Value | None, hidden: list[Value | None]) -> tuple[Value | None, ...]:
        """src_mask, src_key_padding_mask."""
        return later, hidden[0]


@registry.add
class TransformerDecoderLayer(_TransformerLayer):
    """Self-attention, attention to a memory, then two dense layers, each with a residual connection and a layer norm.

    Causal, a step of the target sees only those before it and itself; of the memory it sees every step.

    Shape: in target (N, T, D) and memory (N, S, D) out (N, T, D); heads must divide D
    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    kind: ClassVar[str] = "transformer_decoder_layer"
    title: ClassVar[str] = "Transformer decoder layer"
    synonyms: ClassVar[tuple[str, ...]] = ("transformer", "decoder")
    inputs: ClassVar[tuple[str, ...]] = ("target", "memory")
    layer_class: ClassVar[str] = "TransformerDecoderLayer"

    def masks(self, later: Value | None, hidden: list[Value | None]) -> tuple[Value | None, ...]:
        """tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask."""
        return later, None, *hidden


@registry.add
class PositionalEncoding(Block):
    """Adds waves of many lengths to a sequence, so that what does not know the order of the steps can tell them apart.

    y_{t,2i} = x + sin(t / base^(2i/D)), y_{t,2i+1} = x + cos(t / base^(2i/D)). Nothing is learned.

    Shape: in (N, T, D) out (N, T, D)
    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    kind: ClassVar[str] = "positional_encoding"
    title: ClassVar[str] = "Positional encoding"
    group: ClassVar[str] = "Attention"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    synonyms: ClassVar[tuple[str, ...]] = ("sinusoidal", "position", "order", "transformer")

    base: float = field(10_000.0, min=2.0, max=1e9, help="The longest wave is so many times as long as the shortest.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = _sequence(inputs[0], self.title)
        # From x itself, so that it is made on x's device, and for one sample only.
        ones = rec.function("ones_like", rec.function("narrow", x, 0, 0, 1))
        time = rec.function("sub", rec.function("cumsum", ones, dim=1), 1)
        feature = rec.function("sub", rec.function("cumsum", ones, dim=2), 1)
        pair = rec.function("floor", rec.function("div", feature, 2))
        rate = rec.function("exp", rec.function("mul", pair, -2 * math.log(self.base) / x.spec.dims[-1]))
        odd = rec.function("sub", feature, rec.function("mul", pair, 2))
        angle = rec.function("add", rec.function("mul", time, rate), rec.function("mul", odd, math.pi / 2))
        return rec.function("add", x, rec.function("sin", angle)).named(inputs[0].spec.axes)


@registry.add
class PositionEmbedding(Block):
    """Adds a learned vector for each position to a sequence, so that the order of its steps can be told.

    Shape: in (N, T, D) out (N, T, D), T at most the number of positions
    Source: Gehring et al., "Convolutional sequence to sequence learning", 2017.
    """

    kind: ClassVar[str] = "position_embedding"
    title: ClassVar[str] = "Position embedding"
    group: ClassVar[str] = "Attention"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    synonyms: ClassVar[tuple[str, ...]] = ("learned positions", "positional embedding", "order", "transformer")

    positions: int = field(0, min=0, max=1_000_000, special="as many as come", help="How many positions are learned.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = _sequence(inputs[0], self.title)
        steps, features = x.spec.dims
        if 0 < self.positions < steps:
            raise ShapeError(
                f"Position embedding: {steps} steps come, but only {self.positions} positions are learned.",
                Remedy(fields=(("positions", steps),)),
            )
        one = rec.function("select", rec.function("narrow", x, 0, 0, 1), 2, 0)  # 1, T
        counted = rec.function("cumsum", rec.function("ones_like", one), dim=1)
        numbers = rec.function("argsort", counted, dim=1)  # 0, 1, 2, ... as whole numbers, on x's device
        table = rec.layer("Embedding", num_embeddings=self.positions or steps, embedding_dim=features)
        return rec.function("add", x, table(numbers)).named(inputs[0].spec.axes)


@registry.add
class RotaryPositions(Block):
    """Turns pairs of features by angles that grow with the position.

    A product of queries and keys then depends on how far apart two steps are, wherever they stand. With features i and
    j = i + d/2 of each head as a pair and the angle a = t / base^(2i/d): y_i = x_i cos a - x_j sin a,
    y_j = x_j cos a + x_i sin a. Put one on the queries and one on the keys of Dot-product attention.

    Shape: in (N, T, D) out (N, T, D); D divided by the heads must be even
    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.
    """

    kind: ClassVar[str] = "rotary_positions"
    title: ClassVar[str] = "Rotary positions"
    group: ClassVar[str] = "Attention"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    synonyms: ClassVar[tuple[str, ...]] = ("rope", "rotary embedding", "position", "order", "transformer")

    heads: int = field(4, min=1, max=1_024, help="Heads of the attention that follows.")
    base: float = field(10_000.0, min=2.0, max=1e9, help="The longest wave is so many times as long as the shortest.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = _sequence(inputs[0], self.title)
        steps, features = x.spec.dims
        check_heads(self.title, self.heads, features)
        size = features // self.heads
        if size % 2:
            raise ShapeError(
                f"Rotary positions: {features} features make {self.heads} heads of {size}, an odd number. "
                "Use fewer heads, or more features.",
                *(Remedy(fields=(("heads", h),)) for h in (self.heads // 2, 1) if h and features % (2 * h) == 0),
            )
        first, second = (
            rec.function("narrow", rec.function("reshape", x, (-1, steps, self.heads, size)), 3, start, size // 2)
            for start in (0, size // 2)
        )
        angle = self._angles(rec, first, size)
        cosine, sine = rec.function("cos", angle), rec.function("sin", angle)
        turned = (
            rec.function("sub", rec.function("mul", first, cosine), rec.function("mul", second, sine)),
            rec.function("add", rec.function("mul", second, cosine), rec.function("mul", first, sine)),
        )
        whole = rec.function("cat", turned, dim=3)
        return rec.function("reshape", whole, (-1, steps, features)).named(inputs[0].spec.axes)

    def _angles(self, rec: Recorder, like: Value, size: int) -> Value:
        """(1, T, 1, size / 2), on the device of what is turned (N, T, heads, size / 2)."""
        one = rec.function("narrow", rec.function("narrow", like, 0, 0, 1), 2, 0, 1)
        ones = rec.function("ones_like", one)
        time = rec.function("sub", rec.function("cumsum", ones, dim=1), 1)
        pair = rec.function("sub", rec.function("cumsum", ones, dim=3), 1)
        rate = rec.function("exp", rec.function("mul", pair, -2 * math.log(self.base) / size))
        return rec.function("mul", time, rate)


@registry.add
class DotProductAttention(Block):
    """Attention without weights of its own: softmax(Q Kᵀ / sqrt(D / heads)) V in each head.

    What multi-head attention does between its linear maps; bring queries, keys and values from a Dense each.

    Shape: in queries (N, T, D), keys (N, S, D) and values (N, S, E) out (N, T, E); heads must divide D and E
    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    kind: ClassVar[str] = "dot_product_attention"
    title: ClassVar[str] = "Dot-product attention"
    group: ClassVar[str] = "Attention"
    synonyms: ClassVar[tuple[str, ...]] = ("scaled dot product", "qkv", "mha", "transformer")
    inputs: ClassVar[tuple[str, ...]] = ("queries", "keys", "values")

    heads: int = field(4, min=1, max=1_024, help="How many attentions side by side; they share the features.")
    dropout: float = field(0.0, min=0.0, max=0.99, help="Share of attention weights set to zero while training.")
    causal: bool = field(False, help=_CAUSAL_HELP)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        queries, keys, values = (_sequence(value, self.title) for value in inputs)
        self._check(queries, keys, values)
        turned = rec.function("transpose", self._heads(rec, keys), 2, 3)
        scores = rec.function("matmul", self._heads(rec, queries), turned)  # N, heads, T, S
        scores = rec.function("mul", scores, (queries.spec.dims[1] // self.heads) ** -0.5)
        if self.causal:
            scores = rec.function("masked_fill", scores, later_steps(rec, queries), -math.inf)
        if (mask := keys.mask) is not None:
            hidden = rec.function("reshape", rec.function("logical_not", mask), (-1, 1, 1, keys.spec.dims[0]))
            scores = rec.function("masked_fill", scores, hidden, -math.inf)
        weights = rec.layer("Dropout", p=self.dropout)(rec.function("softmax", scores, -1))
        mixed = rec.function("transpose", rec.function("matmul", weights, self._heads(rec, values)), 1, 2)
        steps, features = queries.spec.dims[0], values.spec.dims[1]
        result = rec.function("reshape", mixed, (-1, steps, features)).named(inputs[0].spec.axes)
        return result.masked(queries.mask, 1)

    def _heads(self, rec: Recorder, x: Value) -> Value:
        """(N, T, D) as (N, heads, T, D / heads)."""
        steps, features = x.spec.dims
        parts = rec.function("reshape", x, (-1, steps, self.heads, features // self.heads))
        return rec.function("transpose", parts, 1, 2)

    def _check(self, queries: Value, keys: Value, values: Value) -> None:
        check_heads(self.title, self.heads, queries.spec.dims[1])
        check_heads(self.title, self.heads, values.spec.dims[1])
        if keys.spec.dims[1] != queries.spec.dims[1]:
            raise ShapeError(
                f"{self.title}: queries ({queries.spec}) and keys ({keys.spec}) need as many features.",
                Remedy("dense", (("units", queries.spec.dims[1]),), 1),
            )
        if keys.spec.dims[0] != values.spec.dims[0]:
            raise ShapeError(f"{self.title}: keys ({keys.spec}) and values ({values.spec}) need as many steps.")
        if self.causal and keys.spec.dims[0] != queries.spec.dims[0]:
            raise ShapeError(
                f"{self.title}: causal, queries ({queries.spec}) and keys ({keys.spec}) need as many steps.",
                Remedy(fields=(("causal", False),)),
            )
