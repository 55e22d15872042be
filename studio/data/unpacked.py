"""A person's archives, unpacked once into the studio's cache folder and then read as folders.

An archive is written in a project as if it were a folder: `pets.zip/train` is the folder `train` in it. `here` leads
such a path to where the files are. What was unpacked has a name that follows from the archive's content, so that the
same archive is never unpacked twice, and another one of the same name is not taken for it. When the cache was cleared,
the archive is unpacked again; while the cache has it, the archive itself is not needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio import storage
from studio.data.base import DataError, Progress
from studio.data.cache import Kept
from studio.data.locations import cache_folder

TAPES = (".zip", ".tar", ".tgz", ".tbz2", ".tbz", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")  # of many files
PACKED = (".gz", ".bz2", ".xz")  # single files, mostly
MOST_BYTES = 200 * 10**9  # that an archive may unpack to
LEFT_FREE = 10**9  # bytes of the disk
MOST_NAMES = 20  # places at which an archive was seen, that are remembered
_ABOUT, _FILES = "about.json", "files"
_WORDS = {
    "links": "{count:,} links in {name} were left out: they may lead anywhere.",
    "devices": "{count:,} entries of {name} were left out: they are no files.",
    "names": "{count:,} files of {name} were left out: they have names that no file should have.",
}


def is_archive(path: Path) -> bool:
    """Whether a file can be unpacked here, by its name."""
    return path.name.lower().endswith((*TAPES, *PACKED)) and os.path.isfile(path)


def split(path: Path) -> tuple[Path, Path] | None:
    """An archive and a path in it, if a path leads into one; it need not exist. None for any other path.

    An archive in an archive is a file like others.
    """
    for place in (*reversed(path.parents), path):
        if place.name.lower().endswith((*TAPES, *PACKED)) and not os.path.isdir(place):
            inside = path.relative_to(place)
            # A packed file may be meant itself: some sources read such.
            return (place, inside) if inside.parts or place.name.lower().endswith(TAPES) else None
    return None


def here(path: Path) -> Path:
    """Where files are that lie in an archive, which is unpacked if need be; any other path as it is.

    Raises:
        DataError: if the archive cannot be unpacked.
    """
    found = split(path)
    if found is None:
        return path
    archive, inside = found
    if not os.path.isfile(archive):
        known = _last_seen(archive)
        return path if known is None else known / _FILES / inside
    return unpacked(archive) / inside


def unpacked(archive: Path, progress: Progress = lambda done, total: None) -> Path:
    """The folder with the content of an archive, unpacked now unless it is there.

    Args:
        progress: called with (bytes done, bytes in all); may raise to cancel, which leaves nothing behind.

    Raises:
        DataError: if it is broken, protected, too large or names places outside, or if the disk is full.
    """
    with _alone(progress):
        try:
            seen = _seen(archive)
            known = _known(seen)
            if known is None:
                known = _place(archive, _digest(archive, progress))
                if not _is_whole(known):
                    storage.remove_folder(known)
                    _unpack(archive, known, seen, progress)
                _remember(known, seen)
        except OSError as error:
            raise DataError(f"{archive} cannot be read: {error.strerror or error}.") from error
        except storage.StorageError as error:
            raise DataError(str(error)) from error
        storage.mark_used(known / _ABOUT)
        return known / _FILES


def notes(path: Path) -> tuple[str, ...]:
    """What was left out of the archive that a path leads into, in sentences."""
    found = split(path.expanduser())
    known = None if found is None else _last_seen(found[0])
    if found is None or known is None:
        return ()
    left_out = _about(known).get("left_out", {})
    return tuple(_WORDS[what].format(count=count, name=found[0].name) for what, count in left_out.items())


def forget(root: Path) -> None:
    """Remove what `unpacked` gave, since nobody needs it."""
    storage.remove_folder(root.parent)


def title_of(path: Path) -> str:
    """The name of a file without its ending, or of an archive without both of them."""
    endings = sorted((*TAPES, *PACKED), key=len, reverse=True)
    ending = next((ending for ending in endings if path.name.lower().endswith(ending)), path.suffix)
    return path.name[: len(path.name) - len(ending)]


def folder() -> Path:
    """Where unpacked archives are. It may not exist yet."""
    return cache_folder() / "unpacked"


def entries() -> list[Kept]:
    """All archives that are unpacked, the most recently used first."""
    found = []
    for place in _places():
        about = _about(place)
        if about:
            title = str(next(iter(about["seen"]), [place.name])[0])
            found.append(Kept(place, title, about["bytes"], (place / _ABOUT).stat().st_mtime))
    return sorted(found, key=lambda kept: -kept.used)


def clear() -> None:
    """Remove all of them; what a program reads just then may stay."""
    storage.clean_left_folders(folder())
    for place in _places():
        storage.remove_folder(place)


def _unpack(archive: Path, place: Path, seen: list[Any], progress: Progress) -> None:
    from studio.data.archive_reading import Reading  # brings every kind of compression

    storage.clean_left_folders(folder())
    size = archive.stat().st_size
    reading = Reading(archive, _room(), lambda done, total: progress(size + done, 2 * size))
    with storage.making_folder(place) as made:
        for packed in reading.files():
            made.write(f"{_FILES}/{packed.name}", packed.blocks)
        if not (made.path / _FILES).exists():
            raise DataError(f"{archive} holds no files that can be used.")
        files, total = _measure(made.path / _FILES)
        about = {"seen": [seen], "files": files, "bytes": total, "left_out": dict(reading.left_out)}
        storage.write_json(made.path / _ABOUT, about)


def _room() -> int:
    """How many bytes an archive may unpack to now."""
    place = next(path for path in (folder(), *folder().parents) if path.exists())
    return max(0, min(MOST_BYTES, shutil.disk_usage(place).free - LEFT_FREE))


def _digest(archive: Path, progress: Progress) -> str:
    """SHA-256 of the content, which is half of the work."""
    digest, total = hashlib.sha256(), 2 * archive.stat().st_size
    with open(archive, "rb") as file:
        while block := file.read(2**22):
            digest.update(block)
            progress(file.tell(), total)
    return digest.hexdigest()


def _place(archive: Path, digest: str) -> Path:
    """What is in a packed file has its name from the file's."""
    called = "" if archive.name.lower().endswith(TAPES) else archive.stem
    return folder() / hashlib.sha256(f"{digest} {called}".encode("utf-8", "surrogateescape")).hexdigest()[:40]


def _places() -> list[Path]:
    return [about.parent for about in folder().glob(f"[!.]*/{_ABOUT}")]


def _about(place: Path) -> dict[str, Any]:
    """What was written down of an unpacked archive; nothing if that is damaged."""
    try:
        about = storage.read_json(place / _ABOUT)
    except storage.StorageError:
        return {}
    match about:
        case {"seen": list(), "files": int(), "bytes": int(), "left_out": dict()}:
            return dict(about)
    return {}


def _seen(archive: Path) -> list[Any]:
    """What changes when an archive does, without reading it."""
    known = archive.stat()
    return [str(archive.absolute()), known.st_size, known.st_mtime_ns]


def _known(seen: list[Any]) -> Path | None:
    """The unpacked content of an archive that nothing touched since it was unpacked."""
    return next((place for place in _places() if seen in _about(place).get("seen", []) and _is_whole(place)), None)


def _last_seen(archive: Path) -> Path | None:
    """What was unpacked last of an archive that lay there, which may be gone."""
    path = str(archive.absolute())
    places = [place for place in _places() if any(path == seen[0] for seen in _about(place).get("seen", []))]
    return max(places, key=lambda place: (place / _ABOUT).stat().st_mtime, default=None)


def _remember(place: Path, seen: list[Any]) -> None:
    """The archive is known by its place, size and time from now on."""
    about = _about(place)
    others = [other for other in about["seen"] if other[0] != seen[0]]
    storage.write_json(place / _ABOUT, {**about, "seen": [seen, *others][:MOST_NAMES]})


_measured: set[Path] = set()  # what this process found whole


def _is_whole(place: Path) -> bool:
    """Whether all files are there. Once in each process they are counted: a crash of the machine may empty some."""
    about = _about(place)
    if not about or not (place / _FILES).is_dir():
        return False
    if place not in _measured:
        if _measure(place / _FILES) != (about["files"], about["bytes"]):
            return False
        _measured.add(place)
    return True


def _measure(place: Path) -> tuple[int, int]:
    """Number of files and bytes."""
    files = total = 0
    for path in _all_files(place):
        files += 1
        total += path.stat(follow_symlinks=False).st_size
    return files, total


def _all_files(place: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(place) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                yield from _all_files(entry.path)
            else:
                yield entry


_lock = threading.Lock()


@contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """One archive at a time; who waits may still give up."""
    while not _lock.acquire(timeout=0.1):
        progress(0, 0)
    try:
        yield
    finally:
        _lock.release()


__all__ = ["clear", "entries", "folder", "forget", "here", "is_archive", "notes", "split", "title_of", "unpacked"]
