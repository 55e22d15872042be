"""Export a run or a checkpoint: find it, write the format, load it again, compare."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from studio.export import (
    of_runs,
    onnx_file,
    onnx_int8,
    program,
    python,
    safetensors,
    script,
    state_dict,
    whole_checkpoint,
)
from studio.export.clean_process import Tick
from studio.export.formats import FORMATS, ExportError
from studio.graph.groups import trust_code
from studio.runs import RunFolder
from studio.training.checkpoint import Checkpoint, read_checkpoint

_TENSORS = {"state-dict": state_dict, "safetensors": safetensors, "checkpoint": whole_checkpoint}
EXPORTS = "exports"  # folder in that of a run


def export(
    source: Path, kind: str, target: Path | None, data_folder: Path | Mapping[str, Path] | None = None, *,
    trusted: bool = False, tick: Tick | None = None,
) -> str:  # fmt: skip
    """Write a trained network in a format.

    Args:
        source: a run's folder (its best checkpoint is taken) or a checkpoint; for formats that tell of a run also the
            folder of a group of runs.
        kind: one of FORMATS.
        target: the file to write, or a new folder; an existing file is replaced only when the new one is whole and was
            compared. None for `usual_target`.
        data_folder: where the person keeps the dataset's files, or those of each kind of dataset: some formats are
            tried or measured with them. None for the studio's own cache folder.
        trusted: whether the person trusts the custom code in the network.
        tick: told often what is being done; may raise to give up, and then nothing is left behind.

    Returns:
        what was written and how it compared, in a few sentences.

    Raises:
        RunFolderError, CheckpointError: if the source is no run and no checkpoint.
        ExportError: if it cannot be made, or what was written does not answer, or load back, as it should.
        StorageError: if the file cannot be written.
    """
    found = of_runs.find(source) if FORMATS[kind].of_run else None
    path = found.checkpoint_file if found else RunFolder(source).checkpoint() if source.is_dir() else source
    if target is not None:
        _check_target(target, kind, path)
    checkpoint = read_checkpoint(path)
    if target is None:
        target = usual_target(path, kind, checkpoint.project.title, source if found and len(found.runs) > 1 else None)
        _check_target(target, kind, path)
    if trusted:
        trust_code(checkpoint.project.graph)
    if isinstance(data_folder, Mapping):
        data_folder = data_folder.get(checkpoint.project.data.source.kind)
    if found is not None:
        return of_runs.WRITERS[kind](found, checkpoint, target, data_folder, tick)
    return _write(kind, checkpoint, path, target, data_folder, tick)


def _check_target(target: Path, kind: str, path: Path) -> None:
    own = FORMATS[kind]
    if own.folder or (kind == "bundle" and target.suffix.lower() != own.suffix):
        if target.exists():
            raise ExportError(f"{target} is there already. Name a new folder.")
    elif target.is_dir():
        raise ExportError(f"{target} is a folder. Name a file, such as {target / ('model' + FORMATS[kind].suffix)}.")
    if target.exists() and path.exists() and target.samefile(path):
        raise ExportError(f"{target} is the checkpoint itself. Choose another name.")


def _write(
    kind: str, checkpoint: Checkpoint, path: Path, target: Path, data_folder: Path | None, tick: Tick | None
) -> str:
    if kind in _TENSORS:
        return _TENSORS[kind].write(checkpoint, target, tick)  # type: ignore[no-any-return]
    if kind == "python":
        return python.write(checkpoint, path, target, tick)
    if kind == "script":
        return script.write(checkpoint, path, target, data_folder, tick)
    if kind == "onnx-int8":
        return onnx_int8.write(path, target, data_folder, tick)
    return {"onnx": onnx_file.write, "program": program.write}[kind](path, target, tick)


def usual_target(checkpoint: Path, kind: str, title: str, group: Path | None = None) -> Path:
    """Where a file goes if nobody says where: into a folder of the run or the group, or beside a checkpoint of no run.

    Args:
        group: the folder of a group of runs.
    """
    folder = checkpoint.absolute().parent
    if group is not None:
        folder = group / EXPORTS
    elif folder.name == "checkpoints":
        folder = folder.parent / EXPORTS
    name = re.sub(r"[^A-Za-z0-9]+", "-", title[:60]).strip("-").lower() or "model"
    return folder / f"{name}{FORMATS[kind].ending}{FORMATS[kind].suffix}"
