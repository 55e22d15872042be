"""Texts with a class each: the person's own files, and IMDB's reviews."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio.data.base import (
    DataError,
    DataSpec,
    Findings,
    LoadingCode,
    MissingDataError,
    Progress,
    Samples,
    Source,
    Target,
    Texts,
    registry,
)
from studio.data.locations import candidates, datasets_folder, first_file
from studio.data.own_files import check_path
from studio.data.text_rules import (
    BYTE_PAIR,
    ENCODINGS,
    FIND_OUT,
    KINDS,
    SEPARATORS,
    SMALLEST_BYTE_PAIR,
    SUFFIXES,
)
from studio.fields import FieldError, field, replace
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.text_reading import Labelled
    from studio.data.tokens import TokenRules


class _TextSource(Source):
    """Texts that become token numbers."""

    group: ClassVar[str] = "Text"
    classes: ClassVar[tuple[str, ...]] = ()
    unnumbered: ClassVar[tuple[str, ...]] = ("tokens", "vocabulary", "max_length", "min_count")

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
    def spec(self) -> DataSpec:
        """Token numbers up to the vocabulary's limit; the classes only where they are always the same."""
        return self._spec(self.classes)

    def _spec(self, classes: tuple[str, ...]) -> DataSpec:
        tokens = TensorSpec((self.max_length,), "L", "int")
        return DataSpec((tokens,), Target("classification", classes), tokens=(self.vocabulary,))

    @property
    def _rules(self) -> TokenRules:
        from studio.data.tokens import TokenRules

        return TokenRules(self.tokens, self.vocabulary, self.max_length, self.min_count)

    def _samples(self, labelled: Labelled) -> Samples:
        import numpy as np

        numbers = {name: number for number, name in enumerate(labelled.names)}
        targets = np.array([numbers[label] for label in labelled.labels], np.int64)
        return Samples(
            (Texts(labelled.texts, self._rules),),
            targets,
            labelled.test_start,
            labelled.validation_start,
            labelled.names,
        )


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
    rank: ClassVar[int] = 40

    path: str = field("", help="A file with a table of texts, or a folder with a folder of texts for each class.")
    text_column: str = field("", help="Name or number of the column with the texts; empty to find it.")
    label_column: str = field("", help="Name or number of the column with the classes; empty to find it.")
    separator: str = field(FIND_OUT, choices=(FIND_OUT, *SEPARATORS), help="What stands between two columns.")
    header: str = field(FIND_OUT, choices=(FIND_OUT, "yes", "no"), help="Whether the first row names the columns.")
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the files.")

    def _check_fields(self) -> None:
        super()._check_fields()
        check_path("TextFiles", self.path)

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
        return Findings(self._spec(labelled.names), labelled.summary)

    def load(self, folder: Path | None = None) -> Samples:
        """Read all texts, from `folder` if one is given, or else from the path that is a setting."""
        source = self.at(folder) if folder is not None else self
        assert isinstance(source, TextFiles)
        return source._samples(source._read())

    @property
    def loading_code(self) -> LoadingCode:
        """The same for files that are written as these are: they are read to find out how."""
        from studio.data import text_code

        read, place = self._read(), Path(self.path).expanduser()
        return text_code.for_own(read, place, self.encoding, self._rules)

    def _read(self) -> Labelled:
        from studio.data.text_reading import read_own
        from studio.data.text_tables import TableRules

        if not self.path:
            raise MissingDataError("No texts were chosen yet: choose a file with a table, or a folder of texts.")
        rules = TableRules(self.text_column, self.label_column, self.separator, self.header, self.encoding)
        return read_own(Path(self.path).expanduser(), rules)


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
        from studio.data import imdb
        from studio.data.text_reading import read_imdb

        places = self._places(folder)
        if not places:
            where = folder or datasets_folder()
            raise MissingDataError(
                f"{self.title} were not found in {where}. Missing: {imdb.ARCHIVE}, or a folder {imdb.FOLDER} with "
                f"train and test, each with pos and neg. Download them ({self.download_bytes / 1e6:.0f} MB), or choose "
                "their folder."
            )
        place = places[0] if places[0].is_file() else places[0].parent.parent
        return self._samples(read_imdb(place, self.classes))

    @property
    def loading_code(self) -> LoadingCode:
        """The same for a folder with the reviews or the original archive."""
        from studio.data import text_code

        return text_code.for_imdb(self._rules)

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
