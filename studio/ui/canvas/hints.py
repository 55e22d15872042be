"""What the pointer would do, for the status bar."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Signal, Slot

from studio.ui.document import Document

_READING_S = 6.0  # for which a refusal is left in the status bar


class Hints(QObject):
    """Tells each hint once, and none over a refusal that someone may still be reading."""

    hinted = Signal(str)  # a hint; empty for none

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told = ""
        self._read_until = 0.0  # on the monotonic clock
        document.refused.connect(self._leave_to_read)

    def tell(self, text: str, *, idle: bool = False) -> None:
        """Tell what the pointer would do here.

        Args:
            text: what; empty for nothing.
            idle: nothing is going on: then a refusal is left to be read first.
        """
        if text != self._told and not (idle and time.monotonic() < self._read_until):
            self._told = text
            self.hinted.emit(text)

    @Slot()
    def _leave_to_read(self) -> None:
        self._read_until = time.monotonic() + _READING_S
