"""Lets the network go on with a text."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QSpinBox, QWidget

from studio.ui.widgets.plain_text import PlainLabel

_MOST_TOKENS = 2_000


class WritingBar(QWidget):
    """A button to begin and to stop, how much, and how bold."""

    wanted = Signal(int, float)  # tokens, temperature
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("writingBar")
        self._busy = False
        self.button = QPushButton("Go on writing", self)
        self.button.setObjectName("tryWrite")
        self.button.setAccessibleName("Let the network go on with the text")
        self.count = QSpinBox(self)
        self.count.setObjectName("tryTokens")
        self.count.setAccessibleName("How many tokens")
        self.count.setRange(1, _MOST_TOKENS)
        self.count.setValue(200)
        self.count.setToolTip("How many tokens it writes")
        self.temperature = QDoubleSpinBox(self)
        self.temperature.setObjectName("tryTemperature")
        self.temperature.setAccessibleName("Temperature")
        self.temperature.setRange(0.0, 3.0)
        self.temperature.setSingleStep(0.1)
        self.temperature.setValue(0.8)
        self.temperature.setToolTip("0 takes what is most probable each time; 1 draws by the probabilities; more is "
                                    "wilder.")  # fmt: skip
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self.count)
        layout.addWidget(PlainLabel("T", self, color="node_muted"))
        layout.addWidget(self.temperature)
        self.button.clicked.connect(self._press)

    def show_busy(self, busy: bool) -> None:
        """Whether it is writing."""
        self._busy = busy
        self.button.setText("Stop writing" if busy else "Go on writing")
        self.button.setAccessibleName("Write no more" if busy else "Let the network go on with the text")

    def _press(self) -> None:
        if self._busy:
            self.stop_wanted.emit()
        else:
            self.wanted.emit(self.count.value(), self.temperature.value())
