"""The first steps of a run by the studio's own trainer, for comparison: in a process of its own.

There it draws from random generators and sets threads that nobody else uses: a run may be under way in the window.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from studio.data import DataError
from studio.data.dataset import prepare
from studio.data.scaling import Scaling, scaled_answers
from studio.graph.groups import trust_code
from studio.runs import RunFolder
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.setup import make_trainer

NO_DATA = 3  # exit code


def main(arguments: Sequence[str]) -> None:
    """Write the weights after a few steps.

    Args:
        arguments: path of the checkpoint, folder of the data or "", how many threads, how many steps, and the path of
            the file for the weights.
    """
    checkpoint, data_folder, threads, steps, target = arguments
    torch.set_num_threads(int(threads))
    try:
        weights = first_steps(read_checkpoint(Path(checkpoint)), Path(data_folder) if data_folder else None, int(steps))
    except (DataError, TrainingError) as error:  # without its files, or those of its starting weights
        print(error, file=sys.stderr)
        sys.exit(NO_DATA)
    torch.save(weights, target)


def first_steps(checkpoint: Checkpoint, data_folder: Path | None, steps: int) -> dict[str, Tensor]:
    """The weights after so many steps, or after the first epoch if that has fewer.

    Raises:
        DataError: if the data is missing or broken.
        TrainingError: if the weights to start from are.
    """
    trust_code(checkpoint.project.graph)  # who asked for the export trusts it: else there would be no script to try
    dataset = prepare(checkpoint.project.data, data_folder)
    # The last digits of what is measured differ between machines.
    scalings = tuple(Scaling.from_json(given["scaling"]) for given in checkpoint.preparation["inputs"])
    dataset = dataclasses.replace(dataset, scalings=scalings, answers=scaled_answers(checkpoint.preparation))
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(checkpoint.project, dataset, RunFolder(Path(folder)), torch.device("cpu"), Control())
        training = trainer.train_epoch(1)
        for _ in range(min(steps, len(trainer.batches["train"]))):
            next(training)
    return dict(trainer.model.state_dict())
