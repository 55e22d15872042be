"""A project takes other data: its network is kept where it fits, or another one is proposed."""

from __future__ import annotations

from dataclasses import replace

from studio.compile.adopt import adopt
from studio.compile.shapes import analyze
from studio.data import DataProblem
from studio.data import registry as datasets
from studio.project import read_template


def test_a_network_that_only_needs_other_ends_stays() -> None:
    project = read_template("iris-mlp")
    wine = datasets.get("wine")()
    found = adopt(project, wine, wine.look())
    assert (found.fits, found.proposed, found.reason) == (True, None, "")
    assert [node.block.kind for node in found.fitted.graph.nodes] == [node.block.kind for node in project.graph.nodes]
    assert analyze(found.fitted.graph, wine.spec, project.training).trainable


def test_another_network_is_proposed_for_other_kinds_of_data() -> None:
    project = read_template("digits-cnn")
    project = replace(project, training=replace(project.training, threads=3))
    wine = datasets.get("wine")()
    found = adopt(project, wine, wine.look())
    assert not found.fits
    assert "conv" in found.reason.lower()
    assert found.proposed is not None
    assert analyze(found.proposed.graph, wine.spec, found.proposed.training).trainable
    assert found.proposed.training.threads == 3
    assert found.proposed.data.source == wine


def test_what_was_left_out_of_the_old_data_is_forgotten() -> None:
    project = read_template("iris-mlp")
    project = replace(project, data=replace(project.data, excluded=(3, 5)))
    wine = datasets.get("wine")()
    assert adopt(project, wine, wine.look()).fitted.data.excluded == ()


def test_nothing_is_proposed_for_data_that_nothing_can_learn_from() -> None:
    project = read_template("digits-cnn")
    wine = datasets.get("wine")()
    looked = replace(wine.look(), problems=(DataProblem("Nothing can be trained on this.", "error"),))
    found = adopt(project, wine, looked)
    assert (found.fits, found.proposed, found.reason) == (True, None, "Nothing can be trained on this.")
    assert (found.fitted.graph, found.fitted.data.source) == (project.graph, wine)
