"""Custom code: it runs only when trusted, fails in plain words, and comes out again as it went in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from studio import trust
from studio.blocks import Block, Output, ShapeError
from studio.blocks.custom import EXAMPLE, declared_names, layer_class
from studio.cli.main import main
from studio.compile.network import build_network
from studio.compile.plan import CompileError, make_plan
from studio.compile.record import record
from studio.compile.shapes import analyze
from studio.compile.source import class_source
from studio.graph import Graph
from studio.project import Project, write_project
from studio.tensors import TensorSpec
from tests.helpers import add, block, chain, module_and_source

MARK = """
from pathlib import Path
Path({path!r}).write_text("it ran")

class Evil(nn.Module):
    def forward(self, x):
        return x
"""
GATE = """
import math

SLOPE = torch.tensor(2.0)

def steep(x):
    return math.e * SLOPE * x

class Gate(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, a, b):
        return torch.sigmoid(self.inner(a)) * steep(b)
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    trust.forget_for_now()


def trusted(code: str, ports: int = 1) -> Block:
    trust.trust_for_now(code)
    return block("custom_code", code=code, ports=ports)


def gates() -> Graph:
    graph = add(Graph(), block("input", shape=(4,)))
    graph = add(graph, block("dense", units=4), "n1")
    graph = add(graph, trusted(GATE, 2), "n1", "n2")
    return add(graph, Output(), "n3")


def test_it_is_a_layer_like_any_other() -> None:
    plan = make_plan(gates())
    assert plan.parameters == 2 * 20
    module, exported = module_and_source(plan, 1)
    x = torch.randn(3, 4)
    expected = torch.sigmoid(module.custom_code_1.inner(x)) * 2.718281828459045 * 2 * module.dense_1(x)
    torch.testing.assert_close(module(x), expected)
    assert torch.equal(module(x), exported(x))
    assert list(module.state_dict()) == list(exported.state_dict())
    source = class_source(plan, "Net")
    assert source.startswith(GATE.strip())
    assert "self.custom_code_1 = Gate()" in source


def test_the_example_works_and_repeats() -> None:
    graph = chain(block("input", shape=(4,)), block("custom_code"), block("custom_code"), Output())
    module, exported = module_and_source(make_plan(graph), 0)
    x = torch.randn(2, 4)
    assert torch.equal(module(x), x)
    assert torch.equal(exported(x), x)
    assert class_source(make_plan(graph), "Net").count("class Gain") == 1


def test_untrusted_code_does_not_run(tmp_path: Path) -> None:
    code = MARK.format(path=str(tmp_path / "mark"))
    graph = chain(block("input", shape=(4,)), block("custom_code", code=code), Output())
    (problem,) = analyze(graph).problems
    assert "Read it, then say that you trust it" in problem.message
    with pytest.raises(CompileError, match="trust it"):
        make_plan(graph)
    assert not (tmp_path / "mark").exists()
    trust.trust(code)
    assert analyze(graph).trainable, "nothing of the refusal is kept"
    assert (tmp_path / "mark").read_text() == "it ran"


def test_trust_is_for_one_content_and_outlasts_the_program(tmp_path: Path) -> None:
    trust.trust(GATE)
    trust.forget_for_now()
    assert trust.is_trusted(GATE)
    assert not trust.is_trusted(GATE + "\n")
    kept = tmp_path / "data" / trust.FILE
    assert len(json.loads(kept.read_text())) == 1
    kept.write_text("{rubbish")
    assert not trust.is_trusted(GATE)
    trust.trust(GATE)
    assert trust.is_trusted(GATE)


FAULTS = [
    ("class:", "it is no Python in line 1"),
    ("x = 3", "declares no class"),
    ("class A(nn.Module):\n    def __init__(self, size):\n        super().__init__()", "TypeError: .*size"),
    ("class A:\n    pass", "A is no class of nn.Module"),
    ("import nothing_of_that_name\nclass A(nn.Module):\n    pass", "line 1: ModuleNotFoundError"),
    ("class A(nn.Module):\n    def forward(self, x):\n        return x @ x", "line 3: RuntimeError"),
    ("class A(nn.Module):\n    def forward(self, x):\n        return x, x", "must return one tensor"),
    ("class A(nn.Module):\n    def forward(self, x):\n        return x.sum()", "must return one tensor"),
    ("class A(nn.Module):\n    def forward(self, x):\n        return x[:1]", "mix the samples"),
    ("class A(nn.Module):\n    def forward(self, x):\n        return x if x.sum() > 0 else -x", "line 3: "),
    ("class A(nn.Module):\n    def forward(self, x):\n        raise KeyError('no')", "line 3: KeyError: 'no'"),
    ("\0", "it is no Python"),
    ("(" * 5_000 + ")" * 5_000, "it is no Python"),
]


@pytest.mark.parametrize(("code", "message"), FAULTS, ids=range(len(FAULTS)))
def test_faults_are_told_in_plain_words(code: str, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        record(trusted(code), (TensorSpec((4, 3), "TD"),))


def test_a_name_that_the_file_uses_itself_is_refused() -> None:
    def net(*codes: str) -> Graph:
        return chain(block("input", shape=(4,)), *(trusted(code) for code in codes), Output())

    passing = "class {name}(nn.Module):\n    def forward(self, x):\n        return x{more}\n"
    first, second = passing.format(name="A", more=""), passing.format(name="A", more=" + 1")
    with pytest.raises(CompileError, match="declares “A”, which another custom block declares too"):
        class_source(make_plan(net(first, second)), "Net")
    with pytest.raises(CompileError, match="declares “Net”, which the exported file uses itself"):
        class_source(make_plan(net(passing.format(name="Net", more=""))), "Net")
    build_network(make_plan(net(first, second)))


def test_names_are_read_without_running() -> None:
    assert layer_class(GATE) == "Gate"
    assert declared_names(GATE) == {"SLOPE", "steep", "Gate"}
    assert declared_names(EXAMPLE) == {"Gain"}


def test_the_command_line_asks_for_trust(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = MARK.format(path=str(tmp_path / "mark"))
    graph = chain(
        block("input", shape=(1, 8, 8)), block("flatten"), block("custom_code", code=code), block("dense", units=10),
        Output(),
    )  # fmt: skip
    write_project(tmp_path / "p.studio.json", Project(graph))
    assert main(["check", str(tmp_path / "p.studio.json")]) == 1
    assert "say that you trust it" in capsys.readouterr().out
    assert not (tmp_path / "mark").exists()
    assert main(["check", str(tmp_path / "p.studio.json"), "--trust"]) == 0
    assert (tmp_path / "mark").exists()
    trust.forget_for_now()
    assert not trust.is_trusted(code), "only while the program runs"
