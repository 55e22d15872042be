"""A Hugging Face dataset in files: which there are, of which split, and their rows as one table."""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio import storage
from studio.data.base import SPLITS, DataError, MissingDataError
from studio.data.hub.features import Feature, features_of
from studio.data.hub.layout import DEFAULT, SUFFIXES, Layout, in_order, layout_of, split_of, split_word
from studio.data.hub.rows import MOST_ROWS, Part, open_part
from studio.data.own_files import printable

MOST_FILES = 20_000  # that are looked at in a folder
_MOST_CARD = 2**18  # bytes of a README: of more, reading would take seconds
_DEPTH = 4  # folders below the one that was chosen
DICT_FILE, INFO_FILE, STATE_FILE = "dataset_dict.json", "dataset_info.json", "state.json"
MANIFEST = "training-studio.json"  # in the folder of what was fetched from the hub


@dataclass(frozen=True, eq=False)
class HubTable:
    """Rows of all splits that are used, one after the other: train, validation, test.

    Args:
        features: the columns, the same in every file.
        files: of each split, in that order.
        config: the name of the configuration.
        configs: all there are.
        unused: splits that are none of SPLITS.
    """

    features: dict[str, Feature]
    files: dict[str, tuple[Part, ...]]
    config: str
    configs: tuple[str, ...]
    unused: tuple[str, ...] = ()

    @functools.cached_property
    def parts(self) -> tuple[Part, ...]:
        """All files, in order."""
        return tuple(itertools.chain(*self.files.values()))

    @functools.cached_property
    def splits(self) -> dict[str, int]:
        """How many rows each split has."""
        return {name: sum(part.rows for part in parts) for name, parts in self.files.items()}

    def without(self, splits: Sequence[str]) -> HubTable:
        """The table without some of its splits, which are then told as unused."""
        kept = {name: parts for name, parts in self.files.items() if name not in splits}
        return dataclasses.replace(self, files=kept, unused=(*self.unused, *splits))

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(self.splits.values())

    @property
    def starts(self) -> tuple[int | None, int | None]:
        """The first row of its validation set, and of its test set; None for what it has not.

        A dataset that has one of both keeps it for the test: what watches the training is then drawn from the rest.
        """
        starts = dict(zip(self.splits, [0, *itertools.accumulate(self.splits.values())], strict=False))
        validation, test = (starts.get(name) or None for name in ("validation", "test"))
        return (validation, test) if test is not None else (None, validation)

    @functools.cached_property
    def _starts(self) -> list[int]:
        return [0, *itertools.accumulate(part.rows for part in self.parts)]

    def row(self, index: int) -> dict[str, Any]:
        """One row, from 0. Raises DataError."""
        number = bisect.bisect_right(self._starts, index) - 1
        while not self.parts[number].rows:
            number -= 1
        return self.parts[number].row(index - self._starts[number])

    def place(self, index: int) -> str:
        """Which row of which split one is, for people."""
        for name, count in self.splits.items():
            if index < count:
                return f"{name} {index + 1:,}"
            index -= count
        return f"{index + 1:,}"

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Record batches of some columns, in order. Raises DataError."""
        for part in self.parts:
            yield from part.batches(columns)

    def values(self, column: str) -> Any:
        """A whole column, a ChunkedArray of the same type everywhere. Raises DataError."""
        import pyarrow as pa

        chunks = [batch.column(0) for batch in self.batches([column])]
        kind = chunks[0].type if chunks else self.parts[0].schema.field(column).type
        try:
            return pa.chunked_array([chunk if chunk.type == kind else chunk.cast(kind) for chunk in chunks], type=kind)
        except pa.ArrowException as error:
            raise DataError(f"The column “{printable(column)}” is not of the same type in all files.") from error


def open_table(place: Path, config: str = "") -> HubTable:
    """Open a file or a folder; only the beginnings and ends of files are read.

    Args:
        config: the configuration; empty for the only one, “default”, or the first.

    Raises:
        MissingDataError: if there is nothing.
        DataError: if it is no such dataset, is broken, or has no such configuration.
    """
    if not place.exists():
        raise MissingDataError(f"There is nothing at {printable(str(place), 200)}. Choose where the dataset is.")
    layout = find_layout(place)
    if not layout:
        raise DataError(f"{place} holds no Parquet or Arrow file of a dataset.")
    chosen = config or (DEFAULT if DEFAULT in layout else next(iter(layout)))
    if chosen not in layout:
        known = ", ".join(printable(name, 40) for name in list(layout)[:20])
        raise DataError(f"{place} has no configuration “{printable(config)}”. There are: {known}.")
    root = place if place.is_dir() else place.parent
    return _opened(root, layout[chosen], chosen, tuple(layout))


def _opened(root: Path, files: dict[str, list[str]], config: str, configs: tuple[str, ...]) -> HubTable:
    names = in_order(files)
    used = [name for name in names if name in SPLITS] or names[:1]
    opened: dict[str, tuple[Part, ...]] = {}
    for name in used:
        parts = tuple(open_part(root / path) for path in files[name])
        if any(part.rows for part in parts):
            opened[name if name in SPLITS else SPLITS[0]] = parts
    everything = list(itertools.chain(*opened.values()))
    if not everything:
        raise DataError(f"{root} has no rows.")
    if sum(part.rows for part in everything) > MOST_ROWS:
        raise DataError(f"{root} has more than {MOST_ROWS:,} rows, which are not read.")
    unused = tuple(name for name in names if name not in used)
    return HubTable(_same_features(everything), opened, config, configs, unused)


def _same_features(parts: Sequence[Part]) -> dict[str, Feature]:
    first = features_of(parts[0].schema, str(parts[0].path))
    for part in parts[1:]:
        if part.schema.names != parts[0].schema.names or features_of(part.schema, str(part.path)) != first:
            raise DataError(f"{part.path} has other columns than {parts[0].path}. They do not belong together.")
    return first


def find_layout(place: Path) -> Layout:
    """Files of a dataset at a place; empty if there are none. Nothing but names, JSON and the README is read."""
    if place.is_file():
        suffix = place.suffix.lower()
        return {DEFAULT: {split_of(place.name): [place.name]}} if suffix in SUFFIXES else {}
    if (place / MANIFEST).is_file():
        return _fetched(place)
    if (place / DICT_FILE).is_file():
        return _saved_dict(place)
    if (place / INFO_FILE).is_file() and (place / STATE_FILE).is_file():
        return {DEFAULT: {SPLITS[0]: _saved_files(place)}}
    files = _files_below(place)
    return layout_of(files, read_card(place)) if files else {}


def _fetched(folder: Path) -> Layout:
    """What was fetched from the hub, as the manifest that was written last says."""
    configs = read_manifest(folder).get("configs")
    layout: Layout = {}
    for config, known in (configs if isinstance(configs, dict) else {}).items():
        splits = known.get("splits") if isinstance(known, dict) else None
        if not isinstance(splits, dict) or not all(_are_paths(paths) for paths in splits.values()):
            raise DataError(f"{folder / MANIFEST} is damaged. Download the dataset again.")
        layout[config] = splits
    return layout


def read_manifest(folder: Path) -> dict[str, Any]:
    """What was fetched into a folder; empty if nothing was. Raises DataError."""
    return _json(folder / MANIFEST) if (folder / MANIFEST).is_file() else {}


def _are_paths(paths: object) -> bool:
    return isinstance(paths, list) and all(is_path_below(path) for path in paths)


def is_path_below(path: object) -> bool:
    """Whether a text is a path with “/” that stays in its folder on every system."""
    return isinstance(path, str) and len(path) < 1_000 and all(_is_plain(part) for part in path.split("/"))


def _saved_dict(folder: Path) -> Layout:
    """What `DatasetDict.save_to_disk` writes: a folder for each split."""
    splits = _json(folder / DICT_FILE).get("splits")
    if not isinstance(splits, list) or not all(_is_plain(name) for name in splits):
        raise DataError(f"{folder / DICT_FILE} does not name the splits.")
    layout: dict[str, list[str]] = {}
    for name in splits:
        layout.setdefault(split_word(name) or name, []).extend(f"{name}/{file}" for file in _saved_files(folder / name))
    return {DEFAULT: layout}


def _saved_files(folder: Path) -> list[str]:
    """The files of a split, as its state names them: in this folder, and nowhere else."""
    files = _json(folder / STATE_FILE).get("_data_files")
    names = [entry.get("filename") if isinstance(entry, dict) else None for entry in files or [None]]
    if not all(_is_plain(name) for name in names):
        raise DataError(f"{folder / STATE_FILE} does not name files of this folder.")
    return [str(name) for name in names]


def _is_plain(name: object) -> bool:
    plain = isinstance(name, str) and 0 < len(name) < 256 and name.strip(". ") != "" and name.isprintable()
    return plain and not set(str(name)) & set('/\\:*?"<>|')


def _json(path: Path) -> dict[str, Any]:
    try:
        found = storage.read_json(path)
    except storage.StorageError as error:
        raise DataError(str(error)) from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is not what Hugging Face's library writes.")
    return found


def _files_below(folder: Path) -> list[str]:
    """Data files below a folder, with “/” between folders; links that lead out of it are not followed."""
    found: list[str] = []
    root = os.path.realpath(folder)
    entries = 0
    for base, folders, files in os.walk(folder):
        depth = Path(base).relative_to(folder).parts
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if len(depth) < _DEPTH else []
        for name in files:
            entries += 1
            if entries > MOST_FILES:
                return found
            path = os.path.join(base, name)
            inside = not os.path.islink(path) or os.path.realpath(path).startswith(root + os.sep)
            if name.endswith(SUFFIXES) and inside:
                found.append("/".join((*depth, name)))
    return found


def read_card(folder: Path) -> Mapping[str, Any]:
    """The front matter of a dataset's README; empty if there is none that can be read."""
    import yaml

    try:
        with open(folder / "README.md", "rb") as file:
            text = file.read(_MOST_CARD).decode("utf-8", "replace")
        front, end, _ = text.removeprefix("---").partition("\n---")
        if not text.startswith("---") or not end:
            return {}
        card = yaml.load(front, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, RecursionError, ValueError):
        return {}
    return card if isinstance(card, Mapping) else {}
