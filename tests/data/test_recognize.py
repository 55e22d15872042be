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


@pytest.mark.parametrize("name", ["pictures.7z", "pictures.rar", "pictures.tar.zst"])
def test_some_archives_are_to_be_unpacked_by_the_person(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"7z")
    assert kinds(tmp_path / name) == []
    assert "unpack it" in advice(tmp_path / name)
    assert advice(tmp_path / "pictures") == ""


SETTINGS = ("hosts", "passwd", "fstab", "profile", "services", "motd")


def test_folders_of_settings_and_programs_are_no_data(tmp_path: Path) -> None:
    words = "This text has enough words of a language to be taken for one by anybody who reads it.\n" * 20
    for part in ("apt", "ssh", "cron"):
        (tmp_path / "etc" / part).mkdir(parents=True)
        (tmp_path / "program" / part).mkdir(parents=True)
        for number, name in enumerate(SETTINGS):
            (tmp_path / "etc" / part / name).write_text(words)
            (tmp_path / "program" / part / f"{name}.py").write_text(f"# {words}")
            (tmp_path / "program" / part / f"{number}.txt").write_text(words)
            (tmp_path / "program" / part / f"{name}.c").write_text(words)
    assert kinds(tmp_path / "etc") == []
    assert kinds(tmp_path / "program") == []
    assert "folder with the samples themselves" in advice(tmp_path / "etc")
    for part in ("apt", "ssh", "cron"):  # as the 20 newsgroups are called
        for number, name in enumerate(SETTINGS):
            (tmp_path / "etc" / part / name).rename(tmp_path / "etc" / part / f"5{number}")
    assert kinds(tmp_path / "etc") == ["text-files"]


def test_a_home_is_no_dataset(tmp_path: Path, write_files: Callable) -> None:
    """Pictures lie in some of its folders, and tables in others."""
    write_files(tmp_path / "Pictures", {f"{i}.jpg": b"" for i in range(9)})
    for name in ("Documents", "Music", "Videos"):
        write_files(tmp_path / "other" / name, {f"{i}.mp4": b"" for i in range(9)})
    for name in ("Pictures", "Screens"):
        write_files(tmp_path / "other" / name, {f"{i}.jpg": b"" for i in range(9)})
    assert kinds(tmp_path / "other") == []
    write_files(tmp_path / "Downloads", {"a.jpg": b"", "b.png": b"", **{f"{i}.pdf": b"" for i in range(9)}})
    write_files(
        tmp_path / "pyarrow" / "tests",
        {"v0.parquet": b"", **{f"{i}.py": b"" for i in range(9)}, "x.so": b"", "y.so": b""},
    )
    assert kinds(tmp_path) == []
    for name in ("Pictures", "Downloads", "pyarrow"):
        write_files(tmp_path / "album" / name, {f"{i}.jpg": b"" for i in range(9)})
    assert kinds(tmp_path / "album") == ["image-folders"]


def test_a_folder_that_nobody_may_read_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: object, path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(registry.get("image-folders")()), "claim", refused)
    table = tmp_path / "flowers.csv"
    table.write_text("length,width,species\n" + "1.5,2.5,rose\n3.5,0.5,tulip\n" * 20)
    assert kinds(table) == ["table"]
