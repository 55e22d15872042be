"""Samples made small: drawn in a thread, kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from studio.ui.gallery.drawing import draw_picture, draw_plot
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.data.listing import Shown

MOST_BYTES = 96 * 2**20  # of thumbnails in memory
_TEXT = 600  # characters of a text; more has no room in a row
_TAGS = 60
_CHANNELS = 6
_OWN_BYTES = 400  # of a thumbnail beside what it holds, about


@dataclass(frozen=True, eq=False)
class Thumb:
    """What is shown of a sample in the gallery.

    Args:
        title, answer, problem: as in `Shown`.
        image: its picture or plot, in pixels of the screen; None if it has none.
        text: the beginning of its text.
        tags: the first of its tokens, and what they are marked as.
        cells: its values by their names.
    """

    title: str
    answer: str = ""
    problem: str = ""
    image: QImage | None = None
    text: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    cells: dict[str, str] | None = None

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        pixels = self.image.sizeInBytes() if self.image is not None else 0
        cells = sum(len(name) + len(value) + 100 for name, value in (self.cells or {}).items())
        return _OWN_BYTES + pixels + 2 * len(self.text) + 200 * len(self.tags) + cells


@dataclass(frozen=True, eq=False)
class Style:
    """How thumbnails are drawn.

    Args:
        size: of the picture or the plot, in pixels of the window.
        ratio: pixels of the screen for each of them.
        colors: the theme in use.
        names: of the classes, for their colours.
    """

    size: QSize
    ratio: float
    colors: Theme
    names: tuple[str, ...] = ()


def make_thumb(shown: Shown, style: Style) -> Thumb:
    """Draw a sample small."""
    image = None
    if shown.picture is not None or shown.wave is not None or shown.series is not None:
        image = _image(shown, style)
    text = " ".join(shown.text[: 2 * _TEXT].split())[:_TEXT]
    cells = dict(shown.cells) if shown.cells else None
    # Of a mask the answer tells at length what can be seen.
    answer = shown.answer if shown.mask is None else ""
    return Thumb(shown.title, answer, shown.problem, image, text, shown.tags[:_TAGS], cells)


def _image(shown: Shown, style: Style) -> QImage:
    image = QImage(style.size * style.ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(style.ratio)
    image.fill(Qt.GlobalColor.transparent)
    room = QRectF(0, 0, style.size.width(), style.size.height())
    painter = QPainter(image)
    try:
        if shown.picture is not None:
            draw_picture(painter, room, shown, style.colors, style.names)
        else:
            draw_plot(painter, room, shown, style.colors, _CHANNELS)
    finally:
        painter.end()  # an image that goes while it is painted takes the program with it
    return image


class Shelf:
    """Keeps the thumbnails that were looked at last, by the numbers of their samples."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._thumbs: OrderedDict[int, Thumb] = OrderedDict()
        self._bytes = 0

    def __contains__(self, sample: int) -> bool:
        return sample in self._thumbs

    def __len__(self) -> int:
        return len(self._thumbs)

    def get(self, sample: int) -> Thumb | None:
        """The thumbnail of a sample, which counts as looked at; None if there is none."""
        thumb = self._thumbs.get(sample)
        if thumb is not None:
            self._thumbs.move_to_end(sample)
        return thumb

    def put(self, sample: int, thumb: Thumb) -> None:
        """Keep a thumbnail; those that were not looked at for longest make room."""
        old = self._thumbs.pop(sample, None)
        self._bytes += thumb.size_bytes - (old.size_bytes if old is not None else 0)
        self._thumbs[sample] = thumb
        while self._bytes > self._most_bytes and len(self._thumbs) > 1:
            _, oldest = self._thumbs.popitem(last=False)
            self._bytes -= oldest.size_bytes

    def clear(self) -> None:
        """Forget all."""
        self._thumbs.clear()
        self._bytes = 0
