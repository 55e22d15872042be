"""Opens the project's data to be looked at, and draws its samples, away from the GUI thread."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.data.base import Findings
from studio.data.choice import DataChoice
from studio.data.listing import Listing, Shown
from studio.ui.document import Document
from studio.ui.gallery.opened import Opened, Opener
from studio.ui.gallery.thumbs import Shelf, Style, Thumb, make_thumb
from studio.ui.newest import NewestOnly, Overtaking
from studio.ui.preferences import Preferences

WAITING, READING, SHOWN, REFUSED, STOPPED = "waiting", "reading", "shown", "refused", "stopped"
_SECONDS_BETWEEN_DELIVERIES = 0.03

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Wish:
    """What to draw.

    Args:
        number: of the request; what an older one gave is dropped.
        samples: numbers of the samples, the most urgent first.
        whole: a sample that is wanted as it is, before all others; None for none.
    """

    number: int
    listing: Listing
    style: Style
    samples: tuple[int, ...]
    whole: int | None


class DataBrowser(QObject):
    """Follows the project's data while it is looked at. Nothing is read before, and no sample before it is in view."""

    changed = Signal()  # `state` or `opened` is another
    described = Signal()  # `findings` are there
    drawn = Signal(object)  # numbers of the samples that have a thumbnail now
    whole_arrived = Signal(int, object)  # number of a sample, Shown
    _opened = Signal(int, object)  # number of the request, Opened; from a worker thread
    _described = Signal(object, object)  # Listing, Findings
    _drawn = Signal(int, object)  # number of the request, pairs of a sample's number and its Thumb
    _whole = Signal(int, int, object)  # number of the request, of the sample, Shown

    def __init__(self, document: Document, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._opener = Opener()
        self._reader: Overtaking[tuple[int, DataChoice, Path | None]] | None = None
        self._painter: NewestOnly[_Wish] | None = None
        self._looking = False
        self._since = 0.0
        self._asked: tuple[DataChoice, Path | None] | None = None
        self._request = 0
        self._drawing = 0  # number of the request for thumbnails; another for other data or another style
        self._samples: tuple[int, ...] = ()
        self._whole_wanted: int | None = None
        self._style: Style | None = None
        self.shelf = Shelf()
        self.state = WAITING
        self.opened: Opened | None = None
        self.findings: Findings | None = None  # of a known dataset that is opened
        self._opened.connect(self._take_opened, Qt.ConnectionType.QueuedConnection)
        self._described.connect(self._take_described, Qt.ConnectionType.QueuedConnection)
        self._drawn.connect(self._take_drawn, Qt.ConnectionType.QueuedConnection)
        self._whole.connect(self._take_whole, Qt.ConnectionType.QueuedConnection)
        document.project_changed.connect(self.refresh)

    @property
    def reading_since(self) -> float:
        """When the reading under way began, on the clock of time.monotonic."""
        return self._since

    @Slot()
    def start(self) -> None:
        """Begin: PyTorch is loaded, and with it what reads the data."""
        if self._reader is None:
            self._reader = Overtaking("samples opener", self._open)
            self._painter = NewestOnly("samples painter", self._paint)
            self._painter.start()
            self.refresh()

    def close(self) -> None:
        """Stop, and wait for what is under way."""
        if self._reader is not None and self._painter is not None:
            self._painter.retire()
            self._reader.close()
            self._painter.close()
            self._reader = self._painter = None

    def set_looking(self, looking: bool) -> None:
        """Whether somebody looks: only then the data is opened."""
        self._looking = looking
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Open the data if it is not what was opened."""
        data = self._document.project.data
        wanted = (data, self._preferences.data_folder(data.source.kind))
        if self._looking and self._reader is not None and wanted != self._asked:
            self._ask(wanted)

    @Slot()
    def reread(self) -> None:
        """Open the data again: the files are other ones now."""
        self._opener = Opener()
        self.opened = self.findings = self._asked = None
        self.refresh()

    @Slot()
    def stop(self) -> None:
        """Give up the reading under way. Its thread may go on for a while, but nobody waits for it."""
        if self.state == READING:
            self._request += 1
            self._set_state(STOPPED)

    def _ask(self, wanted: tuple[DataChoice, Path | None]) -> None:
        assert self._reader is not None
        self._asked = wanted
        self._request += 1
        if not self._same_samples(*wanted):
            self._forget()
            self._since = time.monotonic()
            self._set_state(READING)
        self._reader.ask((self._request, *wanted))

    def _same_samples(self, choice: DataChoice, folder: Path | None) -> bool:
        """Whether it is what was opened, perhaps divided in another way."""
        opened = self.opened
        return opened is not None and (opened.choice.source, opened.folder) == (choice.source, folder)

    def _forget(self) -> None:
        self.opened = self.findings = None
        self.shelf.clear()
        self._samples, self._whole_wanted = (), None
        self._drawing += 1

    def _set_state(self, state: str) -> None:
        self.state = state
        self.changed.emit()

    def _open(self, asked: tuple[int, DataChoice, Path | None]) -> None:
        """In a worker thread."""
        number, choice, folder = asked
        opener = self._opener
        opened = opener.open(choice, folder)
        self._opened.emit(number, opened)
        findings = opener.describe(opened)
        if findings is not None:
            self._described.emit(opened.listing, findings)

    @Slot(int, object)
    def _take_opened(self, number: int, opened: Opened) -> None:
        if number == self._request and self._reader is not None:
            self.opened = opened
            self._set_state(SHOWN if opened.listing is not None else REFUSED)

    @Slot(object, object)
    def _take_described(self, listing: Listing, findings: Findings) -> None:
        if self.opened is not None and self.opened.listing is listing and self.findings is not findings:
            self.findings = findings
            self.described.emit()

    def set_style(self, style: Style) -> None:
        """Draw in another way from now on: thumbnails are forgotten."""
        self._style = style
        self.shelf.clear()
        self._drawing += 1

    def want(self, samples: tuple[int, ...]) -> None:
        """Draw these, the first ones first, unless they are drawn already; what was wanted before is given up."""
        missing = tuple(sample for sample in samples if sample not in self.shelf)
        if missing != self._samples:
            self._samples = missing
            self._draw()

    def want_whole(self, sample: int | None) -> None:
        """Fetch a sample as it is, before all others; None for none any more."""
        self._whole_wanted = sample
        self._draw()

    def _draw(self) -> None:
        listing = self.opened.listing if self.opened is not None else None
        if listing is None or self._painter is None or self._style is None:
            return
        if self._samples or self._whole_wanted is not None:
            self._painter.ask(_Wish(self._drawing, listing, self._style, self._samples, self._whole_wanted))

    def _paint(self, wish: _Wish) -> None:
        """In the worker thread. It looks up after each sample whether other ones are wanted by now."""
        if wish.whole is not None:
            self._whole.emit(wish.number, wish.whole, shown_of(wish.listing, wish.whole))
        painter, thumbs = self._painter, list[tuple[int, Thumb]]()
        due = time.monotonic() + _SECONDS_BETWEEN_DELIVERIES
        for sample in wish.samples:
            if painter is None or painter.has_newer:
                break
            thumbs.append((sample, thumb_of(wish.listing, sample, wish.style)))
            if time.monotonic() > due:
                self._drawn.emit(wish.number, thumbs)
                thumbs, due = [], time.monotonic() + _SECONDS_BETWEEN_DELIVERIES
        self._drawn.emit(wish.number, thumbs)

    @Slot(int, object)
    def _take_drawn(self, number: int, thumbs: list[tuple[int, Thumb]]) -> None:
        if number == self._drawing and thumbs:
            for sample, thumb in thumbs:
                self.shelf.put(sample, thumb)
            done = {sample for sample, _ in thumbs}
            self._samples = tuple(sample for sample in self._samples if sample not in done)
            self.drawn.emit(sorted(done))

    @Slot(int, int, object)
    def _take_whole(self, number: int, sample: int, shown: Shown) -> None:
        if number == self._drawing and sample == self._whole_wanted:
            self._whole_wanted = None
            self.whole_arrived.emit(sample, shown)


def shown_of(listing: Listing, sample: int) -> Shown:
    """A sample, or what went wrong with it: a fault in one must not end the thread."""
    try:
        return listing.show(sample)
    except Exception as error:
        logger.exception("sample %d could not be shown", sample)
        return Shown(f"{sample + 1:,}", problem=f"It cannot be shown: a fault in the program ({error!r}).")


def thumb_of(listing: Listing, sample: int, style: Style) -> Thumb:
    """A sample made small, or what went wrong with it."""
    shown = shown_of(listing, sample)
    try:
        return make_thumb(shown, style)
    except Exception as error:
        logger.exception("sample %d could not be drawn", sample)
        return Thumb(shown.title, shown.answer, f"It cannot be drawn: a fault in the program ({error!r}).")
