"""State dicts of PyTorch, alone or within a checkpoint of any program."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from studio import storage
from studio.importing.weights.tensors import (
    MAX_TENSORS,
    ForeignTensor,
    ForeignWeightsError,
    WeightFile,
    check_dims,
    check_name,
    named,
)
from studio.training.checkpoint import FORMAT, read_checkpoint
from studio.training.torch_files import StoredTensor, opened_torch_file

MAX_LEVELS = 6  # of dictionaries in one another


def look(path: Path) -> WeightFile:
    """What tensors a file of torch holds.

    Raises:
        CheckpointError, TorchFileError, ForeignWeightsError, StorageError, OSError: if it is damaged or holds something
            else.
    """
    storage.check_recorded(path)
    with opened_torch_file(path) as file:
        content = file.content
    ours = isinstance(content, dict) and content.get("format") == FORMAT
    if ours:
        read_checkpoint(path)  # all of it must be sound
    tensors = tuple(_tensors(content.get("model") if ours else content, "", 0))
    if not tensors:
        raise ForeignWeightsError("holds no tensors by name: no state dict.")
    return WeightFile(path, "Checkpoint of Training Studio" if ours else "PyTorch", tensors, lambda: _opened(path))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Callable[[Any], Tensor]]:
    with opened_torch_file(path) as file:
        yield file.tensor


def _tensors(value: Any, path: str, level: int) -> Iterator[ForeignTensor]:
    """The tensors of dictionaries in one another, but not what an optimizer keeps for itself."""
    if not isinstance(value, dict) or level > MAX_LEVELS:
        return
    if len(value) > MAX_TENSORS:
        raise ForeignWeightsError("has too many tensors.")
    for key, item in value.items():
        if not isinstance(key, str) or "optim" in key.lower():
            continue
        name = f"{path}.{key}" if path else key
        if isinstance(item, StoredTensor):
            check_name(name)
            dtype = str(item.dtype).removeprefix("torch.")
            yield named(name, check_dims(name, item.dims), dtype, item)
        else:
            yield from _tensors(item, name, level + 1)
