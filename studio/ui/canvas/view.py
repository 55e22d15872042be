"""The view of the canvas: turns pointer, keys and drops into gestures and edits."""

from __future__ import annotations

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

from studio.blocks import Block, registry
from studio.graph.groups import GroupUse
from studio.ui.canvas.actions import CanvasActions
from studio.ui.canvas.frame_item import FrameItem
from studio.ui.canvas.gestures import DrawLink, DropBlock, Gesture, MoveNodes, PanView, SelectRegion, dragged_kind
from studio.ui.canvas.node_item import DETAIL_FROM, Port
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.zoom_view import ZoomView

_PORT_REACH = 11.0  # pixels from the pointer to a port that it means
_EXTEND = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_DIRECTIONS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


class GraphView(ZoomView):
    """The canvas. One gesture at a time; Escape cancels it."""

    search_requested = Signal()  # Space was tapped: look for a block
    edit_requested = Signal()  # Enter or a double click: edit the selected block's settings
    rename_requested = Signal()  # F2: edit the selected block's name

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._gesture: Gesture | None = None
        self._button = Qt.MouseButton.NoButton
        self._space_held = False
        self._space_panned = False
        self._hot_port: Port | None = None
        self.graph_actions = CanvasActions(scene, self)
        self.addActions(self.graph_actions.all())
        self.graph_actions.clipboard.paste_requested.connect(self._paste)
        self.graph_actions.clipboard.pasted.connect(self._show_pasted)
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas with the network’s blocks and links")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.viewport().setMouseTracking(True)
        self.viewport().setObjectName("canvas_viewport")
        self.viewport().setAccessibleName(self.accessibleName())
        scene.changing.connect(self.cancel_gesture)
        scene.selection_changed.connect(self._describe_selection)
        scene.document.replaced.connect(self.fit)

    @Slot()
    def _describe_selection(self) -> None:
        """Let a screen reader say what is selected; Qt does not tell it of items in a scene."""
        descriptions = [self.graph_scene.node_item(i).description for i in self.graph_scene.selected_nodes]
        self.setAccessibleDescription("\n".join(descriptions[:10]) or "Nothing is selected.")

    def append_block(self, block: Block) -> None:
        """Put a block after the selected one, and show it."""
        center = self.to_scene(QRectF(self.viewport().rect()).center())
        node_id = self.graph_actions.append(block, (center.x(), center.y()))
        if node_id is not None:
            self.reveal(node_id)

    @Slot()
    def _paste(self) -> None:
        """Paste under the pointer if it is over the canvas."""
        position = QPointF(self.viewport().mapFromGlobal(QCursor.pos()))
        inside = self.viewport().underMouse() and QRectF(self.viewport().rect()).contains(position)
        self.graph_actions.clipboard.paste(self.to_scene(position) if inside else None)

    @Slot(object)
    def _show_pasted(self, ids: tuple[str, ...]) -> None:
        shown = [i for i in ids if i in self.graph_scene.document.shown.by_id]
        if shown:
            self.reveal(shown[0])

    # Gestures

    @Slot()
    def cancel_gesture(self) -> None:
        """End the gesture under way as if it had not begun."""
        gesture, self._gesture = self._gesture, None
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

    def _gesture_for(self, event: QMouseEvent) -> Gesture | None:
        if event.button() == Qt.MouseButton.MiddleButton:
            return PanView(self)
        if event.button() != Qt.MouseButton.LeftButton:
            return None
        if self._space_held:
            self._space_panned = True
            return PanView(self)
        extend = bool(event.modifiers() & _EXTEND)
        port = self._port_at(event.position())
        if port is not None:
            return DrawLink(self, port)
        item = self.graph_scene.node_at(self.to_scene(event.position()))
        if isinstance(item, FrameItem) and item.folds_at(self.to_scene(event.position())):
            self.graph_actions.groups.set_unfolded([item.node.id], False)
            return None
        if item is not None:
            return MoveNodes(self, item.node.id, extend=extend)
        return self._gesture_beside_blocks(self.to_scene(event.position()), extend)

    def _gesture_beside_blocks(self, point: QPointF, extend: bool) -> Gesture | None:
        """A click on a wire selects it; elsewhere a rectangle begins."""
        wire, scene = self.graph_scene.link_at(point), self.graph_scene
        if wire is None:
            return SelectRegion(self, extend=extend)
        if extend:
            scene.select(scene.selected_nodes, scene.selected_links ^ {wire})
        else:
            scene.select(links=[wire])
        return None

    def _port_at(self, position: QPointF) -> Port | None:
        if self.scale_factor < DETAIL_FROM:
            return None  # too small to be seen, so it cannot be meant
        near = self.graph_scene.ports_near(self.to_scene(position), _PORT_REACH / self.scale_factor)
        return near[0] if near else None

    def _heat(self, port: Port | None) -> None:
        """Enlarge the port under the pointer, from which a wire can be drawn."""
        if port == self._hot_port:
            return
        cooled = self._hot_port
        if cooled is not None and cooled.node_id in self.graph_scene.document.shown.by_id:
            self.graph_scene.node_item(cooled.node_id).set_hot_port(None)
        if port is not None:
            self.graph_scene.node_item(port.node_id).set_hot_port(port)
        self._hot_port = port
        self.viewport().setCursor(Qt.CursorShape.CrossCursor if port else Qt.CursorShape.ArrowCursor)

    # Pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._gesture is None:
            self._heat(None)
            gesture = self._gesture_for(event)
            if gesture is not None:
                self._button = event.button()
                self._begin(gesture, event.position())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None:
            self._gesture.move(event.position())
        elif not event.buttons():
            self._heat(self._port_at(event.position()))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == self._button:
            self._finish(event.position())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        item = self.graph_scene.node_at(self.to_scene(event.position()))
        if item is not None and isinstance(item.node.block, GroupUse):
            self.graph_actions.groups.set_unfolded([item.node.id], not item.node.unfolded)
        elif item is not None:
            self.edit_requested.emit()
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.cancel_gesture()
        item = self.graph_scene.node_at(self.to_scene(QPointF(event.pos())))
        if item is not None and not item.isSelected():
            self.graph_scene.select([item.node.id])
        menu = QMenu(self)
        menu.setObjectName("canvas_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.graph_actions.all())
        menu.popup(event.globalPos())

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        kind = dragged_kind(event.mimeData())
        if kind is None:
            event.ignore()  # the window may take it
            return
        self.cancel_gesture()
        self._begin(DropBlock(self, registry.get(kind)()), event.position())
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
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if modifiers == Qt.KeyboardModifier.NoModifier or self._moves(event.key(), modifiers):
            event.setAccepted(self._press(event.key(), far=bool(modifiers), repeated=event.isAutoRepeat()))
        else:
            event.ignore()

    def _moves(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        return key in _DIRECTIONS and modifiers == Qt.KeyboardModifier.ShiftModifier

    def _press(self, key: int, *, far: bool, repeated: bool) -> bool:
        """Whether the key means something here; what does not goes to the window's shortcuts."""
        if key == Qt.Key.Key_Escape:
            self._escape()
        elif key == Qt.Key.Key_Space:
            self._hold_space(repeated)
        elif key in _DIRECTIONS:
            self._arrow(*_DIRECTIONS[Qt.Key(key)], far)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._walk(-1 if key == Qt.Key.Key_PageUp else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.edit_requested.emit()
        elif key == Qt.Key.Key_F:
            self.fit()
        elif key == Qt.Key.Key_F2:
            self.rename_requested.emit()
        else:
            return False
        return True

    def _escape(self) -> None:
        if self._gesture is not None:
            self.cancel_gesture()
        else:
            self.graph_scene.clear_selection()

    def _arrow(self, columns: int, rows: int, far: bool) -> None:
        if self._gesture is not None:
            return
        if self.graph_scene.selected_nodes:
            self.graph_actions.nudge(columns, rows, far=far)
        else:
            self.pan(QPointF(-40 * columns, -40 * rows))

    def _walk(self, step: int) -> None:
        node_id = self.graph_actions.select_neighbour(step)
        if node_id is not None:
            self.reveal(node_id)

    def _hold_space(self, repeated: bool) -> None:
        if not repeated:
            self._space_held, self._space_panned = True, False
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            event.ignore()
            return
        tapped = self._space_held and not self._space_panned
        self._release_space()
        if tapped:
            self.search_requested.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._release_space()

    def _release_space(self) -> None:
        self._space_held = False
        self.viewport().unsetCursor()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.graph_scene.restyle()
