"""A run that goes on: which state it goes on from, and whether everything around it is as it was."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from studio import __version__
from studio.fields import replace
from studio.runs import RunFolder
from studio.settings import TrainingSettings
from studio.settings.training import changeable, differences
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.errors import ChangedDataError, CheckpointError, TrainingError
from studio.training.events import EpochEnded
from studio.training.loop import Trainer
from studio.training.state import State, put_state


@dataclass(frozen=True)
class ResumePoint:
    """Where a run goes on.

    Args:
        path: of the checkpoint.
        notes: what the person should know, in words.
    """

    path: Path
    checkpoint: Checkpoint
    notes: tuple[str, ...] = ()


def read_point(folder: RunFolder) -> ResumePoint:
    """The newest checkpoint of a run that is whole.

    Raises:
        CheckpointError: if there is none from which a run can go on; the message says why.
    """
    problems: list[str] = []
    for path in (folder.last, folder.earlier):
        if not path.exists():
            continue
        try:
            checkpoint = read_checkpoint(path)
            if not checkpoint.rest:
                raise CheckpointError(
                    f"{path} was written by an earlier Training Studio, which did not keep what a run needs to go on. "
                    "Start a new run from its weights instead."
                )
        except CheckpointError as error:
            problems.append(str(error))
            continue
        notes = (f"The run goes on from the checkpoint before the last one. {problems[0]}",) if problems else ()
        return ResumePoint(path, checkpoint, notes)
    if problems:
        raise CheckpointError("\n".join(problems))
    raise CheckpointError(f"{folder.path} holds no checkpoint from which a run could go on.")


def surroundings(data_fingerprint: str, device: str, threads: int) -> dict[str, Any]:
    """What must be the same for the same bits, beside the state itself."""
    return {
        "data_fingerprint": data_fingerprint,
        "device": device,
        "threads": threads,
        "versions": {
            "studio": __version__, "torch": str(torch.__version__), "python": platform.python_version(),
        },
    }  # fmt: skip


def compare(before: Mapping[str, Any], now: Mapping[str, Any], *, anyway: bool) -> tuple[str, ...]:
    """What is no longer as it was, in words for people.

    Args:
        before, now: `surroundings`.
        anyway: whether other data is a note, too.

    Raises:
        ChangedDataError: if the data is not the same, unless `anyway`.
    """
    notes = []
    if before.get("data_fingerprint") != now["data_fingerprint"]:
        if not anyway:
            raise ChangedDataError(
                "The data is not the same as when this run was trained: samples, labels or their division changed. "
                "Figures before and after could not be compared, so the run does not go on. Put the data back, or "
                "start a new run."
            )
        notes.append("The data changed since the run began: figures before and after cannot be compared.")
    for name, words in (("device", "on {0}, before on {1}"), ("threads", "with {0} threads, before with {1}")):
        if before.get(name) != now[name]:
            notes.append(
                f"The run goes on {words.format(now[name], before.get(name))}: results may differ in the last digits."
            )
    if (earlier := _torch_of(before)) != _torch_of(now):
        notes.append(f"PyTorch is {_torch_of(now)} now and was {earlier}: results may differ in the last digits.")
    return tuple(notes)


def _torch_of(about: Mapping[str, Any]) -> str:
    versions = about.get("versions")
    return str(versions.get("torch")) if isinstance(versions, Mapping) else "unknown"


# What a run can take at a break, beside what may change while it goes.
_AT_A_BREAK = (
    "epochs", "batch_size", "device", "threads", "test_at_end", "gradients.accumulate", "speed", "stopping", "spread",
)  # fmt: skip


def settings_at_break(saved: TrainingSettings, wanted: TrainingSettings) -> tuple[TrainingSettings, tuple[str, ...]]:
    """The settings with which a trainer is made that goes on, and what of other ones cannot be taken, in words.

    What may change in a run under way stays as it was saved: the stepper takes it over afterwards and tells it.
    """
    made, notes = saved, []
    for name, (old, new) in differences(saved, wanted).items():
        part, _, field_name = name.partition(".")
        if name in _AT_A_BREAK or part in _AT_A_BREAK:
            value = getattr(wanted, part)
            if field_name:
                value = replace(getattr(made, part), **{field_name: getattr(value, field_name)})
            made = replace(made, **{part: value})
        elif not changeable(name):
            words = name.replace("_", " ").replace(".", ": ").capitalize()
            notes.append(f"{words} stays {old}, not {new}: a run cannot change it.")
    if made.batch_size != saved.batch_size:
        notes.append(
            f"Batches of {made.batch_size:,} samples, before of {saved.batch_size:,}: results differ a little."
        )
    return made, tuple(notes)


def state_in(point: ResumePoint) -> State:
    """The state that a checkpoint holds."""
    saved = point.checkpoint
    return {**saved.rest, "model": saved.model, "optimizer": saved.optimizer, "step": saved.step, "epoch": saved.epoch}


def go_on(trainer: Trainer, point: ResumePoint, *, whole_epochs: bool = False) -> None:
    """Put a new trainer where the run stood.

    Args:
        whole_epochs: begin the epoch that was under way again, because its samples are not the same.

    Raises:
        CheckpointError: if the checkpoint is not one of such a network.
        TrainingError: if nothing is left to do.
    """
    state = state_in(point)
    if whole_epochs:
        state |= {"step": state["step"] - state["done"], "done": 0, "tally": None}
    if state["epoch"] >= trainer.epochs:
        raise TrainingError(
            f"This run has done all of its {state['epoch']:,} epochs. Give it more epochs, and it goes on from there."
        )
    try:
        put_state(trainer, state)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise CheckpointError(f"{point.path} does not fit the network of its run: {error}") from error


def as_event(row: Mapping[str, Any], metric: str) -> EpochEnded | None:
    """A line of metrics.jsonl as what was told then; None if somebody changed it so that it is none."""
    known = {field.name for field in fields(EpochEnded)}
    try:
        event = EpochEnded(**{name: value for name, value in row.items() if name in known})
        for figures in (event.train, event.validation):
            float(figures["loss"]), float(figures[metric])
    except (TypeError, KeyError, ValueError):
        return None
    return event
