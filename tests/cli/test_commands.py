"""The command line as people and scripts use it: output, exit codes, messages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from studio.__main__ import main
from studio.data import DataChoice
from studio.data import registry as datasets
from studio.data.marks import Later, Relabelled
from studio.export.formats import FORMATS
from studio.project import Project, read_project, read_template, write_project
from studio.training.places.mailbox import mailboxes
from tests.data.test_download import Server, server  # noqa: F401  (a fixture)
from tests.helpers import block, chain
from tests.training.pretrained_files import content_of, digits_project, learned, offer

MNIST = Path("../shared/data/mnist")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TRAINING_STUDIO_CACHE", str(tmp_path / "cache"))


def json_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_train_with_json_ends_with_the_promised_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = tmp_path / "run"
    assert main(["train", "--template", "iris-mlp", "--epochs", "2", "--json", "--run-dir", str(run_dir)]) == 0
    lines = json_lines(capsys.readouterr().out)
    story = [line["event"] for line in lines if line["event"] not in ("progress", "confusion", "health")]
    assert story == ["started", "epoch", "epoch", "finished"]
    last = lines[-1]
    assert last["status"] == "finished"
    assert last["parameters"] == 131
    assert set(last["metrics"]["test"]) == {"loss", "accuracy", "balanced_accuracy", "f1", "auroc"}
    assert last["run"] == str(run_dir)
    assert Path(last["checkpoint"]).is_file()
    assert last["seconds"] > 0


def test_train_prints_a_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--template", "iris-mlp", "--epochs", "2", "--run-dir", str(tmp_path / "run")]) == 0
    output = capsys.readouterr()
    assert "finished after 2 epochs" in output.out
    assert "test" in output.out
    assert "epoch 2: loss" in output.err


def test_overrides_reach_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--epochs", "1", "--batch-size", "54", "--lr", "0.5", "--seed", "7", "--device", "cpu"]
    assert main(["train", "--template", "iris-mlp", *options, "--json", "--run-dir", str(tmp_path / "run")]) == 0
    assert json_lines(capsys.readouterr().out)[0]["steps_per_epoch"] == 2
    training = json.loads((tmp_path / "run" / "project.json").read_text())["training"]
    assert (training["seed"], training["device"]) == (7, "cpu")
    assert training["optimizer"]["fields"]["learning_rate"] == 0.5


def test_another_dataset_sets_the_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "p.studio.json"
    write_project(project, read_template("iris-mlp"))
    assert main(["check", str(project), "--data", "wine", "--json"]) == 0
    blocks = json.loads(capsys.readouterr().out)["blocks"]
    assert blocks[0]["outputs"] == ["N, 13 D"]


def test_check_lists_blocks_and_totals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--template", "mnist-cnn", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["parameters"] == 208_982
    assert sum(block["parameters"] for block in report["blocks"]) == 208_982
    assert report["problems"] == []
    assert main(["check", "--template", "mnist-cnn"]) == 0
    assert "208,982 parameters" in capsys.readouterr().out


def test_check_tells_what_was_said_of_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = read_template("digits-mlp")
    data = project.data.given([Relabelled(3, "4", "0" * 32)]).noted([Later(1), Later(2)])
    write_project(tmp_path / "p.studio.json", replace(project, data=data))
    assert main(["check", str(tmp_path / "p.studio.json")]) == 0
    assert "1 sample given another class by hand\n2 samples to look at later\n" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "p.studio.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["relabelled"] == 1


def test_check_returns_1_for_a_network_that_cannot_be_trained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--template", "digits-cnn", "--data", "cifar10", "--json"]) == 0
    capsys.readouterr()
    assert main(["check", "--template", "digits-cnn", "--data", "wine", "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert problems[0]["severity"] == "error"
    assert "(N, 13 D)" in problems[0]["message"]


@pytest.mark.parametrize("what", ["blocks", "datasets", "optimizers", "templates", "devices"])
def test_lists_name_what_there_is(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what, "--json"]) == 0
    items = json.loads(capsys.readouterr().out)
    assert {"name", "title", "about"} <= set(items[0])
    assert main(["list", what]) == 0
    printed = capsys.readouterr().out
    assert all(item["name"] in printed for item in items)
    expected = {
        "blocks": "conv2d",
        "datasets": "mnist",
        "optimizers": "adamw",
        "templates": "digits-cnn",
        "devices": "cpu",
    }[what]
    assert expected in [item["name"] for item in items]


def test_export_writes_a_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of the weights, one that takes the run, one that is a folder; each has tests of its own in tests/export."""
    main(["train", "--template", "iris-mlp", "--epochs", "1", "--run-dir", str(tmp_path / "run")])
    for kind in ("state-dict", "metrics", "tensorboard"):
        target = tmp_path / f"{kind}{FORMATS[kind].suffix}"
        assert main(["export", str(tmp_path / "run"), "--format", kind, "-o", str(target)]) == 0
        assert str(target) in capsys.readouterr().out
        assert target.stat().st_size > 100


BAD_COMMANDS = {
    "missing project": (["train", "nowhere.studio.json"], "There is no file"),
    "unknown template": (["train", "--template", "nope"], "no template “nope”"),
    "unknown dataset": (["train", "--template", "iris-mlp", "--data", "irsi"], "Did you mean “iris”"),
    "bad epochs": (["train", "--template", "iris-mlp", "--epochs", "0"], "epochs must be at least 1"),
    "bad rate": (["train", "--template", "iris-mlp", "--lr", "nan"], "learning rate must be finite"),
    "missing data folder": (["train", "--template", "mnist-cnn", "--data-dir", "nowhere"], "nowhere"),
    "data not downloaded": (["train", "--template", "mnist-cnn"], "MNIST"),
    "wrong data": (["train", "--template", "digits-cnn", "--data", "iris"], "cannot be trained"),
    "no run": (["export", "nowhere", "--format", "python", "-o", "x.py"], "no checkpoint"),
}


@pytest.mark.parametrize("name", list(BAD_COMMANDS))
def test_bad_input_is_one_clear_message_and_exit_code_2(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD_COMMANDS[name]
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err
    assert "Traceback" not in output.err
    assert not list(tmp_path.rglob("*.pt"))


def test_a_cut_project_file_is_refused_and_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "p.studio.json"
    write_project(project, read_template("iris-mlp"))
    cut = project.read_bytes()[:-40]
    project.write_bytes(cut)
    assert main(["train", str(project)]) == 2
    assert "not a whole JSON file" in capsys.readouterr().err
    assert project.read_bytes() == cut


def test_without_a_screen_the_window_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert main([]) == 2
    assert "studio train" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("place", ["thread", "process"])
def test_an_interrupt_stops_the_run_and_keeps_the_checkpoint(tmp_path: Path, place: str) -> None:
    with endless_run(tmp_path / "run", place) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["event"] != "epoch":
            pass
        process.send_signal(signal.SIGINT)
        lines = json_lines(process.stdout.read())
    assert process.returncode == 0
    assert lines[-1]["status"] == "stopped"
    assert Path(lines[-1]["checkpoint"]).is_file()
    assert mailboxes() == []


def endless_run(folder: Path, place: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "studio", "train", "--template", "digits-mlp", "--epochs", "100000", "--json"]
    return subprocess.Popen(
        [*command, "--run-dir", str(folder), "--on", place],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_a_run_outlives_the_command_and_is_stopped_by_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop"]) == 2
    assert "No run goes on" in capsys.readouterr().err
    with endless_run(tmp_path / "run", "process") as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["event"] != "epoch":
            pass
        process.kill()
    assert main(["stop", str(tmp_path / "elsewhere")]) == 2
    assert main(["stop", str(tmp_path / "run")]) == 0
    assert "stopped after" in capsys.readouterr().out
    assert (tmp_path / "run" / "checkpoints" / "best.pt").is_file()
    assert mailboxes() == []


@pytest.mark.skipif(not MNIST.is_dir(), reason="the real MNIST files are not beside the project")
def test_mnist_trains_from_its_original_files_and_leaves_them_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in MNIST.iterdir())
    options = ["--data-dir", str(MNIST), "--run-dir", str(tmp_path / "run"), "--epochs", "1", "--json"]
    assert main(["train", "--template", "mnist-cnn", *options]) == 0
    finished = json_lines(capsys.readouterr().out)[-1]
    assert finished["epochs"] == 1
    assert finished["metrics"]["test"]["accuracy"] >= 0.97
    assert sorted((path.name, path.stat().st_mtime_ns) for path in MNIST.iterdir()) == before


def test_learned_weights_are_fetched_only_if_one_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    server: Server,  # noqa: F811
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    content = content_of(learned())
    file = offer(monkeypatch, content, server.url)
    server.files[file.path.name] = content
    project, run_dir = tmp_path / "p.studio.json", tmp_path / "run"
    write_project(project, digits_project())
    train = ["train", str(project), "--json", "--run-dir", str(run_dir)]
    assert main(train) == 2
    assert "The learned weights of mobilenet_v3_small are not on this machine" in capsys.readouterr().err
    assert server.asked == []
    assert not run_dir.exists()
    server.cut.add(file.path.name)
    assert main([*train, "--download"]) == 2
    assert "SHA-256 differs" in capsys.readouterr().err
    server.cut.clear()
    assert main([*train, "--download"]) == 0
    assert json_lines(capsys.readouterr().out)[0]["weights"] == "the ImageNet weights of mobilenet_v3_small"
    assert len(server.asked) == 2


def text_project(path: Path) -> Path:
    """A network for two classes of texts, saved."""
    graph = chain(
        block("input", shape=(200,), values="tokens"), block("embedding", features=4), block("global_average_pool"),
        block("dense", units=2), block("output"),
    )  # fmt: skip
    write_project(path, Project(graph))
    return path


def test_texts_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, table = text_project(tmp_path / "p.studio.json"), tmp_path / "t.tsv"
    table.write_text("".join(f"a text of number {i}\t{'ab'[i % 2]}\n" for i in range(40)))
    data = ["--data", "text-files", "--data-dir", str(table), "--set", "max_length=7", "--set", "vocabulary=20"]
    assert main(["check", str(project), *data, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["blocks"][0]["outputs"] == ["N, 7 L"]
    run_dir = tmp_path / "run"
    assert main(["train", str(project), *data, "--epochs", "1", "--json", "--run-dir", str(run_dir)]) == 0
    assert json_lines(capsys.readouterr().out)[0]["samples"] == {"train": 28, "validation": 6, "test": 6}
    kept = json.loads((run_dir / "project.json").read_text())["data"]
    assert (kept["fields"]["path"], kept["fields"]["max_length"]) == (str(table), 7)
    again = ["train", str(run_dir / "project.json"), "--epochs", "1", "--json", "--run-dir", str(tmp_path / "again")]
    assert main(again) == 0  # the project knows its texts


def test_what_is_wrong_with_texts_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, table = text_project(tmp_path / "p.studio.json"), tmp_path / "t.tsv"
    table.write_text("".join(f"a text of number {i}\t{'abc'[i % 3]}\n" for i in range(42)))
    assert main(["check", str(project), "--data", "text-files"]) == 0
    assert "No texts were chosen yet" in capsys.readouterr().err
    given = ["--data", "text-files", "--data-dir", str(table), "--json"]
    assert main(["check", str(project), *given]) == 0  # the last layer is fitted to other data
    assert json.loads(capsys.readouterr().out)["blocks"][-1]["inputs"] == ["N, 3 D"]
    own = read_project(project)
    write_project(project, replace(own, data=DataChoice(source=datasets.get("text-files")(path=str(table)))))
    assert main(["check", str(project), "--json"]) == 1  # but not to the data that the project was saved with
    assert "3 classes" in json.loads(capsys.readouterr().out)["problems"][0]["message"]
    for setting, message in (
        ("length=3", "“length=3” is no setting of Text files. Write FIELD=VALUE; its fields: tokens, vocabulary"),
        ("max_length", "Write FIELD=VALUE"),
        ("max_length=long", "“long” is no value for max_length"),
        ("max_length=0", "max length must be at least 1"),
        ("tokens=letters", "must be one of words, byte-pair, word pieces, characters"),
        ("header=", "must be one of"),
    ):
        assert main(["check", str(project), "--data", "text-files", "--set", setting]) == 2
        assert message in capsys.readouterr().err
    assert main(["train", str(project), "--data", "text-files", "--data-dir", str(tmp_path / "gone.csv")]) == 2
    assert "There are no texts at" in capsys.readouterr().err


def test_folds_are_trained_one_after_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["train", "--template", "iris-mlp", "--epochs", "1", "--folds", "2", "--run-dir", str(tmp_path / "runs")]
    assert main([*options, "--json"]) == 0
    lines = json_lines(capsys.readouterr().out)
    begun = [line["title"] for line in lines if line["event"] == "repeat-started"]
    assert begun == ["fold 1 of 2", "fold 2 of 2"]
    assert (lines[-1]["event"], lines[-1]["runs"]) == ("finished", 2)
    assert (tmp_path / "runs" / "group.json").is_file()
    options[-1] = str(tmp_path / "others")
    assert main(options) == 0
    output = capsys.readouterr()
    assert "finished after 2 runs" in output.out
    assert " ± " in output.out
    assert "run 2 of 2: fold 2 of 2" in output.err
