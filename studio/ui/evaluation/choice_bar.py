"""What is to be evaluated: a run, one of its checkpoints, and a split."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.runs import RunEntry, run_entry
from studio.ui.evaluation.compare_panel import run_title
from studio.ui.widgets.plain_text import PlainLabel

_OTHER_FOLDER, _OTHER_FILE = "folder", "file"
_CHECKPOINTS = {"best": "Best weights", "last": "Last weights"}
_SPLITS = {"validation": "Validation", "test": "Test", "train": "Train"}
_TEST = (
    "Each look at the test samples is counted: who looks often and keeps what does best there chooses by them. "
    "Look when all is decided."
)


class ChoiceBar(QWidget):
    """The row above the report, with what is being done below it while something is."""

    evaluate_wanted = Signal()
    cancel_wanted = Signal()
    again_wanted = Signal()
    export_wanted = Signal()
    other_wanted = Signal(bool)  # a run that is not in the list: True for a folder, False for a checkpoint's file

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluationChoice")
        self._entries: list[RunEntry] = []
        self._others: list[Path] = []
        self._busy = False
        self._shown = -1  # the row of the chosen run
        self.runs = self._combo("evaluationRun", "Run", 24)
        self.checkpoints = self._combo("evaluationCheckpoint", "Checkpoint", 11)
        self.splits = self._combo("evaluationSplit", "Split", 9)
        for name, title in _SPLITS.items():
            self.splits.addItem(title, name)
        self.button = QPushButton("Evaluate", self)
        self.button.setObjectName("evaluateButton")
        self.button.setAccessibleName("Evaluate")
        self.try_button = QPushButton("Try it", self)
        self.try_button.setObjectName("tryButton")
        self.try_button.setAccessibleName("Try the chosen weights on something of your own")
        self.try_button.setToolTip("Give these weights something of your own, and see what they answer.")
        self.try_button.setCheckable(True)
        self.again = QPushButton("Train again from here", self)
        self.again.setObjectName("trainAgain")
        self.again.setAccessibleName("Train again from these weights")
        self.again.setToolTip("The next run starts from the weights that were evaluated. Nothing is trained yet.")
        self.again.setEnabled(False)
        self.export = QPushButton("Export…", self)
        self.export.setObjectName("evaluationExport")
        self.export.setAccessibleName("Export these weights")
        self.export.setToolTip("Write these weights, or the network with them, to a file for use elsewhere.")
        self.bar = QProgressBar(self)
        self.bar.setObjectName("evaluationProgress")
        self.bar.setAccessibleName("Progress of the evaluation")
        self.bar.setMaximumWidth(220)
        self.said = PlainLabel(parent=self, color="node_muted")
        self.said.setObjectName("evaluationSaid")
        self.warning = PlainLabel(parent=self, color="warning")
        self.warning.setObjectName("evaluationWarning")
        self._arrange()
        self.runs.activated.connect(self._choose_run)
        self.splits.currentIndexChanged.connect(self._show_warning)
        self.button.clicked.connect(self._press)
        self.again.clicked.connect(self.again_wanted)
        self.export.clicked.connect(self.export_wanted)
        self._show_warning()

    def _combo(self, name: str, accessible: str, characters: int) -> QComboBox:
        combo = QComboBox(self)
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(characters)
        return combo

    def _arrange(self) -> None:
        row = QHBoxLayout()
        for widget in (self.runs, self.checkpoints, self.splits, self.button, self.bar):
            row.addWidget(widget)
        row.addWidget(self.said, 1)
        for widget in (self.try_button, self.export, self.again):
            row.addWidget(widget)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.warning)

    # Runs -------------------------------------------------------------------------------------------------------------

    def show_runs(self, entries: list[RunEntry]) -> None:
        """Offer these runs; the choice stays."""
        chosen = self.run
        self._entries = entries
        self._fill(chosen)

    def choose(self, path: Path) -> None:
        """Choose a run by its folder, or a checkpoint by its file, also one that is not in the list."""
        if all(entry.path != path for entry in self._entries) and path not in self._others:
            self._others.append(path)
        self._fill(path)

    @property
    def run(self) -> Path | None:
        """The folder of the chosen run, or the file of a checkpoint; None if there is none."""
        data = self.runs.currentData()
        return data if isinstance(data, Path) else None

    @property
    def path(self) -> Path | None:
        """The checkpoint that was chosen, or the folder where it was to be found; None if there is no run."""
        run, name = self.run, self.checkpoints.currentData()
        if run is None or not isinstance(name, str):
            return run
        entry = run_entry(run)
        return entry.checkpoint(name) if entry is not None and name in entry.checkpoints else run

    @property
    def split(self) -> str:
        """One of "train", "validation" and "test"."""
        return str(self.splits.currentData())

    def _fill(self, chosen: Path | None) -> None:
        with QSignalBlocker(self.runs):
            self.runs.clear()
            for entry in self._entries:
                self.runs.addItem(run_title(entry), entry.path)
            self._others = [path for path in self._others if all(entry.path != path for entry in self._entries)]
            for path in self._others:
                self.runs.addItem(path.name, path)
            if self.runs.count():
                self.runs.insertSeparator(self.runs.count())
            self.runs.addItem("Other run’s folder…", _OTHER_FOLDER)
            self.runs.addItem("Other checkpoint…", _OTHER_FILE)
            known = [*(entry.path for entry in self._entries), *self._others]
            self.runs.setCurrentIndex(known.index(chosen) if chosen in known else min(0, len(known) - 1))
        self._shown = self.runs.currentIndex()
        self._show_checkpoints()

    @property
    def has_runs(self) -> bool:
        """Whether there is anything to evaluate."""
        return bool(self._entries or self._others)

    @Slot()
    def _choose_run(self) -> None:
        data = self.runs.currentData()
        if data in (_OTHER_FOLDER, _OTHER_FILE):
            self.runs.setCurrentIndex(self._shown)
            self.other_wanted.emit(data == _OTHER_FOLDER)
            return
        self._shown = self.runs.currentIndex()
        self._show_checkpoints()

    def _show_checkpoints(self) -> None:
        run, chosen = self.run, self.checkpoints.currentData()
        self.checkpoints.clear()
        entry = run_entry(run) if run is not None and run.suffix != ".pt" else None
        for name in entry.checkpoints if entry is not None else ():
            self.checkpoints.addItem(_CHECKPOINTS[name], name)
        self.checkpoints.setCurrentIndex(max(0, self.checkpoints.findData(chosen)))
        self.checkpoints.setEnabled(self.checkpoints.count() > 1)
        self.button.setEnabled(run is not None or self._busy)
        self.export.setEnabled(run is not None)
        if run is not None:
            self.runs.setToolTip(str(run))

    # What is being done -----------------------------------------------------------------------------------------------

    @Slot()
    def _show_warning(self) -> None:
        self.warning.setText(_TEST if self.split == "test" else "")
        self.warning.setVisible(bool(self.warning.text()))

    def show_busy(self, busy: bool) -> None:
        """Whether an evaluation is under way: then the button gives it up."""
        self._busy = busy
        self.button.setText("Cancel" if busy else "Evaluate")
        self.button.setAccessibleName("Give up the evaluation" if busy else "Evaluate")
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)
        self.said.setText("")
        self.button.setEnabled(busy or self.run is not None)

    @Slot(str)
    def say(self, what: str) -> None:
        """Tell what is being done."""
        self.said.setText(what)
        self.bar.setRange(0, 0)

    @Slot(float, float)
    def show_progress(self, done: float, total: float) -> None:
        """Tell how far it is."""
        if total > 0:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * done / total))

    @Slot()
    def _press(self) -> None:
        (self.cancel_wanted if self._busy else self.evaluate_wanted).emit()
