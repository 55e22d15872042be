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
from studio.data.own_files import OwnFiles, check_path, located
from studio.data.texts.rules import (
    BYTE_PAIR,
    CHOICES,
    ENCODINGS,
    FIND_OUT,
    FROM_FILE,
    SEPARATORS,
    SMALLEST_BYTE_PAIR,
    SUFFIXES,
)
from studio.fields import FieldError, field, replace
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.listing import Listing
    from studio.data.texts.reading import Labelled
    from studio.data.texts.tables import TableRules
    from studio.data.texts.tokens import TokenRules


class _TextSource(Source):
    """Texts that become token numbers."""

    group: ClassVar[str] = "Text"
    classes: ClassVar[tuple[str, ...]] = ()
    unnumbered: ClassVar[tuple[str, ...]] = ("tokens", "vocabulary", "max_length", "min_count")

    tokens: str = field(
        CHOICES[0],
        choices=CHOICES,
        help="Words in lower case without punctuation; frequent pieces of words (byte pairs, or word pieces in lower "
        "case); characters; or as a tokenizer of others cuts them, which stands in a file.",
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
    tokenizer_file: str = field(
        "", help="A tokenizer.json of Hugging Face, for tokens “from a file”. It is checked before it is used."
    )

    def _check_fields(self) -> None:
        super()._check_fields()
        if self.tokens == BYTE_PAIR and self.vocabulary < SMALLEST_BYTE_PAIR:
            reason = f"must be at least {SMALLEST_BYTE_PAIR} for byte pairs, since every byte is a token of its own"
            raise FieldError(type(self).__name__, "vocabulary", reason)
        check_path(type(self).__name__, self.tokenizer_file)

    @property
    def spec(self) -> DataSpec:
        """Token numbers up to the vocabulary's limit; the classes only where they are always the same."""
        return self._spec(self.classes)

    def _spec(self, classes: tuple[str, ...]) -> DataSpec:
        tokens = TensorSpec((self.max_length,), "L", "int")
        return DataSpec((tokens,), Target("classification", classes), tokens=(self.vocabulary,))

    @property
    def _rules(self) -> TokenRules:
        from studio.data.texts.tokens import TokenRules

        made = self._tokenizer() if self.tokens == FROM_FILE else ""
        return TokenRules(self.tokens, self.vocabulary, self.max_length, self.min_count, made=made)

    def _tokenizer(self) -> str:
        from studio.data.texts import tokenizer_files

        if not self.tokenizer_file:
            raise MissingDataError(
                "No tokenizer was chosen: choose a tokenizer.json, or learn the tokens from the texts."
            )
        return tokenizer_files.read(Path(self.tokenizer_file).expanduser())

    def _samples(self, labelled: Labelled) -> Samples:
        from studio.data.texts.reading import class_numbers

        targets = class_numbers(labelled.labels, labelled.names)
        return Samples(
            (Texts(labelled.texts, self._rules),),
            targets,
            labelled.test_start,
            labelled.validation_start,
            labelled.names,
        )


@registry.add
class TextFiles(_TextSource, OwnFiles):
    """A person's own texts: a table with a text and a label in each row, or a folder of texts for each class."""

    kind: ClassVar[str] = "text-files"
    title: ClassVar[str] = "Text files"
    about: ClassVar[str] = (
        "Your own texts: a CSV, TSV or JSON-lines file with a text and a label in each row, or a folder with a folder "
        "of .txt files for each class, with or without train and test folders above them."
    )
    rank: ClassVar[int] = 40

    path: str = field("", help="A file with a table of texts, or a folder with a folder of texts for each class.")
    text_column: str = field("", help="Name or number of the column with the texts; empty to find it.")
    label_column: str = field("", help="Name or number of the column with the classes; empty to find it.")
    separator: str = field(FIND_OUT, choices=(FIND_OUT, *SEPARATORS), help="What stands between two columns.")
    header: str = field(FIND_OUT, choices=(FIND_OUT, "yes", "no"), help="Whether the first row names the columns.")
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the files.")

    def claim(self, path: Path) -> Source | None:
        """This source at a table of texts, or at a folder of texts for each class, with a length and a vocabulary that
        suit the first of them; None for anything else.
        """
        from studio.data.texts.lengths import measure, proposed_length, proposed_vocabulary
        from studio.data.texts.reading import beginning

        if not (path.is_dir() or (path.suffix.lower() in SUFFIXES and path.is_file())):
            return None
        texts, whole = beginning(path)
        if not texts:
            return None
        measured = measure(texts, self._rules)
        vocabulary = proposed_vocabulary(measured) if whole else self.vocabulary
        return replace(self.at(path), max_length=proposed_length(measured), vocabulary=vocabulary)

    def look(self) -> Findings:
        """Lengths, classes and counts, what was guessed, and what is wrong. Raises DataError."""
        from studio.data.texts.look import look_at

        labelled = self._read()
        return look_at(labelled, self._spec(labelled.names), self, self._rules)

    def listing(self, folder: Path | None = None) -> Listing:
        """The texts one by one; files of a folder are read when they are shown."""
        from studio.data.texts.reading import listing_of

        source = replace(self, path=folder.as_posix()) if folder is not None else self
        return listing_of(*source._where)

    def load(self, folder: Path | None = None) -> Samples:
        """Read all texts, from `folder` if one is given, or else from the path that is a setting."""
        source = replace(self, path=folder.as_posix()) if folder is not None else self
        return source._samples(source._read())

    @property
    def loading_code(self) -> LoadingCode | None:
        """The same for files that are written as these are: they are read to find out how."""
        from studio.data.texts import code as text_code

        if self.tokens == FROM_FILE:
            return None
        read, place = self._read(), located(self.path)
        return text_code.for_own(read, place, self.encoding, self._rules)

    def _read(self) -> Labelled:
        from studio.data.texts.reading import read_own

        return read_own(*self._where)

    @property
    def _where(self) -> tuple[Path, TableRules]:
        """Where the texts are, and what is said of a table. Raises MissingDataError."""
        from studio.data.texts.tables import TableRules

        if not self.path:
            raise MissingDataError("No texts were chosen yet: choose a file with a table, or a folder of texts.")
        rules = TableRules(self.text_column, self.label_column, self.separator, self.header, self.encoding)
        return located(self.path), rules


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
        from studio.data.texts import imdb
        from studio.data.texts.reading import read_imdb

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
    def loading_code(self) -> LoadingCode | None:
        """The same for a folder with the reviews or the original archive."""
        from studio.data.texts import code as text_code

        return None if self.tokens == FROM_FILE else text_code.for_imdb(self._rules)

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The four folders of reviews, or the archive."""
        try:
            return self._places(folder)
        except DataError:
            return ()

    def _places(self, folder: Path | None) -> tuple[Path, ...]:
        from studio.data.texts import imdb

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
        from studio.data.texts.imdb import ARCHIVE, MD5, URL

        file = RemoteFile((URL,), MD5, datasets_folder() / ARCHIVE)
        fetch([file], 2 * self.download_bytes, reporter(progress, self.download_bytes))
