"""A slider over the range of a declared number."""

from __future__ import annotations

import math
from typing import cast

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from studio.fields import FieldSpec, FieldValue
from studio.ui.widgets.plain_text import plain_tooltip

_FEWEST_STEPS = 50  # unless they are whole numbers


class FieldSlider(QSlider):
    """Moves through a range in steps of a power of ten, so that no value has needless digits.

    Args:
        spec: of a number with both bounds.
    """

    moved = Signal(object)  # the value that the person moved it to, of the field's type

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        assert spec.min is not None
        assert spec.max is not None
        self._low, self._high = spec.min, spec.max
        self._type = spec.type
        exponent = math.floor(math.log10((spec.max - spec.min) / _FEWEST_STEPS))
        self._exponent = max(0, exponent) if spec.type is int else exponent
        self._step = 10.0**self._exponent
        self.setRange(self._position(spec.min), self._position(spec.max))
        self.setPageStep(max(1, (self.maximum() - self.minimum()) // 10))
        self.setObjectName(f"slider_{spec.name}")
        self.setAccessibleName(f"{spec.label}, slider")
        self.setToolTip(plain_tooltip(spec.help))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel, which scrolls past
        self.setMinimumWidth(48)
        self.valueChanged.connect(lambda position: self.moved.emit(self._value(position)))

    def show_value(self, value: FieldValue) -> None:
        """Stand where a value is, without announcing it."""
        with QSignalBlocker(self):
            self.setValue(self._position(cast(float, value)))

    def _position(self, value: float) -> int:
        return round(value / self._step)

    def _value(self, position: int) -> FieldValue:
        value = min(max(position * self._step, self._low), self._high)
        return int(value) if self._type is int else round(float(value), max(0, -self._exponent))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turning the wheel over a form scrolls it; it moves the slider only where someone clicked before."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
