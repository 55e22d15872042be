"""A pointer for tests of the canvas."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH
from studio.ui.canvas.node_item import Port
from studio.ui.canvas.view import GraphView

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
NONE = Qt.KeyboardModifier.NoModifier


class Hand:
    """A pointer on a view, in scene units."""

    def __init__(self, view: GraphView) -> None:
        self.view = view
        self.scene = view.graph_scene
        self.document = view.graph_scene.document

    def at(self, x: float, y: float) -> QPoint:
        return self.view.viewportTransform().map(QPointF(x, y)).toPoint()

    def press(self, x: float, y: float, button: Qt.MouseButton = LEFT, modifier: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.view.viewport(), button, modifier, self.at(x, y))

    def move(self, x: float, y: float) -> None:
        QTest.mouseMove(self.view.viewport(), self.at(x, y))

    def release(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseRelease(self.view.viewport(), button, NONE, self.at(x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float], button: Qt.MouseButton = LEFT) -> None:
        self.press(*start, button)
        self.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        self.move(*end)
        self.release(*end, button)

    def click(self, x: float, y: float, modifier: Qt.KeyboardModifier = NONE) -> None:
        self.press(x, y, modifier=modifier)
        self.release(x, y)

    def body(self, node_id: str) -> tuple[float, float]:
        """A point on a block, away from its ports."""
        node = self.document.shown.node(node_id)
        return node.x + 0.2 * NODE_WIDTH, node.y + 0.5 * NODE_HEIGHT

    def port(self, node_id: str, is_output: bool, index: int = 0) -> tuple[float, float]:
        point = self.scene.port_position(Port(node_id, is_output, index))
        return point.x(), point.y()

    def escape(self) -> None:
        QTest.keyClick(self.view, Qt.Key.Key_Escape)
