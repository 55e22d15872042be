"""The whole step of a tiny network as compiled code.

Such a network spends its time between operations, not in them; as one graph it takes less than half as long. Traced and
compiled is a twin of the network, if need be in a thread while the network goes on learning; then the graph works on
the network's own tensors and on those of its optimizer, so each way to do a step can follow the other.

The results differ from those of single operations in their last digits, and what is drawn at random, as by dropout, is
drawn in another way. The same graph gives the same bits.
"""

from __future__ import annotations

import copy
import logging
import math
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from studio.training.lean import Lean, reaches
from studio.training.step_graph import (
    Answer,
    Loss,
    Parts,
    Program,
    compiled,
    is_random,
    numbers_of,
    structure_of,
    traced,
)

logger = logging.getLogger(__name__)

_WORTH_IT = 0.9  # of the time of a step, at most
_TRIED_STEPS = 20
_MOST_APART = {None: 0.05, torch.bfloat16: 0.3}  # of a step's length, by what answers are computed in


class WholeStepError(Exception):
    """A whole step cannot be used; says why, as a part of a sentence."""


def refusal(model: nn.Module) -> str:
    """Why a network's step cannot become one graph, as far as its layers tell; empty if it can."""
    if any(isinstance(module, nn.RNNBase | nn.RNNCellBase) for module in model.modules()):
        return "recurrent layers would be unrolled step by step"
    return ""


@dataclass
class _Twin:
    """A copy of a network and its optimizer, and what was made of it."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    batch: list[Tensor]
    parts: Parts
    random: bool = False
    graph: Callable[..., Any] | None = None
    code: Callable[..., Answer] | None = None
    failure: Exception | None = None


@dataclass
class WholeStep:
    """Compiles the step of a network, and does it from then on.

    Args:
        model, optimizer: those that learn.
        autocast: what answers are computed in, where that is safe; None for float32.
        later: whether to compile in a thread meanwhile, and to keep single operations unless it is worth it.
        threads: processor threads of the mathematics.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Loss
    autocast: torch.dtype | None
    later: bool
    threads: int
    is_on: bool = field(default=False, init=False)  # whether the code does the steps
    news: str = field(default="", init=False)  # what happened, for people, until somebody takes it
    _ended: bool = field(default=False, init=False)
    _twin: _Twin | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _seen: object = field(default=None, init=False)
    _values: list[tuple[float, ...]] = field(default_factory=list, init=False)

    def __call__(self, inputs: tuple[Tensor, ...], targets: Tensor) -> Answer | None:
        """Do a step, if that can be done here now.

        Args:
            inputs: (N, *dims) each.
            targets: (N, ...).

        Returns:
            the mean loss () and the answers (N, ...); None where single operations have to do it.
        """
        if not self.is_on:
            if not self._ended:
                self._get_ready([*inputs, targets])
            if not self.is_on:
                return None
        if targets.shape != self._shape or inputs[0].stride() != self._stride:  # the last batch of an epoch
            return None
        if self._seen is not self.optimizer.state and not self._bind():
            return None
        self._follow()
        if self._counts:
            torch._foreach_add_(self._counts, 1.0)
        with torch.no_grad():
            return self._code(*self._flat, *inputs, targets)

    def settle(self, *, plain: bool) -> None:
        """Take over settings that were changed on the way.

        Args:
            plain: whether gradients still go to the optimizer as they are.
        """
        begun = self.is_on or self._twin is not None
        if begun and (not plain or structure_of(self.optimizer) != self._structure):
            self._end("the compiled code does not know what was changed")

    def state_dict(self) -> dict[str, Any]:
        """Whether the code does the steps."""
        return {"is_on": self.is_on}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """What was compiled before is compiled here before the next step, not later."""
        if state["is_on"]:
            self.later = False

    def _follow(self) -> None:
        """Take over what a schedule moves."""
        for number, group in enumerate(self.optimizer.param_groups):
            values = numbers_of(group)
            if values != self._values[number]:
                self._values[number] = values
                self._parts.numbers[number] = torch.tensor(values, dtype=torch.float64)

    def _bind(self) -> bool:
        """Look up the tensors that the code works on."""
        parts = Parts.of(self.model, self.optimizer)
        if parts is None:
            return False
        self._values = [()] * len(self.optimizer.param_groups)
        self._parts, self._flat, self._counts = parts, parts.flat(), parts.steps()
        self._seen = self.optimizer.state
        return True

    def _get_ready(self, batch: list[Tensor]) -> None:
        """Compile, or see whether that is done."""
        try:
            if self._twin is None:
                self._begin(batch)
            if self._thread is None or not self._thread.is_alive():
                self._take_over()
        except WholeStepError as error:
            self._end(str(error))

    def _begin(self, batch: list[Tensor]) -> None:
        if reason := refusal(self.model):
            raise WholeStepError(reason)
        if not reaches(self.optimizer):
            raise WholeStepError("the optimizer has options that are not written for it")
        if Parts.of(self.model, self.optimizer) is None:
            return  # single operations have to do the first step
        model, optimizer = copy.deepcopy((self.model, self.optimizer))
        parts = Parts.of(model, optimizer)
        assert parts is not None
        for row, group in zip(parts.numbers, optimizer.param_groups, strict=True):
            row.copy_(torch.tensor(numbers_of(group), dtype=torch.float64))
        self._structure = structure_of(optimizer)
        self._twin = _Twin(model, optimizer, [tensor.clone() for tensor in batch], parts)
        if self.later:
            # It ends with the program, if it must: what it makes is of no use to anybody else.
            self._thread = threading.Thread(target=self._make, args=(self._twin,), name="compile", daemon=True)
            self._thread.start()
        else:
            self._make(self._twin)

    def _make(self, twin: _Twin) -> None:
        try:
            flat = [*twin.parts.flat(), *twin.batch]
            graph = traced(Program(twin.model, twin.optimizer, self.loss, self.autocast, twin.parts), flat)
            twin.random = is_random(graph)
            twin.graph, twin.code = copy.deepcopy(graph), compiled(graph, flat, self.threads)
        except Exception as error:  # whatever it is, the run goes on without
            logger.info("The whole step cannot be compiled", exc_info=True)
            twin.failure = error

    def _take_over(self) -> None:
        """Go on with the compiled code, if it does what single operations do, and is worth it."""
        twin = self._twin
        if twin is None:
            return
        if twin.failure is not None or twin.code is None:
            text = str(twin.failure).strip().partition("\n")[0][:200]
            raise WholeStepError(f"PyTorch gave up with {type(twin.failure).__name__}: {text}")
        with torch.random.fork_rng([]):
            trial = _Trial(twin, self.loss, self.autocast)
            if not trial.is_same():
                raise WholeStepError("its results are not those of single operations")
            before, after = trial.seconds()
        words = f"{after * 1e3:.2f} ms a step instead of {before * 1e3:.2f}"
        if self.later and after > _WORTH_IT * before:
            raise WholeStepError(f"it is not worth it: {words}")
        *inputs, targets = twin.batch
        self._code, self._shape, self._stride = twin.code, targets.shape, inputs[0].stride()
        self._twin, self._thread = None, None
        self.is_on = self._bind()
        self.news = f"whole step: {words}"

    def _end(self, reason: str) -> None:
        self.is_on, self._ended, self._twin, self._thread = False, True, None, None
        self.news = f"off, for {reason}"


class _Trial:
    """Does the same step twice: by single operations on copies, and as the twin's graph on the twin."""

    def __init__(self, twin: _Twin, loss: Loss, autocast: torch.dtype | None) -> None:
        self.twin, self.loss, self.autocast = twin, loss, autocast
        *self.inputs, self.targets = twin.batch
        self.model, optimizer = copy.deepcopy((twin.model, twin.optimizer))
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self.lean = Lean(optimizer)
        self.counts, self.flat = twin.parts.steps(), [*twin.parts.flat(), *twin.batch]

    def single(self) -> Tensor:
        """By single operations; the loss ()."""
        with torch.autocast("cpu", dtype=self.autocast or torch.bfloat16, enabled=self.autocast is not None):
            answers = self.model(*self.inputs)
        mean = self.loss(answers.float() if self.autocast else answers, self.targets)
        for parameter in self.parameters:
            parameter.grad = None
        mean.backward()  # type: ignore[no-untyped-call]
        self.lean.step()
        return mean.detach()

    def whole(self, code: Callable[..., Any]) -> Tensor:
        """As a graph; the loss ()."""
        if self.counts:
            torch._foreach_add_(self.counts, 1.0)
        with torch.no_grad():
            mean: Tensor = code(*self.flat)[0]
        return mean

    def is_same(self) -> bool:
        """Whether one step of each gives the same loss and moves the weights alike, but for the last digits."""
        twin, state = self.twin, torch.get_rng_state()
        started = [parameter.detach().clone() for parameter in self.parameters]
        expected = self.single()
        torch.set_rng_state(state)
        # What draws at random draws otherwise once it is compiled: then the graph is compared as it was traced.
        assert twin.code is not None
        assert twin.graph is not None
        loss = self.whole(twin.graph if twin.random else twin.code)
        moved = [after - before for after, before in zip(twin.parts.learned.values(), started, strict=True)]
        wanted = [after.detach() - before for after, before in zip(self.parameters, started, strict=True)]
        apart = _length([one - other for one, other in zip(moved, wanted, strict=True)])
        most = _MOST_APART[self.autocast]
        return apart <= most * _length(wanted) and math.isclose(
            float(loss), float(expected), rel_tol=most, abs_tol=1e-4
        )

    def seconds(self) -> tuple[float, float]:
        """Of a step by single operations, and as compiled code."""
        single, whole = [], []
        for _ in range(_TRIED_STEPS):
            times = [time.perf_counter()]
            self.single()
            times.append(time.perf_counter())
            assert self.twin.code is not None
            self.whole(self.twin.code)
            times.append(time.perf_counter())
            single.append(times[1] - times[0])
            whole.append(times[2] - times[1])
        return statistics.median(single), statistics.median(whole)


def _length(tensors: list[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.square().sum()) for tensor in tensors))
