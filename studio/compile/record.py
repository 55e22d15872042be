"""The record of a block's forward pass: written once on fake tensors, read by the module and by the source.

Fake tensors have shapes and types but no numbers, so that real layers check real shapes at no cost.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from studio.blocks import Block, ShapeError
from studio.blocks.base import ANY_AXIS
from studio.compile.backbone import FEATURES, measure
from studio.compile.cost import function_flops, layer_flops, memory_bytes
from studio.compile.custom import explained_failure
from studio.compile.layers import BackboneSpec, CustomSpec, LayerSpec, ParameterSpec
from studio.tensors import TensorSpec

FAKE_BATCH = 2  # batch norm needs two samples
MAX_NUMBERS = 2**40  # in one sample: four terabytes; torch can still count what a layer makes of them
FAKE_STEPS = 2  # a recurrent layer on fake tensors takes time per step, and its shapes do not depend on them
_DTYPES = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}
_RECURRENT = (nn.RNNBase,)


@dataclass(frozen=True)
class Ref:
    """A value in a record: the result of operation `index`, or input `-1 - index` if it is negative."""

    index: int


@dataclass(frozen=True)
class Operation:
    """One call in a forward pass.

    Args:
        kind: "layer" (target: its index), "parameter" (the same; it is only read), "function" (target: its name in
            `torch`) or "item" (args: value, index or key).
        args, kwargs: constants, Refs, and tuples of Refs.
    """

    kind: str
    target: str
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class BlockRecord:
    """Layers and forward pass of one block for inputs of certain shapes, and what they cost.

    Args:
        mask: of its outputs, where the specs say that they are padded; an input's (the masks of padded inputs stand
            behind the inputs) or a result.
        masks_taken: how many of the masks of its inputs it needs.
        counts_padding: whether steps that only fill up change what it gives.
        parameters: learned numbers.
        flops: floating-point operations for one sample; see `studio.compile.cost`.
        memory: bytes of all that the pass makes of one sample.
    """

    layers: tuple[LayerSpec, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[Ref, ...]
    specs: tuple[TensorSpec, ...]
    parameters: int
    flops: int = 0
    memory: int = 0
    mask: Ref | None = None
    masks_taken: int = 0
    counts_padding: bool = False

    @property
    def spec(self) -> TensorSpec:
        """Its first result."""
        return self.specs[0]


class _Value:
    """A fake tensor (or a tuple of them) and its place in the record."""

    def __init__(
        self,
        recorder: _Recorder,
        ref: Ref,
        fake: Any,
        axes: str = "",
        known_mask: _Value | None = None,
        padded: int = 0,
    ) -> None:
        self.recorder = recorder
        self.ref = ref
        self.fake = fake
        self.axes = axes
        self.known_mask = known_mask
        self.padded = padded

    @property
    def spec(self) -> TensorSpec:
        dims = tuple(self.fake.shape[1:])
        axes = self.axes if len(self.axes) == len(dims) else "D" * len(dims)
        return TensorSpec(dims, axes, _dtype_name(self.fake), self.padded)

    @property
    def mask(self) -> _Value | None:
        if self.known_mask is not None:
            self.recorder.heeds_masks = True
        return self.known_mask

    def named(self, axes: str) -> _Value:
        return _Value(self.recorder, self.ref, self.fake, axes, self.known_mask, self.padded)

    def masked(self, mask: Any, axis: int) -> _Value:
        return _Value(self.recorder, self.ref, self.fake, self.axes, mask, axis if mask is not None else 0)

    def __getitem__(self, index: int | str) -> _Value:
        return self.recorder.write(Operation("item", "", (self.ref, index)), self.fake[index])


class _Recorder:
    """Runs a block's forward pass on fake tensors and writes down each call."""

    def __init__(self) -> None:
        self.layers: list[LayerSpec] = []
        self.operations: list[Operation] = []
        self.parameters = 0
        self.flops = 0  # of the fake batch
        self.memory = 0
        self.heeds_masks = False  # the block asked for one

    def layer(self, class_name: str, **arguments: Any) -> Callable[..., _Value]:
        spec = LayerSpec(class_name, tuple(arguments.items()))
        index = str(len(self.layers))
        self.layers.append(spec)
        module = spec.build()
        self.parameters += sum(p.numel() for p in module.parameters())

        def call(*args: Any, **kwargs: Any) -> _Value:
            fakes = [_fakes(arg) for arg in args]
            result = _run_layer(module, fakes, kwargs)
            given = _tensors(tuple(fakes))
            self.flops += layer_flops(module, given, result[0] if isinstance(result, tuple) else result)
            self.memory += sum(memory_bytes(tensor, given) for tensor in _tensors(result))
            refs = tuple(_refs(arg) for arg in args)
            return self.write(Operation("layer", index, refs, tuple(kwargs.items())), result)

        return call

    def custom(self, code: str, class_name: str) -> Callable[..., _Value]:
        spec = CustomSpec(class_name, (), code)
        index = str(len(self.layers))
        self.layers.append(spec)
        module = spec.build()
        self.parameters += sum(p.numel() for p in module.parameters())

        def call(*args: _Value) -> _Value:
            with explained_failure(code):
                result = module(*(arg.fake for arg in args))
            if not isinstance(result, torch.Tensor) or result.dim() < 2:
                raise ShapeError("Custom code: forward must return one tensor (N, *), with the batch first.")
            self.memory += memory_bytes(result, [arg.fake for arg in args])
            return self.write(Operation("layer", index, tuple(arg.ref for arg in args)), result)

        return call

    def backbone(self, network: str, node: str, weights: str) -> Callable[..., _Value]:
        index = str(len(self.layers))
        self.layers.append(BackboneSpec("create_feature_extractor", (("network", network), ("node", node)), weights))

        def call(x: _Value) -> _Value:
            found = measure(network, node, x.fake.shape)
            self.parameters += found.parameters
            self.flops += found.flops
            self.memory += found.memory
            return self.write(Operation("layer", index, (x.ref,)), {FEATURES: torch.empty(found.size)})[FEATURES]

        return call

    def parameter(self, size: tuple[int, ...], *, fill: float | None = None, std: float = 0.0) -> _Value:
        arguments: dict[str, Any] = {"mean": 0.0, "std": std, "size": size}
        if fill is not None:
            arguments = {"size": size, "fill_value": fill}
        spec = ParameterSpec("normal" if fill is None else "full", tuple(arguments.items()))
        index = str(len(self.layers))
        self.layers.append(spec)
        parameter = spec.build()
        self.parameters += parameter.numel()
        return self.write(Operation("parameter", index, ()), parameter)

    def function(self, name: str, *args: Any, **kwargs: Any) -> _Value:
        fakes = [_fakes(arg) for arg in args]
        result = getattr(torch, name)(*fakes, **kwargs)
        self.flops += function_flops(name, fakes, result[0] if isinstance(result, tuple) else result)
        self.memory += sum(memory_bytes(tensor, _tensors(tuple(fakes))) for tensor in _tensors(result))
        return self.write(Operation("function", name, tuple(_refs(arg) for arg in args), tuple(kwargs.items())), result)

    def write(self, operation: Operation, result: Any) -> _Value:
        self.operations.append(operation)
        return _Value(self, Ref(len(self.operations) - 1), result)


def _dtype_name(tensor: torch.Tensor) -> str:
    if tensor.is_floating_point():
        return "float"
    return "bool" if tensor.dtype is torch.bool else "int"


def _tensors(result: Any) -> list[torch.Tensor]:
    """The tensors in a result, which may be a tuple, nested as an LSTM's."""
    if isinstance(result, tuple):
        return [tensor for item in result for tensor in _tensors(item)]
    return [result] if isinstance(result, torch.Tensor) else []


def _fakes(argument: Any) -> Any:
    if isinstance(argument, tuple):
        return tuple(_fakes(item) for item in argument)
    return argument.fake if isinstance(argument, _Value) else argument


def _refs(argument: Any) -> Any:
    if isinstance(argument, tuple):
        return tuple(_refs(item) for item in argument)
    return argument.ref if isinstance(argument, _Value) else argument


def _run_layer(module: nn.Module, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not isinstance(module, _RECURRENT):
        return module(*args, **kwargs)
    steps = args[0].shape[1]  # N, T, D
    sequence, state = module(args[0][:, :FAKE_STEPS], **kwargs)
    return sequence[:, :1].expand(-1, steps, -1).contiguous(), state


# The window infers shapes while a run starts in another thread; one mode serves only one thread at a time.
_fake_lock = threading.Lock()


@functools.cache
def _fake_mode() -> FakeTensorMode:
    logging.getLogger("torch._subclasses.fake_tensor").setLevel(logging.CRITICAL)  # what it reports, we explain
    return FakeTensorMode(allow_non_fake_inputs=False)


@functools.lru_cache(maxsize=20_000)
def _record_or_error(block: Block, inputs: tuple[TensorSpec, ...]) -> BlockRecord | ShapeError:
    """The record, or the error; both are worth keeping, since each edit asks again for every block."""
    recorder = _Recorder()
    try:
        _check_size(block, inputs)
        with _fake_lock, _fake_mode():
            values = _fake_inputs(recorder, inputs)
            result = block.record(recorder, *values)
            results = [_checked_output(block, value) for value in (result if isinstance(result, tuple) else (result,))]
            results = [_with_steps_kept(block, values, value) for value in results]
    except ShapeError as error:
        return error
    except (RuntimeError, ValueError, IndexError, TypeError) as error:  # torch's own refusal
        came = " and ".join(f"({spec})" for spec in inputs)
        if "overflow" in str(error):
            return ShapeError(f"{block.title} would make more of {came} than any computer holds. Use smaller sizes.")
        return ShapeError(f"{block.title} cannot take {came}: {_first_line(error)}")
    return BlockRecord(
        tuple(recorder.layers), tuple(recorder.operations), tuple(value.ref for value in results),
        tuple(value.spec for value in results),
        recorder.parameters,
        recorder.flops // FAKE_BATCH, recorder.memory // FAKE_BATCH,
        next((value.known_mask.ref for value in results if value.known_mask is not None), None),
        _masks_taken(recorder.operations, len(inputs)),
        any(spec.padded for spec in inputs) and not recorder.heeds_masks and not any(v.padded for v in results),
    )  # fmt: skip


def _check_size(block: Block, inputs: tuple[TensorSpec, ...]) -> None:
    for spec in inputs:
        if spec.numel > MAX_NUMBERS:
            raise ShapeError(f"{block.title} gets ({spec}), more numbers than any computer holds. Use smaller sizes.")


def _fake_inputs(recorder: _Recorder, specs: tuple[TensorSpec, ...]) -> list[_Value]:
    """One value for each input; the masks of the padded ones are counted on behind them."""
    values, masks = [], 0
    for index, spec in enumerate(specs):
        mask = None
        if spec.padded:
            fake = torch.empty((FAKE_BATCH, spec.dims[spec.padded - 1]), dtype=torch.bool)
            mask = _Value(recorder, Ref(-1 - len(specs) - masks), fake)
            masks += 1
        fake = torch.empty((FAKE_BATCH, *spec.dims), dtype=_DTYPES[spec.dtype])
        values.append(_Value(recorder, Ref(-1 - index), fake, spec.axes, mask, spec.padded))
    return values


def _with_steps_kept(block: Block, inputs: list[_Value], result: _Value) -> _Value:
    """The result with the mask of the (first padded) input, if the block works step by step."""
    if result.known_mask is not None or not block.stepwise:
        return result
    for given in inputs:
        at = given.padded
        rank = len(result.fake.shape) - 1
        if at and (block.stepwise == ANY_AXIS or at < rank) and at <= rank:
            kept = result.fake.shape[at] == given.fake.shape[at] and rank == len(given.fake.shape) - 1
            return result.masked(given.known_mask, at) if kept else result
    return result


def _masks_taken(operations: list[Operation], inputs: int) -> int:
    """How many of the masks behind the inputs stand in operations, those before the last included."""
    lowest = 0

    def look(value: Any) -> None:
        nonlocal lowest
        if isinstance(value, Ref):
            lowest = min(lowest, value.index)
        elif isinstance(value, tuple):
            for item in value:
                look(item)

    for operation in operations:
        look(operation.args)
    return max(0, -lowest - inputs)


def _checked_output(block: Block, result: Any) -> _Value:
    assert isinstance(result, _Value)
    if result.fake.shape[0] != FAKE_BATCH:
        raise ShapeError(f"{block.title} would mix the samples of a batch; its output must keep the batch axis first.")
    if result.spec.numel == 0:
        raise ShapeError(f"{block.title} would leave nothing: its output has the size ({result.spec}).")
    return result


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def record(block: Block, inputs: tuple[TensorSpec, ...]) -> BlockRecord:
    """The record of a block for inputs of these shapes; cached.

    Raises:
        ShapeError: if they do not fit, in plain words.
    """
    if barrier := block.barrier:  # not kept: it may be gone the next time
        raise ShapeError(barrier)
    result = _record_or_error(block, inputs)
    if isinstance(result, ShapeError):
        raise ShapeError(str(result), *result.remedies)
    return result
