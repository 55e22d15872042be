"""Reads the Large Movie Review Dataset, from its folder or its original archive.

Source: Maas et al., "Learning Word Vectors for Sentiment Analysis", 2011; https://ai.stanford.edu/~amaas/data/sentiment/
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from studio.data.archives import Unpacked
from studio.data.base import DataError
from studio.data.encodings import decode

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
ARCHIVE = "aclImdb_v1.tar.gz"
FOLDER = "aclImdb"
CLASSES = ("neg", "pos")
PARTS = tuple((part, label) for part in ("train", "test") for label in CLASSES)
MAX_ARCHIVE_BYTES = 2**30  # unpacked; the original has about half of it
MAX_REVIEW_BYTES = 2**20

Reviews = dict[tuple[str, str], list[str]]  # by part and class, in the order of the files' names


def read_folder(folder: Path) -> Reviews:
    """The reviews below a folder that holds train and test, each with pos and neg.

    Raises:
        DataError: if a file cannot be read, or a folder is empty.
    """
    reviews = {}
    for part in PARTS:
        place = folder.joinpath(*part)
        try:
            found = [(path.name, path.read_bytes()) for path in place.iterdir() if path.suffix == ".txt"]
        except OSError as error:
            raise DataError(f"{place} cannot be read: {error.strerror or error}.") from error
        reviews[part] = _texts(found, str(place))
    return reviews


def read_archive(path: Path) -> Reviews:
    """The reviews in the original archive; nothing is unpacked to the disk.

    Raises:
        DataError: if it is broken, or another archive.
    """
    found: dict[tuple[str, str], list[tuple[str, bytes]]] = {part: [] for part in PARTS}
    try:
        with Unpacked(path, MAX_ARCHIVE_BYTES, "the IMDB dataset") as unpacked:
            with tarfile.open(fileobj=unpacked, mode="r|") as archive:
                for member in archive:
                    part, name = _place(member)
                    if part in found:
                        found[part].append((name, _content(archive, member, path)))
            while unpacked.read(2**20):
                pass  # to the end, where gzip's sum is
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise DataError(f"{path} is broken: {error}. Copy or download it again.") from error
    return {part: _texts(files, f"{path}, folder {'/'.join(part)},") for part, files in found.items()}


def _place(member: tarfile.TarInfo) -> tuple[tuple[str, str], str]:
    """Part and class of a review, and its file's name; empty texts for all else."""
    parts = PurePosixPath(member.name).parts
    if not member.isfile() or len(parts) != 4 or not parts[3].endswith(".txt"):
        return ("", ""), ""
    return (parts[1], parts[2]), parts[3]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bytes:
    if member.size > MAX_REVIEW_BYTES:
        raise DataError(f"{path}, file {member.name[:80]}, has {member.size:,} bytes; no review has.")
    file = archive.extractfile(member)
    assert file is not None, "a regular file has content"
    return file.read()


def _texts(files: Iterable[tuple[str, bytes]], where: str) -> list[str]:
    """The texts, without the line breaks of web pages that stand in them."""
    texts = [decode(content, f"{where}/{name}")[0].replace("<br />", " ") for name, content in sorted(files)]
    if not texts:
        raise DataError(f"{where} holds no reviews. Choose the folder {FOLDER}, or download it again.")
    return texts
