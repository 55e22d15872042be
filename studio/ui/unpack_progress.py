"""Shows how far an archive is unpacked, if that takes long, and lets the person give up."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QProgressDialog, QWidget

from studio.ui.own_data import OwnData

_PARTS = 1000
_PATIENCE_MS = 400  # before a dialog appears: most archives are small


class UnpackProgress(QObject):
    """Follows the data that is looked into. The window can be used meanwhile."""

    def __init__(self, own_data: OwnData, window: QWidget) -> None:
        super().__init__(window)
        self._own_data = own_data
        self._window = window
        self._dialog: QProgressDialog | None = None
        own_data.unpacking.connect(self._show)
        own_data.ended.connect(self._close)

    @Slot(str, float, float)
    def _show(self, name: str, done: float, total: float) -> None:
        if self._dialog is None:
            self._dialog = self._made(name)
        if total:
            self._dialog.setValue(int((_PARTS - 1) * done / total))

    def _made(self, name: str) -> QProgressDialog:
        dialog = QProgressDialog(f"Unpacking {name} into the cache…", "Cancel", 0, _PARTS, self._window)
        dialog.setObjectName("unpackDialog")
        dialog.setWindowTitle("Training Studio")
        dialog.setMinimumDuration(_PATIENCE_MS)
        dialog.setAutoClose(False)
        dialog.setAutoReset(False)
        dialog.canceled.connect(self._own_data.give_up)
        return dialog

    @Slot()
    def _close(self) -> None:
        if self._dialog is not None:
            self._dialog.canceled.disconnect(self._own_data.give_up)
            self._dialog.close()
            self._dialog.deleteLater()
            self._dialog = None
