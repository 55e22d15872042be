"""Tables of one's own: how they are written, what their columns hold, and what is learned from the training split."""

from __future__ import annotations

import datetime
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data import DataChoice, DataError, MissingDataError
from studio.data.base import Findings
from studio.data.choice import Split
from studio.data.dataset import Dataset, prepare
from studio.data.tables.dialect import Asked, first_rows
from studio.data.tables.features import Columns
from studio.data.tables.reading import read_table
from studio.data.tables.source import TableFile
from studio.data.tables.values import as_date, as_number, find_date_style, find_decimal
from studio.fields import FieldError

COLORS = ("red", "green", "blue")


def people(count: int = 60) -> list[dict[str, object]]:
    """Rows with a bit of everything; who is tall has the class 1."""
    draw = random.Random(0)
    rows = []
    for number in range(count):
        height = round(draw.uniform(1.5, 2.0), 2)
        rows.append({
            "number": number + 1, "height": height, "size": ("small", "medium", "large")[number % 3],
            "color": COLORS[draw.randrange(3)], "born": datetime.date(1960 + number % 40, 1 + number % 12, 1),
            "member": ("yes", "no")[draw.randrange(2)], "note": f"a longer text of its own about person {number}",
            "target": int(height + draw.gauss(0, 0.05) > 1.75),
        })  # fmt: skip
    return rows


def as_csv(rows: list[dict[str, object]], sign: str = ",", header: bool = True) -> str:
    lines = [sign.join(map(str, row.values())) for row in rows]
    return "\n".join([*([sign.join(rows[0])] if header else []), *lines]) + "\n"


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., TableFile]:
    """A source for a file with some content."""

    def table(content: str | bytes, name: str = "t.csv", **settings: Any) -> TableFile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return TableFile(path=str(path), **settings)

    return table


def types(found: Findings) -> dict[str, str]:
    return {column.name: column.type for column in found.columns}


def write_parquet(path: Path, rows: list[dict[str, object]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(rows), path)


def write_excel(path: Path, rows: list[dict[str, object]]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "empty"
    sheet = book.create_sheet("people")
    for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
        sheet.append(row)
    book.save(path)


def written(rows: list[dict[str, object]], path: Path) -> Path:
    match path.suffix:
        case ".parquet":
            write_parquet(path, rows)
        case ".xlsx":
            write_excel(path, rows)
        case ".jsonl":
            path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
        case ".tsv":
            path.write_text(as_csv(rows, "\t"), encoding="utf-16")
        case _:
            path.write_text(as_csv(rows).replace("\n", "\r\n"))
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".xlsx"])
def test_the_same_table_in_every_dress(tmp_path: Path, suffix: str) -> None:
    path = written(people(), tmp_path / f"t{suffix}")
    (plain,) = [source for source in (TableFile().claim(path),) if source is not None]
    found = plain.look()
    assert types(found) == {
        "number": "id", "height": "numeric", "size": "ordinal", "color": "categorical", "born": "date",
        "member": "categorical", "note": "text", "target": "categorical",
    }  # fmt: skip
    assert found.target == ("target",)
    assert found.rows == 60
    assert found.spec.features[:2] == ("height", "size")
    dataset = prepare(DataChoice(source=plain))
    expected = prepare(DataChoice(source=TableFile(path=str(written(people(), tmp_path / "u.csv")))))
    assert np.array_equal(dataset.inputs[0], expected.inputs[0])
    shown = plain.listing().show(2)
    assert dict(shown.cells)["color"] == people()[2]["color"]
    assert shown.answer == str(people()[2]["target"])


def test_a_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    path = written(people(), tmp_path / "t.xlsx")
    assert "sheet “people”" in TableFile(path=str(path)).look().summary
    with pytest.raises(DataError, match=r"has no sheet “x”. Its sheets: “empty”, “people”"):
        TableFile(path=str(path), sheet="x").look()
    with pytest.raises(DataError, match="no sheet with anything in it"):
        TableFile(path=str(path), sheet="empty").look()


@pytest.mark.parametrize(
    ("text", "separator", "header", "columns"),
    [
        ("a;b\n1,5;2\n2,5;3\n", ";", True, 2),
        ("1,2,3\n4,5,6\n", ",", False, 3),
        ("x|y\nred|1\nblue|2\n", "|", True, 2),
        ('"a, b"\t"c"\n1\t2\n3\t4\n', "\t", True, 2),
        ("name, age\nAda, 36\nAlan, 41\n", ",", True, 2),
        ("\n\na,b\n\n1,2\n", ",", True, 2),
        ("when,much\n2020-01-01,low\n2020-01-02,high\n2020-01-03,low\n", ",", True, 2),
        ("yes,no\nyes,yes\nno,yes\nno,no\n", ",", False, 2),
        ("5\n6\n7\n", "", False, 1),
    ],
)
def test_how_it_is_written_is_found_out(tmp_path: Path, text: str, separator: str, header: bool, columns: int) -> None:
    (tmp_path / "t.csv").write_text(text)
    beginning = first_rows(tmp_path / "t.csv")
    assert (beginning.dialect.separator, beginning.dialect.header) == (separator, header)
    assert len(beginning.names) == columns
    assert {len(row) for row in beginning.rows} == {columns}
    assert beginning.whole
    assert len(first_rows(tmp_path / "t.csv", Asked(header="no")).rows) == len(beginning.rows) + header


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1", 1, 1), ("-1.5e3", -1500, None), ("1,234", 1234, 1.234), ("1,234.5", 1234.5, None),
        ("1 234,5", None, 1234.5),
        ("$12.50", 12.5, None), ("12,50 €", None, 12.5), ("5 %", 5, 5), ("1_0", None, None), ("١", None, None),
        ("1e999", None, None), ("nan", None, None), ("inf", None, None), ("", None, None), ("9" * 70, None, None),
    ],
)  # fmt: skip
def test_numbers(text: str, point: float | None, comma: float | None) -> None:
    assert (as_number(text), as_number(text, ",")) == (point, comma)


def test_the_decimal_sign_is_that_of_most_numbers() -> None:
    assert find_decimal(["1,5", "2,25", "3"]) == ","
    assert find_decimal(["1,500", "2,250.75"]) == "."
    assert find_decimal(["red, blue"]) == "."


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["1949-01", "1949-02"], datetime.datetime(1949, 1, 1)),
        (["2020-03-04 05:06:07", "2020-03-05T05:06"], datetime.datetime(2020, 3, 4, 5, 6, 7)),
        (["3.4.2020", "30.4.2020"], datetime.datetime(2020, 4, 3)),
        (["4/3/2020", "4/30/2020"], datetime.datetime(2020, 4, 3)),
        (["Jan 5, 2020", "6 Feb 2020"], datetime.datetime(2020, 1, 5)),
        (["2020-01-01T00:30:00+01:00"], datetime.datetime(2019, 12, 31, 23, 30)),
        (["12/31/99 1:05 pm"], datetime.datetime(1999, 12, 31, 13, 5)),
    ],
)
def test_dates(texts: list[str], first: datetime.datetime) -> None:
    assert as_date(texts[0], find_date_style(texts)) == first


def test_no_dates() -> None:
    assert find_date_style(["2020-13-01", "red", "1.5"]) == ""
    assert as_date("31.2.2020", "day first") is None


def test_what_was_found_wrong_can_be_said(table: Callable) -> None:
    rows = [{"zip": f"{10_000 + i % 7}", "grade": "ABC"[i % 3], "y": i % 2, "extra": i * 0.5} for i in range(40)]
    source = table(as_csv(rows), types="zip: categorical\ngrade: ordinal C < B < A", ignored="extra", target="y")
    found = source.look()
    assert types(found)["zip"] == "categorical"
    assert {column.name for column in found.columns if not column.used} == {"extra"}
    dataset = prepare(DataChoice(source=source, scaling="none"))
    place = dataset.spec.features.index("grade")
    assert dataset.inputs[0][:3, place].tolist() == [2.0, 1.0, 0.0]
    for settings, said in (
        ({"types": "nose: numeric"}, "no column “nose”"),
        ({"ignored": "nose"}, "no column “nose”"),
        ({"target": "nose"}, "no column “nose” to predict"),
        ({"target": "grade", "task": "regression"}, "holds no numbers to predict"),
        ({"target": "y, grade", "task": "classification"}, "a class stands in one column, but 2 were named"),
    ):
        with pytest.raises(DataError, match=said):
            table(as_csv(rows), **settings).look()
    with pytest.raises(FieldError, match="says no type"):
        TableFile(types="zip is a number")
    with pytest.raises(FieldError, match="must not be on a network"):
        TableFile(path="//server/t.csv")


def test_marks_of_missing_values(table: Callable) -> None:
    text = "a,b,y\n" + "".join(f"{i},{i % 5},{i % 2}\n" for i in range(30)) + "?,-999,1\nNA,3,0\n,,1\n-,4,0\n"
    found = {column.name: column for column in table(text, target="y").look().columns}
    assert (found["a"].missing, found["b"].missing) == (4, 1)
    chosen = {column.name: column for column in table(text, target="y", missing="?, -999").look().columns}
    assert chosen["b"].missing == 2


def test_a_decimal_comma_and_money(table: Callable) -> None:
    text = "price;weight;y\n" + "".join(f"1.{i:03d},50 €;{i},5;{'ab'[i % 2]}\n" for i in range(30))
    found = table(text).look()
    assert types(found) == {"price": "numeric", "weight": "numeric", "y": "categorical"}
    assert found.columns[0].summary == "1,000 to 1,030, median 1,015"


@pytest.mark.parametrize(
    ("text", "target", "task", "names"),
    [
        ("x,target\n" + "".join(f"{i * 0.5},{i % 3}\n" for i in range(60)), "target", "classification",
         ("0", "1", "2")),
        ("x,target\n" + "".join(f"{i * 0.5},{i * 1.5}\n" for i in range(60)), "target", "regression", ("target",)),
        ("x,rating\n" + "".join(f"{i * 0.5},{1 + i % 5}\n" for i in range(60)), "rating", "regression", ("rating",)),
        ("x,level\n" + "".join(f"{i * 0.5},{('low', 'high', 'medium')[i % 3]}\n" for i in range(60)), "level",
         "classification", ("low", "medium", "high")),
        ("churn,x\n" + "".join(f"{'yn'[i % 2]},{i * 0.5}\n" for i in range(60)), "churn", "classification", ("n", "y")),
        ("x,c\n" + "".join(f"{i * 0.5},{i % 12}\n" for i in range(60)), "c", "regression", ("c",)),
    ],
)  # fmt: skip
def test_the_target_is_guessed(table: Callable, text: str, target: str, task: str, names: tuple[str, ...]) -> None:
    found = table(text).look()
    assert (found.target, found.spec.target.task, found.spec.target.names) == ((target,), task, names)


def labels(rows: int = 60) -> list[tuple[float, int, int, int]]:
    return [(i * 0.5, int(i % 2 == 0), int(i % 3 == 0), int(i % 5 == 0)) for i in range(rows)]


def test_several_labels_in_columns_of_their_own(table: Callable) -> None:
    text = "x,genre_a,genre_b,genre_c\n" + "".join(",".join(map(str, row)) + "\n" for row in labels())
    found = table(text).look()
    assert found.target == ("genre_a", "genre_b", "genre_c")
    assert found.spec.target.task == "multi-label"
    assert found.counts == (30, 20, 12)
    samples = table(text).load()
    assert samples.targets.dtype == np.float32
    assert samples.targets[6].tolist() == [1.0, 1.0, 0.0]


def test_dummies_are_no_labels(table: Callable) -> None:
    """Columns of which each row has exactly one are an input that somebody has already encoded."""
    rows = [(i % 7 * 0.5, *(int(i % 3 == c) for c in range(3))) for i in range(60)]
    text = "price,color_a,color_b,color_c\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    assert table(text).look().target == ("price",)


def test_several_labels_in_one_cell(table: Callable) -> None:
    names = ("drama", "comedy", "crime")
    text = "x,tags\n" + "".join(
        f"{row[0]},{' | '.join(name for name, has in zip(names, row[1:], strict=True) if has)}\n" for row in labels()
    )
    source = table(text)
    found = source.look()
    assert (found.target, found.spec.target.names) == (("tags",), tuple(sorted(names)))
    assert found.rows == 60, "a row without a label has none of them"
    assert source.load().targets[6].tolist() == [1.0, 0.0, 1.0]
    assert source.listing().show(6).answer == "comedy, drama"


def test_several_numbers(table: Callable) -> None:
    text = "x,a,b\n" + "".join(f"{i},{i * 1.5},{-i}\n" for i in range(40))
    found = table(text, target="a, b").look()
    assert (found.spec.target.task, found.spec.target.names) == ("regression", ("a", "b"))
    assert table(text, target="a, b").load().targets[4].tolist() == [6.0, -4.0]


def gaps() -> str:
    """A number, a pair and a category, of which every row of the second half has other values than the first."""
    rows = []
    for i in range(100):
        late = i >= 50
        number = "" if i % 10 == 0 else str(1000.5 + i if late else i + 0.5)
        pair = "" if i % 10 == 1 else ("no" if late or i % 7 == 0 else "yes")
        color = "" if i % 10 == 2 else ("rare" if i == 99 else ("late" if late else COLORS[i % 3]))
        rows.append({"number": number, "pair": pair, "color": color, "y": "ab"[i % 2]})
    return as_csv(rows)


def test_what_is_missing_is_learned_from_the_training_split_alone(table: Callable) -> None:
    source = table(gaps(), name="gaps.csv")
    dataset = prepare(DataChoice(source=source, split=Split(test=0.4, validation=0.3), scaling="none"))
    (learned,) = dataset.learned
    assert isinstance(learned, Columns)
    number, pair, color = learned.codes
    train = dataset.splits["train"].tolist()
    rows = [line.split(",") for line in gaps().splitlines()[1:]]
    assert number.fill == np.median([float(rows[row][0]) for row in train if rows[row][0]])
    assert number.fill != np.median([float(row[0]) for row in rows if row[0]]), "the test must be able to fail"
    shares = [rows[row][1] for row in train]
    assert pair.fill == float(shares.count("yes") > shares.count("no"))
    # Names of categories come from all rows; one that only a single row has shares a feature with unknown ones.
    assert set(color.choices) == {*COLORS, "late"}
    names = dataset.spec.features
    assert names[:4] == ("number", "number missing", "pair = yes", "pair missing")
    assert names[-2:] == ("color = other", "color missing")
    assert dataset.inputs[0][99, names.index("color = other")] == 1
    assert dataset.inputs[0][2, -1] == 1
    assert dataset.inputs[0][2, 4:-1].sum() == 0
    assert dataset.inputs[0][0, :2].tolist() == [np.float32(number.fill), 1.0]


def test_zeros_that_stand_for_nothing_are_missing_also_in_new_rows(table: Callable) -> None:
    text = "x,y\n" + "".join(f"{0 if i % 5 == 0 else i * 0.5},{'ab'[i % 2]}\n" for i in range(60))
    dataset = prepare(DataChoice(source=table(text, zeros="x"), scaling="none"))
    (learned,) = dataset.learned
    assert isinstance(learned, Columns)
    usual = dataset.inputs[0][0, 0].item()
    assert usual > 5
    assert dataset.inputs[0][[5, 6]].tolist() == [[usual, 1.0], [3.0, 0.0]]
    assert learned.apply([{"x": "0"}, {"x": "0.0"}, {"x": "3"}]).tolist() == [[usual, 1.0], [usual, 1.0], [3.0, 0.0]]


def test_only_amounts_are_scaled(table: Callable) -> None:
    dataset = prepare(DataChoice(source=table(gaps())))
    scaled = dataset.scalings[0].apply(dataset.inputs[0]).numpy()
    train = dataset.splits["train"].numpy()
    assert scaled[train, 0].mean() == pytest.approx(0, abs=1e-5)
    assert scaled[train, 0].std() == pytest.approx(1, abs=1e-4)
    assert set(np.unique(scaled[:, 1:])) == {0.0, 1.0}


def raw_rows(source: TableFile) -> list[dict[str, str]]:
    listing = source.listing()
    return [dict(listing.show(row).cells) for row in range(listing.count)]


@pytest.mark.parametrize("settings", [{}, {"zeros": "height"}, {"target": "height"}, {"most_categories": 1}])
def test_raw_rows_can_be_prepared_again(tmp_path: Path, settings: dict[str, Any]) -> None:
    source = TableFile(path=str(written(people(), tmp_path / "t.csv")), **settings)
    dataset = prepare(DataChoice(source=source))
    (learned,) = dataset.learned
    assert isinstance(learned, Columns)
    again = Columns.from_json(json.loads(json.dumps(learned.to_json())))
    assert again == learned
    assert np.array_equal(again.apply(raw_rows(source)), dataset.inputs[0].numpy())
    unknown = again.apply([{}, {"color": "violet", "height": "tall"}])
    assert unknown.shape == (2, len(again.features))
    assert np.isfinite(unknown).all()


@pytest.mark.parametrize(
    "change",
    [
        {"decimal": "x"}, {"marks": None}, {"codes": [{}]}, {"codes": [{"name": "a", "kind": "magic"}]}, {"more": 1},
        {"codes": [{"name": "a", "kind": "switch", "choices": ["x"]}]},
        {"codes": [{"name": "a", "kind": "time", "style": "any", "parts": ["year"]}]},
        {"codes": [{"name": "a", "kind": "time", "style": "year first", "parts": ["month", "year"]}]},
        {"codes": [{"name": "a", "kind": "number", "fill": math.nan}]},
        {"codes": [{"name": "a", "kind": "number", "fill": True}]},
        {"codes": [{"name": "a", "kind": "number"}, {"name": "a", "kind": "number"}]},
        {"codes": [{"name": "a", "kind": "choices", "choices": list(map(str, range(30_000)))}]},
        {"codes": [{"name": "a", "kind": "choices", "choices": [1]}]},
    ],
)  # fmt: skip
def test_what_was_written_elsewhere_is_refused(change: dict[str, Any]) -> None:
    good = {"decimal": ".", "marks": [""], "codes": [{"name": "a", "kind": "number", "fill": 1.5}]}
    assert Columns.from_json(good).features == ("a",)
    with pytest.raises(DataError, match="not written by this program"):
        Columns.from_json({**good, **change})


def test_dates_become_years_and_cycles(table: Callable) -> None:
    text = "when,y\n" + "".join(
        f"{2019 + i % 2}-{1 + i % 12:02d}-15 {i % 24:02d}:30,{'ab'[i % 2]}\n" for i in range(48)
    )
    dataset = prepare(DataChoice(source=table(text), scaling="none"))
    assert dataset.spec.features == (
        "when year", "when month sine", "when month cosine", "when weekday sine", "when weekday cosine",
        "when hour sine", "when hour cosine",
    )  # fmt: skip
    year, sine, cosine = dataset.inputs[0][3, :3].tolist()  # in April
    assert (year, sine) == (2020.0, pytest.approx(1.0))
    assert cosine == pytest.approx(0.0, abs=1e-6)
    assert dataset.inputs[0][6, 5:].tolist() == pytest.approx(
        [math.sin(2 * math.pi * 6.5 / 24), math.cos(2 * math.pi * 6.5 / 24)]
    )


def test_rows_without_a_target_are_left_out(table: Callable) -> None:
    text = "x,y\n" + "".join(f"{i},{'' if i % 4 == 0 else 'ab'[i % 2]}\n" for i in range(40))
    source = table(text, target="y")
    found = source.look()
    assert (found.rows, sum(found.counts)) == (30, 30)
    assert "10 rows have nothing there and are left out" in found.summary
    listing = source.listing()
    assert (listing.count, listing.show(0).title) == (30, "line 3")


def problem(found: Findings, said: str) -> Any:
    (one,) = [problem for problem in found.problems if said in problem.message]
    return one


def test_leaks_constants_and_copies_are_told_and_mended(table: Callable) -> None:
    rows = [{"x": i * 0.5, "same": 7, "code": f"c{i % 3}", "twice": (i % 3) * 2, "y": "abc"[i % 3]} for i in range(60)]
    source = table(as_csv([*rows, rows[4], rows[5]]))
    found = source.look()
    leak = problem(found, "“code” alone tells “y”")
    assert {column.name for column in leak.remedies[0].source.look().columns if not column.used} == {"code"}
    assert "“same” has the same value in every row" in problem(found, "same value").message
    copies = problem(found, "2 of 62 rows are the same")
    assert copies.remedies[0].exclude == copies.samples == (60, 61)


def test_a_number_that_follows_from_another_one_is_told(table: Callable) -> None:
    text = "euros,x,price\n" + "".join(f"{i * 2 + 1},{i % 7},{i * 3.5}\n" for i in range(40))
    assert "“euros” alone tells “price”" in problem(table(text).look(), "alone tells").message


def test_rare_classes_are_told(table: Callable) -> None:
    text = "x,y\n" + "".join(f"{i * 0.5},{'rare' if i % 50 == 0 else 'usual'}\n" for i in range(100))
    found = problem(table(text).look(), "far from equally frequent")
    assert found.remedies[0].balanced


def test_a_fault_is_told_with_its_line(table: Callable) -> None:
    text = "x,y\n" + "".join(f"{'oops' if i == 7 else i * 0.5},{'ab'[i % 2]}\n" for i in range(60))
    found = problem(table(text).look(), "no numbers")
    assert "“oops” in line 9" in found.message
    assert found.samples == (7,)
    assert not [p for p in found.remedies[0].source.look().problems if "no numbers" in p.message]


def test_rows_of_another_length_are_told_with_their_lines(table: Callable) -> None:
    text = "x,z,y\n" + "".join(f"{i * 0.5},{i},{'ab'[i % 2]}\n" for i in range(60)) + "1,2\n1,2,a,4\n1,2,a,,\n"
    assert (
        "2 rows have more or fewer cells than the 3 columns, the first in line 62, 63"
        in problem(table(text, target="y").look(), "more or fewer").message
    )


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(people(), tmp_path / "t.csv")
    assert read_table(path) is read_table(path)
    first = read_table(path)
    written(people(61), path)
    assert read_table(path) is not first
    assert read_table(path).rows == 61


def test_without_a_file_it_says_so(tmp_path: Path) -> None:
    for source in (TableFile(), TableFile(path=str(tmp_path / "none.csv")), TableFile(path=str(tmp_path))):
        with pytest.raises(MissingDataError, match="table"):
            source.look()
    assert TableFile().spec.target.size == 0


def dataset_of(source: TableFile) -> Dataset:
    return prepare(DataChoice(source=source))


def test_the_same_table_has_the_same_fingerprint(tmp_path: Path) -> None:
    first = TableFile(path=str(written(people(), tmp_path / "a.csv")))
    same = TableFile(path=str(written(people(), tmp_path / "b.parquet")))
    assert dataset_of(first).fingerprint == dataset_of(same).fingerprint
    renamed = [{("tone" if name == "color" else name): value for name, value in row.items()} for row in people()]
    other = TableFile(path=str(written(renamed, tmp_path / "c.csv")))
    assert dataset_of(other).fingerprint != dataset_of(first).fingerprint
