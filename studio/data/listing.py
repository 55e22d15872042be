"""The samples of a dataset one by one, as they are in its files: for people who look, not for training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from studio.data.answers import target_text
from studio.data.base import DataSpec, Learnable, Samples

if TYPE_CHECKING:
    import numpy as np

    from studio.data.choice import DataChoice

TEXT_LENGTH = 20_000  # characters of a text that are shown
MOST_CELLS = 200  # numbers of a sample that are shown as cells


@dataclass(frozen=True)
class Box:
    """A rectangle on a picture, in pixels from its upper left corner, and what is in it."""

    name: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, eq=False)
class Shown:
    """One sample as a person wants to see it. What it has decides how it is drawn.

    Args:
        title: the name of its file, or its place in the file; as it is there, so it may hold anything.
        answer: what is to be predicted, in words; empty if there is nothing.
        picture: (H, W, 3) or with opacity (H, W, 4), uint8.
        mask: the class of each pixel (H, W), int64; IGNORED where there is none.
        boxes: rectangles on the picture.
        text: its text, perhaps only the beginning.
        tags: its tokens with what each is marked as.
        cells: names and values, as in a row of a table.
        wave: samples of sound (channels, T), float32 from -1 to 1.
        rate: samples of the wave in a second.
        series: numbers over time (T, channels), float32; `cells` may name what is to be predicted.
        problem: why it cannot be shown, or what is wrong with it; empty if nothing is.
    """

    title: str
    answer: str = ""
    picture: np.ndarray | None = None
    mask: np.ndarray | None = None
    boxes: tuple[Box, ...] = ()
    text: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    cells: tuple[tuple[str, str], ...] = ()
    wave: np.ndarray | None = None
    rate: int = 0
    series: np.ndarray | None = None
    problem: str = ""


class Listing(ABC):
    """What samples there are, told without reading them all.

    Args:
        count: how many there are, M.
        labels: the class number of each (M,) int64; None if they have no classes.
        names: of the classes.
        test_start, validation_start, groups, times, gap: as in `Samples`.
    """

    count: int
    labels: np.ndarray | None = None
    names: tuple[str, ...] = ()
    test_start: int | None = None
    validation_start: int | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    gap: int = 0
    in_memory: ClassVar[bool] = False  # whether all samples are read already

    @property
    def left_out(self) -> tuple[int, ...]:
        """As in `Samples`, as far as it is known by now: which files are damaged is known once they were decoded."""
        return ()

    def splits(self, choice: DataChoice) -> dict[str, np.ndarray]:
        """The samples of each split, as a run divides them; what is left out is in none. Raises DataError."""
        from studio.data.splits import Known, split_indices, without

        known = Known(
            count=self.count,
            classes=self.labels,
            test_start=self.test_start,
            validation_start=self.validation_start,
            groups=self.groups,
            times=self.times,
            gap=self.gap,
            in_order=choice.source.in_order,
        )
        parts = split_indices(known, choice.split)
        return without(parts, tuple(sorted({*choice.excluded, *self.left_out})), self.count)

    def contents(self) -> np.ndarray | None:
        """A digest of each sample's file (M, 16) uint8, where they are known already; equal files have equal ones."""
        return None

    @abstractmethod
    def show(self, index: int) -> Shown:
        """One sample, from 0. What is wrong with its file is told in `Shown.problem`, never raised."""


class LoadedListing(Listing):
    """The samples of a dataset that is in memory.

    Args:
        spec: what its source declares.
        samples: all of them.
    """

    in_memory: ClassVar[bool] = True

    def __init__(self, spec: DataSpec, samples: Samples) -> None:
        self._spec = spec
        self.samples = samples
        self.count = len(samples.targets)
        self.test_start, self.validation_start = samples.test_start, samples.validation_start
        self.groups, self.times, self.gap = samples.groups, samples.times, samples.gap
        if spec.target.task == "classification" and not spec.target.dims:
            self.labels, self.names = samples.targets, spec.target.names or samples.names

    @property
    def left_out(self) -> tuple[int, ...]:
        """Those of the samples."""
        return self.samples.left_out

    def show(self, index: int) -> Shown:
        """The first input as picture, series, cells or text; the target in words, or as a mask."""
        values, target = self.samples.inputs[0], self._spec.target
        title = f"{index + 1:,}"
        names = target.names or self.samples.names
        answer = target_text(target, names, self.samples.targets[index])
        if isinstance(values, Learnable):
            return Shown(title, answer, text=values.text(index)[:TEXT_LENGTH])
        pixels = target.task == "classification" and len(target.dims) == 2
        mask = self.samples.targets[index] if pixels else None
        return shown_values(title, answer, values[index], self._spec, mask)


def shown_values(title: str, answer: str, value: np.ndarray, spec: DataSpec, mask: np.ndarray | None) -> Shown:
    """The first input of a sample (*dims), as it is stored: as a picture, a series, a text or cells."""
    axes = spec.inputs[0].axes
    if axes == "CHW" and value.shape[0] in (1, 3):
        return Shown(title, answer, picture=as_picture(value), mask=mask)
    if spec.characters:
        return Shown(title, answer, text="".join(spec.characters[number] for number in value[:TEXT_LENGTH]))
    if value.ndim == 2 and axes.startswith("T"):
        return Shown(title, answer, series=value)
    flat = value.reshape(-1)[:MOST_CELLS]
    names = spec.features or tuple(f"x{number}" for number in range(1, len(flat) + 1))
    return Shown(title, answer, cells=tuple((name, f"{number:g}") for name, number in zip(names, flat, strict=False)))


def as_picture(value: np.ndarray) -> np.ndarray:
    """Any picture (C, H, W) of 1 or 3 channels as bytes (H, W, 3); what are no bytes is spread from 0 to 255."""
    import numpy as np

    if value.dtype != np.uint8 or value.max(initial=0) < 32:  # such as digits of 16 greys
        low, high = float(value.min()), float(value.max())
        value = ((value - low) * (255.0 / max(high - low, 1e-12))).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(value, (3, *value.shape[1:])).transpose(1, 2, 0))
