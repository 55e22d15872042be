"""One line that says how the last run ended, and offers to export it or to let it go on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from studio.training.errors import MemoryShortageError
from studio.training.events import DIVERGED, FINISHED, Finished, NotFinite
from studio.ui import icons
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.wording import duration, metric_phrase, metric_value, metric_with_spread


class ResultBar(QFrame):
    """Hidden until a run has ended."""

    export_requested = Signal()
    continue_requested = Signal()
    smaller_requested = Signal(object)  # the MemoryShortageError after which the run shall go on with less memory

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultBar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._result = self._label("resultText", "Result of the run", color="")
        self._failure = self._label("failureText", "Why the run failed", color="error")
        self._cause = ""
        self._shortage: MemoryShortageError | None = None
        self._export = self._button(
            "exportButton", "Export…", "Export the trained network",
            "Write the trained network to a file for use elsewhere.",
        )  # fmt: skip
        icons.set_icon(self._export, "export")
        self._export.clicked.connect(self.export_requested)
        self._continue = self._button(
            "continueButton", "Continue", "Let the run go on",
            "Go on from the last checkpoint, with the settings that are chosen now.",
        )  # fmt: skip
        self._continue.clicked.connect(self.continue_requested)
        self._smaller = self._button(
            "smallerButton", "Halve the batch and continue", "Let the run go on with less memory",
            "From the last checkpoint, half as many samples at once and twice as many batches for each step.",
        )  # fmt: skip
        self._smaller.clicked.connect(lambda: self.smaller_requested.emit(self._shortage))
        layout = QHBoxLayout(self)
        layout.addWidget(self._result, 1)
        layout.addWidget(self._failure, 1)
        for button in (self._smaller, self._continue, self._export):
            layout.addWidget(button)
        self.hide()

    def _button(self, name: str, text: str, accessible: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(accessible)
        button.setToolTip(tip)
        return button

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

    def begin(self) -> None:
        """Another run has started."""
        self._cause = ""
        self.hide()

    def note_cause(self, event: NotFinite) -> None:
        """Take in why the run diverges, which is said at its end."""
        self._cause = event.message

    def show_finished(self, event: Finished) -> None:
        """Say how a run ended and where its checkpoint is."""
        good = event.status != DIVERGED
        text = result_text(event, self._cause)
        buttons = {self._export}
        if event.runs == 1:  # several have no checkpoint in common from which they could go on
            buttons.add(self._continue)
        self._say(text if good else "", "" if good else text, buttons)

    def show_failure(self, message: str, *, can_continue: bool = False) -> None:
        """Say why a run broke off."""
        self._say("", message, {self._continue} if can_continue else set())

    def show_shortage(self, error: MemoryShortageError) -> None:
        """Say that memory ran out, and offer the way out if there is one."""
        self._shortage = error
        self._say("", str(error), {self._smaller} if error.smaller is not None else set())

    def _say(self, result: str, failure: str, buttons: set[QPushButton]) -> None:
        for label, text in ((self._result, result), (self._failure, failure)):
            label.setText(text)
            label.setVisible(bool(text))
        for button in (self._smaller, self._continue, self._export):
            button.setVisible(button in buttons)
        self.show()


def result_text(event: Finished, cause: str = "") -> str:
    """How a run ended: its figures if it was finished, what to do if it diverged, and where the checkpoint is.

    Args:
        cause: what the search found in a run that diverged, in words.
    """
    lasted = f"{event.runs:,} runs" if event.runs > 1 else f"{event.epochs:,} epoch{'' if event.epochs == 1 else 's'}"
    after = f"after {lasted} and {duration(event.seconds)}"
    if event.status == FINISHED:
        figures = ", ".join(_figures(event))
        first = (f"Finished {after}: {figures}." if figures else f"Finished {after}.") + test_text(event)
        first = f"{first} {event.reason}".rstrip()
    elif event.status == DIVERGED:
        found = cause or "Lower the learning rate and train again."
        first = f"Diverged {after}: the loss was no longer a number. {found}"
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
