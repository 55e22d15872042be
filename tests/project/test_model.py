"""Inputs take the shapes of the dataset that is chosen."""

from __future__ import annotations

from studio.data import DataSpec, Target
from studio.graph import Graph
from studio.graph.edits import AddNode, new_node
from studio.project.model import fit_ends
from studio.tensors import TensorSpec
from tests.helpers import block, chain

TARGET = Target("classification", ("a", "b"))


def test_inputs_are_fitted_in_order_and_the_rest_stays() -> None:
    graph = chain(block("input", shape=(3,)), block("dense"))
    graph = AddNode(new_node(graph, block("input", shape=(4,), values="tokens"))).apply(graph)
    spec = DataSpec((TensorSpec((7,), "L", "int"), TensorSpec((1, 8, 8), "CHW")), TARGET)
    fitted = fit_ends(graph, spec).apply(graph)
    assert [node.block.spec for node in fitted.inputs] == list(spec.inputs)
    assert (fitted.nodes[1], fitted.links) == (graph.nodes[1], graph.links)


def test_an_input_too_many_is_left_alone() -> None:
    graph = chain(block("input", shape=(3,)))
    graph = AddNode(new_node(graph, block("input", shape=(4,)))).apply(graph)
    fitted = fit_ends(graph, DataSpec((TensorSpec((9,), "D"),), TARGET)).apply(graph)
    assert [node.block.shape for node in fitted.inputs] == [(9,), (4,)]


def fitted(graph: Graph, spec: DataSpec) -> list[object]:
    """The blocks after the graph's ends were fitted."""
    return [node.block for node in fit_ends(graph, spec).apply(graph).nodes]


def test_the_last_layer_gets_as_many_answers_as_there_are() -> None:
    graph = chain(block("input"), block("dense", units=7), block("dense", units=10), block("output"))
    spec = DataSpec((TensorSpec((4,), "D"),), TARGET)
    assert fitted(graph, spec)[1:3] == [block("dense", units=7), block("dense", units=2)]
    unknown = DataSpec((TensorSpec((4,), "D"),), Target("classification", ()))
    assert fitted(graph, unknown)[2] == block("dense", units=10)


def test_pixels_get_a_filter_for_each_class() -> None:
    graph = chain(block("input"), block("conv2d", filters=9, kernel_size=1), block("output"))
    spec = DataSpec((TensorSpec((1, 4, 4), "CHW"),), Target("classification", ("a", "b", "c"), (4, 4)))
    assert fitted(graph, spec)[1] == block("conv2d", filters=3, kernel_size=1)


def test_what_is_no_layer_of_answers_stays() -> None:
    graph = chain(block("input"), block("dense", units=7), block("softmax"), block("output"))
    spec = DataSpec((TensorSpec((4,), "D"),), TARGET)
    assert fitted(graph, spec)[1:] == [node.block for node in graph.nodes[1:]]
    assert fitted(chain(block("input"), block("dense")), spec)[1] == block("dense")


def test_every_token_gets_a_place_in_the_embedding() -> None:
    spec = DataSpec((TensorSpec((4,), "L", "int"),), TARGET, tokens=(500,))
    small, large = (fitted(chain(block("input"), block("embedding", vocabulary=size)), spec)[1] for size in (100, 900))
    assert (small, large) == (block("embedding", vocabulary=500), block("embedding", vocabulary=900))
