"""Reads IDX files, the format of MNIST: a magic number, the size of each axis, then the bytes.

Source: http://yann.lecun.com/exdb/mnist/, "File formats".
"""

from __future__ import annotations

import contextlib
import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from studio.data.base import DataError

if TYPE_CHECKING:
    import numpy as np

MAX_BYTES = 2**28  # twice the largest, EMNIST: a header that promises more is not believed
BYTES, INTEGERS = "|u1", ">i4"
_CODES = {BYTES: 0x08, INTEGERS: 0x0C}


def read_idx(
    path: Path, item_shape: tuple[int, ...], dtype: str = BYTES, content: BinaryIO | None = None
) -> np.ndarray:
    """The array in an IDX file, plain or compressed with gzip.

    Args:
        path: the file.
        item_shape: sizes of one item: (28, 28) for images, () for labels.
        dtype: type of its elements: BYTES or INTEGERS.
        content: what is read in place of the file, such as a file in an archive; `path` then only names it.

    Returns:
        (M, *item_shape) of that type, read-only.

    Raises:
        DataError: if the file is broken or holds something else; the message names it.
    """
    import numpy as np

    with _opened(path, content) as file:
        shape = _shape(file.read(8 + 4 * len(item_shape)), item_shape, _CODES[dtype], path)
        size = math.prod(shape) * np.dtype(dtype).itemsize
        read = file.read(size + 1)  # one more than there should be: it also makes gzip check its sum
    if len(read) != size:
        raise DataError(
            f"{path} is {'cut off' if len(read) < size else 'too long'}: it announces {shape[0]:,} items, which "
            f"take {size:,} bytes, but has {f'{len(read):,}' if len(read) < size else 'more'}. {_AGAIN}"
        )
    return np.frombuffer(read, dtype).reshape(shape)


_AGAIN = "Copy or download it again."


@contextlib.contextmanager
def _opened(path: Path, content: BinaryIO | None) -> Iterator[BinaryIO]:
    """The file's content, unpacked if need be; what goes wrong in the block is told as a DataError."""
    try:
        with open(path, "rb") if content is None else content as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield file
    except EOFError as error:
        raise DataError(f"{path} is cut off: its compressed data ends too early. {_AGAIN}") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is broken: its compressed data is damaged ({error}). {_AGAIN}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _shape(header: bytes, item_shape: tuple[int, ...], code: int, path: Path) -> tuple[int, ...]:
    rank = 1 + len(item_shape)
    magic = bytes([0, 0, code, rank])
    if header[:4] != magic:
        raise DataError(
            f"{path} is not the expected IDX file: it starts with “{header[:4].hex(' ')}” instead of "
            f"“{magic.hex(' ')}”. Choose the dataset's original files."
        )
    if len(header) < 4 + 4 * rank:
        raise DataError(f"{path} is cut off: it ends within its header. {_AGAIN}")
    shape = struct.unpack(f">{rank}I", header[4:])
    if shape[1:] != item_shape:
        raise DataError(f"{path} holds items of size {_times(shape[1:])}, but {_times(item_shape)} is expected.")
    if not 1 <= shape[0] <= MAX_BYTES // math.prod(item_shape):
        raise DataError(f"{path} announces {shape[0]:,} items, which cannot be. {_AGAIN}")
    return shape


def _times(sizes: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in sizes)
