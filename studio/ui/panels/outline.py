"""The outline: the network as a tree in step with the canvas, for the keyboard and for screen readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QTreeView, QVBoxLayout, QWidget

from studio.compile.analysis import Analysis
from studio.graph.edits import Rename
from studio.ui.canvas.view import GraphView
from studio.ui.canvas.walk_actions import WalkActions
from studio.ui.panels.outline_model import Key, OutlineModel
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.widgets.two_lines import TwoLines

_Flag = QItemSelectionModel.SelectionFlag
_ADVICE = "Enter: settings. F2: name. Insert: add after. Ctrl+K: link to. Alt and arrows: along wires."


class Outline(QWidget):
    """What is selected here is selected on the canvas, and the other way round.

    Args:
        view: the canvas.
        walking: the actions that go along wires.
        parent: its owner.
    """

    edit_requested = Signal()  # Enter on a block: edit its settings

    def __init__(self, view: GraphView, walking: WalkActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("outline")
        self._view = view
        self._scene = view.graph_scene
        self._document = view.graph_scene.document
        self._analysis: Analysis | None = None
        self._open: dict[Key, bool] = {}  # rows that someone expanded or collapsed
        self._following = False  # the tree is made to agree with the canvas, or the canvas with the tree
        self.model = OutlineModel(self._rename, self)
        self.tree = _Tree(self)
        self.tree.setModel(self.model)
        self.advice = PlainLabel(_ADVICE, self, color="node_muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 8)
        layout.setSpacing(6)
        layout.addWidget(self.tree)
        layout.addWidget(self.advice)
        self._make_actions(walking)
        self._connect()
        self.refresh()

    def _make_actions(self, walking: WalkActions) -> None:
        canvas = self._view.graph_actions
        self.add_action = self._action("outline_add", "Add after…", "Ins", self.add_after)
        self.link_to_action = self._action("outline_link_to", "Link to…", "Ctrl+K", self.link_to)
        self.link_from_action = self._action("outline_link_from", "Link from…", "Ctrl+Shift+K", self.link_from)
        self.rename_action = self._action("outline_rename", "Rename", None, self.rename)
        self._menu_actions = [
            self.add_action, self.link_to_action, self.link_from_action, self.rename_action, self._separator(),
            *canvas.all(), self._separator(), *walking.all(),
        ]  # fmt: skip
        # What the canvas can do to the selection works from here too.
        self.tree.addActions([*self._menu_actions, *canvas.arrange.all()])

    def _action(self, name: str, text: str, key: str | None, slot: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setObjectName(f"action_{name}")
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        if key is not None:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda: slot())  # without the signal's argument
        return action

    def _separator(self) -> QAction:
        separator = QAction(self)
        separator.setSeparator(True)
        return separator

    def _connect(self) -> None:
        self._document.graph_changed.connect(self.refresh)
        self._scene.selection_changed.connect(self._follow_canvas)
        self.tree.expanded.connect(lambda index: self._note_open(index, True))
        self.tree.collapsed.connect(lambda index: self._note_open(index, False))
        self.tree.entered_row.connect(self._enter)
        self.tree.doubleClicked.connect(self._enter)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        chosen = self.tree.selectionModel()
        chosen.selectionChanged.connect(self._lead_canvas)
        chosen.currentChanged.connect(self._enable)

    # In step with the graph

    @Slot(object)
    def show_analysis(self, analysis: Analysis) -> None:
        """Say what was inferred of the graph."""
        self._analysis = analysis
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the graph as it is now; while nobody looks, that waits."""
        if not self.isVisible():
            return
        current, keys = self.model.key_at(self.tree.currentIndex()), self.model.all_keys()
        with self._in_step():
            if self.model.show_graph(self._document.graph, self._document.shown, self._analysis):
                self._restore_expansion()
                self._restore_current(current, keys)
        self._follow_canvas()
        self._enable()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _restore_expansion(self) -> None:
        nodes = self._document.shown.by_id
        for key in self.model.all_keys():
            inside = isinstance(key, str) and nodes[key].unfolded
            if self._open.get(key, inside):
                self.tree.setExpanded(self.model.index_of(key), True)

    def _restore_current(self, current: Key | None, before: list[Key]) -> None:
        """Stay where the focus was; if that is gone, on the nearest row above that is still there."""
        until = before[: before.index(current) + 1] if current in before else []
        found = [index for key in until if (index := self.model.index_of(key)).isValid()]
        index = found[-1] if found else self.model.index(0, 0)
        self.tree.selectionModel().setCurrentIndex(index, _Flag.NoUpdate)

    def _note_open(self, index: QModelIndex, is_open: bool) -> None:
        key = self.model.key_at(index)
        if key is not None and not self._following:
            self._open[key] = is_open

    # In step with the selection

    @contextmanager
    def _in_step(self) -> Iterator[None]:
        """What changes meanwhile is the answer to a change, and not answered itself."""
        before, self._following = self._following, True
        try:
            yield
        finally:
            self._following = before

    @Slot()
    def _follow_canvas(self) -> None:
        """Select what is selected on the canvas."""
        if self._following or not self.isVisible():
            return
        keys: list[Key] = [*self._scene.selected_nodes, *((link, True) for link in sorted(self._scene.selected_links))]
        indexes = [index for key in keys if (index := self.model.index_of(key)).isValid()]
        selection = QItemSelection()
        for index in indexes:
            selection.select(index, index)
        with self._in_step():
            model = self.tree.selectionModel()
            model.select(selection, _Flag.ClearAndSelect)
            if indexes and not model.isSelected(self.tree.currentIndex()):
                model.setCurrentIndex(indexes[-1], _Flag.NoUpdate)
                self.tree.scrollTo(indexes[-1])

    @Slot()
    def _lead_canvas(self) -> None:
        """Select on the canvas what is selected here."""
        if self._following:
            return
        keys = [self.model.key_at(index) for index in self.tree.selectedIndexes()]
        with self._in_step():
            self._scene.select(
                [key for key in keys if isinstance(key, str)], [key[0] for key in keys if isinstance(key, tuple)]
            )
            path = self.path
            if path is not None:
                self._view.reveal(path)

    @property
    def path(self) -> str | None:
        """The block on which the focus is, or at whose wire."""
        return self.model.path_at(self.tree.currentIndex())

    # What can be done here

    def take_focus(self) -> None:
        """Put the focus on a row."""
        self.tree.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not self.tree.currentIndex().isValid():
            self.tree.setCurrentIndex(self.model.index(0, 0))

    @Slot()
    def _enable(self) -> None:
        path = self.path
        block = self._document.shown.by_id[path].block if path in self._document.shown.by_id else None
        ports = block is not None and bool(self._scene.node_item(str(path)).ports())
        self.add_action.setEnabled(block is not None)
        self.rename_action.setEnabled(block is not None)
        self.link_to_action.setEnabled(ports and bool(block and block.outputs))
        self.link_from_action.setEnabled(ports and bool(block and (block.inputs or block.many_inputs)))

    @Slot()
    def add_after(self) -> None:
        """Offer blocks to add after the one with the focus; then the focus comes back."""
        self._select_current_block()
        self._view.adder.offer(beside=True)
        if self._view.adder.menu is not None:
            self._view.adder.menu.closed.connect(self.take_focus)

    def link_to(self) -> None:
        """Let the person choose what an output of the block leads to."""
        self._choose_link(outgoing=True)

    def link_from(self) -> None:
        """Let the person choose what comes into an input of the block."""
        self._choose_link(outgoing=False)

    def _choose_link(self, *, outgoing: bool) -> None:
        from studio.ui.panels.link_dialog import LinkDialog  # seldom needed

        path = self.path
        if path is not None:
            LinkDialog(self._document, self._view.fitter, path, outgoing=outgoing, parent=self).open()

    @Slot()
    def rename(self) -> None:
        """Edit the name of the block in its row."""
        self._select_current_block()
        self.tree.edit(self.tree.currentIndex())

    def _rename(self, path: str, name: str) -> bool:
        return self._document.do(Rename(path, name), "Rename")

    @Slot()
    def _enter(self) -> None:
        """On a block: its settings. On a wire: the block at its other end."""
        key = self.model.key_at(self.tree.currentIndex())
        if isinstance(key, tuple):
            link, at_source = key
            self.tree.setCurrentIndex(self.model.index_of(link.target if at_source else link.source))
        elif key is not None:
            self._scene.select([key])
            self.edit_requested.emit()

    def _select_current_block(self) -> None:
        if self.path is not None:
            self.tree.setCurrentIndex(self.model.index_of(self.path))

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setObjectName("outline_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self._menu_actions)
        menu.popup(self.tree.viewport().mapToGlobal(position))


class _Tree(QTreeView):
    """The tree itself."""

    entered_row = Signal()  # Enter was pressed

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("outline_tree")
        self.setAccessibleName("Outline of the network")
        self.setAccessibleDescription(f"Blocks in the order in which data flows, with the wires at each. {_ADVICE}")
        self.setItemDelegate(TwoLines(self))
        self.setHeaderHidden(True)
        self.setIndentation(14)
        self.setUniformRowHeights(True)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setExpandsOnDoubleClick(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        editing = self.state() == QAbstractItemView.State.EditingState
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not editing:
            self.entered_row.emit()
        else:
            super().keyPressEvent(event)
