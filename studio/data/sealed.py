"""Large files that are written in pieces and end with a record of themselves, by which damage is noticed.

A file is one or more parts, each of which begins where a memory map may begin, then the record as JSON, then the
record's SHA-256, its length and SEAL. `studio.storage` puts it in its place whole or not at all.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from studio.storage import MAX_JSON_BYTES, BadFileError, StorageError, parse_json, replacing

SEAL = b"studio-sealed-01"
_TAIL = struct.Struct("<32sQ16s")  # SHA-256 of the record, its bytes, SEAL
_PAGE = 4096  # bytes; a part begins where a memory map may begin


@dataclass(frozen=True)
class Part:
    """Where a part of a sealed file lies, in bytes, and the SHA-256 of its content as hexadecimal digits."""

    offset: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Seal:
    """What stands at the end of a sealed file.

    Args:
        parts: by their names.
        about: what the writer said of them, plain JSON values.
    """

    parts: dict[str, Part]
    about: dict[str, Any]


class SealedFile:
    """A file that `sealing` writes. Its parts may be written in turns, each from its beginning to its end."""

    def __init__(self, file: BinaryIO, sizes: Mapping[str, int]) -> None:
        import hashlib  # loads OpenSSL, which the window need not wait for

        self.about: dict[str, Any] = {}
        self._file = file
        self._sizes = dict(sizes)
        self._offsets = dict(zip(sizes, _offsets(sizes.values()), strict=False))
        self._done = dict.fromkeys(sizes, 0)
        self._digests = {name: hashlib.sha256() for name in sizes}

    def write(self, part: str, piece: bytes | memoryview) -> None:
        """Add the next piece of a part."""
        length = memoryview(piece).nbytes
        assert self._done[part] + length <= self._sizes[part], part
        self._file.seek(self._offsets[part] + self._done[part])
        self._file.write(piece)
        self._digests[part].update(piece)
        self._done[part] += length

    def finish(self) -> None:
        """Write the record behind the last part."""
        import hashlib

        assert self._done == self._sizes, "a part is not whole"
        parts = {
            name: {"offset": self._offsets[name], "bytes": size, "sha256": self._digests[name].hexdigest()}
            for name, size in self._sizes.items()
        }
        record = json.dumps({"parts": parts, "about": self.about}, allow_nan=False).encode()
        self._file.seek(_offsets(self._sizes.values())[-1])
        self._file.write(record + _TAIL.pack(hashlib.sha256(record).digest(), len(record), SEAL))


def _offsets(sizes: Iterable[int]) -> list[int]:
    """Where each part begins, and where the record does."""
    ends = itertools.accumulate((-(-size // _PAGE) * _PAGE for size in sizes), initial=0)
    return list(ends)


@contextlib.contextmanager
def sealing(path: Path, sizes: Mapping[str, int]) -> Iterator[SealedFile]:
    """Write a large file in pieces, whole or not at all, which ends with a record of its parts and their SHA-256.

    Args:
        sizes: bytes of each part, by its name.

    Raises:
        StorageError: if the disk is full or the folder cannot be written.
    """
    with replacing(path) as file:
        sealed = SealedFile(file, sizes)
        yield sealed
        sealed.finish()


def read_seal(path: Path) -> Seal:
    """The record of a sealed file; its parts are not read.

    Raises:
        StorageError: if there is no such file, or it cannot be read.
        BadFileError: if it is no sealed file, or not as long as it was written.
    """
    try:
        with open(path, "rb") as file:
            return _seal(file, path)
    except FileNotFoundError as error:
        raise StorageError(f"There is no file {path}.") from error
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror or error}.") from error


def _seal(file: BinaryIO, path: Path) -> Seal:
    import hashlib

    damaged = BadFileError(f"{path} is not as it was written: it is damaged or was replaced.")
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL.size))
    tail = file.read()
    if len(tail) != _TAIL.size:
        raise damaged
    digest, length, seal = _TAIL.unpack(tail)
    if seal != SEAL or length > min(MAX_JSON_BYTES, end - _TAIL.size):
        raise damaged
    file.seek(end - _TAIL.size - length)
    record = file.read(length)
    if hashlib.sha256(record).digest() != digest:
        raise damaged
    read = parse_json(record, str(path))  # written by `finish`, as its SHA-256 shows
    parts = {name: Part(part["offset"], part["bytes"], part["sha256"]) for name, part in read["parts"].items()}
    if _offsets(part.size for part in parts.values())[-1] != end - _TAIL.size - length:
        raise damaged
    return Seal(parts, read["about"])


def check_sealed(path: Path, seal: Seal) -> None:
    """Read all parts of a sealed file and compare them with its record.

    Raises:
        BadFileError: if a part is not what was written.
    """
    import hashlib

    with open(path, "rb") as file:
        for part in seal.parts.values():
            file.seek(part.offset)
            digest, left = hashlib.sha256(), part.size
            while left and (piece := file.read(min(left, 2**22))):
                digest.update(piece)
                left -= len(piece)
            if digest.hexdigest() != part.sha256:
                raise BadFileError(f"{path} is not as it was written (its SHA-256 differs): it is damaged.")
