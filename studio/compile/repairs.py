"""Ways out of problems: candidates for each, tried before they are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from studio.blocks import Block, Input, Output, Remedy, registry
from studio.blocks.normalization import LayerNorm
from studio.blocks.terminals import FROM_DATA
from studio.compile.analysis import ERROR, Analysis, Problem, Repair
from studio.compile.answers import endings
from studio.compile.outputs import target_of
from studio.compile.shapes import analyze
from studio.data.base import DataSpec
from studio.fields import FieldError, FieldSpec, FieldValue, specs
from studio.fields import replace as replace_fields
from studio.graph import Graph, GraphError, Link, Node
from studio.graph.edits import AddLink, AddNode, Dissolve, Edit, Remove, SetBlock, Several, new_node
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH, PITCH
from studio.graph.paths import flatten
from studio.graph.placement import add, append, free_place, insert
from studio.project.model import input_for, resized
from studio.settings import TrainingSettings

MOST_PROBLEMS = 12  # for so many, repairs are sought; each try costs an analysis
MOST_REPAIRS = 4  # offered for one problem


def with_repairs(
    graph: Graph,
    analysis: Analysis,
    data: DataSpec | None,
    training: TrainingSettings | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> Analysis:
    """The analysis, its first problems with the repairs that were found to help, the best first.

    Args:
        graph: the graph that was analyzed.
        analysis: of it.
        data, training: as for `analyze`.
        wanted: asked before each try; as soon as it says no, the search ends with what was found.
    """
    search = _Search(graph, analysis, data, training, wanted)
    problems = [
        replace(problem, repairs=search.repairs(problem)) if number < MOST_PROBLEMS else problem
        for number, problem in enumerate(analysis.problems)
    ]
    return replace(analysis, problems=tuple(problems))


class _Search:
    """Looks for repairs in the graph with all groups unfolded, and tries them on the one that is stored."""

    def __init__(
        self, graph: Graph, analysis: Analysis, data: DataSpec | None, training: TrainingSettings | None,
        wanted: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.graph = graph
        self.shown = flatten(graph, everything=True)
        self.analysis = analysis
        self.data = data
        self.training = training
        self.wanted = wanted

    def repairs(self, problem: Problem) -> tuple[Repair, ...]:
        """Those that help, the best first."""
        found: list[tuple[int, Repair]] = []
        before = _errors(self.analysis)
        for repair in _candidates(self.shown, self.analysis, problem, self.data):
            if not self.wanted():
                break
            left = self._errors_left(repair.edit, problem)
            if left is not None and left <= before:
                found.append((left, repair))
        found.sort(key=lambda pair: pair[0])  # stable: the likeliest stay first among equals
        return tuple(repair for _, repair in found[:MOST_REPAIRS])

    def _errors_left(self, edit: Edit, problem: Problem) -> int | None:
        """How many errors an edit leaves; None if it is refused, the problem stays or a new block does not fit."""
        try:
            after = analyze(edit.apply(self.graph), self.data, self.training)
        except GraphError:
            return None
        stays = any(p.severity == problem.severity and _same(p, problem) for p in after.problems)
        known = self.shown.by_id
        misfits = any(p.severity == ERROR and p.node_id and p.node_id not in known for p in after.problems)
        return None if stays or misfits else _errors(after)


def _errors(analysis: Analysis) -> int:
    return sum(problem.severity == ERROR for problem in analysis.problems)


def _same(a: Problem, b: Problem) -> bool:
    """Whether two problems are about the same thing; a block that still does not fit is not repaired."""
    return a.node_id == b.node_id and (a.node_id is not None or a.message == b.message)


def _candidates(graph: Graph, analysis: Analysis, problem: Problem, data: DataSpec | None) -> Iterator[Repair]:
    if problem.node_id is None:
        yield from _missing_ends(graph, data)
        return
    node = graph.node(problem.node_id)
    for remedy in problem.remedies:
        yield from _from_remedy(graph, node, remedy)
    if isinstance(node.block, Input) and data is not None:
        yield from _fit_input(graph, node, data)
    if isinstance(node.block, Output) and data is not None:
        yield from _fit_output(graph, analysis, node, data)
    if not graph.inputs and node.block.inputs and not graph.links_into(node.id):
        yield _add_input(graph, node, data)
    if node.block.kind == "batch_norm":
        yield Repair("Use Layer norm instead", SetBlock(node.id, LayerNorm()))
    yield from _link_open_ends(graph, node)
    yield from _take_away(graph, node)


def _from_remedy(graph: Graph, node: Node, remedy: Remedy) -> Iterator[Repair]:
    try:
        block = registry.get(remedy.insert)(**dict(remedy.fields)) if remedy.insert else None
        changed = replace_fields(node.block, **dict(remedy.fields)) if block is None else node.block
    except FieldError:
        return  # a guess out of the field's range
    if block is None:
        yield Repair(_change_text(node.block, dict(remedy.fields)), SetBlock(node.id, changed))
        return
    links = graph.links_into(node.id)
    if remedy.input < len(links):
        yield Repair(f"Insert {_describe(block)}", insert(graph, links[remedy.input], block).edit)


def _change_text(block: Block, changes: dict[str, FieldValue]) -> str:
    return "Set " + " and ".join(
        f"{spec.label.lower()} to {_show(spec, changes[spec.name])}"
        for spec in specs(type(block))
        if spec.name in changes
    )


def _show(spec: FieldSpec, value: FieldValue) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return spec.special if spec.special and value == spec.min else str(value)


def _describe(block: Block) -> str:
    """A block and what is not usual about it: "Dense (units 10)"."""
    unusual = [s for s in specs(type(block)) if getattr(block, s.name) != s.default]
    values = ", ".join(f"{s.label.lower()} {_show(s, getattr(block, s.name))}" for s in unusual)
    return f"{block.title} ({values})" if values else block.title


def _fit_input(graph: Graph, node: Node, data: DataSpec) -> Iterator[Repair]:
    """Give an Input the shape of the dataset's samples."""
    number = [other.id for other in graph.inputs].index(node.id)
    if number < len(data.inputs):
        block = input_for(data.inputs[number])
        yield Repair(f"Set the shape to {', '.join(map(str, block.shape))}", SetBlock(node.id, block))


def _fit_output(graph: Graph, analysis: Analysis, node: Node, data: DataSpec) -> Iterator[Repair]:
    """Make an Output get as many numbers as the dataset has classes or targets, at every place."""
    assert isinstance(node.block, Output)
    target = target_of(node, data)
    if target is None:
        return
    if node.block.task not in (FROM_DATA, target.task):
        yield Repair("Set the task to from data", SetBlock(node.id, replace_fields(node.block, task=FROM_DATA)))
    links = graph.links_into(node.id)
    if not links or not target.size:
        return
    source = graph.node(links[0].source)
    text, fields = resized(source.block, target)
    if fields:
        yield Repair(f"Set “{source.name}” to {text}", SetBlock(source.id, replace_fields(source.block, **fields)))
    given = analysis.nodes[node.id].inputs
    for text, blocks in endings(given[0], target) if given else ():
        yield Repair(f"Insert {text}", _insert_all(graph, node, blocks))


def _insert_all(graph: Graph, node: Node, blocks: Sequence[Block]) -> Edit:
    """Blocks one after the other into the wire to a block's first input."""
    edits = []
    for block in blocks:
        placed = insert(graph, graph.links_into(node.id)[0], block)
        graph = placed.edit.apply(graph)
        edits.append(placed.edit)
    return edits[0] if len(edits) == 1 else Several(tuple(edits))


def _missing_ends(graph: Graph, data: DataSpec | None) -> Iterator[Repair]:
    if not graph.outputs:
        yield from _add_output(graph, data)
    if not graph.inputs:
        starts = [n for n in graph.order if n.block.inputs and not graph.links_into(n.id)]
        for start in starts[:MOST_REPAIRS]:
            yield _add_input(graph, start, data)
        if not starts:
            yield Repair("Add an Input", add(graph, _new_input(data), 0.0, -2 * PITCH).edit)


def _new_input(data: DataSpec | None) -> Input:
    return input_for(data.inputs[0]) if data is not None else Input()


def _add_input(graph: Graph, start: Node, data: DataSpec | None) -> Repair:
    placed = add(graph, _new_input(data), start.x + NODE_WIDTH / 2, start.y - PITCH + NODE_HEIGHT / 2)
    link = AddLink(Link(placed.node.id, 0, start.id, 0))
    return Repair(f"Add an Input before “{start.name}”", Several((placed.edit, link)))


def _add_output(graph: Graph, data: DataSpec | None) -> Iterator[Repair]:
    ends = [node for node in reversed(graph.order) if node.block.outputs and not graph.links_out_of(node.id)]
    for end in ends[:MOST_REPAIRS]:
        yield Repair(f"Add an Output after “{end.name}”", append(graph, end.id, Output()).edit)


def _link_open_ends(graph: Graph, node: Node) -> Iterator[Repair]:
    """Feed a block that has nothing to work on, or lead a loose end to an Output that has nothing."""
    port = graph.free_input(node.id)
    if port is not None and len(graph.links_into(node.id)) < max(1, len(node.block.inputs)):
        ends = [n for n in reversed(graph.order) if n.block.outputs and n.id != node.id]
        ends.sort(key=lambda n: bool(graph.links_out_of(n.id)))  # loose ends first
        for end in ends[:MOST_REPAIRS]:
            yield Repair(f"Link “{end.name}” to it", AddLink(Link(end.id, 0, node.id, port)))
            for kind in ("flatten", "global_average_pool"):
                yield _link_through(graph, end, registry.get(kind)(), node, port)
    if node.block.outputs and not graph.links_out_of(node.id):
        for output in graph.outputs:
            if not graph.links_into(output.id):
                yield Repair(f"Link it to “{output.name}”", AddLink(Link(node.id, 0, output.id, 0)))


def _link_through(graph: Graph, end: Node, block: Block, node: Node, port: int) -> Repair:
    between = new_node(graph, block, *free_place(graph, end.x, end.y + PITCH))
    links = (AddLink(Link(end.id, 0, between.id, 0)), AddLink(Link(between.id, 0, node.id, port)))
    return Repair(f"Link “{end.name}” to it through {block.title}", Several((AddNode(between), *links)))


def _take_away(graph: Graph, node: Node) -> Iterator[Repair]:
    if len(graph.links_into(node.id)) == 1 and graph.links_out_of(node.id):
        yield Repair(f"Remove “{node.name}” and link its neighbours", Dissolve(frozenset({node.id})))
    elif not isinstance(node.block, Output) or len(graph.outputs) > 1:
        yield Repair(f"Remove “{node.name}”", Remove(frozenset({node.id})))
