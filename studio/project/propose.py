"""Proposes a network for data: a plain one of the kind that is usual for such inputs and targets, to start from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from studio.blocks import Block, registry
from studio.data.base import DataSpec, Findings, Source, Target
from studio.data.choice import DataChoice
from studio.data.unpacked import title_of
from studio.fields import FieldValue
from studio.graph import Graph, Link, Node
from studio.graph.arrange import layered
from studio.graph.edits import AddLink, AddNode, new_node
from studio.project.model import Project, input_for
from studio.settings import TrainingSettings
from studio.tensors import TensorSpec

SMALL_DATA = 2_000  # samples, below which batches are small and epochs many
SAMPLES_SEEN = 40_000  # in all epochs, as far as the limits of the epochs let it be
TOKEN_FEATURES = 64
CATEGORY_FEATURES = 8


class NoProposalError(ValueError):
    """There is no usual network for such data; the message says why."""


def propose_project(source: Source, findings: Findings) -> Project:
    """A project that can be trained at once on data that was looked at.

    Raises:
        NoProposalError: if there is no usual network for it.
    """
    spec, rows = findings.spec, findings.rows
    few = 0 < rows < SMALL_DATA
    settings = TrainingSettings(epochs=_epochs(rows), batch_size=16 if few else 64)
    title = f"Network for {title_of(Path(source.place)) or source.title}"
    return Project(propose(spec), replace(DataChoice(), source=source), settings, title)


def _epochs(rows: int) -> int:
    return min(max(math.ceil(SAMPLES_SEEN / max(rows, 1)), 5), 40) if rows else 10


def propose(spec: DataSpec) -> Graph:
    """A network that takes what the data gives and answers what it wants.

    Raises:
        NoProposalError: if there is no usual network for it.
    """
    build = _Builder(spec)
    _body(spec)(build)
    return build.finished()


class _Builder:
    """Puts blocks one after the other; `at` is the node that the next one follows."""

    def __init__(self, spec: DataSpec) -> None:
        self.spec = spec
        self.target = spec.target
        self.graph = Graph()
        self.entries = [self._entry(tensor, number) for number, tensor in enumerate(spec.inputs)]
        self.at = self.entries[0]

    def _entry(self, tensor: TensorSpec, number: int) -> str:
        name = _entry_name(tensor) + (f"_{number + 1}" if len(self.spec.inputs) > 1 else "")
        return self._added(replace(new_node(self.graph, input_for(tensor)), name=name))

    def _added(self, node: Node) -> str:
        self.graph = AddNode(node).apply(self.graph)
        return node.id

    def add(self, kind: str, *others: str, **fields: FieldValue) -> str:
        """Add a block behind `at`, and behind others as its further inputs; it is the new `at`."""
        block: Block = registry.get(kind)(**fields)
        node = new_node(self.graph, block)
        self._added(node)
        for port, source in enumerate((self.at, *others)):
            self.graph = AddLink(Link(source, 0, node.id, port)).apply(self.graph)
        self.at = node.id
        return node.id

    def finished(self) -> Graph:
        """With an Output, laid out."""
        node = replace(new_node(self.graph, registry.get("output")()), name="answer")
        self._added(node)
        self.graph = AddLink(Link(self.at, 0, node.id, 0)).apply(self.graph)
        return layered(self.graph).apply(self.graph)


def _entry_name(tensor: TensorSpec) -> str:
    if tensor.dtype == "int":
        return "categories" if tensor.axes == "D" else "tokens"
    return {"CHW": "picture", "D": "features", "CT": "sound"}.get(tensor.axes, "series" if "T" in tensor.axes else "x")


def _body(spec: DataSpec) -> Callable[[_Builder], None]:
    """How the network between inputs and Output is built."""
    tensors, target = spec.inputs, spec.target
    if not target.size:
        raise NoProposalError("It is not known yet what is to be predicted. Look into the files first.")
    if target.is_input:
        return _autoencoder
    if _are_categories(tensors[-1]) and [tensor.axes for tensor in tensors[:-1]] in ([], ["D"]):
        return _categories
    if all(tensor.dtype == "int" for tensor in tensors):
        return _for_tokens(spec)
    if len(tensors) > 1:
        return _several
    return _for_numbers(tensors[0], target)


def _are_categories(tensor: TensorSpec) -> bool:
    """Whether an input is of tokens that are in no order, one for each column of a table."""
    return tensor.dtype == "int" and tensor.axes == "D"


def _for_tokens(spec: DataSpec) -> Callable[[_Builder], None]:
    target = spec.target
    if len(spec.inputs) == 2 and len(target.dims) == 1:
        return _translator
    if len(spec.inputs) > 1:
        raise NoProposalError(f"There is no usual network for {len(spec.inputs)} texts at once. Draw one.")
    if not target.dims:
        return _text
    # Who predicts the next token of a text must not look at what follows; who marks each token may.
    return _language_model if target.size == spec.tokens[0] else _tagger


def _for_numbers(tensor: TensorSpec, target: Target) -> Callable[[_Builder], None]:
    if tensor.axes == "CHW" and len(target.dims) == 2:
        return _segmentation
    if target.dims and target.task == "classification":
        return _steps
    if tensor.axes == "CHW":
        return _picture
    if tensor.axes == "CT" or (len(tensor.dims) == 2 and tensor.axes.startswith("C")):
        return _wave
    return _series if len(tensor.dims) == 2 else _flat


def _end(build: _Builder) -> None:
    """A Dense for the answer; in the shape that is wanted."""
    dims = build.target.answer.dims
    if build.target.task == "regression" and len(dims) > 1:
        build.add("dense", units=build.target.answer.numel)
        build.add("reshape", shape=dims)
    else:
        build.add("dense", units=dims[-1])


def _picture(build: _Builder) -> None:
    side = min(build.spec.inputs[0].dims[1:])
    stages = min(max(round(math.log2(max(side, 1))) - 2, 2), 4)  # down to about 4 × 4 pixels
    for stage in range(stages):
        build.add("conv2d", filters=min(32 << stage, 128), kernel_size=3, padding=1, bias=False)
        build.add("batch_norm")
        build.add("relu")
        if side >= 4:
            build.add("max_pool", size=2)
            side //= 2
    build.add("global_average_pool")
    build.add("dropout", rate=0.2)
    _end(build)


def _segmentation(build: _Builder) -> None:
    """A small U-Net; Ronneberger, Fischer, Brox, “U-Net”, 2015."""
    height, width = build.target.dims
    depth = min(2, *(_twos(size) for size in (height, width)))
    skips = []
    for level in range(depth):
        skips.append(_double(build, 16 << level))
        build.add("max_pool", size=2)
    _double(build, 16 << depth)
    for level in reversed(range(depth)):
        build.add("conv_transpose2d", filters=16 << level, kernel_size=2, stride=2)
        build.add("concatenate", skips[level])
        _double(build, 16 << level)
    build.add("conv2d", filters=build.target.answer.dims[0], kernel_size=1)


def _twos(size: int) -> int:
    """How often a size can be halved."""
    return (size & -size).bit_length() - 1


def _double(build: _Builder, filters: int) -> str:
    for _ in range(2):
        build.add("conv2d", filters=filters, kernel_size=3, padding=1, bias=False)
        build.add("batch_norm")
        build.add("relu")
    return build.at


def _flat(build: _Builder) -> None:
    if len(build.spec.inputs[0].dims) > 1:
        build.add("flatten")
    _dense_layers(build)


def _categories(build: _Builder) -> None:
    """Learned numbers for each category beside the numbers of a row.

    Guo and Berkhahn, “Entity embeddings of categorical variables”, 2016.
    """
    *numbers, categories = build.entries
    build.at = categories
    vectors = _embedded_categories(build, len(numbers))
    if numbers:
        (build.at,) = numbers
        build.add("concatenate", vectors)
    _dense_layers(build)


def _embedded_categories(build: _Builder, number: int) -> str:
    build.add("embedding", vocabulary=build.spec.tokens[number], features=CATEGORY_FEATURES)
    return build.add("flatten")


def _dense_layers(build: _Builder) -> None:
    for units in (64, 32):
        build.add("dense", units=units)
        build.add("relu")
        build.add("dropout", rate=0.1)
    _end(build)


def _series(build: _Builder) -> None:
    build.add("gru", units=64, output="last state")
    _end(build)


def _steps(build: _Builder) -> None:
    """A class for each step of a series."""
    if len(build.target.dims) != 1 or len(build.spec.inputs[0].dims) != 2:
        raise NoProposalError(f"There is no usual network for an answer at {build.target.dims} places. Draw one.")
    build.add("gru", units=64, bidirectional=True, output="sequence")
    build.add("dense", units=build.target.size)


def _wave(build: _Builder) -> None:
    """Strided convolutions over time."""
    length = build.spec.inputs[0].dims[1]
    for filters in (16, 32, 64, 64):
        size, stride = (16, 8) if length >= 2_048 else (8, 4) if length >= 256 else (3, 1)
        build.add("conv1d", filters=filters, kernel_size=size, stride=stride, bias=False)
        build.add("batch_norm")
        build.add("relu")
        length = (length - size) // stride + 1
    build.add("global_average_pool")
    _end(build)


def _embedded(build: _Builder, number: int = 0) -> None:
    build.at = build.entries[number]
    padding = not build.spec.characters  # a running text is never filled up
    build.add("embedding", vocabulary=build.spec.tokens[number], features=TOKEN_FEATURES, padding=padding)


def _text(build: _Builder) -> None:
    """Which short phrases occur; Kim, “Convolutional neural networks for sentence classification”, 2014."""
    _embedded(build)
    build.add("transpose")
    words, phrases = build.at, []
    for size in (1, 2, 3):
        if size <= build.spec.inputs[0].dims[0]:
            build.at = words
            build.add("conv1d", filters=64, kernel_size=size)
            build.add("relu")
            phrases.append(build.add("global_max_pool"))
    build.at = phrases[0]
    if len(phrases) > 1:
        build.add("concatenate", *phrases[1:])
    build.add("dropout", rate=0.5)
    _end(build)


def _tagger(build: _Builder) -> None:
    _embedded(build)
    build.add("dropout", rate=0.3)
    build.add("gru", units=64, bidirectional=True, output="sequence")
    build.add("dense", units=build.target.size)


def _language_model(build: _Builder) -> None:
    _embedded(build)
    build.add("position_embedding")
    for _ in range(2):
        build.add("transformer_encoder_layer", heads=4, hidden=256, causal=True, norm_first=True, activation="gelu")
    build.add("layer_norm")
    build.add("dense", units=build.target.size)


def _translator(build: _Builder) -> None:
    """Encoder and decoder; Vaswani et al., “Attention is all you need”, 2017."""
    _embedded(build, 0)
    build.add("positional_encoding")
    memory = build.add("transformer_encoder_layer", heads=4, hidden=256)
    _embedded(build, 1)
    build.add("positional_encoding")
    build.add("transformer_decoder_layer", memory, heads=4, hidden=256, causal=True)
    build.add("dense", units=build.target.size)


def _several(build: _Builder) -> None:
    """Each input becomes 32 numbers; then they are taken together."""
    parts = []
    for number, tensor in enumerate(build.spec.inputs):
        build.at = build.entries[number]
        if _are_categories(tensor):
            _embedded_categories(build, number)
        elif tensor.dtype == "int":
            _embedded(build, number)
            build.add("global_average_pool")
        elif len(tensor.dims) > 1:
            build.add("flatten")
        build.add("dense", units=32)
        parts.append(build.add("relu"))
    build.at = parts[0]
    build.add("concatenate", *parts[1:])
    build.add("dense", units=32)
    build.add("relu")
    _end(build)


def _autoencoder(build: _Builder) -> None:
    if len(build.spec.inputs[0].dims) > 1:
        build.add("flatten")
    build.add("dense", units=64)
    build.add("relu")
    build.add("dense", units=16)
    build.add("relu")
    build.add("dense", units=64)
    build.add("relu")
    _end(build)
