"""What each feature is worth for the answers to the split, and how the answers depend on one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QScrollArea, QSpinBox, QVBoxLayout, QWidget

from studio.evaluation.explain.importance import LOSS, features_of, has_dependence, scores_of
from studio.ui import theme
from studio.ui.evaluation.xy_plot import XYPlot
from studio.ui.theme import Theme
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.explain.importance import Dependence, Importance, Importances
    from studio.ui.evaluation.work import Evaluated

_LINE = 24  # pixels of a row
_TITLES = {"accuracy": "Accuracy", "mae": "Mean absolute error", LOSS: "Loss"}
_MOST_CURVES = 10  # of classes or numbers
_ABOUT = "Shuffles the values of one feature after the other among the samples: what is lost is what it is worth."


class ImportancePanel(QWidget):
    """Bars of features, the most important first; the chosen one has its curve below."""

    importance_wanted = Signal(str, int)  # score, how often each feature is shuffled
    dependence_wanted = Signal(object)  # Feature
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("importancePanel")
        self._measuring = False
        self._curves: frozenset[str] = frozenset()  # names of the features that have one
        self._dependence: Dependence | None = None
        self.scores = QComboBox(self)
        self.scores.setObjectName("importanceScore")
        self.scores.setAccessibleName("Score that is measured")
        self.repeats = QSpinBox(self)
        self.repeats.setObjectName("importanceRepeats")
        self.repeats.setAccessibleName("How often each feature is shuffled")
        self.repeats.setRange(1, 100)
        self.repeats.setValue(5)
        self.repeats.setSuffix(" times")
        self.button = QPushButton("Measure", self)
        self.button.setObjectName("measureImportance")
        self.button.setAccessibleName("Measure what each feature is worth")
        self.button.setToolTip(_ABOUT)
        self.told = PlainLabel(_ABOUT, self, color="node_muted")
        self.told.setObjectName("importanceTold")
        self.bars = ImportanceBars(self)
        self.curve = XYPlot("dependencePlot", "Value", "Mean answer", self)
        self.curve_told = PlainLabel(parent=self, color="node_muted")
        self.curve_told.setObjectName("dependenceTold")
        self._arrange()
        self.button.clicked.connect(self._press)
        self.bars.chosen.connect(self._choose)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.scores, 1)
        top.addWidget(self.repeats)
        top.addWidget(self.button)
        scroll = QScrollArea(self)
        scroll.setObjectName("importanceScroll")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(self.bars)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(top)
        layout.addWidget(self.told)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.curve, 1)
        layout.addWidget(self.curve_told)

    def begin(self, evaluated: Evaluated) -> None:
        """Another split or network: nothing is measured yet."""
        trained = evaluated.trained
        self._curves = frozenset(each.name for each in features_of(trained) if has_dependence(trained, each))
        self.scores.clear()
        for name in scores_of(trained):
            self.scores.addItem(_TITLES.get(name, name), name)
        self.bars.show_importances(None)
        self.told.setText(_ABOUT)
        self.curve.hide()
        self.curve_told.setText("")

    @Slot()
    def _press(self) -> None:
        if self._measuring:
            self.cancel_wanted.emit()
        else:
            self.importance_wanted.emit(self.scores.currentData(), self.repeats.value())

    @Slot(int)
    def _choose(self, number: int) -> None:
        found = self.bars.found
        if found is not None and found.found[number].feature.name in self._curves:
            self.dependence_wanted.emit(found.found[number].feature)

    def show_busy(self, busy: bool, *, measuring: bool) -> None:
        """Whether something is under way, and whether it is this: then the button gives it up."""
        self._measuring = busy and measuring
        self.button.setText("Cancel" if self._measuring else "Measure")
        self.button.setEnabled(not busy or measuring)
        self.bars.setEnabled(not busy)

    def show_importances(self, found: Importances) -> None:
        """Show what was measured, and choose the first."""
        self.bars.show_importances(found)
        self.told.setText(_told_text(found) + " Click one for its curve." * bool(self._curves))
        self.curve.hide()
        self.curve_told.setText("")

    def show_refusal(self, reason: str) -> None:
        """Why there is nothing to show."""
        (self.told if self.bars.found is None else self.curve_told).setText(reason)

    def show_dependence(self, found: Dependence) -> None:
        """Show how the answers depend on a feature."""
        self._dependence = found
        shown = found.means[:, :_MOST_CURVES]
        low, high = float(found.low[:, :_MOST_CURVES].min()), float(found.high[:, :_MOST_CURVES].max())
        if shown.shape[1] > 1:
            low, high = float(shown.min()), float(shown.max())
        ends = (low, high) if high > low else (low - 0.5, high + 0.5)
        self.curve.set_labels(found.feature.name, found.names[0] if len(found.names) == 1 else "Mean answer")
        self.curve.show()
        self.curve.draw((float(found.points[0]), float(found.points[-1])), ends, self._draw_curve)
        self.curve_told.setText(_dependence_text(found))

    def _draw_curve(self, plot: XYPlot, colors: Theme) -> None:
        found = self._dependence
        assert found is not None
        count = min(found.means.shape[1], _MOST_CURVES)
        for number in range(count):
            color = colors.plot_train if count == 1 else colors.class_color(number)
            if found.labels:  # categories are in no order, so nothing lies between them
                plot.dots(found.points, found.means[:, number], color, 8)
                if count == 1:
                    for point, low, high in zip(found.points, found.low[:, 0], found.high[:, 0], strict=True):
                        plot.line((point, point), (low, high), color, dashed=True)
                continue
            if count == 1:
                for edge in (found.low, found.high):
                    plot.line(found.points, edge[:, number], color, dashed=True)
            plot.line(found.points, found.means[:, number], color, width=2.0)


def _told_text(found: Importances) -> str:
    title = _TITLES.get(found.score, found.score)
    worse = "falls" if found.score == "accuracy" else "rises"
    return (
        f"{title} {found.before:.4g} on {found.samples:,} samples of the {found.split} split. A bar tells by how much "
        f"it {worse} when a feature is shuffled, the line on it how much that varies. Features that say the same stand "
        "in for each other."
    )


def _dependence_text(found: Dependence) -> str:
    words = f"The mean answer when “{found.feature.name}” has the same value in all samples"
    if len(found.names) == 1:
        words += f"; 80 % of the samples lie {'on' if found.labels else 'between'} the dashed lines"
    else:
        words += f"; a colour for each of {', '.join(f'“{name}”' for name in found.names[:_MOST_CURVES])}"
    if found.labels:
        words += ". " + ", ".join(f"{number} is {label}" for number, label in enumerate(found.labels[:12]))
    return f"{words}. Values may be put together that never go together in the data."


class ImportanceBars(QWidget):
    """One row for each feature: name, bar with its spread, drop."""

    chosen = Signal(int)  # number of the row

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("importanceBars")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.found: Importances | None = None
        self.row = -1  # that is chosen

    def show_importances(self, found: Importances | None) -> None:
        """Show these, or nothing."""
        self.found, self.row = found, -1
        parts = found.found if found is not None else ()
        self.setAccessibleName("; ".join(["What features are worth", *map(_text, parts)]))
        self.setMinimumHeight(_LINE * len(parts))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, max(self.minimumHeight(), _LINE))

    def choose(self, row: int) -> None:
        """Choose a row, as by a click."""
        if self.found is not None and 0 <= row < len(self.found.found):
            self.row = row
            self.update()
            self.chosen.emit(row)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.choose(int(event.position().y() // _LINE))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.choose(self.row + step)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.found is None:
            return
        painter = QPainter(self)
        try:
            self._paint(painter, self.found.found, theme.current())
        finally:
            painter.end()

    def _paint(self, painter: QPainter, parts: tuple[Importance, ...], colors: Theme) -> None:
        metrics = self.fontMetrics()
        values = max(metrics.horizontalAdvance(_value(each)) for each in parts)
        names = 0.35 * self.width()
        room = max(self.width() - names - values - 24, 20.0)
        ends = np.array([(each.mean - each.spread, each.mean + each.spread) for each in parts])
        low, high = min(float(ends.min()), 0.0), max(float(ends.max()), 1e-30)

        def across(value: float) -> float:
            return names + 8 + (value - low) / (high - low) * room

        for line, each in enumerate(parts):
            place = QRectF(0, line * _LINE, self.width(), _LINE)
            if line == self.row:
                painter.fillRect(place, self.palette().alternateBase())
            painter.setPen(colors.node_text)
            text = metrics.elidedText(each.feature.name, Qt.TextElideMode.ElideMiddle, int(names))
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, place.top(), names, _LINE), flags, text)
            painter.drawText(place.adjusted(0, 0, -4, 0), flags, _value(each))
            bar = QRectF(
                QPointF(across(0), place.top() + 6), QPointF(across(each.mean), place.bottom() - 6)
            ).normalized()
            painter.fillRect(bar, colors.plot_validation if each.mean >= 0 else colors.plot_train)
            painter.setPen(QPen(colors.node_text, 1))
            middle = place.center().y()
            start, end = across(each.mean - each.spread), across(each.mean + each.spread)
            painter.drawLine(QPointF(start, middle), QPointF(end, middle))
        painter.setPen(colors.plot_axis)
        painter.drawLine(QPointF(across(0), 0), QPointF(across(0), _LINE * len(parts)))


def _text(each: Importance) -> str:
    return f"{each.feature.name} {_value(each)}"


def _value(each: Importance) -> str:
    return f"{each.mean:.3g} ± {each.spread:.2g}"
