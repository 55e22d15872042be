"""Every question that the window asks, in one place, so that tests can answer in the person's stead."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from studio.data import Source
from studio.data.base import Downloadable
from studio.project.file import SUFFIX
from studio.ui.wording import size, source_name

SAVE, DISCARD, CANCEL = "save", "discard", "cancel"
DOWNLOAD, FOLDER, FILE = "download", "folder", "file"
MAKE, KEEP = "make", "keep"
GO_ON, STOP = "go on", "stop"

_PROJECT_FILTER = f"Training Studio projects (*{SUFFIX});;JSON files (*.json);;All files (*)"
_TABLE_FILTER = (
    "Tables, texts and archives (*.csv *.tsv *.tab *.txt *.jsonl *.ndjson *.parquet *.xlsx *.conll *.zip *.tar *.tgz "
    "*.gz *.bz2 *.xz);;All files (*)"
)

_Button = QMessageBox.StandardButton
_Role = QMessageBox.ButtonRole


class Prompts:
    """Native dialogs over a window."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def save_changes(self, title: str) -> str:
        """Ask what to do with unsaved changes: SAVE, DISCARD or CANCEL."""
        box = self._box(QMessageBox.Icon.Warning, f"“{title}” has changes that are not saved.")
        box.setInformativeText("If they are not saved now, they are lost.")
        box.setStandardButtons(_Button.Save | _Button.Discard | _Button.Cancel)
        box.setDefaultButton(_Button.Save)
        return {_Button.Save: SAVE, _Button.Discard: DISCARD}.get(_Button(box.exec()), CANCEL)

    def open_project(self, folder: Path) -> Path | None:
        """Ask which project to open; None if the person gave up."""
        path, _ = QFileDialog.getOpenFileName(self._parent, "Open project", str(folder), _PROJECT_FILTER)
        return Path(path) if path else None

    def open_python_file(self) -> Path | None:
        """Ask for a file of Python code; None if the person gave up."""
        path, _ = QFileDialog.getOpenFileName(self._parent, "Python file", "", "Python files (*.py)")
        return Path(path) if path else None

    def open_checkpoint(self, folder: Path) -> Path | None:
        """Ask for a checkpoint to start from; None if the person gave up."""
        filters = "Checkpoints (*.pt);;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self._parent, "Start from the weights of", str(folder), filters)
        return Path(path) if path else None

    def open_weights(self, folder: Path) -> Path | None:
        """Ask for a file with weights of any program; None if the person gave up."""
        filters = "Weights (*.pt *.pth *.ckpt *.bin *.safetensors *.onnx);;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self._parent, "Import the weights of", str(folder), filters)
        return Path(path) if path else None

    def run_folder(self, folder: Path) -> Path | None:
        """Ask for the folder of a run; None if the person gave up."""
        path = QFileDialog.getExistingDirectory(self._parent, "Folder of a run", str(folder))
        return Path(path) if path else None

    def run_checkpoint(self, folder: Path) -> Path | None:
        """Ask for a checkpoint to evaluate; None if the person gave up."""
        filters = "Checkpoints (*.pt);;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self._parent, "Evaluate the weights of", str(folder), filters)
        return Path(path) if path else None

    def picture_target(self, suggestion: Path) -> Path | None:
        """Ask where a picture goes, which ends with .png or .svg; None if the person gave up."""
        filters = "Pictures (*.png);;Drawings (*.svg)"
        path, chosen = QFileDialog.getSaveFileName(self._parent, "Save picture", str(suggestion), filters)
        if not path:
            return None
        suffix = ".svg" if "svg" in chosen else ".png"
        return Path(path) if Path(path).suffix.lower() in (".png", ".svg") else Path(path + suffix)

    def save_project(self, suggestion: Path) -> Path | None:
        """Ask where to save the project; None if the person gave up."""
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save project", str(suggestion), _PROJECT_FILTER)
        if not path:
            return None
        return Path(path) if Path(path).suffix else Path(path + SUFFIX)

    def missing_data(self, source: Source, reason: str) -> str:
        """Ask how to get the files of a dataset: DOWNLOAD, FOLDER, CANCEL or, for a person's own files, FILE."""
        box = self._box(QMessageBox.Icon.Question, f"The files of {source.title} are needed.")
        box.setInformativeText(reason)
        answers = {box.addButton("Choose a folder…", _Role.ActionRole): FOLDER}
        if source.needs_place:
            answers[box.addButton("Choose a file…", _Role.ActionRole)] = FILE
        if source.download_bytes:
            download = box.addButton(f"Download {size(source.download_bytes)}", _Role.AcceptRole)
            answers[download] = DOWNLOAD
            box.setDefaultButton(download)
        box.addButton(_Button.Cancel)
        box.exec()
        return next((answer for button, answer in answers.items() if button is box.clickedButton()), CANCEL)

    def missing_weights(self, file: Downloadable, reason: str) -> bool:
        """Ask whether learned weights may be downloaded."""
        box = self._box(QMessageBox.Icon.Question, f"{file.title} are needed.")
        box.setInformativeText(reason)
        download = box.addButton(f"Download {size(file.download_bytes)}", _Role.AcceptRole)
        box.setDefaultButton(download)
        box.addButton(_Button.Cancel)
        box.exec()
        return box.clickedButton() is download

    def more_epochs(self, done: int) -> int | None:
        """Ask how many further epochs a run shall have that has done so many; None if the person gave up."""
        count, accepted = QInputDialog.getInt(
            self._parent, "Continue the run", f"It has done {done:,} epochs. How many more?", done, 1, 1_000_000
        )
        return count if accepted else None

    def several_machines(self, suggestion: str) -> str:
        """Ask how many machines train together and where they meet: N@HOST:PORT; empty if the person gave up."""
        text, accepted = QInputDialog.getText(
            self._parent,
            "Train on several machines",
            "How many machines, and the address of this one with a free port: N@HOST:PORT.\n"
            "When the run starts, the log shows the command for the other machines. Use a network that you trust.",
            text=suggestion,
        )
        return text.strip() if accepted else ""

    def go_on_anyway(self, reason: str) -> bool:
        """Ask whether a run shall go on with other data."""
        box = self._box(QMessageBox.Icon.Warning, "The data of this run is not the same any more.")
        box.setInformativeText(reason)
        anyway = box.addButton("Continue anyway", _Role.AcceptRole)
        cancel = box.addButton(_Button.Cancel)
        box.setDefaultButton(cancel)
        box.exec()
        return box.clickedButton() is anyway

    def use_dataset(self, sources: list[Source], place: Path) -> Source | None:
        """Ask whether files that were dropped shall be the dataset, or as which of several; None for no."""
        box = self._box(QMessageBox.Icon.Question, "Use these files as the dataset of the project?")
        titles = " or ".join(source.title for source in sources)
        box.setInformativeText(f"{place} was recognized as {titles}. Nothing is copied or changed.")
        answers = {box.addButton(f"Use {source.title}", _Role.AcceptRole): source for source in sources}
        box.addButton(_Button.Cancel)
        box.exec()
        return next((source for button, source in answers.items() if button is box.clickedButton()), None)

    def another_network(self, source: Source, reason: str) -> str:
        """Ask whether another network shall be made for data that the open one does not fit: MAKE, KEEP or CANCEL."""
        box = self._box(QMessageBox.Icon.Question, f"Make another network for {source_name(source)}?")
        box.setInformativeText(f"The network on the canvas does not fit this data. {reason} Undo brings it back.")
        make = box.addButton("Make another network", _Role.AcceptRole)
        keep = box.addButton("Keep this network", _Role.ActionRole)
        box.addButton(_Button.Cancel)
        box.setDefaultButton(make)
        box.exec()
        return MAKE if box.clickedButton() is make else KEEP if box.clickedButton() is keep else CANCEL

    def leave_run(self) -> str:
        """Ask what becomes of a run in a process of its own when the window is closed: GO_ON, STOP or CANCEL."""
        box = self._box(QMessageBox.Icon.Question, "The training goes on in a process of its own.")
        box.setInformativeText(
            "It does not need this window. If you let it go on, the studio offers it again at its next start."
        )
        go_on = box.addButton("Let it go on", _Role.AcceptRole)
        stop = box.addButton("Stop and keep", _Role.DestructiveRole)
        box.addButton(_Button.Cancel)
        box.setDefaultButton(go_on)
        box.exec()
        return GO_ON if box.clickedButton() is go_on else STOP if box.clickedButton() is stop else CANCEL

    def trust_code(self, name: str, code: str) -> bool:
        """Show the code of a file, and ask whether it may run."""
        from studio.ui.panels.code_dialog import CodeDialog  # not needed to show the window

        dialog = CodeDialog(name, code, self._parent)
        accepted = dialog.exec() == CodeDialog.DialogCode.Accepted
        dialog.deleteLater()
        return accepted

    def data_folder(self, title: str) -> Path | None:
        """Ask in which folder the files of a dataset are; None if the person gave up."""
        path = QFileDialog.getExistingDirectory(self._parent, f"Folder with the files of {title}")
        return Path(path) if path else None

    def data_file(self, title: str) -> Path | None:
        """Ask which file is the dataset; None if the person gave up."""
        path, _ = QFileDialog.getOpenFileName(self._parent, f"File for {title}", "", _TABLE_FILTER)
        return Path(path) if path else None

    def export_target(self, suggestion: Path, format_title: str, suffix: str) -> Path | None:
        """Ask for the file to export to; None if the person gave up."""
        path, _ = QFileDialog.getSaveFileName(
            self._parent, "Export to", str(suggestion), f"{format_title} (*{suffix});;All files (*)"
        )
        return Path(path) if path else None

    def tell(self, text: str, details: str) -> None:
        """Show a message without waiting for an answer."""
        box = self._box(QMessageBox.Icon.Information, text)
        box.setInformativeText(details)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _box(self, icon: QMessageBox.Icon, text: str) -> QMessageBox:
        box = QMessageBox(icon, "Training Studio", text, parent=self._parent)
        box.setTextFormat(Qt.TextFormat.PlainText)  # names from files are not markup
        return box
