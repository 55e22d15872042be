"""The parts of the settings form: one of several kinds with its fields, and what there is one of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from studio.fields import Declared, specs
from studio.registry import Registry
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.declared_form import DeclaredForm, step_name
from studio.ui.widgets.field_editor import value_text
from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip
from studio.ui.widgets.section import Section


class ChoiceForm(QWidget):
    """Chooses one of several kinds, and edits its fields.

    Args:
        name: in the settings, such as "optimizer".
        kinds: what there is to choose.
        beside: what stands at the right of a field, by its name.
    """

    edited = Signal(object, str)  # the other declaration; the name of the undo step

    def __init__(
        self, name: str, kinds: Registry[Any], parent: QWidget | None = None,
        beside: Mapping[str, QWidget] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._kinds = kinds
        self._value: Declared | None = None
        self.picker = QComboBox(self)
        self.picker.setObjectName(f"{name}Kind")
        self.picker.setAccessibleName(title_of(name))
        for number, kind in enumerate(kinds):
            self.picker.addItem(kind.title, kind.kind)
            about = plain_tooltip((kind.__doc__ or "").partition("\n")[0])
            self.picker.setItemData(number, about, Qt.ItemDataRole.ToolTipRole)
        self.form = DeclaredForm(self, beside=beside)
        label = PlainLabel("Method", self)
        label.setMinimumWidth(LABEL_WIDTH)
        label.setBuddy(self.picker)
        row = QFormLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        row.addRow(label, self.picker)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.form)
        self.picker.activated.connect(self._choose)
        self.form.edited.connect(lambda value, field: self.edited.emit(value, step_name(field)))

    def show_value(self, value: Any) -> None:
        """Show another choice."""
        self._value = value
        number = self.picker.findData(value.kind)
        self.picker.setCurrentIndex(number)
        self.picker.setToolTip(self.picker.itemData(number, Qt.ItemDataRole.ToolTipRole))
        self.form.set_declared(value)
        self.form.setVisible(bool(specs(type(value))))

    def allow(self, kinds: set[str]) -> None:
        """Grey out all others."""
        model = self.picker.model()
        assert isinstance(model, QStandardItemModel)
        for number, kind in enumerate(self._kinds):
            model.item(number).setEnabled(kind.kind in kinds)

    @Slot(int)
    def _choose(self, number: int) -> None:
        chosen = self._kinds.get(self.picker.itemData(number))
        if chosen is not type(self._value):
            self.edited.emit(chosen(), f"Choose {chosen.title}")


class PartSection(Section):
    """What there is one of, such as what happens to gradients. Its form is made when it is unfolded first.

    Args:
        name: in the settings.
        kind: its class.
    """

    edited = Signal(object, str)  # the changed declaration; the name of the undo step

    def __init__(self, name: str, kind: type[Declared], parent: QWidget | None = None) -> None:
        super().__init__(title_of(name, kind), f"settings{name.capitalize()}", parent, folded=True)
        self.head.setToolTip(plain_tooltip((kind.__doc__ or "").partition("\n")[0]))
        self.form: DeclaredForm | None = None
        self._value: Declared = kind()
        self.unfolded.connect(self._fill)

    def show_value(self, value: Declared) -> None:
        """Show another value; folded, only what is unusual in it."""
        self._value = value
        self.set_brief(brief_of(value))
        if self.form is not None:
            self.form.set_declared(value)

    @Slot()
    def _fill(self) -> None:
        if self.form is None:
            self.form = DeclaredForm(self)
            self.form.edited.connect(lambda value, field: self.edited.emit(value, step_name(field)))
            self.form.set_declared(self._value)
            self.add(self.form)


def title_of(name: str, kind: type[Declared] | None = None) -> str:
    """What a part of the settings is called."""
    return str(getattr(kind, "title", "")) or name.replace("_", " ").capitalize()


def brief_of(value: Declared) -> str:
    """What differs from the defaults, in a few words."""
    usual = type(value)()
    changed = [spec for spec in specs(type(value)) if getattr(value, spec.name) != getattr(usual, spec.name)]
    return ", ".join(f"{spec.label.lower()} {_short(getattr(value, spec.name))}" for spec in changed)


def _short(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value_text(value)
