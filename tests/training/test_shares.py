"""KL divergence: numbers to predict that are shares, with the softmax in the answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.data.choice import DataChoice
from studio.data.tables.source import TableFile
from studio.evaluation.predictions import predict
from studio.evaluation.trained import open_trained, without_weights
from studio.export.script import ExportError, make_script
from studio.project import Project
from studio.settings import TrainingSettings
from studio.settings.losses import KLDivergence
from studio.settings.optimizers import Adam
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import Finished
from studio.training.job import Job
from studio.training.loading import load
from studio.training.runner import run
from tests.helpers import block, chain

COLUMNS = ("red", "green", "blue")


def table(folder: Path, *, whole: bool = True) -> Path:
    """Shares that follow from three numbers; or one row of which does not sum to 1."""
    draw = np.random.default_rng(0)
    given = draw.normal(size=(240, 3))
    shares = np.exp(2 * given)
    shares /= shares.sum(1, keepdims=True)
    if not whole:
        shares[17] *= 2
    lines = ["x,y,z," + ",".join(COLUMNS), *(",".join(f"{v:.6f}" for v in row) for row in np.hstack([given, shares]))]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shares.csv").write_text("\n".join(lines))
    return folder / "shares.csv"


def project_of(path: Path, target: str = ", ".join(COLUMNS), units: int = 3) -> Project:
    graph = chain(block("input", shape=(3,)), block("dense", units=units), block("output"))
    settings = TrainingSettings(
        epochs=15, batch_size=16, threads=1, loss=KLDivergence(), optimizer=Adam(learning_rate=0.03)
    )
    source = TableFile(path=str(path), target=target, ignored="\n".join(set(COLUMNS) - set(target.split(", "))))
    return Project(graph, DataChoice(source=source), settings)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("shares")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINING_STUDIO_DATA", str(folder / "data"))
        return run(Job(project_of(table(folder)), folder / "run"), Control(), lambda _: None)


def test_the_network_learns_and_answers_with_shares(finished: Finished) -> None:
    trained = open_trained(Path(finished.run))
    predictions = predict(trained, "validation")
    assert predictions.answers is not None
    assert predictions.answers.sum(1) == pytest.approx(torch.ones(len(predictions.answers)))
    told = finished.metrics["validation"]
    errors = (predictions.answers - predictions.targets).abs()
    assert told["mae"] == pytest.approx(float(errors.mean()), rel=1e-4)
    squared = (predictions.answers - predictions.targets).square()
    assert told["rmse"] == pytest.approx(float(squared.mean().sqrt()), rel=1e-4)
    expected = functional.kl_div(predictions.answers.log(), predictions.targets, reduction="batchmean")
    assert told["loss"] == pytest.approx(float(expected), rel=1e-3)
    assert told["loss"] < 0.5 * finished.baseline["validation"]["loss"]


def test_the_baseline_is_the_mean_of_the_shares(finished: Finished) -> None:
    trained = open_trained(Path(finished.run))
    train, validation = (trained.dataset.wanted(trained.dataset.splits[split]) for split in ("train", "validation"))
    mean = train.mean(0).expand(len(validation), -1)
    expected = functional.kl_div(mean.log(), validation, reduction="batchmean")
    assert finished.baseline["validation"]["loss"] == pytest.approx(float(expected), rel=1e-3)


def test_weights_alone_give_scores_and_their_description_says_so(finished: Finished) -> None:
    checkpoint = read_checkpoint(Path(finished.checkpoint))
    assert checkpoint.preparation["shares"] is True
    assert "answers" not in checkpoint.preparation
    plain = build_network(make_plan(checkpoint.project.graph)).eval()
    plain.load_state_dict(checkpoint.model)
    rows = torch.randn(4, 3)
    assert torch.equal(open_trained(Path(finished.run)).model(rows), plain(rows).softmax(1))
    under_way = without_weights(make_plan(checkpoint.project.graph), checkpoint.preparation)
    under_way.load_state_dict(checkpoint.model)
    assert torch.equal(under_way(rows), plain(rows).softmax(1))
    with pytest.raises(ExportError, match="“KL divergence”"):
        make_script(checkpoint, 1, "cpu")


def test_what_is_no_share_is_told_with_its_sample(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"Those of sample 17 are red .* and sum to 2\. Divide them"):
        load(project_of(table(tmp_path, whole=False)))
    assert not load(project_of(table(tmp_path))).answers.scale


def test_one_number_is_no_share_of_anything(tmp_path: Path) -> None:
    project = project_of(table(tmp_path), "red", 1)
    found = analyze(project.graph, load(project).spec, project.training)
    assert [p.message for p in found.problems if "compares several shares" in p.message]
    assert not found.trainable
