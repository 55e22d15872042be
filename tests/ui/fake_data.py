"""A dataset that is made up: samples of each kind that can be shown, as many as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from studio.data.base import (
    CATEGORICAL,
    NUMERIC,
    Column,
    DataError,
    DataProblem,
    DataSpec,
    Findings,
    MissingDataError,
    Remedy,
    Samples,
    Source,
    Target,
)
from studio.data.listing import Box, Listing, Shown
from studio.fields import field
from studio.tensors import TensorSpec

NAMES = ("cat", "<b>dog</b>", "owl")
KINDS = ("pictures", "masks", "boxes", "waves", "series", "texts", "tags", "cells", "broken")
HOSTILE = "<img src='x'>=cmd\x07.png"


class Fake(Source):
    """Samples of one kind."""

    kind: ClassVar[str] = "fake"
    title: ClassVar[str] = "Made up"
    group: ClassVar[str] = "Test"
    about: ClassVar[str] = "Nothing real."

    shows: str = field("pictures", choices=KINDS)
    samples: int = field(60, min=0, max=10_000_000)
    fails: str = field("", help="The reason why it cannot be opened.")
    missing: bool = field(False)

    asked: ClassVar[list[int]] = []  # numbers of the samples that were shown
    looked: ClassVar[list[int]] = []  # threads that looked

    @property
    def spec(self) -> DataSpec:
        return DataSpec((TensorSpec((1, 8, 8), "CHW"),), Target("classification", NAMES))

    def look(self) -> Findings:
        Fake.looked.append(threading.get_ident())
        duplicates = DataProblem("2 samples are there twice.", samples=(4, 7), remedies=(
            Remedy("Leave out 2 duplicates", exclude=(4, 7)), Remedy("Balance", balanced=True)))  # fmt: skip
        note = DataProblem("The classes are named oddly.", severity="note")
        columns = (
            Column("size", NUMERIC, missing=3, distinct=9, summary="1 to 9", histogram=(("1", 5), ("2", 9), ("3", 2))),
            Column("<i>kind</i>", CATEGORICAL, distinct=3, histogram=(("cat", 20), ("dog", 20))),
        )
        return Findings(
            self.spec, "Found it.", self.samples, columns, ("<i>kind</i>",), (20, 20, 20), (note, duplicates)
        )

    def load(self, folder: object = None) -> Samples:
        raise AssertionError("only looked at")

    def listing(self, folder: object = None) -> Listing:
        if self.missing:
            raise MissingDataError(f"{HOSTILE} is not there.")
        if self.fails:
            raise DataError(self.fails)
        return FakeListing(self.samples, _MAKERS[self.shows])


class FakeListing(Listing):
    def __init__(self, count: int, make: Callable[[int, str], Shown]) -> None:
        self.count = count
        self.labels = np.arange(count) % len(NAMES)
        self.names = NAMES
        self._make = make

    def show(self, index: int) -> Shown:
        Fake.asked.append(index)
        return self._make(index, NAMES[index % len(NAMES)])


def picture(index: int, side: int = 40) -> np.ndarray:
    y, x = np.mgrid[0:side, 0 : side * 3 // 2]
    return np.stack([(x * 4 + index * 16) % 256, (y * 6) % 256, (x + y + index) % 256], -1).astype(np.uint8)


def _mask(index: int) -> np.ndarray:
    mask = np.zeros((40, 60), np.int64)
    mask[5:20, 5 + index % 20 : 30] = 1
    mask[25:35, 30:50] = 2 + index % 3
    mask[:2] = -100
    return mask


def _wave(index: int) -> np.ndarray:
    t = np.linspace(0, 1, 16_000)
    return (np.sin(2 * np.pi * (3 + index % 7) * t) * np.exp(-3 * t))[None].astype(np.float32)


def _series(index: int) -> np.ndarray:
    t = np.linspace(0, 6, 200)[:, None]
    values = np.sin(t * np.arange(1, 4) + index).astype(np.float32)
    values[50:60, 1] = np.nan
    return values


_WORDS = "Mary visited the United Nations in New York".split()
_MARKS = "B-PER O O B-ORG I-ORG O B-LOC I-LOC".split()
_LONG = "Text with <b>marks</b> that is longer than a line, so that it has to be wrapped and cut. "

_MAKERS: dict[str, Callable[[int, str], Shown]] = {
    "pictures": lambda i, name: Shown(f"{i}{HOSTILE}", name, picture=picture(i)),
    "masks": lambda i, name: Shown(f"{i}.png", name, picture=picture(i), mask=_mask(i)),
    "boxes": lambda i, name: Shown(
        f"{i}.png", "2 boxes", picture=picture(i), boxes=(Box("cat", 5, 5, 25, 30), Box("owl", 30, 10, 70, 50))
    ),
    "waves": lambda i, name: Shown(f"{i}.wav", name, wave=_wave(i), rate=16_000),
    "series": lambda i, name: Shown(f"window {i}", name, series=_series(i)),
    "texts": lambda i, name: Shown(f"{i + 1:,}", name, text=f"{i} {_LONG}" * 3),
    "tags": lambda i, name: Shown(f"{i + 1:,}", "", tags=tuple(zip(_WORDS, _MARKS, strict=True))),
    "cells": lambda i, name: Shown(f"row {i}", name, cells=(("size", f"{i}"), ("<i>kind</i>", "=1+1"))),
    "broken": lambda i, name: Shown(f"{i}.png", name, problem=f"{i}.png is no picture: it ends too early."),
}
