"""The datasets there are, in groups and searchable, and the way to files of one's own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from studio.data import Source
from studio.data import registry as datasets
from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip
from studio.ui.wording import size

_KIND = Qt.ItemDataRole.UserRole
OWN = "Your own files"  # heading of the sources that need a place


class SourceList(QWidget):
    """A search field above a tree of datasets, and buttons to choose files. A click, or Enter, chooses a dataset."""

    source_chosen = Signal(object)  # Source with its default settings
    file_wanted = Signal()
    folder_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sourceList")
        self.search = QLineEdit(self)
        self.search.setObjectName("sourceSearch")
        self.search.setAccessibleName("Search datasets")
        self.search.setPlaceholderText("Search datasets")
        self.search.setClearButtonEnabled(True)
        self.search.installEventFilter(self)
        self.tree = QTreeWidget(self)
        self._leaves: dict[str, QTreeWidgetItem] = {}
        self._groups: list[QTreeWidgetItem] = []
        self.nothing_found = PlainLabel("No dataset matches. Try a shorter word.", self, color="node_muted")
        self.nothing_found.hide()
        self._fill()
        self._arrange()
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(lambda: self._choose(self.tree.currentItem()))
        self.tree.itemClicked.connect(self._choose)
        self.tree.installEventFilter(self)

    def _fill(self) -> None:
        tree = self.tree
        tree.setObjectName("sourceTree")
        tree.setAccessibleName("Datasets")
        tree.setHeaderHidden(True)
        tree.setIndentation(12)
        tree.setUniformRowHeights(True)
        tree.setFrameShape(QTreeWidget.Shape.NoFrame)
        groups: dict[str, list[type[Source]]] = {OWN: []}
        for source in datasets:
            groups.setdefault(OWN if source.needs_place else source.group, []).append(source)
        for title, sources in groups.items():
            if sources:
                self._add_group(title, sources)

    def _add_group(self, title: str, sources: list[type[Source]]) -> None:
        group = QTreeWidgetItem(self.tree, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        for source in sources:
            leaf = self._leaves[source.kind] = QTreeWidgetItem(group, [source.title])
            leaf.setData(0, _KIND, source.kind)
            download = f" Downloaded at first use: {size(source.download_bytes)}." if source.download_bytes else ""
            leaf.setToolTip(0, plain_tooltip(source.about + download))
        group.setExpanded(True)
        self._groups.append(group)

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for name, text, wanted in (
            ("chooseFileButton", "Choose a file…", self.file_wanted),
            ("chooseFolderButton", "Choose a folder…", self.folder_wanted),
        ):
            button = QPushButton(text, self)
            button.setObjectName(name)
            button.setAccessibleName(text)
            button.setToolTip("Files of your own, or of a dataset: what they are is found out.")
            button.clicked.connect(wanted)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 8)
        layout.setSpacing(6)
        for widget in (self.search, self.nothing_found, self.tree):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    def show_source(self, source: Source) -> None:
        """Mark the dataset of the project."""
        leaf = self._leaves.get(source.kind)
        if leaf is not None and self.tree.currentItem() is not leaf:
            self.tree.setCurrentItem(leaf)

    @Slot(QTreeWidgetItem)
    def _choose(self, item: QTreeWidgetItem | None) -> None:
        kind = item.data(0, _KIND) if item is not None and not item.isHidden() else None
        if kind is not None:
            self.source_chosen.emit(datasets.get(kind)())

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.lower().split()
        found = []
        for kind, leaf in self._leaves.items():
            source = datasets.get(kind)
            known = f"{source.title} {source.group} {source.about}".lower()
            leaf.setHidden(not all(word in known for word in words))
            if not leaf.isHidden():
                found.append(leaf)
        for group in self._groups:
            group.setHidden(not any(leaf.parent() is group for leaf in found))
        self.nothing_found.setVisible(not found)
        self.tree.setVisible(bool(found))
        self.tree.setCurrentIndex(QModelIndex())
        if words and found:  # what is called so, before what only speaks of it
            self.tree.setCurrentItem(min(found, key=lambda item: words[0] not in item.text(0).lower()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down in the search field walk through what was found; Enter in the tree chooses."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = Qt.Key(event.key())
            if watched is self.search and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self._walk(1 if key == Qt.Key.Key_Down else -1)
                return True
            if watched is self.tree and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.tree.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _walk(self, step: int) -> None:
        shown = [leaf for leaf in self._leaves.values() if not leaf.isHidden()]
        current = self.tree.currentItem()
        if shown:
            place = shown.index(current) + step if current in shown else 0
            self.tree.setCurrentItem(shown[max(0, min(place, len(shown) - 1))])
