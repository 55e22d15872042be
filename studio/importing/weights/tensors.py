"""What is known of a tensor before it is read."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import storage
from studio.training.torch_files import read_tensor

MAX_TENSORS = 100_000
MAX_NAME = 1_000  # characters
MAX_AXES = 16
MAX_SIZE = 2**48  # along one axis
# What other programs call what is a weight, a bias, … here.
ROLES = {
    "gamma": "weight", "beta": "bias", "kernel": "weight", "embeddings": "weight", "embedding": "weight", "w": "weight",
    "b": "bias", "scale": "weight", "moving_mean": "running_mean", "moving_variance": "running_var",
    "moving_var": "running_var", "mean": "running_mean", "var": "running_var",
}  # fmt: skip
# Keras and Flax have what comes in before what goes out; from theirs to the order of axes in torch.
_KERNEL_AXES = {2: (1, 0), 3: (2, 1, 0), 4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}


class ForeignWeightsError(ValueError):
    """Weights of another program cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class ForeignTensor:
    """A tensor of a file.

    Args:
        name: as it stands there.
        dims: its sizes there.
        dtype: its numbers, by torch's name, such as “float32”.
        layer: what belongs together has the same one.
        role: what it is in its layer, by torch's name, such as “weight”.
        axes: in which order its axes stand in torch; None for the same one.
        stored: where it lies, for the one that reads it.
    """

    name: str
    dims: tuple[int, ...]
    dtype: str
    layer: str
    role: str
    stored: Any = field(compare=False)
    axes: tuple[int, ...] | None = None

    @property
    def fit_dims(self) -> tuple[int, ...]:
        """Its sizes in torch."""
        return tuple(self.dims[axis] for axis in self.axes) if self.axes else self.dims

    @property
    def path(self) -> str:
        """Its name as torch would have it."""
        return f"{self.layer}.{self.role}" if self.layer else self.role


def named(name: str, dims: tuple[int, ...], dtype: str, stored: object) -> ForeignTensor:
    """A tensor of which only its name says what it is."""
    layer, _, leaf = name.replace("/", ".").removesuffix(":0").rpartition(".")
    axes = _KERNEL_AXES.get(len(dims)) if leaf == "kernel" else None
    return ForeignTensor(name, dims, dtype, layer, ROLES.get(leaf, leaf), stored, axes)


def check_name(name: object) -> str:
    """A tensor's name from a file. Raises ForeignWeightsError."""
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise ForeignWeightsError(f"is refused: a tensor in it has a name that is none: {str(name)[:60]!r}.")
    return name


def check_dims(name: str, dims: Any) -> tuple[int, ...]:
    """The size of a tensor from a file. Raises ForeignWeightsError."""
    plain = isinstance(dims, list | tuple) and len(dims) <= MAX_AXES
    if plain and all(type(size) is int and 0 <= size <= MAX_SIZE for size in dims):
        return tuple(dims)
    raise ForeignWeightsError(f"is damaged: the size of “{name[:60]}” is no size.")


@dataclass(frozen=True)
class Stored:
    """Where numbers lie that stand one after the other in a file.

    Args:
        start, size: of their bytes.
    """

    start: int
    size: int
    dtype: torch.dtype
    dims: tuple[int, ...]


def stored_tensor(file: io.BufferedReader, stored: Stored) -> Tensor:
    """Read such numbers. Raises TorchFileError if the file is shorter."""
    return read_tensor(file, stored.start, stored.size).view(stored.dtype).reshape(stored.dims)


# Opens a file, for a function that reads a tensor from where it is stored.
Opener = Callable[[], AbstractContextManager[Callable[[Any], Tensor]]]


@dataclass(frozen=True)
class WeightFile:
    """A file of weights that was looked into.

    Args:
        title: what kind of file it is, for people.
        tensors: in its own order.
        opener: opens it to read them.
        notes: what of it is left out, in words.
    """

    path: Path
    title: str
    tensors: tuple[ForeignTensor, ...]
    opener: Opener
    notes: tuple[str, ...] = ()

    def read(self, wanted: Iterable[ForeignTensor]) -> Iterator[Tensor]:
        """Some of its tensors, with their axes in torch's order.

        Raises:
            ForeignWeightsError: if the file is not as it was when it was looked into.
        """
        try:
            with self.opener() as read:
                for tensor in wanted:
                    value = read(tensor.stored)
                    yield value.permute(tensor.axes).contiguous() if tensor.axes else value
        except (OSError, ValueError, storage.StorageError) as error:
            raise ForeignWeightsError(explained(self.path, error)) from error


def explained(path: Path, error: Exception) -> str:
    """Why a file cannot be used, as a sentence with its name."""
    if isinstance(error, FileNotFoundError):
        return f"There is no file {path}."
    if isinstance(error, OSError):
        return f"Could not read {path}: {error.strerror or error}."
    return str(error) if isinstance(error, storage.StorageError) else f"{path} {error}"
