"""The health of a run and the check before it, in the window."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.graph import Graph
from studio.graph.edits import SetBlock
from studio.project import Project, read_template
from studio.training import doctor, preflight
from studio.training.events import BlockHealth, Diagnosis, EpochEnded, Finding, Health, Started
from studio.ui.canvas.badges import Badges
from studio.ui.canvas.scene import GraphScene
from studio.ui.document import Document
from studio.ui.panels.figures import Figures
from studio.ui.panels.health_table import BAD_ROLE, BAR_ROLE, HealthModel, described
from studio.ui.panels.run_side import RunSide
from studio.ui.preferences import Preferences
from studio.ui.preflight_check import PreflightCheck
from tests.ui.window_help import redirect_folders

NONE = math.nan
STARTED = Started("run", 1234, 20, 10, {"train": 5000}, "cpu", 1, "accuracy")
DENSE = BlockHealth("n2", "dense_1", "dense", "D", False, 10, 1.5, 1e-3, 2e-3, 0.0, 1.0, NONE, NONE)
RELU = BlockHealth("n3", "relu_1", "relu", "D", False, 0, NONE, NONE, NONE, 0.0, 0.0, 0.875, NONE)
LAST = replace(DENSE, node="n4", name="dense_2", gradient=1.0, update=0.5)
HEALTH = Health(7, 1, 2.3, 10.0, (DENSE, RELU, LAST), 1e-4)
DEAD = Finding(doctor.DEAD, doctor.ERROR, "Dead ReLU units", "88 % of “relu_1”.", "", "n3", "relu_1")
RATE = Finding(doctor.RATE_HIGH, doctor.WARNING, "Learning rate too high", "The loss jumps.")


@pytest.fixture
def document(qapp: QApplication, chain: Callable[..., Graph]) -> Document:
    """Input, Dense, ReLU, Dense, Output, from n1 to n5, and a rate of ten."""
    kinds = [registry.get(kind) for kind in ("input", "dense", "relu", "dense", "output")]
    graph = chain(kinds[0](shape=(64,)), *(kind() for kind in kinds[1:]))
    settings = read_template("digits-mlp").training
    optimizer = type(settings.optimizer)(learning_rate=10.0)
    return Document(Project(graph=graph, training=replace(settings, optimizer=optimizer)))


@pytest.fixture
def side(qtbot: QtBot, document: Document) -> Iterator[RunSide]:
    made = RunSide(document, Figures())
    made.resize(320, 700)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close()
    made.deleteLater()


def test_the_first_finding_comes_to_the_front_once(qtbot: QtBot, side: RunSide) -> None:
    side.show_events([STARTED, HEALTH])
    assert (side.currentIndex(), side.health) == (side.FIGURES, None)
    side.show_events([Diagnosis(7, 1, (DEAD, RATE))])
    assert (side.currentIndex(), side.tabText(side.HEALTH)) == (side.HEALTH, "Health (2)")
    assert not side.tabIcon(side.HEALTH).isNull()
    qtbot.waitUntil(lambda: [card.finding for card in side.health.list.cards] == [DEAD, RATE])
    side.setCurrentIndex(side.FIGURES)
    side.show_events([HEALTH, Diagnosis(9, 1, (RATE,))])
    assert side.currentIndex() == side.FIGURES
    side.show_events([STARTED])
    assert side.tabText(side.HEALTH) == "Health"
    side.setCurrentIndex(side.HEALTH)
    assert side.health.list.cards == []


def test_a_remedy_is_one_undo_step_and_is_gone_when_done(qtbot: QtBot, side: RunSide, document: Document) -> None:
    side.show_events([STARTED, HEALTH, Diagnosis(7, 1, (DEAD, RATE))])
    qtbot.waitUntil(lambda: len(side.health.list.cards) == 2)
    dead, rate = side.health.list.cards
    before = document.project
    assert dead.buttons[0].accessibleName() == "Use Leaky ReLU instead of ReLU in “relu_3”"
    dead.buttons[0].click()
    assert document.graph.node("n3").block.kind == "leaky_relu"
    rate.buttons[0].click()
    assert document.project.training.optimizer.learning_rate == 1e-3
    qtbot.waitUntil(lambda: "Leaky" not in dead.buttons[0].accessibleName())
    assert document.history.count == 2
    document.history.undo()
    document.history.undo()
    assert document.project == before


def test_a_hidden_panel_does_nothing(qtbot: QtBot, side: RunSide) -> None:
    side.show_events([STARTED, HEALTH, Diagnosis(7, 1, (DEAD,))])
    qtbot.waitUntil(lambda: side.health.isVisible() and not side.health._timer.isActive())
    side.setCurrentIndex(side.FIGURES)
    side.show_events([replace(HEALTH, blocks=(LAST,))])
    assert not side.health._timer.isActive()
    assert len(side.health.table.rows.blocks) == 3
    side.setCurrentIndex(side.HEALTH)
    assert side.health.table.rows.blocks == (LAST,)


def test_the_table_shows_what_is_odd(qapp: QApplication) -> None:
    rows = HealthModel()
    rows.show_health(HEALTH)
    texts = [[rows.index(row, column).data() for column in range(4)] for row in range(3)]
    assert texts == [["dense_1", "0.001", "0.2 %", ""], ["relu_1", "", "", "88 %"], ["dense_2", "1", "50 %", ""]]
    bars = [rows.index(row, 1).data(BAR_ROLE) for row in (0, 2)]
    assert bars == pytest.approx([0.5, 1.0])  # three powers of ten of six
    assert [rows.index(row, 2).data(BAD_ROLE) for row in (0, 2)] == [False, True]
    assert rows.index(1, 3).data(BAD_ROLE)
    assert "Dead units 88 %" in described(RELU)
    rows.deleteLater()


def pixels(scene: GraphScene, node_id: str) -> QImage:
    image = QImage(80, 40, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    item = scene.node_item(node_id)
    scene.render(painter, source=item.sceneBoundingRect().adjusted(item.boundingRect().width() - 40, 0, 0, 0))
    painter.end()
    return image


def test_blocks_are_marked_as_long_as_they_are_what_was_trained(document: Document) -> None:
    scene = GraphScene(document)
    badges = Badges(document, scene)
    plain = pixels(scene, "n3")
    badges.show_events([STARTED, Diagnosis(7, 1, (replace(DEAD, others=("n4",)), RATE))])
    assert [len(scene.node_item(f"n{i}").findings) for i in range(1, 6)] == [0, 0, 1, 1, 0]
    assert "Dead ReLU units: 88 %" in scene.node_item("n3").description
    assert pixels(scene, "n3") != plain
    document.do(SetBlock("n3", registry.get("gelu")()), "Change")
    assert [len(scene.node_item(f"n{i}").findings) for i in (3, 4)] == [0, 1]
    document.history.undo()
    assert scene.node_item("n3").findings
    badges.show_events([STARTED])
    assert not any(scene.node_item(f"n{i}").findings for i in range(1, 6))
    badges.deleteLater()
    scene.deleteLater()


@pytest.fixture
def check(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PreflightCheck]:
    redirect_folders(monkeypatch, tmp_path)
    monkeypatch.setattr(preflight, "SECONDS_FOR_TIME", 0.1)
    made = PreflightCheck(Document(read_template("iris-mlp")), Preferences())
    yield made
    made.close()
    made.deleteLater()


def test_a_check_shows_its_figures_and_how_far_off_it_was(
    qtbot: QtBot, check: PreflightCheck, side: RunSide, document: Document
) -> None:
    side.set_check(check)
    check.start()
    assert side.currentIndex() == side.CHECK
    panel = side.preflight
    assert not panel.progress.isHidden()
    qtbot.waitUntil(lambda: not check.checking, timeout=60_000)
    assert check.result.findings == ()
    assert panel._grid.count() == 3 * 7
    assert panel.list.note.text() == "Nothing speaks against this run."
    assert panel.progress.isHidden()
    metrics = {"loss": 0.5, "accuracy": 0.5}
    seconds = 2 * check.result.epoch_seconds
    side.show_events([STARTED, EpochEnded(1, 10, metrics, metrics, seconds, True)])
    assert "100% more than estimated" in panel.error.text()


def test_a_check_can_be_given_up_and_done_again(qtbot: QtBot, check: PreflightCheck) -> None:
    check.start()
    check.give_up()
    assert (check.checking, check.result, check._at_rest.is_set()) == (False, None, True)
    check.start()
    qtbot.waitUntil(lambda: not check.checking, timeout=60_000)
    assert check.result is not None


def test_a_check_tells_why_it_cannot_be_done(qtbot: QtBot, check: PreflightCheck, side: RunSide) -> None:
    check._document.reset(replace(check._document.project, graph=Graph()))
    side.set_check(check)
    check.start()
    qtbot.waitUntil(lambda: not check.checking, timeout=60_000)
    assert "cannot be trained yet" in side.preflight.note.text()
