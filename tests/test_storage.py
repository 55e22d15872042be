"""Files are whole or not there, whatever happens in between."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from studio import storage
from studio.storage import BadFileError, StorageError


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.endswith(storage.TEMPORARY_SUFFIX)]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.txt"
    storage.write_text(path, "one")
    storage.write_text(path, "zwei ß")
    assert path.read_text("utf-8") == "zwei ß"
    assert leftovers(tmp_path) == []


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    storage.write_text(path, "old")

    def write_half() -> None:
        with storage.replacing(path) as file:
            file.write(b"half of the n")
            raise RuntimeError("mid-write")

    with pytest.raises(RuntimeError, match="mid-write"):
        write_half()
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_the_content_is_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, move = os.fsync, os.replace

    def record_fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def record_move(source: Path, target: Path) -> None:
        calls.append("move")
        move(source, target)

    monkeypatch.setattr("studio.storage.os.fsync", record_fsync)
    monkeypatch.setattr("studio.storage.os.replace", record_move)
    storage.write_text(tmp_path / "a.txt", "x")
    assert calls == ["file", "move", "folder"] if os.name == "posix" else ["file", "move"]


@pytest.mark.skipif(os.name != "posix", reason="links and rights as on POSIX")
def test_links_and_rights_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "there" / "a.txt", tmp_path / "link.txt"
    storage.write_text(path, "old")
    path.chmod(0o600)
    link.symlink_to(path)
    storage.write_text(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_long_name_of_large_characters_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'網' * 80}.json"
    storage.write_text(path, "x")
    assert path.read_text() == "x"


def test_half_a_character_keeps_nothing_from_being_saved(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    storage.write_json(path, {"title": "a\ud800b"})
    storage.append_line(path.with_suffix(".log"), "a\ud800b")
    assert storage.read_json(path) == {"title": "a?b"}
    assert path.with_suffix(".log").read_text() == "a?b\n"


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_is_told_and_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = tmp_path / "a.txt"
    storage.write_text(path, "old")

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"studio.storage.os.{where}", full)
    with pytest.raises(StorageError, match=r"disk is full \([0-9.]+ MB free\)"):
        storage.write_text(path, "new")
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_full_disk_in_mid_write_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    storage.write_text(path, "old")

    def write() -> None:
        with storage.replacing(path) as file:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match=r"a\.txt: the disk is full .* Free some space and try again"):
        write()
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_real_full_disk_is_told_when_appending() -> None:
    with pytest.raises(StorageError, match="disk is full"):
        storage.append_line(Path("/dev/full"), "x")


def test_a_parent_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="Could not write"):
        storage.write_text(tmp_path / "file" / "a.txt", "y")


@pytest.mark.skipif(os.name != "posix", reason="kills as on POSIX")
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    code = (
        "import sys, pathlib; from studio import storage\n"
        "path = pathlib.Path(sys.argv[1]); n = 0\n"
        "while True:\n    n = (n + 1) % 250\n    storage.write_bytes(path, bytes([n]) * 300_000)\n"
        "    print(n, flush=True)\n"
    )
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(3):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1
    storage.clean_leftovers(tmp_path, older_than_seconds=-1)
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_leftovers_are_cleaned_and_nothing_else(tmp_path: Path) -> None:
    kept = [tmp_path / "a.txt", tmp_path / ".hidden", tmp_path / f"mine{storage.TEMPORARY_SUFFIX}"]
    for path in (*kept, tmp_path / "deep" / f".a.txt.0123456789ab{storage.TEMPORARY_SUFFIX}"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    everything = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    storage.clean_leftovers(tmp_path)  # may still be written, by another program
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == everything
    storage.clean_leftovers(tmp_path, older_than_seconds=-1)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    storage.make_folder(tmp_path / "a" / "b")
    storage.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="Could not write"):
        storage.make_folder(tmp_path / "file")


def test_what_is_recorded_is_proven(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    storage.write_recorded(path, b"first")
    storage.check_recorded(path)
    storage.write_recorded(path, b"second")
    storage.check_recorded(path)
    path.write_bytes(b"secone")
    with pytest.raises(BadFileError, match="not as it was written"):
        storage.check_recorded(path)


@pytest.mark.parametrize("kills", [1, 2, 5])
def test_kills_between_manifest_and_file_leave_a_file_that_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    path, write = tmp_path / "w.pt", storage.write_bytes
    storage.write_recorded(path, b"whole")

    def die(target: Path, content: bytes) -> None:
        if target == path:
            raise KeyboardInterrupt
        write(target, content)

    monkeypatch.setattr(storage, "write_bytes", die)
    for number in range(kills):
        with pytest.raises(KeyboardInterrupt):
            storage.write_recorded(path, bytes([number]))
        storage.check_recorded(path)
    monkeypatch.undo()
    path.write_bytes(b"whale")
    with pytest.raises(BadFileError, match="not as it was written"):
        storage.check_recorded(path)


def test_the_manifest_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    for number in range(20):
        storage.write_recorded(path, bytes([number]))
    assert len(storage.read_json(tmp_path / storage.MANIFEST)["w.pt"]["earlier"]) == storage.MAX_EARLIER


@pytest.mark.parametrize("manifest", [b"[]", b"not json", b'{"w.pt": 5}', b'{"w.pt": {"sha256": null}}'])
def test_a_broken_manifest_proves_nothing(tmp_path: Path, manifest: bytes) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(b"x")
    (tmp_path / storage.MANIFEST).write_bytes(manifest)
    with pytest.raises(BadFileError):
        storage.check_recorded(path)


def test_a_file_no_manifest_names_passes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"y")
    storage.check_recorded(tmp_path / "x")


BAD_JSON = {
    "cut": b'{"a": [1, 2',
    "empty": b"",
    "nan": b'{"a": NaN}',
    "infinity": b"[-Infinity]",
    "overflow": b"[1e999]",
    "digits": b"[" + b"1" * 5000 + b"]",
    "twice": b'{"a": 1, "a": 2}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep in text is fine but broken": b'["' + b"[" * 200,
    "half a character": b'["\\uD800"]',
    "half a key": b'{"\\udc00": 1}',
    "many keys twice": b"{" + b",".join(b'"%d":0' % i for i in range(30_000)) + b',"29999":0}',
    "latin-1": b'{"a": "\xe4"}',
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("name", list(BAD_JSON))
def test_bad_json_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(BAD_JSON[name])
    with pytest.raises(BadFileError, match=r"p\.json"):
        storage.read_json(path)


def test_whole_characters_spelled_as_halves_are_read() -> None:
    assert storage.parse_json(b'["\\ud83d\\ude00", "\\\\ud800"]', "x") == ["😀", "\\ud800"]


def test_brackets_in_texts_are_no_depth(tmp_path: Path) -> None:
    storage.write_json(tmp_path / "p.json", {"a": "[" * 1000 + '"{\\'})
    assert storage.read_json(tmp_path / "p.json") == {"a": "[" * 1000 + '"{\\'}


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    with open(path, "wb") as file:
        file.truncate(storage.MAX_JSON_BYTES + 1)
    with pytest.raises(BadFileError, match="larger than"):
        storage.read_json(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no file .*nope\.json"):
        storage.read_json(tmp_path / "nope.json")


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Could not read"):
        storage.read_json(tmp_path)


def fill(folder: Path, *contents: Iterable[bytes]) -> None:
    with storage.making_folder(folder) as made:
        for number, blocks in enumerate(contents):
            made.write(f"deep/{number}.txt", blocks)
            assert not folder.exists()


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    with pytest.raises(ZeroDivisionError):
        fill(target, [b"1"], (bytes([1 // number]) for number in (1, 0)))
    assert list(target.parent.iterdir()) == []
    with storage.making_folder(target) as made:
        made.write("a/b.txt", [b"1", b"2"])
    assert (target / "a" / "b.txt").read_bytes() == b"12"
    with storage.making_folder(target) as made:  # as another program that was slower
        made.write("other.txt", [b"3"])
    assert [path.name for path in target.iterdir()] == ["a"]
    assert [path.name for path in target.parent.iterdir()] == ["folder"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for target in (tmp_path / "file" / "x", tmp_path / ("x" * 300) / "x"):
        with pytest.raises(StorageError, match="Could not write"):
            fill(target, [b"1"])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
