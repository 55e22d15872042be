"""From a declared field to the widget that edits it: the one table of types to widgets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QFontDatabase, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from studio.fields import FieldSpec, FieldValue, parse
from studio.ui.widgets.field_slider import FieldSlider
from studio.ui.widgets.plain_text import Refusal, plain_tooltip

_LINES_SHOWN = 14  # of a text of several lines
_FRAME = 32  # pixels around the text of a control, arrows included
_INT_LIMIT = 2**31 - 1  # of a QSpinBox


class FieldEditor(QWidget):
    """Edits one field. What is no value of the field's type gets a message beside it and changes nothing."""

    value_changed = Signal(object)  # the new value, of the field's type; its range is checked by the declaration

    def __init__(self, spec: FieldSpec, control: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.control = control
        self.refusal = Refusal(self)
        self._last: FieldValue | None = None  # shown by the program, or announced
        self.setObjectName(f"field_{spec.name}")
        self.setFocusProxy(control)
        control.setObjectName(f"edit_{spec.name}")
        control.setAccessibleName(spec.label)
        control.setAccessibleDescription(help_text(spec))
        control.setToolTip(plain_tooltip(help_text(spec)))
        control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel, which scrolls past
        self.refusal.setObjectName(f"refusal_{spec.name}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.slider = FieldSlider(spec, self) if spec.slider else None
        if self.slider is None:
            layout.addWidget(control)
        else:
            layout.addLayout(self._beside_slider(self.slider))
        layout.addWidget(self.refusal)

    def _beside_slider(self, slider: FieldSlider) -> QHBoxLayout:
        self.control.setFixedWidth(self.control.fontMetrics().horizontalAdvance("00000") + _FRAME)
        slider.moved.connect(self._take)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.control)
        row.addWidget(slider, 1)
        return row

    def value(self) -> FieldValue:
        """The value shown. Raises ValueError while what was typed is none."""
        raise AssertionError("every editor can tell its value")

    def show_value(self, value: FieldValue) -> None:
        """Put a value into the control."""
        raise AssertionError("every editor can show a value")

    def set_value(self, value: FieldValue) -> None:
        """Show a value without announcing it, and forget what was typed and not finished."""
        if value != self._last or self.refusal.text():
            self._last = value
            self._display(value)
            self.refuse("")

    def _display(self, value: FieldValue) -> None:
        self.control.blockSignals(True)
        self.show_value(value)
        self.control.blockSignals(False)
        if self.slider is not None:
            self.slider.show_value(value)

    @Slot(object)
    def _take(self, value: FieldValue) -> None:
        """The slider was moved."""
        self._display(value)
        self.commit()

    @Slot()
    def commit(self) -> None:
        """Announce what was typed, if it is new."""
        try:
            value = self.value()
        except ValueError:
            self.refuse(_expectation(self.spec))
            return
        if value != self._last or self.refusal.text():
            self._last = value
            self.refuse("")
            if self.slider is not None:
                self.slider.show_value(value)
            self.value_changed.emit(value)

    def refuse(self, reason: str) -> None:
        """Tell why the value was not taken; it stays shown, to be corrected. An empty reason takes that back."""
        self.refusal.tell(reason)


class _Check(FieldEditor):
    control: QCheckBox

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, QCheckBox(), parent)
        self.control.toggled.connect(self.commit)

    def value(self) -> FieldValue:
        return self.control.isChecked()

    def show_value(self, value: FieldValue) -> None:
        self.control.setChecked(bool(value))


class _SpinBox(QSpinBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        _only_with_focus(self, event, super().wheelEvent)


class _Number(FieldEditor):
    control: QSpinBox

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, _SpinBox(), parent)
        smallest = -_INT_LIMIT if spec.min is None else max(-_INT_LIMIT, int(spec.min))
        largest = _INT_LIMIT if spec.max is None else min(_INT_LIMIT, int(spec.max))
        self.control.setRange(smallest, largest)
        self.control.setSpecialValueText(spec.special)
        self.control.setSuffix(f" {spec.unit}" if spec.unit else "")
        self.control.setKeyboardTracking(False)  # typing 128 is one change, not 1, 12 and 128
        self.control.valueChanged.connect(self.commit)

    def value(self) -> FieldValue:
        self.control.interpretText()
        return self.control.value()

    def show_value(self, value: FieldValue) -> None:
        self.control.setValue(cast(int, value))


class _ComboBox(QComboBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        _only_with_focus(self, event, super().wheelEvent)


class _Choice(FieldEditor):
    control: QComboBox

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, _ComboBox(), parent)
        self.control.addItems(list(spec.choices))
        self.control.currentIndexChanged.connect(self.commit)

    def value(self) -> FieldValue:
        return self.control.currentText()

    def show_value(self, value: FieldValue) -> None:
        self.control.setCurrentIndex(self.spec.choices.index(cast(str, value)))


class _Line(FieldEditor):
    """Texts, and numbers that no spin box shows well: 1e-5, or 1, 28, 28."""

    control: QLineEdit

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, QLineEdit(), parent)
        self.control.editingFinished.connect(self.commit)

    def value(self) -> FieldValue:
        text = self.control.text()
        if self.spec.special and self.spec.min is not None and text.strip() == self.spec.special:
            return float(self.spec.min)
        return parse(self.spec, text)

    def show_value(self, value: FieldValue) -> None:
        special = bool(self.spec.special) and value == self.spec.min
        self.control.setText(self.spec.special if special else value_text(value))


class _TextBox(QPlainTextEdit):
    left = Signal()  # the cursor went elsewhere

    def __init__(self) -> None:
        super().__init__()
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setMinimumHeight(_LINES_SHOWN * self.fontMetrics().lineSpacing())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Tab and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.insertPlainText("    ")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers():
            self.left.emit()  # Ctrl+Enter: take it now
        else:
            super().keyPressEvent(event)


class _Text(FieldEditor):
    """A text of several lines, announced when the cursor leaves it or at Ctrl+Enter."""

    control: _TextBox

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, _TextBox(), parent)
        self.control.left.connect(self.commit)

    def value(self) -> FieldValue:
        return self.control.toPlainText()

    def show_value(self, value: FieldValue) -> None:
        self.control.setPlainText(str(value))


def field_editor(spec: FieldSpec, value: FieldValue, parent: QWidget | None = None) -> FieldEditor:
    """The editor for a field, showing a value."""
    editor = _editor_class(spec)(spec, parent)
    editor.set_value(value)
    return editor


def _editor_class(spec: FieldSpec) -> Callable[[FieldSpec, QWidget | None], FieldEditor]:
    if spec.type is str:
        return _Choice if spec.choices else _Text if spec.lines else _Line
    return {bool: _Check, int: _Number, float: _Line, tuple: _Line}[spec.type]


def commit_pending() -> None:
    """Announce what is being typed in the field with the focus, before what depends on it is saved or run."""
    widget = QApplication.focusWidget()
    while widget is not None and not isinstance(widget, FieldEditor):
        widget = widget.parentWidget()
    if widget is not None:
        widget.commit()


def value_text(value: FieldValue) -> str:
    """A value as a person types it: 1e-5, or 1, 28, 28."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return re.sub(r"e([+-])0", r"e\1", repr(value)) if isinstance(value, float) else str(value)


def help_text(spec: FieldSpec) -> str:
    """A field's help, and its range."""
    bounds = (spec.min, spec.max)
    texts = ["" if bound is None else f"{bound:,.6g}" for bound in bounds]
    if bounds == (None, None):
        return spec.help
    if None in bounds:
        return f"{spec.help} {'At least' if texts[0] else 'At most'} {texts[0] or texts[1]}.".strip()
    return f"{spec.help} From {texts[0]} to {texts[1]}.".strip()


def _expectation(spec: FieldSpec) -> str:
    if spec.type is tuple:
        return "Type whole numbers with commas between them, such as 1, 28, 28."
    return "Type a number, such as 0.001 or 1e-5." if spec.type is float else "This is no value for it."


def _only_with_focus(widget: QWidget, event: QWheelEvent, turn: Callable[[QWheelEvent], None]) -> None:
    """Turning the wheel over a form scrolls it; it changes a value only where someone clicked before."""
    if widget.hasFocus():
        turn(event)
    else:
        event.ignore()
