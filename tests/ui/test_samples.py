"""A real sample on the blocks: seen after edits and runs, not during one, and without a word too many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.compile.analysis import Analysis, NodeAnalysis
from studio.compile.network import build_network
from studio.compile.pictures import ZERO, Picture, picture
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.compile.trace import trace
from studio.data import registry as sources
from studio.data.choice import DataChoice
from studio.data.examples import examples
from studio.graph.edits import Remove, SetBlock
from studio.project import read_template
from studio.training.checkpoint import Checkpoint, write_checkpoint
from studio.ui import samples as samples_module
from studio.ui import theme
from studio.ui.canvas.scene import GraphScene
from studio.ui.document import Document
from studio.ui.main_window import MainWindow
from studio.ui.panels.sample_section import SampleSection
from studio.ui.preferences import Preferences
from studio.ui.run_state import IDLE, TRAINING
from studio.ui.samples import MAX_BLOCKS, Samples, Sighting
from studio.ui.widgets.picture_view import to_pixmap
from tests.helpers import block
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders, wait_until_loaded

SEEN_MS = 30_000


@pytest.fixture
def document() -> Document:
    """Iris: n1 Input, n2 Dense, n3 ReLU, n4 Dense, n5 Output."""
    return Document(read_template("iris-mlp"))


@pytest.fixture
def samples(document: Document, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Samples]:
    redirect_folders(monkeypatch, tmp_path)
    samples = Samples(document, Preferences())
    samples.follow_analysis(analyze(document.graph))
    yield samples
    samples.close()


def start(samples: Samples, qtbot: QtBot) -> Sighting:
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.start()
    return samples.sighting


def learned(document: Document, path: Path) -> Path:
    torch.manual_seed(7)
    weights = build_network(make_plan(document.graph)).state_dict()
    write_checkpoint(path, Checkpoint(weights, {}, 1, 1, {}, document.project, {}))
    return path


def test_every_block_shows_what_the_sample_is_there(samples: Samples, document: Document, qtbot: QtBot) -> None:
    sighting = start(samples, qtbot)
    example = examples(document.project.data)[0]
    results = trace(document.graph, example.inputs)
    assert sighting.pictures.keys() == set(document.graph.by_id)
    for path, made in sighting.pictures.items():
        assert np.array_equal(made.pixels, picture(results[path]).pixels)
    assert sighting.caption == f"Sample {example.number} ({example.target}), before any training"


@pytest.mark.parametrize(
    ("template", "caption"),
    [("digits-autoencoder", "image"), ("shapes-unet", "classes as answered, and the true ones")],
)
def test_an_answer_shows_as_what_it_stands_for(
    template: str, caption: str, samples: Samples, document: Document, qtbot: QtBot
) -> None:
    document.reset(read_template(template))
    samples.follow_analysis(analyze(document.graph))
    sighting = start(samples, qtbot)
    (output,) = document.graph.outputs
    assert sighting.pictures[output.id].caption == caption
    (link,) = document.graph.links_into(output.id)
    assert "feature map" in sighting.pictures[link.source].caption


def test_after_an_edit_it_looks_again_and_another_sample_is_another(
    samples: Samples, document: Document, qtbot: QtBot
) -> None:
    first = start(samples, qtbot)
    document.do(SetBlock("n2", block("dense", units=5)), "Change units")
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.follow_analysis(analyze(document.graph))
    assert samples.sighting.pictures["n2"].caption == "5 values"
    with qtbot.assertNotEmitted(samples.seen, wait=50):
        samples.follow_analysis(analyze(document.graph))  # with repairs, of the same graph
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.show_next()
    assert samples.sighting.caption != first.caption
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        document.choose_data(DataChoice(source=document.project.data.source, scaling="none"))
    assert samples.sighting.pictures["n1"].low >= 0


def test_while_a_run_trains_the_pictures_stand_still_and_then_they_show_what_was_learned(
    samples: Samples, document: Document, qtbot: QtBot, tmp_path: Path
) -> None:
    fresh = start(samples, qtbot)
    samples.follow_run(TRAINING, None)
    with qtbot.assertNotEmitted(samples.seen, wait=50):
        samples.show_next()
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.follow_run(IDLE, learned(document, tmp_path / "last.pt"))
    assert samples.sighting.caption.endswith("with the weights of the last run")
    assert not np.array_equal(samples.sighting.pictures["n2"].pixels, fresh.pictures["n2"].pixels)
    document.reset(read_template("iris-mlp"))
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.follow_analysis(analyze(document.graph))
    assert samples.sighting.caption.endswith("before any training")


def test_a_checkpoint_that_is_gone_is_no_reason_to_show_nothing(
    samples: Samples, document: Document, qtbot: QtBot, tmp_path: Path
) -> None:
    start(samples, qtbot)
    samples.follow_run(TRAINING, None)
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.follow_run(IDLE, tmp_path / "gone.pt")
    assert samples.sighting.pictures
    assert samples.sighting.caption.endswith("before any training")


def test_switched_off_there_is_nothing_and_it_is_remembered(samples: Samples, document: Document, qtbot: QtBot) -> None:
    start(samples, qtbot)
    samples.set_wanted(False)
    assert samples.sighting == Sighting()
    assert not Preferences().samples
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.set_wanted(True)
    assert samples.sighting.pictures
    assert Preferences().samples


def test_it_says_why_there_is_nothing(samples: Samples, document: Document, qtbot: QtBot, tmp_path: Path) -> None:
    start(samples, qtbot)
    samples._preferences.set_data_folder("mnist", tmp_path)
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        document.choose_data(DataChoice(source=sources.get("mnist")()))
    assert not samples.sighting.pictures
    assert "MNIST" in samples.sighting.reason
    document.history.undo()
    document.do(SetBlock("n1", block("input", shape=(7,))), "Change shape")
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.follow_analysis(analyze(document.graph))
    assert "does not fit" in samples.sighting.reason


@pytest.mark.parametrize(
    "known",
    [
        Analysis({f"n{i}": NodeAnalysis() for i in range(MAX_BLOCKS + 1)}),
        Analysis({"n1": NodeAnalysis(flops=10**11)}),
        Analysis({"n1": NodeAnalysis(memory=2**31)}),
        Analysis({"n1": NodeAnalysis(parameters=10**9)}),
    ],
)
def test_what_would_take_too_long_is_not_begun(samples: Samples, known: Analysis, qtbot: QtBot) -> None:
    start(samples, qtbot)
    samples.follow_analysis(known)
    assert samples.sighting.reason
    assert not samples.sighting.pictures


def test_what_is_out_of_date_is_not_shown(samples: Samples, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    real = samples_module._Looker.look

    def held(self: samples_module._Looker, wish: samples_module._Wish) -> Sighting:
        begun.set()
        assert go_on.wait(20)
        return real(self, wish)

    monkeypatch.setattr(samples_module._Looker, "look", held)
    samples.start()
    assert begun.wait(20)
    samples.set_wanted(False)
    with qtbot.waitSignal(samples._finished, timeout=SEEN_MS):
        go_on.set()
    assert samples.sighting == Sighting()


def test_a_fault_is_told_and_the_next_look_works(
    samples: Samples, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("studio.compile.trace.trace", lambda *_: 1 / 0)
        assert "division by zero" in start(samples, qtbot).reason
    with qtbot.waitSignal(samples.seen, timeout=SEEN_MS):
        samples.show_next()
    assert samples.sighting.pictures


def test_the_blocks_show_their_pictures_and_forget_them(document: Document, qtbot: QtBot) -> None:
    scene = GraphScene(document)
    made = picture(torch.tensor([1.0, -1.0]))
    item = scene.node_item("n2")
    right = item._name_at.x()
    scene.show_pictures({"n2": made})
    assert item.picture is made
    assert item._name_at.x() < right, "the name lies under the picture"
    assert scene.node_item("n3").picture is None
    scene.show_pictures({})
    assert item._thumbnail is None
    assert item._name_at.x() == right
    document.do(Remove(frozenset({"n2"})), "Delete")
    scene.show_pictures({"n2": made})


def test_a_picture_follows_the_theme(document: Document, qapp: QApplication) -> None:
    scene = GraphScene(document)
    item = scene.node_item("n2")
    scene.show_pictures({"n2": picture(torch.tensor([1.0, -1.0]))})
    light, dark = (replace(scene.style_in_use, theme=colors) for colors in (theme.LIGHT, theme.DARK))
    images = []
    for style in (light, dark):
        item.set_style(style)
        assert item._thumbnail is not None
        images.append(item._thumbnail[0].toImage())
    assert images[0] != images[1]


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK])
def test_each_sign_has_a_colour_and_zero_is_the_ground(colors: theme.Theme) -> None:
    pixels = np.array([[1, ZERO, 255]], dtype=np.uint8)
    image = to_pixmap(Picture(pixels, True, -1, 1, ""), colors).toImage()
    assert [image.pixelColor(x, 0) for x in range(3)] == [colors.plot_train, colors.canvas, colors.plot_validation]
    grey = to_pixmap(Picture(pixels, False, -1, 1, ""), colors).toImage()
    assert grey.pixelColor(1, 0) == QColor(128, 128, 128)
    red = to_pixmap(Picture(np.array([[[255, 0, 0]]], dtype=np.uint8), False, 0, 1, ""), colors).toImage()
    assert red.pixelColor(0, 0) == QColor(255, 0, 0)


def test_the_inspector_says_what_is_to_be_seen(qtbot: QtBot) -> None:
    section = SampleSection()
    qtbot.addWidget(section)
    section.show_sighting(None, "n1")
    assert section.isHidden()
    made = picture(torch.tensor([1.0, -0.5, float("nan")]))
    section.show_sighting(Sighting({"n1": made}, "Sample 5 (setosa)"), "n1")
    assert section.facts.text() == "3 values, from -0.5 to 1; 1 are infinite or no numbers"
    assert section.caption.text() == "Sample 5 (setosa)"
    section.show_sighting(Sighting({"n1": made}, "Sample 5 (setosa)"), "n2")
    assert section.facts.text() == "The sample does not come to this block."
    assert section.picture.isHidden()
    section.show_sighting(Sighting(reason="Too large."), "n1")
    assert section.facts.text() == "Too large."
    assert section.next_button.isHidden()
    with qtbot.waitSignal(section.next_wanted):
        section.next_button.click()


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, Person())


def test_in_the_window(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    scene = window.build_place.scene
    qtbot.waitUntil(lambda: scene.node_item("n2").picture is not None, timeout=LOADING_MS)
    scene.select(["n2"])
    section = window.build_place.inspector.block_page.sample_section
    qtbot.waitUntil(section.isVisible)
    first = section.caption.text()
    section.next_button.click()
    qtbot.waitUntil(lambda: section.caption.text() != first, timeout=SEEN_MS)
    toggle(window)
    assert scene.node_item("n2").picture is None
    assert section.isHidden()


def toggle(window: MainWindow) -> None:
    """Choose the menu item."""
    (action,) = [a for a in window.findChildren(type(window.export_action)) if a.text() == "Sample on blocks"]
    action.trigger()
