"""The samples that a network finds most alike: exact nearest neighbours among the vectors that it makes of them.

Axis letters: N samples, D numbers of a vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COSINE, EUCLIDEAN = METRICS = ("cosine", "Euclidean")
_AT_ONCE = 2**22  # numbers of vectors in a block


@dataclass(frozen=True)
class Neighbour:
    """A sample near another one.

    Args:
        row: its number in the dataset.
        distance: from 0 on; with the cosine at most 2.
        label: its class; None if it has none.
    """

    row: int
    distance: float
    label: int | None = None


def nearest(
    vector_D: np.ndarray, vectors_ND: np.ndarray, rows_N: np.ndarray, metric: str, most: int, without: int = -1
) -> list[tuple[int, float]]:
    """Places and distances of the nearest vectors, the nearest first; equal ones in the order of their places.

    Args:
        metric: COSINE, one minus the cosine of the angle, or EUCLIDEAN.
        rows_N: the samples that they are of.
        most: how many at most.
        without: the number of a sample that is no neighbour: the one itself.
    """
    distances = distances_to(vector_D, vectors_ND, metric)
    distances[rows_N == without] = np.inf
    most = min(most, int(np.isfinite(distances).sum()))
    if most < 1:
        return []
    some = np.flatnonzero(distances <= np.partition(distances, most - 1)[most - 1])
    order = some[np.argsort(distances[some], kind="stable")][:most]
    return [(int(place), float(distances[place])) for place in order]


def distances_to(vector_D: np.ndarray, vectors_ND: np.ndarray, metric: str) -> np.ndarray:
    """How far each vector is from one (N,) float64; infinite where it has no finite length.

    By differences in double numbers, not by the squares of lengths: those lose what is near.
    """
    found, step = np.empty(len(vectors_ND)), max(1, _AT_ONCE // max(1, len(vector_D)))
    wanted = _directed(vector_D[None].astype(np.float64), metric)
    for start in range(0, len(found), step):
        some = _directed(vectors_ND[start : start + step].astype(np.float64), metric)
        squares = np.square(some - wanted).sum(1)
        # Half the squared distance of two unit vectors is one minus their cosine, without its loss of digits.
        found[start : start + step] = squares / 2 if metric == COSINE else np.sqrt(squares)
    found[~np.isfinite(found)] = np.inf
    return found


def _directed(vectors_ND: np.ndarray, metric: str) -> np.ndarray:
    """Of length 1 for the cosine; a vector of zeros stays."""
    if metric != COSINE:
        return vectors_ND
    lengths = np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    return np.asarray(vectors_ND / np.where(lengths > 0, lengths, 1.0))
