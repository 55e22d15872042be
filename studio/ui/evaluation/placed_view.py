"""What was answered to each pixel or word of a sample, beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QStackedWidget, QTextEdit, QVBoxLayout, QWidget

from studio.data.base import IGNORED
from studio.ui import theme
from studio.ui.gallery.drawing import mask_pixels, readable_on, to_image
from studio.ui.widgets.picture_view import fitted
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.data.listing import Shown
    from studio.evaluation.placed import Placed

_TITLES = ("Truth", "Answer", "Wrong")
_GAP = 6  # pixels between pictures
_MOST_WORDS = 4_000  # that are shown
_WRONG_OPACITY = 210  # of 255


class PlacedView(QWidget):
    """Three pictures, or a text whose words are coloured by right and wrong."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("placedView")
        self.placed: Placed | None = None
        self._names: tuple[str, ...] = ()
        self.canvas = _Pictures(self)
        self.text = QTextEdit(self)
        self.text.setObjectName("placedText")
        self.text.setAccessibleName("The words of the sample with what was answered to them")
        self.text.setReadOnly(True)
        self.text.setAcceptRichText(False)
        self.text.setUndoRedoEnabled(False)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.canvas)
        self._pages.addWidget(self.text)
        self.told = PlainLabel(parent=self, color="node_muted")
        self.told.setObjectName("placedTold")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.told)

    def show_placed(self, placed: Placed, shown: Shown, names: tuple[str, ...]) -> None:
        """Show the answers to a sample.

        Args:
            shown: the sample, for its picture.
            names: of the classes.
        """
        self.placed, self._names = placed, names
        wrong, known = int(placed.wrong.sum()), int((placed.truths != IGNORED).sum())
        noun = "words" if placed.words else "pixels"
        self.told.setText(f"{wrong:,} of {known:,} {noun} are wrong{_most_frequent(placed, names)}.")
        if placed.words:
            self._fill_text()
            self._pages.setCurrentWidget(self.text)
        else:
            self.canvas.show_placed(placed, shown)
            self._pages.setCurrentWidget(self.canvas)

    def _fill_text(self) -> None:
        """Right words in the colour of success, wrong ones on that of errors, with truth and answer behind them."""
        assert self.placed is not None
        colors, placed = theme.current(), self.placed
        self.text.clear()
        cursor, plain, right, wrong = QTextCursor(self.text.document()), *(QTextCharFormat() for _ in range(3))
        right.setForeground(colors.success)
        wrong.setBackground(colors.error)
        wrong.setForeground(QColor(readable_on(colors.error)))
        steps = zip(placed.words[:_MOST_WORDS], placed.truths.tolist(), placed.guesses.tolist(), strict=False)
        cursor.beginEditBlock()
        for word, truth, guess in steps:
            if truth == IGNORED:
                continue
            if truth == guess:
                cursor.insertText(word, right)
            else:
                cursor.insertText(f"{word} [{self._names[truth]} → {self._names[guess]}]", wrong)
            cursor.insertText(" ", plain)
        cursor.endEditBlock()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "told") and self.placed is not None:
            if self.placed.words:
                self._fill_text()
            self.canvas.update()


def _most_frequent(placed: Placed, names: tuple[str, ...]) -> str:
    """The mistake that was made most often, in words."""
    wrong = placed.wrong
    if not wrong.any():
        return ""
    pairs, counts = np.unique(np.stack([placed.truths[wrong], placed.guesses[wrong]]), axis=1, return_counts=True)
    truth, guess = pairs[:, counts.argmax()].tolist()
    return f", most often “{names[truth]}” taken for “{names[guess]}” ({int(counts.max()):,})"


class _Pictures(QWidget):
    """The picture with its true mask, with the answered one, and with what is wrong."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("placedPictures")
        self.setAccessibleName("The true mask, the answered one, and the wrong pixels")
        self._placed: Placed | None = None
        self._shown: Shown | None = None

    def show_placed(self, placed: Placed, shown: Shown) -> None:
        self._placed, self._shown = placed, shown
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    def _rooms(self, line: int) -> list[QRectF]:
        """Side by side, or below each other where there is more height than width."""
        across = self.width() >= self.height()
        width = (self.width() - 2 * _GAP) / 3 if across else self.width()
        height = self.height() if across else (self.height() - 2 * _GAP) / 3
        steps = [(n * (width + _GAP), 0.0) if across else (0.0, n * (height + _GAP)) for n in range(3)]
        return [QRectF(x, y + line, width, height - line) for x, y in steps]

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._placed is None or self._shown is None:
            return
        painter, colors = QPainter(self), theme.current()
        wrong = np.zeros((*self._placed.wrong.shape, 4), np.uint8)
        error = colors.error
        wrong[self._placed.wrong] = (error.red(), error.green(), error.blue(), _WRONG_OPACITY)
        covers = (mask_pixels(self._placed.truths, colors), mask_pixels(self._placed.guesses, colors), wrong)
        line = painter.fontMetrics().height() + 2
        for room, title, cover in zip(self._rooms(line), _TITLES, covers, strict=True):
            painter.setPen(colors.node_muted)
            painter.drawText(
                QRectF(room.left(), room.top() - line, room.width(), line), Qt.AlignmentFlag.AlignLeft, title
            )
            self._paint_one(painter, room, cover)
        painter.end()

    def _paint_one(self, painter: QPainter, room: QRectF, cover: np.ndarray) -> None:
        """The picture, and what covers it in the same place, whatever their sizes."""
        assert self._shown is not None
        size = (room.size() * self.devicePixelRatioF()).toSize().expandedTo(QSize(1, 1))
        over = to_image(cover, size)
        target = fitted(over.size(), room)
        if self._shown.picture is not None and self._shown.picture.size:
            painter.drawImage(target, to_image(self._shown.picture, size))
        painter.drawImage(target, over)
