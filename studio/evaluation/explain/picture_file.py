"""An explanation as a picture in a file, drawn without a window.

Axis letters: H W space, T steps.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from studio.evaluation.explain.explained import PICTURE, SERIES, WORDS, Explained

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDTH = 640  # pixels
_LINE = 26
_MARGIN = 12
_FOR, _AGAINST, _TEXT, _GREY = (214, 108, 8), (37, 99, 235), (24, 28, 36), (150, 156, 168)
_MOST_ROWS = 60  # features
_OPACITY = 0.75


def as_png(explained: Explained) -> bytes:
    """The picture as the bytes of a PNG file: orange speaks for the answer, blue against it."""
    from PIL import Image, ImageDraw, ImageFont

    if explained.kind == PICTURE:
        image = Image.fromarray(_over_picture(explained))
    else:
        font = ImageFont.load_default(16)
        draw_it = {WORDS: _draw_words, SERIES: _draw_series}.get(explained.kind, _draw_features)
        # Once without paper, to know how high it becomes.
        height = draw_it(ImageDraw.Draw(Image.new("RGB", (1, 1))), explained, font)
        image = Image.new("RGB", (WIDTH, height), "white")
        draw_it(ImageDraw.Draw(image), explained, font)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _tinted(share: float) -> tuple[int, int, int]:
    """White with as much of the sign's colour as its share of the strongest value."""
    color, part = (_FOR if share >= 0 else _AGAINST), _OPACITY * min(1.0, abs(share))
    red, green, blue = (round(255 + (own - 255) * part) for own in color)
    return red, green, blue


def _over_picture(explained: Explained) -> np.ndarray:
    """The values over the picture in greys, each pixel as a square, (H, W, 3) uint8."""
    shares = np.clip(explained.values / explained.strongest, -1, 1)
    ground = np.full((*shares.shape, 3), 255.0)
    if explained.picture is not None:
        ground = explained.picture.mean(2, keepdims=True).repeat(3, 2)
    part = _OPACITY * np.abs(shares)[..., None]
    colors = np.where((shares >= 0)[..., None], np.array(_FOR, float), np.array(_AGAINST, float))
    mixed = (ground * (1 - part) + colors * part).round().astype(np.uint8)
    scale = max(1, WIDTH // shares.shape[1])
    return np.ascontiguousarray(mixed.repeat(scale, 0).repeat(scale, 1))


def _draw_words(draw: ImageDraw, explained: Explained, font: FreeTypeFont | ImageFont) -> int:
    """Returns the height that it takes, as the others do."""
    x, y = float(_MARGIN), _MARGIN
    joint = 0.0 if all(len(word) == 1 for word in explained.parts) else draw.textlength(" ", font=font)
    for word, value in zip(explained.parts, explained.values.tolist(), strict=True):
        width = draw.textlength(word.replace("\n", " "), font=font)
        if x + width > WIDTH - _MARGIN and x > _MARGIN:
            x, y = float(_MARGIN), y + _LINE
        draw.rectangle((x, y, x + width, y + _LINE - 4), fill=_tinted(value / explained.strongest))
        draw.text((x, y), word.replace("\n", " "), fill=_TEXT, font=font)
        x += width + joint
    return y + _LINE + _MARGIN


def _draw_features(draw: ImageDraw, explained: Explained, font: FreeTypeFont | ImageFont) -> int:
    order = np.argsort(-np.abs(explained.values), kind="stable")[:_MOST_ROWS]
    zero, half = 0.72 * WIDTH, 0.26 * WIDTH
    for line, part in enumerate(order.tolist()):
        top, share = _MARGIN + line * _LINE, float(explained.values[part]) / explained.strongest
        text = explained.parts[part][:48]
        draw.text((zero - half - 8 - draw.textlength(text, font=font), top), text, fill=_TEXT, font=font)
        ends = sorted((zero, zero + half * share))
        draw.rectangle((ends[0], top + 3, ends[1], top + _LINE - 9), fill=_FOR if share >= 0 else _AGAINST)
    height = 2 * _MARGIN + len(order) * _LINE
    draw.line((zero, _MARGIN / 2, zero, height - _MARGIN / 2), fill=_GREY)
    return height


def _draw_series(draw: ImageDraw, explained: Explained, font: FreeTypeFont | ImageFont) -> int:
    """The channels on a ground that is coloured step by step, and below it the values as bars."""
    assert explained.series is not None
    height, below, count = 240, 120, len(explained.values)
    for x in range(WIDTH):
        some = explained.values[x * count // WIDTH : max(x * count // WIDTH + 1, (x + 1) * count // WIDTH)]
        share = float(some[np.abs(some).argmax()]) / explained.strongest
        draw.line((x, 0, x, height), fill=_tinted(share))
        middle = height + below / 2
        draw.line((x, middle, x, middle - 0.46 * below * share), fill=_FOR if share >= 0 else _AGAINST)
    for channel in explained.series.T.astype(np.float64):
        low, high = float(channel.min()), float(channel.max())
        heights = height - 6 - (channel - low) / max(high - low, 1e-30) * (height - 12)
        places = (np.arange(count) + 0.5) * WIDTH / count
        draw.line([(float(x), float(y)) for x, y in zip(places, heights, strict=True)], fill=_TEXT)
    return height + below
