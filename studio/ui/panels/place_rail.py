"""The rail at the left edge that switches between the places of the window."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from studio.ui import icons


class PlaceRail(QFrame):
    """One button with icon and text per place; one of them is down."""

    place_chosen = Signal(int)  # its number, in order of `add_place`

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("placeRail")
        self.setAccessibleName("Places")
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.place_chosen)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(4, 4, 4, 4)
        self._layout.addStretch()

    def add_place(self, title: str, icon: str, tooltip: str) -> None:
        """Add a place below the others."""
        button = QToolButton(self)
        button.setObjectName(f"place{title}")
        button.setText(title)
        button.setAccessibleName(title)
        button.setToolTip(tooltip)
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setIconSize(QSize(24, 24))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setMinimumSize(60, 54)
        icons.set_icon(button, icon)
        number = len(self._group.buttons())
        self._group.addButton(button, number)
        self._layout.insertWidget(number, button)
        button.setChecked(number == 0)

    @Slot(int)
    def show_place(self, number: int) -> None:
        """Press the button of a place without announcing it."""
        button: QAbstractButton | None = self._group.button(number)
        if button is not None:
            button.setChecked(True)
