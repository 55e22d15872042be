"""The rows of Arrow and Parquet files, read when they are wanted: of Arrow through a memory map."""

from __future__ import annotations

import bisect
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data.base import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 100_000_000
MOST_GROUP_BYTES = 2**30  # of a row group, as it says of itself, that is read to show one row
_BATCH = 256  # rows of Parquet at a time: pictures may have megabytes
_AGAIN = "Copy or download it again."


class Part(ABC):
    """One file.

    Args:
        path: of the file.
        schema: of its table.
        rows: how many it has.
    """

    path: Path
    schema: pa.Schema
    rows: int

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some columns of all rows, in order, some rows at a time. Raises DataError."""

    @abstractmethod
    def row(self, index: int) -> dict[str, Any]:
        """One row as Python values, from 0. Raises DataError."""


def open_part(path: Path) -> Part:
    """A file of either kind. Raises DataError."""
    with explained(path):
        part = ParquetPart(path) if path.suffix.lower() == ".parquet" else ArrowPart(path)
    if part.rows > MOST_ROWS:
        raise DataError(f"{path} says that it has {part.rows:,} rows; up to {MOST_ROWS:,} can be read.")
    return part


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what pyarrow raises for a broken file into a DataError that names it."""
    import pyarrow as pa

    try:
        yield
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"{path} needs more memory than there is.") from error
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0][:200]
        raise DataError(f"{path} is broken, or of another kind: {reason}. {_AGAIN}") from error


class ArrowPart(Part):
    """A stream of record batches, as `datasets` writes it, or an Arrow file; nothing is read before it is used."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self.path = path
        source = pa.memory_map(str(path))
        start = source.read(6)
        source.seek(0)
        if start == b"ARROW1":
            file = pa.ipc.open_file(source)
            self.schema, self._batches = file.schema, [file.get_batch(n) for n in range(file.num_record_batches)]
        else:
            stream = pa.ipc.open_stream(source)
            self.schema, self._batches = stream.schema, list(stream)
        self._starts: list[int] = []
        self.rows = 0
        for batch in self._batches:
            self._starts.append(self.rows)
            self.rows += batch.num_rows
        self._valid: set[int] = set()

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Pieces of the memory map."""
        for number in range(len(self._batches)):
            yield self._checked(number).select(list(columns))

    def row(self, index: int) -> dict[str, Any]:
        """One row."""
        number = bisect.bisect_right(self._starts, index) - 1
        return _first(self._checked(number).slice(index - self._starts[number], 1))

    def _checked(self, number: int) -> pa.RecordBatch:
        """A batch whose offsets lie within it: pyarrow follows them without a look, out of the file if need be."""
        batch = self._batches[number]
        if number not in self._valid:
            with explained(self.path):
                batch.validate(full=True)
            self._valid.add(number)
        return batch


class ParquetPart(Part):
    """A Parquet file. Of the row groups the one that was used last is kept."""

    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self.path = path
        self._file = parquet.ParquetFile(str(path), memory_map=True)
        self.schema, self.rows = self._file.schema_arrow, self._file.metadata.num_rows
        self._starts, start = [], 0
        for number in range(self._file.metadata.num_row_groups):
            self._starts.append(start)
            start += self._file.metadata.row_group(number).num_rows
        self._kept: tuple[int, Any] | None = None
        self._lock = threading.Lock()  # several threads look at samples, and a ParquetFile is for one

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some hundred rows at a time, by a reader of its own."""
        from pyarrow import parquet

        with explained(self.path), parquet.ParquetFile(str(self.path), memory_map=True) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(columns)):
                yield batch.select(list(columns))

    def row(self, index: int) -> dict[str, Any]:
        """One row; its whole row group is read."""
        number = bisect.bisect_right(self._starts, index) - 1
        with self._lock, explained(self.path):
            if self._kept is None or self._kept[0] != number:
                size = self._file.metadata.row_group(number).total_byte_size
                if size > MOST_GROUP_BYTES:
                    raise DataError(f"{self.path} has rows in pieces of {size / 1e9:.1f} GB, too large to show one.")
                self._kept = None
                self._kept = (number, self._file.read_row_group(number))
            return _first(self._kept[1].slice(index - self._starts[number], 1))


def _first(rows: Any) -> dict[str, Any]:
    return {name: column_values(rows.column(name))[0] for name in rows.schema.names}


def column_values(column: Any) -> list[Any]:
    """A column as Python values; times and other types that Python cannot hold become texts."""
    import pyarrow as pa

    try:
        values: list[Any] = column.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError, UnicodeDecodeError):
        return [None] * len(column) if pa.types.is_nested(column.type) else column.cast(pa.string()).to_pylist()
    return values
