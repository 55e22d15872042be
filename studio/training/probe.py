"""What is fastest on this machine: a few real steps, measured on throw-away copies before a run begins.

Nothing of them stays: neither weights nor what is drawn at random later. What was tried is told, with its milliseconds.
"""

from __future__ import annotations

import itertools
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch

from studio.compile.plan import Plan
from studio.data.dataset import Dataset
from studio.project import Project
from studio.settings import TrainingSettings
from studio.training import whole_step
from studio.training.control import Control
from studio.training.loop import Trainer
from studio.training.setup import has_images
from studio.training.speed import (
    WHOLE_STEP_LATER,
    Choices,
    computing,
    missing_compiler,
    set_by_hand,
    whole_step_refusal,
)

SECONDS = 1.0  # for all that is tried
SHARE_OF_RUN = 0.04  # of a long run's time, if that is more
MOST_SECONDS = 20.0
BETTER = 0.92  # of the time, at most, to be chosen: less is the machine's mood
_ROUND = 0.03  # seconds of steps, of one candidate and then of the other
_ROUNDS = 3
_MOST_BATCHES = 16  # that are gone through again and again
_TINY_STEP = 0.003  # seconds; longer steps spend their time in operations, not between them
_COMPILING = 12.0  # seconds that it takes, about
_SAVED = 0.5  # of a tiny step's time, once it is compiled
_WORTH_A_THREAD = 0.05  # of the time, to prepare batches
_LOSS_APART = 0.05  # that another precision may change the first loss

MakeTrainer = Callable[[Choices], Trainer]
Candidate = tuple[str, str, Choices]  # name, value in words, choices with it


def choose(
    project: Project, dataset: Dataset, plan: Plan, device: torch.device, control: Control, make: MakeTrainer
) -> Choices:
    """How the steps of a run shall be computed: by hand, or as it is fastest here where the settings say so.

    Args:
        dataset: what the run will learn from.
        plan: of its network.
        control: a stop ends the measuring.
        make: a trainer with fresh weights, of which only single steps are done.

    Raises:
        TrainingError: if this machine cannot do what was set by hand.
    """
    settings = project.training
    first = set_by_hand(settings, device, images=has_images(plan), outputs=len(plan.outputs))
    if settings.speed.mode != "auto":
        return first
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        probe = _Probe(make, control)
        # A network that is to be compiled would be compiled for every candidate: what is measured is without.
        found = probe.best(replace(first, compile="off"), lambda best: _candidates(settings, plan, device, best))
        found = replace(found, compile=first.compile)
        found = _with_batches_ahead(found, probe, settings)
        return _with_compiled_step(found, probe, settings, device)


def _candidates(settings: TrainingSettings, plan: Plan, device: torch.device, best: Choices) -> Iterator[Candidate]:
    """What to try beside the best so far; what was set by hand stays."""
    speed = settings.speed
    if speed.precision == "auto" and not settings.optimizer.searches:
        for precision in fast_precisions(device):
            yield "precision", precision, replace(best, precision=precision)
    if speed.layout == "auto" and has_images(plan):
        for layout in ("channels last", "contiguous"):
            yield "layout", layout, replace(best, layout=layout)
    if settings.threads == 0 and device.type == "cpu":
        cores = os.cpu_count() or 1
        for threads in sorted({1, max(1, cores // 2), max(1, cores - 1), cores}):
            yield "threads", str(threads), replace(best, threads=threads)


def fast_precisions(device: torch.device) -> tuple[str, ...]:
    """Those that may be faster than float32 on a device; float16 only where there is no bfloat16."""
    if device.type == "cuda":
        bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return ("tf32", "bfloat16") if bfloat16 else ("float16",)
    if device.type == "cpu" and _knows_bfloat16():
        return ("bfloat16",)
    return ()


def _knows_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 by itself: AVX512_BF16 or AMX."""
    known = torch.cpu.get_capabilities()
    return any(bool(known.get(name)) for name in ("avx512_bf16", "amx_bf16", "amx_tile", "bf16", "sve_bf16"))


@dataclass
class _Subject:
    """A trainer of which steps are measured."""

    choices: Choices
    trainer: Trainer
    step: int = 0
    shortest: float = math.inf  # seconds of a step on a processor, with nobody else at work

    def __post_init__(self) -> None:
        started = time.perf_counter()
        epoch = self.trainer.batches["train"].epoch(torch.Generator().manual_seed(0))
        first = next(epoch)
        self.gathering = time.perf_counter() - started  # of the first chunk of batches
        self.batches = [first, *itertools.islice(epoch, _MOST_BATCHES - 1)]
        self.trainer.model.train()
        for part in self.trainer.frozen:
            part.eval()
        with computing(self.choices):
            self.loss = float(self._step().detach())
            self.run(1)

    def _step(self) -> torch.Tensor:
        inputs, targets = self.batches[self.step % len(self.batches)]
        loss, _ = self.trainer.stepper(inputs, targets, self.step)
        self.step += 1
        return loss

    def run(self, steps: int) -> float:
        """Seconds of a step. What is computed is waited for."""
        with computing(self.choices):
            if steps > 1:
                self._step()  # a short one feels that the threads change
            self._wait()
            times = [time.perf_counter()]
            for _ in range(steps):
                self._step()
                times.append(time.perf_counter())
            self._wait()
            self.shortest = min(self.shortest, *(after - before for before, after in itertools.pairwise(times)))
            return (time.perf_counter() - times[0]) / steps

    def _wait(self) -> None:
        if self.trainer.stepper.device == "cuda":
            torch.cuda.synchronize()


@dataclass
class _Probe:
    make: MakeTrainer
    control: Control
    subject: _Subject = field(init=False)  # the best so far
    seconds: float = field(default=0.0, init=False)  # of its steps
    steps: int = field(default=0, init=False)  # of the whole run
    recurrent: str = field(default="", init=False)

    def best(self, first: Choices, candidates: Callable[[Choices], Iterator[Candidate]]) -> Choices:
        """The fastest, one thing after the other."""
        until = time.perf_counter() + SECONDS
        self.subject = _Subject(first, self.make(first))
        trainer = self.subject.trainer
        self.steps = trainer.epochs * len(trainer.batches["train"])
        self.seconds = self.subject.run(_steps_of(self.subject.run(1)))
        until += min(MOST_SECONDS, max(0.0, SHARE_OF_RUN * self.seconds * self.steps - SECONDS))
        rows = [("as always", _in_words(first), 1e3 * self.seconds)]
        tried = {first}
        while (
            candidate := next((c for c in candidates(self.subject.choices) if _is_new(c, tried, self.subject)), None)
        ) is not None:
            name, value, choices = candidate
            tried.add(choices)
            if self.control.stopping or time.perf_counter() + 3 * _ROUNDS * self.seconds > until:
                rows.append((name, f"{value} was not tried, for lack of time", 0.0))
            else:
                rows.append((name, *self._try(value, choices)))
        return replace(self.subject.choices, measured=tuple(rows))

    def _try(self, value: str, choices: Choices) -> tuple[str, float]:
        """Measure a candidate beside the best so far; it is the best if it is faster."""
        try:
            other = _Subject(choices, self.make(choices))
            rounds = self._beside(other)
        except RuntimeError as error:  # such as an operation that does not exist in this precision
            return f"{value} failed: {str(error).strip().partition(chr(10))[0][:100]}", 0.0
        ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
        if not math.isclose(other.loss, self.subject.loss, rel_tol=_LOSS_APART):
            return f"{value} gives another loss, {other.loss:.4g} instead of {self.subject.loss:.4g}", 1e3 * theirs
        if theirs > BETTER * ours or any(one > another for another, one in rounds):
            return f"{value} is not faster", 1e3 * theirs
        self.subject, self.seconds = other, theirs
        return f"{value} is chosen", 1e3 * theirs

    def _beside(self, other: _Subject) -> list[tuple[float, float]]:
        """Seconds of a step of the best so far and of another, in turns: the machine may be busy now and then."""
        steps = _steps_of(self.seconds)
        return [(self.subject.run(steps), other.run(steps)) for _ in range(_ROUNDS)]


def _steps_of(seconds: float) -> int:
    """How many steps of so many seconds make a round."""
    return max(1, min(50, round(_ROUND / max(seconds, 1e-6))))


def _is_new(candidate: Candidate, tried: set[Choices], subject: _Subject) -> bool:
    return candidate[2] not in tried and candidate[2] != subject.choices


def _in_words(choices: Choices) -> str:
    threads = f"{choices.threads} thread{'s' if choices.threads > 1 else ''}"
    return f"{threads}, {choices.precision}, {choices.layout}"


def _with_batches_ahead(choices: Choices, probe: _Probe, settings: TrainingSettings) -> Choices:
    """Batches in a second thread, where they take a part of the time worth it and a core is free."""
    if settings.speed.prefetch != "auto" or choices.threads >= (os.cpu_count() or 1):
        return choices
    subject = probe.subject
    batches = subject.trainer.batches["train"]
    steps = min(len(batches), batches.per_chunk)
    share = subject.gathering / (subject.gathering + steps * probe.seconds)
    if share < _WORTH_A_THREAD or len(batches) <= steps:
        return choices
    row = ("batches", f"prepared ahead: they take {share:.0%} of the time", 1e3 * subject.gathering / steps)
    return replace(choices, prefetch=True, measured=(*choices.measured, row))


def _with_compiled_step(choices: Choices, probe: _Probe, settings: TrainingSettings, device: torch.device) -> Choices:
    """The whole step compiled in the background, where the run is long enough for it."""
    if settings.speed.compile != "auto":
        return choices
    saved = _SAVED * probe.seconds * probe.steps
    reason = (
        whole_step_refusal(settings, choices, device, probe.subject.trainer.outputs)
        or whole_step.refusal(probe.subject.trainer.model)
        or missing_compiler(device)
    )
    if probe.subject.shortest > _TINY_STEP:
        reason = reason or "the network is not tiny: its time goes into the operations themselves"
    if saved < _COMPILING:
        reason = reason or f"the run is too short: it could save about {saved:.1f} s and takes {_COMPILING:.0f}"
    if reason:
        row = ("compile", f"off: {reason}", 0.0)
        return replace(choices, measured=(*choices.measured, row))
    row = ("compile", "the whole step, in the background, if it is faster then", 0.0)
    return replace(choices, compile=WHOLE_STEP_LATER, measured=(*choices.measured, row))
