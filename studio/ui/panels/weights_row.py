"""What a run starts from: fresh weights, or those of a checkpoint."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.project import Project
from studio.ui.document import Document


class WeightsRow(QWidget):
    """Shows the choice, and changes it."""

    choose_requested = Signal()
    import_requested = Signal()  # weights of another program

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel(self)
        self._choose = QPushButton("Choose…", self)
        self._import = QPushButton("Import…", self)
        self._fresh = QPushButton("Fresh", self)
        for widget, name, accessible in (
            (self._text, "startingWeights", "What a run starts from"),
            (self._choose, "chooseWeights", "Start from the weights of a checkpoint"),
            (self._import, "importWeights", "Import the weights of another program"),
            (self._fresh, "freshWeights", "Start from fresh weights"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(accessible)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._choose.setToolTip("Tensors with the same name and size are taken; the others stay fresh.")
        self._choose.clicked.connect(self.choose_requested)
        self._import.setToolTip("PyTorch, safetensors or ONNX, also with other names: a table shows what fits.")
        self._import.clicked.connect(self.import_requested)
        self._fresh.clicked.connect(lambda: document.set_weights(None))
        buttons = QHBoxLayout()
        buttons.addWidget(self._choose)
        buttons.addWidget(self._import)
        buttons.addWidget(self._fresh)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text)
        layout.addLayout(buttons)

    def show_project(self, project: Project) -> None:
        """Say what a run of a project starts from."""
        weights = project.weights
        self._text.setText(f"Those of {weights.path.name}" if weights else "Fresh ones, drawn with the seed")
        self._text.setToolTip(str(weights.path) if weights else "")
        self._fresh.setEnabled(weights is not None)
