"""Whether answers are as sure as they are right, and what a temperature makes of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from studio.ui.evaluation.xy_plot import XYPlot
from studio.ui.theme import Theme
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.classes import Calibration
    from studio.ui.evaluation.work import Evaluated, Tempered

_ABOUT = "On the dashed line, answers that are 80 % sure are right in 80 % of the cases. Below it they are too sure."


class CalibrationPanel(QWidget):
    """The reliability diagram, before and after."""

    temperature_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calibrationPanel")
        self._before: Calibration | None = None
        self._after: Calibration | None = None
        self._split = ""
        self.told = PlainLabel(parent=self)
        self.told.setObjectName("calibrationTold")
        self.plot = XYPlot("reliabilityPlot", "Sureness", "Right answers", self)
        self.button = QPushButton("Find the temperature", self)
        self.button.setObjectName("findTemperature")
        self.button.setAccessibleName("Find the temperature on the validation split")
        self.button.setToolTip("Divides the raw scores by the number that fits the validation split best.")
        self.button.clicked.connect(self.temperature_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(PlainLabel(_ABOUT, self, color="node_muted"))
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.told)
        layout.addWidget(self.button)

    def begin(self, evaluated: Evaluated) -> None:
        """Show the calibration of a report that has one."""
        assert evaluated.report.calibration is not None
        self._before, self._after, self._split = evaluated.report.calibration, None, evaluated.predictions.split
        self.told.setText(f"Expected calibration error {self._before.error:.4f}")
        self._draw()

    def show_tempered(self, tempered: Tempered) -> None:
        """Show what the temperature makes of it, beside what was before."""
        assert self._before is not None
        self._after = tempered.after
        sure = "less" if tempered.temperature > 1 else "more"
        same = " It was found on these very samples, so it looks better than it is." * (self._split == "validation")
        self.told.setText(
            f"Expected calibration error {self._before.error:.4f} before, {tempered.after.error:.4f} after (orange): "
            f"the scores divided by {tempered.temperature:.3f} are {sure} sure.{same}"
        )
        self._draw()

    def _draw(self) -> None:
        self.plot.draw((0, 1), (0, 1), self._paint)

    def _paint(self, plot: XYPlot, colors: Theme) -> None:
        plot.line((0, 1), (0, 1), colors.plot_axis, dashed=True)
        for found, color in ((self._before, colors.plot_train), (self._after, colors.plot_validation)):
            if found is not None:
                plot.line(found.confidences, found.accuracies, color)
                plot.dots(found.confidences, found.accuracies, color, 7)
