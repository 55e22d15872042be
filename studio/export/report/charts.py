"""Curves and tables of a run as figures of Matplotlib.

Axis letters: K classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.evaluation.classes import Calibration, Curve
from studio.evaluation.report import Report
from studio.export.facts import Epoch, Facts, OneRun
from studio.export.report.drawing import COLOURS, INK, LINE, new_figure, shown
from studio.export.report.parts import CURVE
from studio.settings.measures import is_share, title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CELLS = 30  # classes of a confusion matrix that is drawn
MOST_LINES = 10  # classes whose curves are drawn
_NUMBERS_IN_CELLS = 16  # classes up to which a confusion matrix has numbers in it
_TRAIN, _VALIDATION, _MARK = COLOURS[0], COLOURS[1], COLOURS[2]
_MOST_MARKS = 30


@dataclass(frozen=True)
class Chart:
    """A picture of a run.

    Args:
        name: of its file, without a suffix.
        title: for people.
        draw: makes the figure; to be called in `drawing()`.
    """

    name: str
    title: str
    draw: Callable[[], Figure]


def charts_of(facts: Facts) -> list[Chart]:
    """All that there are."""
    names = dict.fromkeys(name for run in facts.runs for epoch in run.epochs for name in epoch.validation)
    found = [_curve_chart(facts, name) for name in names]
    report = facts.report
    if report is not None and 2 <= len(report.confusion) <= MOST_CELLS:
        found.append(Chart("confusion", "Which class was taken for which", lambda: confusion(report)))
    if report is not None and report.calibration is not None:
        known = report.calibration
        found.append(Chart("calibration", "How sure, and how often right", lambda: calibration(known)))
    for kind, title, axes in _RANKED:
        curves: dict[str, Curve] = getattr(report, kind) if report is not None else {}
        if curves:
            found.append(Chart(kind.replace("_", "-"), title, _ranked(curves, axes)))
    return found


_RANKED = (
    ("roc", "ROC curves", ("False positives", "True positives")),
    ("precision_recall", "Precision and recall", ("Recall", "Precision")),
)


def _curve_chart(facts: Facts, name: str) -> Chart:
    return Chart(f"{CURVE}{name.replace(' ', '-')}", title_of(name), lambda: curve(facts, name))


def curve(facts: Facts, name: str) -> Figure:
    """A figure over the epochs: of one run both splits with its marks, of several the mean and the spread."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_figure()
    if len(facts.runs) > 1:
        _bands(axes, facts.runs, name)
    else:
        _lines(axes, facts.run, name)
    axes.set_xlabel("Epoch")
    axes.set_title(title_of(name))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if is_share(name):
        axes.yaxis.set_major_formatter(lambda value, _place: f"{100 * value:.4g} %" if value < 1.0001 else "")
        axes.set_ylim(top=min(axes.get_ylim()[1], 1.02))
    axes.legend(loc="best", fontsize=7)
    return figure


def _lines(axes: Axes, run: OneRun, name: str) -> None:
    for split, colour, label in (("train", _TRAIN, "training"), ("validation", _VALIDATION, "validation")):
        points = [(epoch.epoch, value) for epoch in run.epochs if (value := _of(epoch, split, name)) is not None]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, label=label, linewidth=1.6, marker="o" if len(x) == 1 else None)
    base = run.baseline.get("validation", {}).get(name)
    if base is not None:
        axes.axhline(base, color=INK, linewidth=1, linestyle=":", label="answer without looking")
    _marks(axes, run, name)


def _marks(axes: Axes, run: OneRun, name: str) -> None:
    """The epoch whose weights are kept, where the run went on after a break, and where settings were changed."""
    best = next((epoch for epoch in reversed(run.epochs) if epoch.best), None)
    if best is not None and (value := _of(best, "validation", name)) is not None:
        axes.plot([best.epoch], [value], "o", color=_MARK, label=f"kept: epoch {best.epoch}")
    changed = sorted({c["epoch"] for c in run.entries("changes") if isinstance(c.get("epoch"), int)})
    for number, epoch in enumerate(changed[:_MOST_MARKS]):
        axes.axvline(epoch, color=COLOURS[3], linewidth=1, linestyle="--", label="" if number else "settings changed")
    resumed = [step for step in _list(run.record.get("resumed_at")) if isinstance(step, int)][:_MOST_MARKS]
    for number, step in enumerate(resumed):
        epoch = sum(each.step <= step for each in run.epochs) + 0.5
        axes.axvline(
            epoch, color=COLOURS[8], linewidth=1, linestyle="-.", label="" if number else "went on after a break"
        )


def _bands(axes: Axes, runs: Sequence[OneRun], name: str) -> None:
    """Of each split the mean of all runs that came so far, and one standard deviation to each side."""
    for split, colour in (("train", _TRAIN), ("validation", _VALIDATION)):
        longest = max((len(run.epochs) for run in runs), default=0)
        x, means, spreads = [], [], []
        for place in range(longest):
            values = [
                value for run in runs
                if place < len(run.epochs) and (value := _of(run.epochs[place], split, name)) is not None
            ]  # fmt: skip
            if values:
                x.append(place + 1)
                means.append(float(np.mean(values)))
                spreads.append(float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)
        if not x:
            continue
        low, high = np.subtract(means, spreads), np.add(means, spreads)
        axes.plot(x, means, color=colour, linewidth=1.6, label=f"{split}, mean of {len(runs)} runs")
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        for run in runs:
            points = [(p + 1, v) for p, e in enumerate(run.epochs) if (v := _of(e, split, name)) is not None]
            axes.plot(*zip(*points, strict=True), color=colour, linewidth=0.5, alpha=0.5)


def _of(epoch: Epoch, split: str, name: str) -> float | None:
    value = (epoch.train if split == "train" else epoch.validation).get(name)
    return value if value is not None and math.isfinite(value) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def confusion(report: Report) -> Figure:
    """How often a class (row) was taken for a class (column), shares of each row as colour."""
    counts_KK = np.array(report.confusion)
    size = len(counts_KK)
    side = min(2.4 + 0.36 * size, 11.0)
    figure, axes = new_figure(side, side)
    shares = counts_KK / np.maximum(counts_KK.sum(1, keepdims=True), 1)
    for row, column in zip(*np.nonzero(counts_KK), strict=True):
        share = float(shares[row, column])
        right = row == column
        axes.add_patch(_cell(column, row, COLOURS[2] if right else COLOURS[4], 0.1 + 0.6 * share))
        if size <= _NUMBERS_IN_CELLS:
            axes.text(column, row, f"{counts_KK[row, column]:,}", ha="center", va="center", fontsize=8)
    names = [shown(name, 18) for name in report.names]
    axes.set_xticks(range(size), names, rotation=90 if size > 4 else 0)
    axes.set_yticks(range(size), names)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.set_xlabel("Answered")
    axes.set_ylabel("True")
    return figure


def _cell(x: int, y: int, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, alpha=alpha, linewidth=0)


def calibration(known: Calibration) -> Figure:
    """How often answers are right, over how sure they are."""
    figure, axes = new_figure(3.6, 3.6)
    axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
    sizes = [20 + 400 * share for share in known.shares]
    axes.scatter(known.confidences, known.accuracies, s=sizes, color=COLOURS[0], alpha=0.6, linewidths=0)
    axes.plot(known.confidences, known.accuracies, color=COLOURS[0], linewidth=1)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="How sure", ylabel="How often right")
    axes.set_title(f"Calibration error {known.error:.3f}")
    axes.set_aspect("equal")
    return figure


def _ranked(curves: dict[str, Curve], labels: tuple[str, str]) -> Callable[[], Figure]:
    def draw() -> Figure:
        figure, axes = new_figure(4.3, 3.6)
        # The classes that are told worst are the ones to look at.
        worst = sorted(curves.items(), key=lambda item: item[1].area)[:MOST_LINES]
        for number, (name, each) in enumerate(worst):
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(each.x, each.y, color=colour, linewidth=1.4, label=f"{shown(name, 20)} ({each.area:.3f})")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=labels[0], ylabel=labels[1])
        axes.legend(
            fontsize=7,
            loc="best",
            title=f"{len(worst)} of {len(curves)} classes, the worst" * (len(curves) > len(worst)),
        )
        return figure

    return draw
