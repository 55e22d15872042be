"""The Train place: settings, live plots, the decision surface, figures, result and log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from studio.training.errors import MemoryShortageError
from studio.training.events import Confusion, Event, Finished, NotFinite, Plane, Preparing, Ranks, Started, Surface
from studio.ui import run_state
from studio.ui.document import Document
from studio.ui.panels.figures import Figures
from studio.ui.panels.log import Log
from studio.ui.panels.plots import CurvePlot
from studio.ui.panels.result_bar import ResultBar
from studio.ui.panels.run_curves import RunCurves
from studio.ui.panels.run_side import RunSide
from studio.ui.panels.settings_form import SettingsForm

if TYPE_CHECKING:
    from studio.ui.panels.confusion_panel import ConfusionPanel
    from studio.ui.panels.ranks_table import RanksTable
    from studio.ui.panels.surface_panel import SurfacePanel
    from studio.ui.preflight_check import PreflightCheck


class TrainPlace(QWidget):
    """Shows a run while it goes and how it ended."""

    export_requested = Signal()
    continue_requested = Signal()  # the latest run shall go on
    smaller_requested = Signal(object)  # the same, after this MemoryShortageError with less memory
    weights_requested = Signal()  # other ones to start from
    node_chosen = Signal(str)  # path of a block to be shown on the canvas
    rate_wanted = Signal()  # a learning rate is to be looked for
    change_wanted = Signal()  # of the run under way, to the settings as they are now

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trainPlace")
        self.loss_plot = CurvePlot("lossPlot", "Loss", self)
        self.metric_plot = CurvePlot("metricPlot", "Accuracy", self)
        self.metric_plot.begin("Accuracy", epochs=1, percent=True)
        self.confusion_button = _confusion_button(self)
        self.confusion_button.toggled.connect(self._open_confusion)
        self.figures = Figures(self)
        self.side = RunSide(document, self.figures, self)
        self.side.node_chosen.connect(self.node_chosen)
        self.result_bar = ResultBar(self)
        self.log = Log(self)
        self.surface: SurfacePanel | None = None
        self.ranks: RanksTable | None = None
        self._has_plane = False
        self._loaded, self._idle = False, True
        self.confusion: ConfusionPanel | None = None
        self._classes: tuple[str, ...] = ()  # whose confusion the run tells
        self._newest_confusion: Confusion | None = None
        self._curves = RunCurves(self.loss_plot, self.metric_plot)
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
        self.metric_plot.add_to_header(self.confusion_button)
        self._upper = _splitter(Qt.Orientation.Horizontal, (plots, self.side), (1, 0))
        upper = QWidget(self)
        upper_layout = QVBoxLayout(upper)
        upper_layout.setContentsMargins(0, 0, 0, 0)
        upper_layout.setSpacing(0)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 8, 8, 0)
        bar.addWidget(self.result_bar)
        upper_layout.addLayout(bar)
        upper_layout.addWidget(self._upper, 1)
        self._upper_layout = upper_layout
        right = _splitter(Qt.Orientation.Vertical, (upper, self.log), (1, 0))
        right.setSizes([10_000, 130])
        columns = _splitter(Qt.Orientation.Horizontal, (self._with_check(form), right), (0, 1))
        columns.setSizes([290, 10_000])
        return columns

    def _with_check(self, form: SettingsForm) -> QWidget:
        """The settings, and below them what checks them before a run."""
        self.check_button = QPushButton("Check before training", self)
        self.check_button.setObjectName("checkButton")
        self.check_button.setEnabled(False)
        self.check_button.setToolTip("Measure time, memory and the first steps of a training, without training.")
        left = QWidget(self)
        layout = QVBoxLayout(left)
        layout.setContentsMargins(0, 0, 0, 8)
        layout.addWidget(form, 1)
        bar = QHBoxLayout()
        bar.setContentsMargins(12, 0, 12, 0)
        bar.addWidget(self.check_button)
        layout.addLayout(bar)
        return left

    def close(self) -> bool:
        """Try nothing any more."""
        self.side.stop()
        return super().close()

    def set_check(self, check: PreflightCheck) -> None:
        """Let the button check, and show what comes of it."""
        self.check_button.clicked.connect(check.start)
        self.side.set_check(check)

    @Slot(str)
    def show_state(self, state: str) -> None:
        """Follow the session: nothing is checked while a run goes, and each begins without processes."""
        if state == run_state.STARTING and self.ranks is not None:
            self.ranks.hide()
        self._idle = state == run_state.IDLE
        self.check_button.setEnabled(self._loaded and self._idle)

    @Slot()
    def load_plots(self) -> None:
        """Put the real plots in place, once pyqtgraph is loaded, and with it PyTorch."""
        self._loaded = True
        self.check_button.setEnabled(self._idle)
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
        self._show_confusion(events)
        self.figures.show_events(events)
        self.side.show_events(events)
        self._show_ranks(events)
        self.log.show_events(events)

    def _show_ranks(self, events: list[Event]) -> None:
        """Show the processes of a run that has several."""
        several = any(isinstance(event, Ranks) for event in events)
        if self.ranks is None and several:
            from studio.ui.panels.ranks_table import RanksTable  # made when it is needed first

            self.ranks = RanksTable(self)
            self._upper_layout.addWidget(self.ranks)
        if self.ranks is not None and several:
            self.ranks.show_events(events)
            self.ranks.show()

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

    def _show_confusion(self, events: list[Event]) -> None:
        """Keep the newest confusion for a panel that may be opened later, and show it in one that is open."""
        for event in events:
            if isinstance(event, Started):
                self._classes, self._newest_confusion = event.classes, None
                self.confusion_button.setVisible(bool(event.classes))
                if self.confusion is not None:
                    self.confusion.begin(event.classes)
                    self.confusion.setVisible(bool(event.classes) and self.confusion_button.isChecked())
            elif isinstance(event, Confusion):
                self._newest_confusion = event
        if self.confusion is not None and self._newest_confusion in events:
            assert self._newest_confusion is not None
            self.confusion.show_confusion(self._newest_confusion)

    @Slot(bool)
    def _open_confusion(self, wanted: bool) -> None:
        if self.confusion is None:
            if not wanted:
                return
            from studio.ui.panels.confusion_panel import ConfusionPanel  # made when it is needed first

            self.confusion = ConfusionPanel(self)
            self.confusion.begin(self._classes)
            self._upper.insertWidget(self._upper.indexOf(self.figures), self.confusion)
            self._upper.setStretchFactor(self._upper.indexOf(self.confusion), 1)
            if self._newest_confusion is not None:
                self.confusion.show_confusion(self._newest_confusion)
        self.confusion.setVisible(wanted)

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


def _confusion_button(parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setObjectName("confusionButton")
    button.setText("Confusion")
    button.setAccessibleName("Show which class is taken for which")
    button.setToolTip("Show which class is taken for which on the validation samples.")
    button.setCheckable(True)
    button.hide()  # until a run has classes
    return button


def _splitter(orientation: Qt.Orientation, parts: tuple[QWidget, ...], stretches: tuple[int, ...]) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    for i, (part, stretch) in enumerate(zip(parts, stretches, strict=True)):
        splitter.addWidget(part)
        splitter.setStretchFactor(i, stretch)
    return splitter
