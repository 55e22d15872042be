"""What the menus and keys do on the canvas."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeySequence

from studio.blocks import Block
from studio.graph import Graph, placement
from studio.graph.edits import Edit, Move, Remove
from studio.graph.geometry import GRID
from studio.ui.canvas.scene import GraphScene


class CanvasActions(QObject):
    """Edits of what is selected in a scene. Each is one undo step."""

    def __init__(self, scene: GraphScene, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scene = scene
        self.document = scene.document
        self.delete_action = self._action("delete", "&Delete", QKeySequence.StandardKey.Delete)
        self.duplicate_action = self._action("duplicate", "D&uplicate", "Ctrl+D")
        self.select_all_action = self._action("select_all", "Select &all", QKeySequence.StandardKey.SelectAll)
        self.delete_action.triggered.connect(self.delete)
        self.duplicate_action.triggered.connect(self.duplicate)
        self.select_all_action.triggered.connect(self.select_all)
        scene.selection_changed.connect(self._enable)
        self._enable()

    def _action(self, name: str, text: str, key: QKeySequence.StandardKey | str) -> QAction:
        action = QAction(text, self)
        action.setObjectName(f"action_{name}")
        action.setShortcut(QKeySequence(key))
        # Only on the canvas: in a text field Delete deletes a letter.
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return action

    def all(self) -> list[QAction]:
        """The actions, in the order of a menu."""
        return [self.delete_action, self.duplicate_action, self.select_all_action]

    @Slot()
    def _enable(self) -> None:
        nodes, links = self.scene.selected_nodes, self.scene.selected_links
        self.delete_action.setEnabled(bool(nodes or links))
        self.duplicate_action.setEnabled(bool(nodes))

    @Slot()
    def delete(self) -> None:
        """Take away the selected blocks and wires."""
        nodes, links = self.scene.selected_nodes, self.scene.selected_links
        if nodes or links:
            what = _name_of(self.document.graph, nodes) if nodes else _count(len(links), "link")
            self.document.do(Remove(frozenset(nodes), links), f"Delete {what}")

    @Slot()
    def duplicate(self) -> None:
        """Copy the selected blocks and the wires between them, and select the copies."""
        nodes = self.scene.selected_nodes
        if nodes:
            from studio.graph.copies import duplicate  # not needed to show the window

            edit, copies = duplicate(self.document.graph, nodes)
            if self.document.do(edit, f"Duplicate {_name_of(self.document.graph, nodes)}"):
                self.scene.select(copies)

    @Slot()
    def select_all(self) -> None:
        """Select every block."""
        self.scene.select(self.document.graph.by_id)

    def append(self, block: Block, near: tuple[float, float]) -> str | None:
        """Put a block after the selected one; the new node's id, or None if that was refused.

        Args:
            block: what to add.
            near: where, in scene units, if there is nothing to come after.
        """
        selected = self.scene.selected_nodes
        placed = placement.append(self.document.graph, selected[-1] if selected else None, block, near)
        return placed.node.id if self._add(placed.edit, placed.node.id, block) else None

    def _add(self, edit: Edit, node_id: str, block: Block) -> bool:
        done = self.document.do(edit, f"Add {block.title}")
        if done:
            self.scene.select([node_id])
        return done

    def nudge(self, columns: int, rows: int, *, far: bool) -> None:
        """Move the selected blocks a little; presses in a row are one undo step."""
        step = GRID * (8 if far else 1)
        nodes = self.document.graph.by_id
        chosen = self.scene.selected_nodes
        places = tuple((i, nodes[i].x + columns * step, nodes[i].y + rows * step) for i in chosen)
        if places:
            self.document.do(Move(places), "Move", merge=f"nudge {' '.join(chosen)}")

    def select_neighbour(self, step: int) -> str | None:
        """Select the block before (-1) or after (1) the selected one, in the order in which data flows; its id."""
        order = [node.id for node in self.document.graph.order]
        if not order:
            return None
        selected = self.scene.selected_nodes
        if selected:
            chosen = order[max(0, min(len(order) - 1, order.index(selected[-1]) + step))]
        else:
            chosen = order[0 if step > 0 else -1]
        self.scene.select([chosen])
        return chosen


def _name_of(graph: Graph, node_ids: tuple[str, ...]) -> str:
    return graph.node(node_ids[0]).name if len(node_ids) == 1 else _count(len(node_ids), "block")


def _count(number: int, noun: str) -> str:
    return noun if number == 1 else f"{number} {noun}s"
