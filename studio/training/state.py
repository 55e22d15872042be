"""All that a run needs to go on to the same bits: taken from a trainer, and put into another one.

Plain values and tensors only, so that a checkpoint can hold it. Everything that changes from step to step is in it:
without one part of it, a run that goes on would be another run. tests/training/test_resume.py compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from studio.training.loop import Trainer

State = dict[str, Any]


def state_of(trainer: Trainer) -> State:
    """The state between two steps. Its tensors are those of the trainer, not copies."""
    clock, stepper = trainer.clock, trainer.stepper
    return {
        "model": stepper.model.state_dict(),
        "optimizer": stepper.optimizer.state_dict(),
        "gradients": gradients_of(trainer),
        "parts": {name: part.state_dict() for name, part in _parts(trainer)},
        "generators": {name: generator.get_state() for name, generator in _generators(trainer)},
        "random": random_state(stepper.device),
        "order": trainer.order if trainer.done else trainer.shuffle.get_state(),
        "step": trainer.step,
        "steps": trainer.epochs * len(trainer.batches["train"]),
        "epoch": trainer.epoch,
        "done": trainer.done,
        "averaged": trainer.averaged,
        "batch_size": stepper.settings.batch_size,
        "tally": clock.tally.state_dict() if trainer.done else None,
        "seconds": trainer.seconds + clock.seconds,
        "epoch_seconds": clock.epoch_seconds if trainer.done else 0.0,
        "settings": stepper.settings.to_json(),
        "best": trainer.keeper.best_state(),
    }


def gradients_of(trainer: Trainer) -> list[Tensor | None]:
    """What the weights that learn have as gradients, if these are summed up over several batches; else nothing."""
    if trainer.stepper.settings.gradients.accumulate == 1:
        return []
    found = [p.grad for p in _parameters(trainer)]
    return found if trainer.team is None else trainer.team.whole_gradients(found)


def put_gradients(trainer: Trainer, gradients: Iterable[Tensor | None]) -> None:
    """Go on summing up where `gradients_of` another trainer stood."""
    for parameter, gradient in zip(_parameters(trainer), gradients, strict=False):
        parameter.grad = None if gradient is None else gradient.to(parameter.device)


def put_state(trainer: Trainer, state: State) -> None:
    """Put a new trainer where another one stood when its state was taken.

    Where the batches have another size now, it stands at the same sample, or at most a batch before it.

    Raises:
        KeyError, ValueError, TypeError, RuntimeError: if the state is not one of such a trainer.
    """
    stepper = trainer.stepper
    stepper.model.load_state_dict(state["model"])
    stepper.optimizer.load_state_dict(state["optimizer"])
    _lay_out(stepper.optimizer)
    device = next(stepper.model.parameters()).device
    put_gradients(trainer, state["gradients"])
    for name, part in _parts(trainer):
        if name in state["parts"]:
            part.load_state_dict(state["parts"][name])
    for name, generator in _generators(trainer):
        if name in state["generators"]:
            generator.set_state(state["generators"][name])
    trainer.shuffle.set_state(state["order"])
    trainer.order = state["order"]
    trainer.epoch, trainer.seconds, trainer.epoch_seconds = state["epoch"], state["seconds"], state["epoch_seconds"]
    trainer.averaged = state.get("averaged", 0)
    _put_place(trainer, state)
    trainer.keeper.load_best(state["best"], device)
    if state["tally"] is not None:
        trainer.clock.tally.load_state_dict(state["tally"], device)
    set_random_state(state["random"])


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Have in memory what it remembers as the weights are now: the fused ones walk through both in step."""
    for parameter, state in optimizer.state.items():
        for name, kept in state.items():
            if isinstance(kept, Tensor) and kept.shape == parameter.shape and kept.stride() != parameter.stride():
                state[name] = torch.empty_like(parameter, requires_grad=False).copy_(kept)


def _put_place(trainer: Trainer, state: State) -> None:
    size = trainer.stepper.settings.batch_size
    trainer.step, trainer.done, trainer.under_way = state["step"], state["done"], state["epoch"] + 1
    if size != state["batch_size"]:
        trainer.done = state["done"] * state["batch_size"] // size
        trainer.step = state["epoch"] * len(trainer.batches["train"]) + trainer.done


def random_state(device: str) -> dict[str, Tensor]:
    """States of torch's own generators: of the processor, and of the device that trains."""
    states = {"cpu": torch.get_rng_state()}
    if device == "cuda":
        states["cuda"] = torch.cuda.get_rng_state()
    elif device == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_random_state(states: dict[str, Tensor]) -> None:
    """Put torch's generators where they were; those of a device that is not here stay as they are."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
    if "mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["mps"])


def _parameters(trainer: Trainer) -> Iterator[nn.Parameter]:
    return (p for group in trainer.optimizer.param_groups for p in group["params"])


def _parts(trainer: Trainer) -> Iterator[tuple[str, Any]]:
    """Whatever else has a state: a scaler of gradients, averages of weights, a schedule that looks at the loss."""
    for name, part in _attributes(trainer):
        is_own = isinstance(part, nn.Module | torch.optim.Optimizer)
        if not is_own and hasattr(part, "state_dict") and hasattr(part, "load_state_dict"):
            yield name, part


def parts_of_steps(trainer: Trainer) -> Iterator[tuple[str, Any]]:
    """What steps need beside network and optimizer: a scaler of gradients, a schedule that looks at the loss."""
    stepper = trainer.stepper
    inner = [part for part in vars(stepper).values() if part is not None]
    for name, part in _parts(trainer):
        if part is stepper or any(part is other for other in inner):
            yield name, part


def _generators(trainer: Trainer) -> Iterator[tuple[str, torch.Generator]]:
    for name, part in _attributes(trainer):
        if isinstance(part, torch.Generator) and part is not trainer.shuffle:
            yield name, part


def _attributes(trainer: Trainer) -> Iterator[tuple[str, Any]]:
    for owner in (trainer, trainer.stepper):
        yield from ((f"{type(owner).__name__}.{name}", part) for name, part in vars(owner).items())


def copied(value: Any, into: Any = None) -> Any:
    """A deep copy on the CPU.

    Args:
        into: an earlier copy of the same kind of thing, whose tensors may be overwritten: that spares the time to get
            memory, which takes longer than the copying.
    """
    if isinstance(value, Tensor):
        return _copied_tensor(value, into)
    if isinstance(value, dict):
        before = into if isinstance(into, dict) else {}
        return {key: copied(item, before.get(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        earlier = into if isinstance(into, list | tuple) and len(into) == len(value) else (None,) * len(value)
        return type(value)(copied(item, old) for item, old in zip(value, earlier, strict=True))
    return value


def _copied_tensor(tensor: Tensor, into: Any) -> Tensor:
    tensor = tensor.detach()
    # The same strides, too: the fused optimizers walk through weights and their averages in step.
    if isinstance(into, Tensor) and (into.shape, into.dtype, into.stride()) == (
        tensor.shape, tensor.dtype, tensor.stride(),
    ):  # fmt: skip
        return into.copy_(tensor)
    return tensor.to("cpu", copy=True)
