"""Decodes one picture file to bytes of a chosen size and colour. Nothing in a file may crash or fill the memory.

What a picture looks like to a person is what the network gets: turned as its camera says, the first of several frames,
transparent places white, as on paper. 16 bits of brightness become the upper 8 of them, rounded.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.data.images.rules import CROP, GREY, MOST_PIXELS, PAD

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image, Transpose

MOST_FILE_BYTES = 2**29
MANY_PIXELS = 16_000_000  # of pictures with more, one is decoded at a time: each takes up to 12 bytes a pixel
# Only what Pillow decodes by itself: for some other formats it starts programs.
FORMATS = (
    "JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "AVIF", "DIB", "ICO", "JPEG2000", "MSP", "PCX", "SGI", "TGA",
)  # fmt: skip
_ORIENTATION = 0x0112  # tag of the Exif standard
_one_large_at_a_time = threading.Lock()


class PictureError(Exception):
    """A picture cannot be decoded; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class Form:
    """What pictures are made to.

    Args:
        height, width: in pixels.
        colour: one of COLOURS in studio.data.images.rules.
        fit: one of FITS there.
    """

    height: int
    width: int
    colour: str
    fit: str

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self.colour == GREY else 3


@dataclass(frozen=True)
class Header:
    """What the beginning of a file tells: its format, Pillow's mode, and the size as it is shown, in pixels."""

    format: str
    mode: str
    height: int
    width: int


def read_file(path: str) -> bytes:
    """All bytes of a picture file. Raises PictureError."""
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(content) > MOST_FILE_BYTES:
        raise PictureError(f"is larger than {MOST_FILE_BYTES / 1e6:.0f} MB")
    if not content:
        raise PictureError("is empty")
    return content


def read_header(path: str) -> Header:
    """What a file says of itself; its pixels are not decoded. Raises PictureError."""
    try:
        with open(path, "rb") as file:
            return _header(file)
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error


def header_of(content: bytes) -> Header:
    """The same of a file that was read."""
    return _header(io.BytesIO(content))


def _header(file: io.BufferedReader | io.BytesIO) -> Header:
    with _explained(), _opened(file) as image:
        turned = _orientation(image) >= 5 and image.format != "TIFF"  # which Pillow turns by itself
        width, height = image.size
        return Header(image.format or "", image.mode, *((width, height) if turned else (height, width)))


def decode(content: bytes, form: Form) -> tuple[np.ndarray, Header]:
    """A picture (C, H, W) uint8 of the form that is wanted, and what it was.

    Raises:
        PictureError: if it is damaged, too large, or no picture.
    """
    import numpy as np

    least = (2 * max(form.height, form.width),) * 2
    with _decoded(content, least) as (image, header):
        plain = flat(image, form.colour)
        pixels = np.asarray(fitted(plain, form))
    return np.ascontiguousarray(pixels.reshape(form.height, form.width, -1).transpose(2, 0, 1)), header


def decode_whole(content: bytes, longest: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 as it is shown to people, made smaller if a side is longer than `longest`.

    Raises:
        PictureError: as `decode`.
    """
    import numpy as np
    from PIL import Image

    with _decoded(content, (longest, longest)) as (image, _):
        plain = flat(image, "RGB")
        plain.thumbnail((longest, longest), Image.Resampling.BILINEAR)
        return np.array(plain)


def decode_codes(content: bytes) -> np.ndarray:
    """The numbers of a mask (H, W) int64: grey levels, numbers in a palette, or of colours 256 * (256 r + g) + b.

    Raises:
        PictureError: as `decode`.
    """
    import numpy as np

    with _decoded(content, None) as (image, _):
        if image.mode in ("RGBA", "RGB", "RGBX", "CMYK", "YCbCr"):
            codes: np.ndarray = np.asarray(image.convert("RGB")).astype(np.int64) @ np.array([65_536, 256, 1])
            return codes
        if image.mode in ("LA", "PA"):
            image = image.getchannel(0)
        return np.array(image).astype(np.int64)


@contextlib.contextmanager
def _decoded(content: bytes, least: tuple[int, int] | None) -> Iterator[tuple[Image, Header]]:
    """The first frame, turned as it is shown.

    Args:
        least: the size in pixels that a JPEG must keep at least, which saves most of the work; None for all of it.
    """
    with _explained(), _opened(io.BytesIO(content)) as image:
        kind, mode, (width, height) = image.format or "", image.mode, image.size
        if least is not None:
            image.draft(None, least)
        with _one_large_at_a_time if image.width * image.height > MANY_PIXELS else contextlib.nullcontext():
            image.load()
            orientation = _orientation(image)
            turn = _turn(orientation)
            yield (
                (image if turn is None else image.transpose(turn)),
                Header(kind, mode, *((width, height) if orientation >= 5 and kind != "TIFF" else (height, width))),
            )


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn whatever Pillow raises for a strange file into a PictureError in plain words."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError("needs more memory than there is") from error
    except UnidentifiedImageError as error:
        raise PictureError("is no picture, or its beginning is damaged") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"says that it has more than {MOST_PIXELS / 1e6:.0f} million pixels") from error
    except Exception as error:  # decoders of damaged files raise anything: struct.error, IndexError, SyntaxError
        raise PictureError(f"is damaged ({str(error)[:80] or type(error).__name__})") from error


def _opened(file: io.BufferedReader | io.BytesIO) -> Image:
    """A picture whose beginning is read, of a known format and not too large. What it raises `_explained` explains."""
    from PIL import Image

    _refuse_bombs()
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise PictureError(
            f"has {image.width:,}×{image.height:,} pixels; more than {MOST_PIXELS / 1e6:.0f} million are not read"
        )
    return image


def _refuse_bombs() -> None:
    """Pillow only warns of very large pictures; here that is an error, in every thread."""
    from PIL import Image

    wanted = ("error", Image.DecompressionBombWarning)
    if not any((entry[0], entry[2]) == wanted for entry in warnings.filters[:1]):
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def _orientation(image: Image) -> int:
    """How the camera was held, 1 to 8 by the Exif standard; 1 if it is not said, or not rightly."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, IndexError, struct.error, ZeroDivisionError):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _turn(orientation: int) -> Transpose | None:
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }.get(orientation)  # fmt: skip


def flat(image: Image, colour: str) -> Image:
    """A picture in 8 bits of grey or RGB, on white where it is transparent."""
    from PIL import Image

    mode = "L" if colour == GREY else "RGB"
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        above = image.convert("RGBA")
        image = Image.new("RGBA", above.size, "white")
        image.alpha_composite(above)
    return image.convert("RGB").convert(mode) if image.mode not in ("L", "1", "RGB") else image.convert(mode)


def _eight_bits(image: Image) -> Image:
    """Grey of 16 bits, or of other numbers: those are spread from the darkest place to the brightest."""
    import numpy as np
    from PIL import Image

    values = np.asarray(image).astype(np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if image.mode.startswith("I") and low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    scaled = (np.nan_to_num(values, nan=low) - low) * (255.0 / max(high - low, 1e-300))
    return Image.fromarray(np.clip(np.floor(scaled + 0.5), 0, 255).astype(np.uint8))


def fitted(image: Image, form: Form, *, resample: int | None = None) -> Image:
    """A picture stretched, cropped or padded with black to the size of a form.

    Args:
        resample: how Pillow computes a pixel from others; None for the way that keeps what is small visible.
    """
    from PIL import Image

    how = Image.Resampling.BILINEAR if resample is None else Image.Resampling(resample)
    size = (form.width, form.height)
    if form.fit == CROP:
        return image.resize(size, how, box=crop_box(image.width, image.height, form))
    if form.fit != PAD:
        return image if image.size == size else image.resize(size, how)
    width, height = padded_size(image.width, image.height, form)
    canvas = Image.new(image.mode, size)
    canvas.paste(image.resize((width, height), how), ((form.width - width) // 2, (form.height - height) // 2))
    return canvas


def crop_box(width: int, height: int, form: Form) -> tuple[float, float, float, float]:
    """The largest part of a picture in its middle that has the proportions of a form: left, top, right, bottom."""
    share = min(width / form.width, height / form.height)
    left, top = (width - form.width * share) / 2, (height - form.height * share) / 2
    return left, top, min(width, width - left), min(height, height - top)


def padded_size(width: int, height: int, form: Form) -> tuple[int, int]:
    """Width and height of a whole picture inside a form."""
    share = min(form.width / width, form.height / height)
    return max(1, round(width * share)), max(1, round(height * share))


def decoder_name() -> str:
    """What changes when pictures may be decoded to other bytes."""
    import PIL

    return f"Pillow {PIL.__version__}, {os.name}, 1"
