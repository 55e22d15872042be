"""Data from Hugging Face’s hub: looked up, shown with its size and licence, and downloaded if the person agrees."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.data.hub.sources import HuggingFace
from studio.ui.background import BackgroundTask, Report
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.wording import size

if TYPE_CHECKING:
    from studio.data.hub.remote import Offer

_ABOUT = (
    "“Look up” asks the hub (huggingface.co) for the dataset’s size, licence and list of files. Nothing else is sent "
    "or fetched before you press Download, and none of the dataset’s code ever runs."
)


class HubDialog(QDialog):
    """Looks up one dataset after the other; closing it gives up a download."""

    chosen = Signal(object)  # Source of a dataset whose files are there

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hubDialog")
        self.setWindowTitle("Data from Hugging Face")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._offer: Offer | None = None
        self._task: BackgroundTask | None = None
        self.name, self.config, self.revision = QLineEdit(self), QLineEdit(self), QLineEdit(self)
        self.look_up = QPushButton("Look up", self)
        self.download = QPushButton("Download", self)
        self.found = PlainLabel("", self)
        self.progress = QProgressBar(self)
        self._name_controls()
        self._build()

    def _name_controls(self) -> None:
        for widget, name, accessible in (
            (self.name, "hubName", "Name of the dataset"),
            (self.config, "hubConfig", "Configuration"),
            (self.revision, "hubRevision", "Revision"),
            (self.look_up, "hubLookUp", "Look up"),
            (self.download, "hubDownload", "Download"),
            (self.found, "hubFound", "What the hub has"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(accessible)

    def _build(self) -> None:
        self.name.setPlaceholderText("such as stanfordnlp/imdb")
        self.config.setPlaceholderText("the usual one")
        self.revision.setPlaceholderText("the newest; or a commit, 40 digits")
        for edit in (self.name, self.config, self.revision):
            edit.textEdited.connect(self._forget)
        self.look_up.clicked.connect(self._ask)
        self.look_up.setDefault(True)
        self.download.clicked.connect(self._fetch)
        self.download.setAutoDefault(False)  # Enter must not download
        self.download.setEnabled(False)
        self.progress.hide()
        buttons = QDialogButtonBox(self)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole).setAutoDefault(False)
        buttons.addButton(self.look_up, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.download, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        for title, edit in (("Name", self.name), ("Configuration", self.config), ("Revision", self.revision)):
            form.addRow(title, edit)
        layout = QVBoxLayout(self)
        layout.addWidget(PlainLabel(_ABOUT, self, color="node_muted"))
        layout.addLayout(form)
        for widget in (self.found, self.progress, buttons):
            layout.addWidget(widget)
        self.setMinimumWidth(560)

    @Slot()
    def _forget(self) -> None:
        """What was looked up is no longer what stands in the fields."""
        self._offer = None
        self.download.setEnabled(False)
        self.found.setText("")

    @Slot()
    def _ask(self) -> None:
        name, config, revision = (edit.text().strip() for edit in (self.name, self.config, self.revision))

        def work(report: Report) -> object:
            from studio.data.hub.remote import look_up  # brings the whole of HTTP

            return look_up(name, config, revision)

        self.found.setText(f"Looking up {name}…")
        self.progress.setRange(0, 0)
        self._run(work, self._show)

    def _show(self, offer: object) -> None:
        from studio.data.hub.remote import Offer, is_complete

        assert isinstance(offer, Offer)
        self._offer = offer
        there = is_complete(offer.pinned(HuggingFace()))
        self.found.setText(_described(offer))
        self.download.setText("Use it: it is here" if there else f"Download {size(offer.size)}")
        self.download.setEnabled(True)

    @Slot()
    def _fetch(self) -> None:
        assert self._offer is not None
        offer, source = self._offer, self._offer.pinned(HuggingFace())

        def work(report: Report) -> object:
            from studio.data.hub.remote import fetch_offer, is_complete

            if not is_complete(source):
                fetch_offer(offer, source.folder, offer.size, report)
            return source.proposed()

        self.progress.setRange(0, 1000)
        self._run(work, self._use)

    def _use(self, source: object) -> None:
        self.chosen.emit(source)
        self.accept()

    def _run(self, work: Callable[[Report], object], done: Callable[[object], None]) -> None:
        task = self._task = BackgroundTask(work, self)
        self._set_busy(True)
        task.progressed.connect(self._show_progress)
        task.finished.connect(lambda: self._finish(task, done))
        task.start()

    def _set_busy(self, busy: bool) -> None:
        self.progress.setVisible(busy)
        for widget in (self.name, self.config, self.revision, self.look_up):
            widget.setEnabled(not busy)
        self.download.setEnabled(not busy and self._offer is not None)

    @Slot(float, float)
    def _show_progress(self, done: float, total: float) -> None:
        if total:
            self.progress.setValue(int(1000 * done / total))

    def _finish(self, task: BackgroundTask, done: Callable[[object], None]) -> None:
        self._task = None
        self._set_busy(False)
        task.deleteLater()
        if task.error is not None:
            self.found.setText(str(task.error))
        else:
            done(task.result)

    def done(self, result: int) -> None:
        """Close, after a look-up or a download under way has stopped."""
        if self._task is not None:
            task, self._task = self._task, None
            task.finished.disconnect()
            task.cancel()
            task.wait()
        super().done(result)


def _described(offer: Offer) -> str:
    from studio.data.own_files import printable

    splits = ", ".join(
        f"{printable(name, 40)} ({size(sum(file.size for file in files))})" for name, files in offer.splits.items()
    )
    lines = [
        f"{offer.name}, configuration “{printable(offer.config)}”",
        f"Licence: {offer.licence}",
        f"Download: {size(offer.size)}: {splits}",
        f"Revision: {offer.revision}",
    ]
    if len(offer.configs) > 1:
        others = ", ".join(printable(name, 40) for name in offer.configs[:20] if name != offer.config)
        lines.append(f"Other configurations: {others}")
    if offer.unused:
        lines.append(f"Not used: {', '.join(printable(name, 40) for name in offer.unused[:20])}")
    return "\n".join(lines)
