"""ROC and precision-recall curves, and what a threshold makes of one class against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from studio.evaluation.inspection import Cut, Thresholds, thresholds_of
from studio.ui.evaluation.xy_plot import XYPlot
from studio.ui.theme import Theme
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.classes import Curve
    from studio.ui.evaluation.work import Evaluated

_STEPS = 1_000  # of the slider


class CurvesPanel(QWidget):
    """Both curves of one class, with a dot where the threshold is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("curvesPanel")
        self._evaluated: Evaluated | None = None
        self._thresholds: Thresholds | None = None
        self._cut: Cut | None = None
        self.classes = QComboBox(self)
        self.classes.setObjectName("curveClass")
        self.classes.setAccessibleName("Class of the curves")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("thresholdSlider")
        self.slider.setAccessibleName("Threshold")
        self.slider.setRange(0, _STEPS)
        self.slider.setValue(_STEPS // 2)
        self.told = PlainLabel(parent=self)
        self.told.setObjectName("thresholdResult")
        self.areas = PlainLabel(parent=self, color="node_muted")
        self.areas.setObjectName("curveAreas")
        self.roc = XYPlot("rocPlot", "False positive rate", "True positive rate", self)
        self.precision_recall = XYPlot("precisionRecallPlot", "Recall", "Precision", self)
        self._arrange()
        self.classes.currentIndexChanged.connect(self._choose)
        self.slider.valueChanged.connect(self._move)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(PlainLabel("Class", self))
        top.addWidget(self.classes, 1)
        row = QHBoxLayout()
        row.addWidget(PlainLabel("Threshold", self))
        row.addWidget(self.slider, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(top)
        layout.addWidget(self.areas)
        layout.addWidget(self.roc, 1)
        layout.addWidget(self.precision_recall, 1)
        layout.addLayout(row)
        layout.addWidget(self.told)

    def begin(self, evaluated: Evaluated) -> None:
        """Show the curves of a report that has some."""
        self._evaluated = None
        self.classes.clear()
        names = evaluated.predictions.names
        for number, name in enumerate(names):
            if name in evaluated.report.roc:
                self.classes.addItem(name, number)
        self._evaluated = evaluated
        self.slider.setValue(_STEPS // 2)
        self._choose()

    @property
    def _curves(self) -> tuple[Curve, Curve]:
        assert self._evaluated is not None
        name = self._evaluated.predictions.names[self.classes.currentData()]
        return self._evaluated.report.roc[name], self._evaluated.report.precision_recall[name]

    @Slot()
    def _choose(self) -> None:
        if self._evaluated is None or self.classes.currentData() is None:
            return
        self._thresholds = thresholds_of(self._evaluated.inspection, self.classes.currentData())
        roc, precision_recall = self._curves
        self.areas.setText(f"Area under ROC {roc.area:.3f} · average precision {precision_recall.area:.3f}")
        self._move()

    @Slot()
    def _move(self) -> None:
        if self._thresholds is None or self._evaluated is None:
            return
        threshold = self.slider.value() / _STEPS
        cut = self._cut = self._thresholds.at(threshold)
        self.told.setText(
            f"From {threshold:.3f} on: precision {cut.precision:.3f}, recall {cut.recall:.3f}, F1 {cut.f1:.3f}\n"
            f"{cut.hits:,} found, {cut.misses:,} missed, {cut.false_alarms:,} false alarms, "
            f"{cut.right_noes:,} rightly left out"
        )
        self.roc.draw((0, 1), (0, 1), self._draw_roc)
        self.precision_recall.draw((0, 1), (0, 1), self._draw_precision_recall)

    def _draw_roc(self, plot: XYPlot, colors: Theme) -> None:
        assert self._cut is not None
        curve = self._curves[0]
        plot.line((0, 1), (0, 1), colors.plot_axis, dashed=True)
        plot.line(curve.x, curve.y, colors.plot_train)
        plot.dots([self._cut.false_alarm_rate], [self._cut.recall], colors.plot_validation, 9)

    def _draw_precision_recall(self, plot: XYPlot, colors: Theme) -> None:
        assert self._cut is not None
        curve = self._curves[1]
        plot.line(curve.x, curve.y, colors.plot_train)
        if self._cut.hits + self._cut.false_alarms:  # without any yes there is no precision
            plot.dots([self._cut.recall], [self._cut.precision], colors.plot_validation, 9)
