"""From what runs tell to the points of the two plots."""

from __future__ import annotations

from typing import Any

from studio.settings.measures import is_share
from studio.training.events import (
    Changed,
    EpochEnded,
    Event,
    Finished,
    Metrics,
    Progress,
    RepeatEnded,
    RepeatStarted,
    Started,
)
from studio.ui.panels.plots import TRAIN, VALIDATION, CurvePlot, Points
from studio.ui.wording import changed_text, metric_title

LOSS = "loss"


class RunCurves:
    """Shows the loss in one plot and a figure that the person chooses in the other.

    It keeps the figures of the run under way, and of the runs of the same job before: another one may be chosen.
    """

    def __init__(self, loss_plot: CurvePlot, metric_plot: CurvePlot) -> None:
        self._loss_plot = loss_plot
        self._metric_plot = metric_plot
        self._started: Started | None = None
        self._shown = ""  # figure in the second plot
        self._steps: list[tuple[float, Metrics]] = []  # of the training
        self._epochs: list[tuple[float, Metrics]] = []  # of the validation
        self._runs: list[list[tuple[float, Metrics]]] = []  # as `_epochs`, of the runs before
        self._marks: list[tuple[float, str]] = []  # epoch, and what was changed there
        self._progressed_epoch = 0
        self._in_group = False
        metric_plot.figure_chosen.connect(self.choose)

    def show_events(self, events: list[Event]) -> None:
        """Take in what happened since the last time."""
        steps, epochs = len(self._steps), len(self._epochs)
        for event in events:
            match event:
                case RepeatStarted():
                    self._in_group = True
                    self._runs = [] if event.number == 1 else self._runs
                case Started():
                    self._begin(event)
                    steps = epochs = 0
                case Changed():
                    self._note_change(event)
                case Progress():
                    self._progressed_epoch = event.epoch
                    self._note_step(event.step, {LOSS: event.loss}, event.score)
                case EpochEnded():
                    self._note_epoch(event)
                case RepeatEnded():
                    self._runs = [*self._runs, self._epochs]
                    self._steps, self._epochs, self._marks = [], [], []
                    steps = epochs = 0
                    self._show_all()
                case Finished():
                    self._in_group = False
        for plot, figure in self._plots():
            plot.add(TRAIN, _points(self._steps[steps:], figure))
            plot.add(VALIDATION, _points(self._epochs[epochs:], figure))

    def _plots(self) -> tuple[tuple[CurvePlot, str], ...]:
        return (self._loss_plot, LOSS), (self._metric_plot, self._shown)

    def _begin(self, event: Started) -> None:
        if not self._in_group:
            self._runs = []
        self._started = event
        self._progressed_epoch = 0
        self._steps, self._epochs, self._marks = [], [], []
        if self._shown not in event.measures:
            self._shown = event.metric
        self._show_all()

    def _note_step(self, step: int, figures: Metrics, score: float | None = None) -> None:
        assert self._started is not None
        score_of = {} if score is None else {self._started.metric: score}
        self._steps.append((step / self._started.steps_per_epoch, {**figures, **score_of}))

    def _note_epoch(self, event: EpochEnded) -> None:
        assert self._started is not None
        # So short that no Progress was due in it; those of single Outputs are told at the end of epochs alone.
        told = self._progressed_epoch >= event.epoch
        figures = {name: value for name, value in event.train.items() if not told or "." in name}
        if figures:
            self._note_step(event.epoch * self._started.steps_per_epoch, figures)
        self._epochs.append((event.epoch, event.validation))

    def _note_change(self, event: Changed) -> None:
        assert self._started is not None
        mark = event.step / self._started.steps_per_epoch, changed_text(event)
        self._marks.append(mark)
        for plot, _ in self._plots():
            plot.mark(*mark)

    def choose(self, figure: str) -> None:
        """Show another figure in the second plot."""
        self._shown = figure
        self._show(self._metric_plot, figure)
        self._metric_plot.add(TRAIN, _points(self._steps, figure))
        self._metric_plot.add(VALIDATION, _points(self._epochs, figure))

    def _show_all(self) -> None:
        assert self._started is not None
        for plot, figure in self._plots():
            self._show(plot, figure)
        titles = {name: metric_title(name) for name in self._started.measures or (self._started.metric,)}
        self._metric_plot.offer(titles, self._shown)

    def _show(self, plot: CurvePlot, figure: str) -> None:
        """Begin a plot anew, with the runs before behind it."""
        assert self._started is not None
        plot.begin(metric_title(figure), epochs=self._started.epochs, percent=is_share(figure))
        plot.set_runs([_points(run, figure) for run in self._runs])
        for mark in self._marks:
            plot.mark(*mark)


def _points(rows: list[tuple[float, dict[str, Any]]], figure: str) -> Points:
    return [(epoch, figures[figure]) for epoch, figures in rows if figure in figures]
