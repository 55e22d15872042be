"""Reads what is in a person's archive, file by file, and trusts nothing that stands in it.

Nothing is written here. Names are checked, links and devices are left out, and nothing gives more bytes than allowed:
a small archive can be made to unpack to far more than any disk holds.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

from studio.data.base import DataError, Progress
from studio.data.own_files import printable

MOST_FILES = 2_000_000
MOST_RATIO, FREE_OF_RATIO = 300, 10**9  # it may unpack to so many times its own bytes, and so many more
MOST_BESIDE = 2**26  # bytes between two files in a tar archive: names, and what is no file
MOST_XZ_MEMORY = 2**29  # bytes that unpacking may need
LONGEST_NAME, LONGEST_PART, DEEPEST = 1_000, 255, 40  # characters, bytes, folders
BLOCK = 2**20
LINKS, DEVICES, NAMES = "links", "devices", "names"  # what is left out and told
_ADDED = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")  # by other programs, to any archive
_ELSEWHERE = re.compile(r"[/\\]|[A-Za-z]:")  # a beginning that leads out of every folder
_NOT_ON_WINDOWS = frozenset('<>:"|?*')
_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError, OverflowError,
    IndexError,
)  # fmt: skip


@dataclass(frozen=True)
class Packed:
    """A file in an archive.

    Args:
        name: its path below the folder that it is unpacked to, with slashes; checked.
        blocks: its content, to be read before the next file is asked for.
    """

    name: str
    blocks: Iterator[bytes]


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass
class Reading:
    """An archive that is read once.

    Args:
        path: of the archive.
        most_bytes: what all files in it together may have.
        progress: called with (bytes of the archive that are read, all of them); may raise to cancel.
        left_out: how many links, devices and names that no file can have were passed over.
    """

    path: Path
    most_bytes: int
    progress: Progress
    left_out: Counter[str] = field(default_factory=Counter)
    _given: int = 0
    _files: int = 0

    def files(self) -> Iterator[Packed]:
        """All files. Raises DataError if it is broken, protected, too large, or names a place outside."""
        size = self.path.stat().st_size
        self.most_bytes = min(self.most_bytes, MOST_RATIO * size + FREE_OF_RATIO)
        with self._explained(), open(self.path, "rb") as raw:
            is_zip = zipfile.is_zipfile(raw) and _begins(raw, b"PK")
            for packed in self._of_zip(raw) if is_zip else self._of_stream(raw):
                self._files += 1
                if self._files > MOST_FILES:
                    raise DataError(f"{self.path} holds more than {MOST_FILES:,} files, which are not unpacked.")
                yield packed

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever goes wrong inside the readers means a broken archive."""
        try:
            yield
        except (NotImplementedError, RuntimeError) as error:  # so zipfile says that it cannot
            raise DataError(
                f"{self.path} is packed in a way that cannot be read here ({error}). Unpack it and use the folder."
            ) from error
        except _BROKEN as error:
            raise DataError(f"{self.path} is broken: {error}. Copy or download it again.") from error

    def _blocks(self, content: _Readable, raw: BinaryIO, total: int) -> Iterator[bytes]:
        with self._explained():
            while block := content.read(BLOCK):
                self.count(len(block))
                self.progress(min(raw.tell(), total), total)
                yield block

    def count(self, given: int) -> None:
        """Remember that so many bytes were unpacked. Raises DataError if these are too many."""
        self._given += given
        if self._given > self.most_bytes:
            raise too_large(self.path, self.most_bytes)

    # Zip

    def _of_zip(self, raw: BinaryIO) -> Iterator[Packed]:
        total = self.path.stat().st_size
        with zipfile.ZipFile(raw) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > self.most_bytes:
                raise too_large(self.path, self.most_bytes)
            for member in members:
                name = self._zip_name(member)
                if name is not None:
                    with archive.open(member) as content:
                        yield Packed(name, self._blocks(content, raw, total))

    def _zip_name(self, member: zipfile.ZipInfo) -> str | None:
        if member.is_dir() or member.filename.endswith("\\"):
            return None
        if member.flag_bits & 1:
            raise DataError(f"{self.path} is protected by a password. Unpack it and use the folder that comes out.")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            self.left_out[LINKS if kind == stat.S_IFLNK else DEVICES] += 1
            return None
        return self._checked(member.filename)

    # Tar, or a single file that is packed

    def _of_stream(self, raw: BinaryIO) -> Iterator[Packed]:
        beginning = _unpacking(raw).read(tarfile.BLOCKSIZE)
        if _is_tar(beginning) or (".tar" in self.path.suffixes and beginning and not any(beginning)):  # an empty one
            raw.seek(0)
            yield from self._of_tar(raw)
            return
        raw.seek(0)
        content = _unpacking(raw)
        if content is raw:
            raise DataError(f"{self.path} is no archive, though its name says so: it is damaged, or something else.")
        name = self._checked(self.path.stem)
        if name is not None:
            yield Packed(name, self._blocks(content, raw, self.path.stat().st_size))

    def _of_tar(self, raw: BinaryIO) -> Iterator[Packed]:
        total = self.path.stat().st_size
        stream = _Bounded(_unpacking(raw), self.path, self.most_bytes)
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="r|", tarinfo=_Member, encoding="utf-8", errors="surrogateescape"
        ) as archive:  # fmt: skip
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # or millions of them would fill the memory
                name = self._tar_name(member)
                content = archive.extractfile(member) if name is not None else None
                if name is not None and content is not None:
                    yield Packed(name, self._blocks(_Patient(content, stream), raw, total))
                stream.begin()
        while stream.read(BLOCK):  # the check sum stands at the very end
            stream.begin()

    def _tar_name(self, member: tarfile.TarInfo) -> str | None:
        if member.isdir():
            return None
        if not member.isreg():
            self.left_out[LINKS if member.issym() or member.islnk() else DEVICES] += 1
            return None
        return self._checked(member.name)

    def _checked(self, name: str) -> str | None:
        """Where a file goes; None if nobody wants it, or no file can be called so. Raises DataError."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        if _ELSEWHERE.match(name) or ".." in parts:
            raise DataError(
                f"{self.path} is not unpacked: it holds a file that would lie outside of its folder "
                f"(“{printable(name)}”). If you trust it, unpack it yourself and use the folder."
            )
        if not parts or any(part in _ADDED or part.startswith("._") for part in parts):
            return None
        parts = [_with_whole_characters(part) for part in parts]
        if not _possible(parts):
            self.left_out[NAMES] += 1
            return None
        return "/".join(parts)


def too_large(path: Path, most_bytes: int) -> DataError:
    """What is raised when an archive gives more than it may."""
    return DataError(
        f"{path} would unpack to more than {most_bytes / 1e9:,.1f} GB, which is more than the disk of the cache has "
        "room for, or far more than such a file should hold. If you trust it, unpack it yourself and use the folder."
    )


def _possible(parts: list[str]) -> bool:
    """Whether a file can be called so on every disk that this system knows."""
    if len(parts) > DEEPEST or sum(map(len, parts)) > LONGEST_NAME:
        return False
    if any(len(part.encode()) > LONGEST_PART for part in parts):
        return False
    if os.name == "nt" and any(_NOT_ON_WINDOWS & set(part) or part[-1] in ". " for part in parts):
        return False
    return not any(unicodedata.category(character) == "Cc" for part in parts for character in part)


def _with_whole_characters(name: str) -> str:
    """A name that is no UTF-8 is taken for Latin-1, in which every byte is a character."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


def _begins(raw: BinaryIO, signature: bytes) -> bool:
    raw.seek(0)
    found = raw.read(len(signature)) == signature
    raw.seek(0)
    return found


def _is_tar(beginning: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(beginning, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _unpacking(raw: BinaryIO) -> _Readable:
    """The unpacked content; the file itself if it is not packed."""
    for signature, opened in ((b"\x1f\x8b", _gzip), (b"BZh", bz2.BZ2File), (b"\xfd7zXZ\0", _Xz)):
        if _begins(raw, signature):
            made: _Readable = opened(raw)
            return made
    return raw


def _gzip(raw: BinaryIO) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=raw)


class _Xz:
    """An xz file that is read from its beginning to its end; the standard reader sets no limit to the memory."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._reader = self._fresh()

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; none at the end."""
        while True:
            if self._reader.eof:
                rest = (self._reader.unused_data or self._raw.read(BLOCK)).lstrip(b"\0")
                if not rest:
                    return b""
                self._reader = self._fresh()
            else:
                rest = self._raw.read(2**16) if self._reader.needs_input else b""
                if self._reader.needs_input and not rest:
                    raise EOFError("it ends too early")
            if block := self._reader.decompress(rest, size):
                return block

    @staticmethod
    def _fresh() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_XZ_MEMORY)


class _Bounded:
    """The content of a tar archive, bounded as a whole and between two files."""

    def __init__(self, content: _Readable, path: Path, most_bytes: int) -> None:
        self._content, self._path = content, path
        self._left = self._most = most_bytes + MOST_BESIDE
        self.begin()

    def begin(self) -> None:
        """Another file, or another block of one, begins."""
        self._beside = MOST_BESIDE

    def read(self, size: int = -1, /) -> bytes:
        """As of any file, but as many bytes as were asked for, as tarfile wants it. Raises DataError."""
        pieces: list[bytes] = []
        while size > 0 and (piece := self._content.read(size)):
            pieces.append(piece)
            size -= len(piece)
        content = b"".join(pieces)
        self._left -= len(content)
        self._beside -= len(content)
        if self._left < 0:
            raise too_large(self._path, self._most)
        if self._beside < 0:
            raise DataError(f"{self._path} is broken: between two files stands more than there can be.")
        return content


class _Patient:
    """A file in a tar archive, of which each block may be as long as it likes."""

    def __init__(self, content: IO[bytes], stream: _Bounded) -> None:
        self._content, self._stream = content, stream

    def read(self, size: int = -1, /) -> bytes:
        """As of any file."""
        self._stream.begin()
        return self._content.read(size)


class _Member(tarfile.TarInfo):
    """A member of a tar archive that ends with an error, and not without a word, where the next one is damaged."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> _Member:
        """The next member. Raises ReadError, where `tarfile` would take it for the end."""
        try:
            return super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error
