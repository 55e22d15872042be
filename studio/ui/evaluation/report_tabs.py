"""What a split tells of a network, in tabs; only those that make sense for its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from studio.evaluation.explain.importance import features_of
from studio.ui.evaluation.calibration_panel import CalibrationPanel
from studio.ui.evaluation.class_table import ClassTable
from studio.ui.evaluation.compare_panel import ComparePanel
from studio.ui.evaluation.confusion_view import ConfusionView
from studio.ui.evaluation.curves_panel import CurvesPanel
from studio.ui.evaluation.explore_panel import ExplorePanel
from studio.ui.evaluation.figures_view import FiguresView
from studio.ui.evaluation.importance_panel import ImportancePanel
from studio.ui.evaluation.numbers_panel import NumbersPanel
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.ui.evaluation.work import Evaluated, Tempered


class _Panel(Protocol):
    def begin(self, evaluated: Evaluated) -> None: ...


P = TypeVar("P", bound=_Panel)


class _Later(QWidget, Generic[P]):
    """A page whose panel is made when it is looked at first: plots take a while."""

    def __init__(self, make: Callable[[QWidget], P], parent: QWidget) -> None:
        super().__init__(parent)
        self._make = make
        self._evaluated: Evaluated | None = None
        self.panel: P | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def begin(self, evaluated: Evaluated) -> None:
        """Show another report, now or when it is looked at."""
        self._evaluated = evaluated
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        if self.panel is None:
            self.panel = self._make(self)
            layout = self.layout()
            assert layout is not None
            layout.addWidget(cast("QWidget", self.panel))
        if self._evaluated is not None:
            evaluated, self._evaluated = self._evaluated, None
            self.panel.begin(evaluated)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()


class ReportTabs(QTabWidget):
    """Figures, confusion, curves, calibration, numbers and the comparison."""

    cell_chosen = Signal(int, int)  # number of the true class, of the answered one
    temperature_wanted = Signal()
    explore_made = Signal(object)  # ExplorePanel, to be connected
    importance_wanted = Signal(str, int)  # score, how often each feature is shuffled
    dependence_wanted = Signal(object)  # Feature
    cancel_wanted = Signal()

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
        self.curves = _Later(CurvesPanel, self)
        self.calibration = _Later(self._make_calibration, self)
        self.numbers = _Later(NumbersPanel, self)
        self.explore = _Later(self._make_explore, self)
        self.importance = _Later(self._make_importance, self)
        self._busy = False
        self._own_page = QWidget(self)  # for the table of classes, where there is a matrix
        self._own_page.hide()
        self._own = QVBoxLayout(self._own_page)
        self._own.setContentsMargins(0, 0, 0, 0)
        self.comparing = ComparePanel(self)
        self.rates.toggled.connect(self.confusion.show_rates)
        self.confusion.cell_chosen.connect(self.cell_chosen)
        self._matrix = self._with_matrix()
        self.overview = self._overview()
        self.comparing.hide()

    def _make_calibration(self, parent: QWidget) -> CalibrationPanel:
        panel = CalibrationPanel(parent)
        panel.temperature_wanted.connect(self.temperature_wanted)
        panel.button.setEnabled(not self._busy)
        return panel

    def _make_explore(self, parent: QWidget) -> ExplorePanel:
        panel = ExplorePanel(parent)
        self.explore_made.emit(panel)
        panel.show_busy(self._busy, mine=False)
        return panel

    def _make_importance(self, parent: QWidget) -> ImportancePanel:
        panel = ImportancePanel(parent)
        panel.importance_wanted.connect(self.importance_wanted)
        panel.dependence_wanted.connect(self.dependence_wanted)
        panel.cancel_wanted.connect(self.cancel_wanted)
        panel.show_busy(self._busy, measuring=False)
        return panel

    def show_busy(self, busy: bool, *, measuring: bool = False, exploring: bool = False) -> None:
        """Whether something is under way, so that nothing else can be begun, and whether a tab asked for it."""
        self._busy = busy
        if self.importance.panel is not None:
            self.importance.panel.show_busy(busy, measuring=measuring)
        if self.explore.panel is not None:
            self.explore.panel.show_busy(busy, mine=exploring)
        self.comparing.button.setEnabled(not busy and self.comparing.runs.count() > 0)
        if self.calibration.panel is not None:
            self.calibration.panel.button.setEnabled(not busy)

    def show_tempered(self, tempered: Tempered) -> None:
        """Show what the temperature makes of the calibration."""
        if self.calibration.panel is not None:
            self.calibration.panel.show_tempered(tempered)

    def show_no_temperature(self, reason: str) -> None:
        """Why there is none."""
        if self.calibration.panel is not None:
            self.calibration.panel.told.setText(reason)

    def _with_matrix(self) -> QWidget:
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self.rates)
        layout.addLayout(row)
        layout.addWidget(self.confusion, 1)
        return page

    def _overview(self) -> QWidget:
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.addWidget(self.about)
        layout.addWidget(self.figures)
        layout.addWidget(self._matrix, 1)
        self._below = QVBoxLayout()  # for the table of classes, where there is no matrix
        layout.addLayout(self._below, 1)
        return page

    def begin(self, evaluated: Evaluated) -> None:
        """Show another report; the tab stays if it is there again."""
        report, shown = evaluated.report, self.tabText(self.currentIndex())
        self.about.setText(_about(evaluated))
        self.figures.show_figures(report.figures)
        self.classes.show_report(report)
        self._matrix.setVisible(bool(report.confusion))
        if report.confusion:
            self.confusion.show_counts(report.names, report.confusion, clickable=evaluated.inspection.has_cells)
        panels: list[tuple[str, QWidget]] = [("Overview", self.overview)]
        if report.confusion:
            self._own.addWidget(self.classes)
            panels.append(("Classes", self._own_page))
        else:
            self._below.addWidget(self.classes)
        self.classes.show()
        if report.roc:
            self.curves.begin(evaluated)
            panels.append(("Curves", self.curves))
        if report.calibration is not None:
            self.calibration.begin(evaluated)
            panels.append(("Calibration", self.calibration))
        if evaluated.inspection.answers is not None:
            self.numbers.begin(evaluated)
            panels.append(("Truth and answer", self.numbers))
        if features_of(evaluated.trained):
            self.importance.begin(evaluated)
            panels.append(("Importance", self.importance))
        self.explore.begin(evaluated)
        panels.append(("Explore", self.explore))
        self.comparing.begin(evaluated)
        panels.append(("Compare", self.comparing))
        self._arrange(panels, shown)

    def _arrange(self, panels: list[tuple[str, QWidget]], shown: str) -> None:
        titles = [title for title, _ in panels]
        if titles == [self.tabText(number) for number in range(self.count())]:
            return
        # From the last to the first: what becomes the current tab is shown, and would be made at once.
        self.setCurrentIndex(0)
        while self.count():
            self.removeTab(self.count() - 1)
        for title, panel in panels:
            self.addTab(panel, title)
        self.setCurrentIndex(titles.index(shown) if shown in titles else 0)


def _about(evaluated: Evaluated) -> str:
    report = evaluated.report
    words = f"{report.samples:,} samples of the {report.split} split"
    if evaluated.test_uses:
        times = f"{evaluated.test_uses:,} time{'s' if evaluated.test_uses > 1 else ''}"
        words += f". The test samples were looked at {times} so far"
    return words + "."
