"""The palette: every block there is, grouped and searchable."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QModelIndex, QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QColor, QDrag, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from studio.blocks import GROUPS, registry
from studio.blocks.search import closeness, matches
from studio.ui import theme
from studio.ui.canvas.gestures import BLOCK_MIME
from studio.ui.canvas.summary import block_help
from studio.ui.icons import family_icon
from studio.ui.widgets.dot import DOT, dot
from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip

_KIND = Qt.ItemDataRole.UserRole


class Palette(QWidget):
    """A search field above a tree of blocks. Enter or a double click chooses a block; it can also be dragged."""

    block_chosen = Signal(object)  # a Block with default settings: append it

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.search = QLineEdit(self)
        self.search.setObjectName("palette_search")
        self.search.setAccessibleName("Search blocks")
        self.search.setPlaceholderText("Search blocks")
        self.search.installEventFilter(self)
        self.tree = _BlockTree(self)
        self.nothing_found = PlainLabel("No block matches. Try a shorter word.", self, color="node_muted")
        self.nothing_found.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 8)
        layout.setSpacing(6)
        for widget in (self.search, self.nothing_found, self.tree):
            layout.addWidget(widget)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._choose_current)
        self.tree.itemDoubleClicked.connect(self._choose)  # not itemActivated: some desktops do that on one click
        self.tree.entered.connect(self._choose_current)

    def complete(self) -> None:
        """Make what the window can be shown without."""
        self.search.setClearButtonEnabled(True)
        self.tree.show_pictures()

    @Slot()
    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    @Slot(str)
    def _filter(self, text: str) -> None:
        found = self.tree.show_matching(text)
        self.nothing_found.setVisible(not found)

    @Slot()
    def _choose_current(self) -> None:
        item: QTreeWidgetItem | None = self.tree.currentItem()  # None although the stubs say otherwise
        if item is not None and not item.isHidden():
            self._choose(item)

    @Slot(QTreeWidgetItem, int)
    def _choose(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        kind = item.data(0, _KIND)
        if kind is not None:
            self.block_chosen.emit(registry.get(kind)())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down in the search field walk through what was found."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None:
                self.tree.walk(step)
                return True
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.tree.recolor()


class _BlockTree(QTreeWidget):
    """The tree itself: groups, and in each its blocks."""

    entered = Signal()  # Enter was pressed

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("palette_tree")
        self.setAccessibleName("Blocks")
        self.setHeaderHidden(True)
        self.setIndentation(12)
        self.setUniformRowHeights(True)
        self.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._leaves: list[QTreeWidgetItem] = []
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._pictured = False
        for group in GROUPS:
            self._add_group(group)
        self.recolor()

    def _add_group(self, group: str) -> None:
        blocks = [block for block in registry if block.group == group]
        if not blocks:
            return
        parent = self._groups[group] = QTreeWidgetItem(self, [group])
        parent.setFlags(Qt.ItemFlag.ItemIsEnabled)
        for block in blocks:
            leaf = QTreeWidgetItem(parent, [block.title])
            leaf.setData(0, _KIND, block.kind)
            leaf.setToolTip(0, plain_tooltip(block_help(block)))
            self._leaves.append(leaf)
        parent.setExpanded(True)

    def recolor(self) -> None:
        """Take the group colours of the theme in use."""
        for group, item in self._groups.items():
            item.setIcon(0, family_icon(group) if self._pictured else dot(theme.current().group_color(group)))
            font = item.font(0)
            font.setBold(True)
            item.setFont(0, font)

    def show_pictures(self) -> None:
        """Draw the groups' pictures instead of dots; after the window showed, since it takes a few milliseconds."""
        self._pictured = True
        self.recolor()

    def _color_of(self, leaf: QTreeWidgetItem) -> QColor:
        return theme.current().group_color(registry.get(leaf.data(0, _KIND)).group)

    def show_matching(self, text: str) -> bool:
        """Hide what does not contain all the words; select the best match. Whether there is one."""
        matching = []
        for leaf in self._leaves:
            block = registry.get(leaf.data(0, _KIND))
            leaf.setHidden(not matches(block, text))
            if not leaf.isHidden():
                matching.append(leaf)
        for group in self._groups.values():
            group.setHidden(not any(leaf.parent() is group for leaf in matching))
        self.setCurrentIndex(QModelIndex())
        if text.split() and matching:
            self.setCurrentItem(min(matching, key=lambda leaf: _rank(leaf, text)))
        return bool(matching)

    def walk(self, step: int) -> None:
        """Select the next or previous block that is shown."""
        shown = [leaf for leaf in self._leaves if not leaf.isHidden()]
        if shown:
            current = self.currentItem()
            position = shown.index(current) + step if current in shown else (0 if step > 0 else len(shown) - 1)
            self.setCurrentItem(shown[max(0, min(len(shown) - 1, position))])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)

    def mimeTypes(self) -> list[str]:
        return [BLOCK_MIME]

    def mimeData(self, items: list[QTreeWidgetItem]) -> QMimeData:  # type: ignore[override]
        data = QMimeData()
        if items:
            data.setData(BLOCK_MIME, QByteArray(str(items[0].data(0, _KIND)).encode()))
        return data

    def startDrag(self, supported: Qt.DropAction) -> None:
        """Drag without Qt's picture of the row: the canvas shows a ghost where the block will land."""
        items = [item for item in self.selectedItems() if item.data(0, _KIND) is not None]
        if items:
            drag = QDrag(self)
            drag.setMimeData(self.mimeData(items))
            drag.setPixmap(dot(self._color_of(items[0])))
            drag.setHotSpot(QPoint(-DOT, -DOT))  # beside the pointer
            drag.exec(Qt.DropAction.CopyAction)


def _rank(leaf: QTreeWidgetItem, text: str) -> int:
    """What is meant best comes first; among equals the order of the palette decides."""
    return closeness(registry.get(leaf.data(0, _KIND)), text)
