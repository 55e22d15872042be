"""A run that goes on is the same run: weights, optimizer and figures to the last bit."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.blocks import registry as blocks
from studio.data.dataset import prepare
from studio.data.transforms import registry as transforms
from studio.fields import replace as replace_fields
from studio.graph.edits import insert_on, new_node
from studio.project import Project, read_template
from studio.runs import RunFolder
from studio.settings import optimizers, schedules
from studio.settings.parts import Averaging, Gradients, Mixing, Stopping
from studio.training import clock
from studio.training.control import Control
from studio.training.events import EpochEnded, Event
from studio.training.loop import Trainer
from studio.training.resuming import ResumePoint, go_on, read_point
from studio.training.setup import make_trainer
from studio.training.state import State, copied, state_of
from studio.training.tasks import Tally

EPOCHS, BATCH = 3, 45  # of 434 samples: 9 whole batches and a ragged one
PER_EPOCH = 10
MIDDLE = PER_EPOCH + 5  # with one batch that is not summed up yet
EXCLUDED = tuple(range(600, 1_797))

NETWORKS = {"mlp": "digits-mlp", "cnn": "digits-cnn", "gru": "digits-gru", "transformer": "digits-transformer"}
OPTIMIZERS = {
    "sgd": {"optimizer": optimizers.get("sgd")(momentum=0.9)},
    "adamw, cosine": {"optimizer": optimizers.get("adamw")(), "schedule": schedules.get("cosine")(warmup_epochs=0.5)},
}


def project_of(network: str, optimizer: str = "adamw, cosine", *, augmented: bool = False, **settings: Any) -> Project:
    """A template with dropout: what it draws must go on, too."""
    project = read_template(NETWORKS[network])
    graph = project.graph
    last = next(link for link in graph.links if graph.node(link.target).block.kind == "output")
    into_last = next(link for link in graph.links if link.target == last.source)
    graph = insert_on(graph, into_last, new_node(graph, blocks.get("dropout")(rate=0.3))).apply(graph)
    changes = tuple(transforms.get(kind)() for kind in ("shift", "rotation", "erase")) if augmented else ()
    given = {"epochs": EPOCHS, "batch_size": BATCH, "threads": 1, **OPTIMIZERS[optimizer], **settings}
    return replace(
        project, graph=graph, data=replace(project.data, transforms=changes, excluded=EXCLUDED),
        training=replace_fields(project.training, **given),
    )  # fmt: skip


@functools.cache
def dataset_of(balanced: bool, augmented: bool) -> Any:
    data = project_of("mlp", augmented=augmented).data
    dataset = prepare(replace(data, balanced=balanced))
    assert len(dataset.splits["train"]) % BATCH not in (0, 1)
    assert -(-len(dataset.splits["train"]) // BATCH) == PER_EPOCH
    return dataset


def trainer_of(project: Project, folder: Path) -> Trainer:
    run = RunFolder(folder) if folder.exists() else RunFolder.create(folder, project)
    dataset = dataset_of(project.data.balanced, bool(project.data.transforms))
    return make_trainer(project, dataset, run, torch.device("cpu"), Control())


def drain(trainer: Trainer, events: list[Event], steps: int | None = None) -> None:
    """Train on, up to so many steps since the start of the run."""
    for event in trainer.train():
        if event is not None:
            events.append(event)
        if steps is not None and trainer.step >= steps:
            return


def digest(trainer: Trainer, events: list[Event]) -> str:
    """SHA-256 of the weights, the state of the optimizer, the figures of all epochs, and the best of them."""
    sha = hashlib.sha256()

    def take(value: Any) -> None:
        if isinstance(value, torch.Tensor):
            sha.update(f"{value.dtype}{tuple(value.shape)}".encode() + value.contiguous().numpy().tobytes())
        elif isinstance(value, dict):
            for key, item in value.items():
                sha.update(str(key).encode())
                take(item)
        elif isinstance(value, list | tuple):
            for item in value:
                take(item)
        else:
            sha.update((value.hex() if isinstance(value, float) else repr(value)).encode())

    ended = [(e.epoch, e.step, e.train, e.validation, e.best) for e in events if isinstance(e, EpochEnded)]
    assert [epoch for epoch, *_ in ended] == list(range(1, EPOCHS + 1))
    take([trainer.model.state_dict(), trainer.optimizer.state_dict(), ended, trainer.keeper.best_state()])
    return sha.hexdigest()


def whole(project: Project, folder: Path) -> str:
    events: list[Event] = []
    trainer = trainer_of(project, folder)
    drain(trainer, events)
    trainer.keeper.close()
    return digest(trainer, events)


def in_two_parts(
    project: Project, folder: Path, steps: int = MIDDLE, sabotage: Callable[[State], None] | None = None
) -> str:
    """Train up to a step, write a checkpoint, read it, and let another trainer go on."""
    events: list[Event] = []
    first = trainer_of(project, folder)
    drain(first, events, steps)
    first.keeper.finish(state_of(first))
    first.keeper.close()
    point = read_point(RunFolder(folder))
    if sabotage is not None:
        point = broken(point, sabotage)
    torch.manual_seed(12345)  # whatever another program drew meanwhile
    second = trainer_of(project, folder)
    go_on(second, point)
    drain(second, events)
    second.keeper.close()
    return digest(second, events)


def broken(point: ResumePoint, sabotage: Callable[[State], None]) -> ResumePoint:
    saved = point.checkpoint
    state = {**saved.rest, "optimizer": saved.optimizer, "model": saved.model, "step": saved.step}
    sabotage(state)
    changed = replace(saved, optimizer=state["optimizer"], model=state["model"], step=state["step"], rest=state)
    return replace(point, checkpoint=changed)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events at every step and sums of a few batches: what is told must not change what is counted."""
    monkeypatch.setattr(Tally, "MOST_BATCHES", 4)
    monkeypatch.setattr(clock, "FEWEST_STEPS", 1)
    torch.set_num_threads(1)


@pytest.mark.parametrize("augmented", [False, True], ids=["plain", "augmented"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_run_broken_in_the_middle_of_an_epoch_ends_in_the_same_bits(
    network: str, optimizer: str, augmented: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(network, optimizer, augmented=augmented)
    expected = whole(project, tmp_path / "whole")
    monkeypatch.setattr(clock, "SECONDS_BETWEEN_EVENTS", 0.0)
    assert in_two_parts(project, tmp_path / "parts") == expected


@pytest.mark.parametrize(
    "steps", [1, PER_EPOCH - 1, PER_EPOCH, PER_EPOCH + 1, PER_EPOCH + 5, 3 * PER_EPOCH - 1, 3 * PER_EPOCH]
)
def test_it_may_break_anywhere(steps: int, tmp_path: Path) -> None:
    """Also between the last batch of an epoch and its validation."""
    project = project_of("mlp")
    assert in_two_parts(project, tmp_path / "parts", steps) == whole(project, tmp_path / "whole")


@pytest.mark.parametrize("steps", [MIDDLE, 2 * PER_EPOCH])
@pytest.mark.parametrize(
    "parts",
    [
        {
            "averaging": Averaging(method="ema", decay=0.9, from_step=4),
            "stopping": Stopping(metric="f1", min_delta=0.02),
        },
        {"averaging": Averaging(method="swa", last_share=0.6), "mixing": Mixing(method="either", strength=1.0)},
    ],
    ids=["ema", "swa, mixed"],
)
def test_averages_and_mixed_samples_go_on_as_well(parts: dict[str, Any], steps: int, tmp_path: Path) -> None:
    project = project_of("cnn", **parts)
    assert in_two_parts(project, tmp_path / "parts", steps) == whole(project, tmp_path / "whole")


def test_patience_goes_on_where_it_was(tmp_path: Path) -> None:
    project = project_of("mlp", stopping=Stopping(patience=2, min_delta=100.0))
    events: list[Event] = []
    first = trainer_of(project, tmp_path / "run")
    drain(first, events, 2 * PER_EPOCH + 3)
    first.keeper.finish(state_of(first))
    first.keeper.close()
    second = trainer_of(project, tmp_path / "run")
    go_on(second, read_point(RunFolder(tmp_path / "run")))
    drain(second, events)
    second.keeper.close()
    assert (
        second.reason == "Stopped early at epoch 3: the validation loss did not improve by more than 100 for 2 epochs."
    )


HARD = {"gradients": Gradients(accumulate=3, clip_norm=0.5)}


def hard_project() -> Project:
    """Gradients summed over batches, classes drawn equally often, moved pictures."""
    project = project_of("cnn", augmented=True, **HARD)
    return replace(project, data=replace(project.data, balanced=True))


def off_by(name: str, number: int) -> Callable[[State], None]:
    return lambda state: state.update({name: state[name] + number})


def fresh_random(state: State) -> None:
    state["random"] = {"cpu": torch.Generator().manual_seed(1).get_state()}


def other_order(state: State) -> None:
    state["order"] = torch.Generator().manual_seed(1).get_state()


def no_moments(state: State) -> None:
    state["optimizer"] = {**state["optimizer"], "state": {}}


def no_averages(state: State) -> None:
    state["model"] = {
        name: torch.zeros_like(tensor) if "running_mean" in name else tensor for name, tensor in state["model"].items()
    }


def no_sums(state: State) -> None:
    state["tally"] = {**state["tally"], "sums": [0.0, 0.0, 0.0, 0]}


def no_open_sums(state: State) -> None:
    state["tally"] = {**state["tally"], **{key: [] for key in ("losses", "sizes", "answers", "targets")}}


def no_best(state: State) -> None:
    name = next(name for name in state["parts"] if "watch" in name)
    state["parts"] = {**state["parts"], name: {**state["parts"][name], "best": float("inf")}}


SABOTAGES: dict[str, Callable[[State], None]] = {
    "dropout draws anew": fresh_random,
    "a batch twice": off_by("done", -1),
    "a batch left out": off_by("done", 1),
    "another order": other_order,
    "the schedule a step ahead": off_by("step", 1),
    "no moments of the optimizer": no_moments,
    "no averages of batch norm": no_averages,
    "no gradients summed up": lambda state: state.update(gradients=[]),
    "no sums of the epoch": no_sums,
    "no sums of its last batches": no_open_sums,
    "another best": no_best,
}


@functools.cache
def hard_digest(folder: Path) -> str:
    return whole(hard_project(), folder)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("resume") / "whole"


def test_a_hard_run_ends_in_the_same_bits(shared_folder: Path, tmp_path: Path) -> None:
    assert in_two_parts(hard_project(), tmp_path / "parts") == hard_digest(shared_folder)


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_the_comparison_notices_what_is_missing(sabotage: str, shared_folder: Path, tmp_path: Path) -> None:
    found = in_two_parts(hard_project(), tmp_path / "parts", sabotage=SABOTAGES[sabotage])
    assert found != hard_digest(shared_folder)


def test_a_schedule_that_goes_by_the_loss_remembers_it(tmp_path: Path) -> None:
    """It bears no epoch without a gain, and no gain is large enough: the rate falls after each."""
    plateau = schedules.get("plateau")(patience=0, threshold=0.9, gamma=0.5)
    project = project_of("mlp", schedule=plateau)
    expected = whole(project, tmp_path / "whole")
    steps = 2 * PER_EPOCH + 4
    assert in_two_parts(project, tmp_path / "parts", steps) == expected

    def forget(state: State) -> None:
        state["parts"] = {}

    assert in_two_parts(project, tmp_path / "sabotaged", steps, forget) != expected


PARTS = {
    "ema": {"averaging": Averaging(method="ema", decay=0.9)},
    "swa": {"averaging": Averaging(method="swa", last_share=1.0)},
    "mixing": {"mixing": Mixing(method="either", strength=1.0)},
    "stopping": {"stopping": Stopping(patience=2)},
}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_run_goes_on(part: str, tmp_path: Path) -> None:
    project = project_of("cnn", **PARTS[part])
    assert in_two_parts(project, tmp_path / "parts") == whole(project, tmp_path / "whole")


def test_a_stop_in_the_validation_ends_no_epoch_twice(tmp_path: Path) -> None:
    """The mean of the weights has taken in the epoch by then."""
    project = project_of("mlp", **PARTS["swa"])
    events: list[Event] = []
    first = trainer_of(project, tmp_path / "parts")
    for event in first.train():
        if event is not None:
            events.append(event)
        if first.averaged == 2:
            first.control.stop()
    first.keeper.finish(state_of(first))
    first.keeper.close()
    assert (first.epoch, first.done) == (1, PER_EPOCH)
    second = trainer_of(project, tmp_path / "parts")
    go_on(second, read_point(RunFolder(tmp_path / "parts")))
    drain(second, events)
    second.keeper.close()
    assert digest(second, events) == whole(project, tmp_path / "whole")


def test_more_epochs_are_as_if_there_had_been_more_from_the_start(tmp_path: Path) -> None:
    project = project_of("mlp", "sgd")
    events: list[Event] = []
    short = replace(project, training=replace_fields(project.training, epochs=1))
    first = trainer_of(short, tmp_path / "parts")
    drain(first, events)
    first.keeper.finish(state_of(first))
    first.keeper.close()
    second = trainer_of(project, tmp_path / "parts")
    go_on(second, read_point(RunFolder(tmp_path / "parts")))
    drain(second, events)
    second.keeper.close()
    assert digest(second, events) == whole(project, tmp_path / "whole")


def test_what_hangs_on_the_stepper_goes_on_too(tmp_path: Path) -> None:
    class Part:
        def __init__(self, number: int) -> None:
            self.number = number

        def state_dict(self) -> dict[str, int]:
            return {"number": self.number}

        def load_state_dict(self, state: dict[str, int]) -> None:
            self.number = state["number"]

    first, second = (trainer_of(project_of("mlp"), tmp_path / name) for name in ("first", "second"))
    first.stepper.part, second.stepper.part = Part(1), Part(2)  # type: ignore[attr-defined]
    first.noise, second.noise = (torch.Generator().manual_seed(seed) for seed in (1, 2))  # type: ignore[attr-defined]
    first.keeper.finish(state_of(first))
    go_on(second, read_point(first.keeper.folder))
    assert second.stepper.part.number == 1  # type: ignore[attr-defined]
    assert torch.rand(1, generator=second.noise) == torch.rand(1, generator=first.noise)  # type: ignore[attr-defined]


def test_a_copy_keeps_strides_and_uses_its_memory_again() -> None:
    tensor = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    first = copied({"state": [tensor, 3, "x"]})
    assert first["state"][0].stride() == tensor.stride()
    kept = first["state"][0].data_ptr()
    tensor.zero_()
    assert first["state"][0].abs().sum() > 0
    second = copied({"state": [tensor, 4, "y"]}, first)
    assert second["state"][0].data_ptr() == kept
    assert second["state"][1:] == [4, "y"]
    assert not second["state"][0].any()
