"""Fetches files from the internet: whole, checked, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from studio import storage
from studio.data.base import DataError, Progress

# Tried in this order. Fashion-MNIST is only to be had without encryption; that can do no harm, as every file must have
# the MD5 that is known for it.
SCHEMES = ("https", "http")
TIMEOUT_S = 30.0  # without a sign of life from the other side
BLOCK_BYTES = 2**16
MD5, SHA256, GIT = "MD5", "SHA-256", "digest of git"


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    Args:
        urls: where it can be had; those with encryption are tried first.
        digest: of its content, as hexadecimal digits.
        path: where it goes.
        algorithm: of the digest: MD5, SHA256, or GIT for that of a file in a git repository.
        size: in bytes, which the digest of git covers.
        secrets: headers that are sent to the address itself, and nowhere it leads to.
    """

    urls: tuple[str, ...]
    digest: str
    path: Path
    algorithm: str = MD5
    size: int = 0
    secrets: tuple[tuple[str, str], ...] = ()

    def hasher(self) -> hashlib._Hash:
        """What computes the digest."""
        if self.algorithm == SHA256:
            return hashlib.sha256()
        if self.algorithm == GIT:
            return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        return hashlib.md5(usedforsecurity=False)


class _FetchError(Exception):
    """One address did not give the file; says why, as the part of a sentence."""


def fetch(files: Sequence[RemoteFile], max_bytes: int, report: Callable[[int], None]) -> None:
    """Fetch what is not there yet.

    Args:
        files: what to fetch; one that is there already with the right content is left alone.
        max_bytes: the most that one file may have.
        report: called with the bytes done; may raise to cancel, which leaves no part of a file behind.

    Raises:
        DataError: if a file cannot be had from any of its addresses, or not be written.
    """
    done = 0
    for file in files:
        if not _is_there(file):
            try:
                _fetch_file(file, max_bytes, _counting_from(done, report))
            except storage.StorageError as error:
                raise DataError(str(error)) from error
        done += file.path.stat().st_size
        report(done)


def reporter(progress: Progress | None, expected_bytes: int) -> Callable[[int], None]:
    """What `fetch` reports to: passes the bytes done on to someone who also wants to know how many there are in all."""

    def report(done: int) -> None:
        if progress is not None:
            progress(done, max(done, expected_bytes))

    return report


def _is_there(file: RemoteFile) -> bool:
    try:
        with open(file.path, "rb") as content:
            return hashlib.file_digest(content, file.hasher).hexdigest() == file.digest
    except OSError:
        return False


def _counting_from(before: int, report: Callable[[int], None]) -> Callable[[int], None]:
    return lambda count: report(before + count)


def _fetch_file(file: RemoteFile, max_bytes: int, report: Callable[[int], None]) -> None:
    reasons = []
    for url in [url for scheme in SCHEMES for url in file.urls if urlsplit(url).scheme == scheme]:
        try:
            return _fetch_from(url, file, max_bytes, report)
        except _FetchError as error:
            reasons.append(f"{urlsplit(url).hostname} {error}")
    raise DataError(
        f"Could not download {file.path.name}: {'; '.join(reasons) or 'no safe address is known'}. Check the network "
        "connection and try again, or get the files in another way and choose their folder."
    )


def _fetch_from(url: str, file: RemoteFile, max_bytes: int, report: Callable[[int], None]) -> None:
    digest, count = file.hasher(), 0
    with storage.replacing(file.path) as target:
        for block in _blocks(url, file.secrets):
            count += len(block)
            if count > max_bytes:
                raise _FetchError(f"sent more than {max_bytes:,} bytes, which this file cannot have")
            digest.update(block)
            target.write(block)
            report(count)
        if digest.hexdigest() != file.digest:
            raise _FetchError(f"sent {count:,} bytes that are not the original file (its {file.algorithm} differs)")


def _blocks(url: str, secrets: Sequence[tuple[str, str]]) -> Iterator[bytes]:
    request = urllib.request.Request(url, headers={"User-Agent": "training-studio"})
    for name, value in secrets:
        request.add_unredirected_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            while block := response.read(BLOCK_BYTES):
                yield block
    except urllib.error.HTTPError as error:
        error.close()
        raise _FetchError(f"answered “{error.code} {error.reason}”") from error
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise _FetchError(f"could not be reached ({reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise _FetchError(f"broke off ({error})") from error
