"""The samples of a dataset as its source gives them, and what is learned of them to make them numbers.

Axis letters: M samples of the whole dataset, N batch, C channels, H W space, D features, T steps, L tokens, K classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.spec import DataSpec

if TYPE_CHECKING:
    import numpy as np

    from studio.data.texts.tokens import TokenRules


class Learned(ABC):
    """What was learned from the training split, by which raw values become the numbers of an input.

    It goes into a run's checkpoint as JSON, so that raw values can be prepared again in the same way.
    """

    key: ClassVar[str]  # its name in a checkpoint's description of an input

    @property
    def size(self) -> int:
        """How many token numbers there are; 0 if it gives real numbers."""
        return 0

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the real numbers (D,) that it gives; none for tokens."""
        return ()

    @property
    def unscaled(self) -> tuple[int, ...]:
        """Which of the features are to stay as they are, such as those that are only 0 or 1."""
        return ()

    @property
    @abstractmethod
    def meaning(self) -> str:
        """What the numbers stand for: the same text for the same meaning."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""


class Learnable(ABC):
    """An input (M raw values) that becomes numbers by what is learned from the training split alone."""

    @abstractmethod
    def learn(self, rows: np.ndarray) -> tuple[Learned, np.ndarray]:
        """What the samples `rows` teach, and the numbers (M, *dims) of all samples. Raises DataError."""

    def text(self, index: int) -> str:
        """One raw value as a text to read; empty if it is none."""
        return ""


@dataclass(frozen=True, eq=False)
class Texts(Learnable):
    """An input of texts. They become token numbers by what is learned from those of the training split.

    Args:
        texts: M of them.
        rules: how they are cut into tokens.
        followed: whether at each step the token that follows is to be predicted. Then `Samples.targets` are made of
            these texts, one class for each of `rules.vocabulary` tokens, and IGNORED behind the end.
    """

    texts: Sequence[str]
    rules: TokenRules
    followed: bool = False

    def learn(self, rows: np.ndarray) -> tuple[Learned, np.ndarray]:
        """A vocabulary, and the token numbers (M, L)."""
        from studio.data.tokens_kept import encode

        return encode(self.rules, self.texts, rows)

    def following(self, rows: np.ndarray) -> np.ndarray:
        """The number of the token that follows at each step (M, L), by what the samples `rows` teach."""
        from studio.data.tokens_kept import following

        return following(self.rules, self.texts, rows)

    def names(self, learned: Learned | None) -> tuple[str, ...]:
        """A name for each token that can follow."""
        from studio.data.texts.tokens import Tokenization

        assert isinstance(learned, Tokenization), learned
        return learned.names(self.rules.vocabulary)

    def text(self, index: int) -> str:
        """One of the texts."""
        return self.texts[index]


@dataclass(frozen=True, eq=False)
class Samples:
    """A dataset in memory, as it was stored: bytes stay bytes.

    Args:
        inputs: one array (M, *dims) per input, uint8, float32 or int64; or raw values from which these are learned.
        targets: class numbers (M,) int64; (M, targets) float32, for several labels 0 or 1; with places (M, *dims) of
            the same types, or class numbers of int8 or int16, since there are so many. Where an input is `followed`,
            (M, 0) int64: nothing that is known before the tokens are.
        test_start: index of the first sample of the dataset's own test set, which goes to the end; None if it has none.
        validation_start: the same of its own validation set, which goes to `test_start`; None if it has none.
        names: the classes, where the source's spec does not name them.
        groups: what samples belong together (M,) int64, such as a patient or a speaker; None if nothing is known.
        times: when each sample was taken (M,) float64, in any unit; None if nothing is known.
        gap: where the samples are in order, how many neighbours of each share values with it, and so must not lie in
            another split.
        spec: what the samples are, where only reading told the source more than the names of the classes; the number
            of learned features may still be missing in it.
        digests: SHA-256 of the bytes of each input, and then of the targets, where they are known without reading them.
        left_out: numbers of samples that no split gets, such as pictures that cannot be read.
        naive: what a rule answers that learns nothing, such as that all stays as it is (M, targets) float32; None if
            there is no such rule.
        contents: a digest of each sample's file (M, 16) uint8, where they are known; None elsewhere.
    """

    inputs: tuple[np.ndarray | Learnable, ...]
    targets: np.ndarray
    test_start: int | None = None
    validation_start: int | None = None
    names: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    gap: int = 0
    spec: DataSpec | None = None
    digests: tuple[str | None, ...] = ()
    left_out: tuple[int, ...] = ()
    naive: np.ndarray | None = None
    contents: np.ndarray | None = None
