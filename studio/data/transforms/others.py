"""Transforms of series (N, T, D), sounds (N, C, T), spectrograms, tables (N, D) and texts (N, L)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from studio.data.transforms.base import Transform, registry
from studio.fields import field

if TYPE_CHECKING:
    import torch

    from studio.data.transforms.draws import Draws

_UNKNOWN = 1  # as in studio.data.texts.tokens, which loads what a declaration does not need
_PADDING = 0


@registry.add
class SeriesNoise(Transform):
    """Every number changed by a normally distributed amount, in proportion to the spread of its channel."""

    kind: ClassVar[str] = "series_noise"
    title: ClassVar[str] = "Noise"
    group: ClassVar[str] = "Series"
    axes: ClassVar[tuple[str, ...]] = ("T",)
    strength: float = field(0.05, min=0.0, max=2.0, help="Its deviation, as a share of the spread within the window.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        spread = x.flatten(2).std(1, correction=0).unsqueeze(1) if x.ndim > 2 else x.std(1, correction=0, keepdim=True)
        return x + self.strength * spread * draws.normal(*x.shape[1:])


@registry.add
class SeriesScale(Transform):
    """The whole window made larger or smaller about its mean."""

    kind: ClassVar[str] = "series_scale"
    title: ClassVar[str] = "Stretch the values"
    group: ClassVar[str] = "Series"
    axes: ClassVar[tuple[str, ...]] = ("T",)
    most: float = field(0.1, min=0.0, max=0.9, help="0.1: from 90 % to 110 %.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        mean = x.mean(1, keepdim=True)
        factor = draws.uniform(1 - self.most, 1 + self.most).view(-1, *[1] * (x.ndim - 1))
        return (x - mean) * factor + mean


@registry.add
class SoundGain(Transform):
    """Louder or softer."""

    kind: ClassVar[str] = "gain"
    title: ClassVar[str] = "Louder or softer"
    group: ClassVar[str] = "Sound"
    axes: ClassVar[tuple[str, ...]] = ("CT",)
    decibels: float = field(6.0, min=0.0, max=40.0, unit="dB", help="The most, either way.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        return x * (10.0 ** (draws.uniform(-self.decibels, self.decibels) / 20)).view(-1, 1, 1)


@registry.add
class SoundShift(Transform):
    """Moved in time; what leaves at one end comes in at the other."""

    kind: ClassVar[str] = "sound_shift"
    title: ClassVar[str] = "Move in time"
    group: ClassVar[str] = "Sound"
    axes: ClassVar[tuple[str, ...]] = ("CT",)
    most: float = field(0.1, min=0.0, max=0.5, help="As a share of its length, either way.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        import torch

        length = x.shape[-1]
        steps = draws.whole(-int(self.most * length), int(self.most * length))
        index = (torch.arange(length, device=x.device) - steps[:, None]) % length
        return x.gather(2, index[:, None].expand_as(x))


@registry.add
class SoundNoise(Transform):
    """White noise, in proportion to the loudness of the sound."""

    kind: ClassVar[str] = "sound_noise"
    title: ClassVar[str] = "Noise"
    group: ClassVar[str] = "Sound"
    axes: ClassVar[tuple[str, ...]] = ("CT",)
    strength: float = field(0.1, min=0.0, max=2.0, help="The largest, as a share of the loudness; each draws its own.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        loudness = x.square().mean((1, 2), keepdim=True).sqrt()
        return x + draws.uniform(0.0, self.strength).view(-1, 1, 1) * loudness * draws.normal(*x.shape[1:])


@registry.add
class SpectrumMask(Transform):
    """A band of rows and a band of columns takes the mean, as pitches and moments of a spectrogram that are missing.

    Source: Park et al., "SpecAugment", 2019.
    """

    kind: ClassVar[str] = "spectrum_mask"
    title: ClassVar[str] = "Hide pitches and moments"
    group: ClassVar[str] = "Sound"
    axes: ClassVar[tuple[str, ...]] = ("CHW",)
    rows: float = field(0.2, min=0.0, max=1.0, help="The widest band of rows, as a share of the height.")
    columns: float = field(0.2, min=0.0, max=1.0, help="The widest band of columns, as a share of the width.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        import torch

        from studio.data.transforms.kernels import band

        height, width = x.shape[-2:]
        rows = band(height, draws.uniform(), draws.whole(0, int(self.rows * height)))
        columns = band(width, draws.uniform(), draws.whole(0, int(self.columns * width)))
        hidden = rows[:, None, :, None] | columns[:, None, None, :]
        return torch.where(hidden, x.float().mean((1, 2, 3), keepdim=True), x.float())


@registry.add
class TableNoise(Transform):
    """Every feature, after scaling, changed by a normally distributed amount."""

    kind: ClassVar[str] = "table_noise"
    title: ClassVar[str] = "Noise"
    group: ClassVar[str] = "Table"
    axes: ClassVar[tuple[str, ...]] = ("D",)
    after_scaling: ClassVar[bool] = True
    strength: float = field(0.05, min=0.0, max=10.0, help="Its deviation; 1 is the spread of a standardized feature.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        return x + self.strength * draws.normal(*x.shape[1:])


@registry.add
class TokenDropout(Transform):
    """Some tokens are unknown; padding stays."""

    kind: ClassVar[str] = "token_dropout"
    title: ClassVar[str] = "Hide tokens"
    group: ClassVar[str] = "Text"
    axes: ClassVar[tuple[str, ...]] = ("L",)
    share: float = field(0.1, min=0.0, max=0.9, help="How probable it is for each token.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        return x.masked_fill((draws.many(*x.shape[1:]) < self.share) & (x != _PADDING), _UNKNOWN)


@registry.add
class TokenSwap(Transform):
    """Some tokens change places with the one after them; padding stays at the end."""

    kind: ClassVar[str] = "token_swap"
    title: ClassVar[str] = "Swap neighbours"
    group: ClassVar[str] = "Text"
    axes: ClassVar[tuple[str, ...]] = ("L",)
    share: float = field(0.1, min=0.0, max=0.9, help="How probable it is for each pair of neighbours.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        import torch

        if x.shape[1] < 2:
            return x
        pairs = x[:, : x.shape[1] // 2 * 2].reshape(len(x), -1, 2)
        swapped = (draws.many(pairs.shape[1]) < self.share) & (pairs[:, :, 1] != _PADDING)
        pairs = torch.where(swapped[:, :, None], pairs.flip(2), pairs)
        return torch.cat([pairs.flatten(1), x[:, pairs.shape[1] * 2 :]], 1)
