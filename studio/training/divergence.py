"""What was no longer a number first, in a run that diverged.

When it is noticed, all weights are lost already, and who was the first cannot be seen. So the run goes back to its last
checkpoint and does the same steps again, to the same bits, and the steps in question are watched.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from studio.compile.network import BLOCK, SCOPE
from studio.compile.plan import Plan
from studio.graph.groups import GroupUse
from studio.training.events import NotFinite
from studio.training.loop import Trainer
from studio.training.state import State, put_state

LONGEST_SECONDS = 30.0  # for doing steps again; what is not found by then is not told

INPUT, OUTPUT, LOSS, GRADIENT, WEIGHTS = "input", "output", "loss", "gradient", "weights"
_WORDS = {
    INPUT: "the data: a sample holds a value that is not a number",
    OUTPUT: "the output of {0}",
    LOSS: "the loss itself, though the answers of the network were numbers",
    GRADIENT: "the gradient of the weights of {0}",
    WEIGHTS: "the weights of {0}, after a step of the optimizer",
}
_REMEDY = "Lower the learning rate, clip the gradients, or look at what this block gets."


@dataclass(frozen=True)
class _Layer:
    """A module of the network, and the block that it stands for: its path of ids, and its name."""

    path: str
    node: str
    name: str


def find_first(trainer: Trainer, plan: Plan, state: State) -> NotFinite | None:
    """Do the steps since a state again, and tell what was no longer a number first. It uses the trainer up.

    Args:
        state: of the same run before it diverged.

    Returns:
        None if it was not found in time, or the person stops the search.
    """
    good, last = trainer.clock.good_step, trainer.step
    put_state(trainer, state)
    deadline = time.perf_counter() + LONGEST_SECONDS
    for step, epoch, inputs, targets in _batches(trainer):
        if step > last or time.perf_counter() > deadline or trainer.control.stopping:
            return None
        if step + 1 < good:
            trainer.stepper(inputs, targets, step)
            continue
        found = _watched_step(trainer, inputs, targets, step)
        if found is not None:
            kind, path = found
            return _event(step + 1, epoch, kind, *_block(plan, kind, path))
    return None


def _batches(trainer: Trainer) -> Iterator[tuple[int, int, tuple[Tensor, ...], Tensor]]:
    """The batches that come next, each with the number of steps before and its epoch."""
    for epoch in range(trainer.epoch + 1, trainer.epochs + 1):
        trainer.model.train()
        for part in trainer.frozen:
            part.eval()
        for inputs, targets in trainer.batches["train"].epoch(trainer.shuffle, epoch, trainer.done):
            if trainer.mixer is not None:
                inputs = trainer.mixer.mix(inputs, epoch, trainer.step)
            yield trainer.step, epoch, inputs, targets
            trainer.step += 1
        trainer.done = 0


def _watched_step(trainer: Trainer, inputs: tuple[Tensor, ...], targets: Tensor, step: int) -> tuple[str, str] | None:
    """One step; returns the kind of what is not a number first, if anything is, and the block’s or weight’s path."""
    seen: list[tuple[str, str, Tensor]] = [(INPUT, "", _is_finite(part)) for part in (*inputs, targets)]
    with _hooks(trainer, seen):
        loss, answers = trainer.stepper(inputs, targets, step, plainly=True)
    first_gradient = next((i for i, (kind, _, _) in enumerate(seen) if kind == GRADIENT), len(seen))
    seen.insert(first_gradient, (LOSS, "", _is_finite(loss)))
    given: tuple[Tensor, ...] = (answers,) if trainer.task.outputs is None else tuple(answers)
    seen.insert(first_gradient, (OUTPUT, "", torch.stack([_is_finite(answer) for answer in given]).all()))
    seen += [(WEIGHTS, name, _is_finite(parameter)) for name, parameter in trainer.model.named_parameters()]
    finite = torch.stack([flag for _, _, flag in seen]).tolist()
    return next(((kind, path) for (kind, path, _), good in zip(seen, finite, strict=True) if not good), None)


@contextlib.contextmanager
def _hooks(trainer: Trainer, seen: list[tuple[str, str, Tensor]]) -> Iterator[None]:
    """Note what every block gives, and every gradient, in the order in which they come."""
    model, handles = trainer.model, []

    def watch(name: str, parameter: nn.Parameter) -> None:
        def note(gradient: Tensor) -> None:
            seen.append((GRADIENT, name, _is_finite(gradient)))

        handles.append(parameter.register_hook(note))  # type: ignore[no-untyped-call]

    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            watch(name, parameter)
    if isinstance(model, fx.GraphModule):
        trainer.stepper.model = _Observed(model, seen)
        trainer.stepper.set_forward(trainer.stepper.model)
    try:
        yield
    finally:
        trainer.stepper.model = model
        trainer.stepper.set_forward(model)
        for handle in handles:
            handle.remove()


class _Observed(nn.Module):
    """The same network, operation by operation."""

    def __init__(self, model: fx.GraphModule, seen: list[tuple[str, str, Tensor]]) -> None:
        super().__init__()
        self.model = model
        self._seen = seen

    def forward(self, *inputs: Tensor) -> Any:
        return _Observer(self.model, self._seen).run(*inputs)


class _Observer(fx.Interpreter):
    """Notes what each block gives, also those in groups; `path` is that of the group."""

    def __init__(self, module: fx.GraphModule, seen: list[tuple[str, str, Tensor]], path: str = "") -> None:
        super().__init__(module)
        self._seen, self._path, self._group = seen, path, ""

    def run_node(self, node: fx.Node) -> Any:
        self._group = node.meta.get(SCOPE, "")
        result = super().run_node(node)
        if BLOCK in node.meta and isinstance(result, Tensor):
            self._seen.append((OUTPUT, f"{self._path}{node.meta[BLOCK]}", _is_finite(result)))
        return result

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self._group:
            return super().call_module(target, args, kwargs)
        module, path = self.fetch_attr(target), f"{self._path}{self._group}/"
        for part in module if isinstance(module, nn.Sequential) else [module]:
            assert isinstance(part, fx.GraphModule)
            answer = _Observer(part, self._seen, path).run(*args)
            args = (answer,)
        return args[0]


def _is_finite(tensor: Tensor) -> Tensor:
    return tensor.detach().isfinite().all().cpu()


def _block(plan: Plan, kind: str, path: str) -> tuple[str, str]:
    """Id, with those of its groups before it, and name of a block by that path of ids or by one of its weights."""
    if kind == OUTPUT:
        return next(((layer.node, layer.name) for layer in _layers(plan) if layer.node == path), (path, ""))
    matching = [layer for layer in _layers(plan) if layer.path and f"{path}.".startswith(f"{layer.path}.")]
    found = max(matching, key=lambda layer: len(layer.path), default=_Layer("", "", ""))
    return found.node, found.name


def _layers(plan: Plan, module: str = "", node: str = "") -> Iterator[_Layer]:
    """Every layer of a network or a group, with the block on the canvas that it belongs to; blocks without layers."""
    for step in plan.steps:
        own = f"{node}/{step.node.id}" if node else step.node.id
        yield _Layer("", own, step.node.name)
        for number, part in enumerate(step.parts):
            if isinstance(part, Plan) and isinstance(step.node.block, GroupUse):
                yield from _layers(part, f"{module}{step.path(number)}.", own)
            else:
                # A repeated block has a plan of its own, which is no block of the canvas.
                paths = (step.path(number),) if step.is_repeated else step.layer_names
                yield from (_Layer(f"{module}{path}", own, step.node.name) for path in paths)


def _event(step: int, epoch: int, kind: str, node: str, name: str) -> NotFinite:
    what = _WORDS[kind].format(f"“{name}”" if name else "the network")
    message = (
        f"What was no longer a number first, at step {step:,} in epoch {epoch:,}: {what}. "
        f"{_REMEDY if kind != INPUT else 'Look at the samples in the Data place.'}"
    )
    return NotFinite(step, epoch, kind, node, message)
