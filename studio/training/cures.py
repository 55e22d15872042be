"""What can be done about a finding with one click: edits of the graph, or of the settings. No torch here.

Each is tried on the project that it is offered for; what cannot be done there, or changes nothing, is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from studio.blocks import Block, Output, registry
from studio.fields import FieldError, specs
from studio.fields import replace as replace_fields
from studio.graph import Graph, GraphError, Node
from studio.graph.edits import Edit, SetBlock, Several
from studio.graph.groups import GroupOutput
from studio.graph.paths import flatten, local_id, scope_of
from studio.graph.placement import insert
from studio.project import Project
from studio.settings import optimizers, schedules
from studio.training import doctor
from studio.training.events import Finding

MOST_CURES = 5  # offered for one finding

_SQUEEZING = ("sigmoid", "tanh", "softsign", "hardsigmoid", "hardtanh")
_LEARNING = ("dense", "conv1d", "conv2d", "conv3d")
_NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm")
_ACTIVATIONS = (*_SQUEEZING, "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "prelu", "mish", "relu6")


@dataclass(frozen=True)
class Cure:
    """One way to go on.

    Args:
        text: what it does, for a button and for the Undo menu.
        project: the project afterwards.
    """

    text: str
    project: Project


_Try = tuple[str, Callable[[Project], Project]]


def cures(finding: Finding, project: Project) -> tuple[Cure, ...]:
    """What can be done about a finding in a project as it is now, the best first."""
    found: dict[str, Cure] = {}
    for text, change in _TRIES[finding.kind](finding, project):
        try:
            after = change(project)
        except (GraphError, FieldError):
            continue
        if after != project:
            found.setdefault(text, Cure(text, after))
    return tuple(found.values())[:MOST_CURES]


def remedies_in(project: Project) -> Callable[[Finding], tuple[str, ...]]:
    """For a doctor: the same in words."""
    return lambda finding: tuple(cure.text for cure in cures(finding, project))


# Of the graph


def _edited(edit: Edit) -> Callable[[Project], Project]:
    return lambda project: replace(project, graph=edit.apply(project.graph))


def _unfolded(project: Project) -> Graph:
    """All blocks, also those in groups, by their paths; a group that is used twice is edited in one of its uses."""
    return flatten(project.graph, everything=True)


def _inner(graph: Graph, node: Node) -> bool:
    """Whether what a block gives is no answer of the network, nor what a group gives."""
    targets = [graph.node(link.target).block for link in graph.links_out_of(node.id)]
    return bool(targets) and not any(isinstance(block, Output | GroupOutput) for block in targets)


def _each_once(nodes: list[Node]) -> list[Node]:
    """Without those that another use of the same group holds as well: what is done to one is done to both."""
    seen: dict[tuple[str, str, Block], Node] = {}
    for node in nodes:
        seen.setdefault((local_id(node.id) if scope_of(node.id) else node.id, node.name, node.block), node)
    return list(seen.values())


def _instead(project: Project, kinds: tuple[str, ...], kind: str, only: tuple[str, ...] = ()) -> Iterator[_Try]:
    """Another block in place of each of these kinds, with the settings that both have; `only`: at these paths."""
    graph, block_class = _unfolded(project), registry.get(kind)
    nodes = [n for n in graph.nodes if n.block.kind in kinds and (not only or n.id in only) and not n.bypassed]
    nodes = _each_once([node for node in nodes if _inner(graph, node)])
    if not nodes:
        return
    shared = {spec.name for spec in specs(block_class)}
    edits = []
    for node in nodes:
        fields = {s.name: getattr(node.block, s.name) for s in specs(type(node.block)) if s.name in shared}
        edits.append(SetBlock(node.id, block_class(**fields)))
    titles = " and ".join(dict.fromkeys(node.block.title for node in nodes))
    where = f"in “{nodes[0].name}”" if len(nodes) == 1 else f"in {len(nodes)} blocks"
    yield f"Use {block_class.title} instead of {titles} {where}", _edited(Several(tuple(edits)))


def _normalize(project: Project, only: tuple[str, ...] = ()) -> Iterator[_Try]:
    """A batch norm after each layer that leads to an activation without one; `only`: to those at these paths."""
    graph = _unfolded(project)
    layers = []
    for node in graph.nodes:
        following = [graph.node(link.target) for link in graph.links_out_of(node.id)]
        leads = node.block.kind in _LEARNING and len(following) == 1 and following[0].block.kind in _ACTIVATIONS
        if leads and (not only or following[0].id in only) and _is_flat(graph, node):
            layers.append(node)
    layers = _each_once(layers)
    if layers:
        where = f"after “{layers[0].name}”" if len(layers) == 1 else f"after {len(layers)} blocks"
        yield f"Insert Batch norm {where}", _inserted([node.id for node in layers], "batch_norm")


def _is_flat(graph: Graph, node: Node) -> bool:
    """Whether a layer surely has its channels where a batch norm looks for them: a Dense in a sequence has not."""
    if node.block.kind != "dense":
        return True
    before = {node.id}
    waiting = [node.id]
    while waiting:
        sources = {link.source for link in graph.links_into(waiting.pop())} - before
        before |= sources
        waiting.extend(sources)
    kinds = {graph.node(i).block.kind for i in before} | {graph.node(i).block.group for i in before}
    return not ({"Sequence", "Attention"} & kinds)


def _inserted(ids: list[str], kind: str, **fields: float) -> Callable[[Project], Project]:
    """A block into the first wire out of each of these."""

    def change(project: Project) -> Project:
        graph = project.graph
        for node_id in ids:
            shown = flatten(graph, everything=True)
            link = shown.links_out_of(node_id)[0]
            graph = insert(shown, link, registry.get(kind)(**fields)).edit.apply(graph)
        return replace(project, graph=graph)

    return change


def _drop_out(project: Project) -> Iterator[_Try]:
    """A dropout before the last layer."""
    graph = _unfolded(project)
    last = [node for node in graph.order if node.block.kind == "dense" and not scope_of(node.id)][-1:]
    links = graph.links_into(last[0].id) if last else ()
    if links and graph.node(links[0].source).block.group not in ("Regularization", "Input and output"):
        before = graph.node(links[0].source)
        yield f"Insert Dropout after “{before.name}”", _inserted([before.id], "dropout", rate=0.3)


def _remember(project: Project) -> Iterator[_Try]:
    """Gates in place of plain recurrence."""
    for kind in ("lstm", "gru"):
        yield from _instead(project, ("rnn",), kind)


# Of the settings


def _with(**parts: object) -> Callable[[Project], Project]:
    return lambda project: replace(project, training=replace_fields(project.training, **parts))


def _rate(project: Project, factor: float) -> Iterator[_Try]:
    optimizer = project.training.optimizer
    rate = float(f"{optimizer.learning_rate * factor:.3g}")
    if rate != optimizer.learning_rate:
        word = "Lower" if factor < 1 else "Raise"
        text = f"{word} the learning rate from {optimizer.learning_rate:g} to {rate:g}"
        yield text, lambda project: _with(optimizer=replace_fields(optimizer, learning_rate=rate))(project)


def _usual_rate(project: Project) -> Iterator[_Try]:
    """What the optimizer has unless another rate is chosen."""
    optimizer = project.training.optimizer
    usual = type(optimizer)().learning_rate
    if not 0.2 < optimizer.learning_rate / usual < 5:
        text = f"Set the learning rate to {usual:g}, the usual one of {optimizer.title}"
        yield text, lambda project: _with(optimizer=replace_fields(optimizer, learning_rate=usual))(project)


def _clip(project: Project) -> Iterator[_Try]:
    gradients = project.training.gradients
    if not 0 < gradients.clip_norm <= 1:
        yield "Clip gradients to a norm of 1", _with(gradients=replace_fields(gradients, clip_norm=1.0))


def _adam(project: Project) -> Iterator[_Try]:
    if not project.training.optimizer.kind.startswith("adam"):
        yield "Use Adam, with its usual learning rate", _with(optimizer=optimizers.get("adam")())


def _decay(project: Project) -> Iterator[_Try]:
    """Weight decay: L2 where it is one, and its own for Adam."""
    optimizer = project.training.optimizer
    if optimizer.kind == "adam":
        fields = {"learning_rate": optimizer.learning_rate, "weight_decay": 0.05}
        yield "Use AdamW with weight decay 0.05", _with(optimizer=optimizers.get("adamw")(**fields))
        return
    decay = getattr(optimizer, "weight_decay", None)
    if decay is not None and decay < 1e-3:
        changed = replace_fields(optimizer, weight_decay=1e-3)
        yield "Set the weight decay (L2) to 0.001", _with(optimizer=changed)


def _stop_early(project: Project) -> Iterator[_Try]:
    stopping = project.training.stopping
    if not stopping.patience:
        yield "Stop early, after 10 epochs without a better one", _with(stopping=replace_fields(stopping, patience=10))


def _warm_up(project: Project) -> Iterator[_Try]:
    if project.training.schedule.kind == "constant":
        yield (
            "Let the learning rate warm up and fall (cosine)",
            _with(schedule=schedules.get("cosine")(warmup_epochs=min(1.0, project.training.epochs / 10))),
        )


def _augment(project: Project) -> Iterator[_Try]:
    """Shifted and turned copies, where samples are images and the target has no places."""
    data = project.data
    shape = data.spec.inputs[0].axes if data.spec.inputs else ""
    if shape == "CHW" and not data.transforms and not data.spec.target.dims:
        from studio.data.transforms import registry as transforms

        change = transforms.get("shift")()
        yield (
            f"Augment the training images: {change.title}",
            lambda project: replace(project, data=replace(project.data, transforms=(change,))),
        )


def _widen(project: Project) -> Iterator[_Try]:
    """Twice the units in every hidden layer."""
    graph = _unfolded(project)
    nodes = _each_once([node for node in graph.nodes if node.block.kind == "dense" and _inner(graph, node)])
    if nodes:
        edits = [SetBlock(n.id, replace_fields(n.block, units=2 * n.block.units)) for n in nodes]  # type: ignore[attr-defined]
        where = f"in “{nodes[0].name}”" if len(nodes) == 1 else f"in {len(nodes)} blocks"
        yield f"Double the units {where}", _edited(Several(tuple(edits)))


# By kind of finding


def _blocks(finding: Finding) -> tuple[str, ...]:
    """Paths of all that it is about."""
    return (finding.node, *finding.others) if finding.node else ()


def _for_vanishing(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _instead(project, _SQUEEZING, "relu")
    yield from _normalize(project)
    yield from _remember(project)
    yield from _adam(project)


def _for_exploding(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _clip(project)
    yield from _remember(project)
    yield from _rate(project, 0.1)
    yield from _normalize(project)


def _for_dead(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _instead(project, ("relu", "relu6"), "leaky_relu", _blocks(finding))
    yield from _rate(project, 0.1)
    yield from _normalize(project, _blocks(finding))
    yield from _instead(project, ("relu", "relu6"), "leaky_relu")


def _for_saturated(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _instead(project, _SQUEEZING, "relu", _blocks(finding))
    yield from _normalize(project, _blocks(finding))
    yield from _remember(project)
    yield from _rate(project, 0.1)


def _for_overfitting(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _drop_out(project)
    yield from _augment(project)
    yield from _decay(project)
    yield from _stop_early(project)


def _for_plateau(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _adam(project)
    yield from _rate(project, 3.0)
    yield from _rate(project, 0.3)
    yield from _widen(project)


def _for_high_rate(finding: Finding, project: Project) -> Iterator[_Try]:
    optimizer = project.training.optimizer
    if optimizer.learning_rate > type(optimizer)().learning_rate:
        yield from _usual_rate(project)
    yield from _rate(project, 0.1)
    yield from _clip(project)
    yield from _warm_up(project)


def _for_low_rate(finding: Finding, project: Project) -> Iterator[_Try]:
    optimizer = project.training.optimizer
    if optimizer.learning_rate < type(optimizer)().learning_rate:
        yield from _usual_rate(project)
    yield from _rate(project, 10.0)
    yield from _adam(project)


def _for_broken(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _rate(project, 0.1)
    yield from _clip(project)


def _for_start(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _normalize(project)


def _for_stuck(finding: Finding, project: Project) -> Iterator[_Try]:
    yield from _usual_rate(project)
    yield from _rate(project, 10.0)
    yield from _instead(project, _SQUEEZING, "relu")
    yield from _normalize(project)
    yield from _adam(project)


def _for_tight(finding: Finding, project: Project) -> Iterator[_Try]:
    """Half the batch, of which two are summed up: the same mathematics in half the memory."""
    settings = project.training
    if settings.batch_size >= 2:
        half, count = settings.batch_size // 2, 2 * settings.gradients.accumulate
        changed = _with(batch_size=half, gradients=replace_fields(settings.gradients, accumulate=count))
        yield f"Halve the batch to {half:,} samples, and sum up {count:,} of them", changed


_TRIES: dict[str, Callable[[Finding, Project], Iterator[_Try]]] = {
    doctor.VANISHING: _for_vanishing, doctor.EXPLODING: _for_exploding, doctor.DEAD: _for_dead,
    doctor.SATURATED: _for_saturated, doctor.OVERFITTING: _for_overfitting, doctor.PLATEAU: _for_plateau,
    doctor.RATE_HIGH: _for_high_rate, doctor.RATE_LOW: _for_low_rate, doctor.BROKEN: _for_broken,
    doctor.START: _for_start, doctor.STUCK: _for_stuck, doctor.TIGHT: _for_tight,
}  # fmt: skip
