"""A row for each process of a run that several train together."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from studio.training.events import Event, Ranks, RankState
from studio.ui import theme
from studio.ui.widgets.plain_text import plain_tooltip
from studio.ui.wording import duration

COLUMNS = ("Process", "Machine", "State", "Step", "Samples/s", "Last seen")
_HELP = (
    "Number of the process, from 0; one of them leads.",
    "Name of its machine, and the process’s number there.",
    "What it does. Waiting: for the one that leads. Lost: nothing is heard of it; all wait for it.",
    "Steps that it did since the start of the run.",
    "Samples of its own share in the last second.",
    "When it was heard of.",
)
_MOST_ROWS = 8  # to be seen at once


class RanksTable(QTableWidget):
    """What each process does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self.setObjectName("ranksTable")
        self.setAccessibleName("Processes that train together")
        self.setHorizontalHeaderLabels(COLUMNS)
        for column, words in enumerate(_HELP):
            item = self.horizontalHeaderItem(column)
            assert item is not None
            item.setToolTip(plain_tooltip(words))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.setShowGrid(False)

    def show_events(self, events: list[Event]) -> None:
        """Show the newest of what was told."""
        newest = next((event for event in reversed(events) if isinstance(event, Ranks)), None)
        if newest is not None:
            self._show(newest)

    def _show(self, ranks: Ranks) -> None:
        if self.rowCount() != len(ranks.ranks):
            self.setRowCount(len(ranks.ranks))
            self.updateGeometry()
        for row, rank in enumerate(ranks.ranks):
            color = QColor(theme.current().error) if rank.state == "lost" else self.palette().text().color()
            for column, text in enumerate(_cells(rank)):
                self._put(row, column, text, color)

    def _put(self, row: int, column: int, text: str, color: QColor) -> None:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            side = Qt.AlignmentFlag.AlignRight if column >= 3 else Qt.AlignmentFlag.AlignLeft
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
        item.setForeground(color)

    def sizeHint(self) -> QSize:
        rows = min(self.rowCount(), _MOST_ROWS)
        height = self.horizontalHeader().sizeHint().height() + rows * self.verticalHeader().defaultSectionSize() + 4
        return QSize(super().sizeHint().width(), height)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())


def _cells(rank: RankState) -> tuple[str, ...]:
    where = f"{rank.host} ({rank.pid})" if rank.host else "–"
    seen = f"{duration(rank.silent)} ago" if rank.silent else "now" if rank.host else "–"
    return str(rank.rank), where, rank.state.capitalize(), f"{rank.step:,}", f"{rank.samples_per_second:,.0f}", seen
