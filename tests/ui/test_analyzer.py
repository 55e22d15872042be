import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.compile import shapes
from studio.compile.analysis import Analysis
from studio.data import registry as sources
from studio.data.base import DataSpec
from studio.data.choice import DataChoice
from studio.graph import Graph
from studio.graph.edits import SetBlock
from studio.settings import TrainingSettings
from studio.ui.analyzer import Analyzer
from studio.ui.document import Document


@pytest.fixture
def analyzer(document: Document) -> Iterator[Analyzer]:
    analyzer = Analyzer(document)
    yield analyzer
    analyzer.close()


def set_units(document: Document, units: int) -> None:
    document.do(SetBlock("n2", registry.get("dense")(units=units)), "Change units")


def test_it_analyzes_at_the_start_and_after_each_edit(analyzer: Analyzer, document: Document, qtbot: QtBot) -> None:
    assert analyzer.analysis is None
    with qtbot.waitSignal(analyzer.analyzed, timeout=30_000) as told:
        analyzer.start()
    assert told.args[0] == analyzer.analysis
    assert str(analyzer.analysis.nodes["n2"].outputs[0]) == "N, 64 D"
    with qtbot.waitSignal(analyzer.analyzed):
        set_units(document, 10)
    assert str(analyzer.analysis.nodes["n2"].outputs[0]) == "N, 10 D"


def test_other_data_is_a_reason_to_analyze(analyzer: Analyzer, document: Document, qtbot: QtBot) -> None:
    with qtbot.waitSignals([analyzer.analyzed] * 2):  # the shapes first, then the repairs of its problems
        analyzer.start()
    source = type(document.project.data.source)()
    with qtbot.assertNotEmitted(analyzer.analyzed, wait=50):
        document.choose_data(DataChoice(source=source, scaling="none"))
        document.describe(notes="the title and the notes are none")
    with qtbot.waitSignal(analyzer.analyzed):
        document.choose_data(DataChoice(source=sources.get("wine")()))


def test_another_target_is_a_reason_to_analyze(analyzer: Analyzer, document: Document, qtbot: QtBot) -> None:
    with qtbot.waitSignals([analyzer.analyzed] * 2):
        analyzer.start()
    with qtbot.waitSignal(analyzer.analyzed):
        document.choose_data(DataChoice(document.project.data.source, target="the input itself"))
    assert analyzer.analysis is not None
    assert "the target is the input itself" in " ".join(problem.message for problem in analyzer.analysis.problems)


class Gate:
    """Stands in for the real analysis: waits until it is opened, and remembers what came."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.graphs: list[Graph] = []
        self.threads: set[int] = set()
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()
        monkeypatch.setattr(shapes, "analyze", self.analyze)

    def analyze(self, graph: Graph, _data: DataSpec | None, _training: TrainingSettings | None) -> Analysis:
        self.graphs.append(graph)
        self.threads.add(threading.get_ident())
        self.entered.release()
        self.opened.wait(10)
        return Analysis({graph.nodes[1].block.units: None})


def test_only_the_newest_graph_matters(
    analyzer: Analyzer, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    delivered: list[Analysis] = []
    analyzer.analyzed.connect(delivered.append)
    analyzer.start()
    assert gate.entered.acquire(timeout=10)
    for units in (1, 2, 3):
        set_units(document, units)
    with qtbot.waitSignal(analyzer.analyzed):
        gate.opened.set()
    assert [graph.nodes[1].block.units for graph in gate.graphs] == [64, 3]
    assert [list(analysis.nodes) for analysis in delivered] == [[3]]


def test_the_gui_thread_stays_free(analyzer: Analyzer, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    gate.opened.set()
    heard_in: list[int] = []
    analyzer.analyzed.connect(lambda _: heard_in.append(threading.get_ident()))
    with qtbot.waitSignal(analyzer.analyzed):
        analyzer.start()
    assert threading.get_ident() not in gate.threads
    assert heard_in == [threading.get_ident()]


def test_a_fault_becomes_a_problem_and_the_next_graph_is_analyzed(
    analyzer: Analyzer, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_graph: Graph, _data: DataSpec | None, _training: TrainingSettings | None) -> Analysis:
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(shapes, "analyze", broken)
        with qtbot.waitSignal(analyzer.analyzed):
            analyzer.start()
    assert "boom" in analyzer.analysis.problems[0].message
    assert not analyzer.analysis.trainable
    with qtbot.waitSignal(analyzer.analyzed):
        set_units(document, 10)
    assert "n2" in analyzer.analysis.nodes


def test_closed_it_waits_and_says_nothing_more(
    analyzer: Analyzer, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    analyzer.start()
    assert gate.entered.acquire(timeout=10)
    gate.opened.set()
    with qtbot.assertNotEmitted(analyzer.analyzed):
        analyzer.close()
        QApplication.processEvents()  # what the worker sent before it ended
        assert not any(thread.name == "analyzer" for thread in threading.enumerate())
        set_units(document, 10)


def test_a_newer_graph_ends_the_search_for_repairs(
    analyzer: Analyzer, document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gave_up = threading.Event(), threading.Event()

    def search(_graph: Graph, analysis: Analysis, *_rest: object) -> Analysis:
        wanted = _rest[-1]
        assert callable(wanted)
        begun.set()
        while wanted():
            pass
        gave_up.set()
        return analysis

    monkeypatch.setattr("studio.compile.repairs.with_repairs", search)
    analyzer.start()
    assert begun.wait(30)
    with qtbot.waitSignal(analyzer.analyzed):
        set_units(document, 10)
    assert gave_up.wait(10)


def test_importing_the_build_place_loads_no_torch() -> None:
    code = (
        "import sys, studio.ui.panels.build_place\n"
        "print([name for name in ('torch', 'pyqtgraph', 'numpy') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
