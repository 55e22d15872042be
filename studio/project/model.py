"""The value a person works on, and the value a run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from studio.blocks import Block, Input, Output
from studio.blocks.sequence import Embedding
from studio.blocks.terminals import FROM_DATA
from studio.data.base import DataSpec, Target
from studio.data.choice import DataChoice
from studio.fields import FieldValue
from studio.fields import replace as replace_fields
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


def fit_ends(graph: Graph, spec: DataSpec) -> Edit:
    """The edit that gives the graph's ends what a dataset needs: shapes of Inputs, vocabularies, number of answers.

    Only what is surely meant is changed: the Inputs in order, an Embedding that would not know every token, and a
    last layer right before an Output for the data's target, if that is known. What lies in groups stays.
    """
    edits = [SetBlock(node.id, input_for(tensor)) for node, tensor in zip(graph.inputs, spec.inputs, strict=False)]
    for node, tokens in zip(graph.inputs, spec.tokens, strict=False):
        edits += _enough_tokens(graph, node.id, tokens)
    for node in graph.outputs if spec.target.size else ():
        if isinstance(node.block, Output) and node.block.target == FROM_DATA:
            edits += _right_answers(graph, node.id, spec.target)
    return Several(tuple(edits))


def _enough_tokens(graph: Graph, input_id: str, tokens: int) -> list[SetBlock]:
    readers = [graph.node(link.target) for link in graph.links if link.source == input_id]
    return [
        SetBlock(node.id, replace_fields(node.block, vocabulary=tokens))
        for node in readers
        if isinstance(node.block, Embedding) and node.block.vocabulary < tokens
    ]


def _right_answers(graph: Graph, output_id: str, target: Target) -> list[SetBlock]:
    links = graph.links_into(output_id)
    source = graph.node(links[0].source) if links else None
    fields = resized(source.block, target)[1] if source is not None else {}
    if source is None or all(getattr(source.block, name) == value for name, value in fields.items()):
        return []
    return [SetBlock(source.id, replace_fields(source.block, **fields))]


def resized(block: Block, target: Target) -> tuple[str, dict[str, FieldValue]]:
    """How the last layer could be set to give the right number: in words, and as fields; none for other blocks."""
    dims = target.answer.dims
    if block.kind == "dense":
        return f"{dims[-1]} units", {"units": dims[-1]}
    if len(dims) == 3 and block.kind in ("conv2d", "conv_transpose2d", "separable_conv2d"):
        return f"{dims[0]} filter{'s' * (dims[0] != 1)}", {"filters": dims[0]}
    return "", {}


def new_block(project: Project, kind: type[Block]) -> Block:
    """A block with default settings to add to a project; an Input has the shape of the dataset's samples."""
    given, number = project.data.spec.inputs, len(project.graph.inputs)
    return input_for(given[number]) if kind is Input and number < len(given) else kind()


def input_for(tensor: TensorSpec) -> Input:
    """The Input that takes this tensor of a dataset."""
    return Input(shape=tensor.dims, values="tokens" if tensor.dtype == "int" else "real")
