"""Plots of a run: the header that names the curves and gives their last values, and what they hold."""

from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.panels.live_plot import LivePlot
from studio.ui.panels.ranges import DecadeRange, DoublingRange

if TYPE_CHECKING:
    from studio.ui.panels.curve_view import CurveView
    from studio.ui.panels.pyramid import MinMaxPyramid

TRAIN, VALIDATION = "train", "validation"
MOST_RUN_POINTS = 500  # of each run behind the curves

Points = list[tuple[float, float]]  # epoch and value, in order

_GAP = 14  # pixels between the parts of the header
_LONGEST_HEADER = "Mean absolute error    ---- Training 0.00000    ---- Validation 0.00000    [ ] Log scale"


class CurvePlot(LivePlot):
    """A titled plot with a training and a validation curve over the epochs.

    It stands empty until `load`. Points arrive through `add`; they are drawn when the plot is visible and it is time.
    Runs that belong together stand behind the curves, each faint, with their mean and all that lies between them.

    Args:
        name: its objectName.
        title: what the curves show, such as "Loss".
    """

    figure_chosen = Signal(str)  # name of the figure that is to be shown

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setMinimumSize(240, 140)
        self._view: CurveView | None = None
        self._curves: dict[str, MinMaxPyramid] = {}
        self._runs: list[Points] = []
        self._drawn_runs: list[Points] | None = None
        self._factor = 1.0
        self.marks: list[tuple[float, str]] = []  # epoch, and what happened there
        self._marked = 0  # of them, how many are drawn
        self._build(title)
        self.begin(title, epochs=1)

    def _build(self, title: str) -> None:
        self._title = QLabel(title, self)
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self.choice = QComboBox(self)
        self.choice.setObjectName(f"{self.objectName()}Choice")
        self.choice.setAccessibleName("Figure that is shown")
        self.choice.setToolTip("Which figure of the validation is shown.")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.activated.connect(lambda index: self.figure_chosen.emit(self.choice.itemData(index)))
        self.choice.hide()
        self._keys = {TRAIN: _Key("Training", self), VALIDATION: _Key("Validation", self)}
        self._log = QCheckBox("Log scale", self)
        self._log.setObjectName(f"{self.objectName()}LogScale")
        self._log.setToolTip("Powers of ten on the vertical axis: small values stay readable.")
        self._log.toggled.connect(self._mark_changed)
        self._legend = QWidget(self)
        legend = QHBoxLayout(self._legend)
        legend.setContentsMargins(0, 0, 0, 0)
        legend.setSpacing(_GAP)
        for key in self._keys.values():
            legend.addWidget(key)
        self._header = QHBoxLayout()
        self._header.setContentsMargins(6, 0, 6, 0)
        self._header.setSpacing(_GAP)
        self._header.addWidget(self._title)
        self._header.addWidget(self.choice)
        self._header.addStretch()
        self._header.addWidget(self._legend)
        self._header.addWidget(self._log)
        self._placeholder = QLabel("The curves appear here once PyTorch has started.", self)
        self._placeholder.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._header)
        layout.addWidget(self._placeholder, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where the plot is narrow the legend has a row of its own, or its figures would be cut off."""
        super().resizeEvent(event)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        is_below = layout.indexOf(self._legend) >= 0
        if (self.width() < self.fontMetrics().horizontalAdvance(_LONGEST_HEADER)) == is_below:
            return
        if is_below:
            layout.removeWidget(self._legend)
            self._header.insertWidget(self._header.indexOf(self._log), self._legend)
        else:
            self._header.removeWidget(self._legend)
            layout.insertWidget(1, self._legend, 0, Qt.AlignmentFlag.AlignRight)

    @property
    def drawn_points(self) -> dict[str, int]:
        """How many points each curve has."""
        return {name: len(curve) for name, curve in self._curves.items()}

    def load(self) -> None:
        """Put the real plot in place; pyqtgraph must be loaded by now."""
        from studio.ui.panels.curve_view import CurveView

        self._view = CurveView(self)
        self._view.setAccessibleName(self.accessibleName())
        self._view.set_vertical_label(self._axis_label)
        layout = self.layout()
        assert layout is not None
        layout.replaceWidget(self._placeholder, self._view)
        self._placeholder.deleteLater()
        self._clear_curves()
        self._mark_changed()

    def begin(self, title: str, *, epochs: int, percent: bool = False) -> None:
        """Forget all points, for a new run.

        Args:
            title: what the curves show.
            epochs: how many the run will have.
            percent: whether values are shares of 1, to be shown as percentages.
        """
        self._title.setText(title)
        self.setAccessibleName(f"{title} over the epochs, training and validation")
        self._axis_label = f"{title} (%)" if percent else title
        self._factor = 100.0 if percent else 1.0
        self._x_range = DoublingRange(top=1.0, limit=float(epochs))
        self._y_range = DoublingRange(top=100.0 if percent else 0.0)
        self._decades = DecadeRange()
        self._runs = []
        self.marks, self._marked = [], -1
        self._log.setHidden(percent)
        self._log.setChecked(self._log.isChecked() and not percent)
        for key in self._keys.values():
            key.set_value("")
        if self._view is not None:
            self._view.set_vertical_label(self._axis_label)
            self._clear_curves()
        self._mark_changed()

    def add_to_header(self, widget: QWidget) -> None:
        """Put something beside the title."""
        self._header.insertWidget(self._header.indexOf(self.choice) + 1, widget)

    def offer(self, figures: dict[str, str], shown: str) -> None:
        """Let the person choose what is shown; the choice takes the place of the title where there is one.

        Args:
            figures: name and title of each.
            shown: the name of the one that `begin` was called for.
        """
        self.choice.clear()
        for name, title in figures.items():
            self.choice.addItem(title, name)
        self.choice.setCurrentIndex(self.choice.findData(shown))
        self.choice.setVisible(len(figures) > 1)
        self._title.setVisible(len(figures) <= 1)

    def set_runs(self, runs: list[Points]) -> None:
        """Show the validation of runs that belong together, behind the curves."""
        self._runs = [[(x, y * self._factor) for x, y in points if math.isfinite(y)] for points in runs]
        self._runs = [points for points in self._runs if points]
        ends = [points[-1][1] for points in self._runs]
        for points in self._runs:
            self._include(points)
        # All begin with the first epoch, so the same ones are left of each.
        every = math.ceil(max(map(len, self._runs), default=1) / MOST_RUN_POINTS)
        self._runs = [points[::every] for points in self._runs]
        if len(ends) > 1:
            percent = " %" if self._factor == 100 else ""
            self._keys[VALIDATION].set_value(f"{fmean(ends):.4g}{percent} ± {stdev(ends):.2g}")
        self._mark_changed()

    def mark(self, epoch: float, text: str) -> None:
        """Note that something happened at an epoch; what happened at the same one shares a line."""
        if self.marks and self.marks[-1][0] == epoch:
            text = f"{self.marks.pop()[1]}\n{text}"
        self.marks.append((epoch, text))
        self._marked = -1
        self._mark_changed()

    def _clear_curves(self) -> None:
        from studio.ui.panels.pyramid import MinMaxPyramid

        self._curves = {TRAIN: MinMaxPyramid(), VALIDATION: MinMaxPyramid()}

    def add(self, curve: str, points: Points) -> None:
        """Append to a curve.

        Args:
            curve: TRAIN or VALIDATION.
            points: (epoch, value) in order; values that are no numbers are left out.
        """
        kept = [(x, y * self._factor) for x, y in points if math.isfinite(y)]
        if not kept:
            return
        epochs, values = [x for x, _ in kept], [y for _, y in kept]
        self._curves[curve].append(epochs, values)
        self._include(kept)
        self._keys[curve].set_value(f"{values[-1]:.4g}{' %' if self._factor == 100 else ''}")
        self._mark_changed()

    def _include(self, points: Points) -> None:
        values = [y for _, y in points]
        self._x_range.include(points[-1][0])
        for ranges in (self._y_range, self._decades):
            ranges.include(max(values))
        self._decades.include(min(values))

    def _draw(self) -> None:
        assert self._view is not None
        if self._drawn_runs is not self._runs:
            self._drawn_runs = self._runs
            self._view.set_runs(self._runs)
        if self._marked != len(self.marks):
            self._marked = len(self.marks)
            self._view.set_marks(self.marks)
        logarithmic = self._log.isChecked()
        self._view.draw(
            self._curves[TRAIN], self._curves[VALIDATION], self._x_range.ends,
            (self._decades if logarithmic else self._y_range).ends, logarithmic=logarithmic,
        )  # fmt: skip


class _Key(QWidget):
    """The legend of one curve: a stroke in its colour, its name and its last value."""

    _STROKE = 16  # pixels
    _GAP = 6

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = name
        self._is_train = name == "Training"
        self._label = QLabel(name, self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(self._STROKE + self._GAP, 0, 0, 0)
        layout.addWidget(self._label)

    def set_value(self, text: str) -> None:
        self._label.setText(f"{self._name} {text}".strip())

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.current()
        painter = QPainter(self)
        painter.setPen(QPen(colors.plot_train if self._is_train else colors.plot_validation, 3))
        middle = self.height() // 2
        painter.drawLine(1, middle, self._STROKE - 1, middle)
