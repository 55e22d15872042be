"""Archives that are read as they are, and such of which some files are kept."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from studio import storage
from studio.data.base import DataError


class Unpacked(gzip.GzipFile):
    """An unpacked file that gives only so many bytes, against archives that unpack to far more than they are.

    Args:
        path: of a gzip file.
        max_bytes: the most that it may unpack to.
        title: of the dataset, for the message.
    """

    def __init__(self, path: Path, max_bytes: int, title: str) -> None:
        super().__init__(path, "rb")
        self._left = self._most = max_bytes
        self._title = title

    def read(self, size: int | None = -1) -> bytes:
        """As of any file. Raises DataError when it gave more than it may."""
        content = super().read(size)
        self._left -= len(content)
        if self._left < 0:
            raise DataError(f"{self.name} unpacks to more than {self._most:,} bytes; {self._title} does not.")
        return content


def unpack(path: Path, wanted: Callable[[str], str | None], folder: Path, max_bytes: int, title: str) -> int:
    """Write some files of a packed tar archive.

    Args:
        path: of the archive.
        wanted: gives for the name of a file in it where it goes below `folder`, or None.
        max_bytes: the most that the archive may unpack to.
        title: of the dataset, for messages.

    Returns:
        how many files were written.

    Raises:
        DataError: if the archive is broken, or a file cannot be written.
    """
    written = 0
    try:
        with Unpacked(path, max_bytes, title) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
            for member in archive:
                target = wanted(member.name) if member.isfile() else None
                if target is None:
                    continue
                content = archive.extractfile(member)
                assert content is not None, "a regular file has content"
                with storage.replacing(folder / target) as file:
                    while block := content.read(2**20):
                        file.write(block)
                written += 1
    except storage.StorageError as error:
        raise DataError(str(error)) from error
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise DataError(f"{path} is broken: {error}. Copy or download it again.") from error
    return written
