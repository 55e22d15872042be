"""Import a network of PyTorch: choose where it comes from and how large a sample is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from studio.project import Project
from studio.tensors import TensorSpec, axes_for
from studio.ui.background import BackgroundTask, Report
from studio.ui.panels.import_pages import PythonFilePage, TorchvisionPage
from studio.ui.prompts import Prompts


class ImportDialog(QDialog):
    """Makes a project of a network that was not drawn here.

    Args:
        folder: where to keep the checkpoint of its weights.
    """

    imported = Signal(object)  # the Project

    def __init__(self, folder: Path, prompts: Prompts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("importDialog")
        self.setWindowTitle("Import a network")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._folder = folder
        self._tasks: list[BackgroundTask] = []
        self._origin = QComboBox(self)
        self._networks = TorchvisionPage(self)
        self._file = PythonFilePage(prompts, self)
        self._size = QLineEdit("3, 224, 224", self)
        self._until = QLineEdit(self)
        self._busy = QProgressBar(self)
        self._result = QLabel(self)
        self._buttons = QDialogButtonBox(self)
        self._buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self._import = self._buttons.addButton("Import", QDialogButtonBox.ButtonRole.ActionRole)
        self._name_controls()
        self._build()
        self._run(lambda report: _network_names(), self._networks.show_names)

    def _name_controls(self) -> None:
        for widget, name, accessible in (
            (self._origin, "importOrigin", "Where it comes from"),
            (self._size, "importSize", "Size of one sample"),
            (self._until, "importUntil", "Part to end with"),
            (self._import, "importStart", "Import"),
            (self._result, "importResult", "What happened"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(accessible)

    def _build(self) -> None:
        self._origin.addItems(["torchvision, by name", "A Python file"])
        self._file.hide()
        self._origin.currentIndexChanged.connect(self._show_page)
        self._size.setToolTip("Without the batch: channels, height and width of an image.")
        self._until.setPlaceholderText("its own answer")
        self._until.setToolTip("Path of a part, such as layer4, whose result is to be the answer: a backbone.")
        self._busy.setRange(0, 0)
        self._busy.hide()
        self._result.setWordWrap(True)
        self._result.setTextFormat(Qt.TextFormat.PlainText)
        self._result.setMinimumHeight(3 * self._result.fontMetrics().lineSpacing())
        self._result.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._import.setDefault(True)
        self._import.clicked.connect(self._start)
        self._buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow("From", self._origin)
        form.addRow(self._networks)
        form.addRow(self._file)
        form.addRow("Size of a sample", self._size)
        form.addRow("End with", self._until)
        layout = QVBoxLayout(self)
        layout.addLayout(form, 1)
        layout.addWidget(self._busy)
        layout.addWidget(self._result)
        layout.addWidget(self._buttons)
        self.setMinimumWidth(560)
        for label in self.findChildren(QLabel):  # those of the pages in line with the others
            if label.buddy() is not None:
                label.setMinimumWidth(label.fontMetrics().horizontalAdvance("Size of a sample "))

    @Slot(int)
    def _show_page(self, number: int) -> None:
        self._networks.setVisible(number == 0)
        self._file.setVisible(number == 1)
        QTimer.singleShot(0, self, self.adjustSize)  # once the layout knows of the change

    @Slot()
    def _start(self) -> None:
        page = self._file if self._origin.currentIndex() == 1 else self._networks
        try:
            spec, make_origin = self._spec(tokens=page.tokens), page.request()
        except ValueError as error:
            self._result.setText(str(error))
            return
        until, folder = self._until.text().strip(), self._folder

        def work(report: Report) -> Project:
            from studio import storage
            from studio.importing.weights.taking import free_file
            from studio.importing.write import import_project  # loads torchvision

            origin = make_origin()
            storage.make_folder(folder)
            return import_project(origin, (spec,), free_file(folder, origin.title), until)

        self._result.setText("Importing…")
        self._run(work, self._take)

    def _spec(self, tokens: bool) -> TensorSpec:
        try:
            sizes = tuple(int(part) for part in self._size.text().split(","))
        except ValueError as error:
            raise ValueError("The size of a sample is whole numbers with commas, such as 3, 224, 224.") from error
        if not 1 <= len(sizes) <= 4 or min(sizes) < 1 or max(sizes) > 1_000_000:
            raise ValueError("The size of a sample is one to four whole numbers of at least 1.")
        if tokens:
            return TensorSpec(sizes, "L" * len(sizes), "int")
        return TensorSpec(sizes, axes_for(len(sizes)))

    def _run(self, work: Callable[[Report], object], done: Callable[[object], None]) -> None:
        task = BackgroundTask(work, self)
        self._tasks.append(task)
        self._busy.show()
        self._import.setEnabled(False)
        task.finished.connect(lambda: self._finish(task, done))
        task.start()

    def _finish(self, task: BackgroundTask, done: Callable[[object], None]) -> None:
        self._tasks.remove(task)
        self._busy.setVisible(bool(self._tasks))
        self._import.setEnabled(not self._tasks)
        task.deleteLater()
        if task.error:
            self._result.setText(f"Not imported: {task.error}")
        else:
            done(task.result)

    def _take(self, project: object) -> None:
        self.imported.emit(project)
        self.accept()

    def done(self, result: int) -> None:
        """Close, but not before what is under way has ended."""
        for task in self._tasks:
            task.wait()
        super().done(result)


def _network_names() -> list[str]:
    from studio.importing.origins import torchvision_names

    return torchvision_names()
