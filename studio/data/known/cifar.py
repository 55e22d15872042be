"""Reads the files of CIFAR-10 and CIFAR-100: Python pickles, in a folder or in the original archive.

Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Dataset layout".
"""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio import storage
from studio.data.archives import Unpacked
from studio.data.base import DataError
from studio.data.known.pickles import PickleRefusedError, as_array, read_pickle

if TYPE_CHECKING:
    import numpy as np

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
TRAIN_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_FILE = "test_batch"
FILES = (*TRAIN_FILES, TEST_FILE)
SIZE = 32  # pixels, both ways
MAX_FILE_BYTES = 2**28  # of CIFAR-100 all is in one, which has 155 MB
MAX_ARCHIVE_BYTES = 2**29  # unpacked; the original has 186 MB

Batch = tuple["np.ndarray", "np.ndarray"]  # images (M, 3, 32, 32) uint8, labels (M,) int64


@dataclass(frozen=True)
class Edition:
    """What differs between the two datasets.

    Args:
        title: for messages.
        folder, archive: their usual names.
        files: the batches, the test set last.
        key: of the labels in a batch.
        classes: how many there are.
        names_code: Python that gives `files` as a list.
    """

    title: str
    folder: str
    archive: str
    files: tuple[str, ...]
    key: str
    classes: int
    names_code: str


TEN = Edition(
    "CIFAR-10", FOLDER, ARCHIVE, FILES, "labels", 10,
    '[*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]',
)  # fmt: skip
HUNDRED = Edition(
    "CIFAR-100", "cifar-100-python", "cifar-100-python.tar.gz", ("train", "test"), "fine_labels", 100,
    '["train", "test"]',
)  # fmt: skip


def read_folder(folder: Path, edition: Edition = TEN) -> dict[str, Batch]:
    """The batches in a folder that holds all files of an edition.

    Raises:
        DataError: if a file is broken; the message names it.
    """
    try:
        return {
            name: read_batch(storage.read_bytes(folder / name, MAX_FILE_BYTES), str(folder / name), edition)
            for name in edition.files
        }
    except storage.StorageError as error:
        raise DataError(str(error)) from error


def read_archive(path: Path, edition: Edition = TEN) -> dict[str, Batch]:
    """The batches in the original archive; nothing is unpacked to the disk.

    Raises:
        DataError: if it is broken; the message names it.
    """
    batches: dict[str, Batch] = {}
    try:
        with (
            Unpacked(path, MAX_ARCHIVE_BYTES, edition.title) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as archive,
        ):
            for member in archive:
                name = Path(member.name).name
                if name in edition.files and member.isfile():
                    batches[name] = read_batch(
                        _content(archive, member, path, edition), f"{path}, file {name}", edition
                    )
            while unpacked.read(2**20):
                pass  # to the end, where gzip's sum is
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise DataError(f"{path} is broken: {error}. Copy or download it again.") from error
    absent = [name for name in edition.files if name not in batches]
    if absent:
        raise DataError(f"{path} is not the archive of {edition.title}: {', '.join(absent)} is not in it.")
    return batches


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, edition: Edition) -> bytes:
    if member.size > MAX_FILE_BYTES:
        raise DataError(f"{path}, file {member.name[:80]}, has {member.size:,} bytes; no batch of {edition.title} has.")
    file = archive.extractfile(member)
    assert file is not None, "a regular file has content"
    return file.read()


def read_batch(content: bytes, where: str, edition: Edition = TEN) -> Batch:
    """One batch.

    Args:
        content: a pickle of a dictionary with "data" (M, 3072) bytes and labels, M numbers from 0 on.
        where: the file's name, for messages.

    Raises:
        DataError: if it is anything else. Nothing in it is run.
    """
    import numpy as np

    try:
        labels, rows = _parts(read_pickle(content), edition)
    except PickleRefusedError as error:
        raise DataError(f"{where} is no batch of {edition.title}: {error}. Copy or download it again.") from error
    if rows.ndim != 2 or rows.shape[1] != 3 * SIZE * SIZE or len(rows) != len(labels) or not labels:
        raise DataError(
            f"{where} is no batch of {edition.title}: it has pixels of the shape {rows.shape} and "
            f"{len(labels):,} labels; expected are {3 * SIZE * SIZE:,} pixels for each label."
        )
    return rows.reshape(-1, 3, SIZE, SIZE), np.array(labels, np.int64)


def _parts(value: object, edition: Edition) -> tuple[list[int], np.ndarray]:
    if not isinstance(value, dict):
        raise PickleRefusedError("it holds no dictionary")
    named = {key.decode("latin-1") if isinstance(key, bytes) else key: part for key, part in value.items()}
    labels, last = named.get(edition.key), edition.classes - 1
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label <= last for label in labels):
        raise PickleRefusedError(f"its labels are not numbers from 0 to {last}")
    return labels, as_array(named.get("data"))
