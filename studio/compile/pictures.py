"""What a tensor looks like: a small picture of an image, feature maps, a sequence or a vector."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

MAX_MAPS = 16
MAX_SIDE = 48  # pixels of one feature map
MAX_IMAGE = 96
MAX_BARS = 64
BAR_HEIGHT = 64
ZERO = 128  # the shade of zero in a signed picture


@dataclass(frozen=True, eq=False)
class Picture:
    """A small picture and what it shows.

    Args:
        pixels: (H, W) or (H, W, 3) uint8. Without `signed` from the lowest value to the highest; with it ZERO is 0 and
            both sides have the same scale.
        signed: whether zero has a shade of its own: it lies between the lowest value and the highest, or is one.
        low, high: the smallest and the largest finite value; 0 if there is none.
        caption: what is to be seen, such as "16 of 64 feature maps".
        broken: how many values are no numbers, or infinite.
    """

    pixels: np.ndarray
    signed: bool
    low: float
    high: float
    caption: str
    broken: int = 0


def picture(tensor: Tensor, *, image: bool = False, most: int = MAX_MAPS, side: int = MAX_SIDE) -> Picture:
    """The picture of one sample's tensor.

    Args:
        tensor: (*dims) of any type and number of axes; (C, H, W) are maps, two axes a sequence, one a vector.
        image: whether (C, H, W) is what a camera saw: 3 channels are red, green and blue.
        most: of several maps, how many are shown.
        side: pixels of one of them, at most.
    """
    values = tensor.detach().to("cpu", torch.float32)
    image = image and values.dim() == 3
    finite = torch.isfinite(values)
    broken = values.numel() - int(finite.sum())
    values = torch.where(finite, values, torch.zeros(()))
    low, high = (float(values.min()), float(values.max())) if values.numel() else (0.0, 0.0)
    if image and values.shape[0] == 3:
        pixels = _bytes(_shrunk(values, MAX_IMAGE), low, high, signed=False).permute(1, 2, 0)
        return Picture(np.ascontiguousarray(pixels.numpy()), False, low, high, "image", broken)
    signed = low <= 0 <= high and not image
    pixels, caption = _grey(values, low, high, (most, side), signed=signed, image=image)
    return Picture(np.ascontiguousarray(pixels.numpy()), signed, low, high, caption, broken)


def class_picture(answers_KHW: Tensor, pixels_HW: Tensor) -> Picture:
    """The class that has the highest score at every pixel, and beside it the true one; each class has its grey.

    Args:
        answers_KHW: scores of K classes.
        pixels_HW: numbers of the true classes.
    """
    classes = len(answers_KHW)
    maps = torch.stack([answers_KHW.detach().cpu().argmax(0), pixels_HW.cpu()])
    step = math.ceil(max(maps.shape[1:]) / MAX_IMAGE)  # a mean of classes would be another class
    greys = (maps[:, ::step, ::step] * (255 / max(1, classes - 1))).round().to(torch.uint8)
    sheet = torch.full((greys.shape[1], 2 * greys.shape[2] + 1), ZERO, dtype=torch.uint8)
    sheet[:, : greys.shape[2]], sheet[:, greys.shape[2] + 1 :] = greys[0], greys[1]
    pixels = np.ascontiguousarray(sheet.numpy())
    return Picture(pixels, False, 0.0, float(classes - 1), "classes as answered, and the true ones")


def _grey(
    values: Tensor, low: float, high: float, limits: tuple[int, int], *, signed: bool, image: bool
) -> tuple[Tensor, str]:
    dims, (most, side) = values.dim(), limits
    if dims >= 3:
        maps = values.reshape(-1, *values.shape[-2:])
        if len(maps) == 1:
            return _bytes(_shrunk(maps, MAX_IMAGE), low, high, signed=signed)[0], "image" if image else "feature map"
        shown = min(len(maps), most)
        pixels = _bytes(_shrunk(maps[:shown], side), low, high, signed=signed)
        return side_by_side(pixels, ZERO if signed else 0), f"{_of(shown, len(maps))} feature maps"
    if dims == 2:
        rows, columns = values.shape
        return _bytes(_shrunk(values[None], MAX_IMAGE), low, high, signed=signed)[0], f"{rows} × {columns} values"
    flat = values.reshape(-1)
    if len(flat) <= MAX_BARS:
        return _bars(flat, low, high, signed=signed), f"{len(flat)} values"
    side = math.ceil(math.sqrt(len(flat)))
    square = torch.full((side * math.ceil(len(flat) / side),), 0.0 if signed else low)
    square[: len(flat)] = flat
    return _bytes(_shrunk(square.reshape(1, -1, side), MAX_IMAGE), low, high, signed=signed)[0], f"{len(flat)} values"


def _of(shown: int, count: int) -> str:
    return f"{shown}" if shown == count else f"{shown} of {count}"


def _shrunk(maps: Tensor, side: int) -> Tensor:
    """Maps (C, H, W) with at most so many pixels a side; means over what falls together."""
    height, width = maps.shape[-2:]
    if height <= side and width <= side:
        return maps
    return adaptive_avg_pool2d(maps[None], (min(height, side), min(width, side)))[0]


def _bytes(values: Tensor, low: float, high: float, *, signed: bool) -> Tensor:
    if signed:
        return (ZERO + values * (127 / (max(-low, high) or 1.0))).round().clamp(1, 255).to(torch.uint8)
    scale = 255 / (high - low) if high > low else 0.0
    return ((values - low) * scale).round().clamp(0, 255).to(torch.uint8)


def side_by_side(maps: Tensor, ground: int) -> Tensor:
    """Maps (C, H, W) in rows and columns, one pixel apart, about as wide as high.

    Args:
        ground: what stands between them.
    """
    count, height, width = maps.shape
    columns = min(count, max(1, math.ceil(math.sqrt(count * (height + 1) / (width + 1)))))
    rows = math.ceil(count / columns)
    sheet = torch.full((rows * (height + 1) - 1, columns * (width + 1) - 1), ground, dtype=torch.uint8)
    for number in range(count):
        top, left = number // columns * (height + 1), number % columns * (width + 1)
        sheet[top : top + height, left : left + width] = maps[number]
    return sheet


def _bars(values: Tensor, low: float, high: float, *, signed: bool) -> Tensor:
    """A bar for each value, from zero up or down, in the value's own shade."""
    low, high = min(low, 0.0), max(high, 0.0)
    span = (high - low) or 1.0
    width = max(1, BAR_HEIGHT // max(1, len(values)))
    gap = 1 if width > 2 else 0
    baseline = round((BAR_HEIGHT - 1) * high / span)
    ground = ZERO if signed else 0
    sheet = torch.full((BAR_HEIGHT, max(1, len(values) * width - gap)), ground, dtype=torch.uint8)
    shades = _bytes(values, low, high, signed=signed)
    for number, value in enumerate(values.tolist()):
        end = round((BAR_HEIGHT - 1) * (high - value) / span)
        top, bottom = min(end, baseline), max(end, baseline)
        shade = int(shades[number]) if signed else 255
        sheet[top : bottom + 1, number * width : number * width + width - gap] = shade
    return sheet
