"""What somebody tries while a run is under way leaves the run as it is, and answers with its weights."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.evaluation.predictions import predict
from studio.evaluation.single import with_one_sample
from studio.evaluation.taken import judge
from studio.evaluation.trained import open_trained
from studio.evaluation.trying import FIXED, MOST_TAKEN, FileTrial, RunTrial
from studio.project import Project
from studio.runs import RunFolder
from studio.settings.parts import Averaging
from studio.training import desk as desk_module
from studio.training import loop
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.desk import hand_out
from studio.training.events import EpochEnded, Event
from studio.training.job import Job
from studio.training.loop import Trainer
from studio.training.runner import run
from tests.training.conftest import with_settings


class Trier(threading.Thread):
    """Tries a run without a pause until it is over."""

    def __init__(self, control: Control) -> None:
        super().__init__(daemon=True)
        self.control, self.over = control, threading.Event()
        self.abouts: list[str] = []
        self.tried: RunTrial | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while not self.over.wait(0.001):
                self._try()
        except Exception as error:
            self.error = error

    def _try(self) -> None:
        behind = self.control.desk.behind
        if self.tried is None and behind is not None:
            self.tried = RunTrial(self.control.desk, behind)
        if self.tried is not None and self.tried.renew():
            self.tried.answers([one.reading for one in self.tried.samples()[:8]])
            self.abouts.append(self.tried.about)


def weights_of(path: Path, project: Project, *, tried: bool) -> tuple[str, Trier]:
    """SHA-256 of the last weights and the best ones, and who tried."""
    control = Control()
    trier = Trier(control)
    if tried:
        trier.start()
    run(Job(project, path), control, lambda _event: None)
    trier.over.set()
    if tried:
        trier.join(30)
    digest = hashlib.sha256()
    for file in (RunFolder(path).last, RunFolder(path).best):
        for name, tensor in sorted(read_checkpoint(file).model.items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest(), trier


def project_of(template: str, averaging: str) -> Project:
    return with_settings(template, epochs=1, threads=1, averaging=Averaging(method=averaging))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Project], tuple[str, Path]]:
    """What comes of a run that nobody tries, and its folder."""
    known: dict[Project, tuple[str, Path]] = {}

    def alone(project: Project) -> tuple[str, Path]:
        if project not in known:
            folder = tmp_path_factory.mktemp("alone") / "run"
            known[project] = (weights_of(folder, project, tried=False)[0], folder)
        return known[project]

    return alone


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy whenever one is asked for."""
    monkeypatch.setattr(desk_module, "SECONDS_BETWEEN_COPIES", 0.0)
    monkeypatch.setattr(desk_module, "SHARE_OF_TIME", 1e9)


Alone = Callable[[Project], tuple[str, Path]]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("template", ["digits-mlp", "digits-cnn"])
@pytest.mark.parametrize("averaging", ["off", "ema"])
def test_a_run_that_is_tried_ends_with_the_same_weights(
    tmp_path: Path, alone: Alone, template: str, averaging: str
) -> None:
    project = project_of(template, averaging)
    beside, trier = weights_of(tmp_path / "beside", project, tried=True)
    assert trier.error is None
    assert len(trier.abouts) > 2
    assert ("averaged" in trier.abouts[-1]) == (averaging == "ema")
    assert beside == alone(project)[0]


@pytest.mark.usefixtures("eager")
def test_a_copy_that_draws_a_number_would_be_noticed(
    tmp_path: Path, alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawing(trainer: Trainer) -> None:
        torch.rand(1)
        hand_out(trainer)

    project = project_of("digits-cnn", "off")
    assert "Dropout" in str(project.graph)
    monkeypatch.setattr(loop, "hand_out", drawing)
    beside, _ = weights_of(tmp_path / "beside", project, tried=True)
    assert beside != alone(project)[0]


def test_a_paused_run_hands_out_the_weights_that_its_file_has(tmp_path: Path) -> None:
    control, tried = Control(), []

    def try_it(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 1:
            control.pause()
            waiting.start()

    def when_paused() -> None:
        behind = control.desk.behind
        assert behind is not None
        trial = RunTrial(control.desk, behind)
        while not trial.renew():
            deadline.wait(0.01)
        tried.append((trial, trial.answers([one.reading for one in trial.samples()])))
        control.stop()

    deadline, waiting = threading.Event(), threading.Thread(target=when_paused, daemon=True)
    project = with_settings("digits-mlp", epochs=3, threads=1)
    run(Job(project, tmp_path / "run"), control, try_it)
    waiting.join(30)
    assert control.desk.behind is None  # nothing of the run is kept
    trial, answers = tried[0]
    kept = FileTrial(tmp_path / "run", newest=True)
    others = kept.answers([one.reading for one in kept.samples()])
    assert trial.about.startswith("Step ")
    assert [one.row for one in trial.samples()] == [one.row for one in kept.samples()]
    assert len(trial.samples()) == MOST_TAKEN > FIXED
    assert all(np.array_equal(one.values, other.values) for one, other in zip(answers, others, strict=True))


def test_samples_are_judged_as_the_validation_is(alone: Alone) -> None:
    _, folder = alone(project_of("digits-mlp", "off"))
    trial = FileTrial(folder)
    trained = open_trained(folder, device="cpu")
    predictions = predict(trained, "validation")
    places = {row: place for place, row in enumerate(predictions.rows.tolist())}
    assert predictions.targets is not None
    samples = trial.samples()
    for one, answer in zip(samples, trial.answers([one.reading for one in samples]), strict=True):
        place = places[one.row]
        right = bool(predictions.guesses[place] == predictions.targets[place])
        verdict = judge(one, answer)
        assert verdict.right == right
        assert one.truth == predictions.names[int(predictions.targets[place])]
        assert np.allclose(answer.values, predictions.probabilities[place].numpy(), atol=1e-6)
    assert not trial.renew()


def test_what_a_sample_was_given_as_reads_the_same(alone: Alone) -> None:
    trial = FileTrial(alone(project_of("digits-mlp", "off"))[1])
    for one in trial.samples()[:5]:
        raws, reading = trial.read(one.given)
        assert all(torch.equal(a, b) for a, b in zip(reading.tensors, one.reading.tensors, strict=True))
        assert with_one_sample(trial.answerer, trial.project, raws).dataset.inputs[0].shape[0] == 1
