"""The only door through which files are written, and the careful way in which JSON is read.

A file appears whole or not at all: it is written beside its place, flushed to the disk, then moved over the old
one. What a killed write leaves behind is cleaned by `clean_leftovers`.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

TEMPORARY_SUFFIX = ".studio-tmp"
MAX_JSON_BYTES = 20 * 1024 * 1024
MAX_JSON_DEPTH = 64
MAX_JSON_DIGITS = 400
# A whole text (to the end, if it is never closed, so that no input is scanned twice) or a bracket.
_TEXT_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class StorageError(Exception):
    """A file could not be written or read; the message says which, why and what to do."""


class BadFileError(StorageError):
    """A file was read but its content is not what it should be."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file whole or not at all.

    Yields:
        a binary file beside `path`; it takes the place of `path` when the block ends without an error.

    Raises:
        StorageError: if the disk is full or the folder cannot be written.
    """
    target = Path(os.path.realpath(path))  # a link stays, and what it points to is replaced
    # A name has at most 255 bytes, a character up to 4 of them.
    temporary = target.with_name(f".{target.name[:50]}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}")
    try:
        with _explained(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                _copy_mode(target, temporary)
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
            _sync_folder(target.parent)
    finally:
        with contextlib.suppress(OSError):  # such as a parent that is no folder: the error above tells
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an OSError into a StorageError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = f"the disk is full ({_free_space(path)}). Free some space and try again"
        else:
            reason = f"{error.strerror or error}"
        raise StorageError(f"Could not write {path}: {reason}.") from error


def _free_space(path: Path) -> str:
    import shutil  # brings every kind of compression; only a full disk needs it

    folder = next((p for p in path.parents if p.exists()), Path("."))
    return f"{shutil.disk_usage(folder).free / 1e6:.1f} MB free"


def _copy_mode(path: Path, temporary: Path) -> None:
    """Who may read and write a file stays as it is when the file is replaced."""
    with contextlib.suppress(OSError):  # it is new, or its disk knows no such rights
        os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open a folder to flush it
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class NewFolder:
    """A folder that `making_folder` fills.

    Args:
        path: where it is until it is whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, blocks: Iterable[bytes]) -> None:
        """Write a file; one of the same name is replaced.

        Args:
            name: path below the folder, checked by the caller: it must not lead out of it.
            blocks: the content, in order. What they raise is raised.

        Raises:
            StorageError: if it cannot be written.
        """
        target = self.path / name
        with _explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as file:
                for block in blocks:
                    file.write(block)


@contextlib.contextmanager
def making_folder(path: Path) -> Iterator[NewFolder]:
    """Make a folder with files, whole or not at all. If there is one already when it is whole, that one stays.

    Yields:
        the folder to fill; it takes its place when the block ends without an error.

    Raises:
        StorageError: if the disk is full or the place cannot be written.
    """
    temporary = path.with_name(f".{path.name[:50]}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}")
    try:
        with _explained(path):
            temporary.mkdir(parents=True)
        yield NewFolder(temporary)
        if hasattr(os, "sync"):  # once for thousands of files, each of which would take as long
            os.sync()
        with _explained(path):
            if not path.exists():
                os.replace(temporary, path)
                _sync_folder(path.parent)
    finally:
        remove_folder(temporary)


def remove_folder(path: Path) -> bool:
    """Remove a folder with all that is in it; false if some of it stays. Links in it are not followed."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)
    return not os.path.lexists(path)


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all. Raises StorageError."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text whole or not at all; half a character becomes a question mark. Raises StorageError."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_json(path: Path, data: Any) -> None:
    """Write JSON with sorted-by-insertion keys and a final newline, whole or not at all. Raises StorageError."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Add one line to a log-like file. A kill can cut the last line only. Raises StorageError."""
    with _explained(path), open_log(path) as file:
        file.write(line.encode("utf-8", "replace") + b"\n")


def open_log(path: Path) -> BinaryIO:
    """Open a file to which only is added, as for another program that prints into it. Raises StorageError."""
    with _explained(path):
        return open(path, "ab")


def read_appended(path: Path, offset: int, max_bytes: int) -> bytes:
    """What stands in a log-like file from `offset` on, `max_bytes` at most; nothing if there is no such file.

    Raises:
        StorageError: if it cannot be read, or is a link, a pipe or anything else than a plain file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadFileError(f"{path} is not a plain file.")
            file.seek(offset)
            return file.read(max_bytes)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror or error}.") from error


def make_folder(path: Path) -> None:
    """Make a folder and its parents. Raises StorageError."""
    with _explained(path):
        path.mkdir(parents=True, exist_ok=True)


def make_private_folder(path: Path) -> None:
    """Make a new folder that nobody else on this machine may look into. Raises StorageError, also if it exists."""
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)


def remove(path: Path) -> bool:
    """Remove a file; false if it stays, as one that another program holds open on Windows."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def mark_used(path: Path) -> None:
    """Set the time of a file to now, if that is allowed: of a cache, what was not used for longest goes first."""
    with contextlib.suppress(OSError):
        os.utime(path)


def clean_leftovers(folder: Path, older_than_seconds: float = 3600.0) -> None:
    """Remove what killed writes left below `folder`; younger files may belong to another program that still writes."""
    for leftover in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
        _clean_leftover(leftover, older_than_seconds)


def clean_left_folders(folder: Path, older_than_seconds: float = 86_400.0) -> None:
    """Remove folders in `folder` that killed programs did not finish; nothing further below is looked at."""
    for leftover in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        _clean_leftover(leftover, older_than_seconds)


def _clean_leftover(leftover: Path, older_than_seconds: float) -> None:
    with contextlib.suppress(OSError):
        if leftover.stat().st_mtime < time.time() - older_than_seconds:
            remove_folder(leftover) if leftover.is_dir() else leftover.unlink()


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits. Raises OSError, or BadFileError if it is no plain file."""
    import hashlib  # loads OpenSSL, which the window need not wait for

    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


MANIFEST = "manifest.json"
MAX_EARLIER = 8  # failed writes in a row that the manifest of a folder outlasts


def write_recorded(path: Path, content: bytes | memoryview, kept: Path | None = None) -> None:
    """Write a file and record its SHA-256 in the manifest of its folder, so that `check_recorded` can prove it whole.

    The manifest is written first and names the earlier contents too: a kill in between, even several times in a row,
    leaves a file that still matches.

    Args:
        kept: where the file goes that has been at `path`, in place of the one there; None to give it up.

    Raises:
        StorageError: if it cannot be written; then the old file stays, at `path` or at `kept`.
    """
    import hashlib

    manifest = path.with_name(MANIFEST)
    entries = _read_manifest(manifest)
    digest = hashlib.sha256(content).hexdigest()
    before = _digests(entries.get(path.name))[:MAX_EARLIER]
    if kept is not None and before:
        older = _digests(entries.get(kept.name))
        entries[kept.name] = {"sha256": before[0], "earlier": [*older[: MAX_EARLIER // 2], *before[1:]][:MAX_EARLIER]}
    write_json(manifest, {**entries, path.name: {"sha256": digest, "earlier": before, "bytes": len(content)}})
    try:
        _write_after(path, content, kept)
    except StorageError:
        with contextlib.suppress(StorageError):  # else each failed write would take the place of one that is there
            write_json(manifest, entries)
        raise


def _write_after(path: Path, content: bytes | memoryview, kept: Path | None) -> None:
    """Write a file, and keep what was there before as `kept`."""
    if kept is None:
        write_bytes(path, content)
        return
    with replacing(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        if path.exists():  # as late as possible: between this and the end of the block there is no file at `path`
            os.replace(path, kept)


def check_recorded(path: Path) -> None:
    """Compare a file with the manifest of its folder; a file that no manifest names passes.

    Raises:
        BadFileError: if it is not what was written.
    """
    entries = _read_manifest(path.with_name(MANIFEST))
    if path.name in entries and sha256(path) not in _digests(entries[path.name]):
        raise BadFileError(f"{path} is not as it was written (its SHA-256 differs): it is damaged or was replaced.")


def _read_manifest(manifest: Path) -> dict[str, Any]:
    entries = read_json(manifest) if manifest.exists() else {}
    if not isinstance(entries, dict):
        raise BadFileError(f"{manifest} does not list the files of its folder: it is damaged or was replaced.")
    return entries


def _digests(entry: object) -> list[Any]:
    """Every content that a file may have by its entry in a manifest, the newest first."""
    match entry:
        case {"sha256": newest, "earlier": list() as earlier}:
            return [newest, *earlier]
    return []


def open_plain(path: Path) -> io.BufferedReader:
    """Open a file to read it. What a link leads to is opened, but no pipe and no device, which could hold up forever.

    Raises:
        OSError: if it is missing or may not be read.
        BadFileError: if it is a folder, a pipe or a device.
    """
    _check_plain(os.stat(path).st_mode, path)  # before: opening a device may already do something
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = open(os.open(path, flags), "rb")  # noqa: SIM115  (the caller closes it)
    try:
        _check_plain(os.fstat(file.fileno()).st_mode, path)
    except BadFileError:
        file.close()
        raise
    return file


def _check_plain(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise BadFileError(f"Could not read {path}: it is {what}, not a file.")


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The content of a file no larger than `max_bytes`.

    Raises:
        StorageError: if it is missing, too large or unreadable, or no plain file.
    """
    try:
        with open_plain(path) as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise StorageError(f"There is no file {path}.") from error
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror or error}.") from error
    if len(content) > max_bytes:
        raise BadFileError(f"{path} is larger than {max_bytes / 1e6:g} MB, which no such file should be.")
    return content


def read_json(path: Path) -> Any:
    """Read JSON with limits on size, depth and numbers; no NaN, no key twice.

    Raises:
        StorageError: if the file is missing or unreadable.
        BadFileError: if it is not such JSON; the message says where.
    """
    return parse_json(read_bytes(path, MAX_JSON_BYTES), str(path))


def parse_json(content: bytes, where: str) -> Any:
    """As `read_json`, from bytes; `where` names their origin in messages. Raises BadFileError."""
    try:
        text = content.decode("utf-8-sig")
        _check_depth(text)
        data = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_int=_checked(int),
            parse_float=_checked(float),
        )
        _check_characters(text, data)
        return data
    except json.JSONDecodeError as error:
        raise BadFileError(
            f"{where} is not a whole JSON file: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except UnicodeDecodeError as error:
        raise BadFileError(f"{where} is not UTF-8 text (byte {error.start}).") from error
    except ValueError as error:
        raise BadFileError(f"{where}: {error}.") from error


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses."""
    depth = 0
    for match in _TEXT_OR_BRACKET.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise ValueError(f"nested deeper than {MAX_JSON_DEPTH} levels")
        elif token in "]}":
            depth -= 1


def _check_characters(text: str, data: Any) -> None:
    r"""Refuse half a character, such as \ud800: an escape can spell it, but no file and no window can show it."""
    if "\\ud" not in text.lower():
        return
    try:
        json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("half a character stands in one of its texts") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key “{key[:80]}” stands there twice")
        result[key] = value
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed as a number")


def _checked(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(digits: str) -> Any:
        if len(digits) > MAX_JSON_DIGITS:
            raise ValueError(f"a number of {len(digits)} digits is not allowed")
        value = convert(digits)
        if value in (float("inf"), float("-inf")):
            raise ValueError(f"the number {digits[:40]} is too large")
        return value

    return parse
