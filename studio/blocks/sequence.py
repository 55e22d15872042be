"""Sequences: token embeddings and recurrent layers."""

from __future__ import annotations

from collections.abc import Callable
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
from studio.blocks.masking import backwards, last_step, real_steps
from studio.fields import field


@registry.add
class Embedding(Block):
    """A table of learned vectors: token number i is replaced by row i.

    Short texts are filled up with token 0 to the length of the others. With padding, these steps are left out by
    recurrent layers, attention, convolutions over time and global pooling: a text gives the same however far it is
    filled up.

    Shape: in (N, L) whole numbers out (N, L, D)
    """

    kind: ClassVar[str] = "embedding"
    title: ClassVar[str] = "Embedding"
    group: ClassVar[str] = "Sequence"
    synonyms: ClassVar[tuple[str, ...]] = ("lookup", "word vectors", "tokens")

    vocabulary: int = field(10_000, min=1, max=10_000_000, help="How many different tokens there are.")
    features: int = field(64, min=1, max=65_536, help="Length of each token's vector.")
    padding: bool = field(False, help="Token 0 only fills up: its vector stays zero, and what follows leaves it out.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "L", self.title, "Give it token numbers, from an Input whose values are tokens.")
        if x.spec.dtype != "int":
            raise ShapeError(
                f"Embedding needs token numbers, but gets real ones ({x.spec}). "
                "Set the Input's values to “tokens”, or use Dense for real numbers."
            )
        unlearned = {"padding_idx": 0} if self.padding else {}
        table = rec.layer("Embedding", num_embeddings=self.vocabulary, embedding_dim=self.features, **unlearned)
        vectors = table(x).named("LD")
        return vectors.masked(real_steps(rec, x), 1) if self.padding else vectors


class _Recurrent(Block):
    group: ClassVar[str] = "Sequence"
    layer_class: ClassVar[str]

    units: int = field(64, min=1, max=65_536, help="Size of the state.")
    layers: int = field(1, min=1, max=32, help="Layers on top of each other.")
    bidirectional: bool = field(False, help="Read backwards too and join both states.")
    dropout: float = field(0.0, min=0.0, max=0.99, help="Between layers; needs at least two.")
    output: str = field("last state", choices=("last state", "sequence"), help="The final state, or that of each step.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(
            inputs[0], "TD", self.title, "Put Reshape or Embedding in between.", *sequence_remedies(inputs[0].spec)
        )
        expect_float(x, self.title)
        if self.dropout and self.layers < 2:
            raise ShapeError(
                f"{self.title}: dropout acts between layers. Use two layers or more, or a Dropout block.",
                Remedy(fields=(("layers", 2),)),
                Remedy(fields=(("dropout", 0.0),)),
            )
        mask = x.mask
        if mask is not None:
            return self._of_real_steps(rec, x, mask)
        result = self._layer(rec, x.spec.dims[-1], self.layers, self.bidirectional)(x)
        if self.output == "sequence":
            return result[0].named(inputs[0].spec.axes)
        state = self.final_state(result)
        if self.bidirectional:
            return rec.function("cat", (state[-2], state[-1]), dim=1).named("D")
        return state[-1].named("D")

    def _layer(self, rec: Recorder, features: int, layers: int, bidirectional: bool) -> Callable[..., Value]:
        return rec.layer(
            self.layer_class,
            input_size=features,
            hidden_size=self.units,
            num_layers=layers,
            batch_first=True,
            dropout=self.dropout if layers > 1 else 0.0,
            bidirectional=bidirectional,
            **self.arguments(),
        )

    def _of_real_steps(self, rec: Recorder, x: Value, mask: Value) -> Value:
        """The same where some steps only fill up, at the end."""
        axes, last = x.spec.axes, self.output == "last state"
        if not self.bidirectional:
            states = self._layer(rec, x.spec.dims[-1], self.layers, False)(x)[0]
            return last_step(rec, states, mask).named("D") if last else states.named(axes).masked(mask, 1)
        for number in range(self.layers):
            # A layer for each direction: the one that reads backwards begins at the last real step.
            if number and self.dropout:
                x = rec.layer("Dropout", p=self.dropout)(x)
            features = x.spec.dims[-1]
            ahead = self._layer(rec, features, 1, False)(x)[0]
            behind = self._layer(rec, features, 1, False)(backwards(rec, x, mask))[0]
            if last and number == self.layers - 1:
                ends = (last_step(rec, ahead, mask), last_step(rec, behind, mask))
                return rec.function("cat", ends, dim=1).named("D")
            x = rec.function("cat", (ahead, backwards(rec, behind, mask)), dim=2).named(axes)
        return x.masked(mask, 1)

    def arguments(self) -> dict[str, Any]:
        """Further constructor arguments of the layer."""
        return {}

    def final_state(self, result: Value) -> Value:
        """The state after the last step, (layers, N, units), from what the layer returns."""
        return result[1]


@registry.add
class RNN(_Recurrent):
    """The simplest recurrent layer: reads a sequence step by step and keeps a state, h' = tanh(W x + U h + b).

    Over many steps its gradient vanishes or explodes; GRU and LSTM were made against that.

    Shape: in (N, T, D) out (N, units), or (N, T, units) as a sequence; twice the units when bidirectional
    Source: Elman, "Finding structure in time", 1990.
    """

    kind: ClassVar[str] = "rnn"
    title: ClassVar[str] = "RNN"
    synonyms: ClassVar[tuple[str, ...]] = ("recurrent", "elman", "vanilla rnn", "simple rnn")
    layer_class: ClassVar[str] = "RNN"

    nonlinearity: str = field("tanh", choices=("tanh", "relu"), help="What the state passes in every step.")

    def arguments(self) -> dict[str, Any]:
        """Further constructor arguments of the layer."""
        return {"nonlinearity": self.nonlinearity}


@registry.add
class GRU(_Recurrent):
    """Gated recurrent unit: reads a sequence step by step and keeps a state, with an update and a reset gate.

    z = σ(W_z x + U_z h), r = σ(W_r x + U_r h), n = tanh(W_n x + r (U_n h)), h' = (1 - z) n + z h.

    Shape: in (N, T, D) out (N, units), or (N, T, units) as a sequence; twice the units when bidirectional
    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.
    """

    kind: ClassVar[str] = "gru"
    title: ClassVar[str] = "GRU"
    synonyms: ClassVar[tuple[str, ...]] = ("recurrent", "rnn")
    layer_class: ClassVar[str] = "GRU"


@registry.add
class LSTM(_Recurrent):
    """Long short-term memory: reads a sequence step by step and keeps a state and a memory cell with three gates.

    i, f, o = σ(W x + U h), g = tanh(W_g x + U_g h), c' = f c + i g, h' = o tanh(c').

    Shape: in (N, T, D) out (N, units), or (N, T, units) as a sequence; twice the units when bidirectional
    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997.
    """

    kind: ClassVar[str] = "lstm"
    title: ClassVar[str] = "LSTM"
    synonyms: ClassVar[tuple[str, ...]] = ("recurrent", "rnn", "memory")
    layer_class: ClassVar[str] = "LSTM"

    def final_state(self, result: Value) -> Value:
        """The state after the last step, (layers, N, units); the layer returns it beside the memory cell."""
        return result[1][0]
