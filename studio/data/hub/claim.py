"""Whether files are a Hugging Face dataset, and which settings suit them; told from names, headers and first rows."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data.base import DataError
from studio.data.hub.features import PICTURE, SOUND, has_description
from studio.data.hub.layout import SUFFIXES
from studio.data.hub.rows import open_part
from studio.data.hub.table import DICT_FILE, INFO_FILE, STATE_FILE, find_layout
from studio.data.images.decode import Header, PictureError, header_of
from studio.data.images.propose import proposal_of

if TYPE_CHECKING:
    from studio.data.hub.loading import View
    from studio.data.hub.sources import HuggingFace

_BESIDE = (".md", ".txt", ".json", ".yaml", ".yml")  # endings of files that say more about a dataset
_MOST_ENTRIES = 20_000  # of a folder and those below, that are counted


def is_dataset(path: Path) -> bool:
    """Whether a file or folder is one. A Parquet file must say so itself: others are tables."""
    try:
        if path.is_file():
            return path.suffix.lower() in SUFFIXES and (path.suffix.lower() == ".arrow" or _is_described(path))
        saved = (path / DICT_FILE).is_file() or ((path / INFO_FILE).is_file() and (path / STATE_FILE).is_file())
        return path.is_dir() and (saved or (_is_mostly_data(path) and bool(find_layout(path))))
    except (DataError, OSError):
        return False


def _is_mostly_data(folder: Path) -> bool:
    """Whether there are hardly other files than such and what is said of them; installed programs bring some, too."""
    data = others = seen = 0
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            suffix = os.path.splitext(name)[1].lower()
            data += suffix in SUFFIXES
            others += suffix not in (*SUFFIXES, *_BESIDE) and not name.startswith(".")
        seen += len(folders) + len(names)
        if seen > _MOST_ENTRIES:
            break
    return data > 0 and data >= others


def _is_described(path: Path) -> bool:
    return has_description(open_part(path).schema)


def proposal(source: HuggingFace) -> dict[str, Any]:
    """Values for the fields that tell what the samples are; none if the files cannot be read."""
    from studio.data.hub.loading import view

    try:
        found = view(source, source.folder)
        values: dict[str, Any] = {"input_type": found.roles.kind, "task": found.answers.task}
        if found.roles.kind == PICTURE:
            values |= proposal_of(_headers(found))
        elif found.roles.kind == SOUND:
            values |= _rate_and_seconds(found)
    except DataError:
        return {}
    return values


def _rate_and_seconds(found: View) -> dict[str, Any]:
    from studio.data.audio.look import usual_of
    from studio.data.audio.reading import read_info
    from studio.data.audio.sources import suitable
    from studio.data.hub.media import some_contents

    infos = []
    for content in some_contents(found):
        with contextlib.suppress(DataError):
            infos.append(read_info(Path(found.roles.inputs[0].name), content))
    return suitable(*usual_of(infos)) if infos else {}


def _headers(found: View) -> list[Header]:
    from studio.data.hub.media import some_contents

    headers = []
    for content in some_contents(found):
        try:
            headers.append(header_of(content))
        except PictureError:
            continue
    return headers
