"""A form for any declaration."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from studio.fields import Declared, FieldError, FieldValue
from studio.graph.groups import field_value, setting_specs, with_field
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.field_editor import FieldEditor, field_editor, help_text
from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip


class DeclaredForm(QWidget):
    """Shows the fields of a declaration, or what a group exposes, and makes a changed copy at each edit."""

    edited = Signal(object, str)  # the changed copy, of the same class; the name of the field

    def __init__(self, parent: QWidget | None = None, hidden: tuple[str, ...] = ()) -> None:
        super().__init__(parent)
        self._hidden = hidden  # names of fields that are shown elsewhere
        self.editors: dict[str, FieldEditor] = {}
        self._declared: Declared | None = None
        self._body = QWidget(self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self._body)

    def set_declared(self, declared: Declared) -> None:
        """Show another value; the widgets stay if it is of the same class."""
        known = setting_specs(self._declared) if self._declared is not None else None
        self._declared = declared
        if known != setting_specs(declared):
            self._build(declared)
        for name, editor in self.editors.items():
            editor.set_value(field_value(declared, name))

    def _build(self, declared: Declared) -> None:
        old, self._body = self._body, QWidget(self)
        old.hide()
        old.deleteLater()
        self.editors = {}
        rows = QFormLayout(self._body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for spec in setting_specs(declared):
            if spec.name in self._hidden:
                continue
            editor = field_editor(spec, field_value(declared, spec.name), self._body)
            editor.value_changed.connect(partial(self._change, spec.name))
            label = PlainLabel(spec.label, self._body)
            label.setMinimumWidth(LABEL_WIDTH)
            label.setToolTip(plain_tooltip(help_text(spec)))
            label.setBuddy(editor)
            if spec.lines:  # it needs all the width
                rows.addRow(label)
                rows.addRow(editor)
            else:
                rows.addRow(label, editor)
            self.editors[spec.name] = editor
        self._layout.addWidget(self._body)

    def _change(self, name: str, value: FieldValue) -> None:
        assert self._declared is not None
        try:
            changed = with_field(self._declared, name, value)
        except FieldError as error:
            self.editors[name].refuse(_reason(error))
            return
        self._declared = changed
        self.edited.emit(changed, name)


def _reason(error: FieldError) -> str:
    """The sentence without the name of the class, which the form shows already."""
    reason = str(error).partition(": ")[2]
    return reason[:1].upper() + reason[1:]


def step_name(field_name: str) -> str:
    """The name of the undo step of a changed field."""
    return f"Change {field_name.replace('_', ' ')}"
