"""A person's own texts beyond those with classes: running text, words with tags, texts in two languages."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio.data.base import (
    TEXT,
    Column,
    DataSpec,
    Findings,
    LoadingCode,
    MissingDataError,
    Samples,
    Source,
    Target,
    Texts,
    registry,
)
from studio.data.own_files import OwnFiles, located
from studio.data.texts.rules import (
    BYTE_PAIR,
    CHARACTERS,
    ENCODINGS,
    FIND_OUT,
    KINDS,
    SMALLEST_BYTE_PAIR,
    SPACED,
    SPACED_LOWER,
)
from studio.fields import FieldError, field, replace
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.listing import Listing
    from studio.data.texts import conll_reading, parallel_reading
    from studio.data.texts.plain_reading import Running
    from studio.data.texts.tokens import TokenRules


class _OwnTexts(OwnFiles):
    """Files of the person's own."""

    group: ClassVar[str] = "Text"

    path: str = field("", help="The file or folder.")

    def _place(self, folder: Path | None) -> Path:
        if folder is not None:
            return folder
        if not self.path:
            raise MissingDataError(f"No file was chosen yet for “{self.title}”: choose a file or a folder.")
        return located(self.path)


def _check_vocabulary(owner: str, tokens: str, vocabulary: int) -> None:
    if tokens == BYTE_PAIR and vocabulary < SMALLEST_BYTE_PAIR:
        reason = f"must be at least {SMALLEST_BYTE_PAIR} for byte pairs, since every byte is a token of its own"
        raise FieldError(owner, "vocabulary", reason)


@functools.cache
def _token_names(count: int) -> tuple[str, ...]:
    """Before the tokens are learned, they have numbers only."""
    return tuple(f"token {number}" for number in range(count))


@registry.add
class PlainText(_OwnTexts):
    """Windows of running text; the target is the next token at every step."""

    kind: ClassVar[str] = "plain-text"
    title: ClassVar[str] = "Plain text"
    about: ClassVar[str] = (
        "Your own running text, a file or a folder of .txt, .md or .py files, in windows; what comes next is to be "
        "predicted at every step. Validation and test are the end of the text."
    )
    rank: ClassVar[int] = 60
    in_order: ClassVar[bool] = True
    predicts_next: ClassVar[bool] = True

    tokens: str = field(
        CHARACTERS, choices=(CHARACTERS, BYTE_PAIR), help="Single characters, or frequent pieces of words."
    )
    length: int = field(64, min=2, max=4_096, unit="tokens", help="Of a window; no character stands in two of them.")
    vocabulary: int = field(
        SMALLEST_BYTE_PAIR, min=3, max=20_000, help="The most tokens there may be, padding and unknown among them."
    )
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the files.")

    def _check_fields(self) -> None:
        super()._check_fields()
        _check_vocabulary("PlainText", self.tokens, self.vocabulary)

    @property
    def spec(self) -> DataSpec:
        """Token numbers of a window, and a class for each of its steps: the next token."""
        target = Target("classification", _token_names(self.vocabulary), (self.length,))
        return DataSpec((TensorSpec((self.length,), "L", "int"),), target, tokens=(self.vocabulary,))

    def claim(self, path: Path) -> Source | None:
        """This source at a text or a folder of texts, with as many tokens as its beginning has characters."""
        from studio.data.texts.plain_reading import beginning, first_file, looks_like_text

        if not looks_like_text(path):
            return None
        different = len(set(beginning(first_file(path))))
        vocabulary = min(max(-(-different * 3 // 64) * 32, 128), 5_000)  # there may be half as many more later on
        return replace(self, path=path.as_posix(), vocabulary=vocabulary)

    def look(self) -> Findings:
        """How much text there is, in how many windows. Raises DataError."""
        from studio.data.texts.plain_reading import windows

        running = self._read(None)
        pieces = windows(running, self._rules)
        lines = running.text.count("\n") + 1
        about = f"{len(running.text):,} characters, {len(set(running.text)):,} different ones, in {lines:,} lines"
        summary = (
            f"{about}. Found: {running.found}. {len(pieces):,} windows of {len(pieces[0]):,} characters; at each of "
            f"{self.length:,} steps the next of up to {self.vocabulary:,} tokens is to be predicted."
        )
        return Findings(self.spec, summary, len(pieces), (Column("text", TEXT, summary=about),), ("the next token",))

    def load(self, folder: Path | None = None) -> Samples:
        """Read the text and cut it into windows."""
        import numpy as np

        from studio.data.texts.plain_reading import windows

        pieces = windows(self._read(folder), self._rules)
        return Samples((Texts(pieces, self._rules, followed=True),), np.zeros((len(pieces), 0), np.int64))

    def listing(self, folder: Path | None = None) -> Listing:
        """The windows."""
        from studio.data.texts.plain_reading import WindowListing, windows

        return WindowListing(windows(self._read(folder), self._rules))

    def _read(self, folder: Path | None) -> Running:
        from studio.data.texts.plain_reading import read

        return read(self._place(folder), self.encoding)

    @property
    def _rules(self) -> TokenRules:
        from studio.data.texts.tokens import TokenRules

        return TokenRules(self.tokens, self.vocabulary, self.length)


@registry.add
class Conll(_OwnTexts):
    """Sentences of words with a tag each."""

    kind: ClassVar[str] = "conll"
    title: ClassVar[str] = "Words with tags"
    about: ClassVar[str] = (
        "Your own CoNLL files: a word and its tag on each line, such as B-person, and an empty line between sentences; "
        "one file, or a folder with files for train, dev and test. A tag is to be predicted for every word."
    )
    rank: ClassVar[int] = 22

    max_length: int = field(64, min=1, max=10_000, unit="words", help="Of a sentence; longer ones are cut at the end.")
    vocabulary: int = field(
        10_000, min=3, max=200_000, help="The most words there may be, with padding (0) and unknown (1) among them."
    )
    min_count: int = field(1, min=1, max=1_000_000, help="How often a word must occur in the training sentences.")
    lower_case: bool = field(True, help="Take “The” and “the” for the same word.")
    word_column: int = field(0, min=0, max=100, special="find out", help="Number of the column with the words.")
    tag_column: int = field(0, min=0, max=100, special="find out", help="Number of the column with the tags.")
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the files.")

    @property
    def spec(self) -> DataSpec:
        """Token numbers of a sentence; the tags are known only when the files are read."""
        return self._spec(())

    def _spec(self, names: tuple[str, ...]) -> DataSpec:
        target = Target("classification", names, (self.max_length,))
        return DataSpec((TensorSpec((self.max_length,), "L", "int"),), target, tokens=(self.vocabulary,))

    def claim(self, path: Path) -> Source | None:
        """This source at a CoNLL file, or at a folder with one for training."""
        from studio.data.texts.conll_reading import find_files, looks_like_conll

        train = find_files(path)[0] if path.is_dir() else path
        return self.at(path) if train is not None and looks_like_conll(train) else None

    def look(self) -> Findings:
        """Sentences, words and tags, and what is wrong with them. Raises DataError."""
        from studio.data.texts.conll_look import look_at

        sentences = self._read(None)
        return look_at(sentences, self._spec(sentences.names), self, self._rules)

    def load(self, folder: Path | None = None) -> Samples:
        """Read all sentences."""
        read = self._read(folder)
        texts = Texts(read.texts, self._rules)
        return Samples((texts,), read.targets(self.max_length), read.test_start, read.validation_start, read.names)

    @property
    def loading_code(self) -> LoadingCode | None:
        """The same for files that are written as these are: they are read to find out how."""
        from studio.data.texts import conll_code

        return conll_code.loading_code(self._read(None), self._place(None), self._rules)

    def listing(self, folder: Path | None = None) -> Listing:
        """The sentences, each word with its tag."""
        from studio.data.texts.conll_reading import SentenceListing

        return SentenceListing(self._read(folder))

    def _read(self, folder: Path | None) -> conll_reading.Sentences:
        from studio.data.texts import conll_reading

        return conll_reading.read(
            self._place(folder), conll_reading.Rules(self.word_column, self.tag_column, self.encoding)
        )

    @property
    def _rules(self) -> TokenRules:
        from studio.data.texts.tokens import TokenRules

        kind = SPACED_LOWER if self.lower_case else SPACED
        return TokenRules(kind, self.vocabulary, self.max_length, self.min_count)


@registry.add
class Parallel(_OwnTexts):
    """Texts in two languages, to translate from one to the other."""

    kind: ClassVar[str] = "parallel"
    title: ClassVar[str] = "Texts in two languages"
    about: ClassVar[str] = (
        "Your own translations: files such as train.de and train.en, packed with gzip or not, whose lines belong "
        "together, or a table with two columns of texts. The network gets a text and, word by word, the beginning of "
        "its translation; the next word of that is to be predicted."
    )
    rank: ClassVar[int] = 24
    predicts_next: ClassVar[bool] = True

    swapped: bool = field(False, help="Translate from the second language, in the order of their names, to the first.")
    tokens: str = field(
        BYTE_PAIR, choices=KINDS, help="Of both languages, each with a vocabulary of its own, learned from its texts."
    )
    vocabulary: int = field(4_000, min=5, max=20_000, help="The most tokens there may be of each language.")
    max_length: int = field(
        32, min=2, max=1_000, unit="tokens", help="Of a text, with the signs for its beginning or end; the rest is cut."
    )
    min_count: int = field(1, min=1, max=1_000_000, help="How often a token must occur in the training texts.")
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the files.")

    def _check_fields(self) -> None:
        super()._check_fields()
        _check_vocabulary("Parallel", self.tokens, self.vocabulary)

    @property
    def spec(self) -> DataSpec:
        """Token numbers of a text and of its translation behind a sign, and what follows each token of the latter."""
        text = TensorSpec((self.max_length,), "L", "int")
        target = Target("classification", _token_names(self.vocabulary), (self.max_length,))
        return DataSpec((text, text), target, tokens=(self.vocabulary, self.vocabulary))

    def claim(self, path: Path) -> Source | None:
        """This source at files in two languages, or at a table of texts with their translations."""
        from studio.data.texts.parallel_reading import find

        return self.at(path) if find(path) is not None else None

    def look(self) -> Findings:
        """Lengths of both languages, and what is wrong with the pairs. Raises DataError."""
        from studio.data.texts.parallel_look import look_at

        return look_at(self._read(None), self.spec, self, self._rules)

    def load(self, folder: Path | None = None) -> Samples:
        """Read all pairs."""
        import numpy as np

        read, rules = self._read(folder), self._rules
        translations = Texts(read.targets, dataclasses.replace(rules, signs=True), followed=True)
        nothing = np.zeros((len(read.sources), 0), np.int64)
        return Samples((Texts(read.sources, rules), translations), nothing, read.test_start, read.validation_start)

    def listing(self, folder: Path | None = None) -> Listing:
        """The texts with their translations."""
        from studio.data.texts.parallel_reading import PairListing

        return PairListing(self._read(folder))

    def _read(self, folder: Path | None) -> parallel_reading.Pairs:
        from studio.data.texts import parallel_reading

        return parallel_reading.read(self._place(folder), self.encoding, self.swapped)

    @property
    def _rules(self) -> TokenRules:
        from studio.data.texts.tokens import TokenRules

        return TokenRules(self.tokens, self.vocabulary, self.max_length, self.min_count)
