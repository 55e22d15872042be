"""The run bar: dataset, device, Train, Pause, Stop and how far the run is. Always in view."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QProgressBar, QToolButton, QWidget

from studio.data import Source
from studio.data import registry as datasets
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.ui import icons, run_state
from studio.ui.document import Document
from studio.ui.widgets.plain_text import plain_tooltip
from studio.ui.wording import duration, size

if TYPE_CHECKING:
    from studio.training.devices import DeviceInfo
    from studio.training.events import Event, Finished

# Letters of the longest title of a dataset that is shown whole.
_LONGEST_TITLE = 22
_DEVICES = {"auto": "Auto", "cpu": "Processor", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}
_PARTS = 1000  # of the progress bar; steps would overflow its 32 bits in long runs


class RunBar(QWidget):
    """Chooses data and device through the document, and asks for runs through signals."""

    train_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()
    place_chosen = Signal(str)  # where to train, see `studio.training.places`
    source_wanted = Signal(object)  # Source that is to be the project's
    place_wanted = Signal(object)  # Source that needs a file or folder of the person's, before it is chosen

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runBar")
        self._document = document
        self._loaded = False
        self._state = run_state.IDLE
        self._epochs = 0
        self._steps = 1
        self._left = ""
        self._run, self._runs = 1, 1  # of a job of several
        self.dataset_picker = self._picker("datasetPicker", "Dataset")
        self.device_picker = self._picker("devicePicker", "Device")
        self._fill_pickers()
        self.train_action = self._action("train", "Train", "F5", self.train_requested.emit)
        self.pause_action = self._action("pause", "Pause", "F6", self._pause_or_resume)
        self.stop_action = self._action("stop", "Stop", "Shift+F5", self.stop_requested.emit)
        self._pause_button = self._button("pauseButton", self.pause_action)
        self._place = ""
        self.place_menu = self._make_place_menu()
        self.progress = self._progress_bar()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 4, 0)
        for widget in (
            self.dataset_picker, self.device_picker, self._make_train_button(),
            self._pause_button, self._button("stopButton", self.stop_action), self.progress,
        ):  # fmt: skip
            layout.addWidget(widget)
        document.project_changed.connect(self._follow)
        self._show_choices(document.project)
        self.show_state(run_state.IDLE)

    def _picker(self, name: str, title: str) -> QComboBox:
        picker = QComboBox(self)
        picker.setObjectName(name)
        picker.setAccessibleName(title)
        picker.setToolTip(title)
        picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        return picker

    def _action(self, icon: str, text: str, shortcut: str, triggered: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setObjectName(f"{icon}Action")
        action.setShortcut(shortcut)
        icons.set_icon(action, icon)
        action.triggered.connect(triggered)
        return action

    def _button(self, name: str, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setDefaultAction(action)
        button.setObjectName(name)
        button.setAccessibleName(action.text())
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        return button

    def _make_train_button(self) -> QToolButton:
        button = self._button("trainButton", self.train_action)
        button.setMenu(self.place_menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        return button

    def _make_place_menu(self) -> QMenu:
        menu = QMenu("Where to train", self)
        menu.setObjectName("trainingPlaceMenu")
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._fill_place_menu)
        return menu

    @Slot()
    def _fill_place_menu(self) -> None:
        from studio.training.places import PROCESS, offered_places  # not needed to show the window

        if self.place_menu.isEmpty():
            group = QActionGroup(self.place_menu)
            for place, title in offered_places().items():
                action = group.addAction(title)
                action.setObjectName(f"train_{place}")
                action.setCheckable(True)
                action.setData(place)
                action.triggered.connect(partial(self._choose_place, place))
                if place == PROCESS:
                    action.setToolTip("The window stays smooth, and may be closed: the run goes on. It starts later.")
            self.place_menu.addActions(group.actions())
        for action in self.place_menu.actions():
            action.setChecked(action.data() == self._place)

    def _choose_place(self, place: str) -> None:
        self.show_training_place(place)
        self.place_chosen.emit(place)

    def show_training_place(self, place: str) -> None:
        """Say where the next run is trained."""
        self._place = place
        self.show_state(self._state)

    def _progress_bar(self) -> QProgressBar:
        bar = QProgressBar(self)
        bar.setObjectName("runProgress")
        bar.setAccessibleName("Progress of the run")
        bar.setRange(0, _PARTS)
        bar.setFormat("")
        bar.setMinimumWidth(bar.fontMetrics().horizontalAdvance("Epoch 1,000 of 1,000 · 10 min 10 s left"))
        bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return bar

    def _fill_pickers(self) -> None:
        # As wide from the start as it is when all datasets are known.
        self.dataset_picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.dataset_picker.setMinimumContentsLength(_LONGEST_TITLE)
        source = self._document.project.data.source
        self.dataset_picker.addItem(source.title, source.kind)
        self.dataset_picker.activated.connect(self._choose_dataset)
        for kind, title in _DEVICES.items():
            self.device_picker.addItem(title, kind)
        self.device_picker.activated.connect(self._choose_device)

    def complete(self) -> None:
        """List all datasets. Called after the window was shown: to know them all takes a moment."""
        self.dataset_picker.setModel(_dataset_model(self))
        self._show_choices(self._document.project)

    @Slot(int)
    def _choose_dataset(self, index: int) -> None:
        source = datasets.get(self.dataset_picker.itemData(index))
        choice = self._document.project.data
        if source is type(choice.source):
            return
        (self.place_wanted if source.needs_place else self.source_wanted).emit(source())
        self._show_choices(self._document.project)  # as before, until the other one is there

    @Slot(int)
    def _choose_device(self, index: int) -> None:
        settings = replace_fields(self._document.project.training, device=self.device_picker.itemData(index))
        self._document.set_training(settings, "Choose device")

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if before.data.source != after.data.source or before.training.device != after.training.device:
            self._show_choices(after)

    def _show_choices(self, project: Project) -> None:
        self.dataset_picker.setCurrentIndex(self.dataset_picker.findData(project.data.source.kind))
        self.dataset_picker.setToolTip(_source_help(type(project.data.source)))
        self.device_picker.setCurrentIndex(self.device_picker.findData(project.training.device))

    def show_devices(self, devices: list[DeviceInfo]) -> None:
        """PyTorch is loaded: offer what this machine has, and allow to train."""
        model = self.device_picker.model()
        assert isinstance(model, QStandardItemModel)
        for info in devices:
            item = model.item(self.device_picker.findData(info.kind))
            item.setEnabled(info.available)
            item.setToolTip(info.detail if info.available else "This machine has none that PyTorch can use.")
        self._loaded = True
        self.show_state(self._state)

    @Slot(str)
    def show_state(self, state: str) -> None:
        """Follow the session's state."""
        self._state = state
        running = state in (run_state.TRAINING, run_state.PAUSED)
        self.train_action.setEnabled(self._loaded and state == run_state.IDLE)
        self.train_action.setToolTip(self._train_tooltip() if self._loaded else "PyTorch is still starting.")
        self.stop_action.setEnabled(running or state == run_state.STARTING)
        self.stop_action.setToolTip("Stop after this step and keep what was learned (Shift+F5)")
        self.pause_action.setEnabled(running)
        self._name_pause(paused=state == run_state.PAUSED)
        self._show_state_text(state)

    def _train_tooltip(self) -> str:
        from studio.training.places import THREAD, title_of  # not needed to show the window

        title = title_of(self._place) if self._place != THREAD else ""
        return "Train the network (F5)" + (f" {title.lower()}" if title else "")

    def _name_pause(self, *, paused: bool) -> None:
        text = "Resume" if paused else "Pause"
        self.pause_action.setText(text)
        self.pause_action.setToolTip("Go on training (F6)" if paused else "Hold after this step (F6)")
        self._pause_button.setAccessibleName(text)
        icons.set_icon(self.pause_action, "train" if paused else "pause")

    def _show_state_text(self, state: str) -> None:
        if state == run_state.STARTING:
            self._run, self._runs = 1, 1
            self.progress.setValue(0)
        texts = {run_state.STARTING: "Starting…", run_state.PAUSED: "Paused", run_state.STOPPING: "Stopping…"}
        if state in texts:
            self.progress.setFormat(texts[state])

    @Slot()
    def _pause_or_resume(self) -> None:
        (self.resume_requested if self._state == run_state.PAUSED else self.pause_requested).emit()

    @Slot(object)
    def show_events(self, events: list[Event]) -> None:
        """Show how far the run is. Of several figures only the newest is drawn."""
        # Not needed to show the window.
        from studio.training.events import EpochEnded, Finished, Preparing, Progress, RepeatStarted, Started

        for event in events:
            if isinstance(event, Started):
                self._epochs = event.epochs
                self._steps = max(1, event.epochs * event.steps_per_epoch)
                self._left = ""
            elif isinstance(event, RepeatStarted):
                self._run, self._runs = event.number, event.total
            elif isinstance(event, Progress):
                self._left = f" · {duration(event.seconds_left)} left"
        match next((e for e in reversed(events) if isinstance(e, Preparing | Progress | EpochEnded | Finished)), None):
            case Preparing(done=done, total=total):
                self.progress.setValue(_PARTS * done // max(1, total))
                if self._state == run_state.STARTING:
                    self.progress.setFormat(f"Read {done:,} of {total:,} samples")
            case Progress(step=step, epoch=epoch) | EpochEnded(step=step, epoch=epoch):
                self._show_progress(epoch, step)
            case Finished() as event:
                self._show_end(event)

    def _show_progress(self, epoch: int, step: int) -> None:
        done = self._run - 1 + min(1.0, step / self._steps)
        self.progress.setValue(int(_PARTS * done / self._runs))
        run = f"Run {self._run} of {self._runs} · epoch" if self._runs > 1 else "Epoch"
        if self._state == run_state.TRAINING:
            self.progress.setFormat(f"{run} {epoch:,} of {self._epochs:,}{self._left}")

    def _show_end(self, event: Finished) -> None:
        from studio.training.events import DIVERGED, FINISHED

        if event.status == FINISHED:
            self.progress.setValue(_PARTS)
            self.progress.setFormat(f"Finished in {duration(event.seconds)}")
        else:
            word = "Diverged" if event.status == DIVERGED else "Stopped"
            several = f"{self._run:,} of {self._runs:,} runs" if self._runs > 1 else ""
            self.progress.setFormat(f"{word} after {several or f'{event.epochs:,} of {self._epochs:,} epochs'}")

    @Slot()
    def show_failure(self) -> None:
        """The run broke off."""
        self.progress.setValue(0)
        self.progress.setFormat("Not trained")


def _dataset_model(parent: QWidget) -> QStandardItemModel:
    """All datasets under the headings of their groups."""
    model = QStandardItemModel(parent)
    groups: dict[str, list[type[Source]]] = {}
    for source in datasets:
        groups.setdefault(source.group, []).append(source)
    for group, sources in groups.items():
        heading = QStandardItem(group)
        heading.setEnabled(False)
        model.appendRow(heading)
        for source in sources:
            item = QStandardItem(source.title)
            item.setData(source.kind, Qt.ItemDataRole.UserRole)
            item.setToolTip(_source_help(source))
            model.appendRow(item)
    return model


def _source_help(source: type[Source]) -> str:
    download = f" Downloaded at first use: {size(source.download_bytes)}." if source.download_bytes else ""
    return plain_tooltip(source.about + download)
