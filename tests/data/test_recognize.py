"""Which dataset the files of a folder are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.data import registry
from studio.data.recognize import advice, recognize


def kinds(path: Path) -> list[str]:
    return [source.kind for source in recognize(path)]


def test_files_of_the_same_names_are_told_apart_by_their_folder(
    tmp_path: Path, write_files: Callable, tiny_mnist: Callable
) -> None:
    unnamed = write_files(tmp_path / "pictures", tiny_mnist())
    named = write_files(tmp_path / "Fashion-MNIST" / "raw", tiny_mnist(packed=False))
    assert kinds(unnamed) == ["mnist", "fashion_mnist", "kmnist"]
    assert kinds(named) == ["fashion_mnist"]
    assert kinds(named.parent) == ["fashion_mnist"]
    assert kinds(tmp_path) == ["fashion_mnist"]
    assert kinds(named / "t10k-images-idx3-ubyte") == ["fashion_mnist"]


@pytest.mark.parametrize("inside", ["cifar-10-batches-py", "."])
def test_cifar(tmp_path: Path, write_files: Callable, tiny_cifar: Callable, inside: str) -> None:
    folder = write_files(tmp_path / "data" / inside, tiny_cifar())
    assert kinds(tmp_path / "data") == ["cifar10"]
    assert kinds(folder / "data_batch_3") == ["cifar10"]
    (folder / "data_batch_3").unlink()
    assert kinds(tmp_path / "data") == []


def test_an_archive_of_cifar(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    archive.write_bytes(b"")
    assert kinds(archive) == ["cifar10"]
    assert kinds(tmp_path) == ["cifar10"]


def test_a_stranger_beside_the_files_is_not_meant(tmp_path: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    folder = write_files(tmp_path / "mnist", tiny_mnist())
    (folder / "cat.png").write_bytes(b"")
    assert kinds(folder / "cat.png") == []
    assert kinds(tmp_path / "gone") == []
    assert kinds(tmp_path / "gone" / "deeper") == []


def test_what_is_found_is_what_would_be_loaded(tmp_path: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    folder = write_files(tmp_path / "mnist", tiny_mnist())
    source = registry.get("mnist")()
    assert {path.name for path in source.finds(folder)} == set(tiny_mnist())
    next(iter(source.finds(folder))).unlink()
    assert source.finds(folder) == ()
    assert registry.get("digits")().finds(folder) == ()


def test_the_only_file_of_a_folder_is_meant(tmp_path: Path) -> None:
    table = tmp_path / "flowers.csv"
    table.write_text("length,width,species\n" + "1.5,2.5,rose\n3.5,0.5,tulip\n" * 20)
    (tmp_path / "README.txt").write_text("Measured in a garden in spring, by hand.")
    (found,) = recognize(tmp_path)
    assert (found.kind, found.place) == ("table", table.as_posix())
    (tmp_path / "second.csv").write_bytes(table.read_bytes())
    assert kinds(tmp_path) == []


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    assert "unpack it" in advice(tmp_path / "pictures.tar.gz")
    assert advice(tmp_path / "pictures") == ""
