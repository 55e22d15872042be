"""A network in parts, one in each process (FSDP of PyTorch), for networks that are larger than one device.

Each process keeps its rows of every weight, of its gradient and of what the optimizer remembers of it. The others' rows
come when a block computes, and go again after it. Whoever looks at the network of the process that leads sees a whole
one all the same: before it answers outside of a step, or its weights are read or replaced, the leader says a word, and
the others do their part. So a checkpoint is that of a run of one process.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, Shard

from studio.compile.layers import ParameterSpec
from studio.compile.plan import Plan, make_plan
from studio.graph.groups import GroupUse
from studio.training.loop import Trainer
from studio.training.spread.team import ANSWER, AVERAGE, PUT, SWAP, WHOLE, Team, explained

WEIGHTS, OPTIMIZER, GRADIENTS, MEANS = range(4)  # what can be gathered from all
_FUSED = ("Adam", "AdamW")  # those that torch does in one pass over parts of weights, too


class Shards:
    """The network of a trainer, cut up; every process of the team makes its own at the same time.

    Args:
        trainer: has the whole network, equal in all processes, in the memory of the processor.
    """

    def __init__(self, team: Team, trainer: Trainer) -> None:
        self.team, self.trainer = team, trainer
        model = trainer.model
        self._mesh = DeviceMesh.from_group(team.gradients, trainer.stepper.device)
        before = _named(model)
        self._units = _cut(model, make_plan(trainer.keeper.project.graph), self._mesh)
        self._parts = {name: part for name, part in _named(model).items() if isinstance(part, DTensor)}
        replaced = {before[name]: part for name, part in self._parts.items()}
        self._is_fused = self._cut_optimizer(replaced)
        trainer.stepper.take_parameters()
        if trainer.averager is not None:
            trainer.averager.split({name: _own(part) for name, part in self._parts.items()}, self._rows)
        if trainer.watcher is not None:
            trainer.watcher.take_weights(replaced)
        # What is made the first time must not be made while somebody only measures (inference mode).
        self.pass_by()

    def _cut_optimizer(self, replaced: Mapping[nn.Parameter, Any]) -> bool:
        """Returns whether it did its steps in one pass and cannot do so with parts."""
        optimizer = self.trainer.optimizer
        changes = type(optimizer).__name__ not in _FUSED and any(g.get("fused") for g in optimizer.param_groups)
        for group in optimizer.param_groups:
            if changes:
                group["fused"] = False
            for number, old in enumerate(group["params"]):
                new = group["params"][number] = replaced[old]
                new.grad = None if old.grad is None else self._part_like(old.grad, new)
                if old in optimizer.state:
                    kept = optimizer.state.pop(old)
                    optimizer.state[new] = {name: self._part_like(value, new) for name, value in kept.items()}
        return changes

    def _part_like(self, value: Any, parameter: Any) -> Any:
        """This process's part of what belongs to a weight and has its shape; anything else as it is."""
        if not isinstance(value, Tensor):
            return value
        if value.shape != parameter.shape:
            return value.to(_own(parameter).device) if value.device.type != "cpu" else value
        return self._among_others(self._rows(value).to(_own(parameter).device), parameter)

    def _rows(self, whole: Tensor) -> Tensor:
        """A copy of this process's rows of a whole tensor, as FSDP deals them out."""
        rows, rank = whole.chunk(self.team.size), self._mesh.get_local_rank()
        mine = rows[rank] if rank < len(rows) else whole[:0]
        return mine.clone(memory_format=torch.contiguous_format)

    def _among_others(self, own: Tensor, like: Any) -> DTensor:
        shape, stride = like.shape, like.stride()
        return DTensor.from_local(own, self._mesh, (Shard(0),), run_check=False, shape=shape, stride=stride)

    def pass_by(self) -> None:
        """Have every block whole once, in the order in which the network computes; so others can compute with it."""
        with explained():
            for unit in self._units:
                unit.unshard()
                unit.reshard()

    def gathered(self, kind: int) -> list[Tensor]:
        """Whole tensors of one kind, in the memory of the processor, for the leader; nothing for the others.

        Args:
            kind: WEIGHTS, each once; OPTIMIZER, what it remembers of each in turn; GRADIENTS; MEANS.
        """
        found = []
        with explained(), torch.no_grad():
            for part in self._of_kind(kind):
                whole = part.full_tensor()  # one after the other: never more than one too many is in memory
                if self.team.leads:
                    found.append(whole.cpu())
        return found

    def _of_kind(self, kind: int) -> Iterable[DTensor]:
        parameters = [p for group in self.trainer.optimizer.param_groups for p in group["params"]]
        if kind == WEIGHTS:
            return self._parts.values()
        if kind == OPTIMIZER:
            states = (self.trainer.optimizer.state.get(parameter, {}) for parameter in parameters)
            return (value for state in states for value in state.values() if isinstance(value, DTensor))
        if kind == GRADIENTS:
            return (parameter.grad for parameter in parameters if parameter.grad is not None)
        averager = self.trainer.averager
        assert averager is not None
        means = averager.means
        return (self._among_others(means[name], part) for name, part in self._parts.items() if name in means)

    def put(self, weights: dict[str, Any]) -> None:
        """Replace whole tensors of a state dict by this process's parts."""
        for name, part in self._parts.items():
            if name in weights:
                weights[name] = self._among_others(self._rows(weights[name]).to(_own(part).device), part)

    def obey(self, word: int, content: Any) -> None:
        """Do as the leader says, with one of the words that are about parts."""
        averager = self.trainer.averager
        if word == ANSWER:
            self.pass_by()
        elif word == WHOLE:
            self.gathered(content)
        elif word == PUT:
            self.put(content)
            self.trainer.model.load_state_dict(content)
        elif word == AVERAGE and averager is not None:
            averager.end_epoch(content)
        elif word == SWAP and averager is not None:
            averager.swap()


class LeadingShards(Shards):
    """Those of the process that leads: its network seems whole to all that look at it."""

    def __init__(self, team: Team, trainer: Trainer) -> None:
        super().__init__(team, trainer)
        self.in_step = False  # set before the network computes in a step: all know of that
        trainer.model.register_forward_pre_hook(self._before_answers, prepend=True)
        trainer.model.register_state_dict_post_hook(functools.partial(self._complete_weights))  # type: ignore[no-untyped-call]
        trainer.model.register_load_state_dict_pre_hook(self._before_loading)  # type: ignore[no-untyped-call]
        trainer.optimizer.register_state_dict_post_hook(self._complete_optimizer)
        if trainer.averager is not None:
            trainer.averager.elsewhere = self

    def _before_answers(self, _module: nn.Module, _inputs: Any) -> None:
        if not self.in_step:
            self.team.say(ANSWER)
        self.in_step = False

    def gathered(self, kind: int) -> list[Tensor]:
        """As for every process, after a word to the others."""
        self.team.say(WHOLE, kind)
        return super().gathered(kind)

    def _complete_weights(self, _module: nn.Module, weights: dict[str, Any], prefix: str, _about: Any) -> None:
        if not prefix:
            weights |= dict(zip(self._parts, self.gathered(WEIGHTS), strict=True))

    def _before_loading(self, _module: nn.Module, weights: dict[str, Any], *_about: Any) -> None:
        self.team.say(PUT, {name: tensor.cpu() for name, tensor in weights.items()})
        self.put(weights)

    def _complete_optimizer(self, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> dict[str, Any]:
        """What a run of one process would keep."""
        whole = iter(self.gathered(OPTIMIZER))
        kept = {
            number: {n: next(whole) if isinstance(v, DTensor) else v for n, v in state["state"][number].items()}
            for number in sorted(state["state"])
        }
        if self._is_fused:
            for group in state["param_groups"]:
                group["fused"] = True
        return {**state, "state": kept}

    def whole_gradients(self, gradients: list[Tensor | None]) -> list[Tensor | None]:
        """Those of all weights that learn, None where there is none."""
        whole = iter(self.gathered(GRADIENTS))
        return [None if gradient is None else next(whole) for gradient in gradients]

    def end_epoch(self, epoch: int) -> None:
        """The others average, too."""
        self.team.say(AVERAGE, epoch)

    def swap(self) -> None:
        """The others put averages in the place of weights, too, or take them out."""
        self.team.say(SWAP)

    def whole_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Whole averages; those of batch norms are whole already."""
        names = [name for name in self._parts if name in means]
        return {**means, **dict(zip(names, self.gathered(MEANS), strict=True))}


def _named(model: nn.Module) -> dict[str, nn.Parameter]:
    return dict(model.named_parameters(remove_duplicate=False))


def _own(parameter: Any) -> Tensor:
    """The rows of a weight that are here; what changes them changes the weight."""
    with torch.no_grad():
        rows: Tensor = parameter.to_local()
    return rows


def _cut(model: nn.Module, plan: Plan, mesh: DeviceMesh) -> list[FSDPModule]:
    """Keep a network in parts; gives what is made whole at a time, in the order in which it computes, all else first.

    Raises:
        RuntimeError: if it has what FSDP cannot take.
    """
    names = _named(model)
    # Weights with several names belong to no single block.
    paths = [] if len({*names.values()}) < len(names) else list(_units(plan))
    found = (operator.attrgetter(path)(model) for path in paths)
    modules = [module for module in found if any(True for _ in module.parameters())]
    for module in modules:
        fully_shard(module, mesh=mesh, reshard_after_forward=True)
    fully_shard(model, mesh=mesh, reshard_after_forward=True)
    units: list[Any] = [model, *modules]
    for number, unit in enumerate(units):
        # The one before, named: else it would be found by what was computed last, and the leader computes more often.
        unit.set_modules_to_backward_prefetch([units[number - 1]])
    return units


def _units(plan: Plan) -> Iterator[str]:
    """Paths of the modules that are made whole at a time: layers, repetitions, and groups without groups in them."""
    for step in plan.steps:
        for number, part in enumerate(step.parts):
            if isinstance(part, Plan) and isinstance(step.node.block, GroupUse) and _has_groups(part):
                yield from (f"{step.path(number)}.{inner}" for inner in _units(part))
            elif isinstance(part, Plan) or step.is_repeated:
                yield step.path(number)
            else:
                layers = zip(step.layer_names, part.layers, strict=True)
                yield from (name for name, layer in layers if not isinstance(layer, ParameterSpec))


def _has_groups(plan: Plan) -> bool:
    return any(step.is_repeated or isinstance(part, Plan) for step in plan.steps for part in step.parts)
