"""Networks with several Outputs: the weighted sum is learned, each is told of, and the main one speaks for all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional

from studio.blocks import Output
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data.dataset import Dataset, prepare
from studio.evaluation.predictions import predict
from studio.evaluation.trained import open_trained
from studio.graph.edits import SetBlock
from studio.project import Project
from studio.runs import RunFolder
from studio.settings import optimizers
from studio.settings.losses import CrossEntropy
from studio.settings.parts import Gradients, Mixing, Speed, Stopping
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import EpochEnded, Event, Finished, Started
from studio.training.job import Job
from studio.training.loop import Trainer
from studio.training.preflight import preflight
from studio.training.resuming import go_on, read_point
from studio.training.runner import run
from studio.training.setup import make_trainer
from studio.training.spread.member import Member
from studio.training.spread.team import Team
from studio.training.state import state_of
from studio.training.tasks import Sums
from tests.training.conftest import with_settings

CLASSES, DRAWING = "digit", "drawing"  # the Outputs of the template
WEIGHT = 0.5


def project_of(**settings: Any) -> Project:
    """A classifier of digits that draws them, too."""
    return with_settings("digits-two-outputs", **{"epochs": 2, "threads": 1, "batch_size": 128, **settings})


def with_output(project: Project, name: str, **fields: Any) -> Project:
    """The project with an Output set in another way."""
    node = next(node for node in project.graph.nodes if node.name == name)
    return replace(project, graph=SetBlock(node.id, Output(**fields)).apply(project.graph))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return prepare(project_of().data)


def trainer_of(project: Project, dataset: Dataset, folder: Path) -> Trainer:
    run_folder = RunFolder(folder) if folder.exists() else RunFolder.create(folder, project)
    return make_trainer(project, dataset, run_folder, torch.device("cpu"), Control())


Hand = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def weighted(digits: Tensor, drawings: Tensor, labels: Tensor, images: Tensor) -> Tensor:
    return functional.cross_entropy(digits, labels) + functional.mse_loss(drawings, images) * WEIGHT


def of_their_own(digits: Tensor, drawings: Tensor, labels: Tensor, images: Tensor) -> Tensor:
    smooth = functional.cross_entropy(digits, labels, label_smoothing=0.1)
    return smooth + functional.l1_loss(drawings, images) * 2.0


OWN = {"target": "input", "loss": "absolute-error", "weight": 2.0}


@pytest.mark.parametrize(
    ("fields", "settings", "by_hand"),
    [
        ({"target": "input", "weight": WEIGHT}, {}, weighted),
        (OWN, {"loss": CrossEntropy(label_smoothing=0.1)}, of_their_own),
    ],
    ids=["usual losses", "losses of their own"],
)
def test_fifty_steps_are_those_of_a_weighted_sum_by_hand(
    fields: dict[str, Any], settings: dict[str, Any], by_hand: Hand, dataset: Dataset, tmp_path: Path
) -> None:
    project = with_output(project_of(**settings), DRAWING, **fields)
    trainer = trainer_of(project, dataset, tmp_path / "run")
    torch.manual_seed(project.training.seed)
    model = build_network(make_plan(project.graph))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    steps = 0
    while steps < 50:
        for (images,), labels in trainer.batches["train"].epoch(torch.Generator().manual_seed(steps)):
            digits, drawings = model(images)
            loss = by_hand(digits, drawings, labels, images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            assert torch.equal(trainer.stepper((images,), labels, steps)[0], loss)
            steps += 1
    for ours, theirs in zip(trainer.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, list[Event]]:
    """A short run, and what it told."""
    events: list[Event] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CACHE"):
            patch.setenv(f"TRAINING_STUDIO_{name}", str(tmp_path_factory.mktemp(name)))
        folder = tmp_path_factory.mktemp("runs") / "run"
        return run(Job(project_of(epochs=3), folder), Control(), events.append), events


def test_every_output_is_told_of(finished: tuple[Finished, list[Event]]) -> None:
    result, events = finished
    (started,) = (event for event in events if isinstance(event, Started))
    assert (started.metric, started.measures[-3:]) == ("accuracy", ("digit.loss", "drawing.loss", "drawing.mae"))
    assert set(started.baseline) == {"digit.loss", "accuracy"}
    rows = [json.loads(line) for line in (Path(result.run) / "metrics.jsonl").read_text().splitlines()]
    for event, row in zip((e for e in events if isinstance(e, EpochEnded)), rows, strict=True):
        for figures, written in ((event.train, row["train"]), (event.validation, row["validation"])):
            assert figures == written
            total = figures["digit.loss"] + WEIGHT * figures["drawing.loss"]
            assert figures["loss"] == pytest.approx(total, rel=1e-5)
            assert figures["drawing.mae"] > 0
    assert result.metrics["test"]["digit.loss"] < 2.2


def test_the_main_output_alone_is_evaluated(finished: tuple[Finished, list[Event]]) -> None:
    trained = open_trained(Path(finished[0].run))
    predictions = predict(trained, "validation")
    told = finished[0].metrics["validation"]
    assert float(predictions.losses.mean()) == pytest.approx(told["digit.loss"], rel=1e-5)
    assert float((predictions.guesses == predictions.targets).double().mean()) == pytest.approx(told["accuracy"])
    both = build_network(make_plan(trained.project.graph)).eval()
    both.load_state_dict(trained.checkpoint.model)
    images = torch.randn(3, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(trained.model(images), both(images)[0])


def test_the_best_epoch_is_that_of_the_main_loss(dataset: Dataset, tmp_path: Path) -> None:
    project = project_of(stopping=Stopping(patience=2))
    watch = trainer_of(project, dataset, tmp_path / "run").watch
    told = [
        watch.is_better({"loss": total, "digit.loss": own})
        for total, own in ((2.0, 1.0), (1.0, 1.1), (0.5, 1.2), (3.0, 0.9))
    ]
    assert told == [True, False, False, True]
    assert trainer_of(project, dataset, tmp_path / "other").watch.reason(3).count("loss of “digit”") == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gradients": Gradients(accumulate=2), "speed": Speed(precision="bfloat16")},
        {"optimizer": optimizers.get("lbfgs")(iterations=2), "batch_size": 600},
    ],
    ids=["plain", "accumulated", "searching"],
)
def test_a_run_broken_in_the_middle_goes_on_to_the_same_bits(
    settings: dict[str, Any], dataset: Dataset, tmp_path: Path
) -> None:
    project = project_of(**settings)
    whole = trainer_of(project, dataset, tmp_path / "whole")
    expected = [event for event in whole.train() if isinstance(event, EpochEnded)]
    first = trainer_of(project, dataset, tmp_path / "parts")
    for _ in first.train():
        if first.step >= len(first.batches["train"]) - 1:
            break
    first.keeper.finish(state_of(first))
    first.keeper.close()
    second = trainer_of(project, dataset, tmp_path / "parts")
    go_on(second, read_point(RunFolder(tmp_path / "parts")))
    found = [event for event in second.train() if isinstance(event, EpochEnded)]
    for trainer in (whole, second):
        trainer.keeper.close()
    assert [(e.train, e.validation) for e in found] == [(e.train, e.validation) for e in expected]
    for ours, theirs in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_batch_counts_the_same_in_parts(dataset: Dataset, tmp_path: Path) -> None:
    gradients = []
    for settings in ({"batch_size": 128}, {"batch_size": 64, "gradients": Gradients(accumulate=2)}):
        trainer = trainer_of(
            project_of(**settings, optimizer=optimizers.get("sgd")()), dataset, tmp_path / str(settings)
        )
        for number, (inputs, targets) in enumerate(trainer.batches["train"].epoch(None)):
            if number * settings["batch_size"] == 128:
                break
            trainer.stepper(inputs, targets, number)
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in trainer.model.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


class OneAfterTheOther(Team):
    """Two processes, simulated one after the other: what the weights of classes sum up to is known beforehand."""

    total = 0.0

    def add_up(self, numbers: Tensor) -> Tensor:
        return torch.full_like(numbers, self.total)


def test_two_processes_take_the_gradient_of_one(dataset: Dataset, tmp_path: Path) -> None:
    weights = [1.0, 9.0] * 5
    project = project_of(loss=CrossEntropy(weights=" ".join(map(str, weights))))
    dist.init_process_group("gloo", store=dist.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1)
    try:
        gradients = []
        for place in (None, 0, 1):
            trainer = trainer_of(project, dataset, tmp_path / str(place))
            batches = trainer.batches["train"]
            whole = next(iter(batches.epoch(torch.Generator().manual_seed(1))))[1]
            team = OneAfterTheOther(place or 0, 2, 0, dist.group.WORLD)
            team.total = sum(weights[label] for label in whole.tolist())
            if place is not None:
                Member(team, trainer)
            inputs, targets = next(iter(batches.epoch(torch.Generator().manual_seed(1))))
            trainer.stepper(inputs, targets, 0)
            gradients.append([parameter.grad.clone() for parameter in trainer.model.parameters()])
    finally:
        dist.destroy_process_group()
    for expected, one, other in zip(*gradients, strict=True):
        torch.testing.assert_close((one + other) / 2, expected, rtol=1e-4, atol=1e-6)


def test_what_others_counted_comes_along() -> None:
    mine, others = Sums(1.0, 2.0, 3.0, 4, (Sums(5.0, 6.0, 7.0, 8),)), Sums(1.0, 1.0, 1.0, 1, (Sums(2.0, 2.0, 2.0, 2),))
    sums = Sums.of(json.loads(json.dumps(mine.numbers)))
    sums.add(others)
    assert sums == Sums(2.0, 3.0, 4.0, 5, (Sums(7.0, 8.0, 9.0, 10),))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mixing": Mixing(method="mixup")}, "several Outputs"),
        ({"speed": Speed(compile="whole step")}, "the network has several Outputs"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=message):
        run(Job(project_of(**settings), tmp_path / "run"), Control(), lambda _: None)


def test_the_check_before_a_run_knows_what_to_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.training.preflight.SECONDS_FOR_TIME", 0.1)
    monkeypatch.setattr("studio.training.preflight.SECONDS_FOR_ONE_BATCH", 0.5)
    found = preflight(project_of())
    assert found.expected_loss == pytest.approx(2.3026 + WEIGHT, abs=0.1)  # scaled numbers have a spread of about 1
    assert found.first_loss == pytest.approx(found.expected_loss, rel=0.3)
    assert found.one_batch[-1] < found.one_batch[0]
