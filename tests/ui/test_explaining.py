"""What a person asks about a sample and a split at the Evaluate place, and sees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.project import read_template
from studio.runs import runs_folder
from studio.ui.document import Document
from studio.ui.evaluation.attention_view import EACH, MEAN
from studio.ui.evaluation.explaining import ATTENTION, FILTERS, MAPS
from studio.ui.evaluation.place import EvaluatePlace
from studio.ui.evaluation.place_box import PlaceBox
from studio.ui.evaluation.workplace import Workplace
from studio.ui.preferences import Preferences
from tests.evaluation.kinds_of_data import train_on
from tests.ui.test_evaluate_place import WAIT_MS, evaluate, opened, show_tab, wait
from tests.ui.window_help import Person, redirect_folders

KINDS = ("vit", "translation", "columns", "picture")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    with pytest.MonkeyPatch.context() as patch:
        redirect_folders(patch, tmp_path_factory.mktemp("own"))
        folders = {kind: tmp_path_factory.mktemp(kind) for kind in KINDS}
        for kind, folder in folders.items():
            train_on(kind, folder)
        yield {kind: folder / "run" for kind, folder in folders.items()}


@pytest.fixture
def place(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EvaluatePlace]:
    redirect_folders(monkeypatch, tmp_path)
    made = EvaluatePlace(Document(read_template("digits-cnn")), Preferences(), Person())
    made.resize(1200, 700)
    yield made
    made.close()
    made.deleteLater()


def evaluated(place: EvaluatePlace, run: Path, qtbot: QtBot) -> Workplace:
    shutil.copytree(run, runs_folder() / "2026-01-01_00-00-00_run")
    workplace = opened(place, qtbot)
    evaluate(workplace, qtbot)
    return workplace


def ask(workplace: Workplace, kind: str, qtbot: QtBot) -> None:
    form = workplace.sample.form
    form.methods.setCurrentIndex(form.methods.findData(kind))
    form.button.click()
    wait(workplace, qtbot)


def test_attention_is_shown_for_layers_heads_and_rows(
    place: EvaluatePlace, runs: dict[str, Path], qtbot: QtBot
) -> None:
    workplace = evaluated(place, runs["vit"], qtbot)
    ask(workplace, ATTENTION, qtbot)
    view = workplace.sample.pages.attention
    assert workplace.sample.pages.currentWidget() is view
    assert [view.layers.itemText(n)[:16] for n in range(3)] == [
        "self_attention_1",
        "self_attention_2",
        "all 2 layers of ",
    ]
    assert view.heads.currentData() == MEAN
    before = view.map.grab().toImage()
    view.heads.setCurrentIndex(view.heads.findData(1))
    assert np.array_equal(view.map.shown_weights, view.attended.sights[0].weights[1])
    assert view.map.grab().toImage() != before
    room = view.map._map_room()
    middle = QPoint(int(room.left() + room.width() * 2.5 / 16), int(room.top() + room.height() * 5.5 / 16))
    QTest.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(view.map, middle)
    assert view.map.query == 5
    weight = float(view.attended.sights[0].weights[1, 5, 2])
    qtbot.waitUntil(lambda: view.told.text() == f"“6” looks at “3” with {weight:.3f}.", timeout=WAIT_MS)
    view.layers.setCurrentIndex(1)
    view.heads.setCurrentIndex(view.heads.findData(EACH))
    last = view.map._head_rooms()[3].center().toPoint()
    QTest.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=last)
    assert view.heads.currentData() == 3


def test_an_input_and_a_place_are_chosen(place: EvaluatePlace, runs: dict[str, Path], qtbot: QtBot) -> None:
    workplace = evaluated(place, runs["translation"], qtbot)
    form = workplace.sample.form
    assert [form.inputs.itemText(n) for n in range(form.inputs.count())] == ["tokens_1", "tokens_2"]
    form.inputs.setCurrentIndex(1)
    form.places.setValue(2)
    ask(workplace, "saliency", qtbot)
    explained = workplace.sample.explained.explained
    assert explained is not None
    assert (explained.question.which, explained.question.place) == (1, 1)
    assert explained.parts[0] == "[BEGIN]"
    assert "at place 2" in form.told.text()
    assert np.abs(explained.values[2:]).max() == 0  # later words have no part in it


def test_places_are_counted_row_by_row(qtbot: QtBot) -> None:
    box = PlaceBox()
    qtbot.addWidget(box)
    box.begin((2, 3))
    assert (box.text(), box.place) == ("all places", None)
    box.setValue(5)
    assert (box.text(), box.place) == ("2, 2", 4)
    for text, place in (("1, 3", 2), ("2, 9", 5), ("nonsense", 5), ("all places", None)):
        box.lineEdit().setText(text)
        box.interpretText()
        assert box.place == place, text
    box.begin((4,))
    box.lineEdit().setText("3")
    box.interpretText()
    assert box.place == 2


def test_features_are_measured_and_one_is_followed(place: EvaluatePlace, runs: dict[str, Path], qtbot: QtBot) -> None:
    workplace = evaluated(place, runs["columns"], qtbot)
    show_tab(workplace, "Importance")
    panel = workplace.report.importance.panel
    assert panel is not None
    panel.button.click()
    wait(workplace, qtbot)
    assert panel.bars.found is not None
    assert {each.feature.name for each in panel.bars.found.found} == {"size", "town", "colour"}
    assert "on 10 samples of the validation split" in panel.told.text()
    row = [each.feature.name for each in panel.bars.found.found].index("town")
    QTest.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=QPoint(20, row * 24 + 12))
    wait(workplace, qtbot)
    assert panel.curve.isVisible()
    assert "0 is Atown" in panel.curve_told.text()


def test_measuring_can_be_given_up(place: EvaluatePlace, runs: dict[str, Path], qtbot: QtBot) -> None:
    workplace = evaluated(place, runs["columns"], qtbot)
    show_tab(workplace, "Importance")
    panel = workplace.report.importance.panel
    assert panel is not None
    panel.repeats.setValue(100)
    panel.button.click()
    assert panel.button.text() == "Cancel"
    panel.button.click()
    wait(workplace, qtbot)
    assert panel.button.text() == "Measure"
    assert panel.bars.found is None


def test_a_method_is_checked_with_random_weights(place: EvaluatePlace, runs: dict[str, Path], qtbot: QtBot) -> None:
    workplace = evaluated(place, runs["picture"], qtbot)
    page = workplace.sample
    page.form.methods.setCurrentIndex(page.form.methods.findData("saliency"))
    page.form.check.click()
    wait(workplace, qtbot)
    assert page.pages.currentWidget() is page.pages.sanity
    assert "With random weights in all layers the rank correlation is" in page.form.told.text()
    assert "as trained 1.00; dense_1" in page.pages.sanity.accessibleName()
    assert page.pages.sanity.grab().toImage().pixelColor(5, 5).isValid()


def test_more_steps_are_offered_until_the_sum_is_right(
    place: EvaluatePlace, runs: dict[str, Path], qtbot: QtBot
) -> None:
    workplace = evaluated(place, runs["columns"], qtbot)
    form = workplace.sample.form
    form.methods.setCurrentIndex(form.methods.findData("integrated-gradients"))
    form.fields.editors["steps"].value_changed.emit(2)
    form.button.click()
    wait(workplace, qtbot)
    before = workplace.sample.explained.explained
    assert before is not None
    assert before.remainder > 0.01
    assert form.more.text() == "Again with 8 steps"
    while not form.more.isHidden():
        form.more.click()
        wait(workplace, qtbot)
    after = workplace.sample.explained.explained
    assert after is not None
    assert after.method.steps in (8, 32, 128, 512)
    assert after.remainder <= 0.01
    assert "they miss it by" in form.told.text()


def test_feature_maps_and_filters_are_shown(place: EvaluatePlace, runs: dict[str, Path], qtbot: QtBot) -> None:
    workplace = evaluated(place, runs["picture"], qtbot)
    form, view = workplace.sample.form, workplace.sample.pages.inside
    form.methods.setCurrentIndex(form.methods.findData(MAPS))
    form.layers.setCurrentIndex(form.layers.findText("conv2d_1"))
    form.button.click()
    wait(workplace, qtbot)
    assert view.told.text().startswith("“conv2d_1”: 3 feature maps")
    maps = view.canvas.grab().toImage()
    ask(workplace, FILTERS, qtbot)
    assert view.told.text().startswith("“conv2d_1”: 3 filters")
    assert view.canvas.grab().toImage() != maps
