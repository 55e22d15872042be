"""Checkpoints come back whole, and what is not one is refused without running its code."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.project import read_template
from studio.storage import write_bytes
from studio.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from studio.training.errors import CheckpointError


def small_checkpoint(seed: int = 0) -> Checkpoint:
    weights = {"dense_1.weight": torch.randn(3, 4, generator=torch.Generator().manual_seed(seed))}
    return Checkpoint(weights, {"state": {}, "param_groups": []}, 3, 30, {"loss": 0.5}, read_template("iris-mlp"), {})


def test_everything_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    written = small_checkpoint()
    write_checkpoint(path, written)
    read = read_checkpoint(path)
    assert torch.equal(read.model["dense_1.weight"], written.model["dense_1.weight"])
    assert (read.epoch, read.step, read.metrics, read.project) == (3, 30, {"loss": 0.5}, written.project)


@pytest.mark.parametrize("where", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_a_flipped_bit_is_noticed(tmp_path: Path, where: float) -> None:
    path = tmp_path / "best.pt"
    write_checkpoint(path, small_checkpoint())
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not as it was written"):
        read_checkpoint(path)


def test_a_kill_between_manifest_and_file_leaves_a_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "best.pt"
    write_checkpoint(path, small_checkpoint(seed=0))

    class KilledError(BaseException):
        pass

    def die(target: Path, content: bytes) -> None:
        if target == path:
            raise KilledError
        write_bytes(target, content)

    monkeypatch.setattr("studio.storage.write_bytes", die)
    with pytest.raises(KilledError):
        write_checkpoint(path, small_checkpoint(seed=1))
    assert torch.equal(read_checkpoint(path).model["dense_1.weight"], small_checkpoint(0).model["dense_1.weight"])


class Hostile:
    """Unpickling it would leave a marker file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def test_a_hostile_checkpoint_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    torch.save({"format": "training-studio-checkpoint", "model": Hostile(marker)}, tmp_path / "zip.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Hostile(marker)))
    for name in ("zip.pt", "plain.pt"):
        with pytest.raises(CheckpointError):
            read_checkpoint(tmp_path / name)
    assert not marker.exists()


def test_packed_records_are_refused_before_they_unpack(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    torch.save({"format": "x", "t": torch.zeros(1_000_000)}, tmp_path / "honest.pt")
    with zipfile.ZipFile(tmp_path / "honest.pt") as honest, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for record in honest.infolist():
            bomb.writestr(record.filename, honest.read(record))
    with pytest.raises(CheckpointError, match="packed records"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello", b"\x80\x04N."])
def test_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.pt"):
        read_checkpoint(tmp_path / "x.pt")


def test_a_foreign_state_dict_is_told_apart(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of Training Studio"):
        read_checkpoint(tmp_path / "x.pt")


def test_a_newer_checkpoint_asks_for_an_update(tmp_path: Path) -> None:
    torch.save({"format": "training-studio-checkpoint", "version": 99}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="newer"):
        read_checkpoint(tmp_path / "x.pt")


def test_a_checkpoint_with_missing_parts_is_damaged(tmp_path: Path) -> None:
    torch.save({"format": "training-studio-checkpoint", "version": 1, "model": {}}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path / "x.pt")
