"""Reads pictures as those of the training were read: turned as the camera says, transparent places white.

Axis letters: C channels, H W space.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MOST_PIXELS = 50_000_000
FORMATS = (
    "JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "AVIF", "DIB", "ICO", "JPEG2000", "MSP", "PCX", "SGI", "TGA",
)  # fmt: skip
ORIENTATION = 0x0112  # tag of the Exif standard
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


class Reader:
    """Makes pixels of a picture."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.height, self.width = about["height"], about["width"]
        self.mode = "L" if about["grey"] else "RGB"
        self.fit = about["fit"]
        self.brightest = about["brightest"]

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """Pixels (C, H, W) uint8.

        Args:
            given: a file's name, its content as bytes, an image of Pillow, or pixels (C, H, W) of the right size.
        """
        if isinstance(given, np.ndarray):
            return [self._pixels(given)], 0
        if isinstance(given, Image.Image):
            return [self._of(given)], 0
        try:
            content = bytes(given) if isinstance(given, (bytes, bytearray)) else Path(given).read_bytes()
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
                image.draft(None, (2 * max(self.height, self.width),) * 2)  # saves most of the work of a large JPEG
                image.load()
                turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
                return [self._of(image if turn is None else image.transpose(turn))], 0
        except FileNotFoundError:
            raise
        except Exception as error:  # decoders of damaged files raise anything
            raise ValueError(f"This is no picture that can be read: {error}") from error

    def _pixels(self, given: np.ndarray) -> np.ndarray:
        wanted = (1 if self.mode == "L" else 3, self.height, self.width)
        if given.shape != wanted:
            raise ValueError(f"Pixels must have the shape {wanted}, not {given.shape}.")
        return given if given.dtype == np.uint8 else given.astype(np.float32)

    def _of(self, image: Image.Image) -> np.ndarray:
        fitted = self._fitted(self._flat(image))
        pixels = np.asarray(fitted).reshape(self.height, self.width, -1).transpose(2, 0, 1)
        if self.brightest != 255:
            return np.floor(pixels * (self.brightest / 255.0) + 0.5).astype(np.uint8)
        return np.ascontiguousarray(pixels)

    def _flat(self, image: Image.Image) -> Image.Image:
        """In 8 bits of grey or RGB, on white where it is transparent."""
        if image.mode.startswith(("I", "F")):
            image = _eight_bits(image)
        if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
            above = image.convert("RGBA")
            image = Image.new("RGBA", above.size, "white")
            image.alpha_composite(above)
        if image.mode not in ("L", "1", "RGB"):
            image = image.convert("RGB")
        return image.convert(self.mode)

    def _fitted(self, image: Image.Image) -> Image.Image:
        """Stretched, cropped, or padded with black."""
        how = Image.Resampling.BILINEAR
        width, height = image.size
        if self.fit == "crop the centre":
            share = min(width / self.width, height / self.height)
            left, top = (width - self.width * share) / 2, (height - self.height * share) / 2
            box = (left, top, min(width, width - left), min(height, height - top))
            return image.resize((self.width, self.height), how, box=box)
        if self.fit != "pad":
            return image if image.size == (self.width, self.height) else image.resize((self.width, self.height), how)
        share = min(self.width / width, self.height / height)
        inner = max(1, round(width * share)), max(1, round(height * share))
        canvas = Image.new(image.mode, (self.width, self.height))
        canvas.paste(image.resize(inner, how), ((self.width - inner[0]) // 2, (self.height - inner[1]) // 2))
        return canvas


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, or of other numbers: those are spread from the darkest place to the brightest."""
    values = np.asarray(image).astype(np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if image.mode.startswith("I") and low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    scaled = (np.nan_to_num(values, nan=low) - low) * (255.0 / max(high - low, 1e-300))
    return Image.fromarray(np.clip(np.floor(scaled + 0.5), 0, 255).astype(np.uint8))
