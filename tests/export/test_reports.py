"""Reports, figures, pictures and event files of runs."""

from __future__ import annotations

import csv
import json
import shutil
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.data.base import DataError
from studio.export import facts as facts_module
from studio.export import tensorboard
from studio.export.apart import export_beside
from studio.export.facts import Facts, Source, find, gather
from studio.export.formats import ExportError
from studio.export.report.content import report_sections
from studio.export.report.html import page
from studio.export.report.parts import Picture, Table, Text
from studio.export.report.write import check_page, write_html
from studio.export.write import export
from studio.training.checkpoint import read_checkpoint
from studio.training.events import Finished

HOSTILE = '<script>alert(1)</script> & "x" $\\frac{1}{2}$ \'=1+1'


@pytest.fixture(scope="module")
def source(trained: Finished) -> Source:
    return find(Path(trained.run))


@pytest.fixture(scope="module")
def gathered(source: Source) -> Facts:
    return gather(source, read_checkpoint(source.checkpoint_file))[0]


def tables(facts: Facts) -> Iterator[Table]:
    for section in report_sections(facts):
        yield from (part for part in section.parts if isinstance(part, Table))


def test_the_page_tells_of_the_run_and_fetches_nothing(source: Source, gathered: Facts, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(source.checkpoint_file)
    hostile = replace(checkpoint, project=replace(checkpoint.project, title=HOSTILE, notes=HOSTILE))
    write_html(source, hostile, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    check_page(text)
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "alert(1)" in text  # escaped, not left out
    assert text.count("<svg") >= 6  # network, curves, confusion, calibration, ROC, precision and recall
    assert "1,300" in text
    assert f"{gathered.run.metrics['test']['accuracy']:.1%}" in text
    assert str(source.path) not in text


@pytest.mark.parametrize("bad", [
    "<p onclick='x()'>", "<img src='http://a.example/x.png'>", "<script>1</script>", "<div><p></div>", "<p>",
    "<a href='javascript:x()'>x</a>",
])  # fmt: skip
def test_a_page_that_is_not_as_it_should_be_is_refused(bad: str) -> None:
    with pytest.raises(ExportError, match="Nothing was written"):
        check_page(page("A title", [], "").replace("</main>", f"{bad}</main>"))


def test_figures_are_those_of_the_run(gathered: Facts) -> None:
    result = next(tables(gathered))
    rows = {row[0]: row for row in result.rows}
    accuracy = result.head.index("Accuracy")
    metrics = gathered.run.metrics
    for split in ("validation", "test"):
        value = f"{metrics[split]['accuracy']:.1%}"
        assert rows[split.capitalize()][accuracy].startswith(f"{value} (")  # with an interval
    assert rows["Test, without looking"][accuracy] == f"{gathered.run.baseline['test']['accuracy']:.1%}"
    assert gathered.report is not None
    assert gathered.report.figures["accuracy"].value == pytest.approx(metrics["validation"]["accuracy"], abs=1e-6)


def test_what_differs_is_told(gathered: Facts) -> None:
    settings = next(table for table in tables(gathered) if table.head == ("Setting", "Here", "Usually"))
    assert ("Epochs", "2", "10") in settings.rows
    assert all(here != usual for _, here, usual in settings.rows)


def test_changes_health_and_breaks_are_told(gathered: Facts) -> None:
    change = {"epoch": 2, "step": 30, "name": "optimizer.learning_rate", "before": 0.1, "after": HOSTILE}
    finding = {"title": "It stands still", "evidence": HOSTILE, "advice": "", "name": "relu_1"}
    record = {**gathered.run.record, "changes": [change, "odd", 3], "findings": [finding], "resumed_at": [30, "odd"]}
    told = replace(gathered, runs=(replace(gathered.run, record=record),))
    parts = [part for section in report_sections(told) for part in section.parts]
    assert Text("It went on after a break at step 30.") in parts
    assert Text(f"relu_1: It stands still {HOSTILE}") in parts
    rows = [row for part in parts if isinstance(part, Table) for row in part.rows]
    assert ("2", "30", "optimizer.learning_rate", "0.1", HOSTILE) in rows
    check_page(page("A title", report_sections(told), ""))


def test_without_the_data_the_report_says_so(source: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def gone(*_args: Any) -> None:
        raise DataError("The files are gone.")

    monkeypatch.setattr(facts_module, "made_ready", gone)
    told = export(source.path, "report", tmp_path / "report.html")
    assert "The files are gone." in told
    text = (tmp_path / "report.html").read_text()
    assert "How many samples there were is not known: The files are gone." in text
    assert "Accuracy" in text  # what the run left


def test_a_pdf_and_pictures_are_written(source: Source, gathered: Facts, tmp_path: Path) -> None:
    export(source.path, "report-pdf", tmp_path / "report.pdf")
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page ") >= 3
    export(source.path, "plots", tmp_path / "plots")
    pictures = [p for section in report_sections(gathered) for p in section.parts if isinstance(p, Picture)]
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {picture.name for picture in pictures}
    svg = (tmp_path / "plots" / "curve-loss.svg").read_text()
    assert "validation" in svg  # letters stay letters
    with pytest.raises(ExportError, match="is there already"):
        export(source.path, "plots", tmp_path / "plots")


@pytest.fixture(scope="module")
def group(trained: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group of two runs, the second of which was stopped earlier and has names that a spreadsheet would run."""
    folder = tmp_path_factory.mktemp("group")
    for number in (1, 2):
        shutil.copytree(trained.run, folder / f"run-{number}", ignore=shutil.ignore_patterns("exports"))
    rows = (folder / "run-2" / "metrics.jsonl").read_text().splitlines()
    (folder / "run-2" / "metrics.jsonl").write_text(f"{rows[0]}\nhalf a li")
    record = json.loads((folder / "run-1" / "run.json").read_text())
    metrics = record["result"]["metrics"]
    members = [{"folder": "../../elsewhere", "title": title} for title in ("seed 0", "=cmd()")]
    written = {"runs": members, "mean": metrics, "deviation": {"validation": {"loss": 0.125}}}
    (folder / "group.json").write_text(json.dumps(written))
    return folder


def test_of_several_runs_the_spread_is_shown(group: Path, tmp_path: Path) -> None:
    export(group, "report", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "validation, mean of 2 runs" in text
    assert "± 0.125" in text
    assert "PolyCollection" in text or "fill-opacity: 0.2" in text  # the band


def test_the_table_has_all_epochs_and_no_formulas(group: Path, trained: Finished, tmp_path: Path) -> None:
    export(group, "metrics", tmp_path / "figures.csv")
    with open(tmp_path / "figures.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], row["epoch"]) for row in rows] == [("seed 0", "1"), ("seed 0", "2"), ("'=cmd()", "1")]
    first = json.loads((Path(trained.run) / "metrics.jsonl").read_text().splitlines()[0])
    assert float(rows[0]["validation loss"]) == first["validation"]["loss"]
    assert float(rows[0]["train accuracy"]) == first["train"]["accuracy"]


def test_what_another_process_says_is_told(trained: Finished, tmp_path: Path) -> None:
    words: list[str] = []
    told = export_beside(Path(trained.run), "metrics", tmp_path / "f.csv", {"digits": tmp_path}, words.append)
    assert told == f"Wrote {tmp_path / 'f.csv'}: 2 rows."
    with pytest.raises(ExportError, match="is a folder"):
        export_beside(Path(trained.run), "metrics", tmp_path, None, None)


def test_a_folder_without_figures_is_refused(trained: Finished, tmp_path: Path) -> None:
    shutil.copy(trained.checkpoint, tmp_path / "alone.pt")
    for kind in ("metrics", "tensorboard"):
        with pytest.raises(ExportError, match="no figures"):
            export(tmp_path / "alone.pt", kind, tmp_path / kind)
        assert not (tmp_path / kind).exists()


def records(content: bytes) -> Iterator[bytes]:
    """The data of each record; the checksums are checked against a slow computation of their own."""
    place = 0
    while place < len(content):
        head = content[place : place + 8]
        (size,) = struct.unpack("<Q", head)
        data = content[place + 12 : place + 12 + size]
        sums = content[place + 8 : place + 12], content[place + 12 + size : place + 16 + size]
        assert sums == (masked(head), masked(data))
        yield data
        place += 16 + size


def masked(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def test_checksums_are_those_of_the_standard() -> None:
    assert tensorboard._crc32c(b"123456789") == 0xE3069283  # RFC 3720 and others: the check value of CRC-32C
    assert tensorboard._crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def test_event_files_hold_the_figures(trained: Finished, tmp_path: Path) -> None:
    export(Path(trained.run), "tensorboard", tmp_path / "events")
    (file,) = (tmp_path / "events" / "validation").iterdir()
    found = list(records(file.read_bytes()))
    assert b"brain.Event:2" in found[0]
    rows = [json.loads(line) for line in (Path(trained.run) / "metrics.jsonl").read_text().splitlines()]
    values = [value for row in rows for value in row["validation"].values()]
    assert [struct.unpack("<f", data[-4:])[0] for data in found[1:]] == pytest.approx(values, rel=1e-6)
    assert b"\x0a\x04loss" in found[1]


def test_tensorboard_reads_them(trained: Finished, tmp_path: Path) -> None:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is not installed"
    )
    export(Path(trained.run), "tensorboard", tmp_path / "events")
    read = accumulator.EventAccumulator(str(tmp_path / "events" / "train"))
    read.Reload()
    rows = [json.loads(line) for line in (Path(trained.run) / "metrics.jsonl").read_text().splitlines()]
    assert [(e.step, e.value) for e in read.Scalars("loss")] == [
        (row["step"], pytest.approx(row["train"]["loss"], rel=1e-6)) for row in rows
    ]
    assert "settings" in "".join(read.Tags()["tensors"])
