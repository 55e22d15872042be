"""The source a person takes away."""

from __future__ import annotations

import ast

import pytest

from studio.compile.plan import make_plan
from studio.compile.source import class_name, class_source
from tests.helpers import add, block, chain


@pytest.mark.parametrize(
    ("title", "name"),
    [("digits-cnn", "DigitsCnn"), ("", "Network"),
     ("3 layers", "Layers"), ("none", "Network"), ("'); import os #", "ImportOs"),
     ("数字", "Network"), ("x" * 500, "X" + "x" * 79), ("__import__('os').system('x')", "ImportOsSystemX"),
     ("a\nclass B: pass", "AClassBPass"), ('"""', "Network"), ("\ud800", "Network"), ("１２", "Network")],
)  # fmt: skip
def test_class_names_are_plain(title: str, name: str) -> None:
    assert class_name(title) == name


def test_it_reads_as_one_would_write_it() -> None:
    graph = chain(block("input", shape=(1, 8, 8)), block("flatten"), block("dense", units=10), block("output"))
    assert class_source(make_plan(graph), "Digits") == (
        "class Digits(nn.Module):\n"
        '    """Takes (N, 1 C, 8 H, 8 W)."""\n'
        "\n"
        "    def __init__(self) -> None:\n"
        "        super().__init__()\n"
        "        self.flatten_1 = nn.Flatten(start_dim=1)\n"
        "        self.dense_1 = nn.Linear(in_features=64, out_features=10, bias=True)\n"
        "\n"
        "    def forward(self, input_1: torch.Tensor) -> torch.Tensor:\n"
        "        flatten_1 = self.flatten_1(input_1)  # N, 64 D\n"
        "        dense_1 = self.dense_1(flatten_1)  # N, 10 D\n"
        "        return dense_1\n"
    )


def test_a_helper_takes_no_name_that_is_in_use() -> None:
    gru = block("gru", units=3, bidirectional=True)
    graph = add(chain(block("input", shape=(7, 4)), gru), block("dense", units=6), "n2")
    renamed = [type(n)(n.id, "gru_1_all" if n.id == "n3" else n.name, n.block) for n in graph.nodes]
    graph = add(type(graph)(tuple(renamed), graph.links), block("output"), "n3")
    targets = [
        target.id
        for node in ast.walk(ast.parse(class_source(make_plan(graph), "X")))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert sorted(targets) == ["gru_1", "gru_1_all", "gru_1_all_"]
