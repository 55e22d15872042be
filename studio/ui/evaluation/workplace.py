"""The Evaluate place with all its panels, made when it is looked at first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from studio.data import registry as datasets
from studio.data.base import Source
from studio.data.listing import Shown
from studio.evaluation.explain.importance import Dependence, Feature, Importances
from studio.runs import RunEntry, list_runs, run_entry, runs_folder
from studio.ui.data_trust import is_trusted
from studio.ui.document import Document
from studio.ui.evaluation.choice_bar import ChoiceBar
from studio.ui.evaluation.empty_page import EmptyPage
from studio.ui.evaluation.explain_form import choices_for
from studio.ui.evaluation.explaining import Asked, work_for
from studio.ui.evaluation.exploration import Exploration
from studio.ui.evaluation.explore_panel import ExplorePanel
from studio.ui.evaluation.marking import Marking
from studio.ui.evaluation.one_task import OneTask, Work
from studio.ui.evaluation.refusals import Refusal, refusal_of
from studio.ui.evaluation.report_tabs import ReportTabs
from studio.ui.evaluation.sample_page import SamplePage
from studio.ui.evaluation.samples_panel import SamplesPanel
from studio.ui.evaluation.work import Bench, Evaluated, UntrustedError, Wanted
from studio.ui.panels.trust_section import trust_here
from studio.ui.preferences import Preferences
from studio.ui.prompts import Prompts
from studio.ui.trying.column import TryColumn
from studio.ui.widgets.plain_text import PlainLabel

_CHANGED = "The data is no longer that of the run, so these figures do not belong to it."
_SIZES = (440, 380, 390)  # pixels of the columns, at first


class Workplace(QWidget):
    """Connects the choice, the report, the samples and the explanation with what works in the thread."""

    train_wanted = Signal()

    report: ReportTabs
    samples: SamplesPanel
    sample: SamplePage

    def __init__(
        self, document: Document, preferences: Preferences, prompts: Prompts, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("evaluateWorkplace")
        self._document = document
        self._preferences = preferences
        self._prompts = prompts
        self._bench = Bench()
        self.complete = False  # whether all panels are made
        self._evaluated: Evaluated | None = None
        self._refusal: Refusal | None = None
        # What the task is: "evaluate", "explain", "compare", "temper", "measure", "map" or "neighbours".
        self._doing = ""
        self._row_wanted = -1  # the sample to choose once its split is evaluated
        self.task = OneTask(self)
        self.listing = OneTask(self)
        self.marking = Marking(document, self)
        self.exploration = Exploration(self._bench, self)
        self.choice = ChoiceBar(self)
        self.empty = EmptyPage(self)
        self.changed = PlainLabel(_CHANGED, self, color="warning")
        self.changed.setObjectName("dataChanged")
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.choice)
        self.trying = TryColumn(
            lambda: self.choice.path, lambda project: preferences.data_folder(project.data.source.kind), self
        )
        self.trying.hide()
        parts = QSplitter(Qt.Orientation.Horizontal, self)
        parts.setObjectName("splitter_trying")
        parts.setChildrenCollapsible(False)
        parts.addWidget(self._pages)
        parts.addWidget(self.trying)
        parts.setStretchFactor(0, 1)
        layout.addWidget(parts, 1)
        self.setEnabled(False)
        # One part in each turn of the event loop: the window would stand still for a moment.
        self._turns = iter((self._make_report, self._make_samples, self._make_sample, self._complete))
        QTimer.singleShot(0, self, self._make_next)

    def _make_next(self) -> None:
        make = next(self._turns, None)
        if make is not None:
            make()
            QTimer.singleShot(0, self, self._make_next)

    def _make_report(self) -> None:
        self.report = ReportTabs(self)
        self.report.hide()

    def _make_samples(self) -> None:
        self.samples = SamplesPanel(self)
        self.samples.hide()

    def _make_sample(self) -> None:
        self.sample = SamplePage(self)
        self.sample.hide()

    def _complete(self) -> None:
        self._arrange()
        self._connect()
        self.complete = True
        self.setEnabled(True)
        self.refresh_runs()

    def _arrange(self) -> None:
        columns = QSplitter(Qt.Orientation.Horizontal, self)
        columns.setObjectName("splitter_evaluation")
        columns.setChildrenCollapsible(False)
        for part in (self.report, self.samples, self.sample):
            columns.addWidget(part)
            part.show()
        for number, stretch in enumerate((3, 3, 2)):
            columns.setStretchFactor(number, stretch)
        columns.setSizes(list(_SIZES))
        results = QWidget(self)
        layout = QVBoxLayout(results)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.changed.setContentsMargins(8, 2, 8, 4)
        layout.addWidget(self.changed)
        layout.addWidget(columns, 1)
        self._results = results
        self._pages.addWidget(results)

    def _connect(self) -> None:
        choice, task = self.choice, self.task
        choice.evaluate_wanted.connect(self.evaluate)
        choice.cancel_wanted.connect(task.cancel)
        choice.other_wanted.connect(self._choose_other)
        choice.try_button.toggled.connect(self.trying.setVisible)
        choice.checkpoints.currentIndexChanged.connect(self.trying.follow)
        choice.export_wanted.connect(self._export)
        task.busy_changed.connect(self._show_busy)
        task.said.connect(self._say)
        task.progressed.connect(choice.show_progress)
        self.report.cell_chosen.connect(self.samples.show_cell)
        self.samples.order.activated.connect(self.report.confusion.clear_choice)
        self.samples.all_button.clicked.connect(self.report.confusion.clear_choice)
        self.report.comparing.compare_wanted.connect(self._compare)
        self.report.temperature_wanted.connect(self._temper)
        self.report.importance_wanted.connect(self._measure)
        self.report.dependence_wanted.connect(self._follow_feature)
        self.report.cancel_wanted.connect(task.cancel)
        self.samples.chosen.connect(self._show_sample)
        self.sample.form.explain_wanted.connect(self._explain)
        self.sample.form.cancel_wanted.connect(task.cancel)
        self.sample.exclude_wanted.connect(lambda sample, out: self.marking.exclude((sample,), out=out))
        self._connect_exploring()
        self._document.project_changed.connect(self._show_division)
        empty = self.empty
        empty.train_wanted.connect(self.train_wanted)
        empty.other_wanted.connect(lambda: self._choose_other(True))
        empty.folder_wanted.connect(self._find_data)
        empty.trust_wanted.connect(self._trust)

    def _connect_exploring(self) -> None:
        samples, marking, actions = self.samples, self.marking, self.samples.marks
        samples.selection_changed.connect(self._show_selected)
        actions.exclude_wanted.connect(lambda out: marking.exclude(samples.selected_samples(), out=out))
        actions.class_wanted.connect(lambda number: marking.give_class(samples.selected_samples(), number))
        actions.later_wanted.connect(lambda note: marking.look_later(samples.selected_samples(), note))
        marking.failed.connect(actions.tell)
        marking.weights_chosen.connect(self.train_wanted)
        self.choice.again_wanted.connect(self._train_again)
        self.exploration.placed.connect(self.sample.show_placed)
        self.exploration.work_wanted.connect(self._begin)
        self.report.explore_made.connect(self._take_explore)

    @Slot(object)
    def _take_explore(self, panel: ExplorePanel) -> None:
        self.exploration.follow(panel)
        panel.cancel_wanted.connect(self.task.cancel)
        panel.sample_chosen.connect(self.samples.choose_place)
        panel.samples_chosen.connect(self.samples.show_some)
        panel.row_chosen.connect(self._choose_row)

    def stop(self) -> None:
        """Give up what is under way, and wait for the threads."""
        self._turns = iter(())
        for task in (self.task, self.listing, self.marking.task):
            task.close()
        self.exploration.close()
        self.trying.close()
        if self.complete:
            self.samples.painter.close()

    # Runs -------------------------------------------------------------------------------------------------------------

    @Slot()
    def refresh_runs(self) -> None:
        """Look which runs there are."""
        if not self.complete:
            return
        self.listing.start(lambda _say, _progress: list_runs(runs_folder()), self._show_runs, self._forget_runs)

    def _show_runs(self, entries: list[RunEntry]) -> None:
        self.choice.show_runs(entries)
        self.report.comparing.show_runs(entries)
        if self._evaluated is None and self._refusal is None and not self.task.busy:
            self._tell_nothing()

    def _forget_runs(self, _error: Exception) -> None:
        self._show_runs([])

    def _tell_nothing(self) -> None:
        if self.choice.has_runs:
            self.empty.tell(
                "Nothing is evaluated yet", "Choose a run and a split above, then press Evaluate. Nothing is changed."
            )
        else:
            self.empty.tell(
                "There is no trained network yet",
                "Train a network first; its run then stands in the list above. Or open a run from elsewhere.",
                "goToTrain", "openOtherRun",
            )  # fmt: skip
        self._pages.setCurrentWidget(self.empty)

    def choose(self, checkpoint: Path) -> None:
        """Choose the run that a checkpoint belongs to, such as the one that just ended."""
        run = checkpoint.parent.parent
        self.choice.choose(run if run_entry(run) is not None else checkpoint)
        self.refresh_runs()

    @Slot(bool)
    def _choose_other(self, folder: bool) -> None:
        path = self._prompts.run_folder(runs_folder()) if folder else self._prompts.run_checkpoint(runs_folder())
        if path is not None:
            self.choice.choose(path)
            if self._evaluated is None:
                self._refusal = None
                self._tell_nothing()

    # Evaluate ---------------------------------------------------------------------------------------------------------

    @Slot()
    def evaluate(self) -> None:
        """Evaluate what is chosen."""
        path = self.choice.path
        if path is None:
            return
        wanted = Wanted(path, self.choice.split, self._data_folders())
        self._begin("evaluate", lambda say, progress: self._bench.evaluate(wanted, say, progress))

    def _data_folders(self) -> dict[str, Path]:
        kinds = {kind: self._preferences.data_folder(kind) for kind in datasets.kinds()}
        return {kind: folder for kind, folder in kinds.items() if folder is not None}

    @Slot()
    def _export(self) -> None:
        """Offer formats for the chosen weights."""
        from studio.ui.panels.export_dialog import ExportDialog, beside_run  # not needed before somebody asks

        path = self.choice.path
        if path is not None:
            ExportDialog(path, beside_run(path), self._prompts, self, self._data_folders()).open()

    @Slot(str, object)
    def _begin(self, doing: str, work: Work) -> None:
        done: dict[str, Callable[[Any], None]] = {
            "evaluate": self._show_evaluated,
            "compare": self.report.comparing.show_compared,
            "temper": self.report.show_tempered,
            "explain": self.sample.show_answer,
            "measure": self._show_measured,
            "map": self.exploration.show_mapped,
            "neighbours": self.exploration.show_near,
        }
        self._doing = doing
        self.task.start(work, done[doing], self._show_failure)

    @Slot(bool)
    def _show_busy(self, busy: bool) -> None:
        explaining = busy and self._doing == "explain"
        self.choice.show_busy(busy and not explaining)
        self.sample.form.show_busy(explaining)
        exploring = busy and self._doing in ("map", "neighbours")
        self.report.show_busy(busy, measuring=busy and self._doing == "measure", exploring=exploring)
        if not busy and self.sample.form.told.text().startswith("Working…"):
            self.sample.form.tell("")

    @Slot(str)
    def _say(self, what: str) -> None:
        if self._doing != "explain":
            self.choice.say(what)
        elif self.task.busy:
            self.sample.form.tell(what)

    def _show_evaluated(self, evaluated: Evaluated) -> None:
        self._evaluated, self._refusal = evaluated, None
        self.marking.begin(evaluated)
        self.exploration.begin(evaluated)
        self.choice.again.setEnabled(True)
        self.changed.setVisible(evaluated.trained.changed)
        self.report.begin(evaluated)
        self.sample.begin(evaluated, choices_for(evaluated.trained, evaluated.predictions.names))
        self._pages.setCurrentWidget(self._results)
        QTimer.singleShot(0, self, lambda: self._show_samples(evaluated))  # a turn of its own

    def _show_samples(self, evaluated: Evaluated) -> None:
        if self._evaluated is evaluated:
            self.samples.begin(evaluated)
            self._show_division()
            if self._row_wanted >= 0:
                self.samples.choose_sample(self._row_wanted)
            self._row_wanted = -1

    def _show_failure(self, error: Exception) -> None:
        refusal = refusal_of(error)
        if self._doing == "explain":
            self.sample.show_refusal(refusal.reason)
        elif self._doing == "compare":
            self.report.comparing.show_refusal(refusal.reason)
        elif self._doing == "temper":
            self.report.show_no_temperature(refusal.reason)
        elif self._doing == "measure":
            if self.report.importance.panel is not None:
                self.report.importance.panel.show_refusal(refusal.reason)
        elif self._doing in ("map", "neighbours"):
            self.exploration.show_refusal(refusal.reason)
        else:
            self.choice.again.setEnabled(False)
            self._evaluated, self._refusal = None, refusal
            self.empty.tell(refusal.heading, refusal.reason, *refusal.buttons)
            self._pages.setCurrentWidget(self.empty)

    @Slot(object)
    def _compare(self, path: Path) -> None:
        first = self._evaluated
        if first is not None:
            self._begin("compare", lambda say, progress: self._bench.compare(first, path, say, progress))

    @Slot()
    def _temper(self) -> None:
        first = self._evaluated
        if first is not None:
            self._begin("temper", lambda say, progress: self._bench.temper(first, say, progress))

    @Slot(str, int)
    def _measure(self, score: str, repeats: int) -> None:
        first = self._evaluated
        if first is not None:
            self._begin("measure", lambda say, progress: self._bench.measure(first, score, repeats, say, progress))

    @Slot(object)
    def _follow_feature(self, feature: Feature) -> None:
        first = self._evaluated
        if first is not None:
            self._begin("measure", lambda say, progress: self._bench.follow(first, feature, say, progress))

    def _show_measured(self, found: Importances | Dependence) -> None:
        panel = self.report.importance.panel
        if panel is None:
            return
        if isinstance(found, Importances):
            panel.show_importances(found)
        else:
            panel.show_dependence(found)

    # One sample -------------------------------------------------------------------------------------------------------

    @Slot(int, object)
    def _show_sample(self, place: int, shown: Shown) -> None:
        if self._doing == "explain":
            self.task.cancel()
        self.sample.show_sample(place, shown)
        self._show_division()
        if self._evaluated is not None:
            self.samples.marks.suggest(self._evaluated.inspection.most_probable(place))
            self.exploration.show_sample(self._evaluated, place)

    @Slot(object)
    def _explain(self, asked: Asked) -> None:
        evaluated, row = self._evaluated, self.sample.row
        if evaluated is not None:
            self._begin("explain", self._bench.alone_at(work_for(evaluated.trained, row, asked)))

    @Slot()
    def _show_division(self) -> None:
        """Tell what the project says of samples."""
        if self._evaluated is None:
            return
        same, data = self.marking.same_data, self.marking.data
        self.samples.show_marks(data if same else None)
        is_out = self.sample.place >= 0 and self.sample.row in data.excluded
        self.sample.show_division(same_data=same, excluded=same and is_out)
        self._show_selected()

    @Slot()
    def _show_selected(self) -> None:
        self.samples.marks.show_selected(self.marking.about(self.samples.selected_samples()))

    @Slot()
    def _train_again(self) -> None:
        if self._evaluated is not None:
            self.marking.start_from(self._evaluated)

    # Exploring --------------------------------------------------------------------------------------------------------

    @Slot(int, str)
    def _choose_row(self, row: int, split: str) -> None:
        """Go to a sample, which may be of another split: that is evaluated first."""
        if self._evaluated is not None and split == self._evaluated.predictions.split:
            self.samples.choose_sample(row)
        else:
            self._row_wanted = row
            self.choice.splits.setCurrentIndex(self.choice.splits.findData(split))
            self.evaluate()

    # What helps on ----------------------------------------------------------------------------------------------------

    @Slot()
    def _find_data(self) -> None:
        source = self._refusal.source if self._refusal is not None else None
        folder = self._prompts.data_folder(source.title) if source is not None else None
        if source is not None and folder is not None:
            self._preferences.set_data_folder(source.kind, folder)
            self.evaluate()

    @Slot()
    def _trust(self) -> None:
        error = self._refusal.error if self._refusal is not None else None
        if isinstance(error, UntrustedError) and self._is_trusted(error.codes, error.source):
            self.evaluate()

    def _is_trusted(self, codes: tuple[str, ...], source: Source | None) -> bool:
        for code in codes:
            if not self._prompts.trust_code("Custom code of the run", code):
                return False
            trust_here(code, lambda reason: self._prompts.tell("The trust is not kept.", reason))
        return source is None or is_trusted(self._prompts, source)
