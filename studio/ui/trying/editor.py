"""What every way of giving a sample has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget

if TYPE_CHECKING:
    from studio.data.forms import Raw, RawForm

_SUFFIXES_SHOWN = 12  # in the filter of the dialog


class Editor(QWidget):
    """Lets a person give one part of a sample.

    Args:
        form: of the part.
    """

    changed = Signal()  # something else is given, or nothing any more

    def __init__(self, form: RawForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = form
        self.setToolTip(form.about)
        if form.suffixes:
            self.setAcceptDrops(True)

    def value(self) -> object | None:
        """What is given, as the form reads it; None if nothing is."""
        raise NotImplementedError

    def show_value(self, given: object) -> None:
        """Show a sample of the data. Nothing is told."""
        raise NotImplementedError

    def clear(self) -> None:
        """Give nothing any more. Nothing is told."""
        raise NotImplementedError

    def show_raw(self, raw: Raw) -> None:
        """Show what the network gets to see of what was given."""

    def take_file(self, path: Path) -> None:
        """Give what is in a file."""

    def file_button(self) -> QPushButton:
        """A button that asks for a file."""
        button = QPushButton("File…", self)
        button.setObjectName("tryFile")
        button.setAccessibleName("Take the content of a file")
        button.clicked.connect(self._choose)
        return button

    choose: Callable[[QWidget, str], Path | None] = staticmethod(lambda parent, known: _chosen(parent, known))

    def _choose(self) -> None:
        endings = sorted(self.form.suffixes)[:_SUFFIXES_SHOWN]
        known = f"Known files ({' '.join(f'*{ending}' for ending in endings)});;All files (*)"
        path = type(self).choose(self, known)
        if path is not None:
            self.take_file(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is not None:
            event.acceptProposedAction()
            self.take_file(path)


def _chosen(parent: QWidget, known: str) -> Path | None:
    path, _ = QFileDialog.getOpenFileName(parent, "Try this file", "", known)
    return Path(path) if path else None


def _dropped(event: QDropEvent) -> Path | None:
    """The one file that is being dropped."""
    urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
    return Path(urls[0].toLocalFile()) if len(urls) == 1 else None
