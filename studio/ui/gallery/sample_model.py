"""The samples in view as a table of Qt: one row each, whatever it is laid out as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from studio.ui import theme
from studio.ui.gallery.opened import CELLS, LEFT_OUT, RELABELLED, Opened
from studio.ui.gallery.opened import LATER as LATER_PART
from studio.ui.gallery.thumbs import Shelf, Thumb
from studio.ui.widgets.plain_text import plain_tooltip

if TYPE_CHECKING:
    import numpy as np

_Index = QModelIndex | QPersistentModelIndex
# Roles. CAPTION stands in place of what the file says is to be predicted; LATER: whether it is to be looked at later.
SAMPLE, THUMB, EXCLUDED, CLASS, CAPTION, LATER = range(Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 6)

_NOTHING = QModelIndex()
_LONGEST_CELL = 200  # characters
_LONGEST_TOOLTIP = 300


class SampleModel(QAbstractTableModel):
    """Knows which samples there are, in which order; what they hold comes when it was drawn."""

    def __init__(self, shelf: Shelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._opened: Opened | None = None
        self._rows: np.ndarray | list[int] = []
        self._excluded: frozenset[int] = frozenset()
        self._given: dict[int, str] = {}  # classes given by hand
        self._later: dict[int, str] = {}  # notes
        self._struck = QFont()
        self._struck.setStrikeOut(True)

    def show_samples(self, opened: Opened | None, rows: np.ndarray | list[int]) -> None:
        """Show these samples (n,), by their numbers."""
        self.beginResetModel()
        self._rows = rows
        self._take(opened)
        self.endResetModel()

    def _take(self, opened: Opened | None) -> None:
        self._opened = opened
        choice = opened.choice if opened is not None else None
        self._excluded = frozenset(choice.excluded if choice is not None else ())
        self._given = {mark.sample: mark.label for mark in choice.relabelled} if choice is not None else {}
        self._later = {mark.sample: mark.note for mark in choice.later} if choice is not None else {}

    def has(self, rows: np.ndarray | list[int]) -> bool:
        """Whether these are the samples that are shown already."""
        import numpy as np

        return self._opened is not None and np.array_equal(self._rows, rows)

    def take_division(self, opened: Opened) -> None:
        """The same samples in the same order, but perhaps other ones are left out."""
        self._take(opened)
        self._announce(0, len(self._rows) - 1)

    def take_drawn(self, first: int, last: int) -> None:
        """Samples in these rows were drawn."""
        self._announce(first, min(last, len(self._rows) - 1))

    def _announce(self, first: int, last: int) -> None:
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, self.columnCount() - 1))

    def sample(self, row: int) -> int:
        """The number of the sample in a row."""
        return int(self._rows[row])

    def row_of(self, sample: int) -> int | None:
        """The row of a sample; None if it is not among those shown. Rows are in the order of the samples."""
        import bisect

        row = bisect.bisect_left(self._rows, sample)
        return row if row < len(self._rows) and self._rows[row] == sample else None

    def rowCount(self, parent: _Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOTHING) -> int:
        if parent.isValid():
            return 0
        opened = self._opened
        return 1 + len(opened.columns) if opened is not None and opened.layout == CELLS else 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or self._opened is None:
            return None
        if orientation == Qt.Orientation.Vertical:
            return f"{self.sample(section) + 1:,}"
        return "To predict" if section == 0 else self._opened.columns[section - 1][:_LONGEST_CELL]

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self._opened is None:
            return None
        sample = self.sample(index.row())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                given = self._given.get(sample) if index.column() == 0 else None
                return given[:_LONGEST_CELL] if given else self._cell(self._shelf.get(sample), index.column())
            case _ if role == THUMB:
                return self._shelf.get(sample)
            case _ if role == EXCLUDED:
                return sample in self._excluded
            case _ if role == SAMPLE:
                return sample
            case _ if role == CLASS:
                return self._class(sample)
            case _ if role == CAPTION:
                return self._given.get(sample)
            case _ if role == LATER:
                return sample in self._later
            case Qt.ItemDataRole.FontRole:
                return self._struck if sample in self._excluded else None
            case Qt.ItemDataRole.ForegroundRole:
                return self._color(sample)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tooltip(self._words(sample))
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._words(sample)
        return None

    def _cell(self, thumb: Thumb | None, column: int) -> str:
        if thumb is None or self._opened is None:
            return "…"
        if column == 0:
            return (thumb.answer or thumb.problem)[:_LONGEST_CELL]
        return (thumb.cells or {}).get(self._opened.columns[column - 1], "")[:_LONGEST_CELL]

    def _color(self, sample: int) -> QColor | None:
        thumb = self._shelf.get(sample)
        if sample in self._excluded or thumb is None:
            return theme.current().node_muted
        return theme.current().error if thumb.problem else None

    def _class(self, sample: int) -> int | None:
        """The class of a sample, as a number; None if it has none."""
        labels = self._opened.labels if self._opened is not None else None
        return int(labels[sample]) if labels is not None else None

    def _words(self, sample: int) -> str:
        """What is known of a sample in one line, as a screen reader says it."""
        thumb = self._shelf.get(sample)
        assert self._opened is not None
        parts = [f"Sample {sample + 1:,}", PART_TITLES.get(self._opened.part_of(sample), "")]
        if thumb is not None:
            title = thumb.title if thumb.title != f"{sample + 1:,}" else ""
            parts += [title, thumb.answer, thumb.problem]
        if sample in self._given:
            parts.append(f"class by hand: {self._given[sample]}")
        if sample in self._later:
            parts.append(f"to look at later: {self._later[sample]}".removesuffix(": "))
        return ", ".join(part for part in parts if part)[:_LONGEST_TOOLTIP]


PART_TITLES = {
    "train": "Train", "validation": "Validation", "test": "Test", LEFT_OUT: "Left out", RELABELLED: "Class by hand",
    LATER_PART: "Look later",
}  # fmt: skip
