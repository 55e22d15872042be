"""One line that says how the last run ended, and offers to export it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from studio.training.events import DIVERGED, FINISHED, Finished
from studio.ui import icons
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.wording import duration, metric_phrase, metric_value, metric_with_spread


class ResultBar(QFrame):
    """Hidden until a run has ended."""

    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultBar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._result = self._label("resultText", "Result of the run", color="")
        self._failure = self._label("failureText", "Why the run failed", color="error")
        self._export = QPushButton("Export…", self)
        self._export.setObjectName("exportButton")
        self._export.setAccessibleName("Export the trained network")
        self._export.setToolTip("Write the trained network to a file for use elsewhere.")
        icons.set_icon(self._export, "export")
        self._export.clicked.connect(self.export_requested)
        layout = QHBoxLayout(self)
        layout.addWidget(self._result, 1)
        layout.addWidget(self._failure, 1)
        layout.addWidget(self._export)
        self.hide()

    def _label(self, name: str, accessible: str, *, color: str) -> PlainLabel:
        label = PlainLabel(parent=self, color=color)
        label.setObjectName(name)
        label.setAccessibleName(accessible)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    @property
    def text(self) -> str:
        """What is said."""
        return self._result.text() or self._failure.text()

    def show_finished(self, event: Finished) -> None:
        """Say how a run ended and where its checkpoint is."""
        good = event.status != DIVERGED
        self._say(result_text(event) if good else "", "" if good else result_text(event), exportable=True)

    def show_failure(self, message: str) -> None:
        """Say why a run broke off."""
        self._say("", message, exportable=False)

    def _say(self, result: str, failure: str, *, exportable: bool) -> None:
        for label, text in ((self._result, result), (self._failure, failure)):
            label.setText(text)
            label.setVisible(bool(text))
        self._export.setVisible(exportable)
        self.show()


def result_text(event: Finished) -> str:
    """How a run ended: its figures if it was finished, what to do if it diverged, and where the checkpoint is."""
    lasted = f"{event.runs:,} runs" if event.runs > 1 else f"{event.epochs:,} epoch{'' if event.epochs == 1 else 's'}"
    after = f"after {lasted} and {duration(event.seconds)}"
    if event.status == FINISHED:
        figures = ", ".join(_figures(event))
        first = (f"Finished {after}: {figures}." if figures else f"Finished {after}.") + test_text(event)
        first = f"{first} {event.reason}".rstrip()
    elif event.status == DIVERGED:
        first = f"Diverged {after}: the loss was no longer a number. Lower the learning rate and train again."
    else:
        first = f"Stopped {after}. What was learned so far is kept."
    return f"{first}\nCheckpoint: {event.checkpoint}"


def test_text(event: Finished) -> str:
    """How often the test samples were looked at, or that they stayed locked; empty if the run did not come so far."""
    if not event.metrics:
        return ""
    if not event.test_uses:
        return " The test samples stayed locked."
    times = "for the first time" if event.test_uses == 1 else f"{event.test_uses:,} times so far"
    return f" These test samples were used {times}."


def _figures(event: Finished) -> Iterator[str]:
    """Loss and score, which are all that a baseline has, too; the others stand beside the plots."""
    split = "test" if "test" in event.metrics else "validation"
    without, spread = event.baseline.get(split, {}), event.deviations.get(split, {})
    for name, value in islice(event.metrics.get(split, {}).items(), 2):
        text = f"{split} {metric_phrase(name)} {metric_with_spread(name, value, spread.get(name))}"
        known = name in without
        yield f"{text} (without looking at the input {metric_value(name, without[name])})" if known else text
