"""Import weights of another program into the network on the canvas: see what belongs together, change it, take it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from studio.project import Project
from studio.ui.background import BackgroundTask, Report
from studio.ui.panels.weights_table import FILE_COLUMN, WeightsModel, dims_text, make_table
from studio.ui.prompts import Prompts
from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip

if TYPE_CHECKING:
    from studio.importing.weights.matching import Match
    from studio.importing.weights.tensors import WeightFile

_WAYS = (("Names, then order and size", "both"), ("Names only", "name"), ("Order and size only", "shape"))
_ABOUT = (
    "A state dict of PyTorch (.pt, .pth), safetensors or ONNX. Nothing in the file is run. What gets no weights from "
    "it starts with fresh ones."
)
_MOST_LEFT = 2_000  # shown of what is not used


class WeightsImportDialog(QDialog):
    """Shows what of a file fits the network, and makes the starting weights of it.

    Args:
        project: whose network gets the weights.
        folder: where to keep them.
        file: what to look into at once; None to begin with a question.
    """

    taken = Signal(object)  # StartingWeights

    def __init__(
        self, project: Project, folder: Path, prompts: Prompts, file: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("weightsImportDialog")
        self.setWindowTitle("Import weights")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._project = project
        self._folder = folder
        self._prompts = prompts
        self._found: WeightFile | None = None
        self._task: BackgroundTask | None = None
        self._leaving = False
        self.model = WeightsModel(self)
        self.model.changed.connect(self._tell)
        self._file = PlainLabel("No file is chosen.", self)
        self._choose = QPushButton("Choose…", self)
        self._way = QComboBox(self)
        self.table = make_table(self.model, self)
        self._left_title = QLabel("Not used of the file", self)
        self._left = QListWidget(self)
        self._busy = QProgressBar(self)
        self._result = PlainLabel(_ABOUT, self)
        self._buttons = QDialogButtonBox(self)
        self._close = self._buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self._take = self._buttons.addButton("Take these weights", QDialogButtonBox.ButtonRole.ActionRole)
        self._name_controls()
        self._build()
        self._lay_out()
        if file is not None:
            self.look_into(file)

    def _name_controls(self) -> None:
        for widget, name, accessible in (
            (self._file, "weightsFile", "File with the weights"),
            (self._choose, "weightsChooseFile", "Choose the file"),
            (self._way, "weightsWay", "Match by"),
            (self._left, "weightsLeft", "Tensors of the file that are not used"),
            (self._busy, "weightsBusy", "Progress"),
            (self._result, "weightsResult", "What fits"),
            (self._close, "weightsClose", "Close"),
            (self._take, "weightsTake", "Take these weights"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(accessible)

    def _build(self) -> None:
        for title, way in _WAYS:
            self._way.addItem(title, way)
        self._way.currentIndexChanged.connect(self._match_again)
        self._choose.clicked.connect(self._ask)
        self._left.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._left.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._busy.hide()
        self._take.setEnabled(False)
        self._take.setDefault(True)
        self._take.clicked.connect(self._start_taking)
        self._buttons.rejected.connect(self.reject)
        self._result.setMinimumHeight(2 * self._result.fontMetrics().lineSpacing())
        self._result.setAlignment(Qt.AlignmentFlag.AlignTop)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._file, 1)
        top.addWidget(self._choose)
        top.addWidget(QLabel("Match by", self))
        top.addWidget(self._way)
        side = QWidget(self)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._left_title)
        column.addWidget(self._left)
        parts = QSplitter(Qt.Orientation.Horizontal, self)
        parts.addWidget(self.table)
        parts.addWidget(side)
        parts.setStretchFactor(0, 1)
        parts.setSizes([720, 240])
        parts.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(parts, 1)
        for widget in (self._busy, self._result, self._buttons):
            layout.addWidget(widget)
        self.resize(1000, 600)

    @Slot()
    def _ask(self) -> None:
        path = self._prompts.open_weights(self._found.path.parent if self._found is not None else Path.home())
        if path is not None:
            self.look_into(path)

    @property
    def is_busy(self) -> bool:
        """Whether it looks into a file, or takes the weights of one."""
        return self._task is not None

    def look_into(self, path: Path) -> None:
        """Show what of a file fits."""
        graph, way = self._project.graph, self._way.currentData()

        def work(report: Report) -> object:
            from studio.importing.weights.kinds import look_into  # loads torch
            from studio.importing.weights.matching import match, own_tensors

            file = look_into(path)
            report(0, 0)
            return file, match(own_tensors(graph), file.tensors, way)

        self._found = None
        self.model.show_matches((), ())
        self._show_left([])
        self._file.setText(path.name)
        self._file.setToolTip(str(path))
        self._result.setText("Looking into the file…")
        self._run(work, self._show)

    @Slot()
    def _match_again(self) -> None:
        if self._found is None:
            return
        file, own, way = self._found, [match.own for match in self.model.matches], self._way.currentData()

        def work(report: Report) -> object:
            from studio.importing.weights.matching import match

            return file, match(own, file.tensors, way)

        self._run(work, self._show)

    def _show(self, result: object) -> None:
        assert isinstance(result, tuple)
        file: WeightFile = result[0]
        matches: tuple[Match, ...] = result[1]
        self._found = file
        self._file.setText(f"{file.path.name} ({file.title})")
        self.model.show_matches(matches, file.tensors)
        self.table.resizeColumnsToContents()
        self.table.setColumnWidth(FILE_COLUMN, max(200, self.table.columnWidth(FILE_COLUMN)))
        self._tell()

    @Slot()
    def _tell(self) -> None:
        """How much fits, and what is left over."""
        from studio.importing.weights.matching import unused

        assert self._found is not None
        count, total = sum(match.foreign is not None for match in self.model.matches), len(self.model.matches)
        left = unused(self.model.matches, self._found.tensors)
        self._show_left([f"{tensor.name}  ({dims_text(tensor.dims)})" for tensor in left])
        fresh = f" {total - count:,} stay fresh." if count < total else ""
        told = f"{count:,} of {total:,} tensors of the network get weights.{fresh}"
        if not count:
            told = "Nothing in this file fits by itself: choose in the third column what belongs together."
        self._result.setText(" ".join((told, *self._found.notes)))
        self._take.setEnabled(count > 0 and self._task is None)

    def _show_left(self, texts: list[str]) -> None:
        self._left.clear()
        self._left_title.setText(f"Not used of the file: {len(texts):,}" if texts else "Not used of the file")
        for text in texts[:_MOST_LEFT]:
            item = QListWidgetItem(text)
            item.setToolTip(plain_tooltip(text))
            self._left.addItem(item)

    @Slot()
    def _start_taking(self) -> None:
        assert self._found is not None
        file, matches, project, folder = self._found, self.model.matches, self._project, self._folder

        def work(report: Report) -> object:
            from studio import storage
            from studio.importing.weights.taking import free_file, take

            storage.make_folder(folder)
            return take(file, matches, project, free_file(folder, file.path.stem), report)

        self._result.setText("Taking the weights…")
        self._run(work, self._finish_taking)

    def _finish_taking(self, weights: object) -> None:
        self.taken.emit(weights)
        self.accept()

    def _run(self, work: Callable[[Report], object], done: Callable[[object], None]) -> None:
        self._task = task = BackgroundTask(work, self)
        self._busy.setRange(0, 0)
        self._busy.show()
        for control in (self._take, self._choose, self._way, self.table):
            control.setEnabled(False)
        task.progressed.connect(self._show_progress)
        task.finished.connect(lambda: self._finish(task, done))
        task.start()

    @Slot(float, float)
    def _show_progress(self, done: float, total: float) -> None:
        self._busy.setRange(0, int(total))
        self._busy.setValue(int(done))

    def _finish(self, task: BackgroundTask, done: Callable[[object], None]) -> None:
        self._task = None
        task.deleteLater()
        self._busy.hide()
        for control in (self._choose, self._way, self.table):
            control.setEnabled(True)
        self._take.setEnabled(any(match.foreign is not None for match in self.model.matches))
        if self._leaving:
            super().reject()
        elif task.error:
            self._result.setText(f"Not taken. {task.error}")
        else:
            done(task.result)

    def reject(self) -> None:
        """Close; what is under way is given up first."""
        if self._task is None:
            super().reject()
            return
        self._leaving = True
        self._task.cancel()
        self._result.setText("Giving up…")

    def done(self, result: int) -> None:
        """Close, but not before what is under way has ended."""
        if self._task is not None:
            self._task.wait()
        super().done(result)
