"""Tables of texts: separators, quotes, headers and columns are found out, and what cannot be is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.data.base import DataError
from studio.data.encodings import decode
from studio.data.texts.tables import Table, TableRules, looks_like_one, parse_table, read_table


def parse(text: str, name: str = "t.csv", written: str = "utf-8", **rules: str) -> Table:
    return parse_table(text.encode(written), Path(name), TableRules(**rules))


@pytest.mark.parametrize(
    ("name", "rows", "classes", "first"),
    [
        ("ag-news/test.csv", 7_600, {"1": 1_900, "2": 1_900, "3": 1_900, "4": 1_900}, "Unions representing workers at"),
        ("sms-spam/spam.csv", 5_572, {"ham": 4_825, "spam": 747}, "Go until jurong point"),
        ("sentiment-sentences/imdb_labelled.txt", 1_000, {"0": 500, "1": 500}, "A very, very, very slow-moving"),
    ],
)
def test_real_files(shared: Callable[[str], Path], name: str, rows: int, classes: dict[str, int], first: str) -> None:
    path = shared(name)
    table = read_table(path, TableRules())
    assert len(table.texts) == rows
    assert Counter(table.labels) == classes
    assert table.texts[0].startswith(first)
    assert looks_like_one(path)


def test_real_tables_of_numbers_are_no_texts(shared: Callable[[str], Path]) -> None:
    for name in ("iris", "winequality-red", "california-housing", "adult-test", "pima-indians-diabetes"):
        assert not looks_like_one(shared(f"tabular/{name}.csv"))


LINES = "\n".join(f"{mood};this film was {mood}, number {i}" for i in range(4) for mood in ("good", "bad")) + "\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (LINES, "t.csv"),
        (LINES.replace(";", "\t"), "t.txt"),
        (LINES.replace(";", "|"), "t.csv"),
        (LINES.replace("\n", "\r\n"), "t.csv"),
        ("\ufeffmood;words\n" + LINES, "t.csv"),
        ("\n" + LINES + "\n\n", "t.csv"),
        ("".join(f'"{a}","{b}"\n' for a, b in (line.split(";") for line in LINES.splitlines())), "t.csv"),
        ("".join(f'{{"y": "{a}", "note": {{}}, "words": "{b}"}}\n\n' for a, b in
                 (line.split(";") for line in LINES.splitlines())), "t.jsonl"),
    ],
)  # fmt: skip
def test_the_same_rows_in_every_dress(text: str, name: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        table = parse(text, name, encoding)
        assert table.labels == ["good", "bad"] * 4
        assert table.texts[5] == "this film was bad, number 2"


def test_quotes_count_where_they_hold_lines_together() -> None:
    rows = "".join(f'{i % 2},"He said ""no"".\n\nThen, he left {i}."\n' for i in range(20))
    table = parse("label,text\n" + rows)
    assert len(table.texts) == 20
    assert table.texts[3] == 'He said "no".\n\nThen, he left 3.'


def test_quotes_do_not_swallow_lines() -> None:
    rows = "".join(f"{text} {i}\t{i % 2}\n" for i in range(50) for text in ('"Open ended', '"Whole" one', "None"))
    table = parse(rows + '"Closed text"\t1\n', "t.tsv")
    assert len(table.texts) == 151
    assert table.texts[0] == '"Open ended 0'
    assert table.texts[-1] == "Closed text"


def test_columns_and_header_can_be_named() -> None:
    text = "kind,title,story\n" + "".join(f"{i % 3},title {i},a much longer story {i}\n" for i in range(12))
    assert parse(text).texts[0] == "a much longer story 0"
    assert parse(text, text_column="title").texts[0] == "title 0"
    assert parse(text, text_column="2", label_column="1").texts[0] == "title 0"
    assert parse(text, text_column="3", label_column="1", header="no").labels[0] == "kind"
    for rules, message in (
        ({"text_column": "storry"}, "no column “storry”. Columns: kind, title, story"),
        ({"label_column": "4"}, "no column “4”"),
        ({"text_column": "1", "label_column": "kind"}, "cannot be the same"),
        ({"separator": "tab"}, "one column only"),
        ({"encoding": "utf-16"}, "does not look like a table"),
    ):
        with pytest.raises(DataError, match=message):
            parse(text + ".", **rules)


def test_a_header_is_told_by_a_label_that_no_row_has() -> None:
    rows = "".join(f"{mood},some text {i}\n" for i in range(3) for mood in ("ham", "spam"))
    assert len(parse("v1,v2\n" + rows).texts) == 6
    assert len(parse("ham,v2\n" + rows).texts) == 7


def test_rows_without_text_or_label_are_left_out_and_told() -> None:
    table = parse("label,text\n" + "a,one two\nb,\n,three\nb,four five\na\n" * 3)
    assert table.texts == ["one two", "four five"] * 3
    assert "9 rows without" in table.summary


BROKEN = {
    "prose": (b"It was a dark and stormy night.\nThe rain fell.\n", "t.txt", "does not look like a table"),
    "no labels": (b"a,first text\nb,second text\nc,third text\n", "t.csv", "no column looks like a label"),
    "zeros": (b"\x89PNG\0\0", "t.csv", "no text file"),
    "bad line": (b'{"text": "a", "label": 1}\n{"text"\n', "t.jsonl", "line 2, is no JSON"),
    "deep": (b"[" * 100_000, "t.jsonl", "line 1, is no JSON"),
    "list": (b"[1, 2]\n", "t.jsonl", "no JSON object"),
    "empty": (b"", "t.csv", "does not look like a table"),
    "only empty rows": (b"label,text\n,\n,\n", "t.csv", "t.csv"),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_is_no_table_is_told(name: str, tmp_path: Path) -> None:
    content, file, message = BROKEN[name]
    path = tmp_path / file
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_table(path, TableRules())
    assert not looks_like_one(path)


def test_encodings_are_found_out() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        text, found = decode("größer als 5 €".encode(encoding), "f")
        assert (text, found) == ("größer als 5 €", encoding)
    assert decode(b"caf\xe9 \x81", "f") == ("café \x81", "latin-1")
    with pytest.raises(DataError, match="not in the encoding utf-8"):
        decode(b"caf\xe9", "f", "utf-8")
    assert decode("电影".encode("gb18030"), "f", "gb18030")[0] == "电影"
