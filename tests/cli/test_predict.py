"""studio predict: files, folders, rows and texts in; lines, JSON or a table out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.cli.main import main
from studio.data.bundled import Digits, Iris
from studio.data.texts.sources import TextFiles
from studio.evaluation.answer_table import guarded
from studio.training.checkpoint import write_checkpoint
from tests.evaluation.untrained import untrained


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("digits"), Digits())


def saved(folder: Path, source: Digits | Iris | TextFiles) -> Path:
    write_checkpoint(folder / "net.pt", untrained(source).checkpoint)
    return folder / "net.pt"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    images = Digits().load().inputs[0]
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    for number in range(4):
        pixels = np.rint(images[number, 0] * (255 / 16)).astype(np.uint8)
        place = tmp_path / "pictures" / ("more" if number > 2 else "")
        Image.fromarray(pixels).save(place / f"={number}.png")
    (tmp_path / "pictures" / "=1b.png").write_bytes(b"no picture")
    (tmp_path / "pictures" / "notes.txt").write_text("not looked at")
    return tmp_path / "pictures"


def test_a_folder_is_answered_though_a_file_in_it_is_broken(
    digits: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(digits), str(pictures), "--top", "2"]) == 1
    told = capsys.readouterr()
    lines = told.out.splitlines()
    names = [line.partition(": ")[0].removeprefix(f"{pictures}/") for line in lines]
    assert names == ["=0.png", "=1.png", "=2.png", "more/=3.png"]
    assert all(line.count("%") == 2 for line in lines)
    assert told.err == f"studio: {pictures}/=1b.png is no picture, or its beginning is damaged.\n"
    assert main(["predict", str(digits), str(pictures / "=0.png")]) == 0


def test_json_and_the_table_tell_the_same(
    digits: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(digits), str(pictures), "--json", "--top", "10"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    table = tmp_path / "answers.csv"
    assert main(["predict", str(digits), str(pictures), "-o", str(table)]) == 1
    assert "4 answers" in capsys.readouterr().out
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for line, row in zip(told, rows, strict=True):
        assert row["input"] == line["input"]
        assert row["error"] == line.get("error", "")
        for entry in line.get("classes", []):
            assert float(row[entry["name"]]) == pytest.approx(entry["probability"], rel=1e-5)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert guarded(f"a{text}") == f"a{text}"


def test_rows_come_from_tables_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = saved(tmp_path, Iris())
    header = "petal length,petal width,sepal width,sepal length,species"
    rows = f"{header}\n1.4,0.2,3.5,5.1,setosa\n4.7,far,3.2,7.0,versicolor\n6.0,2.5,3.3,6.3,virginica\n"
    (tmp_path / "flowers.csv").write_text(rows)
    assert main(["predict", str(network), str(tmp_path / "flowers.csv"), "--json"]) == 1
    from_file = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["input"].rpartition(", ")[2] for line in from_file] == ["line 2", "line 3", "line 4"]
    assert "“petal width” must be a number, not “far”" in from_file[1]["error"]
    monkeypatch.setattr("sys.stdin", io.StringIO(rows))
    assert main(["predict", str(network), "-", "--json"]) == 1
    from_stdin = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("classes") for line in from_stdin] == [line.get("classes") for line in from_file]
    (tmp_path / "other.csv").write_text("a,b\n1,2\n3,4\n")
    assert main(["predict", str(network), str(tmp_path / "other.csv")]) == 1
    assert "These columns are missing: “sepal length”" in capsys.readouterr().err


def test_texts_come_from_options_lines_files_and_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{'good' if i % 2 else 'bad'} film number {i}" for i in range(30)]
    table = tmp_path / "films.csv"
    table.write_text("text,label\n" + "\n".join(f"{line},{line.split()[0]}" for line in lines))
    network = saved(tmp_path, TextFiles(path=table.as_posix(), vocabulary=60, max_length=5))
    (tmp_path / "one.txt").write_text(lines[0])
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{lines[0]}\n\n"))
    given = [str(tmp_path / "one.txt"), "-", str(table), "--column", "text", "--text", lines[0]]
    assert main(["predict", str(network), *given, "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("error") for line in told[:4]] == [None, None, None, "The text is empty."]
    same = [told[0], told[1], told[2], told[4]]
    assert len({line["classes"][0]["probability"] for line in same}) == 1
    assert len(told) == 4 + len(lines)
    assert main(["predict", str(network), str(table)]) == 1
    assert "Name the column of its texts with --column: “text”, “label”" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Nothing to answer"),
        (["--text", "hello", "--column", "text"], "--column is for networks that take a text"),
        (["--text", "hello", "--top", "0"], "--top must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(
    digits: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(digits), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_photographed_digit_is_made_to_look_like_the_samples(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = np.full((300, 200), 230, np.uint8)
    photo[40:200, 90:110] = 20
    Image.fromarray(photo).save(tmp_path / "one.png")
    assert main(["predict", str(digits), str(tmp_path / "one.png"), "--drawing", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    assert main(["predict", str(digits), str(tmp_path / "one.png"), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert drawn["classes"] != plain["classes"]
