"""How the canvas bears a large network: frames of pan and zoom, dragging, edits, opening.

Run it with: python tests/benchmarks/bench_canvas.py [blocks]
Offscreen, 1920x1080. The reference of the same run is Qt painting as many plain rectangles with a text each.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QElapsedTimer, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsScene, QGraphicsView

from studio.blocks import registry
from studio.fields import replace as replace_fields
from studio.graph import Graph, Link, Node
from studio.graph.edits import SetBlock
from studio.project import Project, write_project
from studio.ui.analyzer import Analyzer
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document
from studio.ui.panels.build_place import BuildPlace

SIZE = (1920, 1080)
FRAMES = 60


def network(count: int) -> Graph:
    """Columns of Dense and ReLU with an Add now and then that takes what came four blocks before."""
    blocks = [registry.get("input")(shape=(32,))]
    links = []
    for number in range(1, count - 1):
        kind = ("dense", "relu", "layer_norm", "add")[number % 4]
        block = registry.get(kind)() if kind != "dense" else registry.get(kind)(units=32)
        blocks.append(block)
        links.append(Link(f"n{number - 1}", 0, f"n{number}", 0))
        if kind == "add" and number > 5:
            links.append(Link(f"n{number - 4}", 0, f"n{number}", 1))
    blocks.append(registry.get("output")())
    links.append(Link(f"n{count - 2}", 0, f"n{count - 1}", 0))
    rows = 40
    nodes = [Node(f"n{i}", f"b_{i}", b, 288.0 * (i // rows), 64.0 * (i % rows)) for i, b in enumerate(blocks)]
    return Graph(tuple(nodes), tuple(links)).check()


def percentile(times: list[float], share: float = 0.95) -> float:
    """In milliseconds."""
    return 1000 * sorted(times)[min(len(times) - 1, int(share * len(times)))]


def frames(view: QGraphicsView, change: Callable[[int], None]) -> list[float]:
    """Seconds for each of some changes with the painting that follows."""
    times = []
    for number in range(FRAMES):
        started = time.perf_counter()
        change(number)
        QApplication.processEvents()
        times.append(time.perf_counter() - started)
    return times


def shown(graph: Graph) -> GraphView:
    """The canvas alone, with a network in it."""
    document = Document(Project(graph=graph))
    view = GraphView(GraphScene(document))
    view.graph_scene.setParent(view)
    document.setParent(view)
    view.resize(*SIZE)
    view.show()
    QTest.qWaitForWindowExposed(view)
    return view


def reference(count: int) -> float:
    """95th percentile of a zoom frame of plain items."""
    scene = QGraphicsScene()
    for number in range(count):
        x, y = 288.0 * (number // 40), 64.0 * (number % 40)
        scene.addRect(x, y, 240, 44)
        scene.addSimpleText("Dense").setPos(x + 10, y + 10)
    view = QGraphicsView(scene)
    view.resize(*SIZE)
    view.show()
    QTest.qWaitForWindowExposed(view)
    view.scale(0.4, 0.4)
    result = percentile(frames(view, lambda i: view.scale(1.02, 1.02) if i % 2 else view.scale(1 / 1.02, 1 / 1.02)))
    view.close()
    return result


def bench_frames(view: GraphView, plain: float) -> None:
    """Pan and zoom at several scales."""
    for name, scale in (
        ("fitted", None),
        ("scale 0.25", 0.25),
        ("scale 0.41", 0.41),
        ("scale 0.59 (worst)", 0.59),
        ("scale 1", 1.0),
    ):
        view.fit()
        if scale is not None:
            view.zoom(scale / view.scale_factor)
        QApplication.processEvents()
        pan = percentile(frames(view, lambda i: view.pan(QPointF(7 if i % 20 < 10 else -7, 3))))
        zoom = percentile(frames(view, lambda i: view.zoom(1.01 if i % 2 else 1 / 1.01)))
        shares = f"({pan / plain:.2f}x and {zoom / plain:.2f}x plain items)"
        print(f"{name:20} pan p95 {pan:5.1f} ms  zoom p95 {zoom:5.1f} ms  {shares}")


def bench_drag() -> None:
    """A block with ten wires."""
    nodes = [Node("hub", "hub", registry.get("relu")(), 1000, 1000)]
    nodes += [Node(f"a{i}", f"a_{i}", registry.get("add")(), 300.0 * i, 2000) for i in range(10)]
    nodes += [
        Node(f"x{i}", f"x_{i}", registry.get("relu")(), 288.0 * (i % 30), 3000 + 64.0 * (i // 30)) for i in range(990)
    ]
    view = shown(Graph(tuple(nodes), tuple(Link("hub", 0, f"a{i}", 0) for i in range(10))).check())
    view.zoom(0.5 / view.scale_factor)
    view.reveal("hub")
    at = view.viewportTransform().map(QPointF(1050, 1022)).toPoint()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    times = frames(view, lambda i: QTest.mouseMove(view.viewport(), at + QPoint(5 * i % 200, 3 * i % 100)))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    print(f"dragging a block with ten wires among 1,000: p95 {percentile(times):.1f} ms a move")
    view.close()


def bench_edit(count: int, position: int) -> None:
    """One field of a block in a chain, until the canvas shows the shapes; and the longest gap of the GUI meanwhile."""
    kinds = [registry.get("dense")(units=32), registry.get("relu")()]
    blocks = [registry.get("input")(shape=(32,)), *(kinds[i % 2] for i in range(count - 2)), registry.get("output")()]
    nodes = tuple(Node(f"n{i}", f"b_{i}", b, 0.0, 64.0 * i) for i, b in enumerate(blocks))
    document = Document(Project(graph=Graph(nodes, tuple(Link(f"n{i}", 0, f"n{i + 1}", 0) for i in range(count - 1)))))
    analyzer = Analyzer(document)
    place = BuildPlace(document, analyzer)
    place.resize(*SIZE)
    place.show()
    analyzer.start()
    while analyzer.analysis is None:
        QApplication.processEvents()
    settle(place, 0.5)
    results, gaps = [], []
    for units in range(33, 40):
        before, clock = analyzer.analysis, QElapsedTimer()
        ticks: list[float] = []
        timer = QTimer(place, interval=2, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(lambda ticks=ticks: ticks.append(time.perf_counter()))
        timer.start()
        clock.start()
        node = document.graph.node(f"n{position}")
        document.do(SetBlock(node.id, replace_fields(node.block, units=units)), "Change units")
        while analyzer.analysis is before:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        QApplication.processEvents()
        results.append(clock.nsecsElapsed() / 1e6)
        timer.stop()
        gaps.append(1000 * max((b - a for a, b in itertools.pairwise(ticks)), default=0.0))
        settle(place, 0.3)
    print(
        f"edit of block {position} in a chain of {count}: shapes after {statistics.median(results):.0f} ms, "
        f"longest gap of the window {statistics.median(gaps):.0f} ms"
    )
    analyzer.close()
    place.close()


def settle(_place: BuildPlace, seconds: float) -> None:
    """Let what is under way end."""
    QTest.qWait(int(1000 * seconds))


def bench_open(count: int) -> None:
    """From the file to the painted canvas."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.studio.json"
        write_project(path, Project(graph=network(count)))
        started = time.perf_counter()
        document = Document(Project())
        view = GraphView(GraphScene(document))
        view.resize(*SIZE)
        view.show()
        document.open(path)
        QApplication.processEvents()
        opened = time.perf_counter() - started
        started = time.perf_counter()
        view.graph_actions.select_all()
        QApplication.processEvents()
        selected = time.perf_counter() - started
        started = time.perf_counter()
        view.graph_actions.delete()
        QApplication.processEvents()
        deleted = time.perf_counter() - started
        started = time.perf_counter()
        document.history.undo()
        QApplication.processEvents()
        undone = time.perf_counter() - started
        print(
            f"{count} blocks: open {opened:.2f} s, select all {1000 * selected:.0f} ms, "
            f"delete all {1000 * deleted:.0f} ms, undo {1000 * undone:.0f} ms"
        )
        view.close()


def main(count: int) -> None:
    """Measure and print."""
    app = QApplication.instance() or QApplication([])
    plain = reference(count)
    print(f"plain items: zoom p95 {plain:.1f} ms")
    view = shown(network(count))
    bench_frames(view, plain)
    view.close()
    bench_drag()
    bench_open(count)
    bench_edit(500, 497)
    bench_edit(500, 1)
    assert app is not None


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
