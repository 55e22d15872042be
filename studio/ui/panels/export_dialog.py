"""Export the trained network: choose a format and a file, and hear what was written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.export.formats import FORMATS, Format
from studio.ui.background import BackgroundTask
from studio.ui.prompts import Prompts


class ExportDialog(QDialog):
    """Writes one checkpoint in a format of the person's choice.

    Args:
        checkpoint: the file to export.
        suggestion: folder and name, without a suffix, of the file to write.
        data_folder: where the files of its dataset are; None for the studio's cache folder.
    """

    def __init__(
        self, checkpoint: Path, suggestion: Path, prompts: Prompts, parent: QWidget | None = None,
        data_folder: Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export the trained network")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._checkpoint = checkpoint
        self._data_folder = data_folder
        self._prompts = prompts
        self._task: BackgroundTask | None = None
        self._format = QComboBox(self)
        self._about = QLabel(self)
        self._target = QLineEdit(self)
        self._choose = QPushButton("Choose…", self)
        self._result = QLabel(self)
        self._buttons = QDialogButtonBox(self)
        self._buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self._write = self._buttons.addButton("Export", QDialogButtonBox.ButtonRole.ActionRole)
        self._name_controls()
        self._build()
        self._target.setText(str(suggestion) + self._chosen.suffix)
        self._show_format()

    def _name_controls(self) -> None:
        for widget, name, accessible in (
            (self._format, "exportFormat", "Format"),
            (self._target, "exportTarget", "File to write"),
            (self._choose, "exportChoose", "Choose the file"),
            (self._write, "exportWrite", "Export"),
            (self._result, "exportResult", "What was written"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(accessible)

    def _build(self) -> None:
        for format_ in FORMATS.values():
            self._format.addItem(f"{format_.title} ({format_.suffix})", format_.kind)
        for label in (self._about, self._result):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._result.setMinimumHeight(3 * self._result.fontMetrics().lineSpacing())
        self._write.setDefault(True)
        self._format.currentIndexChanged.connect(self._show_format)
        self._choose.clicked.connect(self._choose_target)
        self._write.clicked.connect(self._start)
        self._buttons.rejected.connect(self.reject)
        target_row = QHBoxLayout()
        target_row.addWidget(self._target, 1)
        target_row.addWidget(self._choose)
        form = QFormLayout()
        form.addRow("Format", self._format)
        form.addRow("", self._about)
        form.addRow("File", target_row)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._result)
        layout.addStretch()
        layout.addWidget(self._buttons)
        self.setMinimumWidth(560)

    @property
    def _chosen(self) -> Format:
        return FORMATS[self._format.currentData()]

    @Slot()
    def _show_format(self) -> None:
        """Explain the format; the file's name takes its suffix."""
        self._about.setText(self._chosen.about)
        path = Path(self._target.text())
        if path.suffix in {known.suffix for known in FORMATS.values()}:
            self._target.setText(str(path.with_suffix(self._chosen.suffix)))

    @Slot()
    def _choose_target(self) -> None:
        path = self._prompts.export_target(Path(self._target.text()), self._chosen.title, self._chosen.suffix)
        if path is not None:
            self._target.setText(str(path if path.suffix else path.with_suffix(self._chosen.suffix)))

    @Slot()
    def _start(self) -> None:
        checkpoint, kind, target = self._checkpoint, self._chosen.kind, Path(self._target.text()).expanduser()
        data_folder = self._data_folder
        if not target.is_absolute():
            self._result.setText("Give the whole path of the file, or choose one.")
            return

        def work(report: object) -> str:
            from studio.export.write import export  # loads torch

            return export(checkpoint, kind, target, data_folder)

        self._result.setText("Writing…")
        self._write.setEnabled(False)
        self._task = BackgroundTask(work, self)
        self._task.finished.connect(self._finish)
        self._task.start()

    @Slot()
    def _finish(self) -> None:
        assert self._task is not None
        task, self._task = self._task, None
        self._write.setEnabled(True)
        self._result.setText(f"Not exported: {task.error}" if task.error else str(task.result))
        task.deleteLater()

    def done(self, result: int) -> None:
        """Close, but not before a file under way is written."""
        if self._task is not None:
            self._task.wait()
        super().done(result)
