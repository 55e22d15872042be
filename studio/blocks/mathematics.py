"""Plain mathematics: number by number, or over one axis."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import ANY_AXIS, Block, Recorder, Remedy, ShapeError, Value, axis_index, expect_float, registry
from studio.fields import field

_AXIS_HELP = "1 is the first after the batch, -1 the last."


class _Function(Block):
    group: ClassVar[str] = "Math"
    stepwise: ClassVar[str] = ANY_AXIS

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        return self.compute(rec, x).named(x.spec.axes)

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        raise AssertionError(f"{type(self).__name__} computes nothing")


@registry.add
class Absolute(_Function):
    """The size of each number without its sign: y = |x|.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "absolute"
    title: ClassVar[str] = "Absolute value"
    synonyms: ClassVar[tuple[str, ...]] = ("abs", "magnitude")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        return rec.function("abs", x)


@registry.add
class Power(_Function):
    """Each number to a whole power: y = x^p.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "power"
    title: ClassVar[str] = "Power"
    synonyms: ClassVar[tuple[str, ...]] = ("square", "exponent", "pow")

    exponent: int = field(2, min=1, max=16, help="The power p.")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        return rec.function("pow", x, self.exponent)


@registry.add
class SquareRoot(_Function):
    """The square root of what is positive: y = sqrt(max(x, ε)). ε keeps the gradient finite.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "square_root"
    title: ClassVar[str] = "Square root"
    synonyms: ClassVar[tuple[str, ...]] = ("sqrt", "root")

    epsilon: float = field(1e-6, min=1e-12, max=1.0, help="The smallest number of which a root is taken.")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        return rec.function("sqrt", rec.function("clamp", x, min=self.epsilon))


@registry.add
class Exponential(_Function):
    """e to the power of each number: y = exp(x).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "exponential"
    title: ClassVar[str] = "Exponential"
    synonyms: ClassVar[tuple[str, ...]] = ("exp", "e")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        return rec.function("exp", x)


@registry.add
class Logarithm(_Function):
    """The natural logarithm of what is positive: y = ln(max(x, ε)).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "logarithm"
    title: ClassVar[str] = "Logarithm"
    synonyms: ClassVar[tuple[str, ...]] = ("log", "ln")

    epsilon: float = field(1e-6, min=1e-12, max=1.0, help="The smallest number of which a logarithm is taken.")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        return rec.function("log", rec.function("clamp", x, min=self.epsilon))


@registry.add
class Clamp(_Function):
    """Cuts off what is too small or too large: y = min(max(x, low), high).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "clamp"
    title: ClassVar[str] = "Clamp"
    synonyms: ClassVar[tuple[str, ...]] = ("clip", "limit")

    low: float = field(0.0, min=-1e6, max=1e6, help="The smallest number that comes out.")
    high: float = field(1.0, min=-1e6, max=1e6, help="The largest.")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        if self.low >= self.high:
            raise ShapeError(
                f"Clamp: the lowest number {self.low:g} must be below the highest {self.high:g}.",
                Remedy(fields=(("low", self.high), ("high", self.low))),
                Remedy(fields=(("low", 0.0), ("high", 1.0))),
            )
        return rec.function("clamp", x, min=self.low, max=self.high)


@registry.add
class Affine(_Function):
    """The same straight line for every number: y = scale · x + shift. Nothing is learned.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "affine"
    title: ClassVar[str] = "Scale and shift"
    synonyms: ClassVar[tuple[str, ...]] = ("constant", "multiply by", "add a constant", "rescale", "linear")

    scale: float = field(1.0, min=-1e6, max=1e6, help="What each number is multiplied by.")
    shift: float = field(0.0, min=-1e6, max=1e6, help="What is added then.")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, number by number."""
        return rec.function("add", rec.function("mul", x, self.scale), self.shift)


@registry.add
class Normalize(_Function):
    """Makes the numbers along an axis a vector of length 1: y = x / max(sqrt(Σ x²), ε).

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "normalize"
    title: ClassVar[str] = "Unit length"
    stepwise: ClassVar[str] = ""  # its axis may be that of the steps
    synonyms: ClassVar[tuple[str, ...]] = ("l2 normalize", "cosine", "unit vector")

    axis: int = field(-1, min=-8, max=8, help=_AXIS_HELP)
    epsilon: float = field(1e-12, min=1e-12, max=1.0, help="The smallest length that is divided by.")

    def compute(self, rec: Recorder, x: Value) -> Value:
        """The function, vector by vector."""
        axis = axis_index(self.axis, x.spec, self.title) + 1
        squares = rec.function("sum", rec.function("square", x), dim=axis, keepdim=True)
        length = rec.function("sqrt", rec.function("clamp", squares, min=self.epsilon**2))
        return rec.function("div", x, length)


class _Reduction(Block):
    group: ClassVar[str] = "Math"
    function: ClassVar[str]

    axis: int = field(-1, min=-8, max=8, help=_AXIS_HELP)
    keep: bool = field(False, help="Keep the axis, with size 1.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        index = axis_index(self.axis, x.spec, self.title)
        result = rec.function(self.function, x, dim=index + 1, keepdim=self.keep)
        if self.keep:
            return result.named(x.spec.axes)
        if len(x.spec.dims) == 1:
            raise ShapeError(
                f"{self.title}: nothing would be left of ({x.spec}) but one number without an axis. Keep the axis.",
                Remedy(fields=(("keep", True),)),
            )
        return result.named(x.spec.axes[:index] + x.spec.axes[index + 1 :])


@registry.add
class Mean(_Reduction):
    """The mean along an axis.

    Shape: in (N, *) out (N, *) without the axis, or with it and size 1
    """

    kind: ClassVar[str] = "mean"
    title: ClassVar[str] = "Mean over axis"
    synonyms: ClassVar[tuple[str, ...]] = ("average", "reduce")
    function: ClassVar[str] = "mean"


@registry.add
class Sum(_Reduction):
    """The sum along an axis.

    Shape: in (N, *) out (N, *) without the axis, or with it and size 1
    """

    kind: ClassVar[str] = "sum"
    title: ClassVar[str] = "Sum over axis"
    synonyms: ClassVar[tuple[str, ...]] = ("total", "reduce")
    function: ClassVar[str] = "sum"


@registry.add
class Largest(_Reduction):
    """The largest number along an axis.

    Shape: in (N, *) out (N, *) without the axis, or with it and size 1
    """

    kind: ClassVar[str] = "largest"
    title: ClassVar[str] = "Maximum over axis"
    synonyms: ClassVar[tuple[str, ...]] = ("max", "reduce")
    function: ClassVar[str] = "amax"


@registry.add
class Smallest(_Reduction):
    """The smallest number along an axis.

    Shape: in (N, *) out (N, *) without the axis, or with it and size 1
    """

    kind: ClassVar[str] = "smallest"
    title: ClassVar[str] = "Minimum over axis"
    synonyms: ClassVar[tuple[str, ...]] = ("min", "reduce")
    function: ClassVar[str] = "amin"
