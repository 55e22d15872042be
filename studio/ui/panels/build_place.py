"""The Build place: palette, canvas, inspector and problems around one document."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from studio.ui.analyzer import Analyzer
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document
from studio.ui.panels.inspector import Inspector
from studio.ui.panels.palette import Palette
from studio.ui.panels.problems import Problems

_PALETTE_WIDTH, _INSPECTOR_WIDTH, _PROBLEMS_HEIGHT = 196, 276, 132  # pixels, at first


class BuildPlace(QWidget):
    """Places the four panels and connects them; no logic of its own."""

    message = Signal(str)  # for the status bar: why an edit was refused

    def __init__(self, document: Document, analyzer: Analyzer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("build_place")
        self.scene = GraphScene(document, self)
        self.view = GraphView(self.scene, self)
        self.blocks = Palette(self)
        self.inspector = Inspector(document, self.scene, self)
        self.problems = Problems(self)
        self._view_actions = [
            self._view_action("fit", "&Fit network", ["Ctrl+0"], self.view.fit),
            self._view_action("zoom_in", "Zoom &in", ["Ctrl++", "Ctrl+="], self.view.zoom_in),
            self._view_action("zoom_out", "Zoom &out", ["Ctrl+-"], self.view.zoom_out),
        ]
        self._arrange()
        self._connect(document, analyzer)

    def complete(self) -> None:
        """Make what the window can be shown without."""
        self.blocks.complete()

    def edit_actions(self) -> list[QAction]:
        """For the Edit menu: delete, duplicate, select all."""
        return self.view.graph_actions.all()

    def view_actions(self) -> list[QAction]:
        """For the View menu: fit, zoom in, zoom out."""
        return self._view_actions

    def actions(self) -> list[QAction]:
        """All that the place offers to the menus."""
        return [*self.edit_actions(), *self.view_actions()]

    def _view_action(self, name: str, text: str, keys: list[str], slot: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setObjectName(f"action_{name}")
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(slot)
        self.addAction(action)
        return action

    def _arrange(self) -> None:
        centre = _splitter(Qt.Orientation.Vertical, "splitter_problems", self.view, self.problems)
        centre.setStretchFactor(0, 1)
        centre.setSizes([1000, _PROBLEMS_HEIGHT])
        columns = _splitter(Qt.Orientation.Horizontal, "splitter_build", self.blocks, centre, self.inspector)
        columns.setStretchFactor(1, 1)
        columns.setSizes([_PALETTE_WIDTH, 1000, _INSPECTOR_WIDTH])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(columns)

    def _connect(self, document: Document, analyzer: Analyzer) -> None:
        self.blocks.block_chosen.connect(self.view.append_block)
        self.view.search_requested.connect(self.blocks.focus_search)
        self.view.hints.hinted.connect(self.message)
        self.view.edit_requested.connect(self.inspector.edit_block)
        self.view.rename_requested.connect(self.inspector.edit_name)
        self.problems.node_chosen.connect(self.show_node)
        self.problems.repair_chosen.connect(lambda repair: document.do(repair.edit, repair.text))
        document.refused.connect(self.message)
        analyzer.analyzed.connect(self.scene.show_analysis)
        analyzer.analyzed.connect(self.inspector.show_analysis)
        analyzer.analyzed.connect(self.problems.show_analysis)

    @Slot(str)
    def show_node(self, node_id: str) -> None:
        """Select a block and bring it into view, if it is still there; groups around it are unfolded."""
        self.view.graph_actions.groups.reveal_inside(node_id)
        self.scene.select([node_id])
        if self.scene.selected_nodes:
            self.view.reveal(node_id)


def _splitter(orientation: Qt.Orientation, name: str, *widgets: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setObjectName(name)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter
