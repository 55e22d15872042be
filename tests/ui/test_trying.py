"""What a person gives to a network, and what the panels show of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.data.bundled import Digits
from studio.evaluation.trying import Ink
from studio.fields import replace as replace_fields
from studio.project import read_template
from studio.training.job import Job
from studio.ui.document import Document
from studio.ui.panels.train_place import TrainPlace
from studio.ui.session import Session
from studio.ui.trying.asker import Asker
from studio.ui.trying.fixed_grid import detail_of
from studio.ui.trying.panel import TryPanel
from studio.ui.trying.picture_input import PictureInput
from studio.ui.trying.row_input import RowInput
from studio.ui.trying.run_pages import RunPages
from studio.ui.trying.text_input import TextInput
from tests.evaluation.known_trial import Known
from tests.evaluation.test_answering import CASES, Case, loaded, shakespeare, table
from tests.evaluation.untrained import untrained

WAIT_MS = 60_000
Open = Callable[[Known], TryPanel]


@pytest.fixture(scope="module")
def digits() -> Known:
    return Known(untrained(Digits()))


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Open]:
    """Makes a panel that tries a network."""
    askers = []

    def opened(trial: Known) -> TryPanel:
        asker = Asker()
        askers.append(asker)
        panel = TryPanel(asker, lambda _project: None)
        qtbot.addWidget(panel)
        panel.resize(300, 700)
        panel.show()
        with qtbot.waitSignal(asker.opened, timeout=WAIT_MS):
            asker.open(lambda: trial)
        return panel

    yield opened
    for asker in askers:
        asker.close()


def answered(qtbot: QtBot, panel: TryPanel, act: Callable[[], object]) -> dict[str, float]:
    """What is answered after something was done."""
    with qtbot.waitSignal(panel._asker.answered, timeout=WAIT_MS):
        act()
    assert panel.view.answer is not None
    return dict(panel.view.answer.top(3))


def draw_line(panel: TryPanel) -> None:
    pad = panel.editors[0].findChild(type(panel.editors[0].pad), "drawingPad")  # type: ignore[attr-defined]
    middle = pad.rect().center()
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle - QPoint(0, 50))
    QTest.mouseMove(pad, middle)
    QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)


def test_a_drawing_is_answered_as_the_network_would_see_it(qtbot: QtBot, opened: Open, digits: Known) -> None:
    panel = opened(digits)
    editor = panel.editors[0]
    assert isinstance(editor, PictureInput)
    assert panel.view.answer is None
    told = answered(qtbot, panel, lambda: draw_line(panel))
    given = editor.value()
    assert isinstance(given, Ink)
    assert told == dict(digits.answer(digits.read((given,))[1]).top(3))
    assert editor.seen.has_picture
    assert panel.view.bars.accessibleName().count("%") == 5
    QTest.keyClick(editor.pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.view.answer is None, timeout=WAIT_MS)
    assert editor.value() is None


def test_pictures_come_by_drop_and_paste(qtbot: QtBot, opened: Open, digits: Known, tmp_path: Path) -> None:
    panel = opened(digits)
    editor = panel.editors[0]
    assert isinstance(editor, PictureInput)
    image = QImage(30, 40, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    for y in range(5, 35):
        image.setPixel(15, y, 0)
    image.save(str(tmp_path / "one.png"))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "one.png"))])
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    as_writing = answered(qtbot, panel, lambda: editor.dropEvent(drop))
    assert editor.written.isChecked()
    as_picture = answered(qtbot, panel, editor.written.click)
    assert as_picture != as_writing
    QGuiApplication.clipboard().setImage(image)
    editor.clear()
    assert answered(qtbot, panel, editor.take_copied) == as_writing
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    with qtbot.waitSignal(panel._asker.unreadable, timeout=WAIT_MS):
        editor.take_file(tmp_path / "broken.png")
    assert "broken.png" in panel.told.text()
    assert panel.view.answer is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_each_kind_of_sample_can_be_taken_from_the_data(
    case: Callable[[Path], Case], qtbot: QtBot, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Known(loaded(case(tmp_path)[0], tmp_path, monkeypatch))
    panel = opened(trial)
    one = trial.samples()[0]
    panel.show_sample(one)
    wanted = trial.answer(one.reading)

    def is_shown() -> bool:  # a row is answered before, too: one of usual values
        answer = panel.view.answer
        return answer is not None and np.allclose(answer.values, wanted.values, rtol=1e-3)

    qtbot.waitUntil(is_shown, timeout=WAIT_MS)
    assert panel.truth.text().startswith("Sample ")
    panel.clear()
    assert isinstance(panel.editors[0], RowInput) or panel.view.answer is None
    panel.grab()


def test_a_row_is_changed_by_slider_and_list(qtbot: QtBot, opened: Open, tmp_path: Path) -> None:
    trial = Known(untrained(table(tmp_path)[0]))
    panel = opened(trial)
    editor = panel.editors[0]
    assert isinstance(editor, RowInput)
    qtbot.waitUntil(lambda: panel.view.answer is not None, timeout=WAIT_MS)  # of usual values
    line = editor.lines["age"]
    assert line.slider is not None
    first = answered(qtbot, panel, lambda: line.slider.setValue(0))  # type: ignore[union-attr]
    last = answered(qtbot, panel, lambda: line.slider.setValue(1_000))  # type: ignore[union-attr]
    assert first != last
    row = editor.value()
    assert isinstance(row, dict)
    assert last == dict(trial.answer(trial.read((row,))[1]).top(3))
    with qtbot.waitSignal(panel._asker.unreadable, timeout=WAIT_MS):
        line.edit.setText("old")  # type: ignore[union-attr]
        line._type("old")
    assert "must be a number" in panel.told.text()


def test_a_text_is_answered_while_it_is_typed_and_gone_on_with(
    qtbot: QtBot, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = opened(Known(loaded(shakespeare(tmp_path)[0], tmp_path, monkeypatch)))
    editor = panel.editors[0]
    assert isinstance(editor, TextInput)
    answered(qtbot, panel, lambda: QTest.keyClicks(editor.box, "the cat"))
    panel.writing.count.setValue(20)
    with qtbot.waitSignal(panel._asker.writing_ended, timeout=WAIT_MS):
        panel.writing.button.click()
    assert editor.text.startswith("the cat")
    assert len(editor.text) == len("the cat") + 20
    panel.writing.count.setValue(2_000)
    panel.writing.button.click()
    with qtbot.waitSignal(panel._asker.written, timeout=WAIT_MS):
        pass
    with qtbot.waitSignal(panel._asker.writing_ended, timeout=WAIT_MS):
        panel.writing.button.click()
    assert len(editor.text) < 1_500


def test_what_is_given_is_explained(qtbot: QtBot, opened: Open, digits: Known) -> None:
    panel = opened(digits)
    answered(qtbot, panel, lambda: draw_line(panel))
    panel.why.fold(False)
    with qtbot.waitSignal(panel._asker.explained, timeout=WAIT_MS):
        panel.why.form.button.click()
    assert not panel.why.pages.isHidden()
    best = next(iter(dict(panel.view.answer.top(1))))  # type: ignore[union-attr]
    assert f"“{best}”" in panel.why.form.told.text()
    with qtbot.waitSignal(panel._asker.explained, timeout=WAIT_MS):
        panel.why.live.setChecked(True)
    with qtbot.waitSignal(panel._asker.explained, timeout=WAIT_MS):
        draw_line(panel)


def test_the_run_under_way_is_tried_and_then_its_best_weights(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = read_template("digits-mlp")
    project = replace(project, training=replace_fields(project.training, epochs=400, threads=1))
    place, session = TrainPlace(Document(project)), Session()
    qtbot.addWidget(place)
    place.side.set_trying(session, lambda _project: None)
    session.events_arrived.connect(place.side.show_events)
    place.show()
    place.side.setCurrentIndex(place.side.TRY)
    qtbot.waitUntil(lambda: place.side.trying is not None, timeout=WAIT_MS)
    pages = place.side.trying
    assert isinstance(pages, RunPages)
    session.start(Job(project, tmp_path / "run"))
    qtbot.waitUntil(lambda: pages.panel.editors != [], timeout=WAIT_MS)
    first = pages.panel.about.text()
    assert first.startswith("Step ")
    draw_line(pages.panel)
    qtbot.waitUntil(lambda: pages.panel.view.answer is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: pages.panel.about.text() != first, timeout=WAIT_MS)  # newer weights answer by themselves
    pages.show_page(1)
    qtbot.waitUntil(lambda: pages.grid.checked is not None, timeout=WAIT_MS)
    checked = pages.grid.checked
    assert checked is not None
    assert len(checked.verdicts) == len(checked.thumbs) == 50
    right = sum(verdict.right is True for verdict in checked.verdicts)
    assert pages.grid.heading.text() == f"{right} of 50 right"
    QTest.keyClick(pages.grid.cells, Qt.Key.Key_Right)
    assert pages.grid.detail.text() == detail_of(checked, 0)
    pages.grid.grab()
    session.stop()
    qtbot.waitUntil(lambda: session.state == "idle", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Best weights" in pages.panel.about.text(), timeout=WAIT_MS)
    QTest.keyClick(pages.grid.cells, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pages.panel.truth.text().startswith("Sample "), timeout=WAIT_MS)
    session.close()
    place.close()


def test_nothing_is_asked_of_a_run_while_nobody_looks(qtbot: QtBot, tmp_path: Path) -> None:
    project = read_template("digits-mlp")
    project = replace(project, training=replace_fields(project.training, epochs=8, threads=1))
    place, session = TrainPlace(Document(project)), Session()
    qtbot.addWidget(place)
    place.side.set_trying(session, lambda _project: None)
    session.events_arrived.connect(place.side.show_events)
    place.show()
    place.side.setCurrentIndex(place.side.TRY)
    qtbot.waitUntil(lambda: place.side.trying is not None, timeout=WAIT_MS)
    place.side.setCurrentIndex(place.side.FIGURES)
    session.start(Job(project, tmp_path / "run"))
    with qtbot.waitSignal(session.events_arrived, timeout=WAIT_MS):
        pass
    desk = session.desk
    assert desk is not None
    qtbot.waitUntil(lambda: session.state == "idle", timeout=WAIT_MS)
    assert not desk._asked
    assert desk.take() is None
    assert place.side.trying is not None
    assert place.side.trying.panel.editors == []
    session.close()
    place.close()
