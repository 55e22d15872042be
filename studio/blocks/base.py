"""What a block is, and the record it writes of its forward pass.

A block is one frozen dataclass. From it come the palette entry, the form, the file format, the shapes, the torch
module and the Python source. Declaring blocks imports no torch: a block speaks to a `Recorder` by names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from studio.fields import Declared, FieldValue
from studio.registry import Registry
from studio.tensors import TensorSpec

GROUPS = (
    "Input and output", "Dense", "Convolution", "Pooling", "Activation", "Normalization", "Regularization",
    "Sequence", "Attention", "Shape", "Resizing", "Merge", "Math", "Code",
)  # fmt: skip


@dataclass(frozen=True)
class Remedy:
    """One way to make a block fit.

    Args:
        insert: kind of a block to put before it; empty to change the block's own fields.
        fields: values of the inserted block's fields, or of those to change.
        input: number of the input, among those linked, before which to insert.
    """

    insert: str = ""
    fields: tuple[tuple[str, FieldValue], ...] = ()
    input: int = 0


class ShapeError(ValueError):
    """A block cannot take what is linked to it.

    Args:
        message: for people: what came, what is needed, what to do.
        remedies: what would help, the likeliest first. Each is tried before it is offered, so a guess is welcome.
    """

    def __init__(self, message: str, *remedies: Remedy) -> None:
        super().__init__(message)
        self.remedies = remedies


class Value(Protocol):
    """A tensor (or a tuple of tensors) in the record of a forward pass."""

    @property
    def spec(self) -> TensorSpec:
        """Its shape, axis letters and type."""
        ...

    @property
    def mask(self) -> Value | None:
        """Which steps are real (N, T), where the others only fill up; None if all are. Who asks for it heeds it."""
        ...

    def named(self, axes: str) -> Value:
        """The same tensor with these axis letters."""
        ...

    def masked(self, mask: Value | None, axis: int) -> Value:
        """The same tensor with a mask (N, T) for an axis, 1 for the first after the batch."""
        ...

    def __getitem__(self, index: int) -> Value:
        """One part of a tuple, or one entry along the first axis; recorded."""
        ...


class Recorder(Protocol):
    """Writes down which torch layers a block needs and how its forward pass uses them."""

    def layer(self, class_name: str, **arguments: Any) -> Callable[..., Value]:
        """A layer of `torch.nn` with these constructor arguments (constants); call it on values."""
        ...

    def parameter(self, size: tuple[int, ...], *, fill: float | None = None, std: float = 0.0) -> Value:
        """A learned tensor of this size, without a batch axis.

        Args:
            fill: what all of its numbers are at first; None to draw them.
            std: standard deviation of what is drawn, around 0.
        """
        ...

    def custom(self, code: str, class_name: str) -> Callable[..., Value]:
        """A layer that code declares; call it on values. This runs the code."""
        ...

    def backbone(self, network: str, node: str, weights: str) -> Callable[..., Value]:
        """A network of torchvision up to a node of its feature extraction; call it on images.

        Args:
            weights: torchvision's name of the learned weights that it begins with; empty for fresh ones.
        """
        ...

    def function(self, name: str, *args: Any, **kwargs: Any) -> Value:
        """Call a function of `torch`, such as "flatten", on values and constants."""
        ...


class Block(Declared):
    """Base of every block.

    A subclass declares its fields, sets the class attributes and writes `record`. Its docstring is its help page and
    has a line that starts with "Shape:".
    """

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    group: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]] = ("input",)  # names of the input ports
    outputs: ClassVar[tuple[str, ...]] = ("output",)  # names of the output ports
    many_inputs: ClassVar[bool] = False  # the last input port may be used any number of times
    # Where short samples are filled up, what it does to one step does not depend on the others: on which axes these may
    # be. "" if it does, or if it takes care of the mask itself.
    stepwise: ClassVar[str] = ""
    later: ClassVar[tuple[str, ...]] = ()  # fields younger than the files of projects: written only where not usual
    synonyms: ClassVar[tuple[str, ...]] = ()  # what else people call it, in lower case; searched for

    @property
    def barrier(self) -> str:
        """Why the block must not even be looked at now, in plain words; empty if it may."""
        return ""

    def record(self, rec: Recorder, *inputs: Any) -> Value | tuple[Value, ...]:
        """Write down the forward pass on `inputs`; return the output, or a tuple of one for each output port.

        Raises:
            ShapeError: if the inputs do not fit.
        """
        raise AssertionError(f"{type(self).__name__} has no forward pass")


ANY_AXIS, NOT_LAST_AXIS = "any axis", "not the last axis"  # what `Block.stepwise` may be
MAX_INPUTS = 64  # of a block that takes many

registry: Registry[Block] = Registry("block")


def expect(value: Value, axes: str, title: str, advice: str, *remedies: Remedy) -> Value:
    """Check that a value has the axes a block needs, and give it their letters.

    Args:
        value: what came.
        axes: the letters needed, without the batch axis; several kinds separated by "|".
        title: the block's title, for the message.
        advice: what to do otherwise, as a sentence.
        remedies: the same, to be done at once.

    Raises:
        ShapeError: if the number of axes is another.
    """
    for wanted in axes.split("|"):
        if len(wanted) == len(value.spec.dims):
            return value.named(wanted)
    needs = " or ".join(describe_axes(wanted) for wanted in axes.split("|"))
    raise ShapeError(f"{title} needs {needs}, but gets ({value.spec}). {advice}", *remedies)


def describe_axes(axes: str) -> str:
    """Axis letters in words: "CHW" is "an image (N, C, H, W)"."""
    nouns = {
        "CHW": "an image",
        "CZHW": "a volume",
        "TD": "a sequence",
        "CT": "a signal",
        "D": "a feature vector",
        "L": "tokens",
    }
    return f"{nouns.get(axes, 'a tensor')} ({', '.join('N' + axes)})"


def expect_float(value: Value, title: str) -> None:
    """Refuse whole numbers where real ones are needed. Raises ShapeError."""
    if value.spec.dtype != "float":
        raise ShapeError(
            f"{title} needs real numbers, but gets whole ones ({value.spec}). Put an Embedding in between.",
            Remedy("embedding"),
        )


def axis_index(axis: int, spec: TensorSpec, title: str) -> int:
    """The axis a person names, 1 for the first after the batch and -1 for the last, as an index of `spec.dims`.

    Raises:
        ShapeError: if the tensor has no such axis.
    """
    rank = len(spec.dims)
    if axis == 0 or not -rank <= axis <= rank:
        raise ShapeError(
            f"{title}: ({spec}) has no axis {axis}; use 1 to {rank}, or -1 for the last.",
            Remedy(fields=(("axis", -1),)),
        )
    return axis - 1 if axis > 0 else rank + axis


def sequence_remedies(spec: TensorSpec) -> tuple[Remedy, ...]:
    """How to make a sequence (N, T, D) of something else: rows of an image, token vectors, numbers one by one."""
    if spec.dtype == "int":
        return (Remedy("embedding"),)
    if len(spec.dims) == 3:
        channels, height, width = spec.dims
        return (Remedy("reshape", (("shape", (height, channels * width)),)),)
    return (Remedy("reshape", (("shape", (spec.numel, 1)),)),)
