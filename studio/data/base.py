"""What a dataset source is. All that it gives can be imported from here, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from studio.data.samples import Learnable, Learned, Samples, Texts
from studio.data.spec import IGNORED, DataSpec, Target
from studio.data.told import (
    ARRAY,
    AUDIO,
    BOXES,
    CATEGORICAL,
    COLUMN_TYPES,
    DATE,
    ERROR,
    ID,
    IMAGE,
    MASK,
    NOTE,
    NUMERIC,
    ORDINAL,
    SEVERITIES,
    TAGS,
    TEXT,
    WARNING,
    Column,
    DataProblem,
    Findings,
    Remedy,
)
from studio.fields import Declared
from studio.registry import Registry

if TYPE_CHECKING:
    from studio.data.forms import RawForm
    from studio.data.listing import Listing
    from studio.data.texts.tokens import TokenRules

__all__ = [
    "ARRAY", "AUDIO", "BOXES", "CATEGORICAL", "COLUMN_TYPES", "DATE", "ERROR", "ID", "IGNORED", "IMAGE", "MASK",
    "NOTE", "NUMERIC", "ORDINAL", "SEVERITIES", "SPLITS", "TAGS", "TEXT", "WARNING", "Column", "DataError",
    "DataProblem", "DataSpec", "Downloadable", "Findings", "Learnable", "Learned", "LoadingCode",
    "MissingDataError", "Progress", "Remedy", "Samples", "Source", "Target", "Texts", "UntrustedDataError",
    "literal", "registry",
]  # fmt: skip

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


class UntrustedDataError(MissingDataError):
    """Data that only code of the person's own can read, which nobody has trusted yet; see `Source.code`."""


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
    predicts_next: ClassVar[bool] = False  # whether the target of a step is what follows it in the input
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

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """In which form a person gives a raw value of each input, so that it becomes what `load` makes of one.

        Nothing of the data is read: it may be gone. Inputs that are learned, as texts and rows, are not asked for.

        Args:
            spec: as it was in training, with all that reading told.
        """
        from studio.data.forms import plain_forms

        return plain_forms(spec)

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
