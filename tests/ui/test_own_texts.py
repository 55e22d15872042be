"""Texts of the person's own: chosen, looked into, corrected, and trained."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.data import DataChoice, Findings, Source
from studio.data.texts.sources import TextFiles
from studio.graph.edits import SetBlock
from studio.project import Project
from studio.ui.analyzer import Analyzer
from studio.ui.data_places import DataPlaces
from studio.ui.data_reader import DataReader
from studio.ui.document import Document
from studio.ui.main_window import MainWindow
from studio.ui.prompts import CANCEL, FILE, FOLDER
from studio.ui.run_state import IDLE
from tests.helpers import block, chain
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders, wait_until_loaded


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "films.csv"
    path.write_text("mood,words\n" + "".join(f"{'abc'[i % 3]},some longer text {i}\n" for i in range(60)))
    return path


@pytest.fixture
def document(table: Path) -> Document:
    """n1 Input, n2 Embedding, n3 pooling, n4 Dense with two units, n5 Output; the table has three classes."""
    graph = chain(
        block("input", shape=(200,), values="tokens"),
        block("embedding", features=4, padding=True),
        block("global_average_pool"),
        block("dense", units=2),
        block("output"),
    )
    return Document(Project(graph, DataChoice(source=TextFiles(path=str(table)))))


@pytest.fixture
def reader(document: Document) -> Iterator[DataReader]:
    made = DataReader(document)
    yield made
    made.close()


def found(reader: DataReader, qtbot: QtBot) -> list[tuple[Source, Findings]]:
    told: list[tuple[Source, Findings]] = []
    reader.found.connect(lambda source, findings: told.append((source, findings)))
    reader.start()
    qtbot.waitUntil(lambda: bool(told))
    return told


def test_the_files_are_looked_into_away_from_the_window(
    reader: DataReader, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_in: list[int] = []
    look = TextFiles.look
    monkeypatch.setattr(TextFiles, "look", lambda self: looked_in.append(threading.get_ident()) or look(self))
    told = found(reader, qtbot)
    assert told[0][1].spec.target.names == ("a", "b", "c")
    assert "60 texts" in told[0][1].summary
    assert looked_in[0] != threading.get_ident()
    changed = replace(document.project.data, source=TextFiles(path="nowhere.csv"))
    document.choose_data(changed)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert "There are no texts at nowhere.csv" in told[1][1].summary
    document.choose_data(DataChoice())
    document.history.undo()
    qtbot.waitUntil(lambda: len(told) == 3)


def test_a_fault_in_a_look_is_told_and_the_thread_goes_on(
    reader: DataReader, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(TextFiles, "look", lambda self: 1 / 0)
        assert "a fault in the program" in found(reader, qtbot)[0][1].summary
    assert "60 texts" in found(reader, qtbot)[0][1].summary


def test_what_was_read_is_checked_against_the_network(reader: DataReader, document: Document, qtbot: QtBot) -> None:
    analyzer = Analyzer(document)
    reader.found.connect(analyzer.take_findings)
    with qtbot.waitSignal(analyzer.analyzed, timeout=LOADING_MS):
        analyzer.start()
    assert analyzer.analysis.problems == ()
    reader.start()
    qtbot.waitUntil(lambda: bool(analyzer.analysis.problems) and bool(analyzer.analysis.problems[0].repairs))
    assert "3 classes" in analyzer.analysis.problems[0].message
    assert document.do(analyzer.analysis.problems[0].repairs[0].edit, "Repair")
    qtbot.waitUntil(lambda: analyzer.analysis.problems == ())
    document.choose_data(DataChoice())  # what is known of one dataset says nothing of another
    assert analyzer.spec == DataChoice().source.spec
    analyzer.close()


@pytest.mark.parametrize(("answer", "taken"), [(FILE, True), (FOLDER, True), (CANCEL, False)])
def test_choosing_texts_asks_where_they_are(qtbot: QtBot, table: Path, answer: str, taken: bool) -> None:
    document, person = Document(Project()), Person()
    person.on_missing_data, person.path = answer, table
    places, chosen = DataPlaces(document, person), []
    places.chosen.connect(chosen.append)
    places.choose(TextFiles())
    assert person.asked == ["data Text files"]
    assert chosen == [TextFiles(path=str(table))] * taken


def test_a_place_that_cannot_be_used_is_told(document: Document) -> None:
    person = Person()
    person.path = Path("//server/share/films.csv")
    places, chosen = DataPlaces(document, person), []
    places.chosen.connect(chosen.append)
    places.choose_file()
    assert "must not be on a network" in person.told[0]
    assert chosen == []


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def window(qtbot: QtBot, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, person)


def test_texts_are_chosen_when_training_begins(
    window: MainWindow, person: Person, qtbot: QtBot, table: Path, document: Document
) -> None:
    wait_until_loaded(qtbot, window)
    document.do(SetBlock("n4", block("dense", units=3)), "Three classes")
    project = replace(document.project, data=DataChoice(source=TextFiles()))
    window.document.reset(replace(project, training=replace(project.training, epochs=1)))
    person.on_missing_data, person.path = FILE, table
    window.run_control.start()
    qtbot.waitUntil(lambda: window.session.checkpoint is not None, timeout=LOADING_MS)
    qtbot.waitUntil(lambda: window.session.state == IDLE)
    assert person.asked == ["data Text files"]
    assert window.document.project.data.source.path == str(table)
    found = window.data_reader.findings_of(window.document.project.data.source)
    assert found is not None
    assert "60 texts" in found.summary
