"""The Build place: palette, canvas, inspector and problems around one document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QTabWidget, QVBoxLayout, QWidget

from studio.ui.analyzer import Analyzer
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document
from studio.ui.panels.inspector import Inspector
from studio.ui.panels.palette import Palette
from studio.ui.panels.problems import Problems

if TYPE_CHECKING:
    from studio.ui.canvas.overview import Overview
    from studio.ui.canvas.walk_actions import WalkActions
    from studio.ui.code_writer import CodeWriter
    from studio.ui.panels.code_panel import CodePanel
    from studio.ui.panels.outline import Outline

_PALETTE_WIDTH, _INSPECTOR_WIDTH, _PROBLEMS_HEIGHT = 216, 276, 132  # pixels, at first
_CODE_WIDTH = 380


class BuildPlace(QWidget):
    """Places the panels and connects them; no logic of its own."""

    BLOCKS, OUTLINE = range(2)  # tabs at the left

    message = Signal(str)  # for the status bar: why an edit was refused

    def __init__(self, document: Document, analyzer: Analyzer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("build_place")
        self._document = document
        self._analyzer = analyzer
        self.scene = GraphScene(document, self)
        self.view = GraphView(self.scene, self)
        self.blocks = Palette(self)
        self.inspector = Inspector(document, self.scene, self)
        self.problems = Problems(self)
        self.tabs = QTabWidget(self)
        self.outline: Outline | None = None  # made when it is looked at first
        self.overview: Overview | None = None
        self.code: CodePanel | None = None
        self.code_writer: CodeWriter | None = None
        self.walking: WalkActions | None = None
        self._view_actions = [
            self._view_action("fit", "&Fit network", ["Ctrl+0"], self.view.fit),
            self._view_action("zoom_in", "Zoom &in", ["Ctrl++", "Ctrl+="], self.view.zoom_in),
            self._view_action("zoom_out", "Zoom &out", ["Ctrl+-"], self.view.zoom_out),
        ]
        self.outline_action = self._view_action("outline", "Out&line", ["Ctrl+Shift+O"], self.show_outline)
        self.code_action = self._view_action("code", "&Code", ["Ctrl+Shift+P"], lambda: None)
        self.code_action.setCheckable(True)
        self.overview_action = self._view_action("overview", "Overview &map", ["Ctrl+Shift+M"], lambda: None)
        self.overview_action.setCheckable(True)
        self.overview_action.setChecked(True)
        self._arrange()
        self._connect(document, analyzer)

    def complete(self) -> None:
        """Make what the window can be shown without."""
        from studio.ui.canvas.overview import Overview
        from studio.ui.canvas.walk_actions import WalkActions
        from studio.ui.code_writer import CodeWriter

        self.blocks.complete()
        self.overview = Overview(self.view)
        self.overview.set_wanted(self.overview_action.isChecked())
        self.overview_action.toggled.connect(self.overview.set_wanted)
        self._analyzer.analyzed.connect(self.overview.refresh)
        self.walking = WalkActions(self.view)
        self.view.addActions(self.walking.all())
        self.tabs.currentChanged.connect(self._fill_outline)
        self._fill_outline()
        self.code_writer = CodeWriter(self._document, self)
        self._analyzer.analyzed.connect(lambda _: self._write_code())
        self.code_action.toggled.connect(self._show_code)
        self._show_code(self.code_action.isChecked())

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
        self._fill_tabs()
        columns = _splitter(Qt.Orientation.Horizontal, "splitter_build", self.tabs, centre, self.inspector)
        columns.setStretchFactor(1, 1)
        columns.setSizes([_PALETTE_WIDTH, 1000, _INSPECTOR_WIDTH])
        self._columns = columns
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(columns)

    def _fill_tabs(self) -> None:
        self.tabs.setObjectName("build_tabs")
        self.tabs.setAccessibleName("Blocks to add, or the outline of the network")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setObjectName("build_tab_bar")
        self.tabs.tabBar().setAccessibleName("Blocks or outline")
        self.tabs.addTab(self.blocks, "Blocks")
        page = QWidget(self)
        self._outline_layout = QVBoxLayout(page)
        self._outline_layout.setContentsMargins(0, 0, 0, 0)
        self.tabs.addTab(page, "Outline")

    @Slot()
    def _fill_outline(self) -> None:
        """Make the outline as soon as its tab is in front."""
        if self.outline is not None or self.tabs.currentIndex() != self.OUTLINE:
            return
        from studio.ui.panels.outline import Outline

        assert self.walking is not None
        self.outline = Outline(self.view, self.walking, self)
        self.outline.edit_requested.connect(self.inspector.edit_block)
        self._analyzer.analyzed.connect(self.outline.show_analysis)
        if self._analyzer.analysis is not None:
            self.outline.show_analysis(self._analyzer.analysis)
        self._outline_layout.addWidget(self.outline)

    def close_code(self) -> None:
        """Stop writing code, and wait for what is being written."""
        if self.code_writer is not None:
            self.code_writer.close()

    def _write_code(self) -> None:
        if self.code_writer is not None:
            self.code_writer.write()

    @Slot(bool)
    def _show_code(self, shown: bool) -> None:
        """Show or hide the code; the panel is made when it is looked at first."""
        if self.code_writer is None or (self.code is None and not shown):
            return
        if self.code is None:
            from studio.ui.panels.code_panel import CodePanel

            self.code = CodePanel(self.scene, self)
            self.code_writer.written.connect(self.code.show_code)
            self._columns.insertWidget(2, self.code)
            left, centre, _, right = self._columns.sizes()
            self._columns.setSizes([left, centre - _CODE_WIDTH, _CODE_WIDTH, right])
        self.code.setVisible(shown)
        self.code_writer.set_wanted(shown)
        if self._analyzer.analysis is not None:
            self._write_code()

    @Slot()
    def show_outline(self) -> None:
        """Bring the outline to the front and put the focus into it."""
        self.tabs.setCurrentIndex(self.OUTLINE)
        if self.outline is not None:
            self.outline.take_focus()

    @Slot()
    def search_blocks(self) -> None:
        """Bring the palette to the front and put the cursor into its search field."""
        self.tabs.setCurrentIndex(self.BLOCKS)
        self.blocks.focus_search()

    def walk_actions(self) -> list[QAction]:
        """For a menu: from block to block along the wires."""
        return self.walking.all() if self.walking is not None else []

    def _connect(self, document: Document, analyzer: Analyzer) -> None:
        self.blocks.block_chosen.connect(self.view.append_block)
        self.view.search_requested.connect(self.search_blocks)
        self.view.hints.hinted.connect(self.message)
        self.view.edit_requested.connect(self.inspector.edit_block)
        self.view.rename_requested.connect(self.inspector.edit_name)
        self.problems.node_chosen.connect(self.show_node)
        self.problems.repair_chosen.connect(lambda repair: document.do(repair.edit, repair.text))
        document.refused.connect(self.message)
        self.inspector.message.connect(self.message)
        self.inspector.code_trusted.connect(analyzer.refresh)
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
