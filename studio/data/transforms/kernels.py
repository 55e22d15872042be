"""What transforms do to whole batches of pictures, each sample with draws of its own.

Axis letters: N samples, C channels, H W space.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

# Weights of red, green and blue in brightness; ITU-R BT.601, as Pillow and torchvision have them.
_RED, _GREEN, _BLUE = 0.2989, 0.587, 0.114


def flip(x: Tensor, which: Tensor, axis: int) -> Tensor:
    """Some samples (N,) mirrored along an axis."""
    return torch.where(which.view(-1, *[1] * (x.ndim - 1)), x.flip(axis), x)


def shift(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Each sample (N, *, H, W) moved by whole pixels (N,); what comes in is mirrored at the edge."""
    for axis, steps in ((-2, down), (-1, right)):
        size = x.shape[axis]
        index = _mirrored(torch.arange(size, device=x.device) - steps[:, None], size)
        shape = [-1, *[1] * (x.ndim - 1)]
        shape[axis] = size
        x = x.gather(axis, index.view(shape).expand_as(x))
    return x


def _mirrored(index: Tensor, size: int) -> Tensor:
    """Indices mirrored at the first and the last pixel, which are not repeated."""
    if size == 1:
        return torch.zeros_like(index)
    period = 2 * (size - 1)
    index = index % period
    return torch.minimum(index, period - index)


def warp(x: Tensor, matrices: Tensor, mode: str) -> Tensor:
    """Each sample looked at through an affine map; what lies outside is mirrored.

    Args:
        x: (N, C, H, W) float32.
        matrices: (N, 2, 3): places of the answer to places of x, both from -1 to 1 over the width and the height.
        mode: "bilinear" or "nearest".
    """
    grid = _grid(matrices, x.shape[-2], x.shape[-1])
    return functional.grid_sample(x, grid, mode=mode, padding_mode="reflection", align_corners=False)


def _grid(matrices: Tensor, height: int, width: int) -> Tensor:
    """Where each pixel is looked for (N, H, W, 2); as `affine_grid` gives it, in a third of the time."""
    down, right = (
        torch.arange(1 - size, size, 2, device=matrices.device, dtype=matrices.dtype) / size for size in (height, width)
    )
    rows = matrices[:, None, :, 1] * down[:, None] + matrices[:, None, :, 2]  # (N, H, 2)
    columns = matrices[:, None, :, 0] * right[:, None]  # (N, W, 2)
    return rows[:, :, None] + columns[:, None]


def flipped(which: Tensor, axis: int) -> Tensor:
    """Matrices (N, 2, 3) for `warp` that mirror some samples (N,) along an axis, -1 or -2."""
    matrices = torch.eye(2, 3, device=which.device).repeat(len(which), 1, 1)
    place = -1 - axis
    matrices[:, place, place] = 1.0 - 2.0 * which
    return matrices


def shifted(down: Tensor, right: Tensor, height: int, width: int) -> Tensor:
    """Matrices (N, 2, 3) for `warp` that move by pixels (N,)."""
    matrices = torch.eye(2, 3, device=down.device).repeat(len(down), 1, 1)
    matrices[:, 0, 2], matrices[:, 1, 2] = -2.0 * right / width, -2.0 * down / height
    return matrices


def one_after_the_other(first: Tensor, second: Tensor) -> Tensor:
    """The matrices (N, 2, 3) of two looks, of which `second` is at what `first` gave."""
    offset = first[:, :, :2] @ second[:, :, 2:] + first[:, :, 2:]
    return torch.cat([first[:, :, :2] @ second[:, :, :2], offset], 2)


def turned(height: int, width: int, degrees: Tensor, scale: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Matrices (N, 2, 3) for `warp` that turn about the middle, enlarge and move.

    Args:
        degrees: counter-clockwise (N,).
        scale: enlargement (N,).
        right, down: as shares of the width and the height (N,).
    """
    angle = degrees * (math.pi / 180)
    cos, sin, aspect = angle.cos() / scale, angle.sin() / scale, height / width
    # From the answer back to x: undo the move first, then turn the other way, in units of pixels.
    rows = torch.stack([cos, -sin * aspect, sin / aspect, cos], 1).view(-1, 2, 2)
    offset = -(rows @ torch.stack([2 * right, 2 * down], 1)[:, :, None])
    return torch.cat([rows, offset], 2)


def cropped(top: Tensor, left: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Matrices (N, 2, 3) for `warp` that show a part of each sample in full size; all as shares from 0 to 1 (N,)."""
    zero = torch.zeros_like(top)
    first = torch.stack([width, zero, 2 * left + width - 1], 1)
    second = torch.stack([zero, height, 2 * top + height - 1], 1)
    return torch.stack([first, second], 1)


def grey(x: Tensor) -> Tensor:
    """How bright each pixel is (N, 1, H, W), of red, green and blue; the mean of another number of channels."""
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    return _RED * x[:, 0:1] + _GREEN * x[:, 1:2] + _BLUE * x[:, 2:3]


def recolour(x: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, turns: Tensor) -> Tensor:
    """Brightness, contrast, saturation and hue changed in this order, by one affine map of the colours of each sample.

    Args:
        x: (N, C, H, W) float32; with another number of channels than three it has neither saturation nor hue.
        brightness, contrast, saturation: factors (N,); 1 changes nothing.
        turns: of the hue round the colour circle, (N,) from -0.5 to 0.5; both mean the opposite colours.
    """
    means_NC = x.mean((2, 3)) * brightness[:, None]
    if x.shape[1] != 3:
        # Away from the mean, after it was made brighter.
        offset = (1 - contrast)[:, None] * means_NC.mean(1, keepdim=True)
        return x * (brightness * contrast).view(-1, 1, 1, 1) + offset[:, :, None, None]
    weights = x.new_tensor([_RED, _GREEN, _BLUE])
    grey_mean_N = means_NC @ weights
    matrices = _turned_hue(turns, weights) @ _saturated(saturation, weights)
    # What all channels have in common passes through both unchanged.
    offset = ((1 - contrast) * grey_mean_N)[:, None, None].expand(-1, 3, 1)
    mixed = torch.baddbmm(offset, matrices * (brightness * contrast)[:, None, None], x.flatten(2))
    return mixed.view_as(x)


def _saturated(saturation: Tensor, weights: Tensor) -> Tensor:
    """Matrices (N, 3, 3) between the grey of each pixel, at 0, and its colour, at 1."""
    return saturation[:, None, None] * torch.eye(3, device=weights.device) + (
        (1 - saturation)[:, None, None] * weights.expand(3, 3)
    )


def _turned_hue(turns: Tensor, weights: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that turn red, green and blue in the plane of U and V; brightness stays."""
    to_yuv = torch.stack(
        [weights, weights.new_tensor([-0.14714, -0.28886, 0.436]), weights.new_tensor([0.615, -0.51499, -0.10001])]
    )
    angle = turns * (2 * math.pi)
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], 1).view(-1, 3, 3)
    matrices: Tensor = torch.linalg.inv(to_yuv) @ turn @ to_yuv
    return matrices


def blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Each sample smoothed by a Gaussian of its own width (N,), in pixels; the edges are mirrored."""
    samples, channels, height, width = x.shape
    radius = min(max(1, math.ceil(3 * float(sigma.max()))), height - 1, width - 1)
    if radius < 1:
        return x
    places = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    weights = (-0.5 * (places / sigma.clamp(min=1e-3)[:, None]) ** 2).exp()
    weights = (weights / weights.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = functional.pad(x, [radius] * 4, mode="reflect").reshape(1, samples * channels, height + 2 * radius, -1)
    flat = functional.conv2d(flat, weights[:, None, :, None], groups=samples * channels)
    return functional.conv2d(flat, weights[:, None, None, :], groups=samples * channels).view_as(x)


def erase(x: Tensor, which: Tensor, area: Tensor, ratio: Tensor, top: Tensor, left: Tensor) -> Tensor:
    """Some samples (N,) with a rectangle of their own mean colour.

    Args:
        area: share of the picture (N,).
        ratio: height by width (N,).
        top, left: where it begins, as shares of the room that is left (N,).
    """
    height, width = x.shape[-2:]
    tall = ((area * ratio).sqrt() * height).round().clamp(1, height)
    wide = ((area / ratio).sqrt() * width).round().clamp(1, width)
    inside_rows = _between(height, (top * (height - tall + 1)).floor(), tall)
    inside_columns = _between(width, (left * (width - wide + 1)).floor(), wide)
    inside = inside_rows[:, None, :, None] & inside_columns[:, None, None, :] & which.view(-1, 1, 1, 1)
    return torch.where(inside, x.mean((2, 3), keepdim=True), x)


def _between(size: int, start: Tensor, count: Tensor) -> Tensor:
    """Which places (N, size) lie in a part of each sample."""
    places = torch.arange(size, device=start.device)
    return (places >= start[:, None]) & (places < (start + count)[:, None])


def band(size: int, start: Tensor, count: Tensor) -> Tensor:
    """Which places (N, size) lie in a band that begins at a share of the room that it leaves.

    Args:
        start: from 0 up to 1 (N,).
        count: how many places it has (N,), int64.
    """
    return _between(size, (start * (size - count + 1)).floor(), count)
