"""t-SNE with all pairs of samples, so that nothing is left to chance and it can be given up between two steps.

The one of scikit-learn cannot be broken off and tells nothing of how far it is; with as few samples as can be waited
for, computing all pairs takes as long as its approximation.

Source: van der Maaten and Hinton, “Visualizing data using t-SNE”, 2008; the learning rate and the start by principal
components follow Kobak and Berens, “The art of using t-SNE for single-cell transcriptomics”, 2019.

Axis letters: N samples, D numbers of a vector.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

STEPS, EXAGGERATED_STEPS, EXAGGERATION = 750, 250, 12.0
PERPLEXITY = 30.0
_SEARCHES = 40  # halvings for the width around each sample
_ROWS = 256  # samples at a time
_TINY = 1e-12


def embed(vectors_ND: np.ndarray, check: Callable[[int, int], None], perplexity: float = PERPLEXITY) -> np.ndarray:
    """Points (N, 2) float32.

    Args:
        check: told (steps done, steps in all); may raise to cancel.
        perplexity: about how many neighbours each sample has; less where there are few samples.
    """
    from studio.evaluation.projections import principal

    x_ND = torch.from_numpy(np.ascontiguousarray(vectors_ND, np.float32))
    p_NN = affinities(x_ND, min(perplexity, (len(x_ND) - 1) / 3))
    first = principal(vectors_ND, 2, 0)[0]
    y_N2 = torch.from_numpy(np.ascontiguousarray(first / max(float(first[:, 0].std()), _TINY) * 1e-4, np.float32))
    return _descended(y_N2, p_NN, check).numpy()


def affinities(x_ND: Tensor, perplexity: float) -> Tensor:
    """How much each pair belongs together (N, N); symmetric, sums up to 1."""
    found_NN = torch.empty(len(x_ND), len(x_ND))
    for start in range(0, len(x_ND), _ROWS):
        squares = torch.cdist(x_ND[start : start + _ROWS], x_ND).square_()
        own = squares.diagonal(start)
        own.fill_(float("inf"))
        squares -= squares.amin(1, keepdim=True)  # changes no share, and keeps the nearest from vanishing
        own.zero_()
        found_NN[start : start + _ROWS] = _shares(squares, start, float(np.log(perplexity)))
    return (found_NN + found_NN.T) / (2 * len(x_ND))


def _shares(squares: Tensor, start: int, entropy: float) -> Tensor:
    """For some samples how the others share what belongs to them (n, N), with the width that gives this entropy."""
    low, high = torch.zeros(len(squares), 1), torch.full((len(squares), 1), float("inf"))
    beta = torch.ones(len(squares), 1)
    for _ in range(_SEARCHES):
        shares = torch.exp(-beta * squares)
        shares.diagonal(start).zero_()
        sums = shares.sum(1, keepdim=True)
        wide = sums.log() + beta * (shares * squares).sum(1, keepdim=True) / sums > entropy
        low, high = torch.where(wide, beta, low), torch.where(wide, high, beta)
        beta = torch.where(high.isinf(), 2 * beta, (low + high) / 2)
    return shares / sums


def _descended(y_N2: Tensor, p_NN: Tensor, check: Callable[[int, int], None]) -> Tensor:
    rate = max(len(y_N2) / EXAGGERATION / 4, 50.0)
    update, gains = torch.zeros_like(y_N2), torch.ones_like(y_N2)
    for step in range(STEPS):
        check(step, STEPS)
        early = step < EXAGGERATED_STEPS
        gradient = _gradient(y_N2, p_NN, EXAGGERATION if early else 1.0)
        gains = torch.where(update * gradient < 0, gains + 0.2, gains * 0.8).clamp_(min=0.01)
        update = (0.5 if early else 0.8) * update - rate * gains * gradient
        y_N2 = y_N2 + update
    return y_N2 - y_N2.mean(0)


def _gradient(y_N2: Tensor, p_NN: Tensor, exaggeration: float) -> Tensor:
    """Some rows at a time, so that all but the affinities stays in the processor's cache."""
    ones, lengths = torch.ones(len(y_N2), 1), y_N2.square().sum(1, keepdim=True)
    left, right = torch.cat([-2 * y_N2, lengths + 1, ones], 1), torch.cat([y_N2, ones, lengths], 1).T
    sides = torch.cat([ones, y_N2], 1)  # sums of forces, and of forces times places
    pulls, pushes, total = torch.empty(len(y_N2), 3), torch.empty(len(y_N2), 3), 0.0
    for start in range(0, len(y_N2), _ROWS):
        rows = slice(start, start + _ROWS)
        near = (left[rows] @ right).clamp_(min=1).reciprocal_()  # by Student’s t with one degree of freedom
        near.diagonal(start).zero_()
        total += float(near.sum())
        pulls[rows] = (p_NN[rows] * near) @ sides
        pushes[rows] = near.square_() @ sides
    forces = exaggeration * pulls - pushes / total
    return 4 * (forces[:, :1] * y_N2 - forces[:, 1:])
