"""The view of the canvas: turns pointer, keys and drops into gestures and edits."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QCursor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from studio.blocks import Block, Input, registry
from studio.graph.groups import GroupUse
from studio.project.model import new_block
from studio.ui.canvas.actions import CanvasActions
from studio.ui.canvas.gestures import DropBlock, Gesture, dragged_kind
from studio.ui.canvas.hints import Hints
from studio.ui.canvas.hovering import Hovering
from studio.ui.canvas.keys import CanvasKeys
from studio.ui.canvas.pointer_label import PointerLabel
from studio.ui.canvas.pressing import Pressing
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.zoom_view import ZoomView

if TYPE_CHECKING:
    from studio.ui.block_uses import BlockUses
    from studio.ui.canvas.adding import BlockAdder
    from studio.ui.canvas.fitter import Fitter


class GraphView(ZoomView):
    """The canvas. One gesture at a time; Escape cancels it."""

    search_requested = Signal()  # the slash was pressed: search the palette
    edit_requested = Signal()  # Enter or a double click: edit the selected block's settings
    rename_requested = Signal()  # F2: edit the selected block's name

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._gesture: Gesture | None = None
        self._button = Qt.MouseButton.NoButton
        self._menu_spent = False  # the press of the right button was used up
        self._keys = CanvasKeys(self)
        self._hovering = Hovering(self)
        self._pressing = Pressing(self, self._hovering, self._keys)
        self.fitter: Fitter | None = None  # tries shapes; set by the owner when there is time
        self.uses: BlockUses | None = None  # what the person uses most; set by the owner, too
        self.hints = Hints(scene.document, self)
        self.pointer_label = PointerLabel(self.viewport())
        self.graph_actions = CanvasActions(scene, self)
        self.addActions([*self.graph_actions.all(), *self.graph_actions.arrange.all()])
        self.graph_actions.clipboard.paste_requested.connect(self._paste)
        self.graph_actions.clipboard.pasted.connect(self._show_pasted)
        self.graph_actions.note_requested.connect(self._add_note)
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas with the network’s blocks and links")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.viewport().setMouseTracking(True)
        self.viewport().setObjectName("canvas_viewport")
        self.viewport().setAccessibleName(self.accessibleName())
        scene.changing.connect(self.cancel_gesture)
        scene.changing.connect(self._hovering.clear)
        scene.selection_changed.connect(self._describe_selection)
        scene.document.replaced.connect(self.fit)

    @Slot()
    def _describe_selection(self) -> None:
        """Let a screen reader say what is selected; Qt does not tell it of items in a scene."""
        descriptions = [self.graph_scene.node_item(i).description for i in self.graph_scene.selected_nodes]
        self.setAccessibleDescription("\n".join(descriptions[:10]) or "Nothing is selected.")

    @cached_property
    def adder(self) -> BlockAdder:
        """What offers blocks at the pointer."""
        from studio.ui.canvas.adding import BlockAdder  # not needed to show the window

        return BlockAdder(self)

    def append_block(self, block: Block) -> None:
        """Put a block after the selected one, and show it."""
        if block == Input():
            block = new_block(self.graph_scene.document.project, Input)
        center = self.to_scene(QRectF(self.viewport().rect()).center())
        node_id = self.graph_actions.append(block, (center.x(), center.y()))
        if node_id is not None:
            self.note_use(block)
            self.reveal(node_id)

    @Slot()
    def _paste(self) -> None:
        """Paste under the pointer if it is over the canvas."""
        position = self.pointer_position()
        self.graph_actions.clipboard.paste(None if position is None else self.to_scene(position))

    @Slot()
    def _add_note(self) -> None:
        from studio.ui.canvas.notes import add_note  # not needed to show the window

        add_note(self)

    def _write_note(self, point: QPointF) -> None:
        """Open the note at a point for writing, if there is one."""
        note = self.graph_scene.notes.at(point) if self.graph_scene.has_notes else None
        if note is not None:
            from studio.ui.canvas.notes import write_note

            write_note(self, note.note.id)

    def pointer_position(self) -> QPointF | None:
        """Where the pointer is in the viewport; None if it is elsewhere."""
        position = QPointF(self.viewport().mapFromGlobal(QCursor.pos()))
        inside = self.viewport().underMouse() and QRectF(self.viewport().rect()).contains(position)
        return position if inside else None

    def reveal_if_hidden(self, node_id: str) -> None:
        """Show a block of which nothing is in view; what can be seen stays where the person looks."""
        seen = self.to_scene_rect(QRectF(self.viewport().rect()))
        if not seen.intersects(self.graph_scene.node_item(node_id).sceneBoundingRect()):
            self.reveal(node_id)

    def note_use(self, block: Block) -> None:
        """Remember that the person uses this kind of block."""
        if self.uses is not None:
            self.uses.note(block.kind)

    @Slot(object)
    def _show_pasted(self, ids: tuple[str, ...]) -> None:
        shown = [i for i in ids if i in self.graph_scene.document.shown.by_id]
        if shown:
            self.reveal(shown[0])

    # Gestures

    @property
    def busy(self) -> bool:
        """Whether a gesture is under way."""
        return self._gesture is not None

    @Slot()
    def cancel_gesture(self) -> None:
        """End the gesture under way as if it had not begun."""
        gesture, self._gesture = self._gesture, None
        self._button = Qt.MouseButton.NoButton
        if gesture is not None:
            gesture.cancel()

    def _begin(self, gesture: Gesture, position: QPointF) -> None:
        self._gesture = gesture
        gesture.start(position)

    def _finish(self, position: QPointF) -> None:
        # Forgotten first: its edit makes the scene follow, and that cancels a gesture under way.
        gesture, self._gesture = self._gesture, None
        if gesture is not None:
            gesture.end(position)

    # Pointer

    def viewportEvent(self, event: QEvent) -> bool:
        """No tooltips over what a gesture has to say; what the first of two fingers began ends with the second."""
        if event.type() == QEvent.Type.Gesture and self.busy:
            self.cancel_gesture()
        return True if event.type() == QEvent.Type.ToolTip and self.busy else super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._menu_spent = False
        if self._gesture is None:
            self._hovering.clear()
            gesture = self._pressing.gesture_for(event)
            if gesture is not None:
                self._button = event.button()
                self._begin(gesture, event.position())
        elif self._button == Qt.MouseButton.NoButton:  # it follows the pointer
            self._press_again(event)
        event.accept()

    def _press_again(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._button = event.button()  # its release is the end
        elif event.button() == Qt.MouseButton.RightButton:
            self.cancel_gesture()
            self._menu_spent = True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None:
            self._gesture.modifiers = event.modifiers()
            self._gesture.move(event.position())
        elif not event.buttons():
            self._hovering.look(event.position())
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == self._button:
            self._button = Qt.MouseButton.NoButton
            if self._gesture is not None:
                self._gesture.modifiers = event.modifiers()
            if self._gesture is not None and not self._gesture.goes_on(event.position()):
                self._finish(event.position())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None or self._hovering.port_at(event.position()) is not None:
            self.mousePressEvent(event)  # the second of two clicks with which a wire is drawn
            return
        item = self.graph_scene.node_at(self.to_scene(event.position()))
        if item is not None and isinstance(item.node.block, GroupUse):
            self.graph_actions.groups.set_unfolded([item.node.id], not item.node.unfolded)
        elif item is not None:
            self.edit_requested.emit()
        else:
            self._write_note(self.to_scene(event.position()))
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.cancel_gesture()
        if self._menu_spent:
            self._menu_spent = False
            return
        item = self.graph_scene.node_at(self.to_scene(QPointF(event.pos())))
        if item is not None and not item.isSelected():
            self.graph_scene.select([item.node.id])
        menu = QMenu(self)
        menu.setObjectName("canvas_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.graph_actions.all())
        menu.addMenu("Arrange").addActions(self.graph_actions.arrange.all())
        menu.popup(event.globalPos())

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        kind = dragged_kind(event.mimeData())
        if kind is None:
            event.ignore()  # the window may take it
            return
        self.cancel_gesture()
        self._begin(DropBlock(self, new_block(self.graph_scene.document.project, registry.get(kind))), event.position())
        event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if self._gesture is None:
            event.ignore()
            return
        self._gesture.move(event.position())
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.cancel_gesture()

    def dropEvent(self, event: QDropEvent) -> None:
        if self._gesture is None:
            event.ignore()
            return
        self._finish(event.position())
        event.acceptProposedAction()
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self._keys.press(event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self._keys.release(event))

    def focusNextPrevChild(self, following: bool) -> bool:
        """Tab offers blocks; Shift+Tab leaves the canvas."""
        return False if following else super().focusNextPrevChild(following)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._keys.let_go()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.graph_scene.restyle()
