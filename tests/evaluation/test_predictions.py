"""What trained networks answer to a split, for each kind of target, and the report on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.cli.main import main
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data.base import IGNORED
from studio.data.bundled import Diabetes
from studio.data.choice import INPUT
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from studio.evaluation.predictions import predict
from studio.evaluation.report import report_on
from studio.evaluation.trained import open_trained
from studio.project.propose import propose_project
from studio.training.checkpoint import read_checkpoint
from tests.evaluation.runs import trained_run

# What runs and reports call the same figure.
SAME = {
    "balanced_accuracy": "balanced accuracy",
    "f1": "macro F1",
    "auroc": "AUROC",
    "iou": "mean IoU",
    "dice": "mean Dice",
}


@pytest.mark.parametrize("template", ["digits-mlp", "digits-cnn", "digits-autoencoder", "shapes-unet"])
def test_figures_are_those_that_the_run_told(tmp_path: Path, template: str) -> None:
    folder, told = trained_run(tmp_path / "run", template)
    trained = open_trained(folder)
    assert not trained.changed
    for split, figures in told.items():
        report = report_on(predict(trained, split))
        if trained.dataset.answers.shift or trained.dataset.spec.target.is_input:
            figures = {name: value for name, value in figures.items() if name == "loss"}
        for name, value in figures.items():
            if name == "top5_accuracy":  # no part of the report
                continue
            assert report.figures[SAME.get(name, name)].value == pytest.approx(value, rel=1e-4, abs=1e-6), (split, name)


def test_answers_are_those_of_the_bare_network(tmp_path: Path) -> None:
    folder, _ = trained_run(tmp_path / "run", "digits-cnn")
    predictions = predict(open_trained(folder), "test")
    checkpoint = read_checkpoint(folder / "checkpoints" / "best.pt")
    model = build_network(make_plan(checkpoint.project.graph))
    model.load_state_dict(checkpoint.model)
    dataset = prepare(checkpoint.project.data)
    rows = dataset.splits["test"]
    with torch.no_grad():
        answers = model.eval()(dataset.scalings[0].apply(dataset.inputs[0][rows]))
    torch.testing.assert_close(predictions.answers, answers, rtol=1e-4, atol=1e-5)
    assert torch.equal(predictions.targets, dataset.targets[rows])
    assert torch.equal(predictions.rows, rows)
    losses = torch.nn.functional.cross_entropy(answers, dataset.targets[rows], reduction="none")
    torch.testing.assert_close(predictions.losses, losses, rtol=1e-4, atol=1e-5)


def test_numbers_are_told_in_their_own_units(tmp_path: Path) -> None:
    folder, told = trained_run(tmp_path / "run", propose_project(Diabetes(), Diabetes().look()), epochs=20)
    trained = open_trained(folder)
    predictions = predict(trained, "test")
    assert predictions.targets.mean() > 100  # a measure of the disease, from 25 to 346
    report = report_on(predictions)
    assert report.figures["mae"].value == pytest.approx(told["test"]["mae"], rel=1e-4)
    assert report.numbers[0].mae == pytest.approx(told["test"]["mae"], rel=1e-4)
    assert report.figures["mae"].low < report.figures["mae"].value < report.figures["mae"].high


def test_places_that_are_ignored_count_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "names.conll"
    sentence = [(f"word{number % 7}", "B-name" if number % 7 == 3 else "O") for number in range(9)]
    file.write_text("\n\n".join("\n".join(map("\t".join, sentence[: 3 + n % 6])) for n in range(60)) + "\n")
    source = recognize(file)[0]
    folder, told = trained_run(tmp_path / "run", propose_project(source, source.look()), epochs=1)
    trained = open_trained(folder)
    predictions = predict(trained, "test")
    targets = trained.dataset.wanted(trained.dataset.splits["test"])
    assert int(predictions.counts.sum()) == int((targets != IGNORED).sum()) == int(predictions.sizes.sum())
    assert report_on(predictions).figures["accuracy"].value == pytest.approx(told["test"]["accuracy"], abs=1e-6)


def test_progress_is_told_and_can_break_it_off(tmp_path: Path) -> None:
    folder, _ = trained_run(tmp_path / "run", "digits-mlp", epochs=1)
    trained, seen = open_trained(folder), []
    predict(trained, "train", lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(trained.dataset.splits["train"])
    assert len(seen) > 1

    def cancel(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(trained, "train", cancel)


def test_the_command_line_measures_compares_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))  # nobody else looked at these samples
    first, _ = trained_run(tmp_path / "first", "digits-mlp", epochs=4)
    second, _ = trained_run(tmp_path / "second", "digits-mlp", epochs=1, seed=0)
    assert main(["evaluate", str(first), str(second), "--split", "test", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["test_uses"] == 4  # each run looked once at its end
    accuracy = document["runs"][0]["figures"]["accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert np.sum(document["runs"][0]["confusion"]) == document["runs"][0]["samples"] == 269
    assert set(document["compared_with_the_first"][0]) >= {"p", "is_real", "difference", "figure"}
    assert main(["evaluate", str(first), str(second)]) == 0
    words = capsys.readouterr().out
    assert "accuracy differs by" in words
    assert "test samples" not in words
    assert main(["evaluate", str(tmp_path / "nowhere")]) == 2


def test_what_cannot_be_compared_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = trained_run(tmp_path / "first", "digits-mlp", epochs=1)
    second, _ = trained_run(tmp_path / "second", "iris-mlp", epochs=1)
    assert main(["evaluate", str(first), str(second)]) == 2
    assert "predicts something else" in capsys.readouterr().err


def test_data_that_changed_since_the_run_is_told(tmp_path: Path) -> None:
    folder, _ = trained_run(tmp_path / "run", "digits-mlp", epochs=1)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "data_fingerprint": "0" * 64}))
    assert open_trained(folder).changed


def test_an_autoencoder_is_judged_by_what_went_in(tmp_path: Path) -> None:
    folder, _ = trained_run(tmp_path / "run", "digits-autoencoder", epochs=1)
    trained = open_trained(folder)
    assert trained.project.data.target == INPUT
    predictions = predict(trained, "validation")
    assert predictions.answers.shape == predictions.targets.shape == (len(predictions), 64)
