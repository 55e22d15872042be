"""Another run beside the one that is shown: both figures, and whether they really differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.evaluation.wording import in_words
from studio.ui.evaluation.figures_view import bounds_text, figure_title
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.runs import RunEntry
    from studio.ui.evaluation.work import Compared, Evaluated

_ABOUT = "Choose another run on the same data. The test looks at each sample: which of the two answers it better?"


class ComparePanel(QWidget):
    """A table with a column for each of the two, and the paired test in words."""

    compare_wanted = Signal(object)  # Path of the other run

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparePanel")
        self._evaluated: Evaluated | None = None
        self._entries: list[RunEntry] = []
        self.runs = QComboBox(self)
        self.runs.setObjectName("compareRun")
        self.runs.setAccessibleName("Run to compare with")
        self.runs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.button = QPushButton("Compare", self)
        self.button.setObjectName("compareButton")
        self.button.setAccessibleName("Compare the two runs")
        self.told = PlainLabel(_ABOUT, self)
        self.told.setObjectName("compareTold")
        self.table = QTableWidget(0, 3, self)
        self.table.setObjectName("compareTable")
        self.table.setAccessibleName("Figures of both runs")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setHorizontalHeaderLabels(["Figure", "This run", "The other"])
        self.button.clicked.connect(self._ask)
        row = QHBoxLayout()
        row.addWidget(self.runs, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(row)
        layout.addWidget(self.told)
        layout.addWidget(self.table, 1)

    def show_runs(self, runs: list[RunEntry]) -> None:
        """Offer these runs, but for the one that is shown; the choice stays if it is among them."""
        self._entries = runs
        self._fill()

    def _fill(self) -> None:
        chosen = self.runs.currentData()
        shown = self._evaluated.trained.path.absolute().parent.parent if self._evaluated is not None else None
        others = [entry for entry in self._entries if entry.path.absolute() != shown]
        self.runs.clear()
        for entry in others:
            self.runs.addItem(run_title(entry), entry.path)
        known = [entry.path for entry in others]
        self.runs.setCurrentIndex(known.index(chosen) if chosen in known else min(0, len(known) - 1))
        self.button.setEnabled(self.runs.count() > 0)

    def begin(self, evaluated: Evaluated) -> None:
        """Another network is shown: nothing is compared with it yet."""
        self._evaluated = evaluated
        self._fill()
        self.told.setText(_ABOUT)
        self.table.setRowCount(0)

    @Slot()
    def _ask(self) -> None:
        path = self.runs.currentData()
        if isinstance(path, Path):
            self.compare_wanted.emit(path)

    def show_refusal(self, reason: str) -> None:
        """Why the two cannot be compared."""
        self.table.setRowCount(0)
        self.told.setText(reason)

    def show_compared(self, compared: Compared) -> None:
        """Show both, and whether they differ."""
        assert self._evaluated is not None
        comparison = compared.comparison
        words = in_words(comparison)
        lines = [f"From this run to the other, {words}"]
        if comparison.first_only or comparison.second_only:
            lines.append(
                f"{comparison.first_only:,} samples are right in this run alone, {comparison.second_only:,} in the "
                "other alone."
            )
        if compared.changed:
            lines.append("The data is no longer that of the other run, so its figures do not belong to it.")
        self.told.setText("\n".join(lines))
        first, second = self._evaluated.report.figures, compared.report.figures
        self.table.setRowCount(len(first))
        for row, name in enumerate(first):
            other = bounds_text(second[name]) if name in second else "–"
            for column, text in enumerate((figure_title(name), bounds_text(first[name]), other)):
                item = QTableWidgetItem(text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                self.table.setItem(row, column, item)


def run_title(entry: RunEntry) -> str:
    """A run in a list: its project and when it began."""
    return entry.title if entry.started is None else f"{entry.title} · {entry.started:%d %b %H:%M:%S}"
