"""When to draw what a run tells: only what is visible and new, and at most 3 % of the time."""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar

from PySide6.QtCore import QEvent, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

SHARE_OF_TIME = 0.03
_SHORTEST_PAUSE = 1 / 30  # seconds
_DEAR_REDRAW = 0.003  # seconds; one that costs more is done at most 10 times a second
_DEAR_PAUSE = 0.1


def pause_after(redraw_seconds: float, share: float = SHARE_OF_TIME) -> float:
    """How long to wait after a redraw, in seconds, so that drawing takes at most this share of the time."""
    shortest = _DEAR_PAUSE if redraw_seconds > _DEAR_REDRAW else _SHORTEST_PAUSE
    return max(shortest, redraw_seconds / share)


class LivePlot(QWidget):
    """Base of what is drawn again and again while a run goes. A subclass sets `_view`, a PlotView, and has `_draw`."""

    share_of_time: ClassVar[float] = SHARE_OF_TIME  # that drawing may take

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: Any = None  # a PlotView, whose module is loaded behind the shown window
        self._changed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._redraw)

    def _draw(self) -> None:
        """Bring the view up to date."""
        raise AssertionError(f"{type(self).__name__} draws nothing")

    @Slot()
    def _mark_changed(self) -> None:
        self._changed = True
        self._schedule(0.0)

    def _schedule(self, seconds: float) -> None:
        if self._view is not None and self._changed and self.isVisible() and not self._timer.isActive():
            self._timer.start(math.ceil(1000 * seconds))

    @Slot()
    def _redraw(self) -> None:
        if not self._changed:
            return
        started = time.perf_counter()
        self._changed = False
        self._draw()
        # The paint itself follows; the last one tells what it will cost.
        spent = time.perf_counter() - started + self._view.paint_seconds
        self._timer.start(math.ceil(1000 * pause_after(spent, self.share_of_time)))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._schedule(0.0)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._view is not None:
            self._view.retheme()
            self._mark_changed()
