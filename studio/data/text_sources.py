"""Texts with a class each: the person's own files, and IMDB's reviews."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from studio.data.base import (
    DataError,
    DataSpec,
    Findings,
    MissingDataError,
    Progress,
    Samples,
    Source,
    Target,
    Texts,
    registry,
)
from studio.data.locations import candidates, datasets_folder, first_file
from studio.data.text_rules import (
    BYTE_PAIR,
    ENCODINGS,
    FIND_OUT,
    KINDS,
    SEPARATORS,
    SMALLEST_BYTE_PAIR,
    SUFFIXES,
    TableRules,
    TokenRules,
)
from studio.fields import FieldError, field, replace
from studio.tensors import TensorSpec

MAX_CLASSES = 1_000
MAX_LABEL_LENGTH = 200  # characters


class _TextSource(Source):
    """Texts that become token numbers."""

    group: ClassVar[str] = "Text"
    classes: ClassVar[tuple[str, ...]] = ()

    tokens: str = field(
        KINDS[0],
        choices=KINDS,
        help="Words in lower case without punctuation, frequent pieces of words (byte pairs), or characters.",
    )
    vocabulary: int = field(
        10_000, min=3, max=200_000, help="The most tokens there may be, with padding (0) and unknown (1) among them."
    )
    max_length: int = field(
        200,
        min=1,
        max=100_000,
        unit="tokens",
        help="Longer texts are cut at the end, shorter ones filled with padding.",
    )
    min_count: int = field(1, min=1, max=1_000_000, help="How often a token must occur in the training texts.")

    def _check_fields(self) -> None:
        super()._check_fields()
        if self.tokens == BYTE_PAIR and self.vocabulary < SMALLEST_BYTE_PAIR:
            reason = f"must be at least {SMALLEST_BYTE_PAIR} for byte pairs, since every byte is a token of its own"
            raise FieldError(type(self).__name__, "vocabulary", reason)

    @property
    def rules(self) -> TokenRules:
        """How the texts are cut into tokens."""
        return TokenRules(self.tokens, self.vocabulary, self.max_length, self.min_count)

    @property
    def spec(self) -> DataSpec:
        """Token numbers up to the vocabulary's limit; the classes only where they are always the same."""
        return self._spec(self.classes)

    def _spec(self, classes: tuple[str, ...]) -> DataSpec:
        tokens = TensorSpec((self.max_length,), "L", "int")
        return DataSpec((tokens,), Target("classification", classes), (self.vocabulary,))

    def _samples(self, labelled: _Labelled) -> Samples:
        import numpy as np

        numbers = {name: number for number, name in enumerate(labelled.names)}
        targets = np.array([numbers[label] for label in labelled.labels], np.int64)
        return Samples((Texts(labelled.texts, self.rules),), targets, labelled.test_start, labelled.names)


@dataclass(frozen=True, eq=False)
class _Labelled:
    """Texts with the name of the class of each; those of a test set from `test_start` on."""

    texts: Sequence[str]
    labels: Sequence[str]
    names: tuple[str, ...]
    test_start: int | None = None
    summary: str = ""


@registry.add
class TextFiles(_TextSource):
    """A person's own texts: a table with a text and a label in each row, or a folder of texts for each class."""

    kind: ClassVar[str] = "text-files"
    title: ClassVar[str] = "Text files"
    about: ClassVar[str] = (
        "Your own texts: a CSV, TSV or JSON-lines file with a text and a label in each row, or a folder with a folder "
        "of .txt files for each class, with or without train and test folders above them."
    )
    needs_place: ClassVar[bool] = True

    path: str = field("", help="A file with a table of texts, or a folder with a folder of texts for each class.")
    text_column: str = field("", help="Name or number of the column with the texts; empty to find it.")
    label_column: str = field("", help="Name or number of the column with the classes; empty to find it.")
    separator: str = field(FIND_OUT, choices=(FIND_OUT, *SEPARATORS), help="What stands between two columns.")
    header: str = field(FIND_OUT, choices=(FIND_OUT, "yes", "no"), help="Whether the first row names the columns.")
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the files.")

    def _check_fields(self) -> None:
        super()._check_fields()
        if self.path.startswith(("\\\\", "//")):
            # Windows would log in there, with the person's name, as soon as somebody's project is opened.
            raise FieldError("TextFiles", "path", "must not be on a network. Copy the files, or give it a drive letter")
        if any(ord(character) < 32 for character in self.path):
            raise FieldError("TextFiles", "path", "has a character that no path has")

    def at(self, place: Path) -> Source:
        """These settings for another file or folder."""
        return replace(self, path=place.as_posix())

    @property
    def place(self) -> str:
        """The file or folder."""
        return self.path

    def claim(self, path: Path) -> Source | None:
        """This source at a table of texts, or at a folder of texts for each class; None for anything else."""
        from studio.data.text_folders import find_classes
        from studio.data.text_tables import looks_like_one

        if path.is_dir():
            return self.at(path) if find_classes(path) is not None else None
        return self.at(path) if path.suffix.lower() in SUFFIXES and looks_like_one(path) else None

    def look(self) -> Findings:
        """Classes and counts, and what was guessed. Raises DataError."""
        labelled = self._read()
        counts = Counter(labelled.labels)
        names = ", ".join(f"{name} ({counts[name]:,})" for name in labelled.names[:10])
        more = f" and {len(labelled.names) - 10:,} more" if len(labelled.names) > 10 else ""
        own = len(labelled.texts) - (labelled.test_start or len(labelled.texts))
        test = f", {own:,} of them in a test set of its own" if own else ""
        summary = f"{len(labelled.texts):,} texts{test}. Classes: {names}{more}. Found: {labelled.summary}."
        return Findings(self._spec(labelled.names), summary)

    def load(self, folder: Path | None = None) -> Samples:
        """Read all texts, from `folder` if one is given, or else from the path that is a setting."""
        source = self.at(folder) if folder is not None else self
        assert isinstance(source, TextFiles)
        return source._samples(source._read())

    def _read(self) -> _Labelled:
        if not self.path:
            raise MissingDataError("No texts were chosen yet: choose a file with a table, or a folder of texts.")
        rules = TableRules(self.text_column, self.label_column, self.separator, self.header, self.encoding)
        with _one_at_a_time:
            return _read_at(Path(self.path).expanduser(), rules, _stamp(Path(self.path).expanduser()))


_one_at_a_time = threading.Lock()  # or two threads that want the same texts would both read them


def _stamp(path: Path) -> object:
    """What changes when the files do. Raises MissingDataError if they are gone."""
    from studio.data.text_folders import find_classes, stamp

    try:
        if path.is_dir():
            found = find_classes(path)
            return stamp(found) if found is not None else None
        known = path.stat()
        if path.is_file():
            return known.st_size, known.st_mtime_ns
    except (OSError, ValueError):
        pass
    raise MissingDataError(f"There are no texts at {path}. Choose a file with a table, or a folder of texts.")


@functools.lru_cache(maxsize=1)  # the window looks, samples and trains: the same texts each time
def _read_at(path: Path, rules: TableRules, stamp: object) -> _Labelled:
    """Texts and labels, with as few questions as possible; kept until others are read. Raises DataError."""
    from studio.data.text_folders import find_classes, read_folders
    from studio.data.text_tables import read_table

    if not path.is_dir():
        table = read_table(path, rules)
        return _Labelled(table.texts, table.labels, _names(table.labels, path), None, table.summary)
    where = find_classes(path)
    if where is None:
        raise MissingDataError(
            f"{path} holds no folders of .txt files. It must have a folder for each class, such as pos and neg, or "
            "train and test folders that have."
        )
    read = read_folders(where, rules.encoding)
    summary = f"a folder for each class in {' and '.join(part.name for part in (*where.parts, *where.test))}"
    return _Labelled(read.texts, read.labels, _names(read.labels, path), read.test_start, summary)


def _names(labels: Sequence[str], path: Path) -> tuple[str, ...]:
    """The classes in order: whole numbers by their value, all else by their text."""
    names = set(labels)
    if len(names) < 2:
        raise DataError(f"{path} has texts of one class only, “{next(iter(names))[:40]}”; there must be two or more.")
    if len(names) > MAX_CLASSES or max(map(len, names)) > MAX_LABEL_LENGTH:
        raise DataError(
            f"{path} has {len(names):,} different labels, the longest of {max(map(len, names)):,} characters. Is that "
            "the column with the classes? Name the right one."
        )
    numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names))


@registry.add
class IMDB(_TextSource):
    """Reviews of films, good or bad."""

    kind: ClassVar[str] = "imdb"
    title: ClassVar[str] = "IMDB reviews"
    about: ClassVar[str] = (
        "50,000 reviews of films, half of them good and half bad, 25,000 of them for the test. Large Movie Review "
        "Dataset, Maas et al., “Learning Word Vectors for Sentiment Analysis”, 2011; for research, cite them."
    )
    download_bytes: ClassVar[int] = 84_125_825
    classes: ClassVar[tuple[str, ...]] = ("negative", "positive")

    @property
    def folder_names(self) -> tuple[str, ...]:
        """The archive unpacks to aclImdb."""
        return (self.kind, "aclImdb")

    def load(self, folder: Path | None = None) -> Samples:
        """Read all reviews from the folder or the original archive."""
        places = self._places(folder)
        if not places:
            from studio.data import imdb

            where = folder or datasets_folder()
            raise MissingDataError(
                f"{self.title} were not found in {where}. Missing: {imdb.ARCHIVE}, or a folder {imdb.FOLDER} with "
                f"train and test, each with pos and neg. Download them ({self.download_bytes / 1e6:.0f} MB), or choose "
                "their folder."
            )
        place = places[0] if places[0].is_file() else places[0].parent.parent
        with _one_at_a_time:
            return self._samples(_read_imdb(place, self.classes, _stamp(place)))

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The four folders of reviews, or the archive."""
        try:
            return self._places(folder)
        except DataError:
            return ()

    def _places(self, folder: Path | None) -> tuple[Path, ...]:
        from studio.data import imdb

        for base in candidates(folder or datasets_folder(), self.folder_names):
            for place in (base / imdb.FOLDER, base):
                parts = tuple(place.joinpath(*part) for part in imdb.PARTS)
                if all(part.is_dir() for part in parts):
                    return parts
            if archive := first_file(base, [imdb.ARCHIVE]):
                return (archive,)
        return ()

    def download(self, progress: Progress | None = None) -> None:
        """Fetch the original archive, which is read as it is. Raises DataError."""
        from studio.data.download import RemoteFile, fetch, reporter
        from studio.data.imdb import ARCHIVE, MD5, URL

        file = RemoteFile((URL,), MD5, datasets_folder() / ARCHIVE)
        fetch([file], 2 * self.download_bytes, reporter(progress, self.download_bytes))


@functools.lru_cache(maxsize=1)
def _read_imdb(place: Path, classes: tuple[str, ...], stamp: object) -> _Labelled:
    """All reviews of a folder or an archive; kept until others are read. Raises DataError."""
    from studio.data import imdb

    reviews = imdb.read_archive(place) if place.is_file() else imdb.read_folder(place)
    names = dict(zip(imdb.CLASSES, classes, strict=True))
    texts = [text for part in imdb.PARTS for text in reviews[part]]
    labels = [names[part[1]] for part in imdb.PARTS for _ in reviews[part]]
    test_start = sum(len(reviews[part]) for part in imdb.PARTS if part[0] == "train")
    return _Labelled(texts, labels, classes, test_start)
