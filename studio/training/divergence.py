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
from torch import Tensor, nn

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
    layers = list(_layers(plan))
    good, last = trainer.clock.good_step, trainer.step
    put_state(trainer, state)
    deadline = time.perf_counter() + LONGEST_SECONDS
    for step, epoch, inputs, targets in _batches(trainer):
        if step > last or time.perf_counter() > deadline or trainer.control.stopping:
            return None
        if step + 1 < good:
            trainer.stepper(inputs, targets, step)
            continue
        found = _watched_step(trainer, layers, inputs, targets, step)
        if found is not None:
            return _event(step + 1, epoch, *found, layers)
    return None


def _batches(trainer: Trainer) -> Iterator[tuple[int, int, tuple[Tensor, ...], Tensor]]:
    """The batches that come next, each with the number of steps before and its epoch."""
    for epoch in range(trainer.epoch + 1, trainer.epochs + 1):
        trainer.model.train()
        for part in trainer.frozen:
            part.eval()
        for inputs, targets in trainer.batches["train"].epoch(trainer.shuffle, epoch, trainer.done):
            yield trainer.step, epoch, inputs, targets
            trainer.step += 1
        trainer.done = 0


def _watched_step(
    trainer: Trainer, layers: list[_Layer], inputs: tuple[Tensor, ...], targets: Tensor, step: int
) -> tuple[str, str] | None:
    """One step; returns the kind and the path of what is not a number first, if anything is."""
    seen: list[tuple[str, str, Tensor]] = [(INPUT, "", _is_finite(part)) for part in (*inputs, targets)]
    with _hooks(trainer.model, layers, seen):
        loss, answers = trainer.stepper(inputs, targets, step)
    first_gradient = next((i for i, (kind, _, _) in enumerate(seen) if kind == GRADIENT), len(seen))
    seen.insert(first_gradient, (LOSS, "", _is_finite(loss)))
    seen.insert(first_gradient, (OUTPUT, "", _is_finite(answers)))
    seen += [(WEIGHTS, name, _is_finite(parameter)) for name, parameter in trainer.model.named_parameters()]
    finite = torch.stack([flag for _, _, flag in seen]).tolist()
    return next(((kind, path) for (kind, path, _), good in zip(seen, finite, strict=True) if not good), None)


@contextlib.contextmanager
def _hooks(model: nn.Module, layers: list[_Layer], seen: list[tuple[str, str, Tensor]]) -> Iterator[None]:
    """Note what every layer gives, and every gradient, in the order in which they come."""
    modules = dict(model.named_modules())
    handles: list[Any] = []

    def watch_output(path: str) -> None:
        def note(module: nn.Module, given: Any, output: Any) -> None:
            for part in output if isinstance(output, tuple) else (output,):
                if isinstance(part, Tensor):
                    seen.append((OUTPUT, path, _is_finite(part)))

        handles.append(modules[path].register_forward_hook(note))

    def watch_gradient(name: str, parameter: nn.Parameter) -> None:
        def note(gradient: Tensor) -> None:
            seen.append((GRADIENT, name, _is_finite(gradient)))

        handles.append(parameter.register_hook(note))  # type: ignore[no-untyped-call]

    try:
        for layer in layers:
            if layer.path in modules:
                watch_output(layer.path)
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                watch_gradient(name, parameter)
        yield
    finally:
        for handle in handles:
            handle.remove()


def _is_finite(tensor: Tensor) -> Tensor:
    return tensor.detach().isfinite().all().cpu()


def _layers(plan: Plan, module: str = "", node: str = "") -> Iterator[_Layer]:
    """Every layer of a network or a group, with the block on the canvas that it belongs to."""
    for step in plan.steps:
        # A repeated block has a plan of its own with one step, which is no block of the canvas.
        own_node = f"{node}/{step.node.id}" if node else step.node.id
        for number, part in enumerate(step.parts):
            if isinstance(part, Plan):
                inner = f"{module}{step.path(number)}."
                if isinstance(step.node.block, GroupUse):
                    yield from _layers(part, inner, own_node)
                else:
                    yield from (_Layer(f"{inner}{path}", own_node, step.node.name) for path, _ in part.named_layers())
            else:
                paths = (step.path(number),) if step.is_repeated else step.layer_names
                yield from (_Layer(f"{module}{path}", own_node, step.node.name) for path in paths)


def _event(step: int, epoch: int, kind: str, path: str, layers: list[_Layer]) -> NotFinite:
    matching = [layer for layer in layers if path == layer.path or path.startswith(f"{layer.path}.")]
    layer = max(matching, key=lambda layer: len(layer.path), default=_Layer("", "", ""))
    what = _WORDS[kind].format(f"“{layer.name}”" if layer.name else "the network")
    message = (
        f"What was no longer a number first, at step {step:,} in epoch {epoch:,}: {what}. "
        f"{_REMEDY if kind != INPUT else 'Look at the samples in the Data place.'}"
    )
    return NotFinite(step, epoch, kind, layer.node, message)
