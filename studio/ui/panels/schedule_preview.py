"""A small curve: how the learning rate will move in the course of a run."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.settings import TrainingSettings
from studio.settings.schedules import Plateau, preview
from studio.ui import theme
from studio.ui.wording import count

_HEIGHT = 64  # pixels
_MARGIN = 6


class SchedulePreview(QWidget):
    """Draws the rate from the first epoch to the last; hidden where it never moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("schedulePreview")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.points: list[tuple[float, float]] = []
        self._epochs = 1

    def sizeHint(self) -> QSize:
        return QSize(160, _HEIGHT)

    def show_settings(self, settings: TrainingSettings) -> None:
        """Draw the schedule of other settings."""
        schedule, rate = settings.schedule, settings.optimizer.learning_rate
        self.setVisible(not schedule.is_constant)
        self._epochs = settings.epochs
        self.points = [] if schedule.is_constant else preview(schedule, settings.epochs)
        self.setAccessibleName(f"Learning rate over {count(settings.epochs, 'epoch')}")
        factors = [factor for _, factor in self.points] or [1.0]
        falls = " It falls further when the validation loss stands still." if isinstance(schedule, Plateau) else ""
        self.setToolTip(
            f"The learning rate over {settings.epochs} epochs: from {rate * min(factors):.3g} to "
            f"{rate * max(factors):.3g}; at the end {rate * factors[-1]:.3g}.{falls}"
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self.rect().adjusted(0, 0, -1, -1)
        painter.setPen(colors.plot_grid)
        painter.setBrush(colors.plot)
        painter.drawRoundedRect(frame, 4, 4)
        width, height = frame.width() - 2 * _MARGIN, frame.height() - 2 * _MARGIN
        curve = QPolygonF(
            [
                QPointF(_MARGIN + width * epoch / self._epochs, _MARGIN + height * (1.0 - factor))
                for epoch, factor in self.points
            ]
        )
        painter.setPen(QPen(colors.plot_train, 1.5))
        painter.drawPolyline(curve)
