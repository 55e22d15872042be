"""Which code from projects a person has read and lets run on this machine: exact contents, never names of files."""

from __future__ import annotations

import contextlib
from pathlib import Path

from studio import storage
from studio.places import data_folder

FILE = "trusted-code.json"
_for_now: set[str] = set()  # digests that this process may run


def is_trusted(code: str) -> bool:
    """Whether exactly this code may run here."""
    digest = _digest(code)
    return digest in _for_now or digest in _kept(_file())


def trust(code: str) -> None:
    """Let exactly this code run on this machine from now on. Raises StorageError if that cannot be kept."""
    trust_for_now(code)
    kept = _kept(_file())
    if _digest(code) not in kept:
        storage.make_folder(_file().parent)
        storage.write_json(_file(), sorted({*kept, _digest(code)}))


def trust_for_now(code: str) -> None:
    """Let exactly this code run until the program ends."""
    _for_now.add(_digest(code))


def trusted_for_now() -> list[str]:
    """SHA-256 of all code that this program may run until it ends, for a process that works in its place."""
    return sorted(_for_now)


def take_over(digests: list[str]) -> None:
    """Trust what the program trusts that started this process, until the process ends."""
    _for_now.update(digests)


def forget_for_now() -> None:
    """Take back what was trusted until the program ends."""
    _for_now.clear()


def _file() -> Path:
    return data_folder() / FILE


def _kept(file: Path) -> set[str]:
    """Digests in the file; none if it is missing or damaged, so that the person is asked again."""
    with contextlib.suppress(storage.StorageError):
        digests = storage.read_json(file) if file.exists() else []
        if isinstance(digests, list):
            return {digest for digest in digests if isinstance(digest, str)}
    return set()


def _digest(code: str) -> str:
    import hashlib  # loads OpenSSL, which the window need not wait for

    return hashlib.sha256(code.encode()).hexdigest()
