"""Broken and hostile tables: a typed message with file and line, in bounded time and memory, and never a crash."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.data import DataChoice, DataError
from studio.data.dataset import prepare
from studio.data.tables import reading as tables_reading
from studio.data.tables import text as tables_text
from studio.data.tables.source import TableFile

SECONDS = 2.0


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., TableFile]:
    def table(content: str | bytes, name: str = "t.csv", **settings: Any) -> TableFile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return TableFile(path=str(path), **settings)

    return table


@contextlib.contextmanager
def quickly() -> Iterator[None]:
    """Of processor time, for other processes may be busy, too."""
    started = time.process_time()
    yield
    assert time.process_time() - started < SECONDS


ROWS = "".join(f"{i * 0.5},{i % 7},{'ab'[i % 2]}\n" for i in range(2_000))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"\n\n\n", "is empty"),
        ("t.csv", b"a,b\n", "no column looks like something to predict"),
        ("t.csv", b"\0" * 10_000, "zero bytes"),
        ("t.csv", ROWS.encode() + b"1,\0,a\n", "line 2,001, has zero bytes"),
        ("t.csv", ROWS.encode() * 20 + b'1,"open,a\n2,3,b\n', "line 40,001: a quote is opened there and never closed"),
        ("t.csv", "é,1,a\n".encode() * 50_000 + b"\xe9,1,a\n", "line 50,001, is not in the encoding utf-8"),
        ("t.jsonl", b'{"a": 1, "y": 2}\n' * 40_000 + b"{\n", "line 40,001, is no JSON"),
        ("t.jsonl", b'{"a": 1}\n[1]\n', "line 2, is no JSON object"),
        ("t.jsonl", b'{"a": ' + b"[" * 100_000 + b"\n", "line 1, is no JSON"),
        ("t.jsonl", b'{"a": ' + b"9" * 10_000 + b"}\n", "line 1, is no JSON"),
        ("t.parquet", b"PAR1 and nothing else", "cannot be read as Parquet"),
        ("t.parquet", b"", "cannot be read as Parquet"),
        ("t.xlsx", b"PK\3\4 and nothing else", "cannot be read as an Excel file"),
        ("t.xlsx", b"", "cannot be read as an Excel file"),
        ("t.csv", "a,y\n1,x\n1,x\n1,x\n1,x\n", "no column looks like something to predict"),
        ("t.csv", "<b>,=cmd()\n" + "\n".join(f"{i / 2},{i / 4}" for i in range(30)), ""),
    ],
)
def test_what_is_broken_is_told(table: Callable, name: str, content: str | bytes, said: str) -> None:
    source = table(content, name)
    with quickly():
        source.claim(Path(source.path))
        if not said:
            assert source.look().columns[1].name == "=cmd()"
            return
        with pytest.raises(DataError, match=said) as caught:
            source.look()
    assert Path(source.path).name in str(caught.value)


def test_an_endless_line(tmp_path: Path) -> None:
    """Nothing but the beginning of a file of a gigabyte is read: it is sparse, but for that."""
    path = tmp_path / "t.csv"
    with open(path, "wb") as file:
        file.write(b"1,2,3," * 1_000_000)
        file.truncate(1_000_000_000)
    tracemalloc.start()
    with quickly():
        assert TableFile().claim(path) is None
        with pytest.raises(DataError, match="line 1, has more than"):
            TableFile(path=str(path)).look()
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


def test_an_endless_line_further_down(table: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_text, "LONGEST_LINE", 100_000)
    monkeypatch.setattr(tables_text, "LONGEST_ROW", 200_000)
    with pytest.raises(DataError, match="line 30,001, has more than 100,000 characters"):
        table(ROWS * 15 + "1," * 100_000 + "\n").look()
    lines = '1,"' + "x\n" * 150_000 + '",a\n'
    with pytest.raises(DataError, match="the row that begins in line 30,001 has more than 200,000 characters"):
        table(ROWS * 15 + lines).look()


def test_ten_thousand_columns(table: Callable) -> None:
    names = ",".join(f"c{i}" for i in range(9_999)) + ",y\n"
    rows = "".join(",".join(str((i * j) % 13) for j in range(9_999)) + f",{'ab'[i % 2]}\n" for i in range(1, 20))
    source = table(names + rows)
    with quickly():
        assert source.claim(Path(source.path)) is not None
    found = source.look()
    assert found.target == ("y",)
    assert found.spec.inputs[0].dims[0] >= 9_000
    assert len(prepare(DataChoice(source=source)).inputs[0]) == 19
    with pytest.raises(DataError, match="20,000 columns; at most 10,000"):
        table("1," * 19_999 + "1\n" + "2," * 19_999 + "2\n").look()


def test_what_does_not_fit_into_memory_is_refused(table: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    source = table(ROWS)
    monkeypatch.setattr(tables_reading, "MAX_CELLS", 5_999)
    with pytest.raises(DataError, match=r"after 2,000 rows it has more than 5,999 cells"):
        source.look()
    monkeypatch.setattr(tables_reading, "MAX_BYTES", 1_000)
    with pytest.raises(DataError, match="does not fit into memory"):
        source.look()


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"xl/{number}.xml", bytes(100_000_000))
    with quickly(), pytest.raises(DataError, match="unpacks to more than"):
        TableFile(path=str(path)).look()


def test_entities_in_a_sheet_do_not_grow(tmp_path: Path) -> None:
    """A billion laughs."""
    import openpyxl

    plain, path = tmp_path / "plain.xlsx", tmp_path / "t.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(plain)
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    laughs = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><worksheet>&l9;</worksheet>'
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(path, "w") as archive:
        for entry in given.namelist():
            content = given.read(entry)
            archive.writestr(entry, laughs if entry.endswith("sheet1.xml") else content)
    with quickly(), pytest.raises(DataError):
        TableFile(path=str(path)).look()


def test_a_small_parquet_file_of_very_many_equal_rows(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path, rows = tmp_path / "t.parquet", 60_000_000
    equal = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), ["a"])
    parquet.write_table(pa.table({"a": equal, "y": equal}), path)
    assert path.stat().st_size < 1_000_000
    with quickly(), pytest.raises(DataError, match="more than 100,000,000 cells"):
        TableFile(path=str(path)).look()


ENDINGS = [".csv", ".tsv", ".txt", ".jsonl", ".parquet", ".xlsx"]
PIECES = st.sampled_from(
    ["a", "1", "1.5", ",", ";", "\t", "|", '"', "\n", "\r", "\r\n", " ", "?", "NA", "2020-01-01", "é", "{", "}", "[",
     '"a":', "-", "$", "\0", "\ufeff", "\x1f", "inf", "1e999", "x|y", "true"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.lists(PIECES, max_size=120).map(lambda parts: "".join(parts).encode()),
        st.lists(PIECES, max_size=12).map(lambda parts: ("".join(parts) + "\n").encode() * 30),
    ),
    ending=st.sampled_from(ENDINGS),
)
def test_whatever_is_in_it_the_worst_is_a_message(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"t{ending}"
    path.write_bytes(content)
    tables_reading._read.cache_clear()  # two contents of one size may come within a tick of the clock
    source = TableFile().claim(path) or TableFile(path=str(path))
    with contextlib.suppress(DataError):
        found = source.look()
        listing = source.listing()
        for row in {0, found.rows - 1}:
            listing.show(row)
        prepare(DataChoice(source=source))
