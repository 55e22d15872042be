"""Looks at steps change nothing; what is found in them is right for networks that are bad in a known way."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studio.blocks import Block, Input, Output, registry
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.data.dataset import prepare
from studio.fields import replace as replace_fields
from studio.graph import Graph, Link, Node
from studio.project import Project, read_template
from studio.runs import RunFolder
from studio.settings import TrainingSettings, optimizers
from studio.settings.parts import Gradients
from studio.training import doctor
from studio.training.baseline import trivial_baseline
from studio.training.control import Control
from studio.training.cures import cures
from studio.training.doctor import Doctor
from studio.training.events import (
    DIVERGED,
    BlockHealth,
    Diagnosis,
    EpochEnded,
    Event,
    Finding,
    Finished,
    Health,
    NotFinite,
)
from studio.training.health_blocks import watched_blocks
from studio.training.loop import Trainer
from studio.training.setup import make_trainer
from studio.training.watcher import Watcher
from tests.training.conftest import with_settings

Train = Callable[..., tuple[Finished, list[Event]]]


def made(kind: str, **fields: object) -> Block:
    return registry.get(kind)(**fields)


def project_of(*blocks: Block, **settings: object) -> Project:
    """The digits, and blocks in a row for their 64 numbers; the first of them is n1."""
    row = [Input(shape=(1, 8, 8)), made("flatten"), *blocks, made("dense", units=10), Output()]
    nodes = [Node(f"n{i}" if i > 0 else f"start{-i}", f"{b.kind}_{i + 1 - (i > 0)}", b) for i, b in enumerate(row, -1)]
    links = [Link(before.id, 0, after.id, 0) for before, after in itertools.pairwise(nodes)]
    data = read_template("digits-mlp").data
    settings = {"threads": 1, "epochs": 2, **settings}
    return Project(graph=Graph(tuple(nodes), tuple(links)).check(), data=data, training=TrainingSettings(**settings))


def trainer_of(tmp_path: Path, project: Project, *, watched: bool = True, pick: int | None = None) -> Trainer:
    """A trainer that looks at every step.

    Args:
        pick: train on so many samples only.
    """
    folder = RunFolder.create(tmp_path / f"run {watched}", project)
    data = prepare(project.data)
    if pick is not None:
        data = replace(data, splits={**data.splits, "train": data.splits["train"][:pick]})
    trainer = make_trainer(project, data, folder, torch.device("cpu"), Control())
    trainer.baseline = trivial_baseline(data, "validation")["loss"]  # type: ignore[attr-defined]
    if watched:
        blocks = watched_blocks(make_plan(project.graph), trainer.model)
        trainer.watcher = Watcher(
            blocks, project.training.gradients.accumulate > 1, share_of_time=1e9, seconds_between=0.0
        )
    return trainer


def examined(trainer: Trainer) -> dict[str, Finding]:
    """All that is found wrong at some time of a training, by its kind."""
    follower = Doctor(seconds_between=0.0)
    follower.history.baseline = float(trainer.baseline)  # type: ignore[attr-defined]
    found: dict[str, Finding] = {}
    for event in trainer.train():
        diagnosis = None if event is None else follower.take(event)
        found |= {finding.kind: finding for finding in (diagnosis.findings if diagnosis else ())}
    return found


RECIPES = {
    "batch norm, dropout and convolutions": with_settings("digits-cnn", epochs=1, threads=1),
    "accumulated batches": with_settings(
        "digits-transformer", epochs=1, threads=1, gradients=Gradients(accumulate=3, clip_norm=0.5)
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_looks_change_no_bit(tmp_path: Path, name: str) -> None:
    project = RECIPES[name]
    weights, looks = [], 0
    for watched in (False, True):
        trainer = trainer_of(tmp_path, project, watched=watched)
        looks = sum(isinstance(event, Health) for event in trainer.train())
        weights.append(trainer.model.state_dict())
        assert not any(module._forward_hooks for module in trainer.model.modules())
    assert looks >= len(trainer.batches["train"]) // project.training.gradients.accumulate
    assert all(torch.equal(a, b) for a, b in zip(weights[0].values(), weights[1].values(), strict=True))


def test_figures_are_those_of_the_step(tmp_path: Path) -> None:
    project = project_of(made("dense", units=8), made("relu"), optimizer=optimizers.get("sgd")(learning_rate=0.1))
    trainer = trainer_of(tmp_path, project)
    dense = trainer.model.get_submodule("dense_1")
    with torch.no_grad():
        dense.weight[:2] = 0.0
        dense.bias[:2] = -1.0  # two of eight units are dead
    before = dense.weight.detach().clone()
    steps = trainer.train()
    health = next(event for event in steps if isinstance(event, Health))
    block = health.blocks[0]
    assert (block.node, block.name, block.kind, block.axes) == ("n1", "dense_1", "dense", "D")
    assert block.gradient == pytest.approx(float(dense.weight.grad.norm()))
    assert block.update == pytest.approx(float((dense.weight.detach() - before).norm() / before.norm()))
    later = [event.blocks[1].dead for event in steps if isinstance(event, Health)]
    assert later[-1] >= 0.25  # when it was zero often enough
    assert health.blocks[1].dead == 0.0
    assert health.blocks[-1].answers


def test_a_look_comes_later_the_more_it_costs(tmp_path: Path) -> None:
    project = project_of(made("dense", units=8))
    trainer = trainer_of(tmp_path, project)
    blocks = watched_blocks(make_plan(project.graph), trainer.model)
    trainer.watcher = Watcher(blocks, share_of_time=0.01, seconds_between=0.0, seconds_at_start=0.0)
    health = [event for event in trainer.train_epoch(1) if isinstance(event, Health)]
    assert health[0].step == 1  # a look costs about what a step does here: the next one is a hundred later
    assert len(health) < 5


def deep(kind: str, count: int) -> list[Block]:
    return [block for _ in range(count) for block in (made("dense", units=32), made(kind))]


def test_deep_sigmoids_make_gradients_vanish(tmp_path: Path) -> None:
    project = project_of(*deep("sigmoid", 6))
    found = examined(trainer_of(tmp_path, project))[doctor.VANISHING]
    assert found.name == "dense_1"
    assert "times as much" in found.evidence
    offered = cures(found, project)
    assert offered[0].text == "Use ReLU instead of Sigmoid in 6 blocks"
    assert offered[1].text == "Insert Batch norm after 6 blocks"
    for cure in offered[:2]:
        assert doctor.VANISHING not in examined(trainer_of(tmp_path / cure.text[:5], cure.project))


def test_a_rate_of_ten_is_too_high(tmp_path: Path) -> None:
    project = project_of(*deep("relu", 2), optimizer=optimizers.get("adam")(learning_rate=10.0))
    found = examined(trainer_of(tmp_path, project))[doctor.RATE_HIGH]
    assert found.severity == doctor.ERROR
    assert cures(found, project)[0].project.training.optimizer.learning_rate == 1e-3


def test_a_rate_of_next_to_nothing_is_too_low(tmp_path: Path) -> None:
    project = project_of(*deep("relu", 2), optimizer=optimizers.get("adam")(learning_rate=1e-8), epochs=4)
    found = examined(trainer_of(tmp_path, project))
    assert list(found) == [doctor.RATE_LOW]
    assert cures(found[doctor.RATE_LOW], project)[0].project.training.optimizer.learning_rate == 1e-3


def test_large_recurrent_weights_make_gradients_explode(tmp_path: Path) -> None:
    recurrent = made("rnn", units=16, nonlinearity="relu")
    project = project_of(made("reshape", shape=(32, 2)), recurrent, optimizer=optimizers.get("sgd")(learning_rate=1e-9))
    trainer = trainer_of(tmp_path, project)
    with torch.no_grad():
        trainer.model.get_submodule("rnn_2").weight_hh_l0.mul_(5.0)
    found = examined(trainer)[doctor.EXPLODING]
    assert found.name == "rnn_2"
    texts = [cure.text for cure in cures(found, project)]
    assert texts[:3] == [
        "Clip gradients to a norm of 1", "Use LSTM instead of RNN in “rnn_2”", "Use GRU instead of RNN in “rnn_2”",
    ]  # fmt: skip


def test_units_below_zero_are_dead(tmp_path: Path) -> None:
    project = project_of(*deep("relu", 1))
    trainer = trainer_of(tmp_path, project)
    with torch.no_grad():
        trainer.model.get_submodule("dense_1").bias.fill_(-100.0)
    found = examined(trainer)
    assert set(found) == {doctor.DEAD}
    assert (found[doctor.DEAD].name, found[doctor.DEAD].severity) == ("relu_2", doctor.ERROR)
    assert cures(found[doctor.DEAD], project)[0].text == "Use Leaky ReLU instead of ReLU in “relu_2”"


def test_large_inputs_saturate(tmp_path: Path) -> None:
    project = project_of(*deep("tanh", 1), optimizer=optimizers.get("sgd")(learning_rate=1e-6))
    trainer = trainer_of(tmp_path, project)
    with torch.no_grad():
        trainer.model.get_submodule("dense_1").weight.mul_(100.0)
    assert examined(trainer)[doctor.SATURATED].name == "tanh_2"


def test_few_samples_are_learned_by_heart(tmp_path: Path) -> None:
    project = project_of(
        *deep("relu", 2), epochs=60, batch_size=10, optimizer=optimizers.get("adam")(learning_rate=3e-3)
    )
    found = examined(trainer_of(tmp_path, project, pick=30))[doctor.OVERFITTING]
    assert "cross-validation" in found.advice.lower()
    offered = cures(found, project)
    assert [cure.text for cure in offered] == [
        "Insert Dropout after “relu_4”", "Augment the training images: Shift (crop with padding)",
        "Use AdamW with weight decay 0.05", "Stop early, after 10 epochs without a better one",
    ]  # fmt: skip
    assert len(offered[0].project.graph.nodes) == len(project.graph.nodes) + 1


def test_where_numbers_break_is_found(train: Train) -> None:
    project = project_of(made("affine", scale=100.0), made("exponential"))
    finished, events = train(project)
    assert finished.status == DIVERGED
    broken = next(event for event in events if isinstance(event, NotFinite))
    last = [event for event in events if isinstance(event, Diagnosis)][-1]
    assert [(finding.kind, finding.node) for finding in last.findings] == [(doctor.BROKEN, broken.node)]


@pytest.mark.parametrize(
    ("template", "epochs"),
    [("digits-mlp", 20), ("iris-mlp", 60), ("digits-rnn", 8), ("xor-mlp", 200), ("spirals-mlp", 40),
     ("digits-autoencoder", 10), ("digits-transformer", 6), ("digits-cnn", 3), ("digits-lstm", 5)],
)  # fmt: skip
def test_networks_that_learn_well_get_no_alarm(tmp_path: Path, template: str, epochs: int) -> None:
    assert examined(trainer_of(tmp_path, with_settings(template, epochs=epochs, threads=1))) == {}


@pytest.mark.parametrize("template", ["digits-cnn", "digits-rnn", "cifar-vgg11", "digits-transformer", "imdb-lstm"])
def test_every_cure_leaves_a_network_that_can_be_trained(template: str) -> None:
    project = read_template(template)
    kinds = [getattr(doctor, name) for name in ("VANISHING", "EXPLODING", "OVERFITTING", "PLATEAU", "RATE_HIGH")]
    nodes = [node for node in project.graph.nodes if node.block.kind in ("relu", "tanh")]
    findings = [Finding(kind, doctor.WARNING, "", "") for kind in kinds]
    findings += [
        Finding(kind, doctor.WARNING, "", "", node=n.id) for n in nodes for kind in (doctor.DEAD, doctor.SATURATED)
    ]
    for finding in findings:
        for cure in cures(finding, project):
            after = analyze(cure.project.graph, cure.project.data.spec, cure.project.training)
            assert after.trainable, (finding.kind, cure.text, after.problems)


def test_a_warm_up_is_no_low_rate() -> None:
    follower = Doctor(seconds_between=0.0)
    block = BlockHealth("n1", "dense_1", "dense", "D", False, 10, 1.0, 1.0, 1e-7, 0.0, 1.0, float("nan"), float("nan"))
    rising = [Health(100 + step, 1, 2.3, 1e-9 * (1 + step), (block,), 0.001) for step in range(20)]
    assert [follower.take(event) for event in rising] == [None] * 20
    told = [follower.take(replace(event, learning_rate=1e-9)) for event in rising]
    assert [d.findings[0].kind for d in told if d is not None] == [doctor.RATE_LOW]


def epoch(number: int, train: float, validation: float) -> EpochEnded:
    return EpochEnded(number, 10 * number, {"loss": train}, {"loss": validation}, 1.0, False)


def test_overfitting_is_no_noise() -> None:
    noisy = doctor.History(baseline=2.3)
    for number in range(1, 30):
        noisy.take(epoch(number, 1 / number, 0.040 + 0.01 * (number % 3) + 0.3 / number))
    assert doctor.diagnose(noisy) == ()
    for number in range(30, 60):
        noisy.take(epoch(number, 1 / number, 0.02 * number - 0.5))
    assert [finding.kind for finding in doctor.diagnose(noisy)] == [doctor.OVERFITTING]


def test_settings_of_both_blocks_are_kept_by_a_cure() -> None:
    project = replace_template("digits-rnn", units=24)
    after = cures(Finding(doctor.EXPLODING, doctor.ERROR, "", ""), project)[1].project
    lstm = next(node.block for node in after.graph.nodes if node.block.kind == "lstm")
    assert lstm.units == 24  # type: ignore[attr-defined]


def replace_template(template: str, **fields: object) -> Project:
    """A template with other settings of its recurrent layer."""
    project = read_template(template)
    nodes = [
        replace(node, block=replace_fields(node.block, **fields)) if node.block.kind == "rnn" else node
        for node in project.graph.nodes
    ]
    return replace(project, graph=replace(project.graph, nodes=tuple(nodes)))
