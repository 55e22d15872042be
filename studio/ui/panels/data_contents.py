"""What the data holds: its columns, and how many samples each class has."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QSplitter, QVBoxLayout, QWidget

from studio.data import Findings
from studio.ui.document import Document
from studio.ui.gallery.opened import Opened
from studio.ui.panels.class_bars import ClassBars
from studio.ui.panels.columns_view import ColumnsView, columns_of
from studio.ui.widgets.plain_text import Heading, PlainLabel


class DataContents(QWidget):
    """Columns above, classes below."""

    class_chosen = Signal(int)  # number of a class, whose samples are wanted

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataContents")
        self._document = document
        self._room_for = 0  # columns
        self.heading = Heading("Columns", self)
        self.columns = ColumnsView(self)
        self.classes_heading = Heading("Classes", self)
        self.unevenness = PlainLabel(parent=self, color="node_muted")
        self.unevenness.setObjectName("classUnevenness")
        self.bars = ClassBars(self)
        self.bars.class_chosen.connect(self.class_chosen)
        self.balanced = QCheckBox("Balance classes in training", self)
        self.balanced.setObjectName("balanceClasses")
        self.balanced.setToolTip("Draw rare classes as often as frequent ones. Validation and test stay as they are.")
        self.balanced.clicked.connect(self._balance)
        self._classes = _page(self, self.classes_heading, self.unevenness, self.bars, self.balanced)
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self._splitter.setObjectName("splitter_contents")
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(_page(self, self.heading, self.columns))
        self._splitter.addWidget(self._classes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._splitter)

    @Slot(bool)
    def _balance(self, balanced: bool) -> None:
        data = replace(self._document.project.data, balanced=balanced)
        self._document.choose_data(data, "Balance classes" if balanced else "Do not balance classes", own_step=True)

    def show_findings(self, findings: Findings) -> None:
        """Show what a look at the data told, or what is known without one."""
        columns = columns_of(findings)
        targets = findings.target if findings.columns else (columns[-1].name,)
        self.columns.show_columns(columns, targets)
        self.heading.setText(f"Columns ({len(columns):,})" if len(columns) > 1 else "Columns")
        self._share_room(len(columns))

    def _share_room(self, columns: int) -> None:
        """A few columns leave the rest to the classes; of many, half the height is shown."""
        if columns != self._room_for:
            self._room_for = columns
            whole = sum(self._splitter.sizes())
            upper = min(self.columns.height_of(columns) + self.heading.sizeHint().height() + 24, whole // 2)
            self._splitter.setSizes([upper, whole - upper])

    def show_counts(self, opened: Opened | None, findings: Findings) -> None:
        """Show how many samples each class has: of those that are used, or, while these are not known, of all."""
        names, counts = findings.spec.target.names, findings.counts
        if opened is not None and opened.listing is not None and opened.counts:
            names, counts = opened.listing.names, opened.counts
        self._classes.setVisible(bool(counts))
        target = findings.spec.target
        one_class = target.task == "classification" and not target.dims  # or there is nothing to draw equally often
        self.balanced.setVisible(one_class or self._document.project.data.balanced)
        self.bars.show_counts(names, counts)
        self.classes_heading.setText(f"Classes ({len(counts):,})")
        self.unevenness.setText(unevenness(counts))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().height() != event.size().height():
            columns, self._room_for = self._room_for, 0
            self._share_room(columns)

    def show_choice(self) -> None:
        """Follow the project."""
        self.balanced.setChecked(self._document.project.data.balanced)


def unevenness(counts: tuple[int, ...]) -> str:
    """How much more frequent the most frequent class is than the rarest, in words."""
    if len(counts) < 2 or not max(counts):
        return ""
    if not min(counts):
        return f"{sum(not count for count in counts):,} of the classes have no samples."
    ratio = max(counts) / min(counts)
    return (
        "All are about as frequent."
        if ratio < 1.5
        else f"The most frequent has {ratio:,.1f} times as many as the rarest."
    )


def _page(parent: QWidget, *widgets: QWidget) -> QWidget:
    page = QWidget(parent)
    layout = QVBoxLayout(page)
    layout.setContentsMargins(8, 8, 8, 4)
    layout.setSpacing(4)
    for widget in widgets:
        layout.addWidget(widget)
    return page
