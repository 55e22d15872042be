"""What is wrong with a run, found in its figures alone. No torch here: rules are functions of a history of numbers.

Each rule says what it saw in numbers. It is better silent than wrong: the thresholds lie where networks that learn well
do not come, which tests hold for the templates.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from studio.compile.analysis import ERROR, HINT, SEVERITIES, WARNING
from studio.training.events import (
    DIVERGED,
    BlockHealth,
    Diagnosis,
    EpochEnded,
    Event,
    Finding,
    Health,
    NotFinite,
)
from studio.training.history import History

VANISHING, EXPLODING, DEAD, SATURATED = "vanishing", "exploding", "dead", "saturated"
OVERFITTING, PLATEAU, RATE_HIGH, RATE_LOW, BROKEN = "overfitting", "plateau", "rate-high", "rate-low", "broken"
START, STUCK, TIGHT = "start", "stuck", "tight"  # found before a run, by `studio.training.preflight`

_FEWEST_LOOKS = 8  # before anything is said of what may still settle
_SECONDS_BETWEEN = 0.1

_VANISHED = 1e-3  # gradient of an early block to the largest behind it
_EXPLODED = 10.0  # gradient of all weights to their size
_MOST_DEAD, _MOST_SATURATED = 0.75, 0.85
_LARGE_UPDATE, _SMALL_UPDATE = 0.1, 1e-5  # of a step, to the size of the weights
_STEPS_OF_PLATEAU = 200  # at least; with few samples, these are many epochs
_NOT_LEARNED = 0.9  # of the loss at first: hardly better
_MOST_LISTED = 4  # blocks in a text
_NO_DEPTH = ("embedding", "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "learned_scale")

Rule = Callable[[History], Iterator[Finding]]


def diagnose(history: History) -> tuple[Finding, ...]:
    """All that can be said of a run, the worst first."""
    found: list[Finding] = []
    for rule in RULES:
        found += rule(history)
    kinds = {finding.kind for finding in found}
    found = [finding for finding in found if not (_HIDDEN_BY.get(finding.kind, set()) & kinds)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


# What explains another finding takes its place.
_HIDDEN_BY = {
    PLATEAU: {RATE_HIGH, RATE_LOW, VANISHING, DEAD, BROKEN, EXPLODING},
    VANISHING: {DEAD, BROKEN},
    RATE_LOW: {VANISHING, DEAD},
    RATE_HIGH: {BROKEN},
    EXPLODING: {BROKEN},
    OVERFITTING: {RATE_HIGH, BROKEN},
}


def _broken(history: History) -> Iterator[Finding]:
    """Where infinite numbers, or none, came from."""
    broken = history.broken
    if broken is not None:
        title = "Broken samples" if broken.kind == "input" else "Training diverged"
        yield Finding(BROKEN, ERROR, title, broken.message + _grew(history), "", broken.node)
        return
    seen = [(health, block) for health in history.recent for block in health.blocks if block.broken]
    if seen:
        health, block = seen[0]
        text = f"At step {health.step:,} the {block.broken} of “{block.name}” held numbers that are infinite or none."
        yield Finding(BROKEN, ERROR, "Training diverged", text + _grew(history), "", block.node, block.name)
    elif history.diverged:
        yield Finding(BROKEN, ERROR, "Training diverged", "The loss was no longer a number." + _grew(history))


def _grew(history: History) -> str:
    sound = [health for health in history.healths if math.isfinite(health.loss)]
    if not sound:
        return ""
    last = sound[-1]
    updates = [block.update for block in last.blocks if math.isfinite(block.update)]
    changed = f", when a step changed weights by up to {_share(max(updates))}" if updates else ""
    return f" The loss was {_number(sound[0].loss)} at first and {_number(last.loss)} at step {last.step:,}{changed}."


def _vanishing(history: History) -> Iterator[Finding]:
    """The first layers get a gradient that is orders of magnitude below that of later ones."""
    gradients = _depths(history)
    if len(history.healths) < _FEWEST_LOOKS or len(gradients) < 3:
        return
    keys = list(gradients)
    worst, first, later = math.inf, "", ""
    for place, early in enumerate(keys[:-1]):
        largest = max(keys[place + 1 :], key=gradients.__getitem__)
        if gradients[largest] > 0 and gradients[early] / gradients[largest] < worst:
            worst, first, later = gradients[early] / gradients[largest], early, largest
    if worst < _VANISHED:
        block, behind = history.blocks[first], history.blocks[later]
        text = (
            f"“{block.name}” gets a gradient of {_number(gradients[first])}, “{behind.name}” one of "
            f"{_number(gradients[later])}: {_times(gradients[later], gradients[first])} as much. The first layers "
            "hardly learn."
        )
        yield Finding(VANISHING, WARNING, "Vanishing gradients", text, "", block.node, block.name)


def _depths(history: History) -> dict[str, float]:
    """Gradients of what stands one behind the other, in that order."""
    blocks, gradients = history.blocks, history.figure("gradient")
    return {key: gradients[key] for key in blocks if key in gradients and blocks[key].kind not in _NO_DEPTH}


def _exploding(history: History) -> Iterator[Finding]:
    """The gradient is many times as large as the weights."""
    looks = history.recent
    if len(looks) < 3:
        return
    ratios = [_whole(look, "gradient") / max(_whole(look, "weight"), 1e-30) for look in looks]
    ratios = [ratio for ratio in ratios if math.isfinite(ratio)]
    large = [ratio for ratio in ratios if ratio > _EXPLODED]
    if len(large) * 3 < len(looks) or history.loss < 0.5 * history.first_loss:
        return
    gradients = _depths(history)
    largest = max(gradients, key=gradients.__getitem__)
    block = history.blocks[largest]
    text = (
        f"The gradient is {_number(max(large))} times as large as the weights themselves, in {len(large)} of the last "
        f"{len(looks)} steps that were looked at; most of it ({_number(gradients[largest])}) is that of “{block.name}”."
    )
    yield Finding(EXPLODING, ERROR, "Exploding gradients", text, "", block.node, block.name)


def _whole(health: Health, figure: str) -> float:
    return math.hypot(*(v for block in health.blocks if not math.isnan(v := getattr(block, figure))))


def _dead(history: History) -> Iterator[Finding]:
    """Most units of a ReLU give zero whatever comes."""
    found = _idle(history, "dead", _MOST_DEAD)
    if found:
        text = (
            f"Units that gave zero for every sample of the last batches that were looked at: {_listed(found)}. No "
            "gradient passes them, so they never learn again."
        )
        severity = ERROR if max(share for _, share in found) > 0.99 else WARNING
        yield _about(found, DEAD, severity, "Dead ReLU units", text)


def _saturated(history: History) -> Iterator[Finding]:
    """Most numbers of a sigmoid or tanh lie at its bounds."""
    if len(history.healths) < _FEWEST_LOOKS or history.loss < 0.5 * history.first_loss:
        return
    found = _idle(history, "saturated", _MOST_SATURATED)
    if found:
        text = f"Numbers that lie at their bounds, where hardly any gradient passes: {_listed(found)}."
        yield _about(found, SATURATED, WARNING, "Saturated units", text)


_Idle = list[tuple[BlockHealth, float]]  # blocks, and their share of dead or saturated units


def _idle(history: History, figure: str, most: float) -> _Idle:
    """Blocks in which a share is too large, in their order; what gives the answers may do as it likes."""
    shares, blocks = history.figure(figure), history.blocks
    return [
        (blocks[key], share) for key, share in shares.items()
        if key in blocks and share >= most and not blocks[key].answers
    ]  # fmt: skip


def _listed(found: _Idle) -> str:
    texts = [f"{_share(share)} of “{block.name}”" for block, share in found[:_MOST_LISTED]]
    rest = len(found) - len(texts)
    return ", ".join(texts) + (f" and those of {rest} more" if rest else "")


def _about(found: _Idle, kind: str, severity: str, title: str, text: str) -> Finding:
    first, *others = [block for block, _ in found]
    return Finding(kind, severity, title, text, "", first.node, first.name, others=tuple(b.node for b in others))


def _overfitting(history: History) -> Iterator[Finding]:
    """The validation loss rises while the training loss falls, or is far above it."""
    best, epochs = history.best, history.epochs
    if best is None or len(epochs) < 6:
        return
    train, validation = (statistics.mean(getattr(e, split)["loss"] for e in epochs[-3:]) for split in _SPLITS)
    lowest, since = best.validation["loss"], epochs[-1].epoch - best.epoch
    rose = validation > 1.2 * lowest and not validation - lowest < 0.05 * history.baseline
    rises = rose and train < 0.9 * best.train["loss"] and since >= max(3, 0.15 * epochs[-1].epoch)
    gap = train < 0.3 * validation and validation > 0.5 * history.baseline
    if rises:
        text = (
            f"The validation loss was lowest in epoch {best.epoch:,} ({_number(lowest)}) and has risen to "
            f"{_number(validation)} since, while the training loss fell from {_number(best.train['loss'])} to "
            f"{_number(train)}: the network learns its samples by heart."
        )
    elif gap:
        text = f"The training loss is {_number(train)}, the validation loss {_number(validation)}: far above it."
    else:
        return
    yield Finding(OVERFITTING, WARNING, "Overfitting", text, _AGAINST_OVERFITTING)


_SPLITS = ("train", "validation")
_AGAINST_OVERFITTING = (
    "More samples help most. Cross-validation (k-fold, in the Data place) tells how sure these figures are. The best "
    "epoch’s weights are kept in any case."
)


def _plateau(history: History) -> Iterator[Finding]:
    """The training loss no longer falls, though it is still high."""
    epochs = history.epochs
    if len(epochs) < 8 or math.isnan(history.baseline):
        return
    per_epoch = max(1, epochs[-1].step - epochs[-2].step)
    window = max(8, -(-_STEPS_OF_PLATEAU // per_epoch))
    losses = [epoch.train["loss"] for epoch in epochs[-window:]]
    if len(losses) < window:
        return
    before, now = statistics.mean(losses[: window // 2]), statistics.mean(losses[window // 2 :])
    if now > 0.99 * before and now > _NOT_LEARNED * history.baseline:
        text = (
            f"In the last {window:,} epochs the training loss went from {_number(losses[0])} to "
            f"{_number(losses[-1])}; answers that do not look at the input at all reach {_number(history.baseline)}."
        )
        advice = "Are the labels right, and do the inputs tell them apart? A wider or deeper network may see more."
        yield Finding(PLATEAU, WARNING, "The loss does not fall", text, advice)


def _rate_high(history: History) -> Iterator[Finding]:
    """The loss jumps about or rises, and each step changes much of the weights."""
    if not math.isfinite(history.loss):
        return
    update = _typical_update(history)
    highest = history.highest
    rose = highest > 3 * history.first_loss and history.loss > _NOT_LEARNED * history.first_loss
    jumped = history.loss > 2 * history.lowest and history.loss > 0.5 * history.first_loss
    idle = update > _LARGE_UPDATE and history.loss > _NOT_LEARNED * history.first_loss
    if not (rose or idle or (jumped and update > _LARGE_UPDATE / 10)):
        return
    text = f"The loss is {_number(history.loss)} after {_number(history.first_loss)} at first"
    if rose:
        text += f", and was {_number(highest)} in between."
    else:
        text += f"; a step changes a block’s weights by {_share(update)} of their size (usual is 0.01 % to 1 %)."
    yield Finding(RATE_HIGH, ERROR if rose else WARNING, "Learning rate too high", text)


def _rate_low(history: History) -> Iterator[Finding]:
    """Steps change almost nothing, and the loss hardly moves."""
    looks = history.recent
    if len(looks) < _FEWEST_LOOKS or looks[-1].step < 50 or looks[-1].learning_rate > looks[0].learning_rate:
        return  # in a warm-up it is still to come
    update = _typical_update(history)
    if update < _SMALL_UPDATE and history.loss > _NOT_LEARNED * history.first_loss:
        text = (
            f"A step changes a block’s weights by {_share(update)} of their size (usual is 0.01 % to 1 %), and "
            f"after {looks[-1].step:,} steps the loss is {_number(history.loss)}, "
            f"after {_number(history.first_loss)} at first."
        )
        yield Finding(RATE_LOW, WARNING, "Learning rate too low", text)


def _typical_update(history: History) -> float:
    updates = history.figure("update")
    return statistics.median(updates.values()) if updates else math.nan


RULES: tuple[Rule, ...] = (
    _broken, _exploding, _rate_high, _dead, _vanishing, _saturated, _rate_low, _overfitting, _plateau,
)  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"


def _times(larger: float, smaller: float) -> str:
    return f"{float(f'{larger / smaller:.2g}'):,.0f} times" if smaller > 0 else "endlessly many times"


class Doctor:
    """Follows a run and says when what is wrong with it changes.

    Args:
        remedies: what can be done about a finding with one click, in words.
        seconds_between: the least from one diagnosis to the next.
    """

    def __init__(
        self, remedies: Callable[[Finding], tuple[str, ...]] = lambda finding: (),
        seconds_between: float = _SECONDS_BETWEEN,
    ) -> None:  # fmt: skip
        self.history = History()
        self._remedies = remedies
        self._between = seconds_between
        self._due = 0.0
        self._told: tuple[tuple[str, str, str, tuple[str, ...]], ...] = ()
        self._place = (0, 0)

    def take(self, event: Event) -> Diagnosis | None:
        """Take in an event; what is wrong, if that is no longer what was told last."""
        if not self.history.take(event):
            return None
        assert isinstance(event, Health | EpochEnded | NotFinite)
        self._place = (event.step, event.epoch)
        if time.perf_counter() < self._due:
            return None
        return self._diagnosis()

    def conclude(self, status: str) -> Diagnosis | None:
        """The same at the end of the run."""
        self.history.diverged = status == DIVERGED
        return self._diagnosis()

    def _diagnosis(self) -> Diagnosis | None:
        self._due = time.perf_counter() + self._between
        findings = diagnose(self.history)
        signs = tuple((f.kind, f.node, f.severity, f.others) for f in findings)
        if signs == self._told:
            return None
        self._told = signs
        return Diagnosis(*self._place, tuple(replace(f, remedies=self._remedies(f)) for f in findings))


__all__ = [
    "BROKEN", "DEAD", "ERROR", "EXPLODING", "HINT", "OVERFITTING", "PLATEAU", "RATE_HIGH", "RATE_LOW", "RULES",
    "SATURATED", "START", "STUCK", "TIGHT", "VANISHING", "WARNING", "Doctor", "History", "diagnose",
]  # fmt: skip
