"""Answers that are numbers: against the truth, and how far they miss it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from studio.ui.evaluation.xy_plot import XYPlot
from studio.ui.theme import Theme
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.ui.evaluation.work import Evaluated

MOST_DOTS = 5_000
_BINS = 40


class NumbersPanel(QWidget):
    """A parity plot and a histogram of what is missed, of one number at a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("numbersPanel")
        self._evaluated: Evaluated | None = None
        self.numbers = QComboBox(self)
        self.numbers.setObjectName("plottedNumber")
        self.numbers.setAccessibleName("Number that is plotted")
        self.parity = XYPlot("parityPlot", "Truth", "Answer", self)
        self.residuals = XYPlot("residualPlot", "Answer minus truth", "Samples", self)
        self.told = PlainLabel(parent=self, color="node_muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.numbers)
        layout.addWidget(self.parity, 1)
        layout.addWidget(self.residuals, 1)
        layout.addWidget(self.told)
        self.numbers.currentIndexChanged.connect(self._show)

    def begin(self, evaluated: Evaluated) -> None:
        """Show the answers of a report on numbers."""
        self._evaluated = None
        self.numbers.clear()
        names, answers = evaluated.predictions.names, evaluated.inspection.answers
        assert answers is not None
        self.numbers.addItems(list(names) if len(names) == answers.shape[1] else ["All places"])
        self.numbers.setVisible(self.numbers.count() > 1)
        self._evaluated = evaluated
        self._show()

    def _values(self) -> tuple[np.ndarray, np.ndarray]:
        """Truth and answer, of as many samples as can be looked at."""
        assert self._evaluated is not None
        inspection = self._evaluated.inspection
        assert inspection.answers is not None
        assert inspection.targets is not None
        column = slice(None) if self.numbers.count() == 1 else [self.numbers.currentIndex()]
        return inspection.targets[:, column].reshape(-1), inspection.answers[:, column].reshape(-1)

    @Slot()
    def _show(self) -> None:
        if self._evaluated is None or self.numbers.currentIndex() < 0:
            return
        truth, answer = self._values()
        some = np.unique(np.linspace(0, len(truth) - 1, min(len(truth), MOST_DOTS)).astype(np.int64))
        self._dots = truth[some], answer[some]
        self._counts, edges = np.histogram(answer - truth, _BINS)
        self._middles, self._width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
        ends = (float(min(truth.min(), answer.min())), float(max(truth.max(), answer.max())))
        self._ends = ends if ends[1] > ends[0] else (ends[0] - 0.5, ends[1] + 0.5)
        self.parity.draw(self._ends, self._ends, self._draw_parity)
        self.residuals.draw((float(edges[0]), float(edges[-1])), (0, float(self._counts.max())), self._draw_residuals)
        self.told.setText(f"{len(some):,} of {len(truth):,} drawn" if len(some) < len(truth) else "")
        self.told.setVisible(bool(self.told.text()))

    def _draw_parity(self, plot: XYPlot, colors: Theme) -> None:
        plot.line(self._ends, self._ends, colors.plot_axis, dashed=True)
        plot.dots(*self._dots, colors.plot_train, 4)

    def _draw_residuals(self, plot: XYPlot, colors: Theme) -> None:
        plot.bars(self._middles, self._counts, self._width, colors.plot_train)
        plot.line((0, 0), (0, float(self._counts.max())), colors.plot_validation, dashed=True)
