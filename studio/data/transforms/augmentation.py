"""A list of transforms, applied to the batches of an epoch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.data.transforms.base import Transform
from studio.data.transforms.draws import Draws

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Augmentation:
    """What is done to the samples of one epoch.

    Args:
        transforms: in the order in which they are applied.
        seed, epoch: with the number of a sample they decide what is drawn for it.
    """

    transforms: tuple[Transform, ...]
    seed: int
    epoch: int

    def before_scaling(self, x: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        """A batch (N, *dims) as it is stored; numbers of its samples (N,) in the dataset."""
        for moves in self._runs(after=False):
            x = self._apply(moves, x, samples)
        return x

    def after_scaling(self, x: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        """The same batch when it was scaled."""
        for moves in self._runs(after=True):
            x = self._apply(moves, x, samples)
        return x

    def of_places(self, classes: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        """The classes of pixels (N, H, W), moved with the pixels."""
        for moves in self._runs(after=False):
            if moves[0][1].geometric:
                classes = self._apply_to_places(moves, classes, samples)
        return classes

    def _runs(self, *, after: bool) -> Iterator[_Moves]:
        """Transforms with their places in the list. Moves that follow each other are one run, if one of them blends
        pixels: then the pixels are looked for once."""
        chosen = [(place, t) for place, t in enumerate(self.transforms) if t.after_scaling == after]
        for geometric, group in itertools.groupby(chosen, key=lambda pair: pair[1].geometric):
            run = list(group)
            if geometric and len(run) > 1 and not all(transform.exact for _, transform in run):
                yield run
            else:
                yield from ([pair] for pair in run)

    def _apply(self, moves: _Moves, x: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        if len(moves) == 1:
            place, transform = moves[0]
            return transform.apply(x, self._draws(samples, place))
        from studio.data.transforms.kernels import warp

        return warp(x.float(), self._matrices(moves, x, samples), "bilinear")

    def _apply_to_places(self, moves: _Moves, classes: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        if len(moves) == 1:
            place, transform = moves[0]
            return transform.apply_to_places(classes, self._draws(samples, place))
        from studio.data.transforms.kernels import warp

        return warp(classes[:, None].float(), self._matrices(moves, classes, samples), "nearest")[:, 0].long()

    def _matrices(self, moves: _Moves, x: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        from studio.data.transforms.kernels import one_after_the_other

        height, width = x.shape[-2:]
        found = [transform.matrices(height, width, self._draws(samples, place)) for place, transform in moves]
        together = found[0]
        for matrices in found[1:]:
            together = one_after_the_other(together, matrices)
        return together

    def _draws(self, samples: torch.Tensor, place: int) -> Draws:
        return Draws(self.seed, self.epoch, samples, place)


_Moves = Sequence[tuple[int, Transform]]
