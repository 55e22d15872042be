"""The answers as a table of Qt, in any order: what a sample is, what was answered, and how sure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from studio.ui import theme
from studio.ui.gallery.opened import CELLS
from studio.ui.gallery.sample_model import CAPTION, CLASS, EXCLUDED, LATER, SAMPLE, THUMB
from studio.ui.gallery.thumbs import Shelf
from studio.ui.widgets.plain_text import plain_tooltip

if TYPE_CHECKING:
    import numpy as np

    from studio.evaluation.inspection import Verdict
    from studio.ui.evaluation.work import Evaluated

_Index = QModelIndex | QPersistentModelIndex
VERDICT = Qt.ItemDataRole.UserRole + 20  # role; those of the gallery's samples come before
_NOTHING = QModelIndex()
_LONGEST = 200  # characters of a cell
_HEADS = ("Truth", "Answer", "Sure", "Loss")


class RankedModel(QAbstractTableModel):
    """Rows are places among the predictions, in the order that was chosen; nothing is copied for them."""

    def __init__(self, shelf: Shelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._evaluated: Evaluated | None = None
        self._places: np.ndarray | list[int] = []
        self.excluded: frozenset[int] = frozenset()
        self.given: dict[int, str] = {}  # classes given by hand, by the numbers of samples
        self.later: dict[int, str] = {}  # notes on samples to be looked at later
        self._struck = QFont()
        self._struck.setStrikeOut(True)

    def show_places(self, evaluated: Evaluated | None, places: np.ndarray | list[int]) -> None:
        """Show these samples, by their places."""
        self.beginResetModel()
        self._evaluated, self._places = evaluated, places
        self.endResetModel()

    def announce(self, rows: Iterable[int] | None = None) -> None:
        """What the samples in some rows look like has changed; None for all."""
        last = self.columnCount() - 1
        if rows is None and len(self._places):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._places) - 1, last))
        for row in rows or ():
            self.dataChanged.emit(self.index(row, 0), self.index(row, last))

    def row_of(self, place: int) -> int | None:
        """The row of a sample by its place; None if it is not among those shown."""
        import numpy as np

        found = np.flatnonzero(np.asarray(self._places) == place)
        return int(found[0]) if len(found) else None

    def place(self, row: int) -> int:
        """The place of the sample in a row."""
        return int(self._places[row])

    def sample(self, row: int) -> int:
        """The number of the sample in a row, in the dataset."""
        assert self._evaluated is not None
        return int(self._evaluated.inspection.rows[self._places[row]])

    def rowCount(self, parent: _Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self._places)

    def columnCount(self, parent: _Index = _NOTHING) -> int:
        if parent.isValid() or self._evaluated is None:
            return 0
        opened = self._evaluated.opened
        return len(_HEADS) + (len(opened.columns) if opened.layout == CELLS else 0)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or self._evaluated is None:
            return None
        if orientation == Qt.Orientation.Vertical:
            return f"{self.sample(section) + 1:,}"
        if section < len(_HEADS):
            return _HEADS[section]
        return self._evaluated.opened.columns[section - len(_HEADS)][:_LONGEST]

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self._evaluated is None:
            return None
        inspection, place = self._evaluated.inspection, self.place(index.row())
        sample = int(inspection.rows[place])
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._cell(place, sample, index.column())
            case _ if role == THUMB:
                return self._shelf.get(sample)
            case _ if role == SAMPLE:
                return sample
            case _ if role == EXCLUDED:
                return sample in self.excluded
            case _ if role == CAPTION:
                return self._truth(place, sample) if sample in self.given else None
            case _ if role == LATER:
                return sample in self.later
            case _ if role == CLASS:
                wanted = inspection.targets if inspection.guesses is not None else None
                return int(wanted[place]) if wanted is not None else None
            case _ if role == VERDICT:
                return inspection.verdict(place)
            case Qt.ItemDataRole.FontRole:
                return self._struck if sample in self.excluded else None
            case Qt.ItemDataRole.ForegroundRole if index.column() == 1:
                return _verdict_color(inspection.verdict(place))
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tooltip(self._words(place, sample))
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._words(place, sample)
        return None

    def _cell(self, place: int, sample: int, column: int) -> str:
        assert self._evaluated is not None
        inspection = self._evaluated.inspection
        if column == 0:
            return self._truth(place, sample)[:_LONGEST]
        if column == 3:
            return f"{float(inspection.losses[place]):.4g}"
        if column < len(_HEADS):
            verdict = inspection.verdict(place)
            sure = "–" if verdict.sureness is None else f"{100 * verdict.sureness:.1f} %"
            return verdict.text[:_LONGEST] if column == 1 else sure
        thumb = self._shelf.get(sample)
        name = self._evaluated.opened.columns[column - len(_HEADS)]
        return "…" if thumb is None else (thumb.cells or {}).get(name, "")[:_LONGEST]

    def _truth(self, place: int, sample: int) -> str:
        """What would have been right, and what a person says instead."""
        assert self._evaluated is not None
        truth, given = self._evaluated.inspection.truth(place), self.given.get(sample)
        return f"{truth} → {given}" if given is not None and given != truth else truth

    def _words(self, place: int, sample: int) -> str:
        """What is known of a sample in one line, as a screen reader says it."""
        assert self._evaluated is not None
        inspection = self._evaluated.inspection
        truth = self._truth(place, sample)
        parts = [f"Sample {sample + 1:,}", f"truth {truth}" if truth else "", verdict_text(inspection.verdict(place))]
        parts += [f"loss {float(inspection.losses[place]):.4g}", "left out" if sample in self.excluded else ""]
        if sample in self.later:
            parts.append(f"to look at later: {self.later[sample]}".removesuffix(": "))
        return ", ".join(part for part in parts if part)


def verdict_text(verdict: Verdict) -> str:
    """An answer in words."""
    sure = "" if verdict.sureness is None else f" with {100 * verdict.sureness:.1f} %"
    return f"answered {verdict.text}{sure}"


def _verdict_color(verdict: Verdict) -> Any:
    if verdict.right is None:
        return None
    colors = theme.current()
    return colors.success if verdict.right else colors.error
