"""What stands in place of the samples while there are none: why, and the buttons that help."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.data.base import Source
from studio.ui.data_trust import waits_for_trust
from studio.ui.gallery import browser as states
from studio.ui.gallery.browser import DataBrowser
from studio.ui.widgets.plain_text import Heading, PlainLabel
from studio.ui.wording import duration, size

_TICK_MS = 500
_QUIET_SECONDS = 1.0  # of a reading, before it is told how long it takes
_WIDEST = 460  # pixels; longer lines are hard to read


class EmptyState(QWidget):
    """Tells of a reading under way, of files that are missing, and of those that cannot be read."""

    download_wanted = Signal()
    file_wanted = Signal()
    folder_wanted = Signal()
    again_wanted = Signal()
    trust_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataEmptyState")
        self._since = 0.0
        self._title = ""
        self.heading = Heading(parent=self, large=True)
        self.reason = PlainLabel(parent=self, color="node_muted")
        self.reason.setObjectName("dataEmptyReason")
        for label in (self.heading, self.reason):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setFixedWidth(_WIDEST)
        self.buttons = {
            name: self._button(name, text, wanted)
            for name, text, wanted in (
                ("downloadDataButton", "Download", self.download_wanted),
                ("findFileButton", "Choose a file…", self.file_wanted),
                ("findFolderButton", "Choose a folder…", self.folder_wanted),
                ("readCodeButton", "Read the code…", self.trust_wanted),
                ("readAgainButton", "Try again", self.again_wanted),
                ("stopReadingButton", "Stop reading", self.stop_wanted),
            )
        }
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tell_time)
        self._arrange()

    def _button(self, name: str, text: str, wanted: SignalInstance) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.clicked.connect(wanted)
        return button

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.addStretch()
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch(2)
        for label in (self.heading, self.reason):
            layout.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(row)
        layout.addStretch(3)

    def show_state(self, browser: DataBrowser, source: Source) -> None:
        """Tell what the browser is at."""
        self._since, self._title = browser.reading_since, source.title
        self._timer.stop()
        missing = browser.opened is not None and browser.opened.missing
        match browser.state:
            case states.WAITING:
                self._tell("Starting PyTorch…", "The samples are shown as soon as it is there.")
            case states.READING:
                self._timer.start()
                self._tell(f"Reading {source.title}…", "", "stopReadingButton")
            case states.STOPPED:
                reason = "The files were not read to their end, so there is nothing to show."
                self._tell("Reading was stopped", reason, "readAgainButton")
            case states.REFUSED if missing:
                self._tell_missing(browser, source)
            case states.REFUSED:
                assert browser.opened is not None
                helpful = ("findFileButton", "findFolderButton") if source.needs_place else ("findFolderButton",)
                self._tell("This data cannot be shown", browser.opened.reason, "readAgainButton", *helpful)

    def _tell_missing(self, browser: DataBrowser, source: Source) -> None:
        assert browser.opened is not None
        if waits_for_trust(source):
            self._tell("This code has not run", browser.opened.reason, "readCodeButton", "findFileButton")
            return
        self.buttons["downloadDataButton"].setText(f"Download {size(source.download_bytes)}")
        download = ("downloadDataButton",) if source.download_bytes else ()
        if source.needs_place:
            known = bool(source.place or download)
            heading = "The files are not there" if known else "No files yet"
            reason = browser.opened.reason if known else source.about
            self._tell(heading, reason, *download, "findFileButton", "findFolderButton", "readAgainButton")
            return
        self._tell(f"{source.title} is not on this computer yet", browser.opened.reason, *download, "findFolderButton")

    def _tell(self, heading: str, reason: str, *buttons: str) -> None:
        self.heading.setText(heading)
        self._explain(reason)
        for name, button in self.buttons.items():
            button.setVisible(name in buttons)

    def _explain(self, reason: str) -> None:
        self.reason.setText(reason)
        self.reason.setMinimumHeight(self.reason.heightForWidth(_WIDEST))  # an aligned label is not asked for it

    def _tell_time(self) -> None:
        seconds = time.monotonic() - self._since
        if seconds > _QUIET_SECONDS:
            self._explain(f"For {duration(seconds)} so far. You can go on working meanwhile.")

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
