"""Functions and methods of tensors as blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor
from torch.nn import functional

from studio.blocks import Block
from studio.importing.assemble import Source
from studio.importing.modules import block, one_number
from studio.importing.tracing import BatchSize
from studio.tensors import TensorSpec


class Parameter:
    """A learned tensor that a step reads.

    Args:
        name: its path in the module.
    """

    def __init__(self, name: str, value: Tensor) -> None:
        self.name = name
        self.value = value


@dataclass(frozen=True)
class LastState:
    """The last states of a recurrent layer's layers, (layers, N, D); only that of the last layer can be taken."""

    source: Source
    layers: int


class Writer(Protocol):
    """Where a step puts its blocks."""

    def put(self, made: Block, *sources: Source, weights: dict[str, Tensor] | None = None) -> tuple[Source, ...]:
        """Add a block at the step's place; gives its outputs."""
        ...

    def spec(self, source: Source) -> TensorSpec:
        """What a source gives."""
        ...


# From the arguments of a call to what it gives: a Source, a tuple of them, or None if no block does that.
Handler = Callable[..., Any]


def _axis(dim: int, spec: TensorSpec) -> int:
    """An axis as the blocks count: 1 for the first after the batch. 0 if it is the batch itself."""
    return dim if dim >= 0 else dim + len(spec.dims) + 1


def _pairwise(kind: str, constant: Callable[[float], dict[str, float]] | None) -> Handler:
    def handle(writer: Writer, first: Any, second: Any, *, alpha: Any = 1, out: Any = None) -> Any:
        if alpha != 1 or out is not None:
            return None
        if isinstance(first, Source) and isinstance(second, Source):
            return writer.put(block(kind), first, second)[0]
        if kind in ("add", "multiply") and not isinstance(first, Source):
            first, second = second, first
        if not isinstance(first, Source):
            return None
        if isinstance(second, Parameter):
            return _with_parameter(writer, kind, first, second)
        if constant is not None and isinstance(second, int | float):
            return writer.put(block("affine", **constant(float(second))), first)[0]
        return None

    return handle


def _with_parameter(writer: Writer, kind: str, source: Source, parameter: Parameter) -> Any:
    """A factor for each channel; or a tensor of the samples' size, or of one sample more."""
    dims, shape = writer.spec(source).dims, tuple(parameter.value.shape)
    if kind == "multiply" and shape and shape[1:] == (1,) * (len(shape) - 1) and len(shape) <= len(dims):
        axis = len(dims) - len(shape) + 1
        if dims[axis - 1] == shape[0]:
            return writer.put(block("learned_scale", axis=axis), source, weights={"": parameter.value})[0]
    if shape in (dims, (1, *dims)) and kind in ("add", "multiply"):
        learned = block("learned_tensor", shape=dims)
        (tensor,) = writer.put(learned, source, weights={"": parameter.value.reshape(dims)})
        return writer.put(block(kind), source, tensor)[0]
    return None


def _divide(writer: Writer, first: Any, second: Any) -> Any:
    if isinstance(first, Source) and isinstance(second, int | float):
        (divisor,) = writer.put(
            block("constant", shape=(1,) * len(writer.spec(first).dims), value=float(second)), first
        )  # a product with the reciprocal would differ in the last digit
        return writer.put(block("divide"), first, divisor)[0]
    return writer.put(block("divide"), first, second)[0] if isinstance(second, Source) else None


def _joined(kind: str) -> Handler:
    def handle(writer: Writer, tensors: Any, dim: int = 0) -> Any:
        if not all(isinstance(tensor, Source) for tensor in tensors):
            return None
        if len(tensors) == 1 and kind == "concatenate":
            return tensors[0]
        rank = len(writer.spec(tensors[0]).dims) + (kind == "stack")
        axis = dim if dim >= 0 else dim + rank + 1
        return writer.put(block(kind, axis=axis), *tensors)[0] if axis > 0 else None

    return handle


def _activation(kind: str, **names: str) -> Handler:
    """An activation; `names` are the function's arguments that are fields of the block, in their order."""

    def handle(writer: Writer, x: Source, *args: Any, inplace: bool = False, **given: Any) -> Any:
        given |= dict(zip(names, args, strict=False))
        if set(given) - set(names):
            return None
        return writer.put(block(kind, **{names[key]: value for key, value in given.items()}), x)[0]

    return handle


def _gelu(writer: Writer, x: Source, approximate: str = "none") -> Any:
    return writer.put(block("gelu"), x)[0] if approximate == "none" else None


def _softmax(kind: str) -> Handler:
    def handle(writer: Writer, x: Source, dim: Any = None, **_: Any) -> Any:
        last = len(writer.spec(x).dims)
        return writer.put(block(kind), x)[0] if dim is not None and _axis(dim, writer.spec(x)) == last else None

    return handle


def _dropout(writer: Writer, x: Source, p: float = 0.5, *_: Any, **__: Any) -> Any:
    return writer.put(block("dropout", rate=p), x)[0] if p else x


def _stochastic_depth(writer: Writer, x: Source, p: float, mode: str, *_: Any, **__: Any) -> Any:
    return writer.put(block("stochastic_depth", rate=p), x)[0] if mode == "row" else None


def _flatten(writer: Writer, x: Source, start_dim: int = 0, end_dim: int = -1) -> Any:
    rank = len(writer.spec(x).dims)
    start, end = _axis(start_dim, writer.spec(x)), _axis(end_dim, writer.spec(x))
    if start == 0:
        return None
    if (start, end) == (1, rank):
        return writer.put(block("flatten"), x)[0]
    dims = writer.spec(x).dims
    return _reshaped(writer, x, (*dims[: start - 1], -1, *dims[end:]))


def _reshape(writer: Writer, x: Source, *shape: Any) -> Any:
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    batch, *rest = sizes
    if not all(isinstance(size, int) for size in rest) or not (isinstance(batch, BatchSize) or batch == -1):
        return None
    numel, known = writer.spec(x).numel, 1
    for size in rest:
        known *= abs(size)
    if batch == -1 and (-1 in rest or known != numel):
        return None  # it would mix the samples
    return _reshaped(writer, x, tuple(rest))


def _reshaped(writer: Writer, x: Source, dims: tuple[int, ...]) -> Source:
    return writer.put(block("flatten") if len(dims) == 1 else block("reshape", shape=dims), x)[0]


def _permute(writer: Writer, x: Source, *dims: Any) -> Any:
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], tuple | list) else dims
    axes = tuple(_axis(dim, writer.spec(x)) for dim in order)
    return writer.put(block("permute", order=axes[1:]), x)[0] if axes[0] == 0 else None


def _transpose(writer: Writer, x: Source, dim0: int, dim1: int) -> Any:
    first, second = _axis(dim0, writer.spec(x)), _axis(dim1, writer.spec(x))
    return writer.put(block("transpose", first=first, second=second), x)[0] if first and second else None


def _squeeze(writer: Writer, x: Source, dim: Any = None) -> Any:
    axis = _axis(dim, writer.spec(x)) if isinstance(dim, int) else 0
    return writer.put(block("squeeze", axis=axis), x)[0] if axis else None


def _unsqueeze(writer: Writer, x: Source, dim: int) -> Any:
    axis = dim if dim >= 0 else dim + len(writer.spec(x).dims) + 2
    return writer.put(block("unsqueeze", axis=axis), x)[0] if axis else None


def _mean(writer: Writer, x: Source, dim: Any = None, keepdim: bool = False) -> Any:
    spec = writer.spec(x)
    if dim is None:
        return None
    axes = sorted(_axis(d, spec) for d in (dim if isinstance(dim, tuple | list) else (dim,)))
    if spec.axes.startswith("C") and axes == list(range(2, len(spec.dims) + 1)) and len(axes) > 1 and not keepdim:
        return writer.put(block("global_average_pool"), x)[0]
    if len(axes) != 1 or axes[0] == 0 or (len(spec.dims) == 1 and not keepdim):
        return None
    return writer.put(block("mean", axis=axes[0], keep=keepdim), x)[0]


def _chunk(writer: Writer, x: Source, chunks: int, dim: int = 0) -> Any:
    axis = _axis(dim, writer.spec(x))
    if not axis or writer.spec(x).dims[axis - 1] % chunks or not 2 <= chunks <= 16:
        return None
    return writer.put(block("split", axis=axis, parts=chunks), x)


def _split(writer: Writer, x: Source, size: Any, dim: int = 0) -> Any:
    axis = _axis(dim, writer.spec(x))
    length = writer.spec(x).dims[axis - 1] if axis else 0
    if isinstance(size, int):
        return _chunk(writer, x, length // size, dim) if length and length % size == 0 else None
    if not axis or sum(size) != length:
        return None
    starts = [sum(size[:number]) for number in range(len(size))]
    return tuple(
        writer.put(block("slice", axis=axis, start=start, length=part), x)[0]
        for start, part in zip(starts, size, strict=True)
    )


def _item(writer: Writer, x: Any, index: Any) -> Any:
    if isinstance(x, LastState):
        return x.source if index in (-1, x.layers - 1) else None
    if isinstance(x, tuple | list):
        return x[index] if isinstance(index, int) else None
    indices = index if isinstance(index, tuple) else (index,)
    if not indices or indices[0] != slice(None):
        return None  # it would take samples out of the batch
    return _taken(writer, x, indices[1:])


def _taken(writer: Writer, x: Source, indices: tuple[Any, ...]) -> Any:
    """What is left of a tensor (N, *) after one index for each of its first axes."""
    axis = 1
    for index in indices:
        dims = writer.spec(x).dims
        if index is None:
            (x,) = writer.put(block("unsqueeze", axis=axis), x)
        elif isinstance(index, int):
            start = index if index >= 0 else index + dims[axis - 1]
            (part,) = writer.put(block("slice", axis=axis, start=start, length=1), x)
            if len(dims) == 1:
                return None
            (x,) = writer.put(block("squeeze", axis=axis), part)
            continue
        elif isinstance(index, slice):
            start, stop, step = index.indices(dims[axis - 1])
            if step != 1:
                return None
            if (start, stop) != (0, dims[axis - 1]):
                (x,) = writer.put(block("slice", axis=axis, start=start, length=stop - start), x)
        else:
            return None
        axis += 1
    return x


def _layer_norm(
    writer: Writer, x: Source, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    if not isinstance(weight, Parameter) or not isinstance(bias, Parameter) or len(normalized_shape) != 1:
        return None
    weights = {"weight": weight.value, "bias": bias.value}
    return writer.put(block("layer_norm", epsilon=eps), x, weights=weights)[0]


def _pool(kind: str) -> Handler:
    def handle(
        writer: Writer, x: Source, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, **given: Any,
    ) -> Any:  # fmt: skip
        size, places = one_number(kernel_size), one_number(padding)
        step = size if stride is None or stride in ((), []) else one_number(stride)
        if None in (size, step, places) or one_number(dilation) != 1 or any(given.values()):
            return None
        step = 0 if step == size else step
        return writer.put(block(kind, size=size, stride=step, padding=places, partial=ceil_mode), x)[0]

    return handle


def _average_pool(
    writer: Writer, x: Source, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None,
) -> Any:  # fmt: skip
    if not count_include_pad or divisor_override is not None:
        return None
    return _pool("average_pool")(writer, x, kernel_size, stride, padding, ceil_mode=ceil_mode)


def _adaptive(kind: str) -> Handler:
    def handle(writer: Writer, x: Source, output_size: Any) -> Any:
        size = one_number(output_size)
        return None if size is None else writer.put(block(kind, size=size), x)[0]

    return handle


def _clamp(writer: Writer, x: Source, min: Any = None, max: Any = None) -> Any:
    return None if min is None or max is None else writer.put(block("clamp", low=float(min), high=float(max)), x)[0]


def _same(_writer: Writer, x: Any, *_: Any, **__: Any) -> Any:
    return x


def _plain(kind: str) -> Handler:
    return lambda writer, *sources: (
        writer.put(block(kind), *sources)[0] if all(isinstance(s, Source) for s in sources) else None
    )


_ADD = _pairwise("add", lambda number: {"shift": number})
_SUBTRACT = _pairwise("subtract", lambda number: {"shift": -number})
_MULTIPLY = _pairwise("multiply", lambda number: {"scale": number})
_BY_NAME: dict[str, Handler] = {
    "add": _ADD,
    "add_": _ADD,
    "iadd": _ADD,
    "sub": _SUBTRACT,
    "sub_": _SUBTRACT,
    "isub": _SUBTRACT,
    "mul": _MULTIPLY,
    "mul_": _MULTIPLY,
    "imul": _MULTIPLY,
    "div": _divide,
    "truediv": _divide,
    "cat": _joined("concatenate"),
    "concat": _joined("concatenate"),
    "stack": _joined("stack"),
    "flatten": _flatten,
    "reshape": _reshape,
    "view": _reshape,
    "permute": _permute,
    "transpose": _transpose,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "contiguous": _same,
    "clone": _same,
    "mean": _mean,
    "chunk": _chunk,
    "split": _split,
    "getitem": _item,
    "matmul": _plain("matrix_product"),
    "bmm": _plain("matrix_product"),
    "abs": _plain("absolute"),
    "exp": _plain("exponential"),
    "maximum": _plain("maximum"),
    "minimum": _plain("minimum"),
    "clamp": _clamp,
    "relu": _activation("relu"),
    "relu_": _activation("relu"),
    "relu6": _activation("relu6"),
    "sigmoid": _activation("sigmoid"),
    "tanh": _activation("tanh"),
    "silu": _activation("silu"),
    "mish": _activation("mish"),
    "selu": _activation("selu"),
    "hardswish": _activation("hardswish"),
    "hardsigmoid": _activation("hardsigmoid"),
    "softsign": _activation("softsign"),
    "logsigmoid": _activation("log_sigmoid"),
    "elu": _activation("elu", alpha="alpha"),
    "leaky_relu": _activation("leaky_relu", negative_slope="slope"),
    "hardtanh": _activation("hardtanh", min_val="low", max_val="high"),
    "gelu": _gelu,
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "dropout": _dropout,
    "stochastic_depth": _stochastic_depth,
    "layer_norm": _layer_norm,
    **{f"max_pool{n}d": _pool("max_pool") for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _average_pool for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": _adaptive("adaptive_average_pool") for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive("adaptive_max_pool") for n in (1, 2, 3)},
}


def handler_of(target: Any) -> Handler | None:
    """What makes blocks of a call to a function of torch, or of a method of tensors by its name."""
    if isinstance(target, str):
        return _BY_NAME.get(target)
    name = getattr(target, "__name__", "").removesuffix("_with_indices").removeprefix("boolean_dispatch")
    return _BY_NAME.get(name) or _BY_NAME.get(_dispatched(target))


def _dispatched(target: Any) -> str:
    """The public name of a function that torch chooses at the call, such as `functional.max_pool2d`."""
    return next((name for name in _BY_NAME if getattr(functional, name, None) is target), "")
