"""Reads texts in two languages: two files whose lines belong together, or a table with two columns of texts."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import itertools
import re
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from studio.data.base import DataError, MissingDataError
from studio.data.encodings import LONGEST_LINE, decode
from studio.data.listing import TEXT_LENGTH, Listing, Shown
from studio.data.own_files import printable
from studio.data.texts.folders import TEST, TRAIN, VALIDATION, check_inside
from studio.data.texts.tables import are_words, looks_like_one

TABLES = (".tsv", ".tab", ".txt")
MAX_BYTES = 2**27  # of one file, unpacked
SAMPLE_BYTES = 2**17
MOST_ENTRIES = 1_000  # of a folder
ALIKE = 0.5  # how far the lengths of two columns go together, from which on one is a translation of the other
_NAME = re.compile(r"(.+?)\.([a-z]{2,3})(?:[-_][a-z]{2,4})?(?:\.txt)?(?:\.gz)?", re.IGNORECASE | re.DOTALL)
# ISO 639-1, and what some collections write for the most frequent ones.
_LANGUAGES = set(
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja "
    "jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb "
    "nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq "
    "sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ara "
    "ces deu ell eng fra heb hin ind ita jpn kor nld pol por ron rus spa swe tur ukr vie zho".split()
)

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Files:
    """Where the two languages are.

    Args:
        languages: their names, as the files' names end, in order; “column 1” and “column 2” of a table.
        train, validation, test: the file of each language; both the same for a table; None if there is none.
    """

    languages: tuple[str, str]
    train: tuple[Path, Path]
    validation: tuple[Path, Path] | None = None
    test: tuple[Path, Path] | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Texts and their translations, M each.

    Args:
        languages: of both.
        validation_start, test_start: as in `Samples`.
        left_out: how many pairs had nothing on one side.
        found: the files, in words.
    """

    sources: list[str]
    targets: list[str]
    languages: tuple[str, str]
    validation_start: int | None
    test_start: int | None
    left_out: int
    found: str


class PairListing(Listing):
    """Pairs one by one."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self.count = len(pairs.sources)
        self.test_start, self.validation_start = pairs.test_start, pairs.validation_start

    def show(self, index: int) -> Shown:
        """A text and its translation."""
        pairs = self._pairs
        return Shown(f"{index + 1:,}", pairs.targets[index][:TEXT_LENGTH], text=pairs.sources[index][:TEXT_LENGTH])


def find(path: Path) -> Files | None:
    """The files of two languages at a place: a folder, one of two files, or a table. Only beginnings are read."""
    if path.is_dir():
        return _in_folder(path)
    if not path.is_file():
        return None
    if (pair := _partner(path)) is not None:
        return pair
    return Files(("column 1", "column 2"), (path, path)) if _is_table(path) else None


def _in_folder(folder: Path) -> Files | None:
    stems = _stems(folder)
    pairs = {stem: files for stem, files in stems.items() if len(files) == 2}
    languages = {tuple(sorted(files)) for files in pairs.values()}
    if not pairs or len(languages) != 1 or 2 * len(pairs) < len(stems):
        return None
    first, second = languages.pop()
    parts = {stem: (files[first], files[second]) for stem, files in pairs.items()}
    train, validation, test = (_called(parts, names) for names in (TRAIN, VALIDATION, TEST))
    if train is None:
        return Files((first, second), next(iter(parts.values()))) if len(parts) == 1 else None
    # A validation set alone is the test: of the rest, the studio keeps a share for validation itself.
    return Files((first, second), train, *((validation, test) if test else (None, validation)))


def _stems(folder: Path) -> dict[str, dict[str, Path]]:
    """Files whose names end with a language, by what is before that."""
    stems: dict[str, dict[str, Path]] = defaultdict(dict)
    try:
        entries = sorted(itertools.islice(folder.iterdir(), MOST_ENTRIES))
    except OSError:
        return {}
    for path in entries:
        match = _NAME.fullmatch(path.name)
        if match and match[2].lower() in _LANGUAGES and not path.name.startswith(".") and path.is_file():
            stems[match[1]][match[2].lower()] = path
    return stems


def _called(parts: dict[str, tuple[Path, Path]], names: tuple[str, ...]) -> tuple[Path, Path] | None:
    return next((files for stem, files in parts.items() if set(re.split(r"[\W_\d]+", stem.lower())) & set(names)), None)


def _partner(path: Path) -> Files | None:
    """The file itself and the one beside it that differs in the language only."""
    match = _NAME.fullmatch(path.name)
    files = _stems(path.parent).get(match[1], {}) if match else {}
    if len(files) != 2 or path not in files.values():
        return None
    first, second = sorted(files)
    return Files((first, second), (files[first], files[second]))


def _is_table(path: Path) -> bool:
    """Whether the beginning of a file is a text and its translation on each line, with a tab between them."""
    if path.suffix.lower() not in TABLES:
        return False
    try:
        with open(path, "rb") as file:
            content = file.read(SAMPLE_BYTES)
        text, _ = decode(content[: content.rfind(b"\n") + 1] or content, str(path))
    except (OSError, DataError):
        return False
    rows = [line.split("\t") for line in text.split("\n") if line.strip()]
    if len(rows) < 10 or any(not 2 <= len(row) <= 4 for row in rows):
        return False
    first, second = ([row[column] for row in rows] for column in (0, 1))
    texts = all(_are_texts(column) for column in (first, second))
    return texts and not looks_like_one(path) and _correlation(list(map(len, first)), list(map(len, second))) > ALIKE


def _are_texts(column: list[str]) -> bool:
    """Mostly different ones, of several words or of many characters where no spaces are written."""
    longer = are_words(column) or sum(map(len, column)) > 8 * len(column)
    return longer and 2 * len(set(column)) > len(column) and sum(map(str.isalpha, "".join(column[:100]))) > 100


def _correlation(first: list[int], second: list[int]) -> float:
    import numpy as np

    return float(np.corrcoef(first, second)[0, 1]) if len(set(first)) > 1 and len(set(second)) > 1 else 0.0


def read(path: Path, encoding: str, swapped: bool) -> Pairs:
    """All pairs.

    Args:
        encoding: one of ENCODINGS.
        swapped: whether the second language is to be translated into the first.

    Raises:
        MissingDataError: if there are no such files.
        DataError: if one is broken, or they have different numbers of lines.
    """
    with _one_at_a_time:
        try:
            files = find(path)
        except (OSError, ValueError):
            files = None
        if files is None:
            raise MissingDataError(
                f"There are no texts in two languages at {path}. Choose a folder with files such as train.de and "
                "train.en, whose lines belong together, or a table with a text, a tab and its translation on each line."
            )
        stamps = tuple((stat.st_size, stat.st_mtime_ns) for part in _parts(files) for stat in map(Path.stat, part))
        return _read(path, files, encoding, swapped, stamps)


def _parts(files: Files) -> list[tuple[Path, Path]]:
    return [part for part in (files.train, files.validation, files.test) if part is not None]


@functools.lru_cache(maxsize=1)
def _read(path: Path, files: Files, encoding: str, swapped: bool, stamps: object) -> Pairs:
    sides: tuple[list[str], list[str]] = ([], [])
    starts, left_out = [], 0
    for part in (files.train, files.validation, files.test):
        starts.append(len(sides[0]))
        for file in part or ():
            if path.is_dir() and file.is_symlink():
                check_inside(file, path)
        pairs = [] if part is None else _pairs(part, encoding)
        whole = [(one, other) for one, other in pairs if one and other]
        left_out += len(pairs) - len(whole)
        for side, texts in zip(sides, zip(*whole, strict=True), strict=False):
            side += texts
    if not sides[0]:
        raise DataError(f"{path} has no line with a text and its translation.")
    named = ", ".join(dict.fromkeys(printable(file.name) for part in _parts(files) for file in part))
    (sources, targets), (first, second) = sides, files.languages
    if swapped:
        sources, targets, first, second = targets, sources, second, first
    return Pairs(
        sources,
        targets,
        (first, second),
        starts[1] if files.validation else None,
        starts[2] if files.test else None,
        left_out,
        named,
    )


def _pairs(part: tuple[Path, Path], encoding: str) -> list[tuple[str, str]]:
    first, second = part
    if first == second:
        return [_two(row, first, number) for number, row in enumerate(_rows(first, encoding), start=1)]
    one, other = (_lines(file, encoding) for file in part)
    if len(one) != len(other):
        raise DataError(
            f"{first} has {len(one):,} lines, but {second.name} has {len(other):,}: line by line, one must be the "
            "translation of the other."
        )
    return list(zip(one, other, strict=True))


def _two(row: list[str], path: Path, number: int) -> tuple[str, str]:
    if len(row) < 2:
        raise DataError(f"{path}, row {number:,}, has no translation: between two texts must be a tab.")
    return row[0].strip(), row[1].strip()


def _rows(path: Path, encoding: str) -> Iterable[list[str]]:
    lines = io.StringIO("\n".join(_lines(path, encoding)))
    csv.field_size_limit(LONGEST_LINE)
    return [row for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if any(row)]


def _lines(path: Path, encoding: str) -> list[str]:
    """The lines of a file, packed or not; the ones without a text stay, so that the others keep their places."""
    lines = decode(_content(path), str(path), encoding)[0].split("\n")
    longest = max(range(len(lines)), key=lambda number: len(lines[number]))
    if len(lines[longest]) > TEXT_LENGTH * 50:
        raise DataError(f"{path}, line {longest + 1:,}, has {len(lines[longest]):,} characters. Is it one sentence?")
    if not lines[-1].strip():
        lines.pop()
    return [line.strip() for line in lines]


def _content(path: Path) -> bytes:
    try:
        opened = gzip.open(path, "rb") if path.suffix.lower() == ".gz" else open(path, "rb")  # noqa: SIM115
        with opened as file:
            content = file.read(MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is broken: {error}. Fetch it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{path} has more than {MAX_BYTES / 1e6:.0f} MB of text, which is not read. Divide it.")
    return content
