"""Random numbers that are a function of (seed, epoch, sample, transform): the same on any device, in any order.

They come from no generator, so a run that is resumed, a preview and another batch size draw the same for a sample.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64's mixing function);
Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011 (numbers from counters).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class Draws:
    """Draws for some samples. Each call of a method gives new numbers; the n-th call gives the same ones each time.

    Args:
        seed, epoch: of the run, and its epoch under way.
        samples: numbers of the samples in the dataset (N,), int64; on the device where the draws are wanted.
        transform: its place in the list of transforms, so that two of a kind draw different numbers.
    """

    def __init__(self, seed: int, epoch: int, samples: torch.Tensor, transform: int) -> None:
        start = _mix_whole(_mix_whole(_mix_whole(seed) ^ epoch) ^ transform)
        self._keys = _mix(samples ^ _signed(start))
        self._calls = 0

    def uniform(self, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """A number for each sample (N,), float32, from low up to but without high."""
        return self._bits().float() * ((high - low) / 2**24) + low

    def chance(self, probability: float) -> torch.Tensor:
        """Whether it happens to each sample (N,), bool."""
        return self.uniform() < probability

    def whole(self, low: int, high: int) -> torch.Tensor:
        """A whole number for each sample (N,), int64, from low to high, both included."""
        return low + self._bits() * (high - low + 1) // 2**24

    def many(self, *dims: int) -> torch.Tensor:
        """Numbers for each place of each sample (N, *dims), float32, from 0 up to but without 1."""
        import torch

        self._calls += 1
        keys = _mix(self._keys + _signed(self._calls * _GOLDEN))
        places = torch.arange(math.prod(dims), device=keys.device)
        return _high(_mix(keys[:, None] ^ _mix(places))).float().mul_(2**-24).view(-1, *dims)

    def normal(self, *dims: int) -> torch.Tensor:
        """Normally distributed numbers (N, *dims), float32, mean 0, deviation 1. Box and Muller, 1958."""
        radius = (1.0 - self.many(*dims)).log_().mul_(-2.0).sqrt_()
        return radius * self.many(*dims).mul_(2 * math.pi).cos_()

    def _bits(self) -> torch.Tensor:
        """Whole numbers below 2**24 (N,)."""
        self._calls += 1
        return _high(_mix(self._keys + _signed(self._calls * _GOLDEN)))


def _mix(keys: torch.Tensor) -> torch.Tensor:
    """Every bit of the answer depends on every bit of the key. int64, which wraps around as uint64 does."""
    keys = (keys ^ _shifted(keys, 30)) * _signed(_FIRST)
    keys = (keys ^ _shifted(keys, 27)) * _signed(_SECOND)
    return keys ^ _shifted(keys, 31)


def _shifted(keys: torch.Tensor, bits: int) -> torch.Tensor:
    """Shifted to the right, zeros coming in, although the numbers have signs."""
    return (keys >> bits) & ((1 << (64 - bits)) - 1)


def _high(keys: torch.Tensor) -> torch.Tensor:
    return _shifted(keys, 40)


def _mix_whole(key: int) -> int:
    """The same as `_mix`, of one number."""
    wrap = 2**64 - 1
    key = (key + _GOLDEN) & wrap
    key = ((key ^ (key >> 30)) * _FIRST) & wrap
    key = ((key ^ (key >> 27)) * _SECOND) & wrap
    return key ^ (key >> 31)


def _signed(value: int) -> int:
    """The int64 of the same bits."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value
