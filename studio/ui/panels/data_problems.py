"""What is wrong with the data, or might be, with ways out."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from studio.data import DataChoice, DataProblem
from studio.data.base import SEVERITIES
from studio.ui.panels.problems import MARK, severity_mark
from studio.ui.panels.repairs import Repairs
from studio.ui.widgets.plain_text import PlainLabel

_MOST = 500  # problems shown
_REMEDIES_WIDTH = 240  # pixels
_MARGIN = 6  # pixels above and below


class DataProblems(QWidget):
    """Errors first, then warnings and notes. Each has its remedies, and the samples it concerns, one click away."""

    remedy_chosen = Signal(object)  # a Remedy
    samples_wanted = Signal(object)  # numbers of samples, to look at
    room_changed = Signal(bool)  # whether there are any: without, it is a line of text
    search_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataProblems")
        self._shown: tuple[DataProblem, ...] = ()
        self.heading = PlainLabel(parent=self)
        self.heading.setObjectName("dataProblemsHeading")
        self.list = QListWidget(self)
        self.list.setObjectName("dataProblemList")
        self.list.setAccessibleName("Problems of the data")
        self.list.setWordWrap(True)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setIconSize(QSize(MARK, MARK))
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.remedies = Repairs(self, _REMEDIES_WIDTH)
        self.samples = QPushButton("Show the samples", self)
        self.samples.setObjectName("showProblemSamples")
        self.samples.setAccessibleName("Show the samples of this problem")
        self.search = QPushButton("Look for problems", self)
        self.search.setObjectName("lookForProblems")
        self.search.setToolTip("Copies, labels that contradict each other, rare classes, missing values and the like")
        self._searching = False
        self._arrange()
        self.search.clicked.connect(self._search)
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemActivated.connect(lambda: self._show_samples())
        self.samples.clicked.connect(self._show_samples)
        self.remedies.chosen.connect(self.remedy_chosen)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.heading, 1)
        head.addWidget(self.samples)
        head.addWidget(self.search)
        columns = QHBoxLayout()
        columns.setSpacing(8)
        columns.addWidget(self.list, 1)
        columns.addWidget(self.remedies)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, _MARGIN, 8, _MARGIN)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(columns, 1)
        self.list.hide()
        self.samples.hide()

    @Slot()
    def _search(self) -> None:
        (self.stop_wanted if self._searching else self.search_wanted).emit()

    def show_search(self, text: str, *, searching: bool, searched: bool) -> None:
        """Tell how a search for problems goes.

        Args:
            text: of the heading, in place of how many problems there are; empty for that.
            searching: whether it is under way, and can be stopped.
            searched: whether the data was searched.
        """
        self._searching = searching
        self.search.setText("Stop" if searching else "Look again" if searched else "Look for problems")
        self.search.setAccessibleName(f"{self.search.text()}: problems of the data")
        if text:
            self.heading.setText(text)

    def show_problems(self, problems: tuple[DataProblem, ...], choice: DataChoice) -> None:
        """List what is not mended yet.

        Args:
            problems: what was found in the data.
            choice: the project's data; a problem is mended if one of its remedies is in force in it.
        """
        found = sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))
        open_ones = tuple(problem for problem in found if not is_mended(problem, choice))
        self.heading.setText(heading(open_ones, len(found) - len(open_ones)))
        if open_ones != self._shown:
            row = self.list.currentRow()
            self._shown = open_ones
            self._list()
            self.list.setCurrentRow(max(0, min(row, self.list.count() - 1)))
        self._choose(self.list.currentRow())

    def _list(self) -> None:
        self.list.clear()
        if self.list.isHidden() == bool(self._shown):
            self.list.setVisible(bool(self._shown))
            self.room_changed.emit(bool(self._shown))
        for problem in self._shown[:_MOST]:
            item = QListWidgetItem(problem.message, self.list)
            item.setIcon(severity_mark(problem.severity))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{problem.severity.capitalize()}: {problem.message}")

    @Slot(int)
    def _choose(self, row: int) -> None:
        problem = self._shown[row] if 0 <= row < len(self._shown) else None
        self.remedies.offer(problem.remedies if problem is not None else ())
        self.samples.setVisible(problem is not None and bool(problem.samples))

    @Slot()
    def _show_samples(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._shown) and self._shown[row].samples:
            self.samples_wanted.emit(self._shown[row].samples)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            for row, problem in enumerate(self._shown[:_MOST]):
                self.list.item(row).setIcon(severity_mark(problem.severity))


def is_mended(problem: DataProblem, choice: DataChoice) -> bool:
    """Whether one of the remedies is in force already."""
    return any(choice.remedied(remedy) == choice for remedy in problem.remedies)


def heading(problems: tuple[DataProblem, ...], mended: int) -> str:
    """How many problems of each kind there are, in words."""
    counts = {severity: sum(problem.severity == severity for problem in problems) for severity in SEVERITIES}
    words = [f"{count:,} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count]
    found = ", ".join(words) if words else "No problems were found in the data."
    return f"{found} ({mended:,} mended)" if mended else found
