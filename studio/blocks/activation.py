"""Activations: what makes a network more than one large weighted sum."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Value, expect_float, registry


class _Activation(Block):
    group: ClassVar[str] = "Activation"
    layer_class: ClassVar[str]

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {}

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        return rec.layer(self.layer_class, **self.arguments())(x).named(x.spec.axes)


@registry.add
class ReLU(_Activation):
    """Negative numbers become zero: y = max(0, x). The usual choice: its gradient does not vanish.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "relu"
    title: ClassVar[str] = "ReLU"
    synonyms: ClassVar[tuple[str, ...]] = ("rectifier", "rectified linear", "nonlinearity")
    layer_class: ClassVar[str] = "ReLU"


@registry.add
class GELU(_Activation):
    """A smooth ReLU: y = x Φ(x), with Φ the normal distribution. Usual in transformers.

    Shape: in (N, *) out (N, *)
    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.
    """

    kind: ClassVar[str] = "gelu"
    title: ClassVar[str] = "GELU"
    synonyms: ClassVar[tuple[str, ...]] = ("gaussian error linear", "nonlinearity")
    layer_class: ClassVar[str] = "GELU"


@registry.add
class Sigmoid(_Activation):
    """Squeezes to between 0 and 1: y = 1 / (1 + exp(-x)). In deep networks its gradient vanishes.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "sigmoid"
    title: ClassVar[str] = "Sigmoid"
    synonyms: ClassVar[tuple[str, ...]] = ("logistic", "nonlinearity")
    layer_class: ClassVar[str] = "Sigmoid"


@registry.add
class Tanh(_Activation):
    """Squeezes to between -1 and 1: y = tanh(x).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "tanh"
    title: ClassVar[str] = "Tanh"
    synonyms: ClassVar[tuple[str, ...]] = ("hyperbolic tangent", "nonlinearity")
    layer_class: ClassVar[str] = "Tanh"


@registry.add
class Softmax(_Activation):
    """Makes scores into shares that sum to 1, over the last axis: y_i = exp(x_i) / Σ exp(x_j).

    Not needed before a classification Output: the loss contains it.

    Shape: in (N, *, D) out (N, *, D)
    """

    kind: ClassVar[str] = "softmax"
    title: ClassVar[str] = "Softmax"
    synonyms: ClassVar[tuple[str, ...]] = ("probabilities", "normalised exponential")
    layer_class: ClassVar[str] = "Softmax"

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"dim": -1}
