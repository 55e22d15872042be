"""IDX files, whole, broken and foreign."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.data import DataError
from studio.data.known.idx import read_idx

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("packed", [False, True])
def test_reads_what_was_written(tmp_path: Path, as_idx: Callable[..., bytes], packed: bool) -> None:
    content = as_idx(IMAGES)
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert np.array_equal(read_idx(path, (28, 28)), IMAGES)


def test_labels_have_one_axis(tmp_path: Path, as_idx: Callable[..., bytes]) -> None:
    path = tmp_path / "labels"
    path.write_bytes(as_idx(np.arange(7, dtype=np.uint8)))
    assert read_idx(path, ()).tolist() == list(range(7))


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_anywhere_is_told(tmp_path: Path, as_idx: Callable[..., bytes], packed: bool) -> None:
    content = as_idx(IMAGES[:2])
    content = gzip.compress(content) if packed else content
    path = tmp_path / "images"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match="images") as caught:
            read_idx(path, (28, 28))
        assert str(path) in str(caught.value)


def test_a_changed_byte_in_packed_data_is_told_or_harmless(tmp_path: Path, as_idx: Callable[..., bytes]) -> None:
    content = bytearray(gzip.compress(as_idx(IMAGES[:1])))
    path = tmp_path / "images"
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 0x55
        path.write_bytes(changed)
        try:
            read = read_idx(path, (28, 28))
        except DataError:
            continue
        assert np.array_equal(read, IMAGES[:1]), position  # a byte of the time stamp and the like


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "starts with"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "89 50 4e 47"),
        (bytes([0, 0, 8, 1]) + struct.pack(">I", 3) + bytes(3), "starts with"),  # labels instead of images
        (bytes([0, 0, 13, 3]) + struct.pack(">3I", 1, 28, 28) + bytes(4 * 784), "starts with"),  # floats
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 1, 32, 32) + bytes(1024), "32×32"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 0, 28, 28), "0 items"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 28, 28), "4,294,967,295 items"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 1, 28, 28) + bytes(785), "too long"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 28, 28) + bytes(784), "cut off"),
    ],
)
def test_a_foreign_file_is_told(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        read_idx(path, (28, 28))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    header = bytes([0, 0, 8, 3]) + struct.pack(">3I", 1, 28, 28)
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(header + bytes(2**26)))
    tracemalloc.start()
    with pytest.raises(DataError, match="too long"):
        read_idx(path, (28, 28))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path, (28, 28))
