"""A searchable menu of blocks at the pointer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QCursor, QIcon, QKeyEvent
from PySide6.QtWidgets import QFrame, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from studio.blocks import Block
from studio.blocks.search import closeness, matches
from studio.ui import theme
from studio.ui.canvas.summary import block_help
from studio.ui.widgets.dot import dot
from studio.ui.widgets.plain_text import PlainLabel

_WIDTH, _ROWS = 360, 11
_INSIDE = QPoint(24, 16)  # from its corner to the pointer, which then is on the search field
_BESIDE = 12  # pixels to the pointer
_STEPS = {
    Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Backtab: -1, Qt.Key.Key_Tab: 1, Qt.Key.Key_PageUp: -_ROWS + 1,
    Qt.Key.Key_PageDown: _ROWS - 1,
}  # fmt: skip


class BlockMenu(QFrame):
    """Type to filter; Enter takes the chosen block, at first the best; Escape closes.

    Blocks that fit come first, then those the person uses most. What does not fit can be taken all the same.

    Args:
        blocks: what to offer.
        use: how much a person uses a kind of block.
        parent: its owner, which gets the focus back.
    """

    block_chosen = Signal(object)  # a class of blocks
    closed = Signal()  # before block_chosen, if there was a choice

    def __init__(self, blocks: list[type[Block]], use: Callable[[str], float], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("block_menu")
        self.setAccessibleName("Add a block")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._owner = parent
        self._blocks = {block.kind: block for block in blocks}
        self._uses = {block.kind: use(block.kind) for block in blocks}
        self._misfits: dict[str, str] = {}
        self._walked = False  # the person chose a row: the order must not change any more
        self._open = True
        self.search = QLineEdit(self)
        self.search.setObjectName("block_menu_search")
        self.search.setAccessibleName("Search blocks to add")
        self.search.setPlaceholderText("Type to search, Enter to add")
        self.search.installEventFilter(self)
        self.list = self._make_list()
        self.about = PlainLabel("", self, color="node_muted")
        self.about.setObjectName("block_menu_about")
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.about.setFixedHeight(3 * self.fontMetrics().lineSpacing() + 4)
        self._arrange()
        self.search.textChanged.connect(self._type)
        self._fill()

    def _make_list(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setObjectName("block_menu_list")
        tree.setAccessibleName("Blocks to add")
        tree.setColumnCount(2)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        tree.setFrameShape(QFrame.Shape.NoFrame)
        tree.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys go to the search field
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setMouseTracking(True)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        tree.itemEntered.connect(self._point)
        tree.itemClicked.connect(self._choose)
        tree.currentItemChanged.connect(self._describe)
        return tree

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        for widget in (self.search, self.list, self.about):
            layout.addWidget(widget)

    def open_at(self, point: QPoint) -> None:
        """Show it so that the pointer, at a point of the screen, is on no row: none is chosen by chance."""
        rows = max(1, min(_ROWS, len(self._blocks)))
        height = max(self.list.sizeHintForRow(0), 1) * rows + 2
        self.list.setFixedHeight(height)
        self.setFixedWidth(_WIDTH)
        self.adjustSize()
        self.move(_place(self.size(), point, self._owner.screen().availableGeometry()))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def mark(self, reasons: Mapping[str, str]) -> None:
        """Show which blocks do not fit: for each kind why, or an empty text if it does.

        The order follows unless the person is about to choose.
        """
        self._misfits.update(reasons)
        if self._walked or self.list.geometry().contains(self.mapFromGlobal(QCursor.pos())):
            for item in self._items():
                self._paint_row(item)
            self._describe()
        else:
            self._fill()

    @property
    def kinds(self) -> list[str]:
        """The kinds that are shown, in order."""
        return [self._kind(item) for item in self._items()]

    def _items(self) -> list[QTreeWidgetItem]:
        items = (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount()))
        return [item for item in items if item is not None]

    @Slot(str)
    def _type(self, _text: str) -> None:
        self._walked = False
        self._fill()

    def _fill(self) -> None:
        text = self.search.text()
        found = [kind for kind, block in self._blocks.items() if matches(block, text)]
        found.sort(key=lambda kind: self._place(kind, text))
        self.list.clear()
        for kind in found:
            item = QTreeWidgetItem(self.list)
            item.setData(0, Qt.ItemDataRole.UserRole, kind)
            self._paint_row(item)
        if found:
            self.list.setCurrentItem(self._items()[0])
        self._describe()

    def _place(self, kind: str, text: str) -> tuple[int, bool, float]:
        meant = closeness(self._blocks[kind], text) if text.split() else 0
        return meant, bool(self._misfits.get(kind)), -self._uses[kind]

    def _paint_row(self, item: QTreeWidgetItem) -> None:
        block, colors = self._blocks[self._kind(item)], theme.current()
        misfit = self._misfits.get(block.kind, "")
        item.setText(0, block.title)
        item.setIcon(0, QIcon(dot(colors.group_color(block.group))))
        item.setText(1, "does not fit" if misfit else block.group)
        item.setForeground(1, colors.warning if misfit else colors.node_muted)
        item.setForeground(0, colors.node_muted if misfit else colors.node_text)
        spoken = f"{block.title}, {block.group}" + (f", does not fit: {misfit}" if misfit else "")
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, spoken)

    def _kind(self, item: QTreeWidgetItem) -> str:
        return str(item.data(0, Qt.ItemDataRole.UserRole))

    @Slot()
    def _describe(self) -> None:
        """Say below the list what the chosen block does, or why it does not fit."""
        item: QTreeWidgetItem | None = self.list.currentItem()  # None although the stubs say otherwise
        if item is None:
            self.about.setText("No block matches. Try a shorter word." if self.search.text() else "")
            return
        kind = self._kind(item)
        self.about.setText(self._misfits.get(kind) or block_help(self._blocks[kind]).partition("\n")[0])

    @Slot(QTreeWidgetItem, int)
    def _point(self, item: QTreeWidgetItem, _column: int) -> None:
        self._walked = True
        self.list.setCurrentItem(item)

    def _walk(self, step: int) -> None:
        self._walked = True
        items, current = self._items(), self.list.currentItem()
        if current is not None:
            row = items.index(current) + step
            self.list.setCurrentItem(items[max(0, min(len(items) - 1, row))])

    @Slot(QTreeWidgetItem)
    def _choose(self, item: QTreeWidgetItem) -> None:
        block = self._blocks[self._kind(item)]
        self.close()
        self.block_chosen.emit(block)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys in the search field that mean something else than text."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key, item = Qt.Key(event.key()), self.list.currentItem()
            if key in _STEPS:
                self._walk(_STEPS[key])
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if item is not None:
                    self._choose(item)
                return True
            if key == Qt.Key.Key_Escape:
                self.close()
                return True
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if self._open:
            self._open = False
            self.closed.emit()


def _place(size: QSize, point: QPoint, room: QRect) -> QPoint:
    """Top left corner of the menu: the search field at a point; where it would leave the screen below, beside it."""
    wanted = QRect(point - _INSIDE, size)
    if wanted.bottom() > room.bottom():
        wanted.moveBottom(room.bottom())
        wanted.moveRight(point.x() - _BESIDE)
        if wanted.left() < room.left():
            wanted.moveLeft(point.x() + _BESIDE)
    wanted.moveRight(min(wanted.right(), room.right()))
    return QPoint(max(wanted.x(), room.x()), max(wanted.y(), room.y()))
