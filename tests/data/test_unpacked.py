"""Archives that are dropped: unpacked once, whole or not at all, and never anywhere else than into the cache."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.data import DataError, MissingDataError, archive_reading, unpacked
from studio.data.archive_reading import Reading
from studio.data.looking import look
from studio.data.recognize import advice, recognize, recognize_at

TABLE = b"length,width,species\n" + b"1.5,2.5,rose\n3.5,0.5,tulip\n" * 20
FILES = {"garden/flowers.csv": TABLE}


def gzipped(content: bytes) -> bytes:
    """Without the time, which would give the tests other names each second."""
    return gzip.compress(content, mtime=0)


PACK = {".gz": gzipped, ".bz2": bz2.compress, ".xz": lzma.compress}


def tar_bytes(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in others:
            archive.addfile(info)
    return target.getvalue()


def zip_bytes(files: dict[str | zipfile.ZipInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def special(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = "/etc/passwd"
    return info


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def no_folders_left() -> bool:
    return not unpacked.folder().exists() or not list(unpacked.folder().iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.zip", zip_bytes(FILES)),
        ("f.tar", tar_bytes(FILES)),
        ("f.tgz", gzipped(tar_bytes(FILES))),
        *((f"f.tar{suffix}", pack(tar_bytes(FILES))) for suffix, pack in PACK.items()),
        *((f"f.csv{suffix}", pack(TABLE)) for suffix, pack in PACK.items()),
    ],
)
def test_every_kind_opens(tmp_path: Path, name: str, content: bytes) -> None:
    archive = write(tmp_path / name, content)
    (source,) = recognize(archive)
    inside = "f.csv" if ".csv" in name else "garden/flowers.csv"
    assert (source.kind, source.place) == ("table", (archive / inside).as_posix())
    assert look(source).rows == 40
    assert names(tmp_path) - {name} == {path for path in names(tmp_path) if path.startswith("cache/")}


def test_the_same_content_is_unpacked_once_and_other_content_of_the_same_name_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []
    files = Reading.files
    monkeypatch.setattr(Reading, "files", lambda self: begun.append(self.path) or files(self))
    first = unpacked.unpacked(write(tmp_path / "a.zip", zip_bytes(FILES)))
    copy = write(tmp_path / "b.zip", zip_bytes(FILES))
    assert unpacked.unpacked(copy) == unpacked.unpacked(tmp_path / "a.zip") == first
    assert len(begun) == 1
    os.utime(write(copy, zip_bytes({"other.csv": TABLE})), ns=(1, 1))
    assert names(unpacked.unpacked(copy)) == {"other.csv"}
    assert len(unpacked.entries()) == 2


def test_what_was_cleared_or_damaged_is_unpacked_again(tmp_path: Path) -> None:
    archive = write(tmp_path / "f.zip", zip_bytes(FILES))
    (source,) = recognize(archive)
    unpacked.clear()
    assert no_folders_left()
    assert look(source).rows == 40
    table = unpacked.unpacked(archive) / "garden" / "flowers.csv"
    table.write_bytes(b"")  # as after a crash of the machine
    unpacked._measured.clear()
    assert look(source).rows == 40
    assert table.read_bytes() == TABLE


def test_an_archive_that_is_gone_is_not_missed_until_the_cache_is_cleared(tmp_path: Path) -> None:
    archive = write(tmp_path / "f.zip", zip_bytes(FILES))
    (source,) = recognize(archive)
    archive.unlink()
    assert look(source).rows == 40
    unpacked.clear()
    with pytest.raises(MissingDataError, match=r"f\.zip"):
        look(source)


def test_links_devices_and_what_other_programs_add_are_left_out_and_told(tmp_path: Path) -> None:
    others = [special("a", tarfile.SYMTYPE), special("b", tarfile.LNKTYPE), special("c", tarfile.CHRTYPE)]
    strangers = {"__MACOSX/._flowers.csv": b"x", ".DS_Store": b"x", "bad\nname.csv": b"x"}
    archive = write(tmp_path / "f.tar", tar_bytes({**FILES, **strangers}, *others))
    (source,) = recognize(archive)
    assert names(unpacked.unpacked(archive)) == {"garden/flowers.csv"}
    told = [problem.message for problem in look(source).problems]
    assert {message for message in told if "left out" in message} == {
        "2 links in f.tar were left out: they may lead anywhere.",
        "1 entries of f.tar were left out: they are no files.",
        "1 files of f.tar were left out: they have names that no file should have.",
    }
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = write(tmp_path / "f.zip", zip_bytes({**FILES, link: b"/etc/passwd"}))
    assert names(unpacked.unpacked(archive)) == {"garden/flowers.csv"}
    assert unpacked.notes(archive / "garden") == ("1 links in f.zip were left out: they may lead anywhere.",)


@pytest.mark.parametrize(
    "name", ["../evil.csv", "a/../../evil.csv", "/evil.csv", "C:\\evil.csv", "a\\..\\..\\evil.csv"]
)
@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str, suffix: str) -> None:
    files = {"good.csv": TABLE, name: TABLE}
    archive = write(tmp_path / f"f{suffix}", tar_bytes(files) if suffix == ".tar" else zip_bytes({**files}))
    with pytest.raises(DataError, match="outside of its folder"):
        unpacked.unpacked(archive)
    assert no_folders_left()
    assert not list(tmp_path.rglob("evil.csv"))


def damaged(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(byte ^ 255 for byte in content[len(content) // 2 :])


def with_a_broken_header() -> bytes:
    content = bytearray(tar_bytes({"a.csv": b"x" * 100, "b.csv": b"y" * 100}))
    content[1024:1030] = b"\xff" * 6  # where the second file begins
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.zip", b"no archive at all", "is no archive"),
        ("f.tar.gz", gzipped(tar_bytes(FILES))[:-30], "is broken"),
        ("f.tar.gz", gzipped(tar_bytes(FILES))[:-8] + bytes(8), "is broken"),  # another check sum
        ("f.csv.gz", damaged(gzipped(TABLE)), "is broken"),
        ("f.csv.xz", lzma.compress(TABLE)[:-20], "is broken"),
        ("f.csv.bz2", damaged(bz2.compress(TABLE)), "is broken"),
        ("f.zip", damaged(zip_bytes(FILES)), "is broken|is no archive"),
        ("f.tar", with_a_broken_header(), "is broken"),
        ("f.tar", tar_bytes({}), "holds no files"),
        ("f.zip", zip_bytes({}), "holds no files|is no archive"),
    ],
)
def test_what_is_broken_leaves_nothing_behind(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        unpacked.unpacked(write(tmp_path / name, content))
    assert no_folders_left()


def test_a_password_is_told(tmp_path: Path) -> None:
    content = bytearray(zip_bytes(FILES))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    with pytest.raises(DataError, match="protected by a password"):
        unpacked.unpacked(write(tmp_path / "f.zip", bytes(content)))


@pytest.mark.parametrize("name", ["f.zip", "f.tar.gz", "f.csv.gz"])
def test_a_bomb_is_stopped(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reading, "FREE_OF_RATIO", 1_000_000)
    zeros = bytes(9_000_000)
    pack: dict[str, Callable[[], bytes]] = {
        "f.zip": lambda: zip_bytes({"a": zeros}),
        "f.tar.gz": lambda: gzipped(tar_bytes({"a": zeros})),
        "f.csv.gz": lambda: gzipped(zeros),
    }
    with pytest.raises(DataError, match="would unpack to more than"):
        unpacked.unpacked(write(tmp_path / name, pack[name]()))
    assert no_folders_left()


def test_a_zip_file_that_lies_about_its_sizes_is_stopped(tmp_path: Path) -> None:
    content = bytearray(zip_bytes({"a.csv": bytes(1_000_000)}))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(signature) + place
        content[start : start + 4] = (100).to_bytes(4, "little")
    with pytest.raises(DataError, match="is broken"):
        unpacked.unpacked(write(tmp_path / "f.zip", bytes(content)))
    assert no_folders_left()


def test_endless_names_and_holes_do_not_fill_memory_or_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reading, "MOST_BESIDE", 2**20)
    name = special("x", tarfile.GNUTYPE_LONGNAME)
    name.size = 2**30
    endless = name.tobuf(tarfile.GNU_FORMAT) + bytes(2**22)
    with pytest.raises(DataError, match="more than there can be"):
        unpacked.unpacked(write(tmp_path / "f.tar", endless))
    hole = tarfile.TarInfo("hole.csv")
    hole.type = tarfile.GNUTYPE_SPARSE
    buffer = bytearray(hole.tobuf(tarfile.GNU_FORMAT))
    buffer[386:410] = b"00000000000\0" + b"00000000000\0"
    buffer[483:495] = b"77777777777\0"  # eight gigabytes of nothing
    buffer[148:156] = b" " * 8
    buffer[148:156] = b"%06o\0 " % sum(buffer)
    with pytest.raises(DataError, match="would unpack to more than"):
        unpacked.unpacked(write(tmp_path / "g.tar", bytes(buffer) + bytes(2**15)))
    assert no_folders_left()


def test_too_many_files_and_a_full_disk_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write(tmp_path / "f.zip", zip_bytes({f"{i}.csv": TABLE for i in range(4)}))
    monkeypatch.setattr(archive_reading, "MOST_FILES", 3)
    with pytest.raises(DataError, match="more than 3 files"):
        unpacked.unpacked(archive)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=unpacked.LEFT_FREE + 100))
    with pytest.raises(DataError, match="disk of the cache"):
        unpacked.unpacked(archive)
    assert no_folders_left()


def test_giving_up_leaves_nothing_behind(tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []

    def give_up(done: int, total: int) -> None:
        reports.append((done, total))
        if done > total // 2:
            raise KeyboardInterrupt

    archive = write(tmp_path / "f.tar", tar_bytes({f"{i}.csv": TABLE for i in range(9)}))
    with pytest.raises(KeyboardInterrupt):
        unpacked.unpacked(archive, give_up)
    assert no_folders_left()
    assert all(0 <= done <= total for done, total in reports)
    assert len(names(unpacked.unpacked(archive))) == 9  # and nothing is locked


def test_what_a_killed_program_left_is_cleaned_up(tmp_path: Path) -> None:
    left = unpacked.folder() / ".abc.0123.studio-tmp"
    (left / "files").mkdir(parents=True)
    os.utime(left, (1, 1))
    young = unpacked.folder() / ".def.0123.studio-tmp"
    young.mkdir()
    unpacked.unpacked(write(tmp_path / "f.zip", zip_bytes(FILES)))
    assert (left.exists(), young.exists()) == (False, True)


def test_an_archive_in_an_archive_stays_one(tmp_path: Path) -> None:
    archive = write(tmp_path / "f.zip", zip_bytes({"inner.zip": zip_bytes(FILES)}))
    assert recognize(archive) == []
    assert names(unpacked.unpacked(archive)) == {"inner.zip"}


def test_names_in_other_encodings_and_twice(tmp_path: Path) -> None:
    content = tar_bytes({"caf\u00e9.csv": TABLE})
    latin = content.replace("caf\u00e9".encode(), b"caf\xe9s")
    header = bytearray(latin[:512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert names(unpacked.unpacked(write(tmp_path / "f.tar", bytes(header) + latin[512:]))) == {"caf\u00e9s.csv"}
    added = tar_bytes({"a.csv": b"1"})[:1024] + tar_bytes({"a.csv": b"2"})
    twice = unpacked.unpacked(write(tmp_path / "g.tar", added))
    assert (twice / "a.csv").read_bytes() == b"2"  # what was added later is meant


def test_a_known_dataset_in_an_archive_is_found_there(
    tmp_path: Path, tiny_mnist: Callable[..., dict[str, bytes]]
) -> None:
    files = {f"stuff/{name}": content for name, content in tiny_mnist().items()}
    archive = write(tmp_path / "Fashion-MNIST.zip", zip_bytes({**files}))
    found = recognize_at(archive)
    assert [source.kind for source in found.sources] == ["fashion_mnist"]  # the archive's name decides
    assert found.folder == archive / "stuff"
    unpacked.clear()
    assert look(found.sources[0], found.folder).rows == 10


def test_a_folder_that_is_called_like_an_archive_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "f.zip"
    folder.mkdir()
    write(folder / "flowers.csv", TABLE)
    (source,) = recognize(folder)
    assert source.place == (folder / "flowers.csv").as_posix()
    assert look(source).rows == 40
    assert unpacked.entries() == []


def test_what_nobody_can_use_is_not_kept(tmp_path: Path) -> None:
    archive = write(tmp_path / "f.zip", zip_bytes({"a/x.bin": bytes(99), "b/y.bin": bytes(99)}))
    assert recognize(archive) == []
    assert unpacked.entries() == []
    assert "no data" in advice(archive)
