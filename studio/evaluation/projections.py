"""Vectors of many numbers as points on a plane.

Axis letters: N samples, D numbers of a vector, K classes.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from studio.training.errors import TrainingError

PCA, TSNE, UMAP = "PCA", "t-SNE", "UMAP"
MOST = {PCA: 2**31, TSNE: 2_000, UMAP: 20_000}  # samples; more take minutes
HOW_TO_GET_UMAP = "UMAP is there once the package umap-learn is installed beside the studio: pip install umap-learn."
_DIMENSIONS_BEFORE = 50  # to which PCA brings vectors for the other methods

Check = Callable[[int, int], None]  # how far it is, and of how many; may raise to cancel


@dataclass(frozen=True, eq=False)
class Projection:
    """Points on a plane.

    Args:
        method: PCA, TSNE or UMAP.
        places: which of the vectors were drawn (n,) int64, in order.
        points: where they are (n, 2) float32.
        note: what is to be known of them.
    """

    method: str
    places: np.ndarray
    points: np.ndarray
    note: str


def methods() -> tuple[str, ...]:
    """What can be done here."""
    return (PCA, TSNE, *((UMAP,) if importlib.util.find_spec("umap") is not None else ()))


def project(
    vectors_ND: np.ndarray, classes_N: np.ndarray | None, method: str, seed: int, check: Check, most: int | None = None
) -> Projection:
    """Bring vectors to a plane. The same arguments give the same points on the same machine.

    Args:
        classes_N: of the samples, whose shares are kept where some of them are drawn; None if there are none.
        seed: of what is drawn by chance.
        check: called often.
        most: samples that are drawn at most; None for what the method can take.

    Raises:
        TrainingError: if the vectors are too few, or no finite numbers.
    """
    if not np.isfinite(vectors_ND).all():
        raise TrainingError("Some of the vectors are no finite numbers, so they have no place on a map.")
    if len(vectors_ND) < 3:
        raise TrainingError(f"A map needs at least 3 samples, and there are {len(vectors_ND)}.")
    places = drawn(len(vectors_ND), classes_N, min(MOST[method], most or len(vectors_ND)), seed)
    check(0, 0)
    chosen = vectors_ND[places]
    if method == PCA:
        points, shares = principal(chosen, 2, seed)
        note = f"The two directions hold {100 * shares[0]:.1f} % and {100 * shares[1]:.1f} % of the variance."
    else:
        if chosen.shape[1] > _DIMENSIONS_BEFORE:
            chosen = principal(chosen, min(_DIMENSIONS_BEFORE, len(chosen) - 1), seed)[0]
        check(0, 0)
        points = _umap(chosen, seed) if method == UMAP else _tsne(chosen, check)
        note = "Near points are alike; distances between far ones, and sizes of clusters, mean nothing."
    if len(places) < len(vectors_ND):
        kind = ", the same share of each class" if classes_N is not None else ""
        note = f"{len(places):,} of {len(vectors_ND):,} samples are drawn{kind}. {note}"
    return Projection(method, places, np.ascontiguousarray(points, np.float32), note)


def drawn(count: int, classes_N: np.ndarray | None, most: int, seed: int) -> np.ndarray:
    """Places of samples drawn by chance, in order: all, or so many, with the same share of each class."""
    if count <= most:
        return np.arange(count)
    rng = np.random.default_rng(seed)
    if classes_N is None:
        return np.sort(rng.choice(count, most, replace=False))
    # Each class lies evenly spread over the line from 0 to 1, by chance within it: a cut keeps the shares.
    order = rng.permutation(count)
    line, classes = np.empty(count), classes_N[order]
    for number in np.unique(classes):
        of = np.flatnonzero(classes == number)
        line[of] = (np.arange(len(of)) + rng.random()) / len(of)
    return np.sort(order[np.argsort(line, kind="stable")[:most]])


def principal(vectors_ND: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The directions in which vectors differ most: places along them (N, count), and shares of the variance (count,).

    Vectors of one number get a second direction in which they do not differ.
    """
    from sklearn import decomposition

    most = min(count, *vectors_ND.shape)
    solver = "covariance_eigh" if vectors_ND.shape[1] <= 500 < len(vectors_ND) else "auto"
    model = decomposition.PCA(most, svd_solver=solver, random_state=seed)
    points = model.fit_transform(vectors_ND)
    lack = max(0, min(count, 2) - most)
    points, shares = np.pad(points, ((0, 0), (0, lack))), np.pad(model.explained_variance_ratio_, (0, lack))
    return points, np.nan_to_num(shares)


def _tsne(vectors_ND: np.ndarray, check: Check) -> np.ndarray:
    from studio.evaluation.tsne import embed

    return embed(vectors_ND, check)


def _umap(vectors_ND: np.ndarray, seed: int) -> np.ndarray:
    umap = importlib.import_module("umap")  # by its name: it is no dependency
    neighbours = min(15, len(vectors_ND) - 1)
    model = umap.UMAP(n_components=2, n_neighbors=neighbours, random_state=seed, n_jobs=1)  # a seed wants one thread
    return np.asarray(model.fit_transform(vectors_ND))
