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
_SEARCHES = 60  # halvings for the width around each sample
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
    squares_NN = torch.cdist(x_ND, x_ND).square_()
    squares_NN.fill_diagonal_(float("inf"))
    squares_NN -= squares_NN.amin(1, keepdim=True)  # changes no share, and keeps the nearest from vanishing
    low, high = torch.zeros(len(x_ND), 1), torch.full((len(x_ND), 1), float("inf"))
    beta, wanted = torch.ones(len(x_ND), 1), float(np.log(perplexity))
    for _ in range(_SEARCHES):
        shares_NN = torch.exp(-beta * squares_NN)
        sums = shares_NN.sum(1, keepdim=True)
        mean = shares_NN.mul_(squares_NN.nan_to_num(posinf=0.0)).sum(1, keepdim=True) / sums
        wide = sums.log() + beta * mean > wanted  # the entropy is too high
        low, high = torch.where(wide, beta, low), torch.where(wide, high, beta)
        beta = torch.where(high.isinf(), 2 * beta, (low + high) / 2)
    shares_NN = torch.exp(-beta * squares_NN)
    shares_NN /= shares_NN.sum(1, keepdim=True)
    return (shares_NN + shares_NN.T) / (2 * len(x_ND))


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
    near_NN = near(y_N2)
    forces_NN = near_NN / -near_NN.sum()
    forces_NN.add_(p_NN, alpha=exaggeration).mul_(near_NN)
    return 4 * (forces_NN.sum(1, keepdim=True) * y_N2 - forces_NN @ y_N2)


def near(y_N2: Tensor) -> Tensor:
    """How near points are to each other, by Student’s t with one degree of freedom (N, N), not yet as shares."""
    lengths = y_N2.square().sum(1)
    squares_NN = torch.addmm(lengths[:, None] + lengths, y_N2, y_N2.T, alpha=-2.0).clamp_(min=0)
    return squares_NN.add_(1).reciprocal_().fill_diagonal_(0)


def divergence(y_N2: Tensor, p_NN: Tensor) -> float:
    """How much the points miss of what belongs together: Kullback and Leibler’s divergence."""
    near_NN = near(y_N2)
    q_NN = (near_NN / near_NN.sum()).clamp_(min=_TINY)
    return float((p_NN * (p_NN.clamp(min=_TINY) / q_NN).log()).sum())
