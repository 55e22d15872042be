"""How a block is used: how often in a row, whether at all, and whether it learns."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QFormLayout, QWidget

from studio.fields import FieldSpec
from studio.graph import Node
from studio.graph.edits import SetBypassed, SetFrozen, SetRepeat
from studio.graph.groups import MAX_REPEAT, can_repeat
from studio.ui.document import Document
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.field_editor import field_editor
from studio.ui.widgets.plain_text import PlainLabel

_REPEAT = FieldSpec(
    "repeat", int, 1, 1, MAX_REPEAT, "times", "Applied so often in a row, each time with weights of its own.", (), ""
)


class UsageForm(QWidget):
    """Repetition, bypass and freezing of the selected block; hidden where none is possible."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._node_id = ""
        self.repeat = field_editor(_REPEAT, 1, self)
        self.repeat.value_changed.connect(self._repeat)
        self.bypass = QCheckBox("Bypass: hand on the input as it came", self)
        self.bypass.setObjectName("field_bypassed")
        self.bypass.setAccessibleName("Bypass")
        self.bypass.toggled.connect(self._bypass)
        self.freeze = QCheckBox("Frozen: its weights are not trained", self)
        self.freeze.setObjectName("field_frozen")
        self.freeze.setAccessibleName("Frozen")
        self.freeze.toggled.connect(self._freeze)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        label = PlainLabel("Repeat", self)
        label.setMinimumWidth(LABEL_WIDTH)
        label.setBuddy(self.repeat)
        layout.addRow(label, self.repeat)
        layout.addRow(self.bypass)
        layout.addRow(self.freeze)

    def show_node(self, node: Node) -> None:
        """Show a node."""
        self._node_id = node.id
        self.setVisible(can_repeat(node.block))
        self.repeat.set_value(node.repeat)
        for box, checked in ((self.bypass, node.bypassed), (self.freeze, node.frozen)):
            box.blockSignals(True)
            box.setChecked(checked)
            box.blockSignals(False)
        self.freeze.setVisible(node.frozen)

    def show_parameters(self, count: int) -> None:
        """Offer to freeze what has so many learned numbers."""
        self.freeze.setVisible(self.freeze.isChecked() or count > 0)

    @Slot(object)
    def _repeat(self, times: int) -> None:
        if not self._document.do(SetRepeat(self._node_id, times), "Repeat", merge=f"{self._node_id}.repeat"):
            self.repeat.refuse("It would become too large.")

    @Slot(bool)
    def _bypass(self, bypassed: bool) -> None:
        self._document.do(SetBypassed(frozenset({self._node_id}), bypassed), "Bypass" if bypassed else "Use")

    @Slot(bool)
    def _freeze(self, frozen: bool) -> None:
        self._document.do(SetFrozen(frozenset({self._node_id}), frozen), "Freeze" if frozen else "Unfreeze")
