"""What is done in worker threads to explore samples: vectors, maps and neighbours. No widget is touched here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.evaluation.embeddings import Embeddings, Layer, embed
from studio.evaluation.neighbours import Neighbour, nearest
from studio.evaluation.projections import Projection, project
from studio.evaluation.trained import Trained
from studio.ui.evaluation.one_task import Progress, Say

MOST_NEIGHBOURS = 24
SEED = 0


@dataclass(frozen=True, eq=False)
class Mapped:
    """Vectors of a split, and where they are on a plane."""

    embeddings: Embeddings
    projection: Projection


@dataclass(frozen=True, eq=False)
class Near:
    """The neighbours of a sample.

    Args:
        row: the number of the sample in the dataset.
        label: its class; None if it has none.
        split: among whose samples they are.
    """

    row: int
    label: int | None
    split: str
    neighbours: tuple[Neighbour, ...]

    @property
    def disagreeing(self) -> int:
        """How many are of another class."""
        return sum(neighbour.label != self.label for neighbour in self.neighbours)


class Explorer:
    """Keeps the vectors that were made last, of one layer. Used by one thread at a time.

    Args:
        trained: the network that makes them.
    """

    def __init__(self, trained: Trained) -> None:
        self.trained = trained
        self._kept: dict[str, Embeddings] = {}

    def known(self, split: str, layer: Layer) -> Embeddings | None:
        """The vectors of a split, if they were made already."""
        kept = self._kept.get(split)
        return kept if kept is not None and kept.layer == layer else None

    def vectors(self, split: str, layer: Layer, say: Say, progress: Progress) -> Embeddings:
        """The vectors of a split. Raises TrainingError."""
        known = self.known(split, layer)
        if known is None:
            self._kept = {name: kept for name, kept in self._kept.items() if kept.layer == layer and name != split}
            say(f"Vectors of the {split} split…")
            known = self._kept[split] = embed(self.trained, split, layer, progress)
        return known

    def map(self, split: str, layer: Layer, method: str, say: Say, progress: Progress) -> Mapped:
        """A map of a split. Raises TrainingError."""
        found = self.vectors(split, layer, say, progress)
        say(f"{method}…")
        return Mapped(found, project(found.vectors, found.classes, method, SEED, progress))


def neighbours_of(row: int, own: Embeddings, among: Embeddings, metric: str) -> Near:
    """The neighbours of a sample.

    Args:
        row: its number in the dataset.
        own: the vectors of its split.
        among: those of the split in which neighbours are sought.
    """
    place = int(np.searchsorted(own.rows, row))
    found = nearest(own.vectors[place], among.vectors, among.rows, metric, MOST_NEIGHBOURS, row)
    neighbours = tuple(
        Neighbour(int(among.rows[p]), distance, int(among.classes[p]) if among.classes is not None else None)
        for p, distance in found
    )
    label = int(own.classes[place]) if own.classes is not None else None
    return Near(row, label, among.split, neighbours)
