"""What one sample looks like after every block of a network, finished or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from studio.blocks import Input, Output
from studio.compile.analysis import Analysis
from studio.compile.network import BLOCK, SCOPE, build_network
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.graph import Graph, Link, Node
from studio.graph.groups import GroupInput, GroupOutput, GroupUse
from studio.graph.names import fresh_id, fresh_name
from studio.graph.paths import flatten, join

_DRAWS_WEIGHTS = ("normal", "uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_",
                  "xavier_normal_", "trunc_normal_", "orthogonal_")  # fmt: skip


def trace(
    graph: Graph, inputs: Sequence[Tensor], weights: Mapping[str, Tensor] | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """Run one sample through all of a network that is sound, as for a prediction.

    Nothing is drawn from torch's global random generator, which a run in another thread may be using.

    Args:
        graph: any graph, finished or not; what lies behind a problem is left out.
        inputs: one tensor (1, *dims) for each Input, in the graph's order.
        weights: learned ones, by their names in a state dict; those that are missing or of another shape are drawn.
        seed: the same one draws the same weights.

    Returns:
        the first result (*dims) of each block, by its path; of a repeated one that of its last repetition.
    """
    sound = _sound_part(graph, analyze(graph))
    if not sound.outputs:
        return {}
    given = {node.id: value for node, value in zip(graph.inputs, inputs, strict=False)}
    plan = make_plan(sound)
    with _OwnRandomness(seed):
        network = build_network(plan)
    network.load_state_dict(_fitting(weights or {}, network), strict=False)
    found = results_of(network.eval(), sound, [given[node.id] for node in sound.inputs])
    _pass_on(flatten(graph), found)
    return {path: value[0] for path, value in found.items()}


def results_of(network: fx.GraphModule, graph: Graph, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """What every block of a network gives to a batch, by its path; the first result of each.

    Args:
        network: as `build_network` makes it of the graph, in the state for answering.
        inputs: one tensor (N, *dims) for each Input, in the graph's order.
    """
    found: dict[str, Tensor] = {}
    with torch.inference_mode():
        _Observer(network, graph, "", found).run(*inputs)
    return found


def _sound_part(graph: Graph, analysis: Analysis) -> Graph:
    """The blocks whose results are known, with an Output behind each of those at an end."""
    nodes = [n for n in graph.nodes if analysis.nodes[n.id].outputs and not isinstance(n.block, Output)]
    kept = {node.id for node in nodes}
    links = [link for link in graph.links if link.source in kept and link.target in kept]
    ids, names = {node.id for node in graph.nodes}, set(graph.names)
    for node_id in sorted(kept - {link.source for link in links}):
        end = Node(fresh_id(ids, len(ids) + 1), fresh_name("end", names), Output())
        ids.add(end.id)
        names.add(end.name)
        nodes.append(end)
        links.append(Link(node_id, 0, end.id, 0))
    return Graph(tuple(nodes), tuple(links))


def _fitting(weights: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    own = network.state_dict()
    return {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}


def _pass_on(shown: Graph, found: dict[str, Tensor]) -> None:
    """What a block without a result of its own shows: what comes to it."""
    for node in shown.order:
        links = shown.links_into(node.id)
        passes = node.bypassed or isinstance(node.block, Output | GroupOutput)
        if passes and links and links[0].source in found:
            found[node.id] = found[links[0].source]


class _Observer:
    """Runs a network and keeps what every block of it gives.

    Args:
        network: as `build_network` makes it.
        graph: what it was made of; the body of a group if it is one.
        scope: path of that group; empty for the whole network.
        found: what was given, by the blocks' paths; filled here.
    """

    def __init__(self, network: fx.GraphModule, graph: Graph, scope: str, found: dict[str, Tensor]) -> None:
        self.network = network
        self.level = graph
        self.scope = scope
        self.found = found
        self.values: dict[fx.Node, Any] = {}

    def run(self, *inputs: Tensor) -> Any:
        """What the network answers."""
        starts = [node.id for node in self.level.nodes if isinstance(node.block, Input | GroupInput)]
        places = [place for place in self.network.graph.nodes if place.op == "placeholder"]
        self.values.update(zip(places, inputs, strict=True))
        for start, value in zip(starts, inputs, strict=False):  # behind them stand the masks
            self.found[join(self.scope, start)] = value
        for node in self.network.graph.nodes:
            if node.op == "output":
                return self._resolved(node.args[0])
            if node.op != "placeholder":
                self.values[node] = result = self._call(node)
                if BLOCK in node.meta:
                    self.found[join(self.scope, node.meta[BLOCK])] = result
        raise AssertionError("every network has an output")

    def _call(self, node: fx.Node) -> Any:
        if node.op == "get_attr":
            return getattr(self.network, str(node.target))
        args, kwargs = self._resolved(node.args), self._resolved(node.kwargs)
        if callable(node.target):
            return node.target(*args, **kwargs)
        module = self.network.get_submodule(node.target)
        return self._run_group(node.meta[SCOPE], module, args) if SCOPE in node.meta else module(*args, **kwargs)

    def _run_group(self, node_id: str, module: nn.Module, args: tuple[Any, ...]) -> Any:
        """A group, as often as it is repeated there."""
        use = self.level.node(node_id).block
        assert isinstance(use, GroupUse)
        for part in module if isinstance(module, nn.Sequential) else (module,):
            assert isinstance(part, fx.GraphModule)
            result = _Observer(part, use.body, join(self.scope, node_id), self.found).run(*args)
            args = (result,)
        return result

    def _resolved(self, argument: Any) -> Any:
        return fx.map_arg(argument, lambda node: self.values[node])


class _OwnRandomness(TorchFunctionMode):
    """Draws fresh weights from a generator of its own, within a `with` in one thread."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if getattr(func, "__name__", "") in _DRAWS_WEIGHTS and kwargs.get("generator") is None:
            kwargs["generator"] = self.generator
        return func(*args, **kwargs)
