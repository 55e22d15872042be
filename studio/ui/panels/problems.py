"""The list of what is wrong with the network."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from studio.compile.analysis import ERROR, SEVERITIES, WARNING, Analysis, Problem
from studio.ui import theme
from studio.ui.panels.repairs import Repairs
from studio.ui.widgets.plain_text import PlainLabel

_NODE = Qt.ItemDataRole.UserRole
MARK = 14  # pixels
_NO_PROBLEMS = "No problems: the network can be trained."
_MOST = 500  # problems shown; nobody reads more, and each costs time


class Problems(QWidget):
    """Errors first, then warnings and hints. A click, or Enter, on one shows the block it is about."""

    node_chosen = Signal(str)  # id of a node
    repair_chosen = Signal(object)  # a Repair

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Problem, ...] | None = None
        self.heading = PlainLabel("Problems are listed here as soon as PyTorch has started.", self)
        self.heading.setObjectName("problems_heading")
        self.list = QListWidget(self)
        self.list.setObjectName("problems")
        self.list.setAccessibleName("Problems of the network")
        self.list.setWordWrap(True)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setIconSize(QSize(MARK, MARK))
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.repairs = Repairs(self)
        columns = QHBoxLayout()
        columns.setSpacing(8)
        columns.addWidget(self.list, 1)
        columns.addWidget(self.repairs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        layout.addWidget(self.heading)
        layout.addLayout(columns, 1)
        layout.addStretch()
        self.list.hide()
        self.list.currentRowChanged.connect(self._offer_repairs)
        self.repairs.chosen.connect(self.repair_chosen)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)

    @Slot(object)
    def show_analysis(self, analysis: Analysis) -> None:
        """List the problems of an analysis."""
        if analysis.problems == self._shown:
            return
        same, self._shown = self._same_but_for_repairs(analysis), analysis.problems
        if same:
            self._offer_repairs(self.list.currentRow())
            return
        self.heading.setText(heading(analysis.problems))
        self.list.clear()
        self.list.setVisible(bool(analysis.problems))
        for problem in analysis.problems[:_MOST]:
            self._add(problem)
        self.list.setCurrentRow(0)  # its repairs are one click away
        self._offer_repairs(self.list.currentRow())

    def _same_but_for_repairs(self, analysis: Analysis) -> bool:
        """Whether the list shows these problems already."""
        if self._shown is None:
            return False
        return [_listed(problem) for problem in self._shown] == [_listed(problem) for problem in analysis.problems]

    @Slot(int)
    def _offer_repairs(self, row: int) -> None:
        shown = self._shown or ()
        self.repairs.offer(shown[row].repairs if 0 <= row < len(shown) else ())

    def _add(self, problem: Problem) -> None:
        item = QListWidgetItem(problem.message, self.list)
        item.setIcon(severity_mark(problem.severity))
        item.setData(_NODE, problem.node_id)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{problem.severity.capitalize()}: {problem.message}")

    @Slot(QListWidgetItem)
    def _choose(self, item: QListWidgetItem) -> None:
        node_id = item.data(_NODE)
        if node_id is not None:
            self.node_chosen.emit(node_id)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            for row, problem in enumerate((self._shown or ())[:_MOST]):
                self.list.item(row).setIcon(severity_mark(problem.severity))


def _listed(problem: Problem) -> tuple[str, str, str | None]:
    return problem.severity, problem.message, problem.node_id


def heading(problems: tuple[Problem, ...]) -> str:
    """How many errors and warnings there are, in words."""
    counts = {severity: sum(p.severity == severity for p in problems) for severity in SEVERITIES}
    words = [f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count]
    return " and ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 2 else words) or _NO_PROBLEMS


def severity_mark(severity: str) -> QPixmap:
    """The sign of an error, a warning, or of what is only a hint."""
    colors = theme.current()
    pixmap = QPixmap(MARK, MARK)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush({ERROR: colors.error, WARNING: colors.warning}.get(severity, colors.accent))
    painter.drawEllipse(0, 0, MARK, MARK)
    painter.setPen(QColor(colors.canvas))
    font = painter.font()
    font.setPixelSize(MARK - 4)
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(pixmap.rect(), Qt.AlignmentFlag.AlignCenter, "!" if severity in (ERROR, WARNING) else "i")
    painter.end()
    return pixmap
