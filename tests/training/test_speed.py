"""How steps are computed: by hand, measured, compiled; and that measuring changes nothing."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from studio.compile.plan import make_plan
from studio.data.dataset import prepare
from studio.runs import RunFolder
from studio.settings import optimizers, schedules
from studio.settings.parts import Gradients, Speed
from studio.training import probe, speed
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import Changed, EpochEnded, Event, Started
from studio.training.job import Job
from studio.training.lean import Lean, reaches
from studio.training.loop import Trainer
from studio.training.runner import run
from studio.training.setup import make_trainer
from studio.training.speed import Choices, missing_compiler
from studio.training.state import copied, put_state, state_of
from tests.training.conftest import with_settings

CPU = torch.device("cpu")
needs_compiler = pytest.mark.skipif(bool(missing_compiler(CPU)), reason="no C++ compiler on this machine")


def trainer_of(tmp_path: Path, choices: Choices | None = None, template: str = "iris-mlp", **settings: Any) -> Trainer:
    project = with_settings(template, **{"threads": 1, "batch_size": 32, **settings})
    folder = RunFolder(tmp_path / "run")  # nothing is written
    return make_trainer(project, prepare(project.data), folder, CPU, Control(), choices=choices)


def losses(trainer: Trainer, steps: int) -> list[float]:
    """Of so many steps, without dropout, which compiled code draws in another way."""
    for module in trainer.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    found: list[float] = []
    epoch = 0
    while len(found) < steps:
        epoch += 1
        trainer.model.train()
        for inputs, targets in trainer.batches["train"].epoch(trainer.shuffle, epoch):
            found.append(float(trainer.stepper(inputs, targets, trainer.step)[0].detach()))
            trainer.step += 1
    return found[:steps]


OPTIMIZERS = [
    optimizers.get("adam")(weight_decay=0.01), optimizers.get("adamw")(weight_decay=0.05),
    optimizers.get("sgd")(), optimizers.get("sgd")(momentum=0.0, weight_decay=0.01),
    optimizers.get("sgd")(nesterov=True),
]  # fmt: skip


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_lean_steps_are_those_of_torch(optimizer: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    twins = model, copy.deepcopy(model)
    made = [
        getattr(torch.optim, optimizer.torch_class)(twin.parameters(), **optimizer.arguments(), fused=True)
        for twin in twins
    ]
    assert reaches(made[1])
    steps: list[Callable[[], Any]] = [made[0].step, Lean(made[1]).step]
    for number in range(10):
        for group in (*made[0].param_groups, *made[1].param_groups):
            group["lr"] = 0.01 / (1 + number)
        if number == 5:  # as when a checkpoint is read
            made[1].load_state_dict(copy.deepcopy(made[1].state_dict()))
        for twin, step in zip(twins, steps, strict=True):
            twin.zero_grad()
            twin(torch.full((4, 5), number / 10)).square().mean().backward()
            step()
    for one, other in zip(*(twin.parameters() for twin in twins), strict=True):
        assert torch.equal(one, other)
    assert_same_state(*(optimizer.state_dict()["state"] for optimizer in made))


def assert_same_state(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    for number, values in one.items():
        assert values.keys() == other[number].keys()
        assert all(
            value is other[number][name] or torch.equal(value, other[number][name]) for name, value in values.items()
        )


@needs_compiler
@pytest.mark.parametrize("optimizer", [OPTIMIZERS[0], OPTIMIZERS[1], OPTIMIZERS[4]], ids=str)
def test_the_compiled_step_learns_as_single_operations_do(tmp_path: Path, optimizer: Any) -> None:
    settings = {"optimizer": optimizer, "schedule": schedules.get("one-cycle")(), "epochs": 20}
    plain = trainer_of(tmp_path, Choices(), "digits-mlp", **settings)
    whole = trainer_of(tmp_path, Choices(compile="whole step"), "digits-mlp", **settings)
    expected = losses(plain, 60)
    found = losses(whole, 60)  # with the last, shorter batch of an epoch, that single operations do
    assert whole.stepper.is_compiled, whole.stepper.news()
    assert found == pytest.approx(expected, rel=2e-3, abs=1e-3)
    assert whole.optimizer.param_groups[0]["lr"] == plain.optimizer.param_groups[0]["lr"] < optimizer.learning_rate
    for one, other in zip(plain.optimizer.state.values(), whole.optimizer.state.values(), strict=True):
        assert one.get("step") == other.get("step")


@needs_compiler
def test_compiled_in_the_background_it_is_taken_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.training.whole_step._WORTH_IT", math.inf)
    trainer = trainer_of(tmp_path, Choices(compile="whole step later"), epochs=10**6)
    told = []
    for epoch in range(1, 10**6):
        told += [event for event in trainer.train_epoch(epoch) if isinstance(event, Changed)]
        if told:
            break
    assert [(event.name, event.before) for event in told] == [("speed.compile", "off")]
    assert "ms a step instead of" in str(told[0].after)
    again = trainer_of(tmp_path, Choices(compile="whole step later"), epochs=10**6)
    put_state(again, copied(state_of(trainer)))
    inputs, targets = next(again.batches["train"].epoch(None))
    again.stepper(inputs, targets, 0)
    assert again.stepper.is_compiled, "what was compiled is compiled before the next step"


@needs_compiler
def test_a_compiled_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """With dropout, which compiled code draws from the same generator in its own way."""
    project = with_settings("digits-mlp", epochs=4, threads=1, speed=Speed(compile="whole step"))
    run(Job(project, tmp_path / "at once"), Control(), lambda _event: None)
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 2:
            control.stop()

    run(Job(project, tmp_path / "parts"), control, stop)
    events: list[Event] = []
    run(Job(project, tmp_path / "parts", resume=True), Control(), events.append)
    assert any(isinstance(event, Changed) and event.name == "speed.compile" for event in events)
    weights = [read_checkpoint(RunFolder(tmp_path / name).last).model for name in ("at once", "parts")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_what_cannot_be_compiled_goes_on_by_single_operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("no such machine")

    monkeypatch.setattr("studio.training.whole_step.compiled", fail)
    plain, whole = trainer_of(tmp_path, Choices()), trainer_of(tmp_path, Choices(compile="whole step"))
    assert losses(whole, 10) == losses(plain, 10)
    assert whole.stepper.news() == "off, for PyTorch gave up with RuntimeError: no such machine"
    assert whole.stepper.news() == ""


def test_wrong_results_of_compiled_code_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(graph: Any, *_arguments: object) -> Callable[..., Any]:
        def code(*flat: torch.Tensor) -> Any:
            answer = graph(*flat)
            flat[0].add_(0.1)
            return answer

        return code

    monkeypatch.setattr("studio.training.whole_step.compiled", wrong)
    plain, whole = trainer_of(tmp_path, Choices()), trainer_of(tmp_path, Choices(compile="whole step"))
    assert losses(whole, 10) == losses(plain, 10)
    assert whole.stepper.news() == "off, for its results are not those of single operations"


def test_options_that_the_graph_does_not_know_are_not_compiled(tmp_path: Path) -> None:
    optimizer = optimizers.get("adam")(amsgrad=True)
    plain = trainer_of(tmp_path, Choices(), optimizer=optimizer)
    whole = trainer_of(tmp_path, Choices(compile="whole step"), optimizer=optimizer)
    assert losses(whole, 10) == losses(plain, 10)
    assert whole.stepper.news() == "off, for the optimizer has options that are not written for it"


def test_float16_scales_its_loss(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, speed=Speed(precision="float16"), gradients=Gradients(clip_norm=1.0))
    plain = trainer_of(tmp_path, gradients=Gradients(clip_norm=1.0))
    assert losses(trainer, 40) == pytest.approx(losses(plain, 40), rel=0.05)
    state = copied(state_of(trainer))
    assert state["parts"]["Stepper._scaler"]["scale"] > 1
    state["parts"]["Stepper._scaler"]["scale"] = 8.0
    other = trainer_of(tmp_path, speed=Speed(precision="float16"))
    put_state(other, state)
    assert state_of(other)["parts"]["Stepper._scaler"]["scale"] == 8.0


def test_batches_prepared_ahead_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.data.batches.CHUNK_BYTES", 1)  # one batch at a time
    plain, ahead = trainer_of(tmp_path), trainer_of(tmp_path, speed=Speed(prefetch="on"))
    assert losses(ahead, 12) == losses(plain, 12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": Speed(precision="tf32")}, "tf32 exists on NVIDIA GPUs only"),
        (
            {"speed": Speed(compile="whole step"), "gradients": Gradients(clip_norm=1.0)},
            "cannot be compiled: gradients are clipped",
        ),
        ({"speed": Speed(compile="whole step"), "gradients": Gradients(accumulate=2)}, "gradients are accumulated"),
        ({"speed": Speed(compile="whole step", precision="float16")}, "the loss of float16 is scaled"),
    ],
)
def test_what_cannot_be_done_here_is_refused_in_words(tmp_path: Path, settings: Any, message: str) -> None:
    if settings["speed"].compile != "auto" and missing_compiler(CPU):
        pytest.skip("no C++ compiler on this machine")
    with pytest.raises(TrainingError, match=message):
        trainer_of(tmp_path, **settings)


def test_without_a_compiler_nothing_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed.shutil, "which", lambda _name: None)
    with pytest.raises(
        TrainingError, match=r"Nothing can be compiled .* no C\+\+ compiler was found. Set Compile to off"
    ):
        trainer_of(tmp_path, speed=Speed(compile="network"))


def test_measuring_first_changes_nothing(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chosen is what is there already: then the run has the same bits as one that measured nothing."""
    monkeypatch.setattr(probe, "BETTER", 0.0)
    settings = {"epochs": 2, "threads": 1}
    runs = [train(with_settings("digits-cnn", **settings, speed=Speed(mode=mode))) for mode in ("exact", "auto")]
    started = [next(event for event in events if isinstance(event, Started)) for _, events in runs]
    assert (started[0].speed, started[0].measured) == ("", ())
    assert {name for name, _, _ in started[1].measured} >= {"as always", "layout", "compile"}
    weights = [read_checkpoint(Path(finished.checkpoint)).model for finished, _ in runs]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_what_is_drawn_at_random_later_does_not_depend_on_measuring(tmp_path: Path) -> None:
    project = with_settings("digits-mlp", threads=1, speed=Speed(mode="auto"))  # its dropout draws in every step
    dataset, plan = prepare(project.data), make_plan(project.graph)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    choices = probe.choose(
        project, dataset, plan, CPU, Control(), lambda choices: trainer_of(tmp_path, choices, "digits-mlp")
    )
    assert choices.measured[0][2] > 0
    assert torch.equal(torch.rand(3), expected)


def test_what_was_chosen_is_told_recorded_and_read_again(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "fast_precisions", lambda _device: ("bfloat16",))
    monkeypatch.setattr(probe, "BETTER", math.inf)
    monkeypatch.setattr(probe._Probe, "_beside", lambda *_: [(2.0, 1.0)])
    events: list[Event]
    finished, events = train(with_settings("iris-mlp", epochs=1, threads=1, speed=Speed(mode="auto")))
    told = next(event for event in events if isinstance(event, Started))
    assert told.speed == "1 thread, bfloat16, contiguous"
    assert ("precision", "bfloat16 is chosen", 1000.0) in told.measured
    lines = " ".join(told.measured_lines())
    assert "precision bfloat16 is chosen (1e+03 ms a step)" in lines
    recorded = Choices.from_json(RunFolder(Path(finished.run)).read_record()["speed"])
    assert (recorded.precision, recorded.threads, recorded.measured) == ("bfloat16", 1, told.measured)


def test_what_was_set_by_hand_is_not_measured(train: Any) -> None:
    by_hand = Speed(mode="auto", precision="float32", layout="contiguous", compile="off", prefetch="off")
    _, events = train(with_settings("digits-cnn", epochs=1, threads=1, speed=by_hand))
    told = next(event for event in events if isinstance(event, Started))
    assert [name for name, _, _ in told.measured] == ["as always"]


@pytest.mark.parametrize(
    "data", [None, {}, {**Choices().to_json(), "precision": "float8"}, {**Choices().to_json(), "threads": True}]
)
def test_a_record_that_is_none_is_refused(data: object) -> None:
    with pytest.raises(TrainingError, match="does not say how its steps were computed"):
        Choices.from_json(data)
