"""The one door through which files of torch are read. Nothing in them is run, and no more is taken than they hold.

A file of `torch.save` is an archive with one pickle and a record for the numbers of each tensor; before PyTorch 1.6 it
was several pickles, and the numbers after them.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import storage
from studio.training.torch_pickles import (
    CodeInFileError,
    Inert,
    StoredNumbers,
    StoredTensor,
    TorchFileError,
    read_pickle,
)

MAX_PICKLE_BYTES = 256 * 2**20
MAX_OLD_PICKLE_BYTES = 32 * 2**20  # where the numbers begin is not known before
MAX_RECORDS = 100_000
SPARE_BYTES = 2**26  # what tensors may have beyond twice their file, by sharing numbers
_ARCHIVE = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_OLD_MAGIC = 0x1950A86A20F9469CFC6C

__all__ = ["CodeInFileError", "StoredTensor", "TorchFile", "TorchFileError", "load_torch_file", "opened_torch_file"]


class TorchFile:
    """A file of torch that is open.

    Args:
        content: what was saved, with a `StoredTensor` for each tensor.
        places: where the numbers of each record begin, how many bytes they are, and their checksum if there is one.

    Raises:
        TorchFileError: if the numbers of a tensor are missing.
    """

    def __init__(
        self, file: io.BufferedReader, content: Any, places: Mapping[str, tuple[int, int, int | None]]
    ) -> None:
        self._file = file
        self.content = content
        self._places = places
        for numbers in set(_numbers_in(content)):
            if places.get(numbers.key, (0, -1, None))[1] != numbers.size_bytes:
                raise TorchFileError("is damaged: the numbers of a tensor are missing, or of another size.")

    def tensor(self, stored: StoredTensor) -> Tensor:
        """Read one tensor, and of its record only that part. Raises TorchFileError."""
        size = stored.dtype.itemsize
        content = self._read(stored.numbers, stored.offset * size, stored.extent * size)
        return content.view(stored.dtype).as_strided(stored.dims, stored.strides)

    def whole(self) -> Any:
        """What was saved, with its tensors; those that shared their numbers do so again.

        Raises:
            TorchFileError: if it is damaged, or its tensors are much larger than the file.
        """
        return _Filling(self, 2 * os.fstat(self._file.fileno()).st_size + SPARE_BYTES).filled(self.content)

    def record(self, numbers: StoredNumbers) -> Tensor:
        """All bytes of a record."""
        return self._read(numbers, 0, numbers.size_bytes)

    def _read(self, numbers: StoredNumbers, offset: int, size: int) -> Tensor:
        """A part of a record as bytes."""
        start, held, checksum = self._places[numbers.key]
        content = read_tensor(self._file, start + offset, size)
        if checksum is not None and size == held and zlib.crc32(content.numpy().data) != checksum:
            raise TorchFileError("is damaged: its numbers are not those that were written.")
        return content


def read_tensor(file: io.BufferedReader, start: int, size: int) -> Tensor:
    """Bytes of a file as a tensor. Raises TorchFileError if the file is shorter."""
    content = torch.empty(size, dtype=torch.uint8)
    file.seek(start)
    if size and file.readinto(content.numpy().data) != size:
        raise TorchFileError("is cut off.")
    return content


class _Filling:
    """Puts tensors in the place of their descriptions."""

    def __init__(self, file: TorchFile, most_bytes: int) -> None:
        self.file = file
        self.left = most_bytes
        self.records: dict[StoredNumbers, Tensor] = {}
        self.made: dict[int, Any] = {}

    def filled(self, value: Any) -> Any:
        """The same with tensors; what is named twice is made once."""
        if not isinstance(value, dict | list | tuple | StoredTensor | Inert):
            return value
        if id(value) not in self.made:
            self.made[id(value)] = self.make(value)
        return self.made[id(value)]

    def make(self, value: Any) -> Any:
        if isinstance(value, StoredTensor):
            return self.tensor(value)
        if isinstance(value, Inert):
            raise CodeInFileError(value.name.replace(" ", "."))
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        return type(value)(map(self.filled, value))

    def tensor(self, stored: StoredTensor) -> Tensor:
        self.left -= stored.numel * stored.dtype.itemsize
        if self.left < 0:
            raise TorchFileError("is refused: its tensors would be much larger than the file.")
        if stored.numbers not in self.records:
            self.records[stored.numbers] = self.file.record(stored.numbers)
        numbers, size = self.records[stored.numbers], stored.dtype.itemsize
        whole = numbers[: numbers.numel() // size * size].view(stored.dtype)
        return whole.as_strided(stored.dims, stored.strides, stored.offset)


def load_torch_file(path: Path) -> Any:
    """What was saved in a file of torch: tensors and plain values.

    Raises:
        FileNotFoundError: if there is none.
        StorageError: if it cannot be read.
        CodeInFileError, TorchFileError: if it holds anything else, or is damaged.
    """
    with opened_torch_file(path) as file:
        return file.whole()


@contextlib.contextmanager
def opened_torch_file(path: Path) -> Iterator[TorchFile]:
    """A file of torch, with its tensors yet to be read.

    Raises:
        as `load_torch_file`.
    """
    with storage.open_plain(path) as file:
        beginning = file.read(4)
        file.seek(0)
        try:
            yield _open_archive(file) if beginning == _ARCHIVE else _open_old(file)
        except (zipfile.BadZipFile, EOFError, struct.error) as error:
            raise TorchFileError(f"is no whole file of torch: {error}.") from error


def _open_archive(file: io.BufferedReader) -> TorchFile:
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
    size = os.fstat(file.fileno()).st_size
    check_records(records, size)
    pickles = [record for record in records if record.filename.split("/")[1:] == ["data.pkl"]]
    if len(pickles) != 1:
        raise TorchFileError("is an archive, but not one of torch.save.")
    places = {record.filename: _place(file, record, size) for record in records}
    top = pickles[0].filename.removesuffix("data.pkl")
    _check_byte_order(file, places.get(f"{top}byteorder"))
    start, length, checksum = places[pickles[0].filename]
    content = _read_at(file, start, length)
    if zlib.crc32(content) != checksum:
        raise TorchFileError("is damaged: it is not as it was written.")
    prefix = f"{top}data/"
    numbers = {name.removeprefix(prefix): place for name, place in places.items() if name.startswith(prefix)}
    return TorchFile(file, read_pickle(io.BytesIO(content)), numbers)


def check_records(records: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse archives that would unpack to more than the file holds, or whose names are not those of records.

    Args:
        size: of the file, in bytes.

    Raises:
        TorchFileError: if it is such a one.
    """
    names = {record.filename for record in records}
    if len(records) > MAX_RECORDS or len(names) < len(records):
        raise TorchFileError("has too many records, or two of one name; it is refused.")
    if any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
        raise TorchFileError("has records with names that lead elsewhere; it is refused.")
    if any(r.compress_type != zipfile.ZIP_STORED or r.flag_bits & 1 for r in records):
        raise TorchFileError("has packed records, which no file of torch.save has; it is refused.")
    if sum(record.file_size for record in records) > size:
        raise TorchFileError("has records that are larger than the file; it is refused.")


def _place(file: io.BufferedReader, record: zipfile.ZipInfo, size: int) -> tuple[int, int, int]:
    """Where the content of a record lies, its size and its checksum."""
    file.seek(record.header_offset)
    signature, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    start = record.header_offset + _LOCAL_HEADER.size + name + extra
    if signature != _ARCHIVE or start + record.file_size > size:
        raise TorchFileError("is cut off or damaged.")
    return start, record.file_size, record.CRC


def _check_byte_order(file: io.BufferedReader, place: tuple[int, int, int] | None) -> None:
    if place is not None and _read_at(file, place[0], min(place[1], 16)) != b"little":
        raise TorchFileError("was written on a machine with another order of bytes, which is not read here.")


def _read_at(file: io.BufferedReader, start: int, size: int) -> bytes:
    if size > MAX_PICKLE_BYTES:
        raise TorchFileError("says too much beside its tensors.")
    file.seek(start)
    content = file.read(size)
    if len(content) != size:
        raise TorchFileError("is cut off.")
    return content


def _open_old(file: io.BufferedReader) -> TorchFile:
    """A file of PyTorch before 1.6: magic number, version, machine, content, names of the numbers; then those."""
    content = io.BytesIO(file.read(MAX_OLD_PICKLE_BYTES))
    if not content.getvalue().startswith(b"\x80") or read_pickle(content) != _OLD_MAGIC:
        raise TorchFileError("is no file of torch.save.")
    _version, machine, value, keys = (read_pickle(content) for _ in range(4))
    if not isinstance(machine, dict) or machine.get("little_endian") is not True or not isinstance(keys, list):
        raise TorchFileError("was written on another kind of machine, or is damaged.")
    known = {numbers.key: numbers for numbers in _numbers_in(value)}
    places, start = {}, content.tell()
    for key in keys:
        numbers = known.get(key)
        (count,) = struct.unpack("<q", _read_at(file, start, 8))
        if numbers is None or count != numbers.count:
            raise TorchFileError("is damaged: the numbers of a tensor are missing, or of another size.")
        places[key] = start + 8, numbers.size_bytes, None
        start += 8 + numbers.size_bytes
    return TorchFile(file, value, places)


def _numbers_in(value: Any) -> Iterator[StoredNumbers]:
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers_in(item)
    elif isinstance(value, StoredTensor):
        yield value.numbers
