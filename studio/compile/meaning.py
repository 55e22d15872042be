"""What fits in shape but hardly means what it says: a softmax before cross-entropy, a bias before a batch norm.

The checks look at the blocks in the order in which data passes them: bypassed blocks and ports of groups are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from studio.blocks import Input, Output, Remedy
from studio.blocks.sequence import Embedding
from studio.blocks.terminals import FROM_DATA
from studio.blocks.torchvision_backbone import Backbone
from studio.compile.analysis import ERROR, HINT, WARNING, NodeAnalysis, Problem
from studio.compile.outputs import target_of
from studio.data.base import DataSpec, Target
from studio.graph import Graph, Node
from studio.graph.groups import BOUNDARY
from studio.graph.paths import flatten, scope_of
from studio.settings import TrainingSettings

LARGE_DENSE = 50_000_000  # parameters
_PROBABILITIES = ("softmax", "sigmoid")
_LIMITS = {
    "softmax": "between 0 and 1",
    "sigmoid": "between 0 and 1",
    "tanh": "between -1 and 1",
    "relu": "of zero or more",
}
_LABELS = {
    "sigmoid": "whose loss takes a sigmoid of each score itself: with two of them the network learns slowly.",
    "softmax": "where each sample may have several labels; the shares of a softmax add up to one label.",
    "relu": "where a score below zero says that a sample does not have a label; there are none behind it.",
}


class Flow:
    """A graph with all groups unfolded, as data passes it."""

    def __init__(
        self, graph: Graph, nodes: Mapping[str, NodeAnalysis], data: DataSpec | None, training: TrainingSettings | None
    ) -> None:
        self.graph = flatten(graph, everything=True)
        self.nodes = nodes
        self.data = data
        self.training = training

    def source(self, node: Node) -> Node | None:
        """The block that feeds a block's first input; None if there is none."""
        links = self.graph.links_into(node.id)
        found = self.graph.node(links[0].source) if links else None
        return self.source(found) if found is not None and _is_passed(found) else found

    def is_frozen(self, node: Node) -> bool:
        """Whether a block, or a group in which it stands, keeps its weights in training."""
        around = scope_of(node.id)
        return node.frozen or bool(around and self.is_frozen(self.graph.node(around)))

    def origin(self, node: Node) -> Node | None:
        """The Input from which a block's first input comes, through whatever stands between; None if there is none."""
        source = self.source(node)
        return source if source is None or isinstance(source.block, Input) else self.origin(source)

    def tokens_into(self, node: Node) -> int:
        """How many token numbers the dataset may give a block's first input; 0 if it is not of tokens, or not known."""
        number, given = self._input_number(node), self.data.tokens if self.data is not None else ()
        return given[number] if number < len(given) else 0

    def axes_into(self, node: Node) -> str:
        """The axes of what the dataset gives a block's first input; empty if that is not known."""
        number, given = self._input_number(node), self.data.inputs if self.data is not None else ()
        return given[number].axes if number < len(given) else ""

    def _input_number(self, node: Node) -> int:
        """Which of the Inputs a block's first input comes from; as many as there are if it comes from none."""
        origin, inputs = self.origin(node), self.graph.inputs
        return [other.id for other in inputs].index(origin.id) if origin is not None else len(inputs)

    def feeds_only(self, node: Node, target: Node) -> bool:
        """Whether what a block gives goes to another one and nowhere else."""
        links = self.graph.links_out_of(node.id)
        if len(links) != 1:
            return False
        following = self.graph.node(links[0].target)
        return following.id == target.id or (_is_passed(following) and self.feeds_only(following, target))

    def task(self, node: Node) -> str:
        """classification, multi-label or regression; empty if that is not known."""
        assert isinstance(node.block, Output)
        if node.block.task != FROM_DATA:
            return node.block.task
        target = self.target(node)
        return target.task if target is not None else ""

    def target(self, node: Node) -> Target | None:
        """What an Output is compared with; None if that is not known."""
        return target_of(node, self.data) if self.data is not None else None


def _is_passed(node: Node) -> bool:
    return node.bypassed or isinstance(node.block, BOUNDARY)


def meaning_problems(
    graph: Graph, nodes: Mapping[str, NodeAnalysis], data: DataSpec | None, training: TrainingSettings | None
) -> list[Problem]:
    """Warnings and hints about a graph.

    Args:
        graph: any graph.
        nodes: what was inferred of its blocks.
        data: what the dataset gives and wants; None leaves out what depends on it.
        training: with what settings it is to be trained; None leaves out what depends on them.
    """
    flow = Flow(graph, nodes, data, training)
    present = [node for node in flow.graph.nodes if not _is_passed(node)]
    return [problem for node in present for check in _CHECKS for problem in check(flow, node)]


def _before_output(flow: Flow, node: Node) -> Iterator[Problem]:
    """An activation or a dropout between the last layer and the answer."""
    source = flow.source(node) if isinstance(node.block, Output) else None
    if source is None:
        return
    kind, title, task = source.block.kind, source.block.title, flow.task(node)
    if kind == "dropout":
        message = f"“{source.name}” drops parts of the answer itself. Put Dropout before the last layer, not after it."
        yield Problem(WARNING, message, source.id)
    elif task == "classification" and kind in _PROBABILITIES:
        message = (
            f"“{source.name}” stands before “{node.name}”, whose cross-entropy loss takes the logarithm of a softmax "
            "itself: with two of them the network learns slowly. Remove it."
        )
        yield Problem(WARNING, message, source.id)
    elif task == "classification" and kind == "relu":
        message = f"“{source.name}” cuts off all scores below zero before “{node.name}”. Remove it."
        yield Problem(WARNING, message, source.id)
    elif task == "multi-label" and kind in (*_PROBABILITIES, "relu"):
        message = f"“{source.name}” ({source.block.title}) stands before “{node.name}”, {_LABELS[kind]} Remove it."
        yield Problem(WARNING, message, source.id)
    elif task == "regression" and kind in _LIMITS and not _reaches_all(kind, target := flow.target(node)):
        scaled = kind == "sigmoid" and target is not None and target.is_input
        advice = "Remove it, or scale the data to the unit range." if scaled else "Remove it."
        message = f"After “{source.name}” ({title}) the network can only predict numbers {_LIMITS[kind]}. {advice}"
        yield Problem(WARNING, message, source.id)


def _reaches_all(kind: str, target: Target | None) -> bool:
    """Whether an activation can give every number that is to be predicted; the shares of a softmax sum to 1."""
    limits = target.limits if target is not None else None
    lowest = {"sigmoid": 0.0, "tanh": -1.0, "relu": 0.0}.get(kind)
    return limits is not None and lowest is not None and lowest <= limits[0] and (kind == "relu" or limits[1] <= 1.0)


def _bias_before_norm(flow: Flow, node: Node) -> Iterator[Problem]:
    source = flow.source(node) if node.block.kind == "batch_norm" else None
    if source is None or source.repeat > 1 or not getattr(source.block, "bias", False):
        return
    if flow.feeds_only(source, node):
        message = f"The bias of “{source.name}” has no effect: “{node.name}” takes the mean away. Switch it off."
        yield Problem(HINT, message, source.id, (Remedy(fields=(("bias", False),)),))


def _dense_after_dense(flow: Flow, node: Node) -> Iterator[Problem]:
    if node.block.kind != "dense":
        return
    source = flow.source(node)
    if source is None or source.block.kind != "dense" or _narrows(flow, source, node):
        return
    if flow.feeds_only(source, node):
        message = (
            f"“{source.name}” and “{node.name}” compute no more than a single Dense: put an activation, such as ReLU, "
            "between them."
        )
        yield Problem(HINT, message, node.id, (Remedy("relu"),))


def _narrows(flow: Flow, first: Node, second: Node) -> bool:
    """Whether two layers compute less than a single one, as the wire between them is narrower than what comes before
    and after: the code of an autoencoder.
    """
    ends = [flow.nodes.get(node.id, NodeAnalysis()) for node in (first, second)]
    sizes = [spec.dims[-1] for found in ends for spec in (*found.inputs[:1], *found.outputs[:1])]
    return len(sizes) == 4 and sizes[1] < min(sizes[0], sizes[3])


def _norm_of_one_sample(flow: Flow, node: Node) -> Iterator[Problem]:
    if node.block.kind != "batch_norm" or flow.training is None or flow.training.batch_size > 1:
        return
    found = flow.nodes.get(node.id, NodeAnalysis())
    alone = bool(found.inputs) and len(found.inputs[0].dims) == 1
    message = (
        f"“{node.name}” compares the samples of a batch, but the batch size is 1. Use Layer norm or larger batches."
    )
    yield Problem(ERROR if alone else WARNING, message, node.id)


def _norms_in_backbone(flow: Flow, node: Node) -> Iterator[Problem]:
    """The same for the batch norms that a backbone brings; frozen ones compare nothing."""
    block = node.block
    if not isinstance(block, Backbone) or not block.chosen.norms or flow.is_frozen(node):
        return
    if flow.training is None or flow.training.batch_size > 1:
        return
    found = flow.nodes.get(node.id, NodeAnalysis())
    alone = bool(found.outputs) and found.outputs[0].dims[1:] == (1, 1)
    message = (
        f"The batch norms in “{node.name}” compare the samples of a batch, but the batch size is 1. Use larger "
        "batches, or freeze it."
    )
    yield Problem(ERROR if alone else WARNING, message, node.id)


def _large_dense(flow: Flow, node: Node) -> Iterator[Problem]:
    found = flow.nodes.get(node.id, NodeAnalysis())
    if node.block.kind == "dense" and found.parameters > LARGE_DENSE:
        message = (
            f"“{node.name}” alone has {found.parameters:,} parameters, because it takes ({found.inputs[0]}). "
            "Put a pooling before it, or take fewer units."
        )
        yield Problem(HINT, message, node.id)


def _tokens_of_texts(flow: Flow, node: Node) -> Iterator[Problem]:
    """An embedding with fewer rows than there are tokens, at the first of which a run would break off; or one for which
    padding is a token like others.
    """
    if not isinstance(node.block, Embedding):
        return
    tokens, rows = flow.tokens_into(node), node.block.vocabulary
    # All of one length, of a known alphabet; or the categories of a table.
    windows = flow.data is not None and (bool(flow.data.characters) or flow.axes_into(node) == "D")
    if rows < tokens:
        message = (
            f"“{node.name}” has a row for {rows:,} tokens, but the dataset has up to {tokens:,}. Set its "
            f"vocabulary to {tokens:,}{'' if windows else f', or that of the dataset to {rows:,}'}."
        )
        yield Problem(ERROR, message, node.id, (Remedy(fields=(("vocabulary", tokens),)),))
    if tokens and not windows and not node.block.padding:
        message = (
            f"“{node.name}” takes the padding at the end of short texts for a word like others. Switch its padding on, "
            "and what follows leaves it out."
        )
        yield Problem(HINT, message, node.id, (Remedy(fields=(("padding", True),)),))


_CHECKS: tuple[Callable[[Flow, Node], Iterator[Problem]], ...] = (
    _before_output, _bias_before_norm, _dense_after_dense, _norm_of_one_sample, _norms_in_backbone, _large_dense,
    _tokens_of_texts,
)  # fmt: skip
