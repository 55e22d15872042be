"""What is frozen stays as it is: weights, averages of batch norms; and in the exported script too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.export.write import export
from studio.graph import Graph
from studio.graph.edits import SetFrozen
from studio.graph.group_edits import MakeGroup
from studio.project import Project, project_from_json, project_to_json
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.runner import Job, run
from tests.training.conftest import with_settings


def frozen(project: Project, *names: str) -> Project:
    ids = frozenset(node.id for node in project.graph.nodes if node.name in names)
    assert len(ids) == len(names)
    return replace(project, graph=SetFrozen(ids, True).apply(project.graph))


def fresh(graph: Graph, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return dict(build_network(make_plan(graph)).state_dict())


def changed(project: Project, folder: Path) -> set[str]:
    """The modules that a short run changed."""
    finished = run(Job(project, folder), Control(), lambda event: None)
    before = fresh(project.graph, project.training.seed)
    after = read_checkpoint(Path(finished.checkpoint)).model
    return {name.rpartition(".")[0] for name, tensor in after.items() if not torch.equal(tensor, before[name])}


def test_frozen_blocks_stay_and_the_others_learn(tmp_path: Path) -> None:
    project = with_settings("digits-cnn", epochs=1)
    learned = {"conv2d_1", "batch_norm_1", "conv2d_2", "batch_norm_2", "dense_1", "dense_2"}
    assert changed(project, tmp_path / "all") == learned
    some = frozen(project, "conv2d_1", "batch_norm_1", "dense_1")
    assert changed(some, tmp_path / "some") == {"conv2d_2", "batch_norm_2", "dense_2"}
    assert project_from_json(project_to_json(some), "p") == some


def test_a_frozen_group_is_frozen_as_a_whole(tmp_path: Path) -> None:
    project = with_settings("digits-cnn", epochs=1)
    ids = [node.id for node in project.graph.nodes if node.name in ("conv2d_1", "batch_norm_1")]
    graph = MakeGroup(frozenset(ids)).apply(project.graph)
    whole = frozen(replace(project, graph=graph), "group_1")
    assert changed(whole, tmp_path / "whole") == {"conv2d_2", "batch_norm_2", "dense_1", "dense_2"}
    inner = replace(project, graph=MakeGroup(frozenset(ids)).apply(frozen(project, "conv2d_1").graph))
    assert "group_1.conv2d_1" not in changed(inner, tmp_path / "inner")


def test_with_everything_frozen_there_is_nothing_to_learn(tmp_path: Path) -> None:
    project = frozen(with_settings("iris-mlp", epochs=1), "dense_1", "dense_2")
    with pytest.raises(TrainingError, match="every block with weights is frozen"):
        run(Job(project, tmp_path / "run"), Control(), lambda event: None)


def test_the_script_freezes_the_same(tmp_path: Path) -> None:
    project = frozen(with_settings("digits-cnn", epochs=1), "conv2d_1", "batch_norm_1")
    finished = run(Job(project, tmp_path / "run"), Control(), lambda event: None)
    assert "bit for bit" in export(Path(finished.run), "script", tmp_path / "train.py")
    assert 'FROZEN = ["conv2d_1", "batch_norm_1"]' in (tmp_path / "train.py").read_text()
