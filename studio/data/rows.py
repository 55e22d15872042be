"""Reads samples from arrays that may lie in large files, so that the memory of the process stays small.

A memory map of a large file fills the process's memory with every page that was ever touched, and the system maps up to
2 MB for one sample. Small files may do that; of large ones the samples are read with plain reads.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

from studio.data.base import DataError

if TYPE_CHECKING:
    import numpy as np
    import torch

MOST_MAPPED_BYTES = 2**29  # of one array that may stay in the process's memory
MOVED_BYTES = 2**26  # at once to another device


class FileRows:
    """The samples of an array that is mapped from a large file, read without touching the map.

    Args:
        array: (M, *dims), C-contiguous, the whole of its map.

    Raises:
        OSError: if its file is gone.
    """

    def __init__(self, array: np.memmap) -> None:
        self._path = str(array.filename)
        self._file = os.open(self._path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._offset = array.offset
        self._dims = array.shape[1:]
        self._dtype = array.dtype
        self._row_bytes = array.nbytes // len(array)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Some samples (n, *dims), in the order that is wanted.

        Raises:
            DataError: if the file became shorter.
        """
        import numpy as np

        found = np.empty((len(rows), *self._dims), self._dtype)
        view, file, read = found.reshape(-1).view(np.uint8).data, self._file, os.preadv
        for start, stop, place in self._pieces(rows):  # thousands in each chunk of batches
            if read(file, (view[start:stop],), place) != stop - start:
                raise DataError(f"{self._path} is shorter than it was: something changed it. Start again.")
        return found

    def _pieces(self, rows: np.ndarray) -> Iterator[tuple[int, int, int]]:
        """Neighbours that follow each other: where they begin and end in the result, and in the file, in bytes."""
        import numpy as np

        starts = np.concatenate([[0], np.flatnonzero(np.diff(rows) != 1) + 1]) if len(rows) else np.empty(0, np.int64)
        stops, size = np.append(starts[1:], len(rows)), self._row_bytes
        places = self._offset + rows[starts] * size
        return zip((starts * size).tolist(), (stops * size).tolist(), places.tolist(), strict=False)


def file_rows(array: np.ndarray) -> FileRows | None:
    """How to read an array past its memory map; None where indexing it is better: it is small, or in memory.

    Not on Windows, which has no such read, and takes pages from a process by itself.
    """
    import numpy as np

    if not isinstance(array, np.memmap) or array.nbytes <= MOST_MAPPED_BYTES or not hasattr(os, "preadv"):
        return None
    base: object = array.base  # of a part of a memory map nobody knows where in the file it begins
    if not isinstance(base, mmap.mmap) or not array.flags.c_contiguous:
        return None
    try:
        return FileRows(array)
    except OSError:
        return None


class Rows:
    """The samples of a tensor, which are taken a few at a time.

    Args:
        tensor: (M, *dims), on the CPU.
        file: how to read it past its memory map; None to index it.
    """

    def __init__(self, tensor: torch.Tensor, file: FileRows | None) -> None:
        # As (M, numbers): torch gathers rows of a matrix 30 times faster than images.
        self._tensor = tensor.flatten(1) if tensor.ndim > 1 else tensor
        self._file = file
        self.numbers = tensor[:1].numel()
        self.bytes = self.numbers * tensor.element_size()  # of one sample

    def take(self, rows: torch.Tensor) -> torch.Tensor:
        """Some samples (n, numbers), or (n,) where each is one number, on the device of the tensor."""
        import torch

        if self._file is None:
            return self._tensor.index_select(0, rows)
        return torch.from_numpy(self._file.read(rows.numpy())).flatten(1 if self._tensor.ndim > 1 else 0)

    def moved(self, rows: torch.Tensor, device: torch.device) -> Rows:
        """Some samples alone, on another device; copied a few at a time, so that they need no memory here."""
        import torch

        target = torch.empty((len(rows), *self._tensor.shape[1:]), dtype=self._tensor.dtype, device=device)
        count = max(1, MOVED_BYTES // self.bytes)
        for start in range(0, len(rows), count):
            target[start : start + count] = self.take(rows[start : start + count]).to(device)
        return Rows(target, None)
