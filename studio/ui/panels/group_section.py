"""What the inspector says of groups: of the selected one, and of the one in which the selected block stands."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from studio.graph import GraphError, Node
from studio.graph.group_edits import Detach, Expose, Hide, RenameGroup, keys_in_use
from studio.graph.groups import GroupUse, setting_specs
from studio.graph.names import fresh_name
from studio.graph.paths import local_id, scope_of, use_at
from studio.ui.document import Document
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.plain_text import Heading, PlainLabel, Refusal


class GroupSection(QWidget):
    """Name, links and exposed settings of a group; for a block in one, which of its settings the group exposes."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._node_id = ""
        self.name_editor = QLineEdit(self)
        self.name_editor.setObjectName("group_name_editor")
        self.name_editor.setAccessibleName("Name of the group; of its class in code")
        self.name_editor.editingFinished.connect(self._rename)
        self.refusal = Refusal(self)
        self.linked = PlainLabel("", self)
        self.detach = QPushButton("Detach this one", self)
        self.detach.setObjectName("detachButton")
        self.detach.setAccessibleName("Detach this group from the linked ones")
        self.detach.clicked.connect(self._detach)
        self.expose = QToolButton(self)
        self.expose.setObjectName("exposeButton")
        self.expose.setAccessibleName("Let the group choose a setting of this block")
        self.expose.setText("Let the group choose…")
        self.expose.setToolTip("Make a setting of this block one that each use of the group can choose.")
        self.expose.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.expose.setMenu(QMenu(self.expose))
        self._exposed = QWidget(self)
        self._arrange()

    def _arrange(self) -> None:
        self._of_group = QWidget(self)
        rows = QFormLayout(self._of_group)
        rows.setContentsMargins(0, 0, 0, 0)
        label = PlainLabel("Group", self._of_group)
        label.setMinimumWidth(LABEL_WIDTH)
        label.setBuddy(self.name_editor)
        rows.addRow(label, self.name_editor)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self._of_group, self.refusal, self.linked, self.detach, self._exposed, self.expose):
            layout.addWidget(widget)
        self._exposed_rows: list[QWidget] = []
        self._exposed_layout = QVBoxLayout(self._exposed)
        self._exposed_layout.setContentsMargins(0, 0, 0, 0)

    def show_node(self, node: Node) -> None:
        """Show what is known of groups at a node."""
        if node.id != self._node_id:
            self.refusal.tell("")
        self._node_id = node.id
        is_group = isinstance(node.block, GroupUse)
        for widget in (self._of_group, self.linked, self._exposed):
            widget.setVisible(is_group)
        self.detach.hide()
        if isinstance(node.block, GroupUse):
            self._show_group(node.block)
        self._fill_expose(node)

    def _show_group(self, use: GroupUse) -> None:
        group = use.definition
        if not self.name_editor.hasFocus():
            self.name_editor.setText(group.name)
        uses = keys_in_use(self._document.graph)[group.key]
        self.linked.setText(f"Linked: used {uses} times. A change in one changes all." if uses > 1 else "Used once.")
        self.detach.setVisible(uses > 1)
        for row in self._exposed_rows:
            row.deleteLater()
        self._exposed_rows = [self._exposed_row(exposed.name, len(exposed.fields)) for exposed in group.exposed]
        if self._exposed_rows:
            self._exposed_rows.insert(0, Heading("Each use can choose", self._exposed))
        for row in self._exposed_rows:
            self._exposed_layout.addWidget(row)

    def _exposed_row(self, name: str, fields: int) -> QWidget:
        row = QWidget(self._exposed)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(PlainLabel(f"{name} (of {fields} block{'s' if fields > 1 else ''})", row), 1)
        button = QPushButton("Hide", row)
        button.setObjectName(f"hide_{name}")
        button.setAccessibleName(f"Hide {name}")
        button.clicked.connect(partial(self._hide, name))
        layout.addWidget(button)
        return row

    def _fill_expose(self, node: Node) -> None:
        """Offer the settings of a block in a group that the group does not expose yet, alone or with others."""
        menu, scope = self.expose.menu(), scope_of(node.id)
        menu.clear()
        if scope:
            exposed = use_at(self._document.graph, scope).definition.exposed
            known = {pair for one in exposed for pair in one.fields}
            names = {one.name for one in exposed}
            for spec in setting_specs(node.block):
                if (local_id(node.id), spec.name) in known:
                    continue
                name = spec.name if spec.name not in names else fresh_name(spec.name, names)
                menu.addAction(f"{spec.label} as “{name}”").triggered.connect(partial(self._expose, spec.name, name))
                if spec.name in names:
                    action = menu.addAction(f"{spec.label}, the same as “{spec.name}”")
                    action.triggered.connect(partial(self._expose, spec.name, spec.name))
        self.expose.setVisible(not menu.isEmpty())

    @Slot()
    def _rename(self) -> None:
        node = self._document.shown.by_id.get(self._node_id)
        if node is None or not isinstance(node.block, GroupUse):
            return
        edit = RenameGroup(self._node_id, self.name_editor.text().strip())
        try:
            edit.apply(self._document.graph)
        except GraphError as error:
            self.refusal.tell(str(error))
            return
        self.refusal.tell("")
        self._document.do(edit, "Rename group")

    @Slot()
    def _detach(self) -> None:
        self._document.do(Detach(self._node_id), "Detach group")

    def _hide(self, name: str, _checked: bool = False) -> None:
        self._document.do(Hide(self._node_id, name), f"Hide {name}")

    def _expose(self, field: str, name: str, _checked: bool = False) -> None:
        self._document.do(Expose(self._node_id, field, name), f"Expose {name}")
