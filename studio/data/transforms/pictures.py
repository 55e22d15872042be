"""Transforms of pictures (N, C, H, W)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from studio.data.transforms.base import Transform, registry
from studio.fields import field

if TYPE_CHECKING:
    import torch

    from studio.data.transforms.draws import Draws

MOVES, COLOURS, DAMAGE = "Position", "Colour", "Damage"


def _chance(default: float = 0.5) -> float:
    chance: float = field(default, min=0.0, max=1.0, slider=True, help="How probable it is for each sample.")
    return chance


def limit_of(x: torch.Tensor) -> float | None:
    """The largest value that a picture can have; None if that is not known."""
    return 255.0 if not x.is_floating_point() else None


class _Picture(Transform):
    axes: ClassVar[tuple[str, ...]] = ("CHW",)


class _Move(_Picture):
    """Moves the pixels, and their classes alike: looks at the picture through an affine map."""

    group: ClassVar[str] = MOVES
    geometric: ClassVar[bool] = True

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import warp

        return warp(x.float(), self.matrices(x.shape[-2], x.shape[-1], draws), "bilinear")

    def apply_to_places(self, classes: torch.Tensor, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import warp

        matrices = self.matrices(classes.shape[-2], classes.shape[-1], draws)
        return warp(classes[:, None].float(), matrices, "nearest")[:, 0].long()


class _ExactMove(_Move):
    """Moves whole pixels, so that no value changes."""

    exact: ClassVar[bool] = True

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        return self._moved(x, draws)

    def apply_to_places(self, classes: torch.Tensor, draws: Draws) -> torch.Tensor:
        return self._moved(classes, draws)

    def _moved(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        raise AssertionError(f"{type(self).__name__} moves nothing")


class _Flip(_ExactMove):
    axis: ClassVar[int]
    chance: float = _chance()

    def matrices(self, height: int, width: int, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import flipped

        return flipped(draws.chance(self.chance), self.axis)

    def _moved(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import flip

        return flip(x, draws.chance(self.chance), self.axis)


@registry.add
class FlipHorizontally(_Flip):
    """Left becomes right."""

    kind: ClassVar[str] = "flip_horizontally"
    title: ClassVar[str] = "Flip left and right"
    axis: ClassVar[int] = -1


@registry.add
class FlipVertically(_Flip):
    """Up becomes down."""

    kind: ClassVar[str] = "flip_vertically"
    title: ClassVar[str] = "Flip up and down"
    axis: ClassVar[int] = -2


@registry.add
class RandomShift(_ExactMove):
    """Moved by whole pixels, as a crop from a picture with a wider edge; what comes in is mirrored."""

    kind: ClassVar[str] = "shift"
    title: ClassVar[str] = "Shift (crop with padding)"
    pixels: int = field(4, min=1, max=512, unit="pixels", help="The most by which it is moved along each axis.")

    def matrices(self, height: int, width: int, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import shifted

        return shifted(*self._steps(draws), height, width)

    def _moved(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import shift

        return shift(x, *self._steps(draws))

    def _steps(self, draws: Draws) -> tuple[torch.Tensor, torch.Tensor]:
        return draws.whole(-self.pixels, self.pixels), draws.whole(-self.pixels, self.pixels)


@registry.add
class RandomRotation(_Move):
    """Turned about the middle, enlarged or made smaller, and moved; what comes in is mirrored."""

    kind: ClassVar[str] = "rotation"
    title: ClassVar[str] = "Rotate, scale and move"
    degrees: float = field(15.0, min=0.0, max=180.0, unit="°", help="The most by which it is turned, either way.")
    scale: float = field(0.0, min=0.0, max=0.9, help="0.1: enlarged or made smaller by up to 10 %.")
    move: float = field(0.0, min=0.0, max=0.5, help="The most by which it is moved, as a share of its size.")

    def matrices(self, height: int, width: int, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import turned

        degrees = draws.uniform(-self.degrees, self.degrees)
        scale = draws.uniform(1 - self.scale, 1 + self.scale)
        right, down = (draws.uniform(-self.move, self.move) for _ in range(2))
        return turned(height, width, degrees, scale, right, down)


@registry.add
class RandomCrop(_Move):
    """A part of the picture, enlarged to its full size.

    Source: Szegedy et al., "Going deeper with convolutions", 2015.
    """

    kind: ClassVar[str] = "crop"
    title: ClassVar[str] = "Crop and enlarge"
    smallest: float = field(0.5, min=0.01, max=1.0, help="The smallest part, as a share of the area.")
    stretch: float = field(1.33, min=1.0, max=4.0, help="How much wider or taller than it was it may become.")

    def matrices(self, height: int, width: int, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import cropped

        area = draws.uniform(self.smallest, 1.0)
        ratio = self.stretch ** draws.uniform(-1.0, 1.0)
        tall, wide = (area * ratio).sqrt().clamp(max=1.0), (area / ratio).sqrt().clamp(max=1.0)
        return cropped(draws.uniform() * (1 - tall), draws.uniform() * (1 - wide), tall, wide)


@registry.add
class ColourJitter(_Picture):
    """Brightness, contrast, saturation and hue, each changed by a random amount."""

    kind: ClassVar[str] = "colour"
    title: ClassVar[str] = "Change colours"
    group: ClassVar[str] = COLOURS
    brightness: float = field(0.2, min=0.0, max=1.0, help="0.2: from 80 % to 120 %.")
    contrast: float = field(0.2, min=0.0, max=1.0, help="0.2: from 80 % to 120 %.")
    saturation: float = field(0.2, min=0.0, max=1.0, help="0.2: from 80 % to 120 %; only of colour pictures.")
    hue: float = field(0.0, min=0.0, max=0.5, help="0.5: up to the opposite colour; only of colour pictures.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import recolour

        limit = limit_of(x)
        most = (self.brightness, self.contrast, self.saturation)
        brightness, contrast, saturation = (draws.uniform(1 - change, 1 + change) for change in most)
        changed = recolour(x.float(), brightness, contrast, saturation, draws.uniform(-self.hue, self.hue))
        return changed if limit is None else changed.clamp_(0, limit)


@registry.add
class RandomGrey(_Picture):
    """Without its colours, in as many channels."""

    kind: ClassVar[str] = "grey"
    title: ClassVar[str] = "Take the colours away"
    group: ClassVar[str] = COLOURS
    chance: float = _chance(0.1)

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        import torch

        from studio.data.transforms.kernels import grey

        return torch.where(draws.chance(self.chance).view(-1, 1, 1, 1), grey(x.float()), x.float())


@registry.add
class RandomInvert(_Picture):
    """Bright becomes dark, within the sample's own range."""

    kind: ClassVar[str] = "invert"
    title: ClassVar[str] = "Invert"
    group: ClassVar[str] = COLOURS
    chance: float = _chance(0.1)

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        import torch

        ends = x.amax((1, 2, 3), keepdim=True).float() + x.amin((1, 2, 3), keepdim=True).float()
        return torch.where(draws.chance(self.chance).view(-1, 1, 1, 1), ends - x.float(), x.float())


@registry.add
class RandomErasing(_Picture):
    """A rectangle of the mean colour hides a part.

    Source: Zhong et al., "Random erasing data augmentation", 2020.
    """

    kind: ClassVar[str] = "erase"
    title: ClassVar[str] = "Erase a part"
    group: ClassVar[str] = DAMAGE
    chance: float = _chance()
    smallest: float = field(0.02, min=0.001, max=1.0, help="The smallest part, as a share of the area.")
    largest: float = field(0.2, min=0.001, max=1.0, help="The largest part, as a share of the area.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        from studio.data.transforms.kernels import erase

        low, high = sorted((self.smallest, self.largest))
        which, area = draws.chance(self.chance), draws.uniform(low, high)
        ratio = 3.0 ** draws.uniform(-1.0, 1.0)
        return erase(x.float(), which, area, ratio, draws.uniform(), draws.uniform())


@registry.add
class PixelNoise(_Picture):
    """Every pixel changed by a normally distributed amount."""

    kind: ClassVar[str] = "pixel_noise"
    title: ClassVar[str] = "Noise"
    group: ClassVar[str] = DAMAGE
    strength: float = field(
        0.05, min=0.0, max=1.0, help="The largest deviation, as a share of each sample’s range; each draws its own."
    )

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        limit, x = limit_of(x), x.float()
        width = x.amax((1, 2, 3), keepdim=True) - x.amin((1, 2, 3), keepdim=True)
        strength = draws.uniform(0.0, self.strength).view(-1, 1, 1, 1)
        noisy = x + strength * width * draws.normal(*x.shape[1:])
        return noisy if limit is None else noisy.clamp_(0, limit)


@registry.add
class RandomBlur(_Picture):
    """Smoothed by a Gaussian."""

    kind: ClassVar[str] = "blur"
    title: ClassVar[str] = "Blur"
    group: ClassVar[str] = DAMAGE
    chance: float = _chance(0.3)
    sigma: float = field(1.0, min=0.1, max=20.0, unit="pixels", help="The largest width; each sample draws its own.")

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        import torch

        from studio.data.transforms.kernels import blur

        which, sigma = draws.chance(self.chance), draws.uniform(0.1 * self.sigma, self.sigma)
        return torch.where(which.view(-1, 1, 1, 1), blur(x.float(), sigma), x.float())
