"""The inspector's section on what a sample looks like after a block."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from studio.ui.samples import Sighting
from studio.ui.widgets.picture_view import PictureView
from studio.ui.widgets.plain_text import Heading, PlainLabel


class SampleSection(QWidget):
    """A picture as large as there is room, what it shows, and a way to another sample."""

    next_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = PictureView(self)
        self.picture.setObjectName("samplePicture")
        self.picture.setAccessibleName("What the sample looks like after the block")
        self.facts = PlainLabel("", self)
        self.facts.setObjectName("sampleFacts")
        self.caption = PlainLabel("", self, color="node_muted")
        self.caption.setObjectName("sampleCaption")
        self.next_button = QPushButton("Another sample", self)
        self.next_button.setObjectName("nextSampleButton")
        self.next_button.setAccessibleName("Another sample")
        self.next_button.clicked.connect(self.next_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (Heading("A sample after this block", self), self.picture, self.facts, self.caption):
            layout.addWidget(widget)
        layout.addWidget(self.next_button)
        self.hide()

    def show_sighting(self, sighting: Sighting | None, node_id: str) -> None:
        """Show one block of what was seen; nothing if samples are switched off or not there yet."""
        if sighting is None or not (sighting.reason or sighting.caption):
            self.hide()
            return
        picture = sighting.pictures.get(node_id)
        self.picture.set_picture(picture)
        self.facts.setText(_facts(sighting, node_id))
        self.caption.setText(sighting.caption if picture is not None else "")
        self.caption.setVisible(picture is not None)
        self.next_button.setVisible(not sighting.reason)
        self.show()


def _facts(sighting: Sighting, node_id: str) -> str:
    picture = sighting.pictures.get(node_id)
    if picture is None:
        return sighting.reason or "The sample does not come to this block."
    text = f"{picture.caption}, from {picture.low:.3g} to {picture.high:.3g}"
    if picture.broken:
        text += f"; {picture.broken:,} are infinite or no numbers"
    return text
