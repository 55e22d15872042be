"""What a dataset source is and what it gives.

Axis letters: M samples of the whole dataset, N batch, C channels, H W space, D features, T steps, L tokens, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from studio.fields import Declared
from studio.registry import Registry
from studio.tensors import TensorSpec, axes_for

if TYPE_CHECKING:
    import numpy as np

    from studio.data.tokens import TokenRules

SPLITS = ("train", "validation", "test")

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


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Args:
        task: "classification" (one of the classes) or "regression" (real numbers).
        names: the classes in order of their number, or the names of the numbers to predict; of numbers with places one
            name for all; none if only reading the data tells them.
        dims: places of a sample, for each of which there is an answer: (T,) steps of a sequence, (H, W) pixels; of
            numbers the whole size of the answer, such as (C, H, W). Empty if there is one answer for the sample.
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
class Findings:
    """What a look at the files of a dataset told.

    Args:
        spec: with all that only reading tells.
        summary: what was found and what was guessed, in sentences for people; empty if there is nothing to tell.
    """

    spec: DataSpec
    summary: str = ""


@dataclass(frozen=True, eq=False)
class Texts:
    """An input of texts. They become token numbers by what is learned from those of the training split.

    Args:
        texts: M of them.
        rules: how they are cut into tokens.
    """

    texts: Sequence[str]
    rules: TokenRules


@dataclass(frozen=True, eq=False)
class Samples:
    """A dataset in memory, as it was stored: bytes stay bytes.

    Args:
        inputs: one array (M, *dims) per input, uint8, float32 or int64; or texts.
        targets: class numbers (M,) int64, or (M, targets) float32; with places (M, *dims) of the same types.
        test_start: index of the first sample of the dataset's own test set, which goes to the end; None if it has none.
        validation_start: the same of its own validation set, which goes to `test_start`; None if it has none.
        names: the classes, where the source's spec does not name them.
    """

    inputs: tuple[np.ndarray | Texts, ...]
    targets: np.ndarray
    test_start: int | None = None
    validation_start: int | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadingCode:
    """Python that loads a dataset without the studio, for the exported training script.

    Args:
        functions: source of `load_data` and what it needs, with two empty lines between functions; `np`, `torch` and
            `Path` are imported. `load_data` gives what `Source.load` gives, bit for bit: the input (M, *dims), the
            targets, then the number of the first sample of each of `own_splits`. Texts and numbers that come from
            fields must stand in it as `repr` writes them.
        imports: what else it needs, one import statement each.
        packages: what must be installed for it beside NumPy and PyTorch, by the names that people know.
        takes_folder: whether `load_data` takes the folder of the dataset's files, a Path; else it takes nothing.
        own_splits: which of SPLITS the dataset brings itself: none, ("test",) or ("validation", "test").
    """

    functions: str
    imports: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    takes_folder: bool = False
    own_splits: tuple[str, ...] = ()


class Source(Declared):
    """Base of every dataset source: declared without importing anything heavy, read in `load`."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    group: ClassVar[str]  # heading in the dataset picker
    about: ClassVar[str]  # one or two sentences: what it holds, how much, its licence
    download_bytes: ClassVar[int] = 0  # 0: nothing to download
    needs_place: ClassVar[bool] = False  # whether a person's own file or folder is one of its settings; see `at`
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
        """Read what `spec` cannot know; may take seconds where the person's own files have to be read.

        Raises:
            MissingDataError: if the files are not there.
            DataError: if a file is broken.
        """
        return Findings(self.spec)

    @property
    def place(self) -> str:
        """Where the person's own files are, as they said; empty if they did not say yet, or need not."""
        return ""

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

    def load(self, folder: Path | None = None) -> Samples:
        """Read all samples; nothing is written.

        Args:
            folder: where the person keeps the files; None for the studio's own cache folder.

        Raises:
            MissingDataError: if the files are not there.
            DataError: if a file is broken; the message names it.
        """
        raise AssertionError(f"{type(self).__name__} cannot be loaded")

    @property
    def loading_code(self) -> LoadingCode | None:
        """Python that does the same as `load` without the studio; None if nobody has written it yet."""
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
