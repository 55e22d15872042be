"""Tries a training script: its first steps must give the weights of the studio's own trainer, bit for bit."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from studio import storage
from studio.data import datasets_folder
from studio.export import clean_process
from studio.export.clean_process import Ended, LateError, Tick
from studio.export.compare import same_bits
from studio.export.formats import ExportError
from studio.export.script_steps import NO_DATA
from studio.project import Project

STEPS = 2  # the second one shows what the optimizer remembers
SECONDS_FOR_THE_STEPS = 300
SECONDS_TO_START = 120

# Both run in processes of their own: one with the studio's modules, one in which they cannot be imported.
_STUDIO = "import sys; sys.path[:] = {path!r}; from studio.export.script_steps import main; main(sys.argv[1:])"
_ALONE = """
import runpy, sys
sys.modules["studio"] = None
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def prove(
    source: str, project: Project, checkpoint: Path, threads: int, data_folder: Path | None, tick: Tick | None = None
) -> str:
    """Run a script for a few steps in a clean process and compare its weights with the studio's.

    Args:
        source: the script.
        project: of the checkpoint; its data where the script finds it, if the person's own files were moved.
        checkpoint: path of the checkpoint from which it was made.
        threads: how many the script computes with.
        data_folder: where the files of the dataset are; None for the studio's cache.
        tick: told often what is being done; may raise to give up.

    Returns:
        what was proven, or why nothing could be compared, in a sentence or two.

    Raises:
        ExportError: if it does not run, or comes to other weights.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "train.py"
        storage.write_text(script, source)
        try:
            files = _data_options(project, data_folder)
            # The studio first: it refuses files that are not what they should be, and the script trusts them.
            expected = _studio_weights(checkpoint, data_folder, threads, Path(folder) / "expected.pt", tick)
            found = _script_weights(script, files, Path(folder) / "found.pt", tick)
        except _NotComparedError as error:
            _check_start(script, tick)
            return f"it starts, but its weights were not compared with the studio’s. {error}"
    _check(expected, found)
    return f"run alone for {STEPS} steps on the processor, it came to the studio’s weights bit for bit."


class _NotComparedError(Exception):
    """Nothing can be compared; the message says why."""


def _data_options(project: Project, data_folder: Path | None) -> list[str]:
    """Options that tell the script where the data is."""
    source = project.data.source
    loading = source.loading_code
    if loading is None or loading.place or not loading.takes_folder:
        return []
    folder = data_folder or datasets_folder()
    files = source.finds(folder)
    if not files:
        raise _NotComparedError(f"{source.title} was not found in {folder}.")
    # Of several folders, that in which they all are.
    return ["--data-dir", os.path.commonpath([file.parent.absolute() for file in files])]


def _studio_weights(
    checkpoint: Path, data_folder: Path | None, threads: int, target: Path, tick: Tick | None
) -> dict[str, Tensor]:
    arguments = [str(checkpoint.absolute()), str(data_folder or ""), str(threads), str(STEPS), str(target)]
    done = _run(
        [sys.executable, "-c", _STUDIO.format(path=sys.path), *arguments],
        SECONDS_FOR_THE_STEPS,
        tick,
        "Training some steps in the studio",
    )
    if done.code == NO_DATA:
        raise _NotComparedError(done.complaints.strip())
    if done.code:
        raise ExportError(f"The studio’s own trainer did not run: {done.last_words} Nothing was written.")
    weights: dict[str, Tensor] = torch.load(target, weights_only=True)
    return weights


def _script_weights(script: Path, files: list[str], target: Path, tick: Tick | None) -> dict[str, Tensor]:
    options = ["--epochs", "1", "--steps", str(STEPS), "--device", "cpu", "--output", str(target)]
    done = _run(_alone(script, *files, *options), SECONDS_FOR_THE_STEPS, tick, "Training some steps with the script")
    if done.code:
        raise ExportError(f"The training script did not run: {done.last_words} Nothing was written.")
    weights: dict[str, Tensor] = torch.load(target, weights_only=True)
    return weights


def _alone(script: Path, *options: str) -> list[str]:
    return [sys.executable, "-I", "-c", _ALONE, str(script), *options]


def _check_start(script: Path, tick: Tick | None) -> None:
    """Raises ExportError unless the script can be loaded."""
    try:
        done = _run(_alone(script, "--help"), SECONDS_TO_START, tick, "Starting the script")
    except _NotComparedError as error:
        raise ExportError(f"The training script could not be tried. {error} Nothing was written.") from error
    if done.code:
        raise ExportError(f"The training script does not start: {done.last_words} Nothing was written.")


def _run(command: list[str], seconds: float, tick: Tick | None, words: str) -> Ended:
    try:
        return clean_process.run(command, seconds, None if tick is None else lambda said: tick(words))
    except LateError as error:
        raise _NotComparedError(f"It took longer than {seconds:g} seconds.") from error


def _check(expected: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    if list(expected) != list(found):
        raise ExportError("The training script has other layers than the studio. Nothing was written.")
    for name, tensor in expected.items():
        if not same_bits(tensor, found[name]):
            raise ExportError(
                f"After {STEPS} steps the training script has other weights than the studio: “{name}” differs. "
                "Nothing was written."
            )
