"""Looks for a learning rate in a thread, shows how the loss moves, and offers what was found."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QProgressBar, QPushButton, QVBoxLayout, QWidget

from studio.project import Project
from studio.settings.rates import RatePoint, Suggestion
from studio.training.control import Control
from studio.ui.background import BackgroundTask, Report
from studio.ui.panels.rate_view import RateView
from studio.ui.widgets.plain_text import PlainLabel

_ABOUT = (
    "A copy of the network does a few steps, each with a higher learning rate, until the loss explodes. Neither the "
    "project nor a run is touched."
)


class RateDialog(QDialog):
    """Begins to look when it is made.

    Args:
        project: as it is now.
        data_folder: where the person keeps the files of its dataset; None for the studio's cache.
    """

    chosen = Signal(float)  # the rate to use

    def __init__(self, project: Project, data_folder: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rateDialog")
        self.setWindowTitle("Find a learning rate")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 420)
        self.suggestion: Suggestion | None = None
        self._points: list[RatePoint] = []
        self._arrived: deque[RatePoint] = deque()  # appending and popping need no lock
        self.view = RateView(self)
        self.text = PlainLabel("Reading the data…", self)
        self.text.setObjectName("rateText")
        self.progress = QProgressBar(self)
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.use = QPushButton("Use", self)
        self.use.setObjectName("useRate")
        self.use.setEnabled(False)
        self.use.clicked.connect(self._use)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.use, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(PlainLabel(_ABOUT, self, color="node_muted"))
        layout.addWidget(self.view, 1)
        for widget in (self.progress, self.text, buttons):
            layout.addWidget(widget)
        self._task: BackgroundTask | None = None
        self._start(project, data_folder)

    def _start(self, project: Project, data_folder: Path | None) -> None:
        arrived = self._arrived

        def work(report: Report) -> object:
            from studio.training.rate_finder import STEPS, find_rate  # loads torch

            def take(point: RatePoint) -> None:
                arrived.append(point)
                report(0, STEPS)

            return find_rate(project, Control(), take, data_folder, report)

        task = self._task = BackgroundTask(work, self)
        task.progressed.connect(self._show_points)
        task.finished.connect(self._finish)
        task.start()

    @Slot()
    def _show_points(self) -> None:
        while self._arrived:
            self._points.append(self._arrived.popleft())
        if self._points:
            last = self._points[-1]
            self.text.setText(f"Loss {last.loss:.4g} at a learning rate of {last.rate:.1e}")
            self.view.draw(self._points)

    @Slot()
    def _finish(self) -> None:
        task, self._task = self._task, None
        assert task is not None
        self._show_points()
        self.progress.hide()
        if task.error is not None:
            self.text.setText(str(task.error))
            return
        assert isinstance(task.result, tuple)
        points, suggestion = task.result
        self.suggestion = suggestion
        self.view.draw(points, suggestion.rate)
        self.text.setText(suggestion.reason)
        if suggestion.rate is not None:
            self.use.setText(f"Use {suggestion.rate:g}")
            self.use.setEnabled(True)
            self.use.setDefault(True)

    @Slot()
    def _use(self) -> None:
        assert self.suggestion is not None
        if self.suggestion.rate is not None:
            self.chosen.emit(self.suggestion.rate)
        self.accept()

    def done(self, result: int) -> None:
        """Close, after the step under way."""
        if self._task is not None:
            task, self._task = self._task, None
            task.finished.disconnect()
            task.cancel()
            task.wait()
        super().done(result)
