"""Archives that are read as they are, without unpacking them to the disk."""

from __future__ import annotations

import gzip
from pathlib import Path

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
