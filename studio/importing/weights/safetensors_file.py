"""Safetensors: a header of JSON that says where the numbers of each tensor lie, and the numbers.

Read here rather than by its library, so that the header is checked before anything is taken from it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import storage
from studio.importing.weights.tensors import (
    MAX_TENSORS,
    ForeignWeightsError,
    Stored,
    WeightFile,
    check_dims,
    check_name,
    named,
    stored_tensor,
)

LENGTH_BYTES = 8
_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "U16": torch.uint16,
    "U32": torch.uint32, "U64": torch.uint64, "BOOL": torch.bool, "C64": torch.complex64,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip


def look(path: Path) -> WeightFile:
    """What tensors a file of safetensors holds.

    Raises:
        ForeignWeightsError, StorageError, OSError: if it is damaged.
    """
    with storage.open_plain(path) as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        total = file.seek(0, 2)
        if not 2 <= length <= min(total - LENGTH_BYTES, storage.MAX_JSON_BYTES):
            raise ForeignWeightsError("is damaged: its header is longer than the file, or than any header should be.")
        file.seek(LENGTH_BYTES)
        header = storage.parse_json(file.read(length), f"The header of {path}")
    if not isinstance(header, dict) or len(header) > MAX_TENSORS:
        raise ForeignWeightsError("is damaged: its header is no list of tensors.")
    header.pop("__metadata__", None)
    entries = [_entry(name, about) for name, about in header.items()]
    _check_places(entries, total - LENGTH_BYTES - length)
    first = LENGTH_BYTES + length
    tensors = tuple(
        named(name, dims, str(dtype).removeprefix("torch."), Stored(first + begin, end - begin, dtype, dims))
        for name, dtype, dims, begin, end in entries
    )
    if not tensors:
        raise ForeignWeightsError("holds no tensors.")
    return WeightFile(path, "Safetensors", tensors, lambda: _opened(path))


_Entry = tuple[str, torch.dtype, tuple[int, ...], int, int]


def _entry(name: str, about: Any) -> _Entry:
    """A tensor by what the header says of it: name, numbers, size, begin and end of its bytes."""
    check_name(name)
    match about:
        case {"dtype": str() as code, "shape": list() as shape, "data_offsets": [int() as begin, int() as end], **rest}:
            if rest or code not in _DTYPES or type(begin) is not int or type(end) is not int:
                raise ForeignWeightsError(f"has numbers of a kind that is not known here: “{name[:60]}”.")
            dims = check_dims(name, shape)
            if not 0 <= begin <= end or end - begin != math.prod(dims) * _DTYPES[code].itemsize:
                raise ForeignWeightsError(f"is damaged: “{name[:60]}” is not as large as it says.")
            return name, _DTYPES[code], dims, begin, end
    raise ForeignWeightsError(f"is damaged: its header does not say where “{name[:60]}” lies.")


def _check_places(entries: list[_Entry], size: int) -> None:
    """The tensors must fill the file without gaps and without lying in one another."""
    place = 0
    for name, _, _, begin, end in sorted(entries, key=lambda entry: entry[3:]):
        if begin != place:
            raise ForeignWeightsError(f"is damaged: “{name[:60]}” does not begin where the tensor before it ends.")
        place = end
    if place != size:
        raise ForeignWeightsError("is damaged: it is cut off, or longer than its tensors.")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Callable[[Any], Tensor]]:
    with storage.open_plain(path) as file:
        yield partial(stored_tensor, file)
