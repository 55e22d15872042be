"""Pictures, and drawings made to look like those of a dataset.

Axis letters: C channels, H W space.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.forms.base import InputError, Raw, RawForm, base64_bytes, described, numbers_of, shown
from studio.data.images.decode import Form, PictureError, decode, decode_whole, fitted, flat, read_file
from studio.data.images.rules import GREY, SUFFIXES

if TYPE_CHECKING:
    import numpy as np

_LEAST_INK = 32  # of 255: what is fainter is paper
_LONGEST_DRAWING = 1_024  # pixels of a side that are looked at
_BLOCK = 4  # pixels of a side that are counted for one pixel of scikit-learn's digits
_WIDEST = 20  # of the 32 pixels that such a digit is high: hardly one of them has ink further out


@dataclass(frozen=True)
class Drawing:
    """How the pictures of a dataset were made of handwriting, so that a drawing can be made to look like them.

    Args:
        box: pixels of the longer side of what was written; 0 where each pixel is the number of dark ones in a block of
            4×4, from 0 to 16.
    """

    box: int


# Digits were fitted into 20×20 pixels with grey edges, then put into 28×28 with their centre of mass in the middle.
# Source: LeCun, Bottou, Bengio and Haffner, “Gradient-based learning applied to document recognition”, 1998, III.A.
AS_MNIST = Drawing(20)
# Black and white digits of 32×32 pixels were divided into blocks of 4×4, in which the black ones were counted.
# Source: Alpaydin and Kaynak, “Optical Recognition of Handwritten Digits”, UCI Machine Learning Repository, 1998.
AS_DIGITS = Drawing(0)


@dataclass(frozen=True)
class PictureForm(RawForm):
    """A picture: a file, its content, or its pixels.

    Args:
        form: size, colour and fit, by which files are decoded.
        brightest: the number that stands for white; files have 255.
        drawing: how a drawing becomes a sample; None for one that is only fitted, as any picture.
    """

    kind: ClassVar[str] = "picture"
    suffixes: ClassVar[frozenset[str]] = SUFFIXES
    media: ClassVar[str] = "image/*"

    form: Form
    brightest: int = 255
    drawing: Drawing | None = None

    @property
    def about(self) -> str:
        """What becomes of a picture."""
        form = self.form
        colour = "grey" if form.colour == GREY else "in colour"
        return f"A picture (PNG, JPEG, WebP and others); it is made {form.width}×{form.height} pixels, {colour}."

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """(C, H, W)."""
        return ((self.form.channels, self.form.height, self.form.width),)

    @property
    def schema(self) -> dict[str, Any]:
        """A file in base64, or pixels."""
        channels, height, width = self.dims[0]
        about = f"Pixels ({channels}, {height}, {width}), numbers from 0 to {self.brightest}."
        return {
            "oneOf": [
                {
                    "type": "string",
                    "contentEncoding": "base64",
                    "contentMediaType": "image/*",
                    "description": self.about,
                },
                {"type": "array", "items": {"type": "array"}, "description": about},
            ]
        }

    def from_json(self, value: Any) -> object:
        """Bytes of a file in base64; lists are pixels."""
        if isinstance(value, list):
            return numbers_of(value, self.dims[0])
        return base64_bytes(value, "A picture")

    def read(self, given: object) -> Raw:
        """A picture as it is decoded for training.

        Args:
            given: a Path, the bytes of a file, or an array: pixels (C, H, W) exactly as the network's input, or a
                picture of any size (H, W), (H, W, 3) or (H, W, 4) of bytes.
        """
        import numpy as np

        if isinstance(given, np.ndarray):
            return Raw((self._pixels(given),))
        if isinstance(given, Path | bytes | bytearray):
            name = shown(given) if isinstance(given, Path) else "What was given"
            pixels = self._decoded(content_of(given) if isinstance(given, Path) else bytes(given), name)
            return Raw((pixels,), self._notes(pixels))
        raise InputError(f"A picture is wanted, a file or pixels, not {described(given)}.")

    def _notes(self, pixels: np.ndarray) -> tuple[str, ...]:
        """Of handwriting that looks unlike that of the dataset, which is light on dark."""
        import numpy as np

        edges = np.concatenate([pixels[0, 0], pixels[0, -1], pixels[0, :, 0], pixels[0, :, -1]])
        if self.drawing is None or np.median(edges) * 2 <= self.brightest:
            return ()
        return ("It is dark on light, but the samples are light on dark: let it be read as a drawing.",)

    def drawn(self, ink: np.ndarray) -> Raw:
        """A drawing as a sample: as the dataset's own pictures were made, where that is known.

        Args:
            ink: (H, W) uint8, 0 for paper and 255 for full ink.

        Raises:
            InputError: if nothing is drawn.
        """
        import numpy as np

        if ink.ndim != 2 or ink.dtype != np.uint8:
            raise InputError("A drawing is wanted, bytes with a height and a width.")
        if self.drawing is None:
            return self.read(ink)
        cut = cropped(ink)
        height, width = self.dims[0][1:]
        made = centred(cut, self.drawing.box, height, width) if self.drawing.box else counted(cut, height)
        return Raw((made[None],))

    def ink_of(self, given: Path | bytes) -> np.ndarray:
        """What is written on a photographed or drawn picture, as `drawn` takes it: dark on light or light on dark.

        Raises:
            InputError: if it is no picture.
        """
        import numpy as np

        content, name = (content_of(given), shown(given)) if isinstance(given, Path) else (given, "What was given")
        try:
            colours = decode_whole(content, _LONGEST_DRAWING).astype(np.float32)
        except PictureError as error:
            raise InputError(f"{name} {error}.") from error
        grey = colours @ np.array([0.299, 0.587, 0.114], np.float32)
        paper = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
        ink = paper - grey if paper > 127 else grey - paper
        # Full ink is what is nearly the strongest: one bright pixel must not make all others faint.
        strongest = max(float(np.percentile(ink, 99.5)), float(ink.max()) / 2, 1.0)
        return np.asarray(np.clip(ink * (255.0 / strongest), 0, 255).astype(np.uint8))

    def _decoded(self, content: bytes, name: str) -> np.ndarray:
        try:
            pixels, _ = decode(content, self.form)
        except PictureError as error:
            raise InputError(f"{name} {error}.") from error
        return self._levels(pixels)

    def _levels(self, pixels: np.ndarray) -> np.ndarray:
        """From the levels of files to those of the dataset."""
        import numpy as np

        if self.brightest == 255:
            return pixels
        return np.floor(pixels * (self.brightest / 255.0) + 0.5).astype(np.uint8)

    def _pixels(self, given: np.ndarray) -> np.ndarray:
        import numpy as np

        is_picture = given.dtype == np.uint8 and (given.ndim == 2 or (given.ndim == 3 and given.shape[2] in (3, 4)))
        if given.shape == self.dims[0] or not is_picture:
            pixels = numbers_of(given, self.dims[0])
            if pixels.min() < 0 or pixels.max() > self.brightest:
                raise InputError(f"Pixels must be numbers from 0 to {self.brightest}.")
            return pixels
        from PIL import Image

        if not given.size:
            raise InputError("The picture has no pixels.")
        image = fitted(flat(Image.fromarray(np.ascontiguousarray(given)), self.form.colour), self.form)
        pixels = np.asarray(image).reshape(self.form.height, self.form.width, -1).transpose(2, 0, 1)
        return self._levels(np.ascontiguousarray(pixels))


def content_of(path: Path) -> bytes:
    """A picture's file. Raises InputError."""
    try:
        return read_file(str(path))
    except PictureError as error:
        raise InputError(f"{shown(path)} {error}.") from error


def cropped(ink: np.ndarray) -> np.ndarray:
    """What is written alone, (H, W) uint8. Raises InputError if nothing is."""
    import numpy as np

    rows, columns = (np.flatnonzero((ink >= _LEAST_INK).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise InputError("Nothing is drawn.")
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def centred(cut: np.ndarray, box: int, height: int, width: int) -> np.ndarray:
    """What is written, its longer side `box` pixels, its centre of mass in the middle of (height, width) pixels."""
    import numpy as np

    share = box / max(cut.shape)
    small = _resized(cut, *(max(1, round(side * share)) for side in cut.shape)).astype(np.float64)
    mass = max(small.sum(), 1.0)
    centre = [float((small.sum(1 - axis) @ np.arange(small.shape[axis])) / mass) for axis in (0, 1)]
    # In MNIST the middle of 28 pixels, counted from 0, is 14: the mean of its pictures is 14.00 both ways, not 13.5.
    top, left = (
        min(max(round(size / 2 - place), 0), size - length)
        for size, place, length in zip((height, width), centre, small.shape, strict=True)
    )
    made = np.zeros((height, width), np.uint8)
    made[top : top + small.shape[0], left : left + small.shape[1]] = small.astype(np.uint8)
    return made


def counted(cut: np.ndarray, size: int) -> np.ndarray:
    """What is written in (size, size) numbers: of blocks of 4×4 pixels, how many are dark."""
    import numpy as np

    side = size * _BLOCK
    # All of them fill the height; a threshold makes them black and white again.
    small = _resized(cut, side, min(max(1, round(cut.shape[1] * side / cut.shape[0])), _WIDEST)) >= 128
    left = (side - small.shape[1]) // 2
    pixels = np.zeros((side, side), np.uint8)
    pixels[:, left : left + small.shape[1]] = small
    return np.asarray(pixels.reshape(size, _BLOCK, size, _BLOCK).sum((1, 3)).astype(np.uint8))


def _resized(cut: np.ndarray, height: int, width: int) -> np.ndarray:
    """At another size, (height, width) uint8: what shrinks keeps thin lines, each pixel the mean of what it covers."""
    import numpy as np
    from PIL import Image

    shrinks = height * width < cut.size
    how = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(cut)).resize((width, height), how))
