"""What stands in place of a report while there is none: why, and the buttons that help."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.ui.widgets.plain_text import Heading, PlainLabel

_WIDEST = 460  # pixels; longer lines are hard to read


class EmptyPage(QWidget):
    """A heading, a reason, and those of the buttons that lead on."""

    train_wanted = Signal()
    other_wanted = Signal()
    folder_wanted = Signal()
    trust_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluationEmpty")
        self.heading = Heading(parent=self, large=True)
        self.heading.setObjectName("evaluationEmptyHeading")
        self.reason = PlainLabel(parent=self, color="node_muted")
        self.reason.setObjectName("evaluationEmptyReason")
        for label in (self.heading, self.reason):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setFixedWidth(_WIDEST)
        self.buttons = {
            name: self._button(name, text, wanted)
            for name, text, wanted in (
                ("goToTrain", "Go to training", self.train_wanted),
                ("openOtherRun", "Open another run…", self.other_wanted),
                ("findRunData", "Choose a folder…", self.folder_wanted),
                ("readRunCode", "Read the code…", self.trust_wanted),
            )
        }
        row = QHBoxLayout()
        row.addStretch()
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch(2)
        for label in (self.heading, self.reason):
            layout.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(row)
        layout.addStretch(3)

    def _button(self, name: str, text: str, wanted: SignalInstance) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.clicked.connect(wanted)
        return button

    def tell(self, heading: str, reason: str, *buttons: str) -> None:
        """Say why there is nothing, and offer these buttons."""
        self.heading.setText(heading)
        self.reason.setText(reason)
        self.reason.setMinimumHeight(self.reason.heightForWidth(_WIDEST))  # an aligned label is not asked for it
        for name, button in self.buttons.items():
            button.setVisible(name in buttons)
