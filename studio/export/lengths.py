"""Networks for sequences of any length, where that is possible.

The length of a sequence stands in a network as plain numbers, such as those of a reshape. The same graph built for a
few other lengths shows which numbers follow the length, and how; these are then computed from the sequence that enters.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from studio.blocks import Input
from studio.compile.network import build_network
from studio.compile.plan import CompileError, Plan, make_plan
from studio.graph import Graph

_SEQUENCES = ("T", "L")  # letters of a first axis with any number of steps
_MOST_STEPS = 100_000  # of longer ones, others are not worth their memory
_DENOMINATORS = (1, 2, 3, 4, 8, 16)  # by which blocks in a row shorten a sequence


@dataclass(frozen=True)
class Free:
    """An input whose sequences may have any length.

    Args:
        name: of the input; the axis 1 of its batch is free.
        lengths: for which the network was built, the usual one first.
    """

    name: str
    lengths: tuple[int, ...]


class _FixedError(Exception):
    """The network cannot take another length."""


def with_lengths(graph: Graph, lengths: dict[str, int]) -> Graph:
    """The graph with other lengths of the sequences that enter at the inputs of these names."""
    nodes = tuple(
        replace(node, block=replace(node.block, shape=(lengths[node.name], *node.block.shape[1:])))
        if isinstance(node.block, Input) and node.name in lengths
        else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def relax(model: fx.GraphModule, graph: Graph, plan: Plan) -> list[Free]:
    """Change a network in place so that it takes sequences of any length, as far as that is possible.

    Args:
        model: of the plan; its weights stay, and for the usual length it computes the same.
        graph: from which the plan was made.

    Returns:
        the inputs whose length is free now.
    """
    free: list[Free] = []
    changes: list[_Change] = []
    for name, spec in plan.inputs:
        if spec.axes[:1] not in _SEQUENCES or spec.dims[0] > _MOST_STEPS:
            continue
        try:
            lengths, more = _look(model, graph, plan, name, spec.dims[0])
        except _FixedError:
            continue
        if not {change.where for change in changes} & {change.where for change in more}:
            free.append(Free(name, lengths))
            changes += more
    for change in changes:
        change.write()
    for level in {change.level for change in changes}:
        level.recompile()
    return free


def use_gather(model: fx.GraphModule) -> None:
    """Replace an operation in place by one that does the same: torch.export takes sizes in it for constants."""
    for level in (module for module in model.modules() if isinstance(module, fx.GraphModule)):
        for node in level.graph.nodes:
            if node.target is torch.take_along_dim:
                node.target = _gather
        level.recompile()


def _gather(x: Tensor, index: Tensor, dim: int) -> Tensor:
    """torch.take_along_dim of an index that has size 1 or that of x along the other axes."""
    sizes = list(x.shape)
    sizes[dim] = index.shape[dim]
    return torch.gather(x, dim, index.expand(sizes))


def _look(
    model: fx.GraphModule, graph: Graph, plan: Plan, name: str, usual: int
) -> tuple[tuple[int, ...], list[_Change]]:
    """The lengths with which an input was tried, and what follows them. Raises _FixedError."""
    lengths = _lengths(usual)
    plans = [plan, *(_plan_at(graph, {name: length}) for length in lengths[1:])]
    with torch.device("meta"):
        models = [model, *map(build_network, plans[1:])]
    _check_same_layers(models)
    return lengths, list(_changes(models, plans))


def _lengths(usual: int) -> tuple[int, ...]:
    """The usual one, and some that are odd and even, shorter and longer: rounding shows in them."""
    half = max(2, usual // 2)
    return tuple(dict.fromkeys((usual, usual + 1, usual + 2, usual + 3, half, half + 1, 2 * usual + 3)))


def _plan_at(graph: Graph, lengths: dict[str, int]) -> Plan:
    try:
        return make_plan(with_lengths(graph, lengths))
    except CompileError as error:
        raise _FixedError from error


def _check_same_layers(models: list[fx.GraphModule]) -> None:
    """Raises _FixedError if a weight or a layer's setting follows the length."""
    shapes = [{name: tensor.shape for name, tensor in model.state_dict().items()} for model in models]
    layers = [{name: repr(module) for name, module in model.named_modules() if _is_layer(module)} for model in models]
    if any(each != shapes[0] for each in shapes) or any(each != layers[0] for each in layers):
        raise _FixedError


def _is_layer(module: nn.Module) -> bool:
    return not isinstance(module, fx.GraphModule | nn.Sequential)


@dataclass(eq=False)
class _Change:
    """A number in a level that follows the length.

    Args:
        level: the network, or a group in it.
        node: what has the number among its arguments.
        place: where it stands there, an index or key at each depth.
        size: the argument of the level, and its axis, from which it is computed.
        rate, start, divisor: it is (rate * size + start) // divisor.
    """

    level: fx.GraphModule
    node: fx.Node
    place: tuple[Any, ...]
    size: tuple[fx.Node, int]
    rate: int
    start: int
    divisor: int

    @property
    def where(self) -> tuple[fx.Node, tuple[Any, ...]]:
        """What would be changed."""
        return self.node, self.place

    def write(self) -> None:
        """Put what computes the number in its place."""
        graph = self.level.graph
        with graph.inserting_before(self.node):
            value = graph.call_method("size", self.size)
            if self.rate != 1:
                value = graph.call_function(operator.mul, (value, self.rate))
            if self.start:
                value = graph.call_function(operator.add, (value, self.start))
            if self.divisor != 1:
                value = graph.call_function(operator.floordiv, (value, self.divisor))
        args, kwargs = _put((self.node.args, dict(self.node.kwargs)), self.place, value)
        self.node.args, self.node.kwargs = args, kwargs


def _put(tree: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A tree of sequences and dictionaries with another value at one place."""
    if not place:
        return value
    items = dict(tree) if isinstance(tree, dict) else dict(enumerate(tree))
    items[place[0]] = _put(items[place[0]], place[1:], value)
    return items if isinstance(tree, dict) else tuple(items.values())


def _changes(models: list[fx.GraphModule], plans: list[Plan]) -> Iterator[_Change]:
    """What follows the length in the network and in all groups. Raises _FixedError."""
    for name, *levels in _levels(plans):
        modules = [model.get_submodule(name) for model in models]
        level = modules[0]
        assert isinstance(level, fx.GraphModule)
        nodes = [list(module.graph.nodes) for module in modules]  # type: ignore[union-attr, arg-type]
        if len({len(each) for each in nodes}) != 1:
            raise _FixedError
        size = _varying(levels)
        for node, *others in zip(*nodes, strict=True):
            for place, numbers in _differing([(each.args, dict(each.kwargs)) for each in (node, *others)], ()):
                if size is None:
                    raise _FixedError
                port, axis, sizes = size
                yield _Change(level, node, place, (nodes[0][port], axis), *_follow(sizes, numbers))


def _levels(plans: list[Plan]) -> Iterator[tuple[Any, ...]]:
    """Path of the module and the plans, for the network and each group in it. Raises _FixedError."""
    yield "", *plans
    for steps in zip(*(plan.steps for plan in plans), strict=True):
        parts = [step.parts for step in steps]
        for number, same in enumerate(zip(*parts, strict=True)):
            inner = [part for part in same if isinstance(part, Plan)]
            if inner and len(inner) != len(same):
                raise _FixedError
            path = steps[0].path(number) if inner else ""
            yield from ((f"{path}.{name}".rstrip("."), *rest) for name, *rest in (_levels(inner) if inner else ()))


def _varying(levels: list[Plan]) -> tuple[int, int, list[int]] | None:
    """Number of the first argument whose size follows the length, the axis of its batch, and the sizes."""
    for port, specs in enumerate(zip(*([spec for _, spec in level.inputs] for level in levels), strict=True)):
        for axis, sizes in enumerate(zip(*(spec.dims for spec in specs), strict=True), start=1):
            if len(set(sizes)) > 1:
                return port, axis, list(sizes)
    return None


def _differing(trees: list[Any], place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    """Where the arguments of one call have other numbers, and these. Raises _FixedError for other differences."""
    first = trees[0]
    if isinstance(first, fx.Node):
        same = all(isinstance(tree, fx.Node) and tree.name == first.name for tree in trees)
    elif isinstance(first, tuple | list | dict):
        keys = list(first) if isinstance(first, dict) else list(range(len(first)))
        same = all(type(tree) is type(first) and len(tree) == len(first) for tree in trees)
        for key in keys if same else ():
            yield from _differing([tree[key] for tree in trees], (*place, key))
    else:
        same = all(tree == first for tree in trees)
        if not same and all(type(tree) is int for tree in trees):
            yield place, trees
            return
    if not same:
        raise _FixedError


def _follow(sizes: list[int], numbers: list[int]) -> tuple[int, int, int]:
    """Rate, start and divisor by which the numbers follow the sizes. Raises _FixedError if they do in no simple way."""
    low, high = sizes.index(min(sizes)), sizes.index(max(sizes))
    slope = (numbers[high] - numbers[low]) / (sizes[high] - sizes[low])
    for divisor in _DENOMINATORS:
        rate = round(slope * divisor)
        start = max(divisor * number - rate * size for size, number in zip(sizes, numbers, strict=True))
        if all((rate * size + start) // divisor == number for size, number in zip(sizes, numbers, strict=True)):
            return rate, start, divisor
    raise _FixedError
