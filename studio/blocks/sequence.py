"""Sequences: token embeddings and recurrent layers."""

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
class Embedding(Block):
    """A table of learned vectors: token number i is replaced by row i.

    Shape: in (N, L) whole numbers out (N, L, D)
    """

    kind: ClassVar[str] = "embedding"
    title: ClassVar[str] = "Embedding"
    group: ClassVar[str] = "Sequence"
    synonyms: ClassVar[tuple[str, ...]] = ("lookup", "word vectors", "tokens")

    vocabulary: int = field(10_000, min=1, max=10_000_000, help="How many different tokens there are.")
    features: int = field(64, min=1, max=65_536, help="Length of each token's vector.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "L", self.title, "Give it token numbers, from an Input whose values are tokens.")
        if x.spec.dtype != "int":
            raise ShapeError(
                f"Embedding needs token numbers, but gets real ones ({x.spec}). "
                "Set the Input's values to “tokens”, or use Dense for real numbers."
            )
        table = rec.layer("Embedding", num_embeddings=self.vocabulary, embedding_dim=self.features)
        return table(x).named("LD")


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
        recurrent = rec.layer(
            self.layer_class,
            input_size=x.spec.dims[-1],
            hidden_size=self.units,
            num_layers=self.layers,
            batch_first=True,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
            **self.arguments(),
        )
        result = recurrent(x)
        if self.output == "sequence":
            return result[0].named(inputs[0].spec.axes)
        state = self.final_state(result)
        if self.bidirectional:
            return rec.function("cat", (state[-2], state[-1]), dim=1).named("D")
        return state[-1].named("D")

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
