"""Which files of a Hugging Face dataset belong to which configuration and which split, told from their names.

Source: https://huggingface.co/docs/hub/datasets-file-names-and-splits
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

from studio.data.base import SPLITS

DEFAULT = "default"
SUFFIXES = (".parquet", ".arrow")
_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SHARD = re.compile(r"-\d{4,5}-of-\d{4,5}(?:-[0-9a-f]{16})?$")
_BETWEEN = re.compile(r"[-._ ]")

# Configuration -> split -> paths in order, all with “/” between folders.
Layout = dict[str, dict[str, list[str]]]


def layout_of(paths: Iterable[str], card: Mapping[str, Any] | None = None) -> Layout:
    """What the card of a dataset says, or else what the names of its files say.

    Args:
        paths: of all its files, below its folder.
        card: the front matter of its README.
    """
    data = sorted(path for path in paths if path.endswith(SUFFIXES))
    named = _from_card(data, (card or {}).get("configs"))
    return named or _from_names(data)


def split_of(path: str) -> str:
    """The split that the name of a file, or else of a folder above it, tells; “train” if none does."""
    *folders, file = path.split("/")
    stem = file.rsplit(".", 1)[0]
    for part in (stem, *reversed(folders)):
        if found := split_word(part):
            return found
    if folders and stem.isdigit():  # as the hub writes what it converts: “default/unsupervised/0000.parquet”
        return folders[-1].removeprefix("partial-")
    name = _SHARD.sub("", stem)
    return name if name != stem and re.fullmatch(r"\w+", name) else SPLITS[0]


def split_word(name: str) -> str:
    """The one of SPLITS that a name tells; empty if it tells none."""
    parts = [part.lower() for part in _BETWEEN.split(_SHARD.sub("", name))]
    return next((split for split, words in _WORDS.items() if any(word in parts for word in words)), "")


def _from_names(data: list[str]) -> Layout:
    """A folder above the splits is a configuration: “en/train-00000-of-00001.parquet”, “en/train/0000.parquet”."""
    layout: Layout = {}
    for path in data:
        *above, file = path.split("/")
        above = above[:-1] if len(above) > 1 and file.split(".")[0].isdigit() else above
        folders = [part for part in above if part != "data" and not split_word(part)]
        layout.setdefault(folders[0] if folders else DEFAULT, {}).setdefault(split_of(path), []).append(path)
    return layout


def _from_card(data: list[str], configs: Any) -> Layout:
    layout: Layout = {}
    for config in configs if isinstance(configs, list) else []:
        if not isinstance(config, Mapping):
            continue
        splits, name = _card_splits(data, config.get("data_files")), config.get("config_name", DEFAULT)
        if splits and isinstance(name, str):
            layout[name[:200]] = splits
    return layout


def _card_splits(data: list[str], files: Any) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for entry in files if isinstance(files, list) else [files]:
        split, patterns = (entry.get("split"), entry.get("path")) if isinstance(entry, Mapping) else (None, entry)
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            if not isinstance(pattern, str) or len(pattern) > 500 or pattern.count("*") > 5:
                continue
            for path in data:
                if fnmatch.fnmatchcase(path, pattern.removeprefix("./")):
                    name = split[:200] if isinstance(split, str) else split_of(path)
                    splits.setdefault(name, []).append(path)
    return splits


def in_order(splits: Mapping[str, list[str]]) -> list[str]:
    """Names of the splits: train, validation, test, then all others."""
    return [*(split for split in SPLITS if split in splits), *sorted(set(splits) - set(SPLITS))]
