"""Runs of one and of two processes, started by test_shards.py in a process of its own: it forks after the imports.

Called with a folder, into which the runs are written, and `figures.json` with the losses of each and how many numbers
of weights, and of what the optimizer remembers, each process of a network in parts had.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sklearn.datasets  # this and the next ones: what every process would import for itself otherwise
import sklearn.metrics  # noqa: F401
import torch
import torch._dynamo
import torch.distributed.fsdp

from studio.project import Project
from studio.settings.parts import Averaging, Gradients, Spread
from studio.training import clock
from studio.training.control import Control
from studio.training.events import Changed, EpochEnded, Event, Joined
from studio.training.job import Job
from studio.training.loop import Trainer
from studio.training.runner import run as run_here
from studio.training.spread import shards
from studio.training.spread.run import run as run_together
from studio.training.spread.team import Team
from tests.training.conftest import with_settings

STOPPED_AFTER = 10  # steps: within an epoch, and within batches whose gradients are summed up
STOPPED_AGAIN_AFTER = 17


def settings(**others: object) -> Project:
    """What all runs train."""
    return with_settings(
        "iris-mlp", epochs=4, batch_size=16, threads=1, averaging=Averaging(method="ema", decay=0.9),
        gradients=Gradients(accumulate=2, clip_norm=0.5), **others,
    )  # fmt: skip


class Runs:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.figures: dict[str, Any] = {}
        self.number = 0

    def one(self, name: str, project: Project, *, resume: bool = False, steps: int = 0) -> None:
        """A run of one process; with `steps` it is stopped after so many."""
        self._fork([lambda on_event, control: run_here(self._job(name, project, resume), control, on_event)], steps)
        self._note(name)

    def two(self, name: str, project: Project, *, resume: bool = False, steps: int = 0) -> None:
        """The same with two."""
        self.number += 1

        def member(rank: int) -> Callable[..., object]:
            def train(on_event: Callable[[Event], None], control: Control) -> object:
                os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "GLOO_SOCKET_IFNAME": "lo"}
                os.environ["TRAINING_STUDIO_STORE"] = str(self.folder / f"store {self.number}")
                return run_together(self._job(name, project, resume), control, on_event)

            return train

        self._fork([member(0), member(1)], steps)
        self._note(name)

    def _job(self, name: str, project: Project, resume: bool) -> Job:
        return Job(project, self.folder / name, resume=resume)

    def _fork(self, members: list[Callable[..., object]], steps: int) -> None:
        children = []
        for rank, train in enumerate(members):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    _train(train, steps, self.folder / f"found {rank}")
                    code = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(code)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(members)

    def _note(self, name: str) -> None:
        found = [json.loads(path.read_text()) for path in sorted(self.folder.glob("found *"))]
        for path in self.folder.glob("found *"):
            path.unlink()
        self.figures[name] = {**found[0], "here": [x["here"] for x in found], "whole": [x["whole"] for x in found]}


def _train(train: Callable[..., object], steps: int, found: Path) -> None:
    clock.SECONDS_BETWEEN_EVENTS, clock.FEWEST_STEPS = 0.0, 1
    made: list[shards.Shards] = []
    whole: list[weakref.ref[torch.Tensor]] = []
    cut = shards.Shards.__init__

    def noted(self: shards.Shards, team: Team, trainer: Trainer) -> None:
        made.append(self)
        whole.extend(weakref.ref(weight) for weight in trainer.model.parameters())
        cut(self, team, trainer)

    shards.Shards.__init__ = noted  # type: ignore[method-assign]
    events: list[Event] = []
    control = Control()

    def on_event(event: Event) -> None:
        events.append(event)
        if steps and getattr(event, "step", 0) >= steps:
            control.stop()

    finished = train(on_event, control)
    gc.collect()
    told = {
        "losses": {event.epoch: [event.train["loss"], event.validation["loss"]]
                   for event in events if isinstance(event, EpochEnded)},
        "metrics": getattr(finished, "metrics", {}),
        "parts": [event.parts for event in events if isinstance(event, Joined)],
        "changed": [event.name for event in events if isinstance(event, Changed)],
        "here": [_numbers(one) for one in made],
        "whole": sum(weight() is not None for weight in whole),
    }  # fmt: skip
    found.write_text(json.dumps(told))


def _numbers(made: shards.Shards) -> list[int]:
    """Numbers of weights, and of what the optimizer remembers of them, that are in this process."""
    optimizer = made.trainer.optimizer
    remembered = [x for state in optimizer.state.values() for x in state.values() if isinstance(x, torch.Tensor)]
    weights = list(made.trainer.model.parameters())
    return [
        sum(x.to_local().numel() if hasattr(x, "to_local") else x.numel() for x in tensors)
        for tensors in (weights, [x for x in remembered if x.ndim])
    ]


def main(folder: Path) -> None:
    """All runs, one after the other."""
    runs, whole, parts = Runs(folder), settings(), settings(spread=Spread(shard="full"))
    runs.one("one", whole)
    runs.two("parts", parts)
    runs.two("stopped", parts, steps=STOPPED_AFTER)
    for copy in ("as stopped", "through one", "on in two"):
        shutil.copytree(folder / "stopped", folder / copy)
    runs.two("stopped", parts, resume=True)
    runs.two("on in two", whole, resume=True)
    runs.one("through one", whole, resume=True, steps=STOPPED_AGAIN_AFTER)
    runs.two("through one", parts, resume=True)
    (folder / "figures.json").write_text(json.dumps(runs.figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
