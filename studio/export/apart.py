"""Formats that tell of a run, made in a process of its own: drawing would hold the window up for moments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio import storage
from studio.export import write
from studio.export.clean_process import Tick, run_studio, say, trusted_in, working_folder
from studio.export.formats import FORMATS, ExportError
from studio.trust import take_over

SECONDS = 3_600.0
_TOLD, _REFUSED = "told", "refused"
_MOST_BYTES = 100_000


def export_beside(
    source: Path, kind: str, target: Path, data_folder: Path | Mapping[str, Path] | None, tick: Tick | None
) -> str:  # fmt: skip
    """As `studio.export.write.export`, but what tells of a run is made in another process.

    Raises:
        ExportError: with the reason, whatever it was.
        What `tick` raises; then the process is ended and nothing is left behind.
    """
    if not FORMATS[kind].of_run:
        return write.export(source, kind, target, data_folder, tick=tick)  # those have processes of their own
    with working_folder() as folder:
        arguments = [kind, str(source), str(target), json.dumps(_plain(data_folder)), str(folder)]
        run_studio("studio.export.apart", arguments, SECONDS, tick)
        for name in (_TOLD, _REFUSED):
            if (folder / name).is_file():
                text = storage.read_bytes(folder / name, _MOST_BYTES).decode()
                if name == _REFUSED:
                    raise ExportError(text)
                return text
        raise ExportError("The process ended without a word. Nothing was written.")


def main(arguments: Sequence[str], given: str) -> None:
    """In the other process: write, and leave word."""
    take_over(trusted_in(given))
    kind, source, target, folders, folder = arguments
    try:
        told = write.export(Path(source), kind, Path(target), _folders(json.loads(folders)), tick=say)
    except Exception as error:  # all of them are told to the person
        storage.write_text(Path(folder) / _REFUSED, str(error) or type(error).__name__)
    else:
        storage.write_text(Path(folder) / _TOLD, told)


def _plain(folders: Path | Mapping[str, Path] | None) -> str | dict[str, str] | None:
    if isinstance(folders, Mapping):
        return {kind: str(path) for kind, path in folders.items()}
    return None if folders is None else str(folders)


def _folders(plain: str | dict[str, str] | None) -> Path | Mapping[str, Path] | None:
    if isinstance(plain, dict):
        return {kind: Path(path) for kind, path in plain.items()}
    return None if plain is None else Path(plain)
