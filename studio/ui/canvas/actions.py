"""What the menus and keys do on the canvas."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence

from studio.blocks import Block
from studio.graph import placement
from studio.graph.edits import Dissolve, Edit, Move, Remove, SetBypassed
from studio.graph.geometry import GRID
from studio.graph.groups import can_repeat
from studio.ui.canvas.arrange_actions import ArrangeActions
from studio.ui.canvas.canvas_action import canvas_action
from studio.ui.canvas.clipboard_actions import ClipboardActions
from studio.ui.canvas.group_actions import GroupActions
from studio.ui.canvas.scene import GraphScene
from studio.ui.wording import blocks_and_notes, count

_Key = QKeySequence.StandardKey


class CanvasActions(QObject):
    """Edits of what is selected in a scene. Each is one undo step."""

    note_requested = Signal()  # whoever knows where, puts a note

    def __init__(self, scene: GraphScene, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scene = scene
        self.document = scene.document
        self.groups = GroupActions(scene, self)
        self.clipboard = ClipboardActions(scene, self)
        self.arrange = ArrangeActions(scene, self)
        self.delete_action = canvas_action(self, "delete", "&Delete", _Key.Delete, self.delete)
        self.dissolve_action = canvas_action(self, "dissolve", "Delete and &reconnect", "Ctrl+Del", self.dissolve)
        self.duplicate_action = canvas_action(self, "duplicate", "D&uplicate", "Ctrl+D", self.duplicate)
        self.bypass_action = canvas_action(self, "bypass", "&Bypass", "Ctrl+B", self.bypass)
        self.bypass_action.setCheckable(True)
        self.note_action = canvas_action(self, "note", "Add &note", "Ctrl+Shift+N", self.note_requested.emit)
        self.select_all_action = canvas_action(self, "select_all", "Select &all", _Key.SelectAll, self.select_all)
        self._all = [
            *self.clipboard.all(), self.duplicate_action, _separator(self),
            self.delete_action, self.dissolve_action, self.bypass_action, _separator(self),
            *self.groups.all(), _separator(self), self.note_action, self.select_all_action,
        ]  # fmt: skip
        scene.selection_changed.connect(self._enable)
        self.document.graph_changed.connect(self._enable)
        self._enable()

    def all(self) -> list[QAction]:
        """The actions, in the order of a menu; what belongs together stands between separators."""
        return self._all

    @Slot()
    def _enable(self) -> None:
        nodes, links = self.scene.selected_nodes, self.scene.selected_links
        shown = self.document.shown.by_id
        passing = [shown[i] for i in nodes if i in shown and can_repeat(shown[i].block)]
        notes = self.scene.selected_notes
        self.delete_action.setEnabled(bool(nodes or links or notes))
        self.dissolve_action.setEnabled(bool(nodes))
        self.duplicate_action.setEnabled(bool(nodes or notes))
        self.bypass_action.setEnabled(bool(passing))
        self.bypass_action.setChecked(bool(passing) and all(node.bypassed for node in passing))

    @Slot()
    def delete(self) -> None:
        """Take away the selected blocks, notes and wires."""
        nodes, notes, links = self.scene.selected_nodes, self.scene.selected_notes, self.scene.selected_links
        if nodes or notes or links:
            what = self._name_of(nodes, notes) or count(len(links), "link")
            self.document.do(Remove(frozenset((*nodes, *notes)), links), f"Delete {what}")

    @Slot()
    def dissolve(self) -> None:
        """Take away the selected blocks and link what was before each to what came after it."""
        nodes = self.scene.selected_nodes
        if nodes:
            self.document.do(Dissolve(frozenset(nodes)), f"Delete {self._name_of(nodes)} and reconnect")

    @Slot()
    def bypass(self) -> None:
        """Let the selected blocks hand on their input as it came; if all do that already, let them work again."""
        shown = self.document.shown.by_id
        chosen = [i for i in self.scene.selected_nodes if can_repeat(shown[i].block)]
        if chosen:
            bypassed = not all(shown[i].bypassed for i in chosen)
            text = f"{'Bypass' if bypassed else 'Use'} {self._name_of(chosen)}"
            self.document.do(SetBypassed(frozenset(chosen), bypassed), text)

    @Slot()
    def duplicate(self) -> None:
        """Copy the selected blocks and notes and the wires between them, and select the copies."""
        nodes, notes = self.scene.selected_nodes, self.scene.selected_notes
        if nodes or notes:
            from studio.graph.copies import duplicate  # not needed to show the window

            edit, copies = duplicate(self.document.graph, (*nodes, *notes))
            if self.document.do(edit, f"Duplicate {self._name_of(nodes, notes)}"):
                self.scene.select(copies)

    @Slot()
    def select_all(self) -> None:
        """Select every block and note."""
        self.scene.select([*self.document.shown.by_id, *(note.id for note in self.document.graph.notes)])

    def append(self, block: Block, near: tuple[float, float]) -> str | None:
        """Put a block after the selected one; the new node's id, or None if that was refused.

        Args:
            block: what to add.
            near: where, in scene units, if there is nothing to come after.
        """
        selected = self.scene.selected_nodes
        placed = placement.append(self.document.shown, selected[-1] if selected else None, block, near)
        return placed.node.id if self._add(placed.edit, placed.node.id, block) else None

    def _add(self, edit: Edit, node_id: str, block: Block) -> bool:
        done = self.document.do(edit, f"Add {block.title}")
        if done:
            self.scene.select([node_id])
        return done

    def _name_of(self, nodes: Sequence[str], notes: Sequence[str] = ()) -> str:
        """The only block's name, or how many there are."""
        if len(nodes) == 1 and not notes:
            return self.document.shown.node(nodes[0]).name
        return blocks_and_notes(len(nodes), len(notes))

    def nudge(self, columns: int, rows: int, *, far: bool) -> None:
        """Move the selected blocks and notes a little; presses in a row are one undo step."""
        step = GRID * (8 if far else 1)
        chosen = (*self.scene.selected_nodes, *self.scene.selected_notes)
        places = self.scene.places_of(chosen)
        moved = tuple((i, places[i].x() + columns * step, places[i].y() + rows * step) for i in chosen)
        if moved:
            self.document.do(Move(moved), "Move", merge=f"nudge {' '.join(chosen)}")

    def select_neighbour(self, step: int) -> str | None:
        """Select the block before (-1) or after (1) the selected one, in the order in which data flows; its id."""
        order = [node.id for node in self.document.shown.order]
        if not order:
            return None
        selected = self.scene.selected_nodes
        if selected:
            chosen = order[max(0, min(len(order) - 1, order.index(selected[-1]) + step))]
        else:
            chosen = order[0 if step > 0 else -1]
        self.scene.select([chosen])
        return chosen


def _separator(owner: QObject) -> QAction:
    separator = QAction(owner)
    separator.setSeparator(True)
    return separator
