"""What a dataset source is and what it gives.

Axis letters: M samples of the whole dataset, N batch, C channels, H W space, D features, T steps, L tokens, K classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from studio.fields import Declared
from studio.registry import Registry
from studio.tensors import TensorSpec, axes_for

if TYPE_CHECKING:
    import numpy as np

    from studio.data.listing import Listing
    from studio.data.texts.tokens import TokenRules

SPLITS = ("train", "validation", "test")
IGNORED = -100  # class number of a place that is not to be predicted; PyTorch's own default for it

# Called with (bytes done, bytes in all or 0 if unknown); may raise to cancel.
Progress = Callable[[int, int], None]


class Downloadable(Protocol):
    """What may be fetched from the internet after a person agreed."""

    @property
    def title(self) -> str:
        """What it is, for people."""
        ...

    @property
    def download_bytes(self) -> int:
        """About how much it is."""
        ...

    def download(self, progress: Progress | None = None) -> None:
        """Fetch it. Raises DataError if that fails; what `progress` raises leaves nothing behind."""
        ...


class DataError(Exception):
    """A dataset is missing or broken; the message names the file and says what to do."""


class MissingDataError(DataError):
    """The files of a dataset are not there, and may be downloaded or pointed to."""


class UntrustedDataError(MissingDataError):
    """Data that only code of the person's own can read, which nobody has trusted yet; see `Source.code`."""


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Args:
        task: "classification" (one of the classes), "multi-label" (any of the classes), "regression" (real numbers) or
            "detection" (rectangles on a picture; it can be looked at, but not trained on yet).
        names: the classes in order of their number, or the names of the numbers to predict; of numbers with places one
            name for all; none if only reading the data tells them.
        dims: places of a sample, for each of which there is an answer: (T,) steps of a sequence, (H, W) pixels; of
            numbers the whole size of the answer, such as (C, H, W). Empty if there is one answer for the sample. A
            class of IGNORED says that a place has no answer, as behind the end of a short text.
        is_input: whether it is the sample's input itself, scaled.
        limits: the smallest and the largest number to predict, where they are known.
    """

    task: str
    names: tuple[str, ...]
    dims: tuple[int, ...] = ()
    is_input: bool = False
    limits: tuple[float, float] | None = None

    @property
    def size(self) -> int:
        """How many classes, or named numbers, there are; 0 if that is not known yet."""
        return len(self.names)

    @property
    def answer(self) -> TensorSpec:
        """What the network must answer: one number per class, or per target, at each place.

        The classes of steps come last (T, K), as a Dense gives them; those of pixels first (K, H, W), as channels.
        """
        if self.task != "classification" and self.dims:
            dims = self.dims
        else:
            dims = (*self.dims, self.size) if len(self.dims) < 2 else (self.size, *self.dims)
        return TensorSpec(dims, axes_for(len(dims)))


@dataclass(frozen=True)
class DataSpec:
    """What a network must take and answer to be trained on a dataset.

    Args:
        inputs: one tensor per input.
        target: what is to be predicted.
        tokens: for each input how many token numbers there may be, 0 if it has none; empty if none has any.
        features: names of the numbers of a single input (D,), where they are known.
        characters: what the token numbers of a single input stand for, one character each; empty if they are no such.
    """

    inputs: tuple[TensorSpec, ...]
    target: Target
    features: tuple[str, ...] = ()
    tokens: tuple[int, ...] = ()
    characters: str = ""

    @property
    def refusal(self) -> str:
        """Why the input cannot be the target, in plain words; empty if nothing stands against it."""
        if not self.target.is_input or (len(self.inputs) == 1 and self.inputs[0].dtype == "float"):
            return ""
        given = f"{len(self.inputs)} inputs" if len(self.inputs) > 1 else "tokens, which are no real numbers"
        return f"The target is the input itself, but the dataset gives {given}. Set the target of the data to “labels”."


@dataclass(frozen=True)
class Column:
    """One column of a dataset, as it was understood.

    Args:
        name: as the file has it.
        type: one of COLUMN_TYPES.
        missing: how many samples have no value there.
        distinct: how many different values there are; 0 if they were not counted.
        used: whether the network gets it, or has to predict it.
        why_unused: what to say after “because”, where that is known.
        summary: its range or its most frequent values, in a few words.
        histogram: pairs of a value or the lower edge of a bin, as text, and how many samples have it; none if not made.
    """

    name: str
    type: str
    missing: int = 0
    distinct: int = 0
    used: bool = True
    summary: str = ""
    histogram: tuple[tuple[str, int], ...] = ()
    why_unused: str = ""


NUMERIC, CATEGORICAL, ORDINAL, DATE, TEXT, ID = "numeric", "categorical", "ordinal", "date", "text", "id"
IMAGE, MASK, BOXES, AUDIO, TAGS, ARRAY = "image", "mask", "boxes", "audio", "tags", "array"
COLUMN_TYPES = (NUMERIC, CATEGORICAL, ORDINAL, DATE, TEXT, ID, IMAGE, MASK, BOXES, AUDIO, TAGS, ARRAY)


@dataclass(frozen=True)
class Remedy:
    """One click that mends a problem of the data; the files on disk are never touched.

    Args:
        text: on the button, such as "Leave out 12 duplicates".
        source: the source with other settings; None if they stay.
        exclude: numbers of samples to leave out beside those that are already.
        balanced: whether rare classes shall be drawn as often as frequent ones.
        method: another way of dividing the samples, one of METHODS of a `Split`; empty if it stays.
    """

    text: str
    source: Source | None = None
    exclude: tuple[int, ...] = ()
    balanced: bool = False
    method: str = ""


@dataclass(frozen=True)
class DataProblem:
    """Something about the data that a person should know before training.

    Args:
        message: what it is, how many samples it concerns, and why it matters, in plain words.
        severity: ERROR (it cannot be trained on), WARNING or NOTE.
        samples: numbers of some of the samples that it concerns, to look at.
        remedies: what would mend it, best first.
    """

    message: str
    severity: str = "warning"
    samples: tuple[int, ...] = ()
    remedies: tuple[Remedy, ...] = ()


ERROR, WARNING, NOTE = SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Findings:
    """What a look at the files of a dataset told.

    Args:
        spec: with all that only reading tells.
        summary: what was found and what was guessed, in sentences for people; empty if there is nothing to tell.
        rows: how many samples there are; 0 if they were not counted.
        columns: what each sample has; none if it was not looked at.
        target: the columns that are to be predicted.
        counts: how many samples each class has, in the order of the classes; none if there are no classes.
        problems: what is wrong with the files, or might be.
    """

    spec: DataSpec
    summary: str = ""
    rows: int = 0
    columns: tuple[Column, ...] = ()
    target: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    problems: tuple[DataProblem, ...] = ()


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


@dataclass(frozen=True)
class LoadingCode:
    """Python that loads a dataset without the studio, for the exported training script.

    Args:
        functions: source of `load_data` and what it needs, with two empty lines between functions; `np`, `torch` and
            `Path` are imported. `load_data` gives what `Source.load` gives, bit for bit: the input (M, *dims) or a
            list of M texts, the targets, the groups and the times if it has them, then the number of the first sample
            of each of `own_splits`. Texts and numbers that come from fields or files must stand in it as `literal`
            writes them.
        imports: what else it needs, one import statement each.
        packages: what must be installed for it beside NumPy and PyTorch, by the names that people know.
        takes_folder: whether `load_data` takes the folder of the dataset's files, a Path; else it takes nothing.
        own_splits: which of SPLITS the dataset brings itself: none, ("test",) or ("validation", "test").
        place: the file or folder of the person's own that `load_data` takes instead of that folder; empty for a known
            dataset.
        tokens: how texts are cut into tokens; None if the input is none.
        groups, times, gap: whether `Samples` has groups and times, and its gap.
    """

    functions: str
    imports: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    takes_folder: bool = False
    own_splits: tuple[str, ...] = ()
    place: str = ""
    tokens: TokenRules | None = None
    groups: bool = False
    times: bool = False
    gap: int = 0


def literal(value: object) -> str:
    """Python for a constant: as `repr` writes it, but with double quotes where that needs no escape."""
    written = repr(value)
    return f'"{written[1:-1]}"' if written.startswith("'") and '"' not in written else written


class Source(Declared):
    """Base of every dataset source: declared without importing anything heavy, read in `load`."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    group: ClassVar[str]  # heading in the dataset picker
    about: ClassVar[str]  # one or two sentences: what it holds, how much, its licence
    download_bytes: ClassVar[int] = 0  # 0: nothing to download
    needs_place: ClassVar[bool] = False  # whether a person's own file or folder is one of its settings; see `at`
    rank: ClassVar[int] = 50  # of several that claim a file of the person's, the one with the lowest takes it
    unnumbered: ClassVar[tuple[str, ...]] = ()  # fields that change neither which samples there are nor their order
    in_order: ClassVar[bool] = False  # neighbours belong together, as in a text: validation and test are its end

    @property
    def folder_names(self) -> tuple[str, ...]:
        """What a folder with its files is usually called."""
        return (self.kind,)

    @property
    def spec(self) -> DataSpec:
        """Shapes and target, known without reading the data; the target's names may be missing, see `look`."""
        raise AssertionError(f"{type(self).__name__} declares no spec")

    def look(self) -> Findings:
        """Read what `spec` cannot know; may take seconds, since all samples are read.

        Raises:
            MissingDataError: if the files are not there.
            DataError: if a file is broken.
        """
        from studio.data.findings import describe

        return describe(self.spec, self.load())

    @property
    def place(self) -> str:
        """Where the person's own files are, as they said; empty if they did not say yet, or need not."""
        return ""

    @property
    def code(self) -> str | None:
        """Code from a file that would run when the data is read, and has not been trusted yet; None if there is none.

        Raises:
            DataError: if the file cannot be read.
        """
        return None

    def same_samples(self, other: Source) -> bool:
        """Whether another source has the same samples under the same numbers, as far as its settings tell."""
        names = [name for name in self._parts if name not in self.unnumbered]
        return type(self) is type(other) and all(getattr(self, name) == getattr(other, name) for name in names)

    def at(self, place: Path) -> Source:
        """The same source with the files at a place of the person's; only if it `needs_place`."""
        raise AssertionError(f"{type(self).__name__} is found by its folder")

    def claim(self, path: Path) -> Source | None:
        """This source if a file or folder that the person points to is what it needs; at that place, if it needs one.

        It must be quick: at most the beginning of a file is read.
        """
        folder = path if path.is_dir() else path.parent
        files = self.finds(folder)
        return self if (bool(files) if path == folder else path in files) else None

    def unpack(self, folder: Path | None = None, progress: Progress | None = None) -> None:
        """Do once what takes long, such as decoding pictures, and keep it for `load`; nothing, if there is no such.

        Args:
            folder: as in `load`.
            progress: called with (samples done, samples in all); may raise to cancel.

        Raises:
            MissingDataError, DataError: as `load`.
        """

    def load(self, folder: Path | None = None) -> Samples:
        """Read all samples; nothing is written but what `unpack` keeps.

        Args:
            folder: where the person keeps the files; None for the studio's own cache folder.

        Raises:
            MissingDataError: if the files are not there.
            DataError: if a file is broken; the message names it.
        """
        raise AssertionError(f"{type(self).__name__} cannot be loaded")

    def listing(self, folder: Path | None = None) -> Listing:
        """The samples one by one, as they are in the files, in the order of `load`.

        A source whose samples are files of their own must not read them here: it is shown before it is loaded.

        Raises:
            MissingDataError, DataError: as `load`.
        """
        from studio.data.listing import LoadedListing

        return LoadedListing(self.spec, self.load(folder))

    @property
    def loading_code(self) -> LoadingCode | None:
        """Python that does the same as `load` without the studio; None if nobody has written it yet.

        For a person's own files it is made for those that are there now: how they are written is no longer guessed.

        Raises:
            MissingDataError: if they are not there.
            DataError: if one is broken.
        """
        return None

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The files that `load` would read from a folder, found without reading them; none if one is missing."""
        return ()

    def download(self, progress: Progress | None = None) -> None:
        """Fetch the files into the studio's cache folder. Called only after the person agreed.

        Raises:
            DataError: if it fails; the message says why and what to do.
        """
        raise AssertionError(f"{type(self).__name__} has nothing to download")


registry: Registry[Source] = Registry("dataset")
