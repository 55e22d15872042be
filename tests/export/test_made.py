"""ONNX, ONNX with 8 bits and programs of torch.export: what is made, that it is tried, that no wrong file is kept."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from studio.data.dataset import prepare
from studio.export import made, onnx_int8, same_tensors
from studio.export.formats import ExportError
from studio.export.write import export, usual_target
from studio.training.checkpoint import read_checkpoint
from studio.training.events import Finished
from tests.export.making_all import HOSTILE

NETWORKS = ("cnn", "gru", "lstm", "transformer", "u-net", "table")


@pytest.fixture(scope="module")
def folder(trained: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that the process which makes them left, for a short run of digits-cnn."""
    folder = tmp_path_factory.mktemp("made")
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "tests.export.making_all", trained.checkpoint, str(folder)]
    environment = {**os.environ, "PYTHONPATH": root, "TRAINING_STUDIO_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def found(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "found.json").read_text()))


@pytest.fixture
def making(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose files stand for what the next process makes; the one that tries them is real."""
    given = tmp_path / "given"
    shutil.copytree(folder, given)

    def make(module: str, arguments: Sequence[str], seconds: float, tick: object) -> None:
        shutil.copytree(given, arguments[2], dirs_exist_ok=True)

    monkeypatch.setattr(made, "run_studio", make)
    return given


@pytest.mark.parametrize("name", NETWORKS)
def test_telling_networks_answer_as_the_studio_does(found: dict[str, Any], name: str) -> None:
    assert found[name]["onnx"] < 1e-5
    assert found[name]["program"] < 1e-5
    assert all(axes[0] == "batch" for axes in found[name]["axes"].values())


@pytest.mark.parametrize("name", ["gru", "lstm", "transformer"])
def test_sequences_have_any_length(found: dict[str, Any], name: str) -> None:
    ((given, axes),) = found[name]["axes"].items()
    assert axes[1] == f"{given}_length"
    assert found[name]["lengths"] == [6, 7, 12, 13, 14, 15, 27]


def test_what_has_no_other_length_keeps_it(found: dict[str, Any]) -> None:
    assert sorted(axes[1] for axes in found["table"]["axes"].values()) == [3, 4]
    assert found["cnn"]["lengths"] == []


def test_an_onnx_file_has_all_that_it_takes_to_use_it(checkpoint: Path, making: Path, tmp_path: Path) -> None:
    said = export(checkpoint, "onnx", tmp_path / "net.onnx")
    assert "batches of 1, 3 and 8" in said
    assert "largest difference is" in said
    model = onnx.load(tmp_path / "net.onnx", load_external_data=False)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert about["title"] == HOSTILE
    labels = json.loads(about["labels"])
    assert labels[:2] == [HOSTILE, "1"]
    assert {entry.name for entry in model.graph.output} == {"answer"}
    given = json.loads(about["preparation"])["inputs"][0]
    dataset = prepare(read_checkpoint(checkpoint).project.data)
    rows = dataset.splits["validation"]
    raw = dataset.inputs[0][rows].numpy().astype(np.float32)
    shift, scale = (np.float32(given["scaling"][name]).reshape(1, -1, 1, 1) for name in ("shift", "scale"))
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
    (answers,) = session.run(None, {given["name"]: (raw - shift) * scale})
    accuracy = float((answers.argmax(1) == dataset.targets[rows].numpy()).mean())
    assert accuracy == pytest.approx(read_checkpoint(checkpoint).metrics["accuracy"], abs=1e-6)


def test_a_changed_weight_is_found_and_the_earlier_file_stays(checkpoint: Path, making: Path, tmp_path: Path) -> None:
    model = onnx.load(making / "model.onnx")
    weight = next(each for each in model.graph.initializer if each.name.endswith("dense_1.weight"))
    numbers = onnx.numpy_helper.to_array(weight).copy()
    numbers.flat[0] += 0.01
    weight.CopyFrom(onnx.numpy_helper.from_array(numbers, weight.name))
    onnx.save(model, making / "model.onnx")
    (tmp_path / "net.onnx").write_text("earlier")
    with pytest.raises(ExportError, match="answers differently"):
        export(checkpoint, "onnx", tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_text() == "earlier"
    (making / "model.onnx").write_bytes((making / "model.onnx").read_bytes()[:1000])
    with pytest.raises(ExportError, match="does not run"):
        export(checkpoint, "onnx", tmp_path / "net.onnx")


def test_a_program_is_tried_alone(checkpoint: Path, making: Path, tmp_path: Path) -> None:
    assert "where only PyTorch is loaded" in export(checkpoint, "program", tmp_path / "net.pt2")
    extra = {"studio.json": ""}
    program = torch.export.load(tmp_path / "net.pt2", extra_files=extra)
    assert json.loads(extra["studio.json"])["title"] == HOSTILE
    assert program.module()(torch.zeros(5, 1, 8, 8)).shape == (5, 10)


def test_eight_bits_tell_what_they_cost(checkpoint: Path, making: Path, tmp_path: Path) -> None:
    said = export(checkpoint, "onnx-int8", tmp_path / "net.onnx")
    figures = json.loads((making / "figures.json").read_text())
    assert figures["before"]["score"] == pytest.approx(read_checkpoint(checkpoint).metrics["accuracy"], abs=1e-6)
    assert figures["after"]["score"] > figures["before"]["score"] - 0.05
    assert figures["after"]["bytes"] == (tmp_path / "net.onnx").stat().st_size < 0.4 * figures["before"]["bytes"]
    assert figures["ways"] == 3
    assert f"its accuracy is {figures['after']['score']:.2%} instead of {figures['before']['score']:.2%}" in said
    about = {entry.key for entry in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert {"labels", "preparation", "quantized"} <= about
    figures["after"]["score"] = figures["before"]["score"] - 0.1
    assert "So it got worse." in onnx_int8.told(figures)
    assert "got worse" not in onnx_int8.told({**figures, "after": figures["before"]})


def test_missing_packages_are_named_with_the_command_that_adds_them(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else honest(name))
    for kind in ("onnx", "onnx-int8"):
        with pytest.raises(ExportError, match="-m pip install onnxruntime\n"):
            export(checkpoint, kind, tmp_path / "net.onnx")


def test_a_checkpoint_opens_in_the_studio(checkpoint: Path, tmp_path: Path) -> None:
    last = checkpoint.with_name("last.pt")
    said = export(last, "checkpoint", tmp_path / "net.pt")
    given, found = read_checkpoint(last), read_checkpoint(tmp_path / "net.pt")
    assert "opens it again" in said
    assert (found.project, found.preparation, found.metrics) == (given.project, given.preparation, given.metrics)
    assert given.optimizer
    assert (found.optimizer, found.rest) == ({}, {})
    assert (tmp_path / "net.pt").stat().st_size < 0.7 * last.stat().st_size


def test_other_tensors_in_a_file_are_found(tmp_path: Path) -> None:
    from safetensors.torch import save

    weights = {
        "a": torch.arange(6.0).reshape(2, 3),
        "b": torch.tensor([True]),
        "c": torch.zeros(2, dtype=torch.bfloat16),
    }
    assert "3 tensors" in same_tensors.write(save(weights), "safetensors", weights, tmp_path / "w", None)
    for name, changed in (("a", weights["a"] + 1e-7), ("c", weights["c"].half()), ("a", weights["a"].reshape(3, 2))):
        with pytest.raises(ExportError, match=f"“{name}” changed"):
            same_tensors.write(save({**weights, name: changed}), "safetensors", weights, tmp_path / "x", None)
    with pytest.raises(ExportError, match="other names"):
        same_tensors.write(save({"a": weights["a"]}), "safetensors", weights, tmp_path / "x", None)
    assert not (tmp_path / "x").exists()


def test_without_a_path_files_go_to_the_folder_of_the_run() -> None:
    run = Path("/runs/r")
    assert (
        usual_target(run / "checkpoints" / "best.pt", "onnx-int8", "My “net” ../x")
        == run / "exports/my-net-x-int8.onnx"
    )
    assert usual_target(Path("/a/w.pt"), "checkpoint", "…") == Path("/a/model-checkpoint.pt")
