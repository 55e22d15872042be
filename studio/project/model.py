"""The value a person works on, and the value a run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from studio.blocks import Block, Input
from studio.data.base import DataSpec
from studio.data.choice import DataChoice
from studio.graph import Graph
from studio.graph.edits import Edit, SetBlock, Several
from studio.settings import TrainingSettings
from studio.tensors import TensorSpec


@dataclass(frozen=True)
class StartingWeights:
    """A checkpoint whose weights a run starts from, instead of fresh ones.

    Args:
        path: of the file; in a project file it may be relative to that.
        sha256: of its content, as hexadecimal digits: a file that was replaced is not taken for it.
    """

    path: Path
    sha256: str


@dataclass(frozen=True)
class Project:
    """All that is saved in a project file.

    Args:
        weights: what a run starts from; None for fresh weights.
        title: free text for people; never an identifier.
        notes: free text that explains the network.
    """

    graph: Graph = field(default_factory=Graph)
    data: DataChoice = field(default_factory=DataChoice)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    title: str = "Untitled"
    notes: str = ""
    weights: StartingWeights | None = None


def fit_inputs(graph: Graph, spec: DataSpec) -> Edit:
    """The edit that gives the graph's Inputs the shapes of a dataset, in order."""
    edits = [SetBlock(node.id, input_for(tensor)) for node, tensor in zip(graph.inputs, spec.inputs, strict=False)]
    return Several(tuple(edits))


def new_block(project: Project, kind: type[Block]) -> Block:
    """A block with default settings to add to a project; an Input has the shape of the dataset's samples."""
    given, number = project.data.spec.inputs, len(project.graph.inputs)
    return input_for(given[number]) if kind is Input and number < len(given) else kind()


def input_for(tensor: TensorSpec) -> Input:
    """The Input that takes this tensor of a dataset."""
    return Input(shape=tensor.dims, values="tokens" if tensor.dtype == "int" else "real")
