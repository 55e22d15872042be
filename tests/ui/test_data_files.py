"""Files for the Data place: chosen in the whole window, or downloaded."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QPushButton
from pytestqt.qtbot import QtBot

from studio.data import Progress
from studio.data import registry as datasets
from studio.ui.gallery.browser import REFUSED, SHOWN
from studio.ui.main_window import MainWindow
from tests.ui.fake_data import Fake
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders

COUNT = 32


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def window(qtbot: QtBot, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    """At the Data place, with the samples of its dataset shown."""
    redirect_folders(monkeypatch, tmp_path)
    for window in opened_window(qtbot, person):
        window.samples.set_wanted(False)
        window.show_place(window.PLACES.index("Data"))
        qtbot.waitUntil(lambda window=window: window.data_browser.state == SHOWN, timeout=LOADING_MS)
        yield window


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A folder with tiny files of the right names and form."""
    folder = tmp_path / "MNIST"
    folder.mkdir()
    for part in ("train", "t10k"):
        images = struct.pack(">4i", 2051, COUNT, 28, 28) + bytes(range(256)) * (COUNT * 784 // 256)
        labels = struct.pack(">2i", 2049, COUNT) + bytes(number % 10 for number in range(COUNT))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    return folder


def press(window: MainWindow, name: str) -> None:
    button = window.data_place.findChild(QAbstractButton, name)
    assert button is not None
    assert button.isVisible()
    button.click()


def test_the_files_of_a_known_dataset_are_found_in_a_folder(
    window: MainWindow, person: Person, qtbot: QtBot, mnist: Path
) -> None:
    window.data_place.sources.source_chosen.emit(datasets.get("mnist")())
    qtbot.waitUntil(lambda: window.data_browser.state == REFUSED)
    empty = window.data_place.samples.empty
    assert "not on this computer" in empty.heading.text()
    assert "Download 11.6 MB" in [button.text() for button in empty.findChildren(QPushButton) if button.isVisible()]
    person.path = mnist
    press(window, "findFolderButton")
    qtbot.waitUntil(lambda: window.data_browser.state == SHOWN, timeout=LOADING_MS)
    assert person.asked == []
    assert window.data_browser.opened is not None
    assert (window.data_browser.opened.count, window.data_browser.opened.layout) == (2 * COUNT, "pictures")
    assert window.data_browser.opened.splits["test"].tolist() == list(range(COUNT, 2 * COUNT))


def test_a_file_of_ones_own_is_recognized(window: MainWindow, person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    person.path = tmp_path / "films.csv"
    person.path.write_text("label,text\n" + "".join(f"{i % 3},some longer text <b>{i}\n" for i in range(30)))
    press(window, "chooseFileButton")
    qtbot.waitUntil(lambda: window.document.project.data.source.needs_place, timeout=LOADING_MS)
    qtbot.waitUntil(lambda: window.data_browser.state == SHOWN, timeout=LOADING_MS)
    qtbot.waitUntil(lambda: "30 texts" in window.data_place.section.summary.text(), timeout=LOADING_MS)
    assert window.data_place.samples.model.rowCount() == 30
    person.path.unlink()
    window.data_browser.reread()
    qtbot.waitUntil(lambda: window.data_browser.state == REFUSED)
    assert window.data_place.samples.empty.heading.text() == "The files are not there"
    press(window, "findFileButton")  # and the person gives up, or takes the same file
    assert window.document.project.data.source.needs_place


class Fetched(Fake):
    """Is there after its download."""

    download_bytes = 5_000_000
    there = False

    def listing(self, folder: object = None) -> object:
        return replace(self, missing=not Fetched.there, shows="cells")._open()

    def _open(self) -> object:
        return super().listing()

    def download(self, progress: Progress | None = None) -> None:
        Fetched.there = True


def test_what_is_missing_is_downloaded_when_the_person_says_so(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fetched, "there", False)
    window.preferences.set_data_folder("fake", Path("elsewhere"))
    window.document.choose_data(replace(window.document.project.data, source=Fetched()))
    qtbot.waitUntil(lambda: window.data_browser.state == REFUSED)
    press(window, "downloadDataButton")
    qtbot.waitUntil(lambda: window.data_browser.state == SHOWN)
    assert window.preferences.data_folder("fake") is None


def test_a_download_that_fails_is_told(
    window: MainWindow, person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fetched, "download", lambda self, progress: 1 / 0)
    window.document.choose_data(replace(window.document.project.data, source=Fetched()))
    qtbot.waitUntil(lambda: window.data_browser.state == REFUSED)
    press(window, "downloadDataButton")
    qtbot.waitUntil(lambda: bool(person.told))
    assert "division by zero" in person.told[0]
    assert window.data_browser.state == REFUSED
