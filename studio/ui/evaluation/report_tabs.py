"""What a split tells of a network, in tabs; only those that make sense for its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSplitter, QTabWidget, QVBoxLayout, QWidget

from studio.ui.evaluation.calibration_panel import CalibrationPanel
from studio.ui.evaluation.class_table import ClassTable
from studio.ui.evaluation.compare_panel import ComparePanel
from studio.ui.evaluation.confusion_view import ConfusionView
from studio.ui.evaluation.curves_panel import CurvesPanel
from studio.ui.evaluation.figures_view import FiguresView
from studio.ui.evaluation.numbers_panel import NumbersPanel
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.ui.evaluation.work import Evaluated


class ReportTabs(QTabWidget):
    """Figures, confusion, curves, calibration, numbers and the comparison."""

    cell_chosen = Signal(int, int)  # number of the true class, of the answered one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reportTabs")
        self.setAccessibleName("What the split tells")
        self.setDocumentMode(True)
        self.tabBar().setObjectName("reportTabBar")
        self.tabBar().setAccessibleName("Parts of the report")
        self.about = PlainLabel(parent=self, color="node_muted")
        self.about.setObjectName("reportAbout")
        self.figures = FiguresView(self)
        self.confusion = ConfusionView(self)
        self.rates = QCheckBox("Shares of each row in %", self)
        self.rates.setObjectName("confusionRates")
        self.classes = ClassTable(self)
        self.curves = CurvesPanel(self)
        self.calibration = CalibrationPanel(self)
        self.numbers = NumbersPanel(self)
        self.comparing = ComparePanel(self)
        self.rates.toggled.connect(self.confusion.show_rates)
        self.confusion.cell_chosen.connect(self.cell_chosen)
        self._matrix = self._with_matrix()
        self.overview = self._overview()
        for panel in (self.curves, self.calibration, self.numbers, self.comparing):
            panel.hide()

    def _with_matrix(self) -> QWidget:
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.confusion, 1)
        row = QHBoxLayout()
        row.addWidget(self.rates)
        row.addStretch()
        layout.addLayout(row)
        return page

    def _overview(self) -> QWidget:
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.addWidget(self.about)
        layout.addWidget(self.figures)
        parts = QSplitter(Qt.Orientation.Vertical, page)
        parts.setObjectName("splitter_report")
        parts.setChildrenCollapsible(False)
        parts.addWidget(self._matrix)
        parts.addWidget(self.classes)
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 1)
        layout.addWidget(parts, 1)
        return page

    def begin(self, evaluated: Evaluated) -> None:
        """Show another report; the tab stays if it is there again."""
        report, shown = evaluated.report, self.tabText(self.currentIndex())
        self.about.setText(_about(evaluated))
        self.figures.show_figures(report.figures)
        self.classes.show_report(report)
        self._matrix.setVisible(bool(report.confusion))
        if report.confusion:
            self.confusion.show_counts(
                report.names, report.confusion, clickable=evaluated.inspection.guesses is not None
            )
        panels: list[tuple[str, QWidget]] = [("Overview", self.overview)]
        if report.roc:
            self.curves.begin(evaluated)
            panels.append(("Curves", self.curves))
        if report.calibration is not None:
            self.calibration.begin(evaluated)
            panels.append(("Calibration", self.calibration))
        if evaluated.inspection.answers is not None:
            self.numbers.begin(evaluated)
            panels.append(("Truth and answer", self.numbers))
        self.comparing.begin(evaluated)
        panels.append(("Compare", self.comparing))
        self._arrange(panels, shown)

    def _arrange(self, panels: list[tuple[str, QWidget]], shown: str) -> None:
        while self.count():
            self.removeTab(0)
        for title, panel in panels:
            self.addTab(panel, title)
        titles = [title for title, _ in panels]
        self.setCurrentIndex(titles.index(shown) if shown in titles else 0)


def _about(evaluated: Evaluated) -> str:
    report = evaluated.report
    words = f"{report.samples:,} samples of the {report.split} split"
    if evaluated.test_uses:
        times = f"{evaluated.test_uses:,} time{'s' if evaluated.test_uses > 1 else ''}"
        words += f". The test samples were looked at {times} so far"
    return words + "."
