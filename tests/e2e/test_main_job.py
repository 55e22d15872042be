"""The main job with a real pointer: drag a block, train, see the curve grow, export, close."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.e2e.conftest import Studio

pytestmark = pytest.mark.e2e

NODES = "[node.name for node in window.document.graph.nodes]"
LINKS = "[[link.source, link.target] for link in window.document.graph.links]"
POINTS = "find('lossPlot').drawn_points"


def drag_from_palette(studio: Studio, title: str, end: tuple[int, int]) -> None:
    x, y, width, height = studio.ask(f"palette_row({title!r})")
    studio.drag((x + min(40, width // 2), y + height // 2), end)


def test_drag_train_watch_export_and_close(studio: Studio, tmp_path: Path) -> None:
    before = studio.ask(NODES)
    assert "gelu_1" not in before

    # A block dropped on a wire goes in between; the wire is halfway between two blocks of the column.
    wire = studio.ask(
        "(lambda g, l: [(g.by_id[l.source].x + 120), (g.by_id[l.source].y + 44 + g.by_id[l.target].y) / 2])"
        "(window.document.graph, window.document.graph.links[4])"
    )
    drag_from_palette(studio, "GELU", tuple(studio.ask(f"on_canvas({wire[0]}, {wire[1]})")))
    studio.wait(NODES, lambda names: "gelu_1" in names)
    assert len(studio.ask(LINKS)) == len(before)  # one wire became two
    assert studio.wait("window.analyzer.analysis.trainable")

    studio.click("trainButton")
    studio.wait("window.session.state", lambda state: state == "training")
    first = studio.wait(POINTS, lambda points: points["train"] > 0)
    studio.wait(POINTS, lambda points: points["train"] > first["train"] + 5)
    assert studio.ask("rect('lossPlot')") is not None
    studio.wait("window.session.state", lambda state: state == "idle")
    assert studio.ask(POINTS)["validation"] == 30

    studio.keys("ctrl+e")
    studio.wait("rect('exportWrite')")
    target = tmp_path / "out.pt"
    studio.click("exportTarget")
    studio.pointer("key", "ctrl+a", "type", "--delay", "1", str(target))
    studio.click("exportWrite")
    studio.wait("find('exportResult').text()", lambda text: text.startswith("Wrote"))
    state = torch.load(target, weights_only=True)
    assert any(name.startswith("conv2d_1") for name in state)

    studio.keys("Escape", "ctrl+z")
    assert studio.wait(NODES, lambda names: "gelu_1" not in names) == before
    studio.keys("ctrl+q")
    assert studio.process.wait(30) == 0


def test_wire_delete_and_undo_with_pointer_and_keys(studio: Studio) -> None:
    before = studio.ask(LINKS)
    left, top, _width, height = studio.ask("rect('canvas')")
    drag_from_palette(studio, "Dense", (left + 80, top + height - 60))  # where nothing stands
    studio.wait(NODES, lambda names: "dense_3" in names)
    ports = (
        "(lambda s, n: [[s.port_position(p).x(), s.port_position(p).y()] for p in s.node_item(n).ports()])"
        "(find('canvas').scene(), {!r})"
    )
    new = studio.ask("window.document.graph.nodes[-1].id")
    flatten = studio.ask("[n.id for n in window.document.graph.nodes if n.name == 'flatten_1'][0]")
    start = studio.ask(ports.format(flatten))[-1]
    end = studio.ask(ports.format(new))[0]
    studio.drag(tuple(studio.ask(f"on_canvas(*{start})")), tuple(studio.ask(f"on_canvas(*{end})")))
    studio.wait(LINKS, lambda links: [flatten, new] in links)
    studio.wait(f"[str(spec) for spec in window.analyzer.analysis.nodes[{new!r}].outputs]", ["N, 64 D"].__eq__)
    studio.keys("Delete")
    studio.wait(NODES, lambda names: "dense_3" not in names)
    studio.keys("ctrl+z")
    studio.wait(LINKS, lambda links: [flatten, new] in links)
    studio.keys("ctrl+z", "ctrl+z")
    assert studio.wait(LINKS, lambda links: len(links) == len(before)) == before


def test_closing_while_training_keeps_the_checkpoint(studio: Studio, tmp_path: Path) -> None:
    studio.ask("window.document.set_training(__import__('dataclasses').replace("
               "window.document.project.training, epochs=5000), 'Epochs')")  # fmt: skip
    studio.keys("F5")
    studio.wait(POINTS, lambda points: points["validation"] > 0)
    studio.keys("ctrl+q")
    studio.answer("Discard")  # the changed number of epochs is not saved
    assert studio.process.wait(30) == 0
    assert list((tmp_path / "data" / "runs").glob("*/checkpoints/last.pt"))
