"""A form for any declaration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from studio.fields import Declared, FieldError, FieldSpec, FieldValue
from studio.graph.groups import field_value, setting_specs, with_field
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.field_editor import FieldEditor, field_editor, help_text
from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip


class DeclaredForm(QWidget):
    """Shows the fields of a declaration, or what a group exposes, and makes a changed copy at each edit."""

    edited = Signal(object, str)  # the changed copy, of the same class; the name of the field

    def __init__(
        self, parent: QWidget | None = None, hidden: tuple[str, ...] = (), beside: Mapping[str, QWidget] | None = None
    ) -> None:
        super().__init__(parent)
        self._hidden = hidden  # names of fields that are shown elsewhere
        self._beside = beside or {}  # what stands at the right of a field, by its name
        self.editors: dict[str, FieldEditor] = {}
        self.more: QToolButton | None = None  # shows the rare fields
        self._rare: list[FieldSpec] = []
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
        if self._has_rare(declared):  # such as after an undo
            self._show_rare(True)

    def _build(self, declared: Declared) -> None:
        for widget in self._beside.values():
            widget.setParent(self)  # or it would go with the old rows
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
                rows.addRow(label, self._beside_row(spec.name, editor))
            self.editors[spec.name] = editor
        self._layout.addWidget(self._body)
        self.more, self._rare = None, []
        if rare := [spec for spec in setting_specs(declared) if spec.rare and spec.name in self.editors]:
            self._hide_rare(rows, declared, rare)

    def _hide_rare(self, rows: QFormLayout, declared: Declared, rare: list[FieldSpec]) -> None:
        """Keep fields that are seldom changed out of view, unless one of them is not the default."""
        more = self.more = QToolButton(self._body)
        more.setObjectName("moreFields")
        more.setText("More")
        more.setToolTip(", ".join(spec.label for spec in rare))
        more.setAutoRaise(True)
        more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        more.setArrowType(Qt.ArrowType.RightArrow)
        rows.addRow(more)

        more.clicked.connect(lambda: self._show_rare(True))
        self._rare, self._rows = rare, rows
        self._show_rare(self._has_rare(declared))

    def _has_rare(self, declared: Declared) -> bool:
        return any(field_value(declared, spec.name) != spec.default for spec in self._rare)

    def _show_rare(self, shown: bool) -> None:
        assert self.more is not None
        for spec in self._rare:
            self._rows.setRowVisible(self.editors[spec.name], shown)
        self._rows.setRowVisible(self.more, not shown)

    def _beside_row(self, name: str, editor: FieldEditor) -> QWidget:
        if name not in self._beside:
            return editor
        row = QWidget(self._body)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(editor, 1)
        layout.addWidget(self._beside[name], 0, Qt.AlignmentFlag.AlignTop)
        self._beside[name].show()
        return row

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
