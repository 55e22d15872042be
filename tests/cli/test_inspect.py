"""studio inspect, and files of the person's own after --data."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.data import unpacked
from studio.data.bundled import Digits
from studio.data.transforms.pictures import FlipHorizontally, RandomShift
from studio.project import read_project


def test_a_file_of_texts_is_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "mails.csv"
    table.write_text("label,text\n" + "good,see you there tonight\nbad,win a free prize now\n" * 20)
    assert main(["inspect", str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "text-files"
    assert (found["task"], found["classes"]) == ("classification", ["bad", "good"])
    assert set(found) >= {"kind", "rows", "columns", "target", "task", "classes", "problems"}


def test_a_built_in_dataset_is_told_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "digits", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["target"], found["problems"]) == (1797, "class", [])
    assert (len(found["classes"]), sum(found["counts"])) == (10, 1797)
    assert [column["type"] for column in found["columns"]] == ["image", "categorical"]
    assert all(column["summary"] for column in found["columns"])


def test_copies_and_rare_classes_are_told_unless_it_must_be_quick(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "mails.csv"
    table.write_text("label,text\n" + "good,see you there tonight\n" * 60 + "bad\x1b[1m,win a free prize now\n" * 12)
    assert main(["inspect", str(table), "--json"]) == 0
    messages = " ".join(problem["message"] for problem in json.loads(capsys.readouterr().out)["problems"])
    assert "by heart" in messages
    assert "uneven" in messages
    assert main(["inspect", str(table), "--json", "--quick"]) == 0
    (few,) = json.loads(capsys.readouterr().out)["problems"]
    assert "11 different words" in few["message"]
    assert main(["inspect", str(table)]) == 0
    printed = capsys.readouterr().out
    assert "warning: Classes are uneven" in printed
    assert "[Draw rare classes as often as frequent ones]" in printed
    assert "\x1b" not in printed


def test_check_does_not_read_a_dataset_whose_shapes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Digits, "load", None)
    assert main(["check", "--template", "digits-mlp"]) == 0


@pytest.mark.parametrize("data", ["no-such-dataset", "nothing.bin"])
def test_what_nobody_can_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nothing.bin").write_bytes(bytes(range(256)))
    assert main(["inspect", data]) == 2
    message = capsys.readouterr().err
    assert data in message
    assert "digits" in message or "What can" in message


def test_settings_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "xor", "--set", "noise=99"]) == 2
    assert "noise" in capsys.readouterr().err


def test_a_network_is_proposed_and_trained(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    assert main(["train", "--data", "iris", "--epochs", "12", "--device", "cpu", "--run-dir", run, "--json"]) == 0
    said = capsys.readouterr()
    assert "Proposed network: Input, Dense" in said.err
    finished = json.loads(said.out.splitlines()[-1])
    assert finished["metrics"]["validation"]["accuracy"] > finished["baseline"]["validation"]["accuracy"] + 0.2


def test_without_project_and_data_it_is_said_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train"]) == 2
    assert "--data PATH" in capsys.readouterr().err


def test_a_template_is_fitted_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "mails.csv"
    rows = ("good,see you there tonight", "bad,win a free prize now", "odd,what is this about then")
    table.write_text("label,text\n" + "\n".join(rows * 20))
    assert main(["check", "--template", "text-cnn", "--data", str(table), "--json"]) == 0
    blocks = json.loads(capsys.readouterr().out)["blocks"]
    assert blocks[-1]["inputs"] == ["N, 3 D"]


@pytest.mark.parametrize("named", [".", "tinyshakespeare.txt"])
def test_a_known_dataset_is_read_where_it_was_pointed_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    (tmp_path / "tinyshakespeare.txt").write_text("First Citizen:\nBefore we proceed any further, hear me speak.\n" * 9)
    command = [
        "train",
        "--data",
        str(tmp_path / named),
        "--set",
        "length=20",
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--json",
    ]
    assert main([*command, "--run-dir", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["samples"]["test"] == 4


def test_samples_are_augmented_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["train", "--template", "digits-mlp", "--epochs", "1", "--device", "cpu", "--run-dir", str(tmp_path / "run")]
    changes = ["--augment", "shift:pixels=1", "--augment", "flip_horizontally"]
    assert main([*run, "--json", *changes]) == 0
    kept = read_project(tmp_path / "run" / "project.json").data.transforms
    assert kept == (RandomShift(pixels=1), FlipHorizontally())
    for wrong, message in (
        ("sparkle", "sparkle"), ("shift:pixels=many", "“many” is no value for pixels"), ("shift:x=1", "fields: pixels"),
        ("token_dropout", "is for texts"),
    ):  # fmt: skip
        assert main([*run[:-1], str(tmp_path / "other"), "--augment", wrong]) == 2
        assert message in capsys.readouterr().err
    assert main(["list", "transforms"]) == 0
    assert "Flip left and right" in capsys.readouterr().out


def test_an_archive_is_inspected_trained_on_and_opened_again_after_the_cache_was_cleared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_CACHE", str(tmp_path / "cache"))
    archive = tmp_path / "flowers.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("garden/flowers.csv", "length,width,species\n" + "1.5,2.5,rose\n3.5,0.5,tulip\n" * 20)
        packed.writestr("bad\nname", "x")
    assert main(["inspect", str(archive), "--json", "--quick"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["rows"], found["target"]) == ("table", 40, "species")
    assert any("names that no file should have" in problem["message"] for problem in found["problems"])
    run = ["train", "--epochs", "1", "--device", "cpu", "--json"]
    assert main([*run, "--data", str(archive), "--run-dir", str(tmp_path / "run")]) == 0
    project = tmp_path / "run" / "project.json"
    place = read_project(project).data.source.place
    assert place == (archive / "garden" / "flowers.csv").as_posix()
    unpacked.clear()
    assert main([*run, str(project), "--run-dir", str(tmp_path / "again")]) == 0
    unpacked.clear()
    archive.unlink()
    capsys.readouterr()
    assert main([*run, str(project), "--run-dir", str(tmp_path / "third")]) == 2
    assert "flowers.zip" in capsys.readouterr().err


def test_a_folder_of_a_known_dataset_is_inspected_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tinyshakespeare.txt").write_text(
        "First Citizen:\nBefore we proceed any further, hear me speak.\n" * 90
    )
    for place in (tmp_path, tmp_path / "tinyshakespeare.txt"):
        assert main(["inspect", str(place), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["kind"], found["rows"]) == ("tiny-shakespeare", 84)
