"""Looks closely at a step now and then: gradients, updates, dead and saturated units of every block.

A look changes nothing: hooks only read what passes, no number is drawn, and no weight is touched. What it costs is
measured, and the next one comes so much later that all looks together take a hundredth of the time. Only at the start,
when most happens, they come closer together, until they have cost three hundredths of a second.

Axis letters: N batch, C channels, D features, U units.
"""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from studio.training.events import BlockHealth, Health
from studio.training.health_blocks import Activation, Watched

SHARE_OF_TIME = 0.01  # of the run that looks may take
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_AT_START = 0.03  # that the first looks may cost, whatever share of the time that is
_GROWTH = 1.15  # from step to step that is looked at then
LOOKS_TO_DIE = 8  # a unit that was zero in the batches of so many looks in a row is dead
_NEAR = 0.47  # of the way between its bounds, from the middle: there the slope of a sigmoid is a ninth of its largest
_MOST_NUMBERS = 2**18  # of a tensor that are looked at, where some tell of all
_NONE = math.nan


class Watcher:
    """Looks at steps of a training that is under way.

    Args:
        blocks: what `watched_blocks` found in the network.
        waits: whether the optimizer waits for several batches before it changes the weights.
        plainly: whether a step that is looked at may be done by single operations; if it may not, because compiled code
            must do it to give the same bits, only weights and their changes are seen.
        share_of_time: that looks may take.
        seconds_between: the least from one look to the next.
        seconds_at_start: that the first looks may cost, whatever share that is.
    """

    def __init__(
        self, blocks: Sequence[Watched], waits: bool = False, plainly: bool = True,
        share_of_time: float = SHARE_OF_TIME, seconds_between: float = SECONDS_BETWEEN_LOOKS,
        seconds_at_start: float = SECONDS_AT_START,
    ) -> None:  # fmt: skip
        self._waits = waits
        self.plainly = plainly
        self._share, self._between = share_of_time, seconds_between
        self._looks = [_Look(block) for block in blocks]
        self._credit = seconds_at_start
        self._due, self._due_step = 0.0, 0.0
        self._cost = 0.0  # of the look under way, in seconds
        self._costs: deque[float] = deque(maxlen=5)

    def take_weights(self, replaced: Mapping[nn.Parameter, Any]) -> None:
        """Look at other tensors from now on, of which only a part may be here: that stands for all of it."""
        for look in self._looks:
            look.take_weights(replaced)

    def is_due(self, step: int) -> bool:
        """Whether another look would be neither too soon nor take too large a share of the time.

        Args:
            step: steps done.
        """
        return step >= self._due_step or time.perf_counter() >= self._due

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Look at the step that is done within."""
        started = time.perf_counter()
        for look in self._looks:
            look.begin(self.plainly)
        self._cost = time.perf_counter() - started
        try:
            yield
        finally:
            for look in self._looks:
                look.end()

    @torch.no_grad()
    def told(self, step: int, epoch: int, loss: Tensor, learning_rate: float) -> Health | None:
        """What the step was like.

        Args:
            step: steps done, with this one.
            epoch: the epoch under way.
            loss: of its batch, ().
            learning_rate: that it had.

        Returns:
            None if no weight changed because the optimizer waits for further batches; then the next step is due.
        """
        started = time.perf_counter()
        values = [loss.detach().float()]
        for look in self._looks:
            values += look.figures(self.plainly)
        read = torch.stack([value.float() for value in values]).tolist()  # waits for the device once
        numbers = iter(read[1:])
        blocks = tuple(look.health(numbers) for look in self._looks)
        ended = time.perf_counter()
        self._cost += ended - started + sum(look.seconds for look in self._looks)
        if self._waits and not any(block.update > 0 or block.broken for block in blocks):
            return None  # the next step is due
        self._plan_next(step, ended)
        return Health(step, epoch, read[0], learning_rate, blocks, self._cost)

    def _plan_next(self, step: int, now: float) -> None:
        self._costs.append(self._cost)
        usual = statistics.mean(self._costs)
        least = min(self._costs)  # a look during which the machine did something else shall not end the start
        self._due = now + max(self._between, usual / self._share)
        self._credit -= least
        self._due_step = step * _GROWTH if self._credit > least else math.inf


class _Look:
    """What is seen of one block, and what of it is remembered from look to look."""

    def __init__(self, block: Watched) -> None:
        self.block = block
        self.seconds = 0.0  # that its hooks took
        self._hooks: list[Any] = []
        self._before: list[Tensor] = []
        self._seen: dict[str, Tensor] = {}
        self._quiet: dict[int, Tensor] = {}  # by activation: for how many looks each unit was zero, (U,)
        self._scale = 1.0  # from the length of what is here of the weights to that of all

    def take_weights(self, replaced: Mapping[nn.Parameter, Any]) -> None:
        weights = tuple(replaced.get(weight, weight) for weight in self.block.weights)
        self.block = replace(self.block, weights=weights)
        here = sum(_here(weight).numel() for weight in weights)
        self._scale = math.sqrt(sum(weight.numel() for weight in weights) / here) if here else 1.0

    def begin(self, plainly: bool) -> None:
        self.seconds, self._seen = 0.0, {}
        self._before = [_some(p).clone() for p in self.block.weights]
        if not plainly:
            return
        if self.block.last is not None:
            self._hooks.append(self.block.last.register_forward_hook(self._see_result))
        for number, activation in enumerate(self.block.activations):
            self._hooks.append(activation.module.register_forward_hook(self._seer(number, activation)))

    def _see_result(self, _module: nn.Module, _inputs: Any, result: Any) -> None:
        started = time.perf_counter()
        x = _tensor(result)
        if x is not None:
            some = x[: max(1, len(x) * _MOST_NUMBERS // x.numel())]
            variance, self._seen["mean"] = torch.var_mean(some, correction=0)
            self._seen["std"] = variance.sqrt()
        self.seconds += time.perf_counter() - started

    def _seer(self, number: int, activation: Activation) -> Any:
        low, high = activation.bounds

        def see(_module: nn.Module, _inputs: Any, result: Any) -> None:
            started = time.perf_counter()
            x = _tensor(result)
            if x is not None and activation.can_die:
                self._put("dead", self._dead(number, x, activation.unit_axis))
            elif x is not None:
                self._put("saturated", ((x - (low + high) / 2).abs() > _NEAR * (high - low)).float().mean())
            self.seconds += time.perf_counter() - started

        return see

    def _put(self, name: str, share: Tensor) -> None:
        """Of several activations in a block, or calls of one, the worst counts."""
        self._seen[name] = torch.maximum(self._seen[name], share) if name in self._seen else share

    def _dead(self, number: int, x: Tensor, unit_axis: int) -> Tensor:
        """The share of units that were zero for long enough."""
        unit_axis %= x.ndim
        quiet_U = x.amax([axis for axis in range(x.ndim) if axis != unit_axis]) <= 0
        before = self._quiet.get(number)
        counted = quiet_U.int() if before is None or before.shape != quiet_U.shape else (before + 1) * quiet_U
        self._quiet[number] = counted
        return (counted >= LOOKS_TO_DIE).float().mean()

    def end(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def figures(self, plainly: bool) -> list[Tensor]:
        """Still on the device: norms of weights, update and gradient, and what the hooks saw."""
        weights = self.block.weights
        figures = []
        if weights:
            gradients = [_here(p.grad) for p in weights if p.grad is not None and plainly]
            changed = [_some(p) - before for p, before in zip(weights, self._before, strict=True)]
            now = [_here(p) for p in weights]
            figures = [_norm(some) for some in (self._before, changed, now, gradients or [_nothing(now[0])])]
        self._before = []
        return figures + list(self._seen.values())

    def health(self, numbers: Iterable[float]) -> BlockHealth:
        """The figures of the block from the numbers that `end` stood for, which are taken off the front."""
        block, numbers = self.block, iter(numbers)
        some, changed, weight, gradient = (next(numbers) for _ in range(4)) if block.weights else (_NONE,) * 4
        seen = {name: next(numbers) for name in self._seen}
        figures = {"output": seen.get("std", 0.0), "gradient": gradient, "weights": weight}
        broken = [name for name, value in figures.items() if not math.isfinite(value)] if block.weights else []
        if not block.weights and not math.isfinite(seen.get("std", 0.0)):
            broken = ["output"]
        return BlockHealth(
            block.node, block.name, block.kind, block.axes, block.answers, block.parameters,
            weight=weight * self._scale,
            gradient=gradient * self._scale,
            update=changed / some if some else _NONE,
            mean=seen.get("mean", _NONE),
            std=seen.get("std", _NONE),
            dead=seen.get("dead", _NONE),
            saturated=seen.get("saturated", _NONE),
            broken=broken[0] if broken else "",
        )  # fmt: skip


def _tensor(result: Any) -> Tensor | None:
    """What a module gives, in float; of several the first. None if that is no tensor of real numbers."""
    first = result[0] if isinstance(result, tuple) else result
    if not isinstance(first, Tensor) or not first.is_floating_point() or not first.numel():
        return None
    return first.detach().float()


def _some(parameter: nn.Parameter) -> Tensor:
    """Numbers of a tensor, evenly spread, so many that they tell of all of it."""
    flat = _here(parameter).reshape(-1)
    return flat[:: -(-flat.numel() // _MOST_NUMBERS)]


def _here(tensor: Tensor) -> Tensor:
    """A tensor, or the part of it that this process has, where several keep parts."""
    own: Tensor = tensor.detach()
    return own.to_local() if hasattr(own, "to_local") else own


def _nothing(like: Tensor) -> Tensor:
    """What stands for a gradient where there is none."""
    return torch.full((1,), _NONE, device=like.device)


def _norm(tensors: Sequence[Tensor]) -> Tensor:
    """Of all numbers in them together, ()."""
    norms: list[Tensor] = [torch.linalg.vector_norm(tensor.float()) for tensor in tensors]
    whole: Tensor = norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))
    return whole
