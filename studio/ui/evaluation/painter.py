"""Draws the samples in view, away from the GUI thread."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.data.listing import Listing, Shown
from studio.ui.gallery.browser import shown_of, thumb_of
from studio.ui.gallery.thumbs import Shelf, Style, Thumb
from studio.ui.newest import NewestOnly

_SECONDS_BETWEEN_DELIVERIES = 0.03


@dataclass(frozen=True, eq=False)
class _Wish:
    number: int  # of the samples that are shown; what older ones gave is dropped
    listing: Listing
    style: Style
    samples: tuple[int, ...]
    whole: int | None


class SamplePainter(QObject):
    """Fills a shelf with what is asked for, the first ones first; what was asked for before is given up."""

    drawn = Signal(object)  # numbers of the samples that have a thumbnail now
    whole_arrived = Signal(int, object)  # number of a sample, Shown
    _drawn = Signal(int, object)  # number of the wish, pairs of a sample's number and its Thumb; from the thread
    _whole = Signal(int, int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shelf = Shelf()
        self._listing: Listing | None = None
        self._style: Style | None = None
        self._samples: tuple[int, ...] = ()
        self._whole_wanted: int | None = None
        self._number = 0
        self._thread: NewestOnly[_Wish] | None = None
        self._drawn.connect(self._take_drawn, Qt.ConnectionType.QueuedConnection)
        self._whole.connect(self._take_whole, Qt.ConnectionType.QueuedConnection)

    def begin(self, listing: Listing | None, style: Style) -> None:
        """Draw these samples in this way from now on."""
        self._listing, self._style = listing, style
        self._number += 1
        self._samples, self._whole_wanted = (), None
        self.shelf.clear()
        if self._thread is None:
            self._thread = NewestOnly("answers painter", self._paint)
            self._thread.start()

    def close(self) -> None:
        """Stop, and wait for what is under way."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None

    def want(self, samples: tuple[int, ...]) -> None:
        """Draw these, unless they are drawn already."""
        missing = tuple(sample for sample in samples if sample not in self.shelf)
        if missing != self._samples:
            self._samples = missing
            self._ask()

    def want_whole(self, sample: int) -> None:
        """Fetch a sample as it is, before all others."""
        self._whole_wanted = sample
        self._ask()

    def _ask(self) -> None:
        if self._listing is None or self._style is None or self._thread is None:
            return
        if self._samples or self._whole_wanted is not None:
            self._thread.ask(_Wish(self._number, self._listing, self._style, self._samples, self._whole_wanted))

    def _paint(self, wish: _Wish) -> None:
        """In the worker thread. It looks up after each sample whether other ones are wanted by now."""
        if wish.whole is not None:
            self._whole.emit(wish.number, wish.whole, shown_of(wish.listing, wish.whole))
        thread, thumbs = self._thread, list[tuple[int, Thumb]]()
        due = time.monotonic() + _SECONDS_BETWEEN_DELIVERIES
        for sample in wish.samples:
            if thread is None or thread.has_newer:
                break
            thumbs.append((sample, thumb_of(wish.listing, sample, wish.style)))
            if time.monotonic() > due:
                self._drawn.emit(wish.number, thumbs)
                thumbs, due = [], time.monotonic() + _SECONDS_BETWEEN_DELIVERIES
        self._drawn.emit(wish.number, thumbs)

    @Slot(int, object)
    def _take_drawn(self, number: int, thumbs: list[tuple[int, Thumb]]) -> None:
        if number != self._number or not thumbs:
            return
        for sample, thumb in thumbs:
            self.shelf.put(sample, thumb)
        self._samples = tuple(sample for sample in self._samples if sample not in self.shelf)
        self.drawn.emit({sample for sample, _ in thumbs})

    @Slot(int, int, object)
    def _take_whole(self, number: int, sample: int, shown: Shown) -> None:
        if number == self._number and sample == self._whole_wanted:
            self._whole_wanted = None
            self.whole_arrived.emit(sample, shown)
