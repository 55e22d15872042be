"""What a person does at the Data place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from studio.data import DataChoice, DataProblem, Source, Split
from studio.data import registry as datasets
from studio.data.marks import Relabelled
from studio.project import Project
from studio.ui.data_reader import DataReader
from studio.ui.document import Document
from studio.ui.gallery.browser import READING, REFUSED, SHOWN, STOPPED, DataBrowser
from studio.ui.gallery.filter_bar import PARTS
from studio.ui.gallery.opened import LATER as LATER_PART
from studio.ui.gallery.opened import RELABELLED
from studio.ui.gallery.problem_search import ProblemSearch
from studio.ui.gallery.sample_model import CAPTION, CLASS, EXCLUDED, LATER, SAMPLE
from studio.ui.panels.data_place import DataPlace
from studio.ui.preferences import Preferences
from studio.ui.transform_trials import TransformTrials
from tests.ui.fake_data import HOSTILE, KINDS, NAMES, Fake
from tests.ui.window_help import redirect_folders


@pytest.fixture
def document() -> Document:
    return Document(Project(data=DataChoice(source=Fake())))


@pytest.fixture
def place(document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[DataPlace]:
    redirect_folders(monkeypatch, tmp_path)
    monkeypatch.setattr(Fake, "asked", [])
    monkeypatch.setattr(Fake, "looked", [])
    browser, reader = DataBrowser(document, Preferences()), DataReader(document)
    search, trials = ProblemSearch(document, Preferences()), TransformTrials(document, Preferences())
    made = DataPlace(document, browser, reader, search, trials)
    made.resize(1100, 700)
    with qtbot.waitExposed(made):
        made.show()
    reader.start()
    browser.start()
    yield made
    for part in (browser, reader, search, trials):
        part.close()
    made.close()
    made.deleteLater()


@pytest.fixture
def shown(place: DataPlace, qtbot: QtBot) -> DataPlace:
    """The place with its first samples drawn, and looked into."""
    wait_until_drawn(place, qtbot)
    qtbot.waitUntil(lambda: place.problems.list.count() == 2)
    return place


def wait_until_drawn(place: DataPlace, qtbot: QtBot) -> None:
    """Wait until all that is in view has its thumbnail."""
    panel = place.samples

    def drawn() -> bool:
        rows = panel.view.visible_rows()
        shelf = place._browser.shelf
        return len(rows) > 0 and all(panel.model.sample(row) in shelf for row in rows)

    qtbot.waitUntil(drawn, timeout=20_000)


def show_other(place: DataPlace, qtbot: QtBot, source: Fake) -> None:
    place._document.choose_data(replace(place._document.project.data, source=source))
    qtbot.waitUntil(lambda: place._browser.state == SHOWN, timeout=20_000)
    wait_until_drawn(place, qtbot)


def samples_of(place: DataPlace) -> list[int]:
    model = place.samples.model
    return [model.sample(row) for row in range(model.rowCount())]


def press(place: DataPlace, name: str) -> None:
    button = place.findChild(QAbstractButton, name)
    assert button is not None
    assert button.isVisible(), f"{name} is not in view"
    assert button.isEnabled(), f"{name} is disabled"
    button.click()


def select(place: DataPlace, *rows: int) -> None:
    grid = place.samples.grid
    for number, row in enumerate(rows):
        modifier = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
        center = grid.visualRect(place.samples.model.index(row, 0)).center()
        QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, modifier, center)


def test_of_fifty_thousand_samples_only_those_in_view_are_asked_for(place: DataPlace, qtbot: QtBot) -> None:
    show_other(place, qtbot, Fake(samples=50_000))
    grid = place.samples.grid
    for share in (1, 0.5):
        grid.verticalScrollBar().setValue(round(share * grid.verticalScrollBar().maximum()))
        wait_until_drawn(place, qtbot)
    assert 49_999 in Fake.asked
    looked_at = (range(500), range(24_500, 25_500), range(49_500, 50_000))
    assert all(any(sample in part for part in looked_at) for sample in Fake.asked)
    assert len(Fake.asked) < 1_000


def test_what_is_not_looked_at_is_not_opened(place: DataPlace, document: Document, qtbot: QtBot) -> None:
    wait_until_drawn(place, qtbot)
    place.hide()
    document.choose_data(replace(document.project.data, source=Fake(samples=7)))
    assert place._browser.opened is not None
    assert place._browser.opened.count == 60
    place.show()
    qtbot.waitUntil(lambda: place._browser.opened is not None and place._browser.opened.count == 7)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_sample_is_drawn_small_and_large(place: DataPlace, qtbot: QtBot, kind: str) -> None:
    show_other(place, qtbot, Fake(shows=kind))
    thumb = place._browser.shelf.get(0)
    assert thumb is not None
    if kind in ("pictures", "masks", "boxes", "waves", "series"):
        assert thumb.image is not None
        assert len({thumb.image.pixel(x, thumb.image.height() // 2) for x in range(thumb.image.width())}) > 1
    assert bool(thumb.problem) == (kind == "broken")
    assert (place.samples.view is place.samples.table) == (kind == "cells")
    place.grab()  # paints all that is in view
    place.samples.open_sample(place.samples.model.index(1, 0))
    detail = place.samples.detail
    qtbot.waitUntil(detail.isVisible)
    place.grab()
    texts = {"texts": "1 Text with <b>marks</b>", "tags": "Mary [B-PER] visited the United [B-ORG]"}
    assert texts.get(kind, "") in detail.content.text.toPlainText()
    if kind == "cells":
        assert detail.content.cells.item(1, 1).text() == "=1+1"
    if kind == "broken":
        assert detail.problem.text() == "1.png is no picture: it ends too early."


def test_masks_and_boxes_can_be_hidden(place: DataPlace, qtbot: QtBot) -> None:
    for kind in ("masks", "boxes"):
        show_other(place, qtbot, Fake(shows=kind))
        place.samples.open_sample(place.samples.model.index(0, 0))
        detail = place.samples.detail
        qtbot.waitUntil(lambda detail=detail, kind=kind: detail.isVisible() and detail.shown.title == "0.png")
        marked = detail.content.canvas.grab().toImage()
        detail.marks.click()
        assert detail.content.canvas.grab().toImage() != marked
        detail.marks.click()
        place.samples.close_sample()


def test_samples_of_a_class_or_a_split_alone(shown: DataPlace) -> None:
    opened = shown._browser.opened
    assert opened is not None
    filters = shown.samples.filters
    filters.classes.setCurrentIndex(2)
    filters.classes.activated.emit(2)
    assert samples_of(shown) == list(range(1, 60, 3))
    assert filters.count.text() == "20 of 60 samples"
    press(shown, "part_test")
    test = opened.splits["test"]
    assert samples_of(shown) == [int(n) for n in test if n % 3 == 1]
    filters.show_class(None)
    assert samples_of(shown) == test.tolist()
    shown.contents.bars.bars.chosen.emit(0)
    assert samples_of(shown) == [int(n) for n in test if n % 3 == 0]


def test_the_splits_hold_every_sample_once(shown: DataPlace) -> None:
    opened = shown._browser.opened
    assert opened is not None
    assert sorted(np.concatenate(list(opened.splits.values())).tolist()) == list(range(60))
    assert shown.preparation.counts.text().startswith(f"Train {len(opened.splits['train'])} (")


def test_a_sample_is_opened_walked_on_and_closed_with_keys(shown: DataPlace, qtbot: QtBot) -> None:
    select(shown, 3)
    panel = shown.samples
    QTest.keyClick(panel.grid, Qt.Key.Key_Return)
    qtbot.waitUntil(panel.detail.isVisible)
    part = {"train": "Train", "validation": "Validation", "test": "Test"}[shown._browser.opened.part_of(3)]
    assert panel.detail.heading.text() == f"Sample 4 · {part} · cat"
    assert panel.detail.title.text() == f"3{HOSTILE}"
    QTest.keyClick(panel.detail, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: panel.detail.heading.text().endswith(NAMES[1]))
    assert panel.detail.title.text() == f"4{HOSTILE}"
    QTest.keyClick(panel.detail, Qt.Key.Key_Escape)
    assert panel.grid.isVisible()
    assert panel.grid.currentIndex().data(SAMPLE) == 4
    shown.samples.filters.open.setFocus()
    press(shown, "openSampleButton")
    qtbot.waitUntil(panel.detail.isVisible)
    assert shown.focusWidget() is panel.detail


def test_leaving_out_is_one_step_and_can_be_taken_back(shown: DataPlace, document: Document, qtbot: QtBot) -> None:
    panel = shown.samples
    select(shown, 1, 2, 5)
    press(shown, "leaveOutButton")
    assert document.project.data.excluded == (1, 2, 5)
    assert document.history.undo_text == "Leave out 3 samples"
    qtbot.waitUntil(lambda: shown.samples.filters.findChild(QAbstractButton, "part_left_out").isVisible())
    assert [panel.model.index(row, 0).data(EXCLUDED) for row in range(4)] == [False, True, True, False]
    assert not set(np.concatenate(list(shown._browser.opened.splits.values())).tolist()) & {1, 2, 5}
    assert len(panel.selected_samples()) == 3  # and the gallery stays where it was
    select(shown, 2)
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    assert document.project.data.excluded == (1, 5)
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    assert document.project.data.excluded == (1, 2, 5)
    assert document.history.count == 3
    for _ in range(3):
        document.history.undo()
    assert document.project.data.excluded == ()
    qtbot.waitUntil(lambda: not panel.model.index(1, 0).data(EXCLUDED))


def test_what_was_said_of_samples_is_listed_and_taken_back(shown: DataPlace, document: Document, qtbot: QtBot) -> None:
    panel, filters = shown.samples, shown.samples.filters
    assert filters.file_class.isHidden()
    panel.grid.setCurrentIndex(panel.model.index(4, 0))
    filters.later.click()
    assert [mark.sample for mark in document.project.data.later] == [4]
    names = shown._browser.opened.names
    old = int(panel.model.index(9, 0).data(CLASS))
    new = (old + 1) % len(names)
    counts = shown._browser.opened.counts
    document.choose_data(document.project.data.given([Relabelled(9, names[new], "0" * 32)]), "Class")
    qtbot.waitUntil(lambda: panel.model.index(9, 0).data(CAPTION) == names[new])
    assert panel.model.index(9, 0).data(CLASS) == new
    assert shown._browser.opened.counts[new] == counts[new] + 1
    assert panel.model.index(4, 0).data(LATER)
    for part, sample in ((RELABELLED, 9), (LATER_PART, 4)):
        filters._parts.button(PARTS.index(part)).click()
        assert [panel.model.sample(row) for row in range(panel.model.rowCount())] == [sample]
        panel.grid.setCurrentIndex(panel.model.index(0, 0))
        (filters.file_class if part == RELABELLED else filters.later).click()
        qtbot.waitUntil(lambda: panel.model.rowCount() == 0)
    assert (document.project.data.relabelled, document.project.data.later) == ((), ())
    document.history.undo()
    assert [mark.sample for mark in document.project.data.later] == [4]


def test_leaving_out_one_after_the_other_are_steps_of_their_own(shown: DataPlace, document: Document) -> None:
    for row in (3, 4):
        select(shown, row)
        press(shown, "leaveOutButton")
    document.history.undo()
    assert document.project.data.excluded == (3,)


def test_a_remedy_is_one_click_and_one_step(shown: DataPlace, document: Document) -> None:
    problems = shown.problems
    assert problems.heading.text() == "1 warning, 1 note"
    problems.remedies.buttons[0].click()
    assert document.project.data.excluded == (4, 7)
    assert document.history.undo_text == "Leave out 2 duplicates"
    assert problems.heading.text() == "1 note (1 mended)"
    document.history.undo()
    assert document.project.data.excluded == ()
    assert problems.list.count() == 2


def test_the_samples_of_a_problem_are_shown(shown: DataPlace) -> None:
    press(shown, "part_train")
    press(shown, "showProblemSamples")
    assert samples_of(shown) == [4, 7]
    press(shown, "problemFilter")
    assert samples_of(shown) == shown._browser.opened.splits["train"].tolist()


def test_the_split_is_changed_and_undone(shown: DataPlace, document: Document, qtbot: QtBot) -> None:
    before = shown.preparation.counts.text()
    shown.preparation.split.editors["test"].control.setText("0.5")
    shown.preparation.split.editors["test"].commit()
    assert document.project.data.split.test == 0.5
    qtbot.waitUntil(lambda: "Test 30" in shown.preparation.counts.text())
    document.history.undo()
    qtbot.waitUntil(lambda: shown.preparation.counts.text() == before)


def test_samples_that_cannot_be_divided_are_shown_all_the_same(place: DataPlace, qtbot: QtBot) -> None:
    show_other(place, qtbot, Fake(samples=2))
    assert samples_of(place) == [0, 1]
    assert "too few" in place.preparation.refusal.text()
    assert not place.preparation.refusal.isHidden()


def test_balance_is_a_switch_beside_the_classes(shown: DataPlace, document: Document) -> None:
    shown.contents.balanced.click()
    assert document.project.data.balanced
    document.history.undo()
    assert not shown.contents.balanced.isChecked()
    assert "balanced" not in shown.preparation.scaling.editors


def test_columns_are_as_they_were_found(shown: DataPlace) -> None:
    rows = shown.contents.columns.model()
    assert [rows.index(row, 0).data() for row in range(rows.rowCount())] == ["size", "<i>kind</i>"]
    assert "3 missing" in rows.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "&lt;i&gt;kind" in rows.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert shown.contents.bars.bars._counts == (20, 20, 20)


def test_names_from_files_are_never_markup(shown: DataPlace, qtbot: QtBot) -> None:
    select(shown, 0)
    shown.samples.open_sample(shown.samples.grid.currentIndex())
    qtbot.waitUntil(shown.samples.detail.isVisible)
    names = ("<img", "<b>", "<i>")
    labels = [label for label in shown.findChildren(QLabel) if any(name in label.text() for name in names)]
    assert labels
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in labels)
    assert "<img" not in shown.samples.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_samples_in_memory_are_looked_through_at_once(place: DataPlace, document: Document, qtbot: QtBot) -> None:
    document.choose_data(replace(document.project.data, source=datasets.get("iris")()))
    qtbot.waitUntil(lambda: place.problems.list.count() == 1, timeout=60_000)
    assert "1 sample is an exact copy" in place.problems.list.item(0).text()
    place.problems.remedies.buttons[0].click()
    assert len(document.project.data.excluded) == 1
    assert place.problems.heading.text() == "No problems were found in the data. (1 mended)"
    document.choose_data(replace(document.project.data, source=Fake(), excluded=()))
    assert place._search.found is None


def test_files_are_looked_through_when_the_person_says_so_and_until_then(
    shown: DataPlace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, began = threading.Event(), threading.Event()

    def find_problems(
        choice: DataChoice, folder: object, cancelled: Callable[[], bool], progress: Callable[[int, int], None]
    ) -> tuple[DataProblem, ...]:
        progress(2, 9)
        began.set()
        for _ in range(10_000):
            if cancelled():
                stopped.set()
                break
            stopped.wait(0.001)
        return (DataProblem("never told"),)

    monkeypatch.setattr("studio.data.problems.find_problems", find_problems)
    assert not shown._search.searching
    press(shown, "lookForProblems")
    qtbot.waitUntil(lambda: shown.problems.heading.text() == "Looking for problems: check 3 of 9…")
    assert began.is_set()
    press(shown, "lookForProblems")
    assert stopped.wait(10)
    assert shown.problems.heading.text() == "1 warning, 1 note"
    monkeypatch.setattr("studio.data.problems.find_problems", lambda *_: (DataProblem("found"),))
    press(shown, "lookForProblems")
    qtbot.waitUntil(lambda: shown.problems.heading.text() == "2 warnings, 1 note")
    monkeypatch.setattr("studio.data.problems.find_problems", lambda *_: 1 / 0)
    press(shown, "lookForProblems")
    qtbot.waitUntil(lambda: "a fault in the program" in shown.problems.heading.text())


# Sources --------------------------------------------------------------------------------------------------------------


def leaf(place: DataPlace, title: str) -> QTreeWidgetItem:
    return next(item for item in place.sources._leaves.values() if item.text(0) == title)


def test_a_known_dataset_is_chosen_with_a_click(shown: DataPlace, document: Document) -> None:
    tree = shown.sources.tree
    item = leaf(shown, "Spirals")
    tree.scrollToItem(item)
    wanted: list[Source] = []
    shown.source_wanted.connect(wanted.append)
    QTest.mouseClick(
        tree.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, tree.visualItemRect(item).center()
    )
    assert [source.kind for source in wanted] == ["spirals"]
    assert document.project.data.source == Fake()  # it is looked into first
    document.choose_data(document.project.data.with_source(wanted[0]))
    assert list(shown.section.form.editors) == ["samples", "classes", "turns", "noise", "seed"]
    shown.section.form.editors["samples"].control.setValue(300)
    assert document.project.data.source.samples == 300
    assert document.history.undo_text == "Change samples of the data"
    document.history.undo()
    document.history.undo()
    assert document.project.data.source == Fake()
    assert shown.section.title() == "Made up"


def test_datasets_are_searched_and_chosen_with_keys(shown: DataPlace, document: Document, qtbot: QtBot) -> None:
    sources = shown.sources
    qtbot.keyClicks(sources.search, "handwr")
    found = [item.text(0) for item in sources._leaves.values() if not item.isHidden()]
    assert found[:2] == ["Digits", "MNIST"]
    assert "Wine" not in found
    QTest.keyClick(sources.search, Qt.Key.Key_Down)
    QTest.keyClick(sources.search, Qt.Key.Key_Up)
    with qtbot.waitSignal(shown.source_wanted) as chosen:
        QTest.keyClick(sources.search, Qt.Key.Key_Return)
    assert chosen.args[0].kind == "digits"
    sources.search.setText("no such thing")
    assert sources.nothing_found.isVisible()


def test_hugging_face_leads_to_its_hub(shown: DataPlace, document: Document, qtbot: QtBot) -> None:
    before = document.project
    with qtbot.waitSignal(shown.hub_wanted):
        shown.sources.source_chosen.emit(datasets.get("huggingface")())
    assert document.project == before


def test_own_files_are_asked_for_and_nothing_changes_before(shown: DataPlace, document: Document) -> None:
    wanted: list[object] = []
    shown.place_wanted.connect(wanted.append)
    shown.file_wanted.connect(lambda: wanted.append("file"))
    shown.folder_wanted.connect(lambda: wanted.append("folder"))
    shown.sources._choose(leaf(shown, "Text files"))
    press(shown, "chooseFileButton")
    press(shown, "chooseFolderButton")
    assert [getattr(one, "kind", one) for one in wanted] == ["text-files", "file", "folder"]
    assert document.project.data.source == Fake()


# States without samples -----------------------------------------------------------------------------------------------


def test_missing_files_are_told_with_the_buttons_that_help(place: DataPlace, document: Document, qtbot: QtBot) -> None:
    document.choose_data(replace(document.project.data, source=Fake(missing=True)))
    qtbot.waitUntil(lambda: place._browser.state == REFUSED)
    empty = place.samples.empty
    assert empty.isVisible()
    assert empty.heading.text() == "Made up is not on this computer yet"
    assert empty.reason.text() == f"{HOSTILE} is not there."
    wanted: list[str] = []
    place.folder_wanted.connect(lambda: wanted.append("folder"))
    press(place, "findFolderButton")
    assert wanted == ["folder"]
    assert [name for name, button in empty.buttons.items() if not button.isHidden()] == ["findFolderButton"]


def test_files_that_cannot_be_read_are_told(place: DataPlace, document: Document, qtbot: QtBot) -> None:
    document.choose_data(replace(document.project.data, source=Fake(fails="films.csv, line 3: too long.")))
    qtbot.waitUntil(lambda: place._browser.state == REFUSED)
    assert place.samples.empty.reason.text() == "films.csv, line 3: too long."
    opened = place._browser.opened
    press(place, "readAgainButton")
    qtbot.waitUntil(lambda: place._browser.opened not in (None, opened))


class Gate:
    """Holds up the opening of a thousand samples until it is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()
        self._listing = Fake.listing

    def listing(self, source: Fake) -> object:
        if source.samples == 1000:
            self.reached.set()
            assert self.open.wait(30)
        return self._listing(source)


@pytest.fixture
def gate(place: DataPlace, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A reading that waits there is under way."""
    wait_until_drawn(place, qtbot)
    made = Gate()
    monkeypatch.setattr(Fake, "listing", lambda source, folder: made.listing(source))
    document.choose_data(replace(document.project.data, source=Fake(samples=1000)))
    qtbot.waitUntil(made.reached.is_set)
    yield made
    made.open.set()


def test_a_long_reading_holds_up_nothing_and_nobody(place: DataPlace, qtbot: QtBot, gate: Gate) -> None:
    assert place._browser.state == READING
    assert place.samples.empty.heading.text() == "Reading Made up…"
    show_other(place, qtbot, Fake(samples=9))  # while the first one still reads
    assert len(samples_of(place)) == 9
    gate.open.set()
    show_other(place, qtbot, Fake(samples=12))
    assert len(samples_of(place)) == 12


def test_a_reading_is_stopped_and_begun_again(place: DataPlace, qtbot: QtBot, gate: Gate) -> None:
    press(place, "stopReadingButton")
    assert place._browser.state == STOPPED
    gate.open.set()
    press(place, "readAgainButton")
    qtbot.waitUntil(lambda: place._browser.state == SHOWN)
    assert place.samples.model.rowCount() == 1000


def test_a_known_dataset_is_described_from_what_is_in_memory(
    place: DataPlace, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = datasets.get("digits")()
    monkeypatch.setattr(type(digits), "look", lambda self: 1 / 0)  # it would read them again
    document.choose_data(replace(document.project.data, source=digits))
    with qtbot.waitSignal(place._browser.described, timeout=20_000):
        document.choose_data(replace(document.project.data, split=Split(seed=3)))
    rows = place.contents.columns.model()
    assert [rows.index(row, 0).data() for row in range(rows.rowCount())] == ["image", "class"]
    assert Fake.looked != []  # and of the one before by its own look, in another thread
    assert threading.get_ident() not in Fake.looked


def test_every_control_has_a_name_for_code_and_for_screen_readers(shown: DataPlace) -> None:
    nameless = [
        control.objectName() or type(control).__name__
        for kind in (QAbstractButton, QComboBox)
        for control in shown.findChildren(kind)
        if not control.objectName().startswith("qt_")
        and type(control.parent()).__name__ not in ("QLineEdit", "QTabBar", "SampleTable", "QTableWidget")
        and not (control.objectName() and (control.accessibleName() or getattr(control, "text", str)()))
    ]
    assert nameless == []
