"""CIFAR-10: folder, archive, broken and hostile files."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.data import DataError, MissingDataError, Samples
from studio.data import registry as sources
from studio.data.known import cifar

load = sources.get("cifar10")().load


def archive_bytes(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in {"readme.html": b"hello", **files}.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def check(samples: Samples) -> None:
    (images,) = samples.inputs
    assert images.dtype == np.uint8
    assert images.shape == (12, 3, 32, 32)
    assert samples.targets.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert samples.test_start == 10
    assert (images[2, 1] == 11).all()
    assert (images[11, 2] == 52).all()


@pytest.mark.parametrize("inside", [".", "cifar-10-batches-py", "CIFAR10", "cifar-10/cifar-10-batches-py"])
def test_folders(tmp_path: Path, write_files: Callable, tiny_cifar: Callable, inside: str) -> None:
    write_files(tmp_path / "data" / inside, tiny_cifar())
    check(load(tmp_path / "data"))


@pytest.mark.parametrize("inside", [".", "cifar10"])
def test_archive_is_read_and_nothing_is_written(
    tmp_path: Path, write_files: Callable, tiny_cifar: Callable, inside: str
) -> None:
    archive = write_files(tmp_path / "data" / inside, {cifar.ARCHIVE: archive_bytes(tiny_cifar())}) / cifar.ARCHIVE
    check(load(tmp_path / "data"))
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == [archive]


def test_batches_of_python_3(tmp_path: Path, write_files: Callable) -> None:
    batch = {b"data": np.full((2, 3072), 9, np.uint8), b"labels": [3, 4]}
    write_files(tmp_path, dict.fromkeys(cifar.FILES, pickle.dumps(batch, 5)))
    assert load(tmp_path).targets.tolist() == [3, 4] * 6


def test_missing_files_are_named(tmp_path: Path, write_files: Callable, tiny_cifar: Callable) -> None:
    files = tiny_cifar()
    del files["test_batch"]
    write_files(tmp_path, files)
    with pytest.raises(MissingDataError, match=r"test_batch.*Download it \(170 MB\)") as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_hostile_batch_runs_nothing(tmp_path: Path, write_files: Callable, tiny_cifar: Callable) -> None:
    marker = tmp_path / "marker"
    hostile = b"cbuiltins\nexec\n(Vopen(%r, 'w')\ntR." % str(marker)
    write_files(tmp_path / "data", {**tiny_cifar(), "data_batch_3": hostile})
    with pytest.raises(DataError, match=r"data_batch_3.*builtins\.exec"):
        load(tmp_path / "data")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("labels", "pixels", "says"),
    [
        ([1, 10], np.zeros((2, 3072)), "labels are not numbers from 0 to 9"),
        ([1], np.zeros((2, 3072)), "1 labels"),
        ([1, 2], np.zeros((2, 1024)), "1024"),
        ([], np.zeros((0, 3072)), "0 labels"),
    ],
)
def test_a_wrong_batch_is_told(batch_bytes: Callable, labels: list[int], pixels: np.ndarray, says: str) -> None:
    with pytest.raises(DataError, match=says):
        cifar.read_batch(batch_bytes(labels, pixels.astype(np.uint8)), "data_batch_1")


@pytest.mark.parametrize("value", [[1, 2], {"data": 1}, {"labels": [1]}, {"labels": [True], "data": 1}])
def test_a_foreign_pickle_is_told(value: object) -> None:
    with pytest.raises(DataError, match="data_batch_1 is no batch of CIFAR-10"):
        cifar.read_batch(pickle.dumps(value, 2), "data_batch_1")


def test_a_cut_or_changed_archive_is_told(tmp_path: Path, tiny_cifar: Callable) -> None:
    content = archive_bytes(tiny_cifar())
    path = tmp_path / cifar.ARCHIVE
    middle = bytearray(content)
    middle[len(content) // 2] ^= 1
    for broken in [*(content[:length] for length in range(0, len(content), 29)), content[:-1], bytes(middle)]:
        path.write_bytes(broken)
        with pytest.raises(DataError, match="tar"):
            cifar.read_archive(path)
    path.write_bytes(b"no archive at all")
    with pytest.raises(DataError, match="broken"):
        cifar.read_archive(path)


def test_an_archive_without_a_batch_is_told(tmp_path: Path, tiny_cifar: Callable) -> None:
    files = tiny_cifar()
    del files["data_batch_4"]
    path = tmp_path / cifar.ARCHIVE
    path.write_bytes(archive_bytes(files))
    with pytest.raises(DataError, match="data_batch_4 is not in it"):
        cifar.read_archive(path)


def test_a_bomb_is_stopped(tmp_path: Path, tiny_cifar: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / cifar.ARCHIVE
    path.write_bytes(archive_bytes({"filler": bytes(2**20), **tiny_cifar()}))
    monkeypatch.setattr(cifar, "MAX_ARCHIVE_BYTES", 2**19)
    with pytest.raises(DataError, match="unpacks to more than"):
        cifar.read_archive(path)
    monkeypatch.setattr(cifar, "MAX_ARCHIVE_BYTES", 2**24)
    monkeypatch.setattr(cifar, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DataError, match="no batch of CIFAR-10 has"):
        cifar.read_archive(path)
