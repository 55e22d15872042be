"""How a block is used: how often in a row, and whether at all."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QFormLayout, QWidget

from studio.fields import FieldSpec
from studio.graph import Node
from studio.graph.edits import SetBypassed, SetRepeat
from studio.graph.groups import MAX_REPEAT, can_repeat
from studio.ui.document import Document
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.field_editor import field_editor
from studio.ui.widgets.plain_text import PlainLabel

_REPEAT = FieldSpec(
    "repeat", int, 1, 1, MAX_REPEAT, "times", "Applied so often in a row, each time with weights of its own.", (), ""
)


class UsageForm(QWidget):
    """Repetition and bypass of the selected block; hidden where neither is possible."""

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
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        label = PlainLabel("Repeat", self)
        label.setMinimumWidth(LABEL_WIDTH)
        label.setBuddy(self.repeat)
        layout.addRow(label, self.repeat)
        layout.addRow(self.bypass)

    def show_node(self, node: Node) -> None:
        """Show a node."""
        self._node_id = node.id
        self.setVisible(can_repeat(node.block))
        self.repeat.set_value(node.repeat)
        self.bypass.blockSignals(True)
        self.bypass.setChecked(node.bypassed)
        self.bypass.blockSignals(False)

    @Slot(object)
    def _repeat(self, times: int) -> None:
        if not self._document.do(SetRepeat(self._node_id, times), "Repeat", merge=f"{self._node_id}.repeat"):
            self.repeat.refuse("It would become too large.")

    @Slot(bool)
    def _bypass(self, bypassed: bool) -> None:
        self._document.do(SetBypassed(frozenset({self._node_id}), bypassed), "Bypass" if bypassed else "Use")
