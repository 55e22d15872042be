"""Inputs take the shapes of the dataset that is chosen."""

from __future__ import annotations

from studio.data import DataSpec, Target
from studio.graph.edits import AddNode, new_node
from studio.project.model import fit_inputs
from studio.tensors import TensorSpec
from tests.helpers import block, chain

TARGET = Target("classification", ("a", "b"))


def test_inputs_are_fitted_in_order_and_the_rest_stays() -> None:
    graph = chain(block("input", shape=(3,)), block("dense"))
    graph = AddNode(new_node(graph, block("input", shape=(4,), values="tokens"))).apply(graph)
    spec = DataSpec((TensorSpec((7,), "L", "int"), TensorSpec((1, 8, 8), "CHW")), TARGET)
    fitted = fit_inputs(graph, spec).apply(graph)
    assert [node.block.spec for node in fitted.inputs] == list(spec.inputs)
    assert (fitted.nodes[1], fitted.links) == (graph.nodes[1], graph.links)


def test_an_input_too_many_is_left_alone() -> None:
    graph = chain(block("input", shape=(3,)))
    graph = AddNode(new_node(graph, block("input", shape=(4,)))).apply(graph)
    fitted = fit_inputs(graph, DataSpec((TensorSpec((9,), "D"),), TARGET)).apply(graph)
    assert [node.block.shape for node in fitted.inputs] == [(9,), (4,)]
