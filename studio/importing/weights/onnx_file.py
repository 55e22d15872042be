"""The constant tensors of an ONNX file, with what the graph says of their use.

Numbers of fields are those of onnx.proto. What lies in other files is never followed.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import storage
from studio.importing.weights.onnx_wire import Place, Wire
from studio.importing.weights.tensors import (
    MAX_TENSORS,
    ForeignTensor,
    ForeignWeightsError,
    Stored,
    WeightFile,
    check_dims,
    check_name,
    named,
    stored_tensor,
)

_GRAPH = 7
_NODE, _INITIALIZER = 1, 5
_DTYPES = {1: torch.float32, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16}
_PACKED = {4: 1, 10: 11}  # field with numbers: the kind of numbers in it
_NORM = ("weight", "bias", "running_mean", "running_var")
# What the inputs of an operation are in torch, from the second one on.
_ROLES = {
    "Conv": ("weight", "bias"), "ConvTranspose": ("weight", "bias"), "Gemm": ("weight", "bias"),
    "MatMul": ("weight",), "BatchNormalization": _NORM, "LayerNormalization": _NORM[:2],
    "GroupNormalization": _NORM[:2], "InstanceNormalization": _NORM[:2], "PRelu": ("weight",),
}  # fmt: skip
_SAME = ("Identity", "Cast", "Transpose")
_GATED = ("LSTM", "GRU", "RNN")


@dataclass(frozen=True)
class _Node:
    """An operation: what it takes and gives, by name, and the attributes that matter here."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    transposed: bool  # transB of Gemm
    constant: Place | None  # the tensor of a Constant


@dataclass(frozen=True)
class _Stored:
    name: str
    dims: tuple[int, ...]
    dtype: torch.dtype
    place: Place


@dataclass
class _Use:
    """How a tensor is used first."""

    layer: str
    role: str
    axes: tuple[int, ...] | None
    order: int


@dataclass
class _Uses:
    """Goes through the operations in order, and finds out what each constant tensor is for."""

    tensors: dict[str, _Stored]
    found: dict[str, _Use] = field(default_factory=dict)
    same: dict[str, tuple[str, bool]] = field(default_factory=dict)  # name: of which tensor, with axes swapped
    products: dict[str, str] = field(default_factory=dict)  # what a product gives: its layer
    left_out: Counter[str] = field(default_factory=Counter)

    def follow(self, number: int, node: _Node) -> None:
        """Take in one operation."""
        layer = f"{node.kind}_{number}"
        known = [self._source(name) for name in node.inputs]
        if node.kind in _SAME and known and known[0] is not None and node.outputs:
            name, swapped = known[0]
            self.same[node.outputs[0]] = name, swapped != (node.kind == "Transpose")
        elif node.kind in _ROLES:
            for role, source in zip(_ROLES[node.kind], known[1:], strict=False):
                self._use(source, layer, role, node.kind == "MatMul" or (node.kind == "Gemm" and not node.transposed))
            if node.kind == "MatMul" and node.outputs:
                self.products[node.outputs[0]] = layer
        elif node.kind == "Gather" and known:
            self._use(known[0], layer, "weight", False)
        elif node.kind == "Add":
            product = next((self.products[name] for name in node.inputs if name in self.products), layer)
            for source in known:
                self._use(source, product, "bias", False)
        elif node.kind in _GATED:
            self.left_out[node.kind] += 1
            for source in known:
                self.found.setdefault(source[0] if source else "", _Use("", "", None, -1))

    def _source(self, name: str) -> tuple[str, bool] | None:
        return (name, False) if name in self.tensors else self.same.get(name)

    def _use(self, source: tuple[str, bool] | None, layer: str, role: str, product: bool) -> None:
        if source is None or source[0] in self.found:
            return
        name, swapped = source
        turned = len(self.tensors[name].dims) == 2 and role == "weight" and swapped != product
        self.found[name] = _Use(layer, role, (1, 0) if turned else None, len(self.found))


def look(path: Path) -> WeightFile:
    """What constant tensors an ONNX file holds, those that are used in the order of their use.

    Raises:
        ForeignWeightsError, StorageError, OSError: if it is damaged, or keeps tensors in other files.
    """
    with storage.open_plain(path) as file:
        wire = Wire(file)
        tensors, nodes = _content(wire)
    uses = _Uses(tensors)
    for number, node in enumerate(nodes):
        uses.follow(number, node)
    listed = [tensor for tensor in tensors.values() if uses.found.get(tensor.name, _LAST).order >= 0]
    listed.sort(key=lambda tensor: uses.found.get(tensor.name, _LAST).order)
    if not listed:
        raise ForeignWeightsError("holds no weights.")
    notes = tuple(
        f"The weights of {count} recurrent operations ({kind}) are left out: ONNX keeps them in an order of its own."
        for kind, count in uses.left_out.items()
    )
    return WeightFile(
        path, "ONNX", tuple(_foreign(tensor, uses.found.get(tensor.name)) for tensor in listed),
        lambda: _opened(path), notes,
    )  # fmt: skip


_LAST = _Use("", "", None, MAX_TENSORS)


def _foreign(tensor: _Stored, use: _Use | None) -> ForeignTensor:
    place = tensor.place
    stored = Stored(place.start, place.size, tensor.dtype, tensor.dims)
    dtype = str(tensor.dtype).removeprefix("torch.")
    if use is None:
        return named(tensor.name, tensor.dims, dtype, stored)
    return ForeignTensor(tensor.name, tensor.dims, dtype, use.layer, use.role, stored, use.axes)


def _content(wire: Wire) -> tuple[dict[str, _Stored], list[_Node]]:
    graphs = [value for number, value in wire.fields(wire.whole) if number == _GRAPH]
    if len(graphs) != 1 or not isinstance(graphs[0], Place):
        raise ForeignWeightsError("is no ONNX file: it has no graph.")
    tensors: dict[str, _Stored] = {}
    nodes: list[_Node] = []
    for number, value in wire.fields(graphs[0]):
        if number == _NODE and isinstance(value, Place):
            node = _node(wire, value)
            nodes.append(node)
            if node.constant is not None and node.outputs:
                _add(tensors, _tensor(wire, node.constant, node.outputs[0]))
        elif number == _INITIALIZER and isinstance(value, Place):
            _add(tensors, _tensor(wire, value))
    return tensors, nodes


def _add(tensors: dict[str, _Stored], tensor: _Stored | None) -> None:
    if tensor is None:
        return
    if tensor.name in tensors or len(tensors) >= MAX_TENSORS:
        raise ForeignWeightsError(f"is damaged: it has too many tensors, or two with the name “{tensor.name[:60]}”.")
    tensors[tensor.name] = tensor


def _node(wire: Wire, message: Place) -> _Node:
    inputs, outputs, kind, transposed, constant = [], [], "", False, None
    for number, value in wire.fields(message):
        if number == 1:
            inputs.append(wire.text(value))
        elif number == 2:
            outputs.append(wire.text(value))
        elif number == 4:
            kind = wire.text(value)
        elif number == 5 and isinstance(value, Place) and kind in ("", "Gemm", "Constant"):
            name, attribute = _attribute(wire, value)
            transposed = attribute == 1 if name == "transB" else transposed
            constant = attribute if name == "value" and isinstance(attribute, Place) else constant
    return _Node(kind, inputs, outputs, transposed, constant if kind == "Constant" else None)


def _attribute(wire: Wire, message: Place) -> tuple[str, int | Place | None]:
    """Name of an attribute, and its whole number or tensor."""
    name: str = ""
    found: int | Place | None = None
    for number, value in wire.fields(message):
        if number == 1:
            name = wire.text(value)
        elif number in (3, 5):
            found = value
    return name, found


def _tensor(wire: Wire, message: Place, name: str = "") -> _Stored | None:
    """A constant tensor; None if its numbers are of a kind that no weight has."""
    dims: list[int] = []
    kind, content = 0, None
    for number, value in wire.fields(message):
        if number == 1:
            dims += wire.numbers(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8:
            name = name or wire.text(value)
        elif number == 9 or (number in _PACKED and isinstance(value, Place)):
            content = number, value
        elif number == 13 or (number == 14 and value == 1):
            raise ForeignWeightsError(
                "keeps its weights in other files beside it, which are not followed. Export it with everything in one "
                "file: torch.onnx.export(..., external_data=False)."
            )
    size = check_dims(name, dims)
    if kind not in _DTYPES or content is None or not isinstance(content[1], Place):
        return None
    number, place = content[0], content[1]
    if number in _PACKED and _PACKED[number] != kind:
        return None
    if math.prod(size) * _DTYPES[kind].itemsize != place.size:
        raise ForeignWeightsError(f"is damaged: “{name[:60]}” is not as large as it says.")
    return _Stored(check_name(name), size, _DTYPES[kind], place)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Callable[[Any], Tensor]]:
    with storage.open_plain(path) as file:
        yield partial(stored_tensor, file)
