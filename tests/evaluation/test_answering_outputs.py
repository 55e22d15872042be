"""A network with several Outputs answers what its main one says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.evaluation.answering import Answerer
from studio.evaluation.trained import find_checkpoint
from studio.training.checkpoint import read_checkpoint
from tests.evaluation.runs import trained_run


@pytest.mark.parametrize("live", [False, True], ids=["of a checkpoint", "of a run under way"])
def test_the_main_output_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, live: bool) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    folder, _ = trained_run(tmp_path / "run", "digits-two-outputs", epochs=1)
    checkpoint = read_checkpoint(find_checkpoint(folder))
    plan = make_plan(checkpoint.project.graph)
    whole = build_network(plan).eval()
    whole.load_state_dict(checkpoint.model)
    answerer = Answerer.from_checkpoint(checkpoint, "cpu")
    if live:
        answerer = Answerer.of(plan, checkpoint.project, checkpoint.preparation, whole, torch.device("cpu"))
    images = torch.randn(3, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(answerer.compute([images]), whole(images)[plan.main])
