"""Export a run or a checkpoint: find it, write the format, load it again, compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from studio.export import python, safetensors, script, state_dict
from studio.export.formats import FORMATS, ExportError
from studio.graph.groups import trust_code
from studio.runs import RunFolder
from studio.training.checkpoint import Checkpoint, read_checkpoint

_WRITERS: dict[str, Callable[[Checkpoint, Path, Path], str]] = {
    "state-dict": state_dict.write,
    "safetensors": safetensors.write,
    "python": python.write,
    "script": script.write,
}
assert list(_WRITERS) == list(FORMATS)


def export(source: Path, kind: str, target: Path, data_folder: Path | None = None, *, trusted: bool = False) -> str:
    """Write a trained network in a format.

    Args:
        source: a run's folder (its best checkpoint is taken) or a checkpoint.
        kind: one of FORMATS.
        target: the file to write; an existing one is replaced only when the new one is whole.
        data_folder: where the person keeps the dataset's files, which only a training script is tried with; None for
            the studio's own cache folder.
        trusted: whether the person trusts the custom code in the network.

    Returns:
        what was written and how it compared, in one line.

    Raises:
        RunFolderError, CheckpointError: if the source is no run and no checkpoint.
        ExportError: if what was written did not load back equal.
        StorageError: if the file cannot be written.
    """
    path = RunFolder(source).checkpoint() if source.is_dir() else source
    if target.is_dir():
        raise ExportError(f"{target} is a folder. Name a file, such as {target / ('model' + FORMATS[kind].suffix)}.")
    checkpoint = read_checkpoint(path)
    if target.exists() and target.samefile(path):
        raise ExportError(f"{target} is the checkpoint itself. Choose another name.")
    if trusted:
        trust_code(checkpoint.project.graph)
    if kind == "script":
        return script.write(checkpoint, path, target, data_folder)
    return _WRITERS[kind](checkpoint, path, target)
