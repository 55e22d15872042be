"""The Evaluate place with all its panels, made when it is looked at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from studio.ui.evaluation.one_task import OneTask, Work
from studio.ui.evaluation.refusals import Refusal, refusal_of
from studio.ui.evaluation.report_tabs import ReportTabs
from studio.ui.evaluation.sample_page import SamplePage
from studio.ui.evaluation.samples_panel import SamplesPanel
from studio.ui.evaluation.work import Bench, Evaluated, UntrustedError, Wanted
from studio.ui.panels.trust_section import trust_here
from studio.ui.preferences import Preferences
from studio.ui.prompts import Prompts
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
        self._doing = ""  # what the task is: "evaluate", "explain", "compare", "temper" or "measure"
        self.task = OneTask(self)
        self.listing = OneTask(self)
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
        layout.addWidget(self._pages, 1)
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
        self.sample.exclude_wanted.connect(self._exclude)
        self._document.project_changed.connect(self._show_division)
        empty = self.empty
        empty.train_wanted.connect(self.train_wanted)
        empty.other_wanted.connect(lambda: self._choose_other(True))
        empty.folder_wanted.connect(self._find_data)
        empty.trust_wanted.connect(self._trust)

    def stop(self) -> None:
        """Give up what is under way, and wait for the threads."""
        self._turns = iter(())
        self.task.close()
        self.listing.close()
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
        kinds = {kind: self._preferences.data_folder(kind) for kind in datasets.kinds()}
        folders = {kind: folder for kind, folder in kinds.items() if folder is not None}
        wanted = Wanted(path, self.choice.split, folders)
        self._begin("evaluate", lambda say, progress: self._bench.evaluate(wanted, say, progress))

    def _begin(self, doing: str, work: Work) -> None:
        done: dict[str, Callable[[Any], None]] = {
            "evaluate": self._show_evaluated,
            "compare": self.report.comparing.show_compared,
            "temper": self.report.show_tempered,
            "explain": self.sample.show_answer,
            "measure": self._show_measured,
        }
        self._doing = doing
        self.task.start(work, done[doing], self._show_failure)

    @Slot(bool)
    def _show_busy(self, busy: bool) -> None:
        explaining = busy and self._doing == "explain"
        self.choice.show_busy(busy and not explaining)
        self.sample.form.show_busy(explaining)
        self.report.show_busy(busy, measuring=busy and self._doing == "measure")
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
        self.changed.setVisible(evaluated.trained.changed)
        self.report.begin(evaluated)
        self.sample.begin(evaluated, choices_for(evaluated.trained, evaluated.predictions.names))
        self._pages.setCurrentWidget(self._results)
        QTimer.singleShot(0, self, lambda: self._show_samples(evaluated))  # a turn of its own

    def _show_samples(self, evaluated: Evaluated) -> None:
        if self._evaluated is evaluated:
            self.samples.begin(evaluated)
            self._show_division()

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
        else:
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

    @Slot(object)
    def _explain(self, asked: Asked) -> None:
        evaluated, row = self._evaluated, self.sample.row
        if evaluated is not None:
            self._begin("explain", work_for(evaluated.trained, row, asked))

    @property
    def _same_data(self) -> bool:
        """Whether the samples of the project are those of the run."""
        return (
            self._evaluated is not None
            and self._document.project.data.source == self._evaluated.trained.project.data.source
            and not self._evaluated.trained.changed
        )

    @Slot()
    def _show_division(self) -> None:
        """Tell which samples the project leaves out."""
        if self._evaluated is None:
            return
        excluded = self._document.project.data.excluded if self._same_data else ()
        self.samples.show_excluded(excluded)
        is_out = self.sample.place >= 0 and self.sample.row in excluded
        self.sample.show_division(same_data=self._same_data, excluded=is_out)

    @Slot(int, bool)
    def _exclude(self, sample: int, out: bool) -> None:
        data = self._document.project.data
        known = set(data.excluded)
        excluded = tuple(sorted(known | {sample} if out else known - {sample}))
        text = f"{'Leave out' if out else 'Take back'} sample {sample + 1:,}"
        self._document.choose_data(replace(data, excluded=excluded), text, own_step=True)

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
