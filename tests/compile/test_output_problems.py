"""Each Output is held against its own target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.blocks import Output
from studio.blocks.terminals import LOSSES
from studio.compile.analysis import MAIN
from studio.compile.outputs import main_output
from studio.compile.plan import make_plan
from studio.compile.repairs import with_repairs
from studio.compile.shapes import analyze
from studio.data.base import Target
from studio.data.choice import DataChoice
from studio.graph import Graph
from studio.project import read_template
from studio.project.graph_json import graph_from_json, graph_to_json
from studio.project.model import fit_ends
from studio.settings import TrainingSettings, losses
from studio.settings.losses import Dice
from tests.helpers import add, block, chain

DATA = DataChoice()  # of digits
DIGITS = DATA.spec


def network(head: Output | None = None, second: Output | None = None, units: int = 64) -> Graph:
    """Digits into ten scores, and into a picture again."""
    graph = chain(block("input", shape=(1, 8, 8)), block("flatten"), block("dense", units=16), block("relu"))
    graph = add(add(graph, block("dense", units=10), "n4"), head or Output(), "n5")
    graph = add(add(graph, block("dense", units=units), "n4"), block("reshape", shape=(1, units // 8, 8)), "n7")
    return add(graph, second or Output(target="input", weight=0.5), "n8")


def test_the_losses_of_an_output_are_those_of_the_settings() -> None:
    assert tuple(losses.kinds()) == LOSSES


def test_two_outputs_fit_and_the_first_of_the_data_is_the_main_one() -> None:
    analysis = analyze(network(), DIGITS, TrainingSettings())
    assert analysis.problems == ()
    assert [path for path, node in analysis.nodes.items() if node.note == MAIN] == ["n6"]
    graph = network(Output(target="input"), Output())
    assert main_output(graph.outputs) == 1
    plan = make_plan(graph)
    assert (plan.main, plan.ends, plan.main_only().ends) == (1, ("output_1", "output_2"), ("output_2",))


@pytest.mark.parametrize(
    ("graph", "node", "message"),
    [
        (network(units=32), "n9", "but the target is the input itself: it needs (N, 1 C, 8 H, 8 W)"),
        (network(second=Output()), "n9", "but the dataset has 10 classes"),
        (network(second=Output(target="input", task="classification")), "n9", "is set to classification"),
        (network(second=Output(target="input", loss="dice")), "n9", "“Dice”, which is made for classes of pixels, but"),
        (network(Output(target="input")), "n6", "the target is the input itself"),
        (network(Output(weight=0), Output(target="input", weight=0)), None, "All Outputs have the weight 0"),
    ],
)
def test_what_does_not_fit_is_told_at_its_output(graph: Graph, node: str | None, message: str) -> None:
    found = with_repairs(graph, analyze(graph, DIGITS), DIGITS)
    assert not found.trainable
    problem = next(problem for problem in found.problems if message in problem.message)
    assert problem.node_id == node
    assert node is None or problem.repairs


def test_without_an_output_for_the_data_there_is_no_score() -> None:
    found = analyze(network(Output(target="input", loss="huber")), DIGITS)
    assert any("No Output is compared with the target of the data" in p.message for p in found.problems)
    autoencoder = replace(DATA, target="the input itself").spec
    graph = chain(block("input", shape=(1, 8, 8)), block("conv2d", filters=1, kernel_size=1), Output(target="input"))
    assert analyze(graph, autoencoder).trainable


def test_a_weight_alone_has_no_effect_and_tokens_are_no_numbers() -> None:
    alone = chain(block("input", shape=(1, 8, 8)), block("flatten"), block("dense", units=10), Output(weight=2.0))
    (problem,) = analyze(alone, DIGITS).problems
    assert "has no effect: it is the only Output" in problem.message
    texts = read_template("imdb-gru").data.spec
    assert any("gives tokens" in p.message for p in analyze(network(), texts).problems)


def test_a_loss_of_its_own_need_not_be_that_of_the_settings() -> None:
    settings = TrainingSettings(loss=Dice())
    assert not analyze(network(), DIGITS, settings).trainable
    assert analyze(network(Output(loss="focal")), DIGITS, settings).trainable


@pytest.mark.parametrize(("scaling", "warned"), [("standardize", True), ("unit range", False)])
def test_a_sigmoid_before_a_drawing_depends_on_the_scaling(scaling: str, warned: bool) -> None:
    graph = chain(block("input", shape=(1, 8, 8)), block("flatten"), block("dense", units=10), Output())
    graph = add(add(graph, block("conv2d", filters=1, kernel_size=1), "n1"), block("sigmoid"), "n5")
    graph = add(graph, Output(target="input"), "n6")
    problems = analyze(graph, replace(DATA, scaling=scaling).spec).problems
    assert [problem.node_id for problem in problems] == (["n6"] if warned else [])


def test_other_data_fits_each_output_for_its_target() -> None:
    graph = network(second=Output(target="input"))
    three = replace(DIGITS, target=Target("classification", ("a", "b", "c")))
    fitted = fit_ends(graph, three).apply(graph)
    assert fitted.node("n5").block == block("dense", units=3)
    assert analyze(fitted, three).trainable


def test_files_tell_only_what_is_not_as_it_was() -> None:
    data = graph_to_json(network())
    fields = {node["id"]: node["fields"] for node in data["nodes"] if node["kind"] == "output"}
    assert fields == {"n6": {"task": "from data"}, "n9": {"task": "from data", "target": "input", "weight": 0.5}}
    assert graph_from_json(data) == network()
