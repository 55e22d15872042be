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


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    Args:
        urls: where it can be had; those with encryption are tried first.
        md5: of its content, as hexadecimal digits; empty if another digest tells it.
        path: where it goes.
        sha256: of its content, the first digits.
        blob: the digest by which git knows its content, with `size` in it.
        size: in bytes; only for `blob`.
        secrets: headers that are sent to the address itself, and not to where it leads.
    """

    urls: tuple[str, ...]
    md5: str
    path: Path
    sha256: str = ""
    blob: str = ""
    size: int = 0
    secrets: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """The name of the digest that is known of it."""
        return "SHA-256" if self.sha256 else "digest in git" if self.blob else "MD5"

    def new_digest(self) -> hashlib._Hash:
        """A digest to feed with the content."""
        if self.blob:
            return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        return hashlib.sha256() if self.sha256 else hashlib.md5(usedforsecurity=False)

    def is_told_by(self, digest: hashlib._Hash) -> bool:
        """Whether a digest of some content is that of this file."""
        found = digest.hexdigest()
        return found.startswith(self.sha256) if self.sha256 else found == (self.blob or self.md5)

    def is_there(self) -> bool:
        """Whether the file is at its place, with the right content."""
        try:
            with open(self.path, "rb") as content:
                return self.is_told_by(hashlib.file_digest(content, self.new_digest))
        except OSError:
            return False


class _FetchError(Exception):
    """One address did not give the file; says why, as the part of a sentence."""


def fetch(
    files: Sequence[RemoteFile], max_bytes: int, report: Callable[[int], None], advice: str = "choose their folder"
) -> None:
    """Fetch what is not there yet.

    Args:
        files: what to fetch; one that is there already with the right content is left alone.
        max_bytes: the most that one file may have.
        report: called with the bytes done; may raise to cancel, which leaves no part of a file behind.
        advice: what to do with files that one has got in another way.

    Raises:
        DataError: if a file cannot be had from any of its addresses, or not be written.
    """
    done = 0
    for file in files:
        if not file.is_there():
            try:
                _fetch_file(file, max_bytes, _counting_from(done, report), advice)
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


def _counting_from(before: int, report: Callable[[int], None]) -> Callable[[int], None]:
    return lambda count: report(before + count)


def _fetch_file(file: RemoteFile, max_bytes: int, report: Callable[[int], None], advice: str) -> None:
    reasons = []
    for url in [url for scheme in SCHEMES for url in file.urls if urlsplit(url).scheme == scheme]:
        try:
            return _fetch_from(url, file, max_bytes, report)
        except _FetchError as error:
            reasons.append(f"{urlsplit(url).hostname} {error}")
    raise DataError(
        f"Could not download {file.path.name}: {'; '.join(reasons) or 'no safe address is known'}. Check the network "
        f"connection and try again, or get the files in another way and {advice}."
    )


def _fetch_from(url: str, file: RemoteFile, max_bytes: int, report: Callable[[int], None]) -> None:
    digest, count = file.new_digest(), 0
    with storage.replacing(file.path) as target:
        for block in _blocks(url, file.secrets):
            count += len(block)
            if count > max_bytes:
                raise _FetchError(f"sent more than {max_bytes:,} bytes, which this file cannot have")
            digest.update(block)
            target.write(block)
            report(count)
        if not file.is_told_by(digest):
            raise _FetchError(f"sent {count:,} bytes that are not the original file (its {file.digest} differs)")


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
