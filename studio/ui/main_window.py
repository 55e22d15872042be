"""The main window: makes the panels, places them and connects them. No logic of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from studio.data.base import Downloadable
from studio.project import Project
from studio.ui import icons, menus, run_state
from studio.ui.analyzer import Analyzer
from studio.ui.document import Document
from studio.ui.panels.build_place import BuildPlace
from studio.ui.panels.place_rail import PlaceRail
from studio.ui.panels.run_bar import RunBar
from studio.ui.preferences import Preferences
from studio.ui.project_files import ProjectFiles
from studio.ui.prompts import Prompts
from studio.ui.theme import Appearance

if TYPE_CHECKING:
    from studio.runs.interrupted import InterruptedRun
    from studio.ui.ending import LastResort

_MESSAGE_MS = 10_000


class MainWindow(QMainWindow):
    """One window, one open project, at most one run.

    What stands at other places than the first is made by `complete`, when the person sees the window already.

    Args:
        prompts: who answers questions; None for dialogs.
    """

    PLACES = ("Build", "Data", "Train", "Evaluate")

    first_painted = Signal()  # the person sees the window now

    def __init__(
        self, project: Project, path: Path | None, preferences: Preferences, appearance: Appearance,
        prompts: Prompts | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.setObjectName("mainWindow")
        self._painting = False
        self._ending = False  # nobody is there to answer questions
        self.last_resort: LastResort | None = None  # ends the program if closing takes too long
        self.painted_at: float | None = None  # on the clock of time.perf_counter; None until the person sees the window
        self.preferences = preferences
        self.appearance = appearance
        appearance.setParent(self)
        self.prompts = prompts or Prompts(self)
        self.document = Document(project, path, self)
        self.files = ProjectFiles(self.document, preferences, self.prompts, self)
        self.analyzer = Analyzer(self.document, self)
        self.build_place = BuildPlace(self.document, self.analyzer, self)
        self.run_bar = RunBar(self.document, self)
        why_not = "Nothing to export yet: train the network first."
        self.export_action = self._make_action("exportAction", "Export…", "Ctrl+E", why_not, self._export)
        why_not = "PyTorch is still being loaded."
        self.import_action = self._make_action("importAction", "Import network…", "Ctrl+I", why_not, self._import)
        self._place_panels()
        menus.fill_bars(self)
        self._connect_project()
        self.resize(1280, 800)
        self.restoreGeometry(preferences.layout("window"))

    def _place_panels(self) -> None:
        self._rail = PlaceRail(self)
        self._rail.add_place("Build", "place_build", "Draw the network (Ctrl+1)")
        self._rail.add_place("Data", "place_data", "Look at the samples, mend and divide them (Ctrl+2)")
        self._rail.add_place("Train", "place_train", "Settings, curves and figures of the training (Ctrl+3)")
        self._rail.add_place(
            "Evaluate", "place_evaluate", "What a trained network is worth, and where it errs (Ctrl+4)"
        )
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.build_place)
        center = QWidget(self)
        layout = QHBoxLayout(center)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._rail)
        self._column = QVBoxLayout()
        self._column.addWidget(self._stack, 1)
        layout.addLayout(self._column, 1)
        self.setCentralWidget(center)
        self._torch_status = QLabel("Starting PyTorch…", self)
        self._torch_status.setObjectName("torchStatus")
        self.statusBar().addPermanentWidget(self._torch_status)
        self._rail.place_chosen.connect(self.show_place)

    def complete(self) -> None:
        """Make the other places and what trains, and begin to load PyTorch. Called once, after the window was shown."""
        from studio.ui.block_uses import BlockUses
        from studio.ui.canvas.badges import Badges
        from studio.ui.canvas.fitter import Fitter
        from studio.ui.connections import connect_data, connect_samples
        from studio.ui.data_files import DataFiles
        from studio.ui.data_places import DataPlaces
        from studio.ui.data_reader import DataReader
        from studio.ui.evaluation.place import EvaluatePlace
        from studio.ui.file_drops import FileDrops
        from studio.ui.gallery.browser import DataBrowser
        from studio.ui.gallery.problem_search import ProblemSearch
        from studio.ui.own_data import OwnData
        from studio.ui.panels.data_place import DataPlace
        from studio.ui.panels.left_run_bar import LeftRunBar
        from studio.ui.panels.resume_bar import ResumeBar
        from studio.ui.panels.train_place import TrainPlace
        from studio.ui.preflight_check import PreflightCheck
        from studio.ui.run_control import RunControl
        from studio.ui.samples import Samples
        from studio.ui.session import Session
        from studio.ui.torch_loader import TorchLoader
        from studio.ui.transform_trials import TransformTrials
        from studio.ui.unpack_progress import UnpackProgress
        from studio.ui.weights_choice import WeightsChoice

        self.build_place.complete()
        self.run_bar.complete()
        self.own_data = OwnData(self.document, self.preferences, self.prompts, self)
        self.unpack_progress = UnpackProgress(self.own_data, self)
        self.weights_choice = WeightsChoice(self.document, self.prompts, self)
        self._drops = FileDrops(self.files, self.own_data, self.weights_choice, self.prompts, self)
        self.setAcceptDrops(True)
        self.fitter = Fitter(self.document, self.analyzer, self)
        self.build_place.view.fitter = self.fitter
        self.build_place.view.uses = BlockUses(self.preferences)
        self.loader = TorchLoader(self)
        self.session = Session(self)
        self.run_control = RunControl(self.document, self.session, self.preferences, self.prompts, self)
        self.resume_bar = ResumeBar(self.session, self)
        self._column.insertWidget(0, self.resume_bar)
        self.left_runs = LeftRunBar(self.session, self.document, self.files, self.prompts, self)
        self._column.insertWidget(0, self.left_runs)
        self.data_reader = DataReader(self.document, self)
        self.data_browser = DataBrowser(self.document, self.preferences, self)
        self.problem_search = ProblemSearch(self.document, self.preferences, self)
        self.transform_trials = TransformTrials(self.document, self.preferences, self)
        self.data_place = DataPlace(
            self.document, self.data_browser, self.data_reader, self.problem_search, self.transform_trials, self
        )
        self.train_place = TrainPlace(self.document, self)
        self.preflight = PreflightCheck(self.document, self.preferences, self)
        self.train_place.set_check(self.preflight)
        self.train_place.side.set_trying(
            self.session, lambda project: self.preferences.data_folder(project.data.source.kind)
        )
        self.badges = Badges(self.document, self.build_place.scene, self)
        self.evaluate_place = EvaluatePlace(self.document, self.preferences, self.prompts, self)
        for place in (self.data_place, self.train_place, self.evaluate_place):
            self._stack.addWidget(place)
        self.train_place.weights_requested.connect(self.weights_choice.ask)
        self.train_place.form.weights.import_requested.connect(lambda: self.weights_choice.bring_in())
        self.weights_choice.message.connect(self.show_message)
        self.samples = Samples(self.document, self.preferences, self)
        self.data_places = DataPlaces(self.document, self.prompts, self)
        self.data_files = DataFiles(self.preferences, self.prompts, self.run_control.downloads, self)
        self._connect_run()
        connect_data(self)
        connect_samples(self)
        self._connect_loader()

    def _make_action(self, name: str, text: str, shortcut: str, why_not: str, triggered: Callable[[], None]) -> QAction:
        """One that cannot be done yet."""
        action = QAction(text, self)
        action.setObjectName(name)
        action.setShortcut(shortcut)
        action.setEnabled(False)
        action.setToolTip(why_not)
        action.triggered.connect(triggered)
        return action

    def _connect_project(self) -> None:
        self.document.refused.connect(self.show_message)
        self.build_place.message.connect(self.show_message)
        self.document.path_changed.connect(self._show_title)
        self.document.project_changed.connect(self._show_title)
        self.document.history.clean_changed.connect(self._show_title)
        self.files.opened.connect(lambda: self.show_place(0))
        self.files.saved.connect(lambda path: self.show_message(f"Saved {path}."))
        self._show_title()

    def _connect_run(self) -> None:
        bar, place, run = self.run_bar, self.train_place, self.session
        bar.train_requested.connect(self.preflight.give_up)  # before: both would train at the same time
        bar.train_requested.connect(self.run_control.start)
        bar.pause_requested.connect(run.pause)
        bar.resume_requested.connect(run.resume)
        bar.stop_requested.connect(run.stop)
        bar.show_training_place(self.preferences.training_place)
        bar.machines_asked.connect(self.run_control.ask_machines)
        self.run_control.place_chosen.connect(bar.choose_place)
        bar.place_chosen.connect(partial(setattr, self.preferences, "training_place"))
        run.state_changed.connect(bar.show_state)
        run.state_changed.connect(self._follow_run)
        run.events_arrived.connect(bar.show_events)
        run.events_arrived.connect(place.show_events)
        run.events_arrived.connect(self.badges.show_events)
        run.state_changed.connect(place.show_state)
        place.node_chosen.connect(self.build_place.show_node)
        place.node_chosen.connect(lambda: self.show_place(0))
        for failed in (run.failed, self.run_control.failed):
            failed.connect(bar.show_failure)
            failed.connect(self._show_failure)
        self.evaluate_place.follow(run, self.loader)
        self.evaluate_place.train_wanted.connect(lambda: self.show_place(self.PLACES.index("Train")))
        run.memory_short.connect(place.show_shortage)
        run.memory_short.connect(bar.show_failure)
        self.resume_bar.continue_requested.connect(self._continue)
        place.continue_requested.connect(self.run_control.go_on)
        place.smaller_requested.connect(self.run_control.go_on_smaller)
        place.export_requested.connect(self._export)
        place.rate_wanted.connect(self.run_control.find_rate)
        place.change_wanted.connect(self.run_control.change)
        place.change_wanted.connect(self._compare_settings)
        self.build_place.inspector.weights_wanted.connect(self.run_control.downloads.fetch)
        self.run_control.downloads.ended.connect(self._show_download)

    def _connect_loader(self) -> None:
        if self.painted_at is not None:
            self.loader.start()
        else:
            self.first_painted.connect(self.loader.start)
        self.loader.ready.connect(self._show_loaded)
        self.loader.ready.connect(self.train_place.load_plots)
        self.loader.ready.connect(self.resume_bar.refresh)
        self.loader.ready.connect(self.left_runs.refresh)
        # After the plots: its thread would make them take three times as long.
        self.loader.ready.connect(lambda: QTimer.singleShot(0, self.analyzer, self.analyzer.start))
        self.loader.failed.connect(self._show_not_loaded)

    @Slot(object, str)
    def _show_download(self, fetched: Downloadable, error: str) -> None:
        self.show_message(error or f"Downloaded: {fetched.title}.")
        self.build_place.inspector.refresh()

    @Slot(int)
    def show_place(self, number: int) -> None:
        """Switch to a place, by its number in PLACES."""
        self._rail.show_place(number)
        self._stack.setCurrentIndex(number)

    @Slot()
    def show_undo_history(self) -> None:
        """Open the list of all steps, or bring it to the front."""
        from studio.ui.panels.undo_history import UndoHistory  # not needed to show the window

        history = self.findChild(UndoHistory) or UndoHistory(self.document.history, self)
        history.show()
        history.raise_()
        history.activateWindow()

    @Slot()
    def show_analysis_table(self) -> None:
        """Open the table of all blocks, or bring it to the front."""
        from studio.ui.panels.analysis_table import AnalysisTable  # not needed to show the window

        table = self.findChild(AnalysisTable)
        if table is None:
            table = AnalysisTable(self.document, self.analyzer, self.prompts, self)
            table.node_chosen.connect(self.build_place.show_node)
            table.node_chosen.connect(lambda: self.show_place(0))
        table.show()
        table.raise_()
        table.activateWindow()

    @Slot(str)
    def show_message(self, text: str) -> None:
        """Say something in the status bar."""
        self.statusBar().showMessage(text, _MESSAGE_MS)

    @Slot(str)
    def _follow_run(self, state: str) -> None:
        if state == run_state.STARTING:
            self.show_place(self.PLACES.index("Train"))
        self._compare_settings()
        if self.session.checkpoint is not None:
            self.export_action.setEnabled(True)
            self.export_action.setToolTip("Write the trained network to a file for use elsewhere.")

    @Slot(str)
    def _show_failure(self, message: str) -> None:
        self.train_place.show_failure(message, can_continue=self.session.can_go_on)

    @Slot(object)
    def _continue(self, run: InterruptedRun) -> None:
        """Open the project of an interrupted run, and let it go on."""
        self.files.begin_with(run.project)
        if self.document.project is run.project:
            self.resume_bar.take_away(run)
            self.run_control.resume(run.path, run.project)

    @Slot()
    def _compare_settings(self) -> None:
        """Tell the form what the run under way goes by."""
        session = self.session
        self.train_place.form.show_run(session.settings, busy=session.state != run_state.IDLE)

    @Slot()
    def _show_loaded(self) -> None:
        import torch

        self._torch_status.setText(f"PyTorch {torch.__version__}")
        self.run_bar.show_devices(self.loader.devices)
        self.import_action.setEnabled(True)
        self.import_action.setToolTip("Make a project of a network of torchvision or of a Python file.")

    @Slot(str)
    def _show_not_loaded(self, reason: str) -> None:
        self._torch_status.setText("PyTorch could not be started")
        self.prompts.tell("PyTorch could not be started.", reason)

    @Slot()
    def _show_title(self) -> None:
        self.setWindowTitle(f"{self.files.title}[*] – Training Studio")
        self.setWindowModified(not self.document.history.clean)

    @Slot()
    def _export(self) -> None:
        from studio.ui.panels.export_dialog import ExportDialog  # not needed to show the window

        session = self.session
        assert session.checkpoint is not None
        suggestion = self.files.suggest_export()
        ExportDialog(session.checkpoint, suggestion, self.prompts, self, session.data_folder).open()

    @Slot()
    def find_on_hub(self) -> None:
        """Ask for a dataset of Hugging Face's hub."""
        from studio.ui.panels.hub_dialog import HubDialog  # not needed to show the window

        dialog = HubDialog(self)
        dialog.chosen.connect(self.own_data.use)
        dialog.open()

    @Slot()
    def _import(self) -> None:
        from studio.runs.folder import imports_folder  # none of this is needed to show the window
        from studio.ui.panels.import_dialog import ImportDialog

        dialog = ImportDialog(imports_folder(), self.prompts, self)
        dialog.imported.connect(self.files.begin_with)
        dialog.open()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painting:
            self._painting = True
            QTimer.singleShot(0, self._note_painted)  # after all that stands in the window

    def _note_painted(self) -> None:
        self.painted_at = time.perf_counter()
        self.first_painted.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            icons.refresh(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._drops.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self._drops.can_take(event.mimeData()):
            event.acceptProposedAction()
            self._drops.take(event.mimeData())

    @Slot()
    def end(self) -> None:
        """Close without a question: unsaved changes are kept in a file, and a run of its own process goes on."""
        self._ending = True
        self.close()

    def _may_close(self) -> bool:
        if self._ending:
            self.files.keep_unsaved()
            self.run_control.leave()
            return True
        return self.files.may_discard() and self.run_control.may_leave()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close():
            event.ignore()
            return
        from studio.ui.ending import put_away  # not needed to show the window

        put_away(self)
        event.accept()
