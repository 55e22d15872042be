"""The log: what happened in the runs of this session, in words."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtGui import QFontDatabase, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from studio.training.events import (
    Changed,
    EpochEnded,
    Event,
    Finished,
    Invited,
    Joined,
    Metrics,
    NotFinite,
    NotSaved,
    RepeatEnded,
    RepeatStarted,
    Resumed,
    Started,
)  # fmt: skip
from studio.ui.wording import changed_text, duration, metric_phrase, metric_value

_MOST_LINES = 2_000


class Log(QPlainTextEdit):
    """Lines of text, of which the oldest are dropped. Tiny networks end hundreds of epochs a second: those of one
    arrival share a line.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("log")
        self._metric = ""  # that the run goes by, beside its loss
        self.setAccessibleName("Log of the runs")
        self.setReadOnly(True)
        self.setMaximumBlockCount(_MOST_LINES)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setPlaceholderText("Press Train (F5) to begin. What happens during training is written here.")

    def write(self, text: str) -> None:
        """Add a message with the time of day."""
        self.appendPlainText(f"{datetime.now():%H:%M:%S}  {text}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is read at the end stays there: the result of a run takes room from the log."""
        bar = self.verticalScrollBar()
        at_end = bar.value() == bar.maximum()
        super().resizeEvent(event)
        if at_end:
            bar.setValue(bar.maximum())

    def show_events(self, events: list[Event]) -> None:
        """Write down what happened."""
        last_run = max((place for place, event in enumerate(events) if isinstance(event, Started)), default=0)
        epochs = [event for event in events[last_run:] if isinstance(event, EpochEnded)]
        for event in events:
            match event:
                case Started():
                    self._metric = event.metric
                    self.write(_started_line(event))
                    for line in event.measured_lines():
                        self.write(line)
                case EpochEnded() if epochs and event is epochs[-1]:
                    self.write(_epoch_line(event, len(epochs), self._metric))
                case Changed():
                    self.write(f"Changed at step {event.step:,}: {changed_text(event)}")
                case RepeatStarted():
                    self.write(f"Run {event.number:,} of {event.total:,}: {event.title}")
                case RepeatEnded():
                    figures = _phrases(event.metrics.get("validation", {}))
                    best = f": best validation {figures}" if figures else ""
                    self.write(f"{event.title.capitalize()} {event.status}{best}")
                case Resumed():
                    self.write(f"Goes on in epoch {event.epoch:,} after step {event.step:,}")
                    for note in event.notes:
                        self.write(note)
                case Joined() | Invited():
                    for line in event.lines():
                        self.write(line)
                case NotSaved(reason=words):
                    self.write(f"{words} The run goes on, and it is tried again.")
                case NotFinite(message=words):
                    self.write(words)
                case Finished():
                    self.write(_finished_line(event))


def _epoch_line(event: EpochEnded, count: int, metric: str) -> str:
    """One line on a small screen: "Epoch 3 (best): validation loss 0.1234, accuracy 97.0 %; training 0.1, 98.0 %".

    The other figures stand at the right.
    """
    several = f"Epochs {event.epoch - count + 1} to " if count > 1 else "Epoch "
    training = ", ".join(metric_value(name, event.train[name]) for name in ("loss", metric) if name in event.train)
    validation = {name: event.validation[name] for name in ("loss", metric) if name in event.validation}
    best = " (best)" if event.best else ""
    return f"{several}{event.epoch}{best}: validation {_phrases(validation)}; training {training}"


def _phrases(metrics: Metrics) -> str:
    """Figures in a sentence: "loss 0.1234, accuracy 97.0 %"."""
    return ", ".join(f"{metric_phrase(name)} {metric_value(name, value)}" for name, value in metrics.items())


def _started_line(event: Started) -> str:
    threads = f"{event.threads} thread{'s' if event.threads > 1 else ''}"
    return (
        f"Started: {event.parameters:,} parameters, {event.samples.get('train', 0):,} training samples, "
        f"{event.epochs:,} epoch{'s' if event.epochs > 1 else ''}, on {event.device} with {threads}"
        f"{f', starting from {event.weights}' if event.weights else ''}. Run: {event.run}"
    )


def _finished_line(event: Finished) -> str:
    reason = f" {event.reason}" if event.reason else ""
    return f"{event.status.capitalize()} after {duration(event.seconds)}.{reason} Checkpoint: {event.checkpoint}"
