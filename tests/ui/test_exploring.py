"""What a person does with single samples at the Evaluate place: look around them, and say something of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.data.dataset import prepare
from studio.data.shapes import Shapes
from studio.evaluation.embeddings import default_layer, embed
from studio.evaluation.neighbours import COSINE, nearest
from studio.fields import replace as replace_fields
from studio.project import read_template
from studio.runs import runs_folder
from studio.storage import sha256
from studio.training.control import Control
from studio.training.runner import Job, run
from studio.ui.document import Document
from studio.ui.evaluation.explore_panel import ExplorePanel
from studio.ui.evaluation.map_view import MOVE, RECTANGLE, MapView
from studio.ui.evaluation.place import EvaluatePlace
from studio.ui.evaluation.workplace import Workplace
from studio.ui.gallery.sample_model import CAPTION, LATER
from studio.ui.preferences import Preferences
from tests.ui.test_evaluate_place import WAIT_MS, evaluate, opened, show_tab, wait
from tests.ui.window_help import Person, redirect_folders


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on digits, and one on pictures whose pixels are answered."""
    folder = tmp_path_factory.mktemp("runs")
    for number, name in ((1, "shapes-unet"), (2, "digits-mlp")):
        project = read_template(name)
        if number == 1:
            project = replace(project, data=replace(project.data, source=Shapes(samples=100)))
        settings = replace_fields(project.training, epochs=1, threads=1)
        place = folder / f"2026-01-0{number}_00-00-00_{name}"
        run(Job(replace(project, training=settings), place), Control(), lambda _event: None)
    return folder


@pytest.fixture
def document() -> Document:
    return Document(read_template("digits-mlp"))


@pytest.fixture
def workplace(
    document: Document, trained: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Workplace]:
    redirect_folders(monkeypatch, tmp_path)
    shutil.copytree(trained, runs_folder())
    place = EvaluatePlace(document, Preferences(), Person())
    place.resize(1200, 760)
    yield opened(place, qtbot)
    place.close()
    place.deleteLater()


@pytest.fixture
def panel(workplace: Workplace, qtbot: QtBot) -> ExplorePanel:
    evaluate(workplace, qtbot)
    show_tab(workplace, "Explore")
    found = workplace.report.explore.panel
    assert found is not None
    return found


def drawn(workplace: Workplace, panel: ExplorePanel, qtbot: QtBot) -> MapView:
    panel.map.button.click()
    wait(workplace, qtbot)
    assert panel.map.view.isVisible(), panel.map.note.text()
    return panel.map.view


def select(workplace: Workplace, *rows: int) -> None:
    model, selection = workplace.samples.model, workplace.samples.grid.selectionModel()
    selection.clearSelection()
    for row in rows:
        selection.select(model.index(row, 0), QItemSelectionModel.SelectionFlag.Select)


def test_a_map_leads_to_samples(workplace: Workplace, panel: ExplorePanel, qtbot: QtBot) -> None:
    view = drawn(workplace, panel, qtbot)
    assert "of the variance" in panel.map.note.text()
    evaluated = workplace._evaluated
    assert evaluated is not None
    places = view.places()
    apart = int(np.argmax([np.sort(np.hypot(*(places - place).T))[1] for place in places]))
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPointF(*places[apart].tolist()).toPoint())
    qtbot.waitUntil(lambda: workplace.sample.place == apart, timeout=WAIT_MS)
    view.tool, places = RECTANGLE, view.places()
    corner = QPoint(round(float(np.median(places[:, 0]))), view.height() - 1)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))  # (0, 0) would mean the middle
    QTest.mouseMove(view, corner)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=corner)
    inside = np.flatnonzero((places[:, 0] >= 0) & (places[:, 0] <= corner.x()))
    model = workplace.samples.model
    shown = [model.place(row) for row in range(model.rowCount())]
    assert sorted(shown) == inside.tolist()
    assert list(evaluated.inspection.losses[shown]) == sorted(evaluated.inspection.losses[shown], reverse=True)
    workplace.samples.all_button.click()
    assert model.rowCount() == len(places)


def test_a_lasso_takes_what_is_inside_and_a_hidden_class_is_not_meant(
    workplace: Workplace, panel: ExplorePanel, qtbot: QtBot
) -> None:
    view = drawn(workplace, panel, qtbot)
    classes = panel.map._classes
    assert classes is not None
    whole = [
        QPointF(-1, -1),
        QPointF(view.width(), -1),
        QPointF(view.width(), view.height()),
        QPointF(-1, view.height()),
    ]
    assert len(view.within(whole)) == len(classes)
    panel.map.legend.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert set(classes[view.within(whole)]) == set(range(1, 10))
    middle = view.places().mean(0)
    triangle = [QPointF(0, 0), QPointF(float(middle[0]) * 2, 0), QPointF(0, float(middle[1]) * 2)]
    places = view.places()
    below = places[:, 0] / middle[0] + places[:, 1] / middle[1] < 2
    assert view.within(triangle).tolist() == np.flatnonzero(below & (classes > 0)).tolist()
    panel.map.mistakes.setChecked(True)
    assert panel.map._wrong[view.within(whole)].all()


def test_a_map_can_be_moved_and_zoomed_by_keys(workplace: Workplace, panel: ExplorePanel, qtbot: QtBot) -> None:
    view = drawn(workplace, panel, qtbot)
    before = view.places()
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert np.ptp(view.places(), axis=0)[0] == pytest.approx(1.2 * np.ptp(before, axis=0)[0], rel=1e-4)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Home)
    np.testing.assert_allclose(view.places(), before, atol=1e-3)
    view.tool = MOVE
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    QTest.mouseMove(view, QPoint(80, 40))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(80, 40))
    np.testing.assert_allclose(view.places() - before, [[30, -10]] * len(before), atol=1e-3)


def test_neighbours_follow_the_chosen_sample_once_vectors_are_there(
    workplace: Workplace, panel: ExplorePanel, qtbot: QtBot
) -> None:
    evaluated = workplace._evaluated
    assert evaluated is not None
    panel.among.setCurrentIndex(panel.among.findData("train"))
    assert panel.model.near is None
    panel.button.click()
    wait(workplace, qtbot)
    for row in (None, 4):
        if row is not None:
            workplace.samples.grid.setCurrentIndex(workplace.samples.model.index(row, 0))
        qtbot.waitUntil(
            lambda: panel.model.near is not None and panel.model.near.row == workplace.sample.row, timeout=WAIT_MS
        )
        near, trained = panel.model.near, evaluated.trained
        own, train = (embed(trained, split, default_layer(trained)) for split in ("validation", "train"))
        vector = own.vectors[list(own.rows).index(workplace.sample.row)]
        wanted = nearest(vector, train.vectors, train.rows, COSINE, 24)
        assert [n.row for n in near.neighbours] == [int(train.rows[place]) for place, _ in wanted]
        assert str(near.disagreeing) in panel.told.text() or near.disagreeing == 0


def test_a_neighbour_of_the_train_split_is_gone_to(workplace: Workplace, panel: ExplorePanel, qtbot: QtBot) -> None:
    panel.among.setCurrentIndex(panel.among.findData("train"))
    panel.button.click()
    wait(workplace, qtbot)
    qtbot.waitUntil(lambda: panel.model.rowCount() > 0, timeout=WAIT_MS)
    row = panel.model.samples()[2]
    panel.grid.clicked.emit(panel.model.index(2, 0))
    wait(workplace, qtbot)
    qtbot.waitUntil(lambda: workplace.sample.place >= 0 and workplace.sample.row == row, timeout=WAIT_MS)
    assert workplace.choice.split == "train"


def test_a_class_given_by_hand_reaches_the_next_run_and_can_be_undone(
    workplace: Workplace, document: Document, qtbot: QtBot
) -> None:
    evaluate(workplace, qtbot)
    samples, model = workplace.samples, workplace.samples.model
    select(workplace, 0, 2)
    chosen = samples.selected_samples()
    samples.marks.classes.setCurrentIndex(7)
    samples.marks.set_class.click()
    qtbot.waitUntil(lambda: len(document.project.data.relabelled) == 2, timeout=WAIT_MS)
    assert prepare(document.project.data).targets[list(chosen)].tolist() == [7, 7]
    assert model.index(0, 0).data(CAPTION).endswith("→ 7")
    samples.order.setCurrentIndex(samples.order.findData("given"))
    samples.order.activated.emit(samples.order.currentIndex())
    assert sorted(model.sample(row) for row in range(model.rowCount())) == list(chosen)
    samples.marks.classes.setCurrentIndex(samples.marks.classes.count() - 1)  # as in the file
    select(workplace, 0)
    samples.marks.set_class.click()
    assert len(document.project.data.relabelled) == 1
    document.history.undo()
    document.history.undo()
    assert document.project.data.relabelled == ()


def test_samples_are_noted_for_later_and_left_out_together(
    workplace: Workplace, document: Document, qtbot: QtBot
) -> None:
    evaluate(workplace, qtbot)
    samples, model = workplace.samples, workplace.samples.model
    select(workplace, 1, 3, 5)
    chosen = samples.selected_samples()
    samples.marks.note.setText(" smudged ")
    samples.marks.later.click()
    assert [(mark.sample, mark.note) for mark in document.project.data.later] == [(n, "smudged") for n in chosen]
    assert [model.index(row, 0).data(LATER) for row in range(4)] == [False, True, False, True]
    assert samples.order.itemText(samples.order.count() - 1) == "To look at later (3)"
    select(workplace, 3)
    assert samples.marks.note.text() == "smudged"
    samples.marks.done.click()
    assert len(document.project.data.later) == 2
    select(workplace, 1, 3, 5)
    samples.marks.leave_out.click()
    assert document.project.data.excluded == chosen
    document.reset(read_template("iris-mlp"))
    assert not samples.marks.later.isEnabled()


def test_the_next_run_starts_from_what_was_evaluated(workplace: Workplace, document: Document, qtbot: QtBot) -> None:
    assert not workplace.choice.again.isEnabled()
    evaluate(workplace, qtbot)
    evaluated = workplace._evaluated
    assert evaluated is not None
    with qtbot.waitSignal(workplace.train_wanted, timeout=WAIT_MS):
        workplace.choice.again.click()
    weights = document.project.weights
    assert weights is not None
    assert (weights.path, weights.sha256) == (evaluated.trained.path, sha256(evaluated.trained.path))
    document.history.undo()
    assert document.project.weights is None


def test_pixels_are_shown_right_and_wrong(workplace: Workplace, qtbot: QtBot) -> None:
    runs = workplace.choice.runs
    runs.setCurrentIndex(next(n for n in range(runs.count()) if "shapes" in runs.itemText(n)))
    workplace.choice._choose_run()
    evaluate(workplace, qtbot)
    page, evaluated = workplace.sample, workplace._evaluated
    assert evaluated is not None
    qtbot.waitUntil(lambda: page.pages.currentWidget() is page.placed, timeout=WAIT_MS)
    placed = page.placed.placed
    assert placed is not None
    assert page.placed.told.text().startswith(f"{int(placed.wrong.sum()):,} of {placed.wrong.size:,} pixels are wrong")
    counts = np.array(evaluated.report.confusion)
    truth, guess = np.unravel_index((counts - np.diag(np.diag(counts))).argmax(), counts.shape)
    view = workplace.report.confusion
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.cell_center(int(truth), int(guess)).toPoint())
    assert ", most first" in workplace.samples.about.text()
    first = workplace.samples.model.place(0)
    qtbot.waitUntil(lambda: page.place == first and page.placed.placed.row == page.row, timeout=WAIT_MS)
    assert not workplace.samples.marks.set_class.isVisible()
