"""A plan becomes a torch module: a `torch.fx.GraphModule` whose forward is plain generated Python."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx

from studio.compile.plan import Plan, Step
from studio.compile.record import Operation, Ref


def build_network(plan: Plan) -> fx.GraphModule:
    """Make the network, with fresh weights drawn from torch's global random generator in the plan's order.

    Returns:
        a module that takes one batch (N, *) per Input and returns the answer; a tuple for several Outputs.
    """
    layers = {
        name: spec.build()
        for step in plan.steps
        for name, spec in zip(step.layer_names, step.record.layers, strict=True)
    }
    graph = fx.Graph()
    values = {name: graph.placeholder(name) for name, _ in plan.inputs}
    for step in plan.steps:
        values[step.node.name] = _write_step(graph, step, [values[source] for source in step.sources])
    answers = tuple(values[name] for name in plan.outputs)
    graph.output(answers[0] if len(answers) == 1 else answers)
    return fx.GraphModule(layers, graph, class_name="Network")


def _write_step(graph: fx.Graph, step: Step, inputs: list[fx.Node]) -> fx.Node:
    results: list[fx.Node] = []

    def resolve(argument: Any) -> Any:
        if isinstance(argument, tuple):
            return tuple(resolve(item) for item in argument)
        if isinstance(argument, Ref):
            return results[argument.index] if argument.index >= 0 else inputs[-1 - argument.index]
        return argument

    for operation in step.record.operations:
        results.append(_call(graph, step, operation, resolve(operation.args)))
    output: fx.Node = resolve(step.record.output)
    return output


def _call(graph: fx.Graph, step: Step, operation: Operation, args: tuple[Any, ...]) -> fx.Node:
    kwargs = dict(operation.kwargs)
    if operation.kind == "layer":
        return graph.call_module(step.layer_names[int(operation.target)], args, kwargs)
    if operation.kind == "item":
        return graph.call_function(operator.getitem, args)
    return graph.call_function(getattr(torch, operation.target), args, kwargs)
