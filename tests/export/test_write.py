"""Exports load back as they were, and bad sources are refused in plain words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from studio.data.dataset import prepare
from studio.export import python
from studio.export.formats import ExportError
from studio.export.write import export
from studio.project import Project, project_from_json, read_template
from studio.runs import RunFolderError
from studio.storage import StorageError
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.control import Control
from studio.training.errors import CheckpointError
from studio.training.events import Finished
from studio.training.runner import Job, run
from tests.training.conftest import with_settings


# The others tell when they were written, or which files their making left in them.
@pytest.mark.parametrize("kind", ["safetensors", "checkpoint", "python", "script", "metrics"])
def test_a_run_and_its_checkpoint_export_the_same(
    trained: Finished, checkpoint: Path, tmp_path: Path, kind: str
) -> None:
    from_run, from_checkpoint = tmp_path / "a", tmp_path / "b"
    assert str(from_run) in export(Path(trained.run), kind, from_run)
    export(checkpoint, kind, from_checkpoint)
    if kind == "safetensors":  # its header is written in no fixed order
        assert from_run.stat().st_size == from_checkpoint.stat().st_size
    else:
        assert from_run.read_bytes() == from_checkpoint.read_bytes()


def test_state_dict_holds_the_weights(checkpoint: Path, tmp_path: Path) -> None:
    export(checkpoint, "state-dict", tmp_path / "w.pt")
    state = torch.load(tmp_path / "w.pt", weights_only=True)
    expected = read_checkpoint(checkpoint).model
    assert list(state) == list(expected)
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_safetensors_carry_graph_and_preparation(checkpoint: Path, tmp_path: Path) -> None:
    export(checkpoint, "safetensors", tmp_path / "w.safetensors")
    expected = read_checkpoint(checkpoint)
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in expected.model.items())
        metadata = file.metadata()
    assert project_from_json(json.loads(metadata["project"]), "metadata") == expected.project
    assert json.loads(metadata["preparation"]) == expected.preparation


def test_the_exported_source_predicts_on_raw_data_without_the_studio(
    trained: Finished, checkpoint: Path, tmp_path: Path
) -> None:
    export(checkpoint, "python", tmp_path / "net.py")
    dataset = prepare(read_template("digits-cnn").data)
    rows = dataset.splits["test"]
    torch.save({"raw": dataset.inputs[0][rows], "labels": dataset.targets[rows]}, tmp_path / "raw.pt")
    script = (
        "import sys, torch; sys.path.insert(0, sys.argv[1])\n"
        "from net import load_model, prepare\n"
        "data = torch.load(sys.argv[1] + '/raw.pt', weights_only=True)\n"
        "scores = load_model(sys.argv[2])(prepare(data['raw']))\n"
        "print((scores.argmax(1) == data['labels']).float().mean().item(), 'studio' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(tmp_path), str(checkpoint)], capture_output=True, text=True, check=True
    )
    accuracy, studio_loaded = done.stdout.split()
    assert float(accuracy) == pytest.approx(trained.metrics["test"]["accuracy"], abs=1e-6)
    assert studio_loaded == "False"


def test_the_exported_source_loads_an_exported_state_dict_too(checkpoint: Path, tmp_path: Path) -> None:
    export(checkpoint, "python", tmp_path / "net.py")
    export(checkpoint, "state-dict", tmp_path / "w.pt")
    namespace: dict[str, object] = {"__name__": "exported"}
    exec((tmp_path / "net.py").read_text(), namespace)
    model = namespace["load_model"](str(tmp_path / "w.pt"))  # type: ignore[operator]
    assert all(torch.equal(t, model.state_dict()[name]) for name, t in read_checkpoint(checkpoint).model.items())


def test_source_that_answers_differently_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = python.make_source
    monkeypatch.setattr(python, "make_source", lambda *args: honest(*args).replace("self.relu_3(dense_1)", "dense_1"))
    with pytest.raises(ExportError, match="answers differently"):
        export(checkpoint, "python", tmp_path / "net.py")
    assert not (tmp_path / "net.py").exists()


def test_source_that_does_not_run_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = python.make_source
    monkeypatch.setattr(python, "make_source", lambda *args: honest(*args).replace("import torch\n", "import torhc\n"))
    with pytest.raises(ExportError, match="torhc"):
        export(checkpoint, "python", tmp_path / "net.py")
    assert not (tmp_path / "net.py").exists()


def test_sources_that_are_none_are_refused(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(RunFolderError, match="holds no checkpoint"):
        export(tmp_path, "python", tmp_path / "out")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        export(tmp_path / "missing.pt", "python", tmp_path / "out")
    with pytest.raises(ExportError, match="is a folder"):
        export(checkpoint, "python", tmp_path)
    with pytest.raises(ExportError, match="checkpoint itself"):
        export(checkpoint, "state-dict", checkpoint)
    assert not (tmp_path / "out").exists()


def test_a_target_that_cannot_be_written_is_told(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="Could not write"):
        export(checkpoint, "state-dict", tmp_path / "file" / "w.pt")


def exported(project: Project, tmp_path: Path, data_folder: Path | None = None) -> tuple[Checkpoint, dict[str, Any]]:
    """A run's checkpoint, and what its exported source defines."""
    finished = run(Job(project, tmp_path / "run", data_folder), Control(), lambda event: None)
    export(Path(finished.run), "python", tmp_path / "net.py")
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec((tmp_path / "net.py").read_text(), namespace)
    namespace["model"] = namespace["load_model"](finished.checkpoint)
    return read_checkpoint(Path(finished.checkpoint)), namespace


def test_an_autoencoder_answers_in_the_units_of_the_raw_values(tmp_path: Path) -> None:
    project = with_settings("digits-autoencoder", epochs=5)
    checkpoint, net = exported(project, tmp_path)
    assert checkpoint.preparation["target"] == "the input itself"
    raw = prepare(project.data).inputs[0][:50]
    torch.testing.assert_close(net["restore"](net["prepare"](raw)), raw.float(), atol=1e-4, rtol=0)
    assert float((net["restore"](net["model"](net["prepare"](raw))).detach() - raw).abs().mean()) < 3  # of 16


def test_a_language_model_takes_text_and_names_the_next_characters(tmp_path: Path) -> None:
    text = "ROMEO:\nI dream’d a dream to-night.\n".replace("’", "'")
    (tmp_path / "tinyshakespeare.txt").write_text(text * 20)
    checkpoint, net = exported(with_settings("shakespeare-gpt", epochs=1), tmp_path, tmp_path)
    assert checkpoint.preparation["places"] == [64]
    assert net["LABELS"] == tuple(net["CHARACTERS"])
    numbers = net["prepare"]([(text * 2)[:64], (text * 2)[1:65]])
    assert "".join(net["CHARACTERS"][number] for number in numbers[0]) == (text * 2)[:64]
    assert net["model"](numbers).shape == (2, 64, 65)
