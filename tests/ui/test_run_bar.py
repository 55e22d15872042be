from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QToolButton
from pytestqt.qtbot import QtBot

from studio.data import Source
from studio.data import registry as datasets
from studio.project import read_template
from studio.training.devices import DeviceInfo
from studio.training.events import FINISHED, STOPPED, EpochEnded, Finished, Preparing, Progress, Started, Surface
from studio.ui import run_state
from studio.ui.document import Document
from studio.ui.panels.run_bar import RunBar

STARTED = Started("run", 10, 10, 100, {"train": 20}, "cpu", 1, "accuracy")
DEVICES = [
    DeviceInfo("cpu", "Processor", True, "2 cores"),
    DeviceInfo("cuda", "NVIDIA GPU", False, "not found"),
    DeviceInfo("mps", "Apple GPU", False, "Metal"),
]


@pytest.fixture
def document() -> Document:
    return Document(read_template("iris-mlp"))


@pytest.fixture
def bar(qtbot: QtBot, document: Document) -> Iterator[RunBar]:
    made = RunBar(document)
    made.complete()
    yield made
    made.deleteLater()


def choose(picker: QComboBox, kind: str) -> None:
    index = picker.findData(kind)
    picker.setCurrentIndex(index)
    picker.activated.emit(index)


def button(bar: RunBar, name: str) -> QToolButton:
    found = bar.findChild(QToolButton, f"{name}Button")
    assert found is not None
    return found


def enabled(bar: RunBar) -> set[str]:
    return {name for name in ("train", "pause", "stop") if button(bar, name).isEnabled()}


def test_every_dataset_stands_below_the_heading_of_its_group(bar: RunBar) -> None:
    picker, group, listed = bar.dataset_picker, "", []
    for i in range(picker.count()):
        if picker.itemData(i) is None:
            group = picker.itemText(i)
            assert not picker.model().flags(picker.model().index(i, 0)) & Qt.ItemFlag.ItemIsEnabled
        else:
            listed.append((group, picker.itemData(i), picker.itemText(i)))
            assert datasets.get(picker.itemData(i)).about[:20] in picker.itemData(i, Qt.ItemDataRole.ToolTipRole)
    assert sorted(listed) == sorted((source.group, source.kind, source.title) for source in datasets)


def test_a_dataset_is_looked_into_before_it_is_chosen(bar: RunBar, document: Document) -> None:
    wanted: list[Source] = []
    bar.source_wanted.connect(wanted.append)
    choose(bar.dataset_picker, "wine")
    assert [source.kind for source in wanted] == ["wine"]
    assert bar.dataset_picker.currentData() == "iris"
    document.choose_data(document.project.data.with_source(wanted[0]))
    assert bar.dataset_picker.currentData() == "wine"
    document.history.undo()
    assert bar.dataset_picker.currentData() == "iris"


def test_a_dataset_of_ones_own_asks_for_its_place_first(bar: RunBar, document: Document) -> None:
    wanted: list[Source] = []
    bar.place_wanted.connect(wanted.append)
    choose(bar.dataset_picker, "text-files")
    assert [source.kind for source in wanted] == ["text-files"]
    assert document.history.count == 0
    assert bar.dataset_picker.currentData() == "iris"


def test_choosing_a_device_goes_through_the_document(bar: RunBar, document: Document) -> None:
    choose(bar.device_picker, "cpu")
    assert document.project.training.device == "cpu"
    document.history.undo()
    assert bar.device_picker.currentData() == "auto"


def test_pickers_follow_another_project(bar: RunBar, document: Document) -> None:
    document.reset(read_template("mnist-cnn"))
    assert bar.dataset_picker.currentData() == "mnist"
    assert "54 MB" in bar.dataset_picker.toolTip() or "MB" in bar.dataset_picker.toolTip()


def test_training_waits_for_pytorch(bar: RunBar) -> None:
    assert enabled(bar) == set()
    assert "PyTorch is still starting" in button(bar, "train").toolTip()
    bar.show_devices(DEVICES)
    assert enabled(bar) == {"train"}


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (run_state.IDLE, {"train"}),
        (run_state.STARTING, {"stop"}),
        (run_state.TRAINING, {"pause", "stop"}),
        (run_state.PAUSED, {"pause", "stop"}),
        (run_state.STOPPING, set()),
    ],
)
def test_each_state_offers_what_can_be_done(bar: RunBar, state: str, buttons: set[str]) -> None:
    bar.show_devices(DEVICES)
    bar.show_state(state)
    assert enabled(bar) == buttons


def test_pause_becomes_resume(bar: RunBar, qtbot: QtBot) -> None:
    bar.show_devices(DEVICES)
    bar.show_state(run_state.TRAINING)
    pause = button(bar, "pause")
    with qtbot.waitSignal(bar.pause_requested):
        pause.click()
    bar.show_state(run_state.PAUSED)
    assert (pause.text(), pause.accessibleName()) == ("Resume", "Resume")
    with qtbot.waitSignal(bar.resume_requested):
        pause.click()
    bar.show_state(run_state.TRAINING)
    assert (pause.text(), pause.accessibleName()) == ("Pause", "Pause")


def test_progress_tells_epoch_and_time_left(bar: RunBar) -> None:
    bar.show_state(run_state.TRAINING)
    bar.show_events([STARTED, Progress(250, 3, 0.5, 0.5, 0.1, 100.0, 65.0)])
    assert bar.progress.value() == 250
    assert bar.progress.format() == "Epoch 3 of 10 · 1 min 5 s left"
    bar.show_events([EpochEnded(3, 300, {}, {}, 1.0, True)])
    assert bar.progress.value() == 300


def test_progress_is_told_though_a_surface_comes_after_it(bar: RunBar) -> None:
    bar.show_state(run_state.TRAINING)
    bar.show_events([STARTED, EpochEnded(3, 300, {}, {}, 1.0, True), Surface(3, False, 1, b"0", b"0")])
    assert bar.progress.value() == 300


def test_progress_does_not_overflow(bar: RunBar) -> None:
    steps = 10**6 * 10**6
    bar.show_events([Started("run", 10, 10**6, 10**6, {}, "cpu", 1, "mae")])
    bar.show_events([Progress(steps // 2, 500_000, 0.5, 0.5, 0.1, 100.0, 1e9)])
    assert bar.progress.value() == 500


@pytest.mark.parametrize(
    ("status", "text"), [(FINISHED, "Finished in 12 s"), (STOPPED, "Stopped after 4 of 10 epochs")]
)
def test_the_end_is_told(bar: RunBar, status: str, text: str) -> None:
    bar.show_events([STARTED, Finished(status, "run", "best.pt", 10, 12.0, 4)])
    bar.show_state(run_state.IDLE)
    assert bar.progress.format() == text


def test_how_far_the_data_is_read(bar: RunBar) -> None:
    bar.show_state(run_state.STARTING)
    bar.show_events([Preparing(100, 4_000), Preparing(1_000, 4_000)])
    assert bar.progress.text() == "Read 1,000 of 4,000 samples"
    assert bar.progress.value() == bar.progress.maximum() // 4
    bar.show_state(run_state.STOPPING)
    bar.show_events([Preparing(2_000, 4_000)])
    assert bar.progress.text() == "Stopping…"
