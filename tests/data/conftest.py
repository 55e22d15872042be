"""Small datasets in the layouts of the large ones."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Where real data for tests is; skips the test where it is not."""

    def find(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip("the shared test data is not on this machine")
        return SHARED / name

    return find


@pytest.fixture
def shared_mnist() -> Path:
    if not (SHARED / "mnist").is_dir():
        pytest.skip("the shared test data is not on this machine")
    return SHARED


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own for every test."""
    monkeypatch.setenv("TRAINING_STUDIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def mnist_files(train: int = 6, test: int = 4, packed: bool = True) -> dict[str, bytes]:
    """The four files of a tiny MNIST: the label of sample i is i % 10, and its pixels are all i."""
    files = {}
    for prefix, first, count in (("train", 0, train), ("t10k", train, test)):
        numbers = np.arange(first, first + count, dtype=np.uint8)
        images = np.broadcast_to(numbers[:, None, None], (count, 28, 28))
        files[f"{prefix}-images-idx3-ubyte"] = idx_bytes(images)
        files[f"{prefix}-labels-idx1-ubyte"] = idx_bytes(numbers % 10)
    return {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in files.items()} if packed else files


@pytest.fixture
def write_files() -> Callable[[Path, dict[str, bytes]], Path]:
    def write(folder: Path, files: dict[str, bytes]) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    return write


@pytest.fixture
def tiny_mnist() -> Callable[..., dict[str, bytes]]:
    return mnist_files


@pytest.fixture
def as_idx() -> Callable[[np.ndarray], bytes]:
    return idx_bytes


def python2_batch(labels: list[int], pixels: np.ndarray) -> bytes:
    """A batch as Python 2 pickled it for the original CIFAR-10: protocol 2, texts as byte strings."""
    raw = pixels.tobytes()
    number = b"".join(b"K" + bytes([label]) for label in labels)
    return b"".join(
        [
            b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03U\x06labelsq\x04]q\x05(", number, b"e",
            b"U\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09",
            b"(K\x01J", struct.pack("<i", pixels.shape[0]), b"M", struct.pack("<H", pixels.shape[1]), b"\x86",
            b"cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            b"T", struct.pack("<i", len(raw)), raw, b"tbU\tfilenamesq\x0c]q\x0dU\x05a.pngau.",
        ]
    )  # fmt: skip


@pytest.fixture
def tiny_cifar() -> Callable[[], dict[str, bytes]]:
    """The six files; batch number b has two pictures, with label b and all pixels of channel c at 10 * b + c."""

    def build() -> dict[str, bytes]:
        names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
        files = {}
        for b, name in enumerate(names):
            pixels = np.repeat(np.array([10 * b, 10 * b + 1, 10 * b + 2], np.uint8), 1024)
            files[name] = python2_batch([b, b], np.stack([pixels, pixels]))
        return files

    return build


@pytest.fixture
def batch_bytes() -> Callable[[list[int], np.ndarray], bytes]:
    return python2_batch
