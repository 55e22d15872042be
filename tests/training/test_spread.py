"""Several processes that train one network: equal to one, also when one of them is killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from studio.data.dataset import prepare
from studio.data.shares import Share
from studio.project import Project
from studio.runs import RunFolder, RunFolderError
from studio.settings.losses import CrossEntropy
from studio.settings.parts import Gradients
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import EpochEnded, Event, Joined, Ranks, Resumed
from studio.training.job import Job
from studio.training.loop import Trainer
from studio.training.places import launch_of, mailbox, offered_places, title_of
from studio.training.places.process import run
from studio.training.runner import run as run_here
from studio.training.setup import make_trainer
from studio.training.spread.launch import Launch
from studio.training.spread.member import Member, check
from studio.training.spread.team import Team
from tests.training.conftest import with_settings


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_shares_are_the_whole_batch_each_row_once(parts: int) -> None:
    for rows in range(1, 40):
        slices = [Share(place, parts).slice(rows) for place in range(parts)]
        assert [row for first, last in slices for row in range(first, last)] == list(range(rows))
        assert all(last - first != 1 for first, last in slices) or rows == 1  # batch norm cannot train on one
        assert all(Share(place, parts).count(rows) > 0 for place in range(parts)) or rows < 2 * parts


def trainer_of(project: Project, folder: Path) -> Trainer:
    dataset = prepare(project.data)
    trainer = make_trainer(project, dataset, RunFolder(folder), torch.device("cpu"), Control())
    return trainer


def test_an_epoch_has_the_same_rows_in_the_same_batches(tmp_path: Path) -> None:
    project = with_settings("iris-mlp", batch_size=16, seed=4)
    batches = trainer_of(project, tmp_path).batches["train"]
    assert batches.samples % 16 != 0  # the last one is ragged
    whole = [targets for _, targets in batches.epoch(torch.Generator().manual_seed(1))]
    inputs = [parts[0] for parts, _ in batches.epoch(torch.Generator().manual_seed(1))]
    found: list[list[tuple[Tensor, Tensor]]] = []
    for place in range(3):
        batches.share = Share(place, 3)
        epoch = batches.epoch(torch.Generator().manual_seed(1))
        found.append([(parts[0], targets) for parts, targets in epoch])
    assert [len(steps) for steps in found] == [len(whole)] * 3
    for number, (expected, answers) in enumerate(zip(inputs, whole, strict=True)):
        counts = [Share(place, 3).count(len(answers)) for place in range(3)]
        together = [found[place][number] for place in range(3)]
        assert torch.cat([part[:count] for (part, _), count in zip(together, counts, strict=True)]).equal(expected)
        assert torch.cat([part[:count] for (_, part), count in zip(together, counts, strict=True)]).equal(answers)
    batches.share = Share(0, 3)
    assert sum(len(targets) for _, targets in batches.epoch(None)) == batches.samples  # in order, nothing is shared


@pytest.fixture
def group(tmp_path: Path) -> Iterator[object]:
    """A process group of this process alone."""
    dist.init_process_group("gloo", store=dist.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1)
    yield dist.group.WORLD
    dist.destroy_process_group()


class OneAfterTheOther(Team):
    """The processes of a team, simulated one after the other: the sums over all are known beforehand."""

    total = 0.0

    def add_up(self, numbers: Tensor) -> Tensor:
        return torch.full_like(numbers, self.total)


@pytest.mark.parametrize(
    "settings",
    [{}, {"loss": CrossEntropy(weights="1 5 20")}, {"gradients": Gradients(accumulate=2)}],
    ids=["mean", "weights of classes", "several batches"],
)
def test_the_mean_of_all_gradients_is_that_of_the_whole_batch(
    settings: dict[str, object], tmp_path: Path, group: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = with_settings("iris-mlp", batch_size=21, seed=4, **settings)  # three are left, for one process
    gradients: list[list[Tensor]] = []
    weights = [1.0, 5.0, 20.0]
    for place in (None, 0, 1, 2):
        trainer = trainer_of(project, tmp_path)
        monkeypatch.setattr(trainer.stepper.optimizer, "step", lambda: None)
        batches = trainer.batches["train"]
        whole = [targets for _, targets in batches.epoch(torch.Generator().manual_seed(1))]
        team = OneAfterTheOther(place or 0, 3, 0, group)
        if place is not None:
            Member(team, trainer)
        for number, (inputs, targets) in enumerate(batches.epoch(torch.Generator().manual_seed(1))):
            team.total = sum(weights[label] for label in whole[number].tolist())
            trainer.stepper(inputs, targets, number)  # the last batch, of one or a few rows, stays in the gradients
        gradients.append([parameter.grad.clone() for parameter in trainer.model.parameters()])
    for expected, *parts in zip(*gradients, strict=True):
        assert expected.abs().max() > 1e-4
        torch.testing.assert_close(sum(parts) / 3, expected, rtol=1e-4, atol=1e-6)


def test_too_small_batches_and_optimizers_that_search_are_refused(tmp_path: Path) -> None:
    trainer = trainer_of(with_settings("iris-mlp", batch_size=16), tmp_path)
    check(trainer, Team(0, 8, 0, None))
    with pytest.raises(TrainingError, match="18 or more, or fewer processes"):
        check(trainer, Team(0, 9, 0, None))


def pid_of(event: Joined, rank: int) -> int:
    found = re.search(r"process (\d+)", event.members[rank])
    assert found is not None
    return int(found[1])


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.usefixtures("own_folders")
def test_two_processes_come_to_the_curve_of_one_though_one_is_killed(tmp_path: Path) -> None:
    project = with_settings("iris-mlp", epochs=400, batch_size=16, threads=1)
    one: list[Event] = []
    alone = run_here(Job(project, tmp_path / "one"), Control(), one.append)
    two: list[Event] = []
    killed: list[int] = []

    def kill(event: Event) -> None:
        two.append(event)
        if isinstance(event, EpochEnded) and len(joined(two)) == 1 and not killed:
            killed.append(event.epoch)
            os.kill(pid_of(joined(two)[0], 1), signal.SIGKILL)

    finished = run(Job(project, tmp_path / "two"), Control(), kill, Launch(2))
    assert [event.restarts for event in joined(two)] == [0, 1]
    assert any(isinstance(event, Resumed) for event in two)
    expected, found = losses(one), losses(two)
    assert expected.keys() == found.keys() == set(range(1, 401))
    assert found == pytest.approx(expected, rel=1e-3)
    assert finished.metrics["validation"] == pytest.approx(alone.metrics["validation"], rel=1e-3)
    shown = [event for event in two if isinstance(event, Ranks)]
    assert {event.restarts for event in shown} == {0, 1}
    assert {rank.state for event in shown for rank in event.ranks} >= {"starting", "training", "starting again"}
    assert [(rank.pid, rank.state) for rank in shown[-1].ranks] == [
        (pid_of(joined(two)[-1], rank), "ended") for rank in (0, 1)
    ]
    assert mailbox.mailboxes() == []
    for rank in (0, 1):
        with pytest.raises(ProcessLookupError):
            os.kill(pid_of(joined(two)[-1], rank), 0)


def losses(events: list[Event]) -> dict[int, float]:
    return {event.epoch: event.train["loss"] for event in events if isinstance(event, EpochEnded)}


def joined(events: list[Event]) -> list[Joined]:
    return [event for event in events if isinstance(event, Joined)]


def test_places_are_read_and_offered() -> None:
    assert launch_of("thread") is launch_of("process") is None
    assert launch_of("local:3") == Launch(3)
    assert launch_of("hosts:2x4@node1:29400") == Launch(4, 2, "node1:29400")
    assert title_of("local:3") == "In 3 processes on this machine"
    assert title_of("somewhere") == ""
    assert {"thread", "process"} <= offered_places().keys()
    for wrong in ("local:0", "local:2000", "hosts:2", "hosts:2@node", "hosts:2@0.0.0.0:1", "hosts:2@a b:1", "x"):
        with pytest.raises(ValueError, match=r"[a-z]"):
            launch_of(wrong)


def test_commands_for_other_machines_are_what_a_shell_takes(tmp_path: Path) -> None:
    from studio.training.spread.invitation import write_invitation

    folder = tmp_path / "my run; $HOME"
    invited = write_invitation(Launch(2, 3, "node1:29400"), Job(with_settings("iris-mlp"), folder))
    assert invited.command == "studio join node1:29400 --hosts 3 --processes 2 --device auto"
    assert "--nnodes 3 --nproc-per-node 2" in (folder / "hosts" / "commands.txt").read_text()
    script = folder / "hosts" / "slurm.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    text = script.read_text()
    assert '--rdzv-endpoint "$first:29400"' in text
    assert f"--run-dir '{folder}'" in text
    RunFolder.create(folder, with_settings("iris-mlp"))  # the run may begin in that folder
    with pytest.raises(RunFolderError):
        RunFolder.create(folder, with_settings("iris-mlp"))
