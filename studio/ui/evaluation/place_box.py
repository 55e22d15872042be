"""Chooses one place of an answer that has many, such as a step or a pixel."""

from __future__ import annotations

import math

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QSpinBox, QWidget


class PlaceBox(QSpinBox):
    """Counts places row by row from 1; the first choice is the mean over all of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dims: tuple[int, ...] = ()
        self.setObjectName("explainPlace")
        self.setAccessibleName("Place of the answer to explain")
        self.setSpecialValueText("all places")

    def begin(self, dims: tuple[int, ...]) -> None:
        """Other answers, with places of these sizes; none for a single answer."""
        self._dims = dims
        self.setRange(0, math.prod(dims) if dims else 0)
        self.setValue(0)

    @property
    def place(self) -> int | None:
        """The number of the place from 0; None for all."""
        return self.value() - 1 if self.value() else None

    def textFromValue(self, value: int) -> str:
        if len(self._dims) < 2:
            return str(value)
        left, parts = value - 1, list[str]()
        for size in reversed(self._dims):
            left, number = divmod(left, size)
            parts.append(str(number + 1))
        return ", ".join(reversed(parts))

    def valueFromText(self, text: str) -> int:
        if text == self.specialValueText() or not self._dims:
            return 0
        numbers = [int(part) for part in text.split(",") if part.strip().isdigit()]
        if len(numbers) != len(self._dims):
            return self.value()
        place = 0
        for size, number in zip(self._dims, numbers, strict=True):
            place = place * size + min(max(number, 1), size) - 1
        return place + 1

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        allowed = text == self.specialValueText() or all(letter.isdigit() or letter in ", " for letter in text)
        return (QValidator.State.Acceptable if allowed else QValidator.State.Invalid, text, position)
