"""What a person does at the Evaluate place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from studio import trust
from studio.data.base import MissingDataError
from studio.evaluation.inspection import Inspection
from studio.evaluation.predictions import Predictions
from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.runs import runs_folder
from studio.training.control import Control
from studio.training.runner import Job, run
from studio.training.tasks import CLASSES
from studio.ui.document import Document
from studio.ui.evaluation.place import EvaluatePlace
from studio.ui.evaluation.workplace import Workplace
from studio.ui.gallery.sample_model import EXCLUDED
from studio.ui.preferences import Preferences
from tests.helpers import block, chain
from tests.ui.window_help import Person, redirect_folders

WAIT_MS = 60_000
FOREIGN = "class Same(nn.Module):\n    def forward(self, x):\n        return x\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on the digits, the second one trained for longer."""
    folder = tmp_path_factory.mktemp("runs")
    project = read_template("digits-cnn")
    for number, epochs in ((1, 1), (2, 3)):
        settings = replace_fields(project.training, epochs=epochs, threads=1)
        job = Job(replace(project, training=settings), folder / f"2026-01-0{number}_00-00-00_digits")
        run(job, Control(), lambda _event: None)
    return folder


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def document() -> Document:
    return Document(read_template("digits-cnn"))


@pytest.fixture
def place(
    document: Document, person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[EvaluatePlace]:
    redirect_folders(monkeypatch, tmp_path)
    made = EvaluatePlace(document, Preferences(), person)
    made.resize(1200, 700)
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def workplace(place: EvaluatePlace, runs: Path, qtbot: QtBot) -> Workplace:
    shutil.copytree(runs, runs_folder())
    return opened(place, qtbot)


def opened(place: EvaluatePlace, qtbot: QtBot) -> Workplace:
    with qtbot.waitExposed(place):
        place.show()
    place.start()
    qtbot.waitUntil(lambda: place.workplace is not None and place.workplace.complete, timeout=WAIT_MS)
    assert place.workplace is not None
    wait(place.workplace, qtbot)
    return place.workplace


def wait(workplace: Workplace, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not workplace.task.busy and not workplace.listing.busy, timeout=WAIT_MS)


def evaluate(workplace: Workplace, qtbot: QtBot, split: str = "validation") -> None:
    workplace.choice.splits.setCurrentIndex(workplace.choice.splits.findData(split))
    workplace.choice.button.click()
    wait(workplace, qtbot)
    assert workplace.sample.isVisible(), workplace.empty.reason.text()
    qtbot.waitUntil(lambda: workplace.sample.place >= 0, timeout=WAIT_MS)


def show_tab(workplace: Workplace, title: str) -> None:
    tabs = workplace.report
    tabs.setCurrentIndex([tabs.tabText(number) for number in range(tabs.count())].index(title))


def test_nothing_is_made_before_the_place_is_shown_and_pytorch_is_there(place: EvaluatePlace, qtbot: QtBot) -> None:
    place.start()
    assert place.workplace is None
    workplace = opened(place, qtbot)
    assert workplace.empty.heading.text() == "There is no trained network yet"
    assert not workplace.choice.button.isEnabled()
    with qtbot.waitSignal(place.train_wanted):
        workplace.empty.buttons["goToTrain"].click()


def test_the_newest_run_is_evaluated(workplace: Workplace, runs: Path, qtbot: QtBot) -> None:
    assert workplace.choice.runs.currentText().startswith("digits · 02 Jan")
    evaluate(workplace, qtbot)
    evaluated = workplace._evaluated
    assert evaluated is not None
    accuracy = evaluated.report.figures["accuracy"]
    assert (
        f"Accuracy {accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f})" in workplace.report.figures.texts()
    )
    losses = evaluated.predictions.losses
    assert workplace.sample.place == int(losses.argmax())
    assert f"loss {float(losses.max()):.4g}" in workplace.sample.verdict.text()


def test_tabs_that_nobody_looked_at_are_not_made(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    evaluate(workplace, qtbot, "train")
    workplace.report._arrange([("Overview", workplace.report.overview), ("Compare", workplace.report.comparing)], "")
    workplace.report.begin(workplace._evaluated)
    report = workplace.report
    assert [later.panel for later in (report.curves, report.calibration, report.explore)] == [None] * 3
    assert [report.tabText(number) for number in range(report.count())][-2:] == ["Explore", "Compare"]


def test_a_click_on_a_cell_shows_its_samples(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    view, evaluated = workplace.report.confusion, workplace._evaluated
    assert evaluated is not None
    counts = np.array(evaluated.report.confusion)
    truth, guess = np.unravel_index((counts - np.diag(np.diag(counts))).argmax(), counts.shape)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.cell_center(int(truth), int(guess)).toPoint())
    model, inspection = workplace.samples.model, evaluated.inspection
    places = [model.place(row) for row in range(model.rowCount())]
    assert len(places) == counts[truth, guess] > 0
    assert all((inspection.targets[p], inspection.guesses[p]) == (truth, guess) for p in places)
    workplace.samples.all_button.click()
    assert model.rowCount() == len(evaluated.predictions)


def test_looks_at_the_test_samples_are_announced_and_counted(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    assert workplace.choice.warning.isHidden()
    assert "looked at" not in workplace.report.about.text()
    workplace.choice.splits.setCurrentIndex(workplace.choice.splits.findData("test"))
    assert "is counted" in workplace.choice.warning.text()
    for look in ("1 time ", "2 times "):
        evaluate(workplace, qtbot, "test")
        assert f"looked at {look}so far" in workplace.report.about.text()


def test_a_threshold_is_told_and_calibration_has_a_before_and_an_after(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot, "train")
    show_tab(workplace, "Curves")
    curves = workplace.report.curves.panel
    assert curves is not None
    curves.slider.setValue(0)
    assert "recall 1.000" in curves.told.text()
    curves.slider.setValue(1000)
    assert "From 1.000 on" in curves.told.text()
    show_tab(workplace, "Calibration")
    calibration = workplace.report.calibration.panel
    assert calibration is not None
    calibration.button.click()
    wait(workplace, qtbot)
    assert "before" in calibration.told.text()
    assert calibration._after is not None
    assert calibration._after.error < calibration._before.error


def test_an_answer_is_explained(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    page = workplace.sample
    for kind, told in (("integrated-gradients", "they miss it by"), ("grad-cam", "Grad-CAM for “4”")):
        page.form.methods.setCurrentIndex(page.form.methods.findData(kind))
        page.form.choose_class(4)
        page.form.button.click()
        qtbot.waitUntil(lambda told=told: told in page.form.told.text(), timeout=WAIT_MS)
        explained = page.explained.explained
        assert explained is not None
        assert explained.question.row == page.row
        assert page.pages.currentWidget() is page.explained
    strong = page.explained.canvas.grab().toImage()
    page.form.opacity.setValue(0)
    assert page.explained.canvas.grab().toImage() != strong


def test_an_explanation_can_be_given_up(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    form = workplace.sample.form
    form.methods.setCurrentIndex(form.methods.findData("kernel-shap"))
    form.fields.editors["samples"].value_changed.emit(20_000)
    form.button.click()
    assert form.button.text() == "Cancel"
    form.button.click()
    wait(workplace, qtbot)
    assert form.button.text() == "Explain"
    assert form.told.text() == ""
    assert workplace.sample.explained.explained is None


def test_two_runs_are_compared_in_words(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    show_tab(workplace, "Compare")
    panel = workplace.report.comparing
    assert [panel.runs.itemText(n)[:15] for n in range(panel.runs.count())] == ["digits · 01 Jan"]
    panel.button.click()
    wait(workplace, qtbot)
    assert "accuracy differs by -" in panel.told.text()
    assert "McNemar’s test" in panel.told.text()
    assert panel.table.item(1, 0).text() == "Accuracy"
    assert panel.table.item(1, 1).text() != panel.table.item(1, 2).text()


def test_a_sample_is_left_out_of_the_project(workplace: Workplace, document: Document, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    sample, button = workplace.sample.row, workplace.sample.exclude
    button.click()
    assert document.project.data.excluded == (sample,)
    assert workplace.samples.model.index(0, 0).data(EXCLUDED)
    assert button.text() == "Take back"
    document.history.undo()
    assert button.text() == "Leave out"
    document.reset(read_template("iris-mlp"))
    assert not button.isEnabled()


def test_weights_that_cannot_be_read_are_explained(workplace: Workplace, qtbot: QtBot) -> None:
    file = workplace.choice.path
    assert file is not None
    file.write_bytes(file.read_bytes()[:-100])
    workplace.choice.button.click()
    wait(workplace, qtbot)
    assert workplace.empty.heading.text() == "These weights cannot be read"
    assert workplace.empty.isVisible()
    workplace.choice.checkpoints.setCurrentIndex(workplace.choice.checkpoints.findData("last"))
    evaluate(workplace, qtbot)


def test_data_that_is_not_there_is_looked_for(
    workplace: Workplace, person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders: list[Path | None] = []

    def refuse(_file: Path, _checkpoint: object, folder: Path | None, **_: object) -> None:
        folders.append(folder)
        raise MissingDataError("The files are not there.")

    monkeypatch.setattr("studio.ui.evaluation.work.made_ready", refuse)
    workplace.choice.button.click()
    wait(workplace, qtbot)
    assert workplace.empty.heading.text() == "The data of this run is not there"
    person.path = tmp_path
    workplace.empty.buttons["findRunData"].click()
    wait(workplace, qtbot)
    assert folders == [None, tmp_path]


def test_changed_data_is_told(workplace: Workplace, qtbot: QtBot) -> None:
    assert workplace.choice.run is not None
    record = workplace.choice.run / "run.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "data_fingerprint": "other"}))
    evaluate(workplace, qtbot)
    assert workplace.changed.isVisible()
    assert not workplace.sample.exclude.isEnabled()


def test_custom_code_runs_after_it_was_read(place: EvaluatePlace, person: Person, qtbot: QtBot) -> None:
    blocks = block("input", shape=(1, 8, 8)), block("flatten"), block("custom_code", code=FOREIGN)
    project = Project(chain(*blocks, block("dense", units=10), block("output")))
    trust.trust_for_now(FOREIGN)
    job = Job(replace(project, training=replace_fields(project.training, epochs=1, threads=1)), runs_folder() / "mine")
    run(job, Control(), lambda _event: None)
    trust.forget_for_now()
    workplace = opened(place, qtbot)
    workplace.choice.button.click()
    wait(workplace, qtbot)
    assert workplace.empty.heading.text() == "The code of this run has not run here"
    read = workplace.empty.buttons["readRunCode"]
    read.click()
    assert FOREIGN in person.asked[-1]
    assert workplace._evaluated is None
    person.on_code = True
    read.click()
    wait(workplace, qtbot)
    assert workplace._evaluated is not None


def test_a_checkpoint_from_elsewhere_can_be_chosen(
    workplace: Workplace, person: Person, runs: Path, qtbot: QtBot
) -> None:
    person.path = runs / "2026-01-01_00-00-00_digits" / "checkpoints" / "last.pt"
    combo = workplace.choice.runs
    combo.setCurrentIndex(combo.count() - 1)
    combo.activated.emit(combo.currentIndex())
    assert workplace.choice.path == person.path
    evaluate(workplace, qtbot)


def test_the_run_that_just_ended_is_chosen(place: EvaluatePlace, workplace: Workplace, qtbot: QtBot) -> None:
    older = runs_folder() / "2026-01-01_00-00-00_digits"
    place.follow_run("training", older / "checkpoints" / "best.pt")
    assert workplace.choice.run != older
    place.follow_run("idle", older / "checkpoints" / "best.pt")
    assert workplace.choice.run == older
    wait(workplace, qtbot)
    assert workplace.choice.run == older


def test_of_fifty_thousand_samples_only_those_in_view_are_drawn(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    assert workplace._evaluated is not None
    asked: list[tuple[int, ...]] = []
    workplace.samples.painter.want = asked.append  # type: ignore[method-assign]
    count = 50_000
    numbers = torch.Generator().manual_seed(0)
    answers, losses = torch.randn(count, 10, generator=numbers), torch.rand(count, generator=numbers)
    targets, rows = torch.randint(10, (count,), generator=numbers), torch.arange(count) % 1_797
    names = workplace._evaluated.predictions.names
    predictions = Predictions("train", CLASSES, names, rows, losses, answers, targets)
    workplace._show_evaluated(
        replace(workplace._evaluated, predictions=predictions, inspection=Inspection(predictions))
    )
    bar = workplace.samples.grid.verticalScrollBar()
    for share in (0.0, 0.5, 1.0):
        bar.setValue(round(share * bar.maximum()))
        qtbot.waitUntil(lambda: bool(asked))
    last = workplace.samples.model.sample(count - 1)
    qtbot.waitUntil(lambda: last in asked[-1])
    assert all(len(samples) < 200 for samples in asked)


def test_every_control_can_be_found_by_name(workplace: Workplace, qtbot: QtBot) -> None:
    evaluate(workplace, qtbot)
    buttons = [b for b in workplace.findChildren(QAbstractButton) if b.isVisibleTo(workplace) and b.text()]
    assert len(buttons) > 3
    assert [b.text() for b in buttons if not (b.objectName() and (b.accessibleName() or b.text()))] == []
    assert workplace.report.confusion.cell_at(QPoint(0, 0).toPointF()) is None
