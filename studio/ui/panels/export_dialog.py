"""Export the trained network: choose a format and a file, and hear what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.export.formats import FORMATS, Format
from studio.ui.background import BackgroundTask, Report
from studio.ui.prompts import Prompts
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.widgets.two_lines import DETAIL, NAME, TITLE, TwoLines

_KIND = Qt.ItemDataRole.UserRole + 40
_WIDTH = 620
_LINES = 6  # of the result, for which there is always room
_MOST_ROWS = 9  # formats in view at once


class ExportDialog(QDialog):
    """Writes one checkpoint in a format of the person's choice.

    Args:
        checkpoint: the file to export, or the folder of a run.
        suggestion: folder and name, without a suffix, of the file to write.
        data_folder: where the files of its dataset are, or those of each kind of dataset; None for the studio's cache
            folder.
    """

    def __init__(
        self, checkpoint: Path, suggestion: Path, prompts: Prompts, parent: QWidget | None = None,
        data_folder: Path | Mapping[str, Path] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export the trained network")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._checkpoint = checkpoint
        self._data_folder = data_folder
        self._prompts = prompts
        self._task: BackgroundTask | None = None
        self._doing = [""]  # told by the thread
        self._written: Path | None = None
        self._formats = QListWidget(self)
        self._about = PlainLabel(parent=self, color="node_muted")
        self._target = QLineEdit(self)
        self._choose = QPushButton("Choose…", self)
        self._bar = QProgressBar(self)
        self._result = PlainLabel(parent=self)
        self._show = QPushButton("Show in folder", self)
        self._copy = QPushButton("Copy path", self)
        self._buttons = QDialogButtonBox(self)
        self._write = self._buttons.addButton("Export", QDialogButtonBox.ButtonRole.ActionRole)
        self._close = self._buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self._name_controls()
        self._build()
        self._connect()
        self._ending = ""  # of the name that was suggested for the format
        self._target.setText(str(suggestion))
        self._formats.setCurrentRow(0)

    def _name_controls(self) -> None:
        for widget, name, accessible in (
            (self._formats, "exportFormat", "Format"),
            (self._about, "exportAbout", "About the format"),
            (self._target, "exportTarget", "File to write"),
            (self._choose, "exportChoose", "Choose the file"),
            (self._bar, "exportProgress", "Progress of the export"),
            (self._write, "exportWrite", "Export"),
            (self._close, "exportClose", "Close"),
            (self._result, "exportResult", "What was written"),
            (self._show, "exportShow", "Show the file in its folder"),
            (self._copy, "exportCopy", "Copy the path of the file"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(accessible)

    def _build(self) -> None:
        self._formats.setItemDelegate(TwoLines(self._formats))
        for format_ in FORMATS.values():
            item = QListWidgetItem(format_.title, self._formats)
            for role, value in (
                (TITLE, format_.title), (NAME, format_.suffix or "folder"), (DETAIL, format_.purpose),
                (_KIND, format_.kind), (Qt.ItemDataRole.AccessibleDescriptionRole, format_.purpose),
            ):  # fmt: skip
                item.setData(role, value)
        self._result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._result.setMinimumHeight(_LINES * self._result.fontMetrics().lineSpacing())
        self._result.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._about.setMinimumHeight(2 * self._about.fontMetrics().lineSpacing())
        self._about.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._write.setDefault(True)
        self._arrange()
        self._show_written(None)

    def _arrange(self) -> None:
        target_row, after_row = QHBoxLayout(), QHBoxLayout()
        file = QLabel("File", self)
        file.setBuddy(self._target)
        target_row.addWidget(file)
        target_row.addWidget(self._target, 1)
        target_row.addWidget(self._choose)
        after_row.addWidget(self._show)
        after_row.addWidget(self._copy)
        after_row.addStretch()
        layout = QVBoxLayout(self)
        layout.addWidget(self._formats, 1)
        layout.addWidget(self._about)
        layout.addLayout(target_row)
        layout.addWidget(self._bar)
        layout.addWidget(self._result)
        layout.addLayout(after_row)
        layout.addWidget(self._buttons)
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(policy)
        self._bar.hide()
        row = 2 * self.fontMetrics().height() + 8
        self._formats.setMinimumHeight(5 * row)
        self.resize(_WIDTH, min(len(FORMATS), _MOST_ROWS) * row + 330)
        self.setMinimumWidth(480)

    def _connect(self) -> None:
        self._formats.currentRowChanged.connect(self._show_format)
        self._choose.clicked.connect(self._choose_target)
        self._write.clicked.connect(self._press)
        self._show.clicked.connect(self._show_folder)
        self._copy.clicked.connect(self._copy_path)
        self._buttons.rejected.connect(self.reject)

    @property
    def _chosen(self) -> Format:
        return FORMATS[self._formats.currentItem().data(_KIND)]

    @Slot()
    def _show_format(self) -> None:
        """Explain the format; the file's name takes its ending."""
        self._about.setText(self._chosen.about)
        text, ending = self._target.text(), self._chosen.ending + self._chosen.suffix
        if text.endswith(self._ending):  # else the person wrote something else
            self._target.setText(text.removesuffix(self._ending) + ending)
            self._ending = ending

    @Slot()
    def _choose_target(self) -> None:
        path = self._prompts.export_target(Path(self._target.text()), self._chosen.title, self._chosen.suffix)
        if path is not None:
            self._target.setText(str(path if path.suffix else path.with_suffix(self._chosen.suffix)))
            self._ending = self._chosen.suffix

    # Writing ----------------------------------------------------------------------------------------------------------

    @Slot()
    def _press(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._result.setText("Giving up…")
            return
        target = Path(self._target.text()).expanduser()
        if not target.is_absolute():
            self._result.setText("Give the whole path of the file, or choose one.")
            return
        self._start(target)

    def _start(self, target: Path) -> None:
        checkpoint, kind, data_folder = self._checkpoint, self._chosen.kind, self._data_folder
        doing = self._doing = [""]  # not the dialog itself: its thread would keep it, and end it in the end of its own

        def work(report: Report) -> str:
            from studio.export.apart import export_beside  # loads torch

            def tick(words: str) -> None:
                doing[0] = words
                report(0, 0)

            return export_beside(checkpoint, kind, target, data_folder, tick)

        self._show_written(None)
        self._show_busy(True)
        self._result.setText("Writing…")
        self._written = target
        self._task = BackgroundTask(work, self)
        self._task.progressed.connect(self._tell)
        self._task.finished.connect(self._finish)
        self._task.start()

    @Slot()
    def _tell(self) -> None:
        if self._task is not None and not self._task.isInterruptionRequested():
            self._result.setText(f"{self._doing[0] or 'Writing'}…")

    @Slot()
    def _finish(self) -> None:
        assert self._task is not None
        task, self._task = self._task, None
        task.wait()  # it tells before it is quite over: closed in between, the window would wait for it with no way out
        self._show_busy(False)
        if task.error is None:
            self._result.setText(str(task.result))
            self._show_written(self._written)
        else:
            said = "Given up; nothing was written." if task.cancelled else f"Not exported: {task.error}"
            self._result.setText(said)
        task.deleteLater()

    def _show_busy(self, busy: bool) -> None:
        self._bar.setVisible(busy)
        self._write.setText("Cancel" if busy else "Export")
        self._write.setAccessibleName("Give up the export" if busy else "Export")
        for widget in (self._formats, self._target, self._choose):
            widget.setEnabled(not busy)

    def _show_written(self, path: Path | None) -> None:
        self._written = path
        for button in (self._show, self._copy):
            button.setEnabled(path is not None)

    @Slot()
    def _show_folder(self) -> None:
        if self._written is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written.parent)))

    @Slot()
    def _copy_path(self) -> None:
        QGuiApplication.clipboard().setText(str(self._written))

    def done(self, result: int) -> None:
        """Close; an export under way is given up, and leaves nothing behind."""
        if self._task is not None:
            self._task.cancel()
            self._task.wait()
        super().done(result)


def beside_run(checkpoint: Path) -> Path:
    """Folder and name, without a suffix, for what is exported from a run that lies anywhere.

    Args:
        checkpoint: its file, or the folder of the run.
    """
    if checkpoint.suffix != ".pt":
        run = checkpoint
    elif checkpoint.parent.name == "checkpoints":
        run = checkpoint.parent.parent
    else:
        return checkpoint.with_suffix("")
    return run / "exports" / run.name
