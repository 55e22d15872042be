"""What a network makes of each sample on the way to its answer: one vector per sample, taken behind any of its blocks.

Axis letters: N samples, C channels, H W space, T steps, L tokens, D numbers of a vector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, fx

from studio.blocks import Input
from studio.compile.network import BLOCK
from studio.compile.plan import Step
from studio.evaluation.predictions import BATCH, MOST_NUMBERS, Progress, batches_of
from studio.evaluation.trained import Trained
from studio.tensors import TensorSpec
from studio.training.errors import TrainingError

MOST_BYTES = 2**30  # of the vectors of a split
_FEATURE_AXES = "CD"  # one of them stays, the others are places


@dataclass(frozen=True)
class Layer:
    """A value in the network of which a vector per sample can be made.

    Args:
        node_id: of the block, or of the Input, that gives it.
        name: of that block.
        spec: of the value.
        whole: whether all its numbers make the vector, however it is laid out; so it is with an Input.
    """

    node_id: str
    name: str
    spec: TensorSpec
    whole: bool = False

    @property
    def kept(self) -> int | None:
        """The axis, from 0, whose numbers make the vector, where a mean is taken over all others; None for all."""
        axes = self.spec.axes
        if self.whole or len(axes) < 2:
            return None
        return next((axes.index(letter) for letter in _FEATURE_AXES if letter in axes), len(axes) - 1)

    @property
    def size(self) -> int:
        """How many numbers the vector has, D."""
        return self.spec.numel if self.kept is None else self.spec.dims[self.kept]

    @property
    def note(self) -> str:
        """How the vector comes about, in words."""
        if self.kept is None:
            return f"{self.size:,} number{'s' * (self.size != 1)}"
        places = " × ".join(f"{size:,}" for axis, size in enumerate(self.spec.dims) if axis != self.kept)
        noun = "steps" if len(self.spec.dims) == 2 else "places"
        return f"{self.size:,} numbers, each the mean over {places} {noun}"


@dataclass(frozen=True, eq=False)
class Embeddings:
    """The vectors of the samples of a split.

    Args:
        split: its name.
        layer: where they were taken.
        rows: the numbers of the samples in the dataset (N,) int64.
        vectors: (N, D) float32.
        classes: the class of each sample (N,) int64; None if they have none.
    """

    split: str
    layer: Layer
    rows: np.ndarray
    vectors: np.ndarray
    classes: np.ndarray | None


def layers_of(trained: Trained) -> tuple[Layer, ...]:
    """What a network gives on the way, in the order in which it is computed; groups as a whole. Tokens are left out."""
    nodes = [node for node in trained.project.graph.nodes if isinstance(node.block, Input)]
    given = [Layer(node.id, node.name, node.block.spec, True) for node in nodes if isinstance(node.block, Input)]
    steps = [Layer(step.node.id, step.node.name, step.spec) for step in trained.plan.steps]
    found = _values(trained)
    return tuple(layer for layer in (*given, *steps) if layer.spec.dtype == "float" and layer.node_id in found)


def _values(trained: Trained) -> dict[str, fx.Node]:
    """What each block gives in the module's graph, by its id. What two blocks share is the later one’s."""
    assert isinstance(trained.model, fx.GraphModule)
    ids, found = {node.name: node.id for node in trained.project.graph.inputs}, dict[str, fx.Node]()
    for node in trained.model.graph.nodes:
        if node.op == "placeholder" and node.target in ids:
            found[ids[node.target]] = node
        if BLOCK in node.meta:
            found[node.meta[BLOCK]] = node
    return found


def default_layer(trained: Trained) -> Layer:
    """What goes into the last layer that learns: the last Dense before the answer, or what takes its place.

    Raises:
        TrainingError: if the network has nothing but tokens.
    """
    layers = {layer.node_id: layer for layer in layers_of(trained)}
    if not layers:
        raise TrainingError("There are no real numbers in this network before its answer, so there are no vectors.")
    makers = {name: step for step in trained.plan.steps for name in step.results}
    ids = {node.name: node.id for node in trained.project.graph.inputs}
    name = trained.plan.outputs[0]
    while name in makers:
        step = makers[name]
        name = step.sources[0]
        found = makers[name].node.id if name in makers else ids.get(name, "")
        if found in layers and _learns(step):
            return layers[found]
    return next(reversed(layers.values()))


def _learns(step: Step) -> bool:
    return any(part.parameters for part in step.parts)


def embed(trained: Trained, split: str, layer: Layer, progress: Progress | None = None) -> Embeddings:
    """The vectors of all samples of a split.

    Args:
        split: "train", "validation" or "test".
        layer: one of `layers_of`.
        progress: told (samples done, samples in all); may raise to cancel.

    Raises:
        TrainingError: if the vectors would take more memory than there should be for them.
    """
    dataset = trained.dataset
    rows, size = dataset.splits[split], layer.size
    if 4 * size * len(rows) > MOST_BYTES:
        raise TrainingError(
            f"The vectors behind “{layer.name}” of {len(rows):,} samples would take {4 * size * len(rows) / 2**30:.1f} "
            f"GB. Choose a later layer, with fewer than {MOST_BYTES // (4 * len(rows)):,} numbers."
        )
    found, done = np.empty((len(rows), size), np.float32), 0
    model, mask_of = _up_to(trained, layer), _mask_of(trained, layer)
    for inputs, _targets in batches_of(trained, split, max(1, min(BATCH, MOST_NUMBERS // layer.spec.numel))):
        with torch.inference_mode():
            vectors = _as_vectors(model(*inputs).float(), layer, mask_of(inputs) if mask_of else None)
        found[done : done + len(vectors)] = vectors.cpu().numpy()
        done += len(vectors)
        if progress is not None:
            progress(done, len(rows))
    target = dataset.spec.target
    single = target.task == "classification" and not target.dims and not target.is_input
    return Embeddings(split, layer, rows.numpy(), found, dataset.targets[rows].numpy() if single else None)


def _up_to(trained: Trained, layer: Layer) -> fx.GraphModule:
    """The network as far as a layer; it shares the weights, and computes nothing behind."""
    assert isinstance(trained.model, fx.GraphModule)
    graph, copies, wanted = fx.Graph(), dict[fx.Node, fx.Node](), _values(trained)[layer.node_id]
    needed = {wanted}
    for node in reversed(trained.model.graph.nodes):
        if node in needed:
            needed.update(node.all_input_nodes)
    for node in trained.model.graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(copies[wanted])
    return fx.GraphModule(trained.model, graph, class_name="Beginning")


def _mask_of(trained: Trained, layer: Layer) -> Callable[[tuple[Tensor, ...]], Tensor] | None:
    """What tells the real steps of a value (N, T) by the inputs, where short samples are filled up; None elsewhere."""
    if not layer.spec.padded or layer.kept is None:
        return None
    for place, (_, spec) in enumerate(trained.plan.inputs):
        if spec.dtype == "int" and spec.dims[0] == layer.spec.dims[layer.spec.padded - 1]:
            return lambda inputs: _real(inputs[place])
    return None


def _real(tokens: Tensor) -> Tensor:
    """Which tokens do not only fill up (N, L), as an Embedding tells it: the first one is always real."""
    return (tokens != 0).index_fill(1, torch.zeros(1, dtype=torch.int64, device=tokens.device), True)


def _as_vectors(values: Tensor, layer: Layer, real: Tensor | None) -> Tensor:
    """Values (N, *dims) as vectors (N, D).

    Args:
        real: which steps count (N, T); None for all.
    """
    if layer.kept is None:
        return values.flatten(1)
    if real is None:
        return values.movedim(layer.kept + 1, 1).flatten(2).mean(2)
    shape = [1] * values.ndim
    shape[0], shape[layer.spec.padded] = real.shape
    weights = real.view(shape).to(values.dtype)
    others = [axis for axis in range(1, values.ndim) if axis != layer.kept + 1]
    many = values.numel() // (len(values) * layer.size * real.shape[1])  # places beside the steps
    sums = (values * weights).sum(others)
    return sums / (real.sum(1, keepdim=True) * many).clamp(min=1)
