"""Reads tables from Parquet and Excel files."""

from __future__ import annotations

import contextlib
import itertools
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data.base import DataError
from studio.data.tables.dialect import Asked, fitted, has_header, name_columns, usual_columns
from studio.data.tables.reading import CELLS_AT_ONCE, MAX_CELLS, Collector, Table, chunks
from studio.data.texts.rules import FIND_OUT

if TYPE_CHECKING:
    import pyarrow as pa

MAX_UNPACKED = 2**29  # bytes of an Excel file, which is a packed archive
_ROWS_TO_LOOK_AT = 200  # of a sheet, for its header


def read_parquet(path: Path, asked: Asked, sheet: str = "") -> Table:
    """A table of Parquet; nested columns stay empty, but lists of plain values. Raises DataError."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = name_columns(file.schema_arrow.names, len(file.schema_arrow.names))
            collector, rows = Collector(names, path), 0
            if file.metadata.num_rows * max(len(names), 1) > MAX_CELLS:
                raise DataError(f"{path} has more than {MAX_CELLS:,} cells, which do not fit into memory.")
            for batch in file.iter_batches(batch_size=max(1, CELLS_AT_ONCE // max(len(names), 1))):
                collector.add_columns(map(_texts, batch.columns), batch.num_rows)
                rows += batch.num_rows
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[:1]
        raise DataError(f"{path} cannot be read as Parquet: {''.join(reason)[:200]}") from error
    return Table(collector.columns(), np.arange(1, rows + 1), "Parquet")


def _texts(values: pa.Array) -> Sequence[str]:
    import pyarrow as pa

    kind = values.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return ["; ".join(map(str, filter(None, item or ()))) for item in values.to_pylist()]
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [""] * len(values)
    texts = values.cast(pa.string())
    return [text if text is not None else "" for text in texts.to_pylist()]


def read_excel(path: Path, asked: Asked, sheet: str = "") -> Table:
    """One sheet of an Excel file, with the values that were computed last. Raises DataError."""
    import numpy as np

    with _workbook(path) as book:
        name, rows = _sheet(book, path, sheet)
        first = list(itertools.islice(rows, _ROWS_TO_LOOK_AT))
        columns, _ = usual_columns([_without_end(row) for _, row in first])
        if not columns:
            raise DataError(f"{path}: the sheet “{name[:80]}” is empty.")
        head = first[0][1]
        header = asked.header == "yes" or (
            asked.header == FIND_OUT and has_header([fitted(row, columns) for _, row in first], columns)
        )
        collector = Collector(name_columns(head if header else (), columns), path)
        starts: list[int] = []
        below = itertools.chain(first[1:] if header else first, rows)
        for chunk in chunks((_numbered(starts, number, row, columns) for number, row in below), columns):
            collector.add_rows(chunk)
    words = f"Excel, sheet “{name[:80]}”, {'with' if header else 'without'} a header"
    return Table(collector.columns(), np.array(starts, np.int64), words)


def _numbered(starts: list[int], number: int, row: list[str], columns: int) -> list[str]:
    starts.append(number)
    return fitted(row, columns)


def _without_end(row: list[str]) -> list[str]:
    """Without the empty cells at its end, of which a sheet may have thousands."""
    last = max((place for place, cell in enumerate(row, start=1) if cell), default=0)
    return row[:last]


@contextlib.contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    """An opened Excel file; whatever is wrong with it becomes a DataError."""
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise DataError(f"{path} unpacks to more than {MAX_UNPACKED / 1e6:.0f} MB, which is too much.")
        # Opened here, for openpyxl leaves broken files open. It warns of extensions that it does not understand.
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            try:
                yield book
            finally:
                book.close()
    except (DataError, OSError):
        raise
    except Exception as error:  # openpyxl raises many kinds for foreign and broken files
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise DataError(f"{path} cannot be read as an Excel file: {reason[0][:200]}") from error


def _sheet(book: Any, path: Path, wanted: str) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Its name, and its rows that are not empty, with their numbers."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if wanted and wanted not in sheets:
        names = ", ".join(f"“{name[:40]}”" for name in list(sheets)[:20])
        raise DataError(f"{path} has no sheet “{wanted[:80]}”. Its sheets: {names or 'none'}.")
    for name in [wanted] if wanted else sheets:
        rows = _rows(sheets[name])
        begin = list(itertools.islice(rows, 1))
        if begin:
            return name, itertools.chain(begin, rows)
    raise DataError(f"{path} has no sheet with anything in it.")


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # some programs write wrong ones
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_cell(value) for value in row]
        if any(cells):
            yield number, cells


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip()
