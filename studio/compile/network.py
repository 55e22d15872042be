"""A plan becomes a torch module: a `torch.fx.GraphModule` whose forward is plain generated Python."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx, nn

from studio.compile.plan import Plan, Step, single_layer
from studio.compile.record import BlockRecord, Operation, Ref
from studio.graph.groups import GroupUse

BLOCK, SCOPE = "studio_block", "studio_group"  # in `meta`: id of the node whose first result it is; id of the group run


def build_network(plan: Plan) -> fx.GraphModule:
    """Make the network, with fresh weights drawn from torch's global random generator in the plan's order.

    A group becomes a module of its own, a repetition an `nn.Sequential`; if it takes several inputs, the modules in it
    are numbered in the same way.

    Returns:
        a module that takes one batch (N, *) per Input and returns the answer; a tuple for several Outputs.
    """
    layers: dict[str, nn.Module | nn.Parameter] = {name: layer for step in plan.steps for name, layer in _layers(step)}
    graph = fx.Graph()
    values: dict[str, fx.Node] = {name: graph.placeholder(name) for name, _ in plan.inputs}
    for step in plan.steps:
        results = _write_step(graph, step, [values[source] for source in step.sources])
        results[0].meta[BLOCK] = step.node.id
        values.update(zip((*step.results, step.mask) if step.mask else step.results, results, strict=True))
    answers = tuple(values[name] for name in (*plan.outputs, plan.mask) if name)
    graph.output(answers[0] if len(answers) == 1 else answers)
    return fx.GraphModule(layers, graph, class_name=plan.title or "Network")


def _layers(step: Step) -> list[tuple[str, nn.Module | nn.Parameter]]:
    """The step's modules by their attributes."""
    first = step.parts[0]
    if step.is_repeated:
        name, modules = step.layer_names[0], [_module(part) for part in step.parts]
        if len(step.sources) == 1:
            return [(name, nn.Sequential(*modules))]
        return [(f"{name}.{number}", module) for number, module in enumerate(modules)]
    if isinstance(first, Plan):
        return [(step.layer_names[0], build_network(first))]
    return [(name, spec.build()) for name, spec in zip(step.layer_names, first.layers, strict=True)]


def _module(part: BlockRecord | Plan) -> nn.Module:
    if isinstance(part, Plan):
        return build_network(part)
    layer = single_layer(part)
    assert layer is not None
    return layer.build()


def _write_step(graph: fx.Graph, step: Step, inputs: list[fx.Node]) -> list[fx.Node]:
    part = step.parts[0]
    if step.is_repeated:
        return [_write_repetition(graph, step, inputs)]
    if isinstance(part, BlockRecord):
        return _write_record(graph, step, part, inputs)
    answer = _call_group(graph, step, step.layer_names[0], inputs)
    count = len(step.results) + bool(step.mask)
    if count == 1:
        return [answer]
    return [graph.call_function(operator.getitem, (answer, port)) for port in range(count)]


def _write_repetition(graph: fx.Graph, step: Step, inputs: list[fx.Node]) -> fx.Node:
    if len(inputs) == 1:
        return _call_group(graph, step, step.layer_names[0], inputs)
    value = inputs[0]
    for number in range(len(step.parts)):
        value = _call_group(graph, step, f"{step.layer_names[0]}.{number}", [value, *inputs[1:]])
    return value


def _call_group(graph: fx.Graph, step: Step, target: str, inputs: list[fx.Node]) -> fx.Node:
    """Call what holds a whole group, or all repetitions of a block."""
    call = graph.call_module(target, tuple(inputs))
    if isinstance(step.node.block, GroupUse):
        call.meta[SCOPE] = step.node.id
    return call


def _write_record(graph: fx.Graph, step: Step, record: BlockRecord, inputs: list[fx.Node]) -> list[fx.Node]:
    results: list[fx.Node] = []

    def resolve(argument: Any) -> Any:
        if isinstance(argument, tuple):
            return tuple(resolve(item) for item in argument)
        if isinstance(argument, Ref):
            return results[argument.index] if argument.index >= 0 else inputs[-1 - argument.index]
        return argument

    for operation in record.operations:
        results.append(_call(graph, step, operation, resolve(operation.args)))
    given = [*record.outputs, record.mask] if step.mask else record.outputs
    return [resolve(output) for output in given]


def _call(graph: fx.Graph, step: Step, operation: Operation, args: tuple[Any, ...]) -> fx.Node:
    kwargs = dict(operation.kwargs)
    if operation.kind == "parameter":
        return graph.get_attr(step.layer_names[int(operation.target)])
    if operation.kind == "layer":
        return graph.call_module(step.layer_names[int(operation.target)], args, kwargs)
    if operation.kind == "item":
        return graph.call_function(operator.getitem, args)
    return graph.call_function(getattr(torch, operation.target), args, kwargs)
