"""Files dropped on the window."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QProgressDialog, QPushButton
from pytestqt.qtbot import QtBot

from studio.compile.shapes import analyze
from studio.data import registry as datasets
from studio.data import unpacked
from studio.data.archive_reading import Packed, Reading
from studio.fields import replace
from studio.graph.edits import Rename
from studio.project import read_template
from studio.ui.main_window import MainWindow
from studio.ui.prompts import CANCEL, KEEP, MAKE
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders, wait_until_loaded

MNIST_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def window(qtbot: QtBot, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, person, "digits-cnn")


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    folder = tmp_path / "handwriting"
    folder.mkdir()
    for name in MNIST_FILES:
        (folder / name).write_bytes(b"")
    return folder


def drop(target: object, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    for event_class, point in ((QDragEnterEvent, QPoint(5, 5)), (QDropEvent, QPointF(5, 5))):
        event = event_class(
            point, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(target, event)
        assert event.isAccepted()


def test_a_folder_of_a_dataset_becomes_the_data_after_a_question(
    window: MainWindow, person: Person, qtbot: QtBot, mnist: Path
) -> None:
    person.on_dataset = 1
    before = window.document.project
    drop(window, mnist)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "fashion_mnist", timeout=LOADING_MS)
    assert person.asked == ["use MNIST or Fashion-MNIST or KMNIST"]
    assert window.preferences.data_folder("fashion_mnist") == mnist
    assert window.document.graph.inputs[0].block.shape == (1, 28, 28)
    window.document.history.undo()
    assert window.document.project == before


def test_one_of_its_files_will_do(window: MainWindow, person: Person, qtbot: QtBot, mnist: Path) -> None:
    folder = mnist.rename(mnist.with_name("MNIST"))
    drop(window, folder / MNIST_FILES[2])
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "mnist", timeout=LOADING_MS)
    assert person.asked == []  # the folder's name decides
    assert window.preferences.data_folder("mnist") == folder


def test_no_is_an_answer(window: MainWindow, person: Person, qtbot: QtBot, mnist: Path) -> None:
    drop(window, mnist)
    qtbot.waitUntil(lambda: bool(person.asked), timeout=LOADING_MS)
    assert window.document.history.count == 0
    assert window.preferences.data_folder("mnist") is None
    assert person.told == []


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Texts with a class each."""
    path = tmp_path / "films.csv"
    path.write_text("label,text\n" + "".join(f"{i % 3},some longer text {i}\n" for i in range(30)))
    return path


def test_texts_get_a_network_of_their_own_without_a_question(
    window: MainWindow, person: Person, qtbot: QtBot, table: Path
) -> None:
    before = window.document.project
    drop(window, table)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "text-files", timeout=LOADING_MS)
    assert (person.asked, person.told) == ([], [])
    project = window.document.project
    assert project.data.source.path == str(table)
    assert window.preferences.data_folder("text-files") is None
    assert project.graph.inputs[0].block.spec.dtype == "int"
    assert analyze(project.graph, project.data.source.look().spec, project.training).trainable
    assert "30 texts" in window.statusBar().currentMessage()
    window.document.history.undo()
    assert window.document.project == before


def test_a_network_that_was_made_here_makes_room_for_another(
    window: MainWindow, person: Person, qtbot: QtBot, table: Path
) -> None:
    drop(window, table)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "text-files", timeout=LOADING_MS)
    flowers = table.with_name("flowers.csv")
    flowers.write_text("length,width,species\n" + "1.5,2.5,rose\n3.5,0.5,tulip\n" * 30)
    drop(window, flowers)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "table", timeout=LOADING_MS)
    assert window.document.project.title == "Network for flowers"
    assert person.asked == []
    window.document.do(Rename("n1", "mine"), "Rename")
    drop(window, table)
    qtbot.waitUntil(lambda: bool(person.asked), timeout=LOADING_MS)  # now it is the person's


def test_a_network_that_fits_keeps_all_but_its_ends(
    window: MainWindow, person: Person, qtbot: QtBot, table: Path
) -> None:
    window.document.reset(read_template("text-cnn"))
    before = window.document.project.graph
    drop(window, table)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "text-files", timeout=LOADING_MS)
    qtbot.waitUntil(lambda: window.document.project.data.source.place != "")
    after = window.document.project.graph
    assert [node.id for node in after.nodes] == [node.id for node in before.nodes]
    assert next(node.block for node in after.nodes if node.name == "dense_1").units == 3
    assert person.asked == []


@pytest.mark.parametrize(("answer", "kinds"), [(MAKE, {"embedding"}), (KEEP, {"conv2d"}), (CANCEL, {"conv2d"})])
def test_what_a_person_drew_is_not_replaced_without_a_question(
    window: MainWindow, person: Person, qtbot: QtBot, table: Path, answer: str, kinds: set[str]
) -> None:
    window.document.describe(title="Mine")
    person.on_other_network = answer
    drop(window, table)
    qtbot.waitUntil(lambda: bool(person.asked), timeout=LOADING_MS)
    assert person.asked[0].startswith("network for Text files: ")
    qtbot.waitUntil(lambda: kinds <= {node.block.kind for node in window.document.graph.nodes})
    assert window.document.project.data.source.kind == ("digits" if answer == CANCEL else "text-files")
    assert window.document.project.title == "Mine"


def test_a_broken_file_is_told_and_nothing_changes(
    window: MainWindow, person: Person, qtbot: QtBot, table: Path
) -> None:
    source = datasets.get("text-files")(path=str(table.with_name("gone.csv")))
    before = window.document.project
    window.own_data.use(source)
    qtbot.waitUntil(lambda: bool(person.told), timeout=LOADING_MS)
    assert "“gone.csv” cannot be used." in person.told[0]
    assert "There are no texts at" in person.told[0]
    assert window.document.project == before


def test_anything_else_is_told_what_can_be_dropped(
    window: MainWindow, person: Person, qtbot: QtBot, mnist: Path, tmp_path: Path
) -> None:
    (mnist / "readme.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    for number, paths in enumerate(([mnist / "readme.txt"], [tmp_path / "empty"], [mnist, tmp_path / "empty"]), 1):
        drop(window, *paths)
        qtbot.waitUntil(lambda number=number: len(person.told) == number, timeout=LOADING_MS)
        assert "IMDB reviews, Tiny Shakespeare, MNIST, Fashion-MNIST, CIFAR-10, KMNIST" in person.told[-1]
        assert ".studio.json" in person.told[-1]
        assert window.statusBar().currentMessage() == ""
    assert "“readme.txt” is nothing" in person.told[0]
    assert "Use the folder with the samples themselves" in person.told[1]
    assert "2 files" in person.told[2]
    assert person.asked == []


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A table with numbers and a class, packed."""
    path = tmp_path / "flowers.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("garden/flowers.csv", "length,width,species\n" + "1.5,2.5,rose\n3.5,0.5,tulip\n" * 30)
    return path


def test_an_archive_becomes_the_data_without_a_question(
    window: MainWindow, person: Person, qtbot: QtBot, archive: Path
) -> None:
    told: list[tuple[str, float, float]] = []
    window.own_data.unpacking.connect(lambda *report: told.append(report))
    drop(window, archive)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "table", timeout=LOADING_MS)
    assert (person.asked, person.told) == ([], [])
    assert window.document.project.data.source.place == f"{archive.as_posix()}/garden/flowers.csv"
    assert window.document.project.title == "Network for flowers"
    assert window.document.history.count == 1
    assert told
    assert told[0][0] == "flowers.zip"
    qtbot.waitUntil(lambda: window.findChild(QProgressDialog, "unpackDialog") is None)


def test_a_project_on_an_archive_opens_again_after_the_cache_was_cleared(
    window: MainWindow, qtbot: QtBot, archive: Path
) -> None:
    drop(window, archive)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "table", timeout=LOADING_MS)
    saved = archive.with_name("flowers.studio.json")
    window.document.save(saved)
    assert "garden/flowers.csv" in saved.read_text()
    unpacked.clear()
    window.document.reset(read_template("digits-cnn"))
    window.document.open(saved)
    source = window.document.project.data.source
    assert source.place == f"{archive.as_posix()}/garden/flowers.csv"  # beside the project, where it was
    qtbot.waitUntil(lambda: window.data_reader.findings_of(source) is not None)
    findings = window.data_reader.findings_of(source)
    assert findings is not None
    assert findings.rows == 60


def test_unpacking_can_be_given_up(
    window: MainWindow, person: Person, qtbot: QtBot, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, begun = threading.Event(), threading.Event()
    files = Reading.files

    def slow(reading: Reading) -> Iterator[Packed]:
        begun.set()
        held.wait(20)
        yield from files(reading)

    monkeypatch.setattr(Reading, "files", slow)
    before = window.document.project
    with qtbot.waitSignal(window.own_data.unpacking, timeout=LOADING_MS):
        drop(window, archive)
    qtbot.waitUntil(begun.is_set)
    dialog = window.findChild(QProgressDialog, "unpackDialog")
    assert dialog is not None
    assert not dialog.isModal()
    (cancel,) = dialog.findChildren(QPushButton)
    cancel.click()
    with qtbot.waitSignal(window.own_data.ended):
        held.set()
    assert window.document.project == before
    assert unpacked.entries() == []
    assert person.told == []
    assert window.statusBar().currentMessage() == "Nothing was unpacked."


def test_a_broken_archive_is_told(window: MainWindow, person: Person, qtbot: QtBot, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-40])
    drop(window, archive)
    qtbot.waitUntil(lambda: bool(person.told), timeout=LOADING_MS)
    assert "“flowers.zip” cannot be used." in person.told[0]
    assert window.document.history.count == 0


# The list of datasets goes the same way


def test_a_dataset_of_the_list_gets_a_network_where_the_old_one_cannot_fit(
    window: MainWindow, person: Person, qtbot: QtBot
) -> None:
    before = window.document.project
    for kind in ("wine", "digits", "imdb", "moons"):
        window.data_place.source_wanted.emit(datasets.get(kind)())
        qtbot.waitUntil(lambda kind=kind: window.document.project.data.source.kind == kind, timeout=LOADING_MS)
        project = window.document.project
        assert analyze(project.graph, project.data.spec, project.training).trainable, kind
    assert person.asked == []  # nothing on the canvas is the person's own
    assert window.document.history.count == 4
    for _ in range(4):
        window.document.history.undo()
    assert window.document.project == before


@pytest.mark.parametrize("answer", [MAKE, KEEP, CANCEL])
def test_a_dataset_of_the_list_does_not_replace_what_a_person_drew(
    window: MainWindow, person: Person, qtbot: QtBot, answer: str
) -> None:
    window.document.do(Rename("n1", "mine"), "Rename")
    before = window.document.project
    person.on_other_network = answer
    window.run_bar.source_wanted.emit(datasets.get("wine")())
    qtbot.waitUntil(lambda: bool(person.asked), timeout=LOADING_MS)
    assert person.asked[0].startswith("network for Wine: ")
    assert window.document.project.data.source.kind == ("digits" if answer == CANCEL else "wine")
    convolutions = any(node.block.kind == "conv2d" for node in window.document.graph.nodes)
    assert convolutions == (answer != MAKE)
    if answer != CANCEL:
        window.document.history.undo()
    assert window.document.project == before


def test_what_is_changed_while_data_is_looked_into_is_not_lost(
    window: MainWindow, person: Person, qtbot: QtBot, archive: Path
) -> None:
    wait_until_loaded(qtbot, window)
    person.on_other_network = KEEP
    window.own_data.message.connect(lambda text: text and window.document.describe(notes="written meanwhile"))
    drop(window, archive)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "table", timeout=LOADING_MS)
    assert window.document.project.notes == "written meanwhile"


def test_an_archive_that_is_chosen_for_a_kind_of_data_is_opened(
    window: MainWindow, person: Person, qtbot: QtBot, archive: Path
) -> None:
    window.own_data.use(datasets.get("table")(path=archive.as_posix()))
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "table", timeout=LOADING_MS)
    assert window.document.project.data.source.place == f"{archive.as_posix()}/garden/flowers.csv"
    assert person.told == []


def test_a_setting_that_gives_other_inputs_gets_another_network(
    window: MainWindow, person: Person, qtbot: QtBot, tmp_path: Path
) -> None:
    """Categories of a table: features of 0 and 1 at first, then tokens in an input of their own."""
    path = tmp_path / "cells.csv"
    rows = (f"{i},{'uvw'[i % 3]},{i % 7 / 2},{'ab'[i % 2]}\n" for i in range(60))
    path.write_text("id,kind,x,label\n" + "".join(rows))
    drop(window, path)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "table", timeout=LOADING_MS)
    before = window.document.project
    window.show_place(window.PLACES.index("Data"))
    model = window.data_place.contents.columns.model()
    qtbot.waitUntil(lambda: model.rowCount() == 4, timeout=LOADING_MS)
    assert "not used, because it names the rows" in model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    source = replace(before.data.source, categories="embedding")
    window.data_place.section.edited.emit(source, "categories")
    qtbot.waitUntil(lambda: window.document.project.data.source == source, timeout=LOADING_MS)
    project = window.document.project
    assert [node.block.spec.dtype for node in project.graph.inputs] == ["float", "int"]
    assert analyze(project.graph, source.look().spec, project.training).trainable
    assert (person.asked, person.told) == ([], [])
    window.document.history.undo()
    assert window.document.project == before
