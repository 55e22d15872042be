"""Activations: what makes a network more than one large weighted sum."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import (
    ANY_AXIS,
    NOT_LAST_AXIS,
    Block,
    Recorder,
    Remedy,
    ShapeError,
    Value,
    expect_float,
    registry,
)
from studio.fields import field


class _Activation(Block):
    group: ClassVar[str] = "Activation"
    stepwise: ClassVar[str] = ANY_AXIS
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
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    synonyms: ClassVar[tuple[str, ...]] = ("probabilities", "normalised exponential")
    layer_class: ClassVar[str] = "Softmax"

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"dim": -1}


@registry.add
class LeakyReLU(_Activation):
    """A ReLU that lets a little of what is negative through: y = x for x > 0, else slope · x. No unit can die.

    Shape: in (N, *) out (N, *)
    Source: Maas et al., "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """

    kind: ClassVar[str] = "leaky_relu"
    title: ClassVar[str] = "Leaky ReLU"
    synonyms: ClassVar[tuple[str, ...]] = ("lrelu", "nonlinearity")
    layer_class: ClassVar[str] = "LeakyReLU"

    slope: float = field(0.01, min=0.0, max=1.0, help="Factor of negative numbers.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"negative_slope": self.slope}


@registry.add
class PReLU(_Activation):
    """A leaky ReLU whose slope is learned: y = x for x > 0, else a · x.

    Shape: in (N, *) out (N, *)
    Source: He et al., "Delving deep into rectifiers", 2015.
    """

    kind: ClassVar[str] = "prelu"
    title: ClassVar[str] = "PReLU"
    synonyms: ClassVar[tuple[str, ...]] = ("parametric relu", "nonlinearity")
    layer_class: ClassVar[str] = "PReLU"

    per_channel: bool = field(False, help="A slope for each channel, or feature of a vector, instead of one for all.")
    slope: float = field(0.25, min=0.0, max=1.0, help="Factor of negative numbers at first.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        slopes = x.spec.dims[0] if self.per_channel else 1
        return rec.layer("PReLU", num_parameters=slopes, init=self.slope)(x).named(x.spec.axes)


@registry.add
class ELU(_Activation):
    """Smooth below zero: y = x for x > 0, else α (exp(x) - 1).

    Shape: in (N, *) out (N, *)
    Source: Clevert et al., "Fast and accurate deep network learning by exponential linear units", 2016.
    """

    kind: ClassVar[str] = "elu"
    title: ClassVar[str] = "ELU"
    synonyms: ClassVar[tuple[str, ...]] = ("exponential linear", "nonlinearity")
    layer_class: ClassVar[str] = "ELU"

    alpha: float = field(1.0, min=0.01, max=10.0, help="What very negative numbers come to, times -1.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"alpha": self.alpha}


@registry.add
class SELU(_Activation):
    """A scaled ELU that keeps mean 0 and variance 1 through many dense layers, with Alpha dropout.

    Shape: in (N, *) out (N, *)
    Source: Klambauer et al., "Self-normalizing neural networks", 2017.
    """

    kind: ClassVar[str] = "selu"
    title: ClassVar[str] = "SELU"
    synonyms: ClassVar[tuple[str, ...]] = ("self-normalizing", "nonlinearity")
    layer_class: ClassVar[str] = "SELU"


@registry.add
class CELU(_Activation):
    """An ELU whose slope is continuous for every α: y = max(0, x) + min(0, α (exp(x / α) - 1)).

    Shape: in (N, *) out (N, *)
    Source: Barron, "Continuously differentiable exponential linear units", 2017.
    """

    kind: ClassVar[str] = "celu"
    title: ClassVar[str] = "CELU"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "CELU"

    alpha: float = field(1.0, min=0.01, max=10.0, help="What very negative numbers come to, times -1.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"alpha": self.alpha}


@registry.add
class SiLU(_Activation):
    """A smooth ReLU: y = x σ(x), also called Swish.

    Shape: in (N, *) out (N, *)
    Source: Elfwing et al., "Sigmoid-weighted linear units", 2018.
    """

    kind: ClassVar[str] = "silu"
    title: ClassVar[str] = "SiLU"
    synonyms: ClassVar[tuple[str, ...]] = ("swish", "nonlinearity")
    layer_class: ClassVar[str] = "SiLU"


@registry.add
class Mish(_Activation):
    """A smooth ReLU: y = x tanh(ln(1 + exp(x))).

    Shape: in (N, *) out (N, *)
    Source: Misra, "Mish", 2019.
    """

    kind: ClassVar[str] = "mish"
    title: ClassVar[str] = "Mish"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "Mish"


@registry.add
class ReLU6(_Activation):
    """A ReLU that ends at six: y = min(max(0, x), 6). Usual where numbers are stored in few bits.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "relu6"
    title: ClassVar[str] = "ReLU6"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "ReLU6"


@registry.add
class Softplus(_Activation):
    """A smooth ReLU, always positive: y = ln(1 + exp(β x)) / β.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "softplus"
    title: ClassVar[str] = "Softplus"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "Softplus"

    beta: float = field(1.0, min=0.01, max=100.0, help="The larger, the nearer to a ReLU.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"beta": self.beta}


@registry.add
class Softsign(_Activation):
    """Squeezes to between -1 and 1, more slowly than tanh: y = x / (1 + |x|).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "softsign"
    title: ClassVar[str] = "Softsign"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "Softsign"


@registry.add
class Hardtanh(_Activation):
    """Cuts off what is too small or too large: y = min(max(x, low), high).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "hardtanh"
    title: ClassVar[str] = "Hard tanh"
    synonyms: ClassVar[tuple[str, ...]] = ("clip", "nonlinearity")
    layer_class: ClassVar[str] = "Hardtanh"

    low: float = field(-1.0, min=-1_000.0, max=1_000.0, help="The smallest number that comes out.")
    high: float = field(1.0, min=-1_000.0, max=1_000.0, help="The largest; more than the smallest.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        if self.low >= self.high:
            raise ShapeError(
                f"Hard tanh: the lowest number {self.low:g} must be below the highest {self.high:g}.",
                Remedy(fields=(("low", self.high), ("high", self.low))),
                Remedy(fields=(("low", -1.0), ("high", 1.0))),
            )
        return rec.layer("Hardtanh", min_val=self.low, max_val=self.high)(x).named(x.spec.axes)


@registry.add
class Hardsigmoid(_Activation):
    """A sigmoid of three straight lines: y = min(max(0, x / 6 + 1 / 2), 1).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "hardsigmoid"
    title: ClassVar[str] = "Hard sigmoid"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "Hardsigmoid"


@registry.add
class Hardswish(_Activation):
    """A SiLU of simple pieces: y = x · min(max(0, x + 3), 6) / 6.

    Shape: in (N, *) out (N, *)
    Source: Howard et al., "Searching for MobileNetV3", 2019.
    """

    kind: ClassVar[str] = "hardswish"
    title: ClassVar[str] = "Hard swish"
    synonyms: ClassVar[tuple[str, ...]] = ("hard silu", "nonlinearity")
    layer_class: ClassVar[str] = "Hardswish"


@registry.add
class LogSigmoid(_Activation):
    """The logarithm of a sigmoid: y = -ln(1 + exp(-x)).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "log_sigmoid"
    title: ClassVar[str] = "Log sigmoid"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "LogSigmoid"


@registry.add
class Softshrink(_Activation):
    """Draws numbers towards zero by λ, and to zero what is nearer: y = x - λ, x + λ, or 0.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "softshrink"
    title: ClassVar[str] = "Soft shrink"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "Softshrink"

    threshold: float = field(0.5, min=0.0, max=100.0, help="By how much, λ.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"lambd": self.threshold}


@registry.add
class Hardshrink(_Activation):
    """Sets to zero what is nearer to zero than λ: y = x if |x| > λ, else 0.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "hardshrink"
    title: ClassVar[str] = "Hard shrink"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "Hardshrink"

    threshold: float = field(0.5, min=0.0, max=100.0, help="How near, λ.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"lambd": self.threshold}


@registry.add
class Tanhshrink(_Activation):
    """What tanh takes away: y = x - tanh(x).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "tanhshrink"
    title: ClassVar[str] = "Tanh shrink"
    synonyms: ClassVar[tuple[str, ...]] = ("nonlinearity",)
    layer_class: ClassVar[str] = "Tanhshrink"


@registry.add
class Threshold(_Activation):
    """Another number for all that is not above a threshold: y = x if x > threshold, else value.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "threshold"
    title: ClassVar[str] = "Threshold"
    synonyms: ClassVar[tuple[str, ...]] = ("step", "nonlinearity")
    layer_class: ClassVar[str] = "Threshold"

    threshold: float = field(0.0, min=-1_000.0, max=1_000.0, help="What must be exceeded.")
    value: float = field(0.0, min=-1_000.0, max=1_000.0, help="What takes the place of the rest.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"threshold": self.threshold, "value": self.value}


@registry.add
class LogSoftmax(_Activation):
    """The logarithm of a softmax over the last axis: y_i = x_i - ln Σ exp(x_j).

    Shape: in (N, *, D) out (N, *, D)
    """

    kind: ClassVar[str] = "log_softmax"
    title: ClassVar[str] = "Log softmax"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    synonyms: ClassVar[tuple[str, ...]] = ("log probabilities",)
    layer_class: ClassVar[str] = "LogSoftmax"

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the layer."""
        return {"dim": -1}


@registry.add
class GLU(_Activation):
    """One half of the channels (or features) opens and closes the other: y = a σ(b).

    Shape: in (N, C, *) out (N, C / 2, *) for images and signals; in (N, *, D) out (N, *, D / 2) for others
    Source: Dauphin et al., "Language modeling with gated convolutional networks", 2017.
    """

    kind: ClassVar[str] = "glu"
    title: ClassVar[str] = "GLU"
    synonyms: ClassVar[tuple[str, ...]] = ("gated linear unit", "gate", "nonlinearity")
    layer_class: ClassVar[str] = "GLU"

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        axis = 1 if x.spec.axes.startswith("C") else len(x.spec.dims)
        size = x.spec.dims[axis - 1]
        if size % 2:
            raise ShapeError(f"GLU halves {size} {x.spec.axes[axis - 1]} of ({x.spec}): their number must be even.")
        return rec.layer("GLU", dim=axis)(x).named(x.spec.axes)
