"""The Train place: settings, live plots, the decision surface, figures, result and log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from studio.training.errors import MemoryShortageError
from studio.training.events import (
    Changed,
    EpochEnded,
    Event,
    Finished,
    NotFinite,
    Plane,
    Preparing,
    Progress,
    Started,
    Surface,
)  # fmt: skip
from studio.ui.document import Document
from studio.ui.panels.figures import Figures
from studio.ui.panels.log import Log
from studio.ui.panels.plots import TRAIN, VALIDATION, CurvePlot
from studio.ui.panels.result_bar import ResultBar
from studio.ui.panels.settings_form import SettingsForm
from studio.ui.wording import changed_text, metric_title

if TYPE_CHECKING:
    from studio.ui.panels.surface_panel import SurfacePanel


class TrainPlace(QWidget):
    """Shows a run while it goes and how it ended."""

    export_requested = Signal()
    continue_requested = Signal()  # the latest run shall go on
    smaller_requested = Signal(object)  # the same, after this MemoryShortageError with less memory
    weights_requested = Signal()  # other ones to start from
    rate_wanted = Signal()  # a learning rate is to be looked for
    change_wanted = Signal()  # of the run under way, to the settings as they are now

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trainPlace")
        self.loss_plot = CurvePlot("lossPlot", "Loss", self)
        self.metric_plot = CurvePlot("metricPlot", "Accuracy", self)
        self.metric_plot.begin("Accuracy", epochs=1, percent=True)
        self.figures = Figures(self)
        self.result_bar = ResultBar(self)
        self.log = Log(self)
        self.surface: SurfacePanel | None = None
        self._has_plane = False
        self._curves = _Curves(self.loss_plot, self.metric_plot)
        self.result_bar.export_requested.connect(self.export_requested)
        self.result_bar.continue_requested.connect(self.continue_requested)
        self.result_bar.smaller_requested.connect(self.smaller_requested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.form = SettingsForm(document, self)
        self.form.weights.choose_requested.connect(self.weights_requested)
        self.form.find_requested.connect(self.rate_wanted)
        self.form.apply_requested.connect(self.change_wanted)
        layout.addWidget(self._build_columns(self.form))

    def _build_columns(self, form: SettingsForm) -> QSplitter:
        plots = QWidget(self)
        plot_layout = QVBoxLayout(plots)
        plot_layout.setContentsMargins(8, 8, 8, 4)
        plot_layout.addWidget(self.loss_plot, 1)
        plot_layout.addWidget(self.metric_plot, 1)
        self._upper = _splitter(Qt.Orientation.Horizontal, (plots, self.figures), (1, 0))
        upper = QWidget(self)
        upper_layout = QVBoxLayout(upper)
        upper_layout.setContentsMargins(0, 0, 0, 0)
        upper_layout.setSpacing(0)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 8, 8, 0)
        bar.addWidget(self.result_bar)
        upper_layout.addLayout(bar)
        upper_layout.addWidget(self._upper, 1)
        right = _splitter(Qt.Orientation.Vertical, (upper, self.log), (1, 0))
        right.setSizes([10_000, 130])
        columns = _splitter(Qt.Orientation.Horizontal, (form, right), (0, 1))
        columns.setSizes([290, 10_000])
        return columns

    @Slot()
    def load_plots(self) -> None:
        """Put the real plots in place, once pyqtgraph is loaded."""
        self.loss_plot.load()
        self.form.show_loaded()
        QTimer.singleShot(0, self.metric_plot, self.metric_plot.load)  # a turn of its own: each takes 15 ms

    @Slot(object)
    def show_events(self, events: list[Event]) -> None:
        """Take in what happened since the last time."""
        for event in events:
            if isinstance(event, Started):
                self.result_bar.begin()
            elif isinstance(event, NotFinite):
                self.result_bar.note_cause(event)
            elif isinstance(event, Finished):
                self.result_bar.show_finished(event)
        self._curves.show_events(events)
        self._show_surface(events)
        self.figures.show_events(events)
        self.log.show_events(events)

    def _show_surface(self, events: list[Event]) -> None:
        """Show the decision surface of a run that has one, and no empty panel for one that has none."""
        for event in events:
            if isinstance(event, Started):
                self._has_plane = False
            elif isinstance(event, Plane):
                self._has_plane = True
                self._surface_panel.begin(event)
            elif isinstance(event, Surface):
                self._surface_panel.show_surface(event)
        # A plane is told right after the start, but may arrive with the next events.
        if self.surface is not None and not isinstance(events[-1], Preparing | Started):
            self.surface.setVisible(self._has_plane)

    @property
    def _surface_panel(self) -> SurfacePanel:
        """Made when it is needed first: most data has no surface."""
        if self.surface is None:
            from studio.ui.panels.surface_panel import SurfacePanel

            self.surface = SurfacePanel(self)
            self._upper.insertWidget(1, self.surface)
            self._upper.setStretchFactor(1, 1)
            plots, _, figures = self._upper.sizes()
            self._upper.setSizes([plots // 2, plots // 2, figures])
        return self.surface

    def show_failure(self, message: str, *, can_continue: bool = False) -> None:
        """Say why a run broke off; the log keeps it."""
        self.log.write(message)
        self.result_bar.show_failure(message, can_continue=can_continue)

    @Slot(object)
    def show_shortage(self, error: MemoryShortageError) -> None:
        """Say that memory ran out; the log keeps it."""
        self.log.write(str(error))
        self.result_bar.show_shortage(error)


class _Curves:
    """Turns events into points of the two plots."""

    def __init__(self, loss_plot: CurvePlot, metric_plot: CurvePlot) -> None:
        self._loss_plot = loss_plot
        self._metric_plot = metric_plot
        self._metric = ""
        self._steps_per_epoch = 1
        self._progressed_epoch = 0

    def show_events(self, events: list[Event]) -> None:
        points: dict[tuple[CurvePlot, str], list[tuple[float, float]]] = {}

        def put(curve: str, epoch: float, loss: float, score: float) -> None:
            points.setdefault((self._loss_plot, curve), []).append((epoch, loss))
            points.setdefault((self._metric_plot, curve), []).append((epoch, score))

        for event in events:
            match event:
                case Started():
                    points.clear()
                    self._begin(event)
                case Changed():
                    for plot in (self._loss_plot, self._metric_plot):
                        plot.mark(event.step / self._steps_per_epoch, changed_text(event))
                case Progress():
                    self._progressed_epoch = event.epoch
                    put(TRAIN, event.step / self._steps_per_epoch, event.loss, event.score)
                case EpochEnded():
                    if self._progressed_epoch < event.epoch:  # so short that no Progress was due in it
                        put(TRAIN, event.epoch, event.train["loss"], event.train[self._metric])
                    put(VALIDATION, event.epoch, event.validation["loss"], event.validation[self._metric])
        for (plot, curve), new in points.items():
            plot.add(curve, new)

    def _begin(self, event: Started) -> None:
        self._metric = event.metric
        self._steps_per_epoch = event.steps_per_epoch
        self._progressed_epoch = 0
        self._loss_plot.begin("Loss", epochs=event.epochs)
        self._metric_plot.begin(metric_title(event.metric), epochs=event.epochs, percent=event.metric == "accuracy")


def _splitter(orientation: Qt.Orientation, parts: tuple[QWidget, ...], stretches: tuple[int, ...]) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    for i, (part, stretch) in enumerate(zip(parts, stretches, strict=True)):
        splitter.addWidget(part)
        splitter.setStretchFactor(i, stretch)
    return splitter
