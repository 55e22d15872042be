"""Every test of the window runs without a screen and must clean up after itself."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from studio.blocks import Block, registry
from studio.graph import Graph, Link, Node
from studio.project import Project
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document
from tests.ui.hand import Hand


@pytest.fixture(autouse=True)
def leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test after which a window, a thread or a running timer is left over."""
    timers = _record_starts(monkeypatch, QTimer)
    qthreads = _record_starts(monkeypatch, QThread)
    threads_before = set(threading.enumerate())
    windows_before = _windows()
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    _fail_if_left("window", [w for w in _windows() if w not in windows_before])
    _fail_if_left("QThread", [t for t in qthreads if Shiboken.isValid(t) and t.isRunning()])
    _fail_if_left("timer", [t for t in timers if Shiboken.isValid(t) and t.isActive()])
    left = [t for t in set(threading.enumerate()) - threads_before if not isinstance(t, threading._DummyThread)]
    _fail_if_left("thread", left)


def _record_starts(monkeypatch: pytest.MonkeyPatch, cls: type[QObject]) -> weakref.WeakSet[Any]:
    started: weakref.WeakSet[Any] = weakref.WeakSet()
    original: Callable[..., None] = cls.start

    def start(self: QObject, *args: Any) -> None:
        started.add(self)
        original(self, *args)

    monkeypatch.setattr(cls, "start", start)
    return started


def _windows() -> list[QWidget]:
    return QApplication.topLevelWidgets() if isinstance(QApplication.instance(), QApplication) else []


def _fail_if_left(what: str, objects: list[Any]) -> None:
    if objects:
        pytest.fail(f"the test left a {what} behind: {', '.join(map(repr, objects))}")


@pytest.fixture
def chain() -> Callable[..., Graph]:
    """Makes a graph of blocks in a row, from top to bottom: chain(Input(), Dense()) has the nodes n1 and n2."""

    def make(*blocks: Block) -> Graph:
        nodes = [Node(f"n{i}", f"{b.kind}_{i}", b, 0.0, 64.0 * i) for i, b in enumerate(blocks, start=1)]
        links = [Link(f"n{i}", 0, f"n{i + 1}", 0) for i in range(1, len(blocks))]
        return Graph(tuple(nodes), tuple(links)).check()

    return make


@pytest.fixture
def document(qapp: QApplication, chain: Callable[..., Graph]) -> Document:
    """An open project with four blocks: n1 Input, n2 Dense, n3 ReLU, n4 Output."""
    kinds = [registry.get(kind) for kind in ("input", "dense", "relu", "output")]
    graph = chain(kinds[0](shape=(64,)), *(kind() for kind in kinds[1:]))
    return Document(Project(graph=graph, title="Four blocks"))


@pytest.fixture
def hand(document: Document, qtbot: QtBot) -> Hand:
    """A pointer on a canvas that shows the document."""
    view = GraphView(GraphScene(document))
    qtbot.addWidget(view)
    view.graph_scene.setParent(view)
    view.resize(900, 700)
    with qtbot.waitExposed(view):
        view.show()
    return Hand(view)
