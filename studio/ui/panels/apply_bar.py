"""Offers to hand settings that were changed to the run under way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from studio.settings import TrainingSettings
from studio.settings.training import changeable, differences
from studio.ui.widgets.plain_text import PlainLabel


class ApplyBar(QFrame):
    """Shown while the settings differ from those of the run in something that can reach it, or that cannot."""

    apply_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("applyBar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = PlainLabel("", self)
        self.text.setObjectName("applyText")
        self.button = QPushButton("Apply to the run", self)
        self.button.setObjectName("applyToRun")
        self.button.setToolTip("From the next step on the run has these values; its curves get a mark.")
        self.button.clicked.connect(self.apply_requested)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(self.button)
        self.hide()

    def compare(self, run: TrainingSettings | None, form: TrainingSettings) -> None:
        """Show what differs between the settings of the run and those of the form; None for no run."""
        found = differences(run, form) if run is not None else {}
        now = [_label(name) for name in found if changeable(name)]
        later = [_label(name) for name in found if not changeable(name)]
        lines = [f"Not in the run yet: {', '.join(now)}."] if now else []
        lines += [f"For the next run only: {', '.join(later)}."] if later else []
        self.text.setText("\n".join(lines))
        self.button.setVisible(bool(now))
        self.setVisible(bool(lines))


def _label(name: str) -> str:
    return (name.rpartition(".")[2]).replace("_", " ")
