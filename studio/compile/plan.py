"""A finished graph laid out for building: what comes in, which records in which order, what goes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from studio.blocks import Block, Input, Output
from studio.compile.layers import BackboneSpec, LayerSpec
from studio.compile.outputs import main_output
from studio.compile.record import BlockRecord, Operation, Ref, record
from studio.compile.shapes import analyze, reaching_an_output
from studio.fields import FieldValue
from studio.graph import Graph, Link, Node
from studio.graph.groups import GroupInput, GroupOutput, GroupUse
from studio.graph.names import fresh_name
from studio.tensors import TensorSpec


class CompileError(ValueError):
    """A graph cannot become a network; the message lists why."""


@dataclass(frozen=True)
class Step:
    """One block of the network, ready to be built.

    Args:
        node: the block.
        layer_names: attribute of each of its layers; of a group or a repeated block, the one that holds all of it.
        sources: names of the values it takes, and behind them of the masks that it needs.
        results: names of the values it gives.
        mask: name of the mask that it makes, which comes behind its results; empty if nobody needs one of it.
        parts: what is applied, one after the other: the record of a block, or the plans of a group, one for each
            repetition. A repeated block is a plan of one step, unless it is a `single_layer`.
    """

    node: Node
    layer_names: tuple[str, ...]
    sources: tuple[str, ...]
    results: tuple[str, ...]
    parts: tuple[BlockRecord | Plan, ...]
    mask: str = ""

    @property
    def is_repeated(self) -> bool:
        """Whether there are several parts, each fed by the one before."""
        return self.node.repeat > 1

    @property
    def spec(self) -> TensorSpec:
        """Its first result."""
        return self.parts[-1].specs[0]

    def path(self, number: int) -> str:
        """Attribute of the module of one of its parts, which is a single one."""
        return f"{self.layer_names[0]}.{number}" if self.is_repeated else self.layer_names[0]


@dataclass(frozen=True)
class Plan:
    """A network or a group in order of execution.

    Args:
        inputs: name and spec of each argument of forward; masks stand last.
        steps: every block that takes part in an answer, but Inputs and Outputs.
        outputs: name of the value that is each answer.
        specs: the answers' specs.
        title: name of the class.
        settings: values of the settings that a group exposes.
        masks: for each output the number of the mask among those of the padded inputs that is its own too; -1 if it is
            the mask that the group makes, None if it is not padded.
        masks_taken: how many masks of its inputs it needs.
        mask: name of the value that is the mask it makes, given behind the outputs; empty if it makes none.
        main: number of the answer that is that of the network, where it has several.
        ends: names of the Outputs, one for each answer of a network; none of a group.
    """

    inputs: tuple[tuple[str, TensorSpec], ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    specs: tuple[TensorSpec, ...]
    title: str = ""
    settings: tuple[tuple[str, FieldValue], ...] = ()
    masks: tuple[int | None, ...] = ()
    masks_taken: int = 0
    mask: str = ""
    main: int = 0
    ends: tuple[str, ...] = ()

    def main_only(self) -> Plan:
        """The same network, with the same weights, that gives the main answer alone."""
        answer, spec, end = self.outputs[self.main], self.specs[self.main], self.ends[self.main]
        return replace(self, outputs=(answer,), specs=(spec,), ends=(end,), main=0)

    @property
    def parameters(self) -> int:
        """Learned numbers in the network."""
        return sum(part.parameters for step in self.steps for part in step.parts)

    def frozen(self) -> Iterator[str]:
        """Paths of the modules (and learned tensors) whose weights stay as they are in training."""
        for step in self.steps:
            if step.node.frozen:
                yield from step.layer_names
                continue
            for number, part in enumerate(step.parts):
                if isinstance(part, Plan):
                    yield from (f"{step.path(number)}.{inner}" for inner in part.frozen())

    def layers(self) -> Iterator[LayerSpec]:
        """Every layer, with those in groups."""
        return (layer for _, layer in self.named_layers())

    def named_layers(self) -> Iterator[tuple[str, LayerSpec]]:
        """The same with the path of the module that each becomes."""
        for step in self.steps:
            for number, part in enumerate(step.parts):
                if isinstance(part, Plan):
                    yield from ((f"{step.path(number)}.{inner}", layer) for inner, layer in part.named_layers())
                else:
                    names = (step.path(number),) if step.is_repeated else step.layer_names
                    yield from zip(names, part.layers, strict=True)


def make_plan(graph: Graph) -> Plan:
    """Lay out a graph.

    Raises:
        CompileError: if it has problems; the message lists them.
    """
    analysis = analyze(graph)
    if not analysis.trainable:
        raise CompileError("\n".join(p.message for p in analysis.problems if p.severity == "error"))
    given = {node.id: node.block.spec for node in graph.inputs if isinstance(node.block, Input)}
    ends = graph.outputs
    return replace(_Planner(graph, given).plan(), main=main_output(ends), ends=tuple(node.name for node in ends))


def single_layer(part: BlockRecord | Plan) -> LayerSpec | None:
    """The layer that is all of a block: called once on its only input. None if there is more to it."""
    if isinstance(part, Plan) or len(part.layers) != 1 or part.outputs != (Ref(0),):
        return None
    return part.layers[0] if part.operations == (Operation("layer", "0", (Ref(-1),)),) else None


def has_backbone(plan: Plan) -> bool:
    """Whether a part of torchvision's networks is in it."""
    return any(isinstance(layer, BackboneSpec) for layer in plan.layers())


class _Planner:
    """Lays out one level: the whole graph, or the body of a group.

    Args:
        graph: the level.
        given: what enters at each Input or GroupInput, by its id.
    """

    def __init__(self, graph: Graph, given: dict[str, TensorSpec]) -> None:
        self.graph = graph
        self.given = given
        self.used = reaching_an_output(graph)
        self.specs: dict[tuple[str, int], TensorSpec] = {(node_id, 0): spec for node_id, spec in given.items()}
        self.values: dict[tuple[str, int], str] = {}  # name of what each output gives
        self.masks: dict[tuple[str, int], str] = {}  # name of its mask, if it is padded
        self.taken = set(graph.names)

    def plan(self, title: str = "", settings: tuple[tuple[str, FieldValue], ...] = ()) -> Plan:
        """The plan of the level."""
        steps: list[Step] = []
        starts = [node for node in self.graph.nodes if isinstance(node.block, Input | GroupInput)]
        for node in starts:
            self.values[node.id, 0] = node.name
            if self.given[node.id].padded:
                self.masks[node.id, 0] = self._free(f"{node.name}_mask"[:56])
        for node in self.graph.order:
            if isinstance(node.block, Input | GroupInput):
                continue
            if node.id in self.used and not isinstance(node.block, Output | GroupOutput):
                if node.bypassed:
                    self._pass_on(node)
                else:
                    steps.append(self._step(node))
        ends = [node for node in self.graph.nodes if isinstance(node.block, Output | GroupOutput)]
        answers = [self._source(self.graph.links_into(node.id)[0]) for node in ends]
        entering = [(self.masks[node.id, 0], self.given[node.id]) for node in starts if self.given[node.id].padded]
        own = [name for name, _ in entering]
        leaving = (
            [self.masks.get(answer, "") for answer in answers] if any(_is_group_end(node) for node in ends) else []
        )
        made = next((name for name in leaving if name and name not in own), "")
        needed = {source for step in steps for source in step.sources} | {made}
        taken = max((number + 1 for number, name in enumerate(own) if name in needed), default=0)
        return Plan(
            tuple((node.name, self.given[node.id]) for node in starts)
            + tuple((name, _mask_spec(spec)) for name, spec in entering[:taken]),
            tuple(_without_idle_mask(step, needed) for step in steps),
            tuple(self.values[answer] for answer in answers),
            tuple(self.specs[answer] for answer in answers),
            title,
            settings,
            tuple((own.index(name) if name in own else -1) if name else None for name in leaving),
            taken,
            made,
        )

    def _source(self, link: Link) -> tuple[str, int]:
        return link.source, link.output

    def _pass_on(self, node: Node) -> None:
        source = self._source(self.graph.links_into(node.id)[0])
        self.values[node.id, 0], self.specs[node.id, 0] = self.values[source], self.specs[source]
        if source in self.masks:
            self.masks[node.id, 0] = self.masks[source]

    def _step(self, node: Node) -> Step:
        sources = [self._source(link) for link in self.graph.links_into(node.id)]
        inputs = tuple(self.specs[source] for source in sources)
        parts: list[BlockRecord | Plan] = []
        plain = node.repeat == 1 or (len(sources) == 1 and single_layer(self._part(node, inputs)) is not None)
        for _ in range(node.repeat):
            part = self._part(node, inputs)
            parts.append(part if plain or isinstance(part, Plan) else _plan_of(node.block, part, inputs))
            inputs = (part.specs[0], *inputs[1:])
        masks = [self.masks[source] for source in sources if source in self.masks]
        names = (*(self.values[source] for source in sources), *masks[: parts[-1].masks_taken])
        results = self._results(node, parts[-1].specs)
        mask = self._mask_made(node, parts[-1], len(sources), masks)
        return Step(node, self._layer_names(node, parts), names, results, tuple(parts), mask)

    def _mask_made(self, node: Node, part: BlockRecord | Plan, sources: int, masks: list[str]) -> str:
        """Note the masks of a step's outputs; returns the name of the one that it makes."""
        made = ""
        for port, spec in enumerate(part.specs):
            if not spec.padded:
                continue
            if isinstance(part, Plan):
                number = part.masks[port]
            else:
                assert part.mask is not None
                number = -1 if part.mask.index >= 0 else -1 - part.mask.index - sources
            assert number is not None
            if number < 0:
                made = made or self._free(f"{node.name}_mask"[:56])
            self.masks[node.id, port] = masks[number] if number >= 0 else made
        return made

    def _part(self, node: Node, inputs: tuple[TensorSpec, ...]) -> BlockRecord | Plan:
        if not isinstance(node.block, GroupUse):
            return record(node.block, inputs)
        group = node.block.definition
        given = {entry.id: spec for entry, spec in zip(group.entries, inputs, strict=True)}
        settings = tuple((exposed.name, node.block.value(exposed.name)) for exposed in group.exposed)
        return _Planner(node.block.body, given).plan(group.name, settings)

    def _results(self, node: Node, specs: tuple[TensorSpec, ...]) -> tuple[str, ...]:
        names = []
        for port, spec in enumerate(specs):
            name = node.name if len(specs) == 1 else self._free(f"{node.name}_{node.block.outputs[port]}"[:56])
            self.values[node.id, port], self.specs[node.id, port] = name, spec
            names.append(name)
        return tuple(names)

    def _layer_names(self, node: Node, parts: list[BlockRecord | Plan]) -> tuple[str, ...]:
        first = parts[0]
        if len(parts) > 1 or isinstance(first, Plan) or len(first.layers) == 1:
            return (node.name,)
        return tuple(self._fresh(node.name) for _ in first.layers)

    def _free(self, wanted: str) -> str:
        if wanted in self.taken:
            return self._fresh(wanted)
        self.taken.add(wanted)
        return wanted

    def _fresh(self, stem: str) -> str:
        name = fresh_name(stem, self.taken)
        self.taken.add(name)
        return name


def _is_group_end(node: Node) -> bool:
    return isinstance(node.block, GroupOutput)


def _mask_spec(spec: TensorSpec) -> TensorSpec:
    """The mask that comes along with a padded tensor."""
    return TensorSpec((spec.dims[spec.padded - 1],), "T", "bool")


def _without_idle_mask(step: Step, needed: set[str]) -> Step:
    """A step that makes a mask only if somebody needs it; a group gives it anyway."""
    idle = step.mask not in needed and isinstance(step.parts[0], BlockRecord)
    return replace(step, mask="") if idle else step


def _plan_of(block: Block, part: BlockRecord, specs: tuple[TensorSpec, ...]) -> Plan:
    """One block as a class of its own."""
    inputs = tuple((f"input_{number + 1}", spec) for number, spec in enumerate(specs))
    masks = [_mask_spec(spec) for spec in specs if spec.padded][: part.masks_taken]
    inputs += tuple((f"mask_{number + 1}", spec) for number, spec in enumerate(masks))
    name = "result"
    words = re.findall(r"[A-Za-z0-9]+", block.title)
    layer_names = ("layer",) if len(part.layers) == 1 else tuple(f"layer_{i + 1}" for i in range(len(part.layers)))
    step = Step(Node("n1", name, block), layer_names, tuple(n for n, _ in inputs), (name,), (part,))
    kept = None if part.mask is None else -1 - part.mask.index - len(specs)
    title = "".join(map(str.capitalize, words)) + "Block"
    return Plan(inputs, (step,), (name,), part.specs, title, (), (kept,), len(masks))
