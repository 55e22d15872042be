"""The gestures of the builder, each once, with a real pointer and real keys."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Studio

pytestmark = pytest.mark.e2e

NAMES = "[node.name for node in window.document.shown.nodes]"
LINKS = "[[link.source, link.target] for link in window.document.shown.links]"
STEPS = "list(window.document.history.texts[: window.document.history.index])"
SELECTED = "[*find('canvas').scene().selected_nodes]"
GROUP = "[n.id for n in window.document.graph.nodes if n.name == 'group_1'][0]"


def body(studio: Studio, name: str) -> tuple[int, int]:
    """A point on a block, on the screen."""
    x, y = studio.ask(f"[[n.x + 60, n.y + 20] for n in window.document.shown.nodes if n.name == {name!r}][0]")
    at_x, at_y = studio.ask(f"on_canvas({x}, {y})")
    return at_x, at_y


def empty_place(studio: Studio) -> tuple[int, int]:
    """A point of the canvas where nothing stands."""
    left, top, width, _height = studio.ask("rect('canvas')")
    return left + width - 100, top + 40


def move_to(studio: Studio, point: tuple[int, int], *more: object) -> None:
    studio.pointer("mousemove", "--sync", *point, *more)


def rubber_band(studio: Studio, first: str, last: str) -> None:
    """Select a column of blocks by a rectangle around them."""
    corner = f"[on_canvas(n.x - 10, n.y - 6) for n in window.document.shown.nodes if n.name == {first!r}][0]"
    studio.drag(tuple(studio.ask(corner)), body(studio, last))


def test_group_unfold_edit_fold_copy_and_undo(studio: Studio) -> None:
    before = studio.ask(NAMES)
    rubber_band(studio, "conv2d_1", "relu_1")
    studio.wait(SELECTED, lambda ids: len(ids) == 3)
    studio.keys("ctrl+g")
    studio.wait(NAMES, lambda names: "group_1" in names and "conv2d_1" not in names)
    move_to(studio, body(studio, "group_1"), "click", "--repeat", 2, "--delay", 60, 1)
    studio.wait(NAMES, lambda names: "conv2d_1" in names)
    assert studio.wait("window.analyzer.analysis.trainable")

    # A block inside is deleted so that its neighbours are linked; the way through the group stays.
    move_to(studio, body(studio, "batch_norm_1"), "click", 1)
    studio.wait(SELECTED, lambda ids: len(ids) == 1)
    studio.keys("ctrl+Delete")
    studio.wait(NAMES, lambda names: "batch_norm_1" not in names)
    assert studio.wait("window.analyzer.analysis.trainable")

    corner = studio.ask(f"(lambda n: on_canvas(n.x + 12, n.y + 12))(window.document.shown.node({GROUP}))")
    move_to(studio, tuple(corner), "click", 1)
    studio.wait(NAMES, lambda names: "conv2d_1" not in names)
    studio.keys("ctrl+c")
    move_to(studio, empty_place(studio))
    studio.keys("ctrl+v")
    studio.wait(NAMES, lambda names: "group_2" in names)
    assert studio.ask(STEPS) == [
        "Group", "Unfold", "Delete batch_norm_1 and reconnect", "Fold", "Paste block",
    ]  # fmt: skip
    for _ in range(5):
        studio.keys("ctrl+z")
    assert studio.wait(NAMES, lambda names: names == before)


def test_menu_wires_bypass_layout_note_and_table(studio: Studio) -> None:
    studio.keys("ctrl+minus", "ctrl+minus")
    move_to(studio, empty_place(studio), "click", 1)
    studio.keys("space")
    studio.wait("find('block_menu') is not None and find('block_menu').isVisible()")
    studio.pointer("type", "--delay", "30", "gelu")
    studio.keys("Return")
    studio.wait(NAMES, lambda names: "gelu_1" in names)

    # Two clicks make a wire.
    ends = (
        "(lambda s, n, o: [on_canvas(p.x(), p.y()) for p in [s.port_position(q) for q in s.node_item(n).ports()"
        " if q.is_output == o]][0])(find('canvas').scene(), {!r}, {})"
    )
    relu, gelu = (
        studio.ask(f"[n.id for n in window.document.graph.nodes if n.name == {name!r}][0]")
        for name in ("relu_3", "gelu_1")
    )
    for node, is_output in ((relu, True), (gelu, False)):
        move_to(studio, tuple(studio.ask(ends.format(node, is_output))), "click", 1)
    studio.wait(LINKS, lambda links: [relu, gelu] in links)

    # Its end is taken and let go on empty canvas.
    x, y = studio.ask(ends.format(gelu, False))
    studio.drag((x, y), (x - 20, y + 200))
    studio.wait(LINKS, lambda links: [relu, gelu] not in links)

    move_to(studio, body(studio, "relu_1"), "click", 1)
    studio.keys("ctrl+b")
    studio.wait("[n.name for n in window.document.graph.nodes if n.bypassed]", ["relu_1"].__eq__)
    studio.keys("ctrl+l")
    studio.wait(STEPS, lambda steps: steps[-1] == "Arrange automatically")
    studio.keys("ctrl+0", "ctrl+minus", "ctrl+minus")
    move_to(studio, empty_place(studio), "click", 1)
    studio.keys("ctrl+shift+n")
    studio.wait("find('noteEditor') is not None")
    studio.pointer("type", "--delay", "30", "why")
    move_to(studio, body(studio, "relu_1"), "click", 1)
    studio.wait("[note.text for note in window.document.graph.notes][1:]", ["why"].__eq__)

    studio.keys("ctrl+shift+a")
    studio.wait("rect('analysisTable')")
    rows = studio.ask("find('analysisTable').sorted.rowCount()")
    assert rows == len(studio.ask("[n.id for n in window.document.graph.nodes]"))
