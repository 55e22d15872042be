"""A module of PyTorch as a graph that computes the same."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from studio import trust
from studio.blocks import Block, Input, Output, ShapeError
from studio.blocks.custom import CustomCode
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.record import record
from studio.fields import FieldError, replace
from studio.graph import Graph
from studio.graph.groups import check_graph
from studio.importing.as_code import code_of_call, code_of_layer
from studio.importing.assemble import Assembler, Scope, Source
from studio.importing.errors import NetworkImportError
from studio.importing.functions import LastState, Parameter, handler_of
from studio.importing.modules import convert, described
from studio.importing.tracing import CONTAINERS, Traced, sample, trace_module
from studio.tensors import TensorSpec


@dataclass(frozen=True)
class Imported:
    """A network that came in.

    Args:
        graph: its blocks.
        weights: its tensors by the names that they have in the graph's network.
        unused: names of tensors that play no part in its answer, such as those of heads that only train.
    """

    graph: Graph
    weights: dict[str, Tensor]
    unused: tuple[str, ...]


def import_network(module: nn.Module, inputs: Sequence[TensorSpec], until: str = "") -> Imported:
    """Make a graph of a module; it gives the same answers in evaluation, bit for bit.

    Args:
        module: not changed.
        inputs: what it takes, one for each argument of its forward.
        until: path of the module whose result is to be the answer; empty for the module's own answer.

    Raises:
        NetworkImportError: if a part of it can be neither a block nor code, or the graph would answer differently.
    """
    traced = trace_module(module, tuple(inputs), until)
    reader = _Reader(traced, list(inputs))
    for step in traced.steps:
        reader.read(step)
    graph, weights = reader.assembler.finish()
    check_graph(graph)
    _check_equal(traced.whole, graph, weights, tuple(inputs))
    unused = tuple(name for name in traced.root.state_dict() if name not in reader.used)
    return Imported(graph, weights, unused)


class _Reader:
    """Goes through the steps and puts down their blocks."""

    def __init__(self, traced: Traced, inputs: list[TensorSpec]) -> None:
        self.traced = traced
        self.inputs = inputs
        self.assembler = Assembler()
        self.values: dict[fx.Node, Any] = {}
        self.modules_read: set[str] = set()
        self.used: set[str] = set()  # names in the module's state dict
        self.written = 0  # custom blocks
        self.step: fx.Node

    def read(self, step: fx.Node) -> None:
        """Read one step."""
        self.step = step
        if step in self.traced.constants:
            self.values[step] = self.traced.constants[step]
            return
        try:
            self.values[step] = getattr(self, f"_{step.op}")(step)
        except (ShapeError, FieldError) as error:
            raise NetworkImportError(f"{self._where()} has no block that does the same: {error}") from error

    # What a step may be, by fx's names.

    def _placeholder(self, step: fx.Node) -> Any:
        if not self.inputs:
            raise NetworkImportError(f"The network takes one more input, “{step.name}”: give its size too.")
        given = self.inputs.pop(0)
        made = Input(shape=given.dims, values="tokens" if given.dtype == "int" else "real")
        return self.put(made)[0]

    def _get_attr(self, step: fx.Node) -> Any:
        value: Any = self.traced.root
        for part in str(step.target).split("."):
            value = getattr(value, part)
        return Parameter(str(step.target), value)

    def _call_module(self, step: fx.Node) -> Any:
        path = str(step.target)
        layer = self.traced.root.get_submodule(path)
        args = self._resolved(step.args)
        if isinstance(layer, nn.Identity):
            return args[0]
        if isinstance(layer, nn.RNNBase):
            return self._recurrent(path, layer, args)
        made = self._block_of(layer, self._spec_of(args[0])) if not step.kwargs else None
        if made is None:
            raise NetworkImportError(f"{self._where()}: {described(layer)[:120]} has no block that does the same.")
        return self._layer(path, layer, made, tuple(args))

    def _block_of(self, layer: nn.Module, given: TensorSpec) -> Block | None:
        """The block that is a layer: one of ours that makes exactly that layer, or its code."""
        with contextlib.suppress(ShapeError, FieldError):
            made = convert(layer, given)
            layers = record(made, (given,)).layers if made is not None else ()
            if made is not None and (not layers or described(layers[0].build()) == described(layer)):
                return made
        code = code_of_layer(layer, self._next_number())
        return self._custom(code, 1) if code is not None else None

    def _custom(self, code: str, ports: int) -> Block:
        trust.trust(code)  # it was written here
        return CustomCode(code=code, ports=ports)

    def _next_number(self) -> int:
        self.written += 1
        return self.written

    def _call_function(self, step: fx.Node) -> Any:
        return self._call(step, step.target)

    def _call_method(self, step: fx.Node) -> Any:
        return self._call(step, str(step.target))

    def _output(self, step: fx.Node) -> Any:
        answers = self._resolved(step.args[0])
        if isinstance(answers, dict):
            answers = tuple(answers.values())
        for answer in answers if isinstance(answers, tuple | list) else (answers,):
            if not isinstance(answer, Source):
                raise NetworkImportError("The network answers something other than tensors made of its input.")
            self.put(Output(), answer)

    def _call(self, step: fx.Node, target: Any) -> Any:
        handler, name = handler_of(target), target if isinstance(target, str) else getattr(target, "__name__", "?")
        args, kwargs = self._resolved(step.args), self._resolved(step.kwargs)
        made = None
        if handler is not None:
            try:
                made = handler(self, *args, **kwargs)
            except TypeError:  # arguments that it does not know
                made = None
        return made if made is not None else self._as_code(target, name, args, kwargs)

    def _as_code(self, target: Any, name: str, args: Any, kwargs: Any) -> Source:
        """A call that no block does, as custom code."""
        written = code_of_call(target, tuple(args), kwargs, self._next_number())
        if written is not None:
            code, sources = written
            with contextlib.suppress(ShapeError):
                return self.put(self._custom(code, len(sources)), *sources)[0]
        raise NetworkImportError(f"{self._where()} calls “{name}” in a way that no block does.")

    # What functions need; see `functions.Writer`.

    def put(self, made: Block, *sources: Source, weights: dict[str, Tensor] | None = None) -> tuple[Source, ...]:
        """Add a block at the step's place."""
        name = str(self.step.target) if self.step.op in ("call_module", "get_attr", "placeholder") else ""
        return self.assembler.put(made, *sources, name=name, scopes=self._scopes(), weights=weights)

    def spec(self, source: Source) -> TensorSpec:
        """What a source gives."""
        return self._spec_of(source)

    def _spec_of(self, value: Any) -> TensorSpec:
        if not isinstance(value, Source):
            raise NetworkImportError(f"{self._where()} works on something that is not made of the input.")
        return self.assembler.specs[value]

    def _layer(self, path: str, layer: nn.Module, made: Block, sources: tuple[Any, ...]) -> Any:
        tensors = layer.state_dict()
        if tensors and path in self.modules_read:
            raise NetworkImportError(f"“{path}” is used more than once; here, every block has weights of its own.")
        self.modules_read.add(path)
        if not all(isinstance(source, Source) for source in sources):
            raise NetworkImportError(f"“{path}” works on something that is not made of the input.")
        layers = record(made, self.assembler.specs_of(sources)).layers
        if not isinstance(made, CustomCode) and layers and described(layers[0].build()) != described(layer):
            raise NetworkImportError(f"“{path}”: {described(layer)[:120]} has no block that does the same.")
        self.used |= {f"{path}.{name}" for name in tensors}
        return self.put(made, *sources, weights=tensors)[0]

    def _recurrent(self, path: str, layer: nn.RNNBase, args: Any) -> Any:
        """A recurrent layer gives its sequence and its last state; one of them may be used."""
        made = convert(layer, self._spec_of(args[0])) if len(args) == 1 and not self.step.kwargs else None
        state_wanted = any(user.args[1] == 1 for user in self.step.users)
        sequence_wanted = any(user.args[1] == 0 for user in self.step.users)
        if made is None or (state_wanted and (sequence_wanted or layer.bidirectional)):
            raise NetworkImportError(f"“{path}”: {described(layer)[:120]} is used in a way that no block does.")
        if not state_wanted:
            return self._layer(path, layer, made, (args[0],)), None
        last = self._layer(path, layer, replace(made, output="last state"), (args[0],))
        states = LastState(last, layer.num_layers)
        return None, (states, None) if isinstance(layer, nn.LSTM) else states

    def _resolved(self, argument: Any) -> Any:
        resolved = fx.map_arg(argument, lambda node: self._known(node))
        return _plain(resolved)

    def _known(self, node: fx.Node) -> Any:
        value = self.values[node]
        if isinstance(value, Parameter):
            self.used.add(value.name)
        return value

    def _scopes(self) -> tuple[Scope, ...]:
        """The modules around the step, without the network itself, the layer called, and mere containers."""
        stack = self.step.meta.get("nn_module_stack", {}).values()
        own = str(self.step.target) if self.step.op == "call_module" else None
        return tuple(
            Scope(path, kind.__name__) for path, kind in stack if path and path != own and kind not in CONTAINERS
        )

    def _where(self) -> str:
        scopes = self._scopes()
        inner = str(self.step.target) if self.step.op == "call_module" else scopes[-1].path if scopes else ""
        return f"“{inner}”" if inner else "The network"


def _plain(value: Any) -> Any:
    """fx's own lists and dictionaries as Python's."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if type(value) is tuple or type(value).__name__ == "immutable_list":
        return tuple(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _check_equal(root: nn.Module, graph: Graph, weights: dict[str, Tensor], inputs: tuple[TensorSpec, ...]) -> None:
    """Raises NetworkImportError unless the graph's network answers as the module does."""
    network = build_network(make_plan(graph))
    network.load_state_dict(weights)
    values = [sample(spec, 3, seed=number + 1) for number, spec in enumerate(inputs)]
    with torch.no_grad():
        expected = root(*(value.clone() for value in values))  # it may work in place
        found = network.eval()(*values)
    answers = tuple(expected.values()) if isinstance(expected, dict) else expected
    pairs = zip(_several(answers), _several(found), strict=True)
    if not all(torch.equal(ours, theirs) for theirs, ours in pairs):
        raise NetworkImportError(
            "The blocks answer differently from the module; it may change tensors in place. Nothing was imported."
        )


def _several(value: Any) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)
