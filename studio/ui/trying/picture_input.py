"""A picture: drawn, dropped, pasted, or from a file; beside it what the network sees of it.

Axis letters: C channels, H W space.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSignalBlocker, QSize
from PySide6.QtGui import QGuiApplication, QImage, QImageReader, QImageWriter, QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from studio.data.forms import PictureForm
from studio.data.images.rules import GREY
from studio.data.listing import as_picture
from studio.ui.gallery.drawing import to_image
from studio.ui.trying.drawing_pad import THICKNESSES, DrawingPad
from studio.ui.trying.editor import Editor
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    import numpy as np

    from studio.data.forms import Raw

_SEEN = 84  # pixels


class PictureInput(Editor):
    """Draws or takes a picture."""

    form: PictureForm

    def __init__(self, form: PictureForm, parent: QWidget | None = None) -> None:
        super().__init__(form, parent)
        self.setObjectName("tryPicture")
        self._source: Path | bytes | np.ndarray | None = None  # what takes the place of a drawing
        self.pad = DrawingPad(self)
        self.pad.drawable = form.form.colour == GREY
        self.pad.hint = "Draw here" if self.pad.drawable else "Drop a picture here"
        self.seen = DrawingPad(self)
        self.seen.setObjectName("trySeen")
        self.seen.setAccessibleName("What the network sees")
        self.seen.setAccessibleDescription("")
        self.seen.setEnabled(False)
        self.seen.setMinimumSize(_SEEN, _SEEN)
        self.seen.setMaximumSize(_SEEN, _SEEN)
        self.undo = self._button("Undo", "tryUndo", "Take the last stroke back")
        self.paste = self._button("Paste", "tryPaste", "Take the picture that was copied")
        self.brush = QComboBox(self)
        self.brush.setObjectName("tryBrush")
        self.brush.setAccessibleName("Thickness of the brush")
        for name, thickness in zip(("Finest", "Fine", "Medium", "Broad", "Broadest"), THICKNESSES, strict=True):
            self.brush.addItem(name, thickness)
        self.brush.setCurrentIndex(THICKNESSES.index(self.pad.thickness))
        self.written = QCheckBox("Handwriting", self)
        self.written.setObjectName("tryWritten")
        self.written.setToolTip("The picture shows something written on paper: it is cut out and made as thick and "
                                "as large as the writing that the network learned from.")  # fmt: skip
        self._arrange()
        self._connect()

    def _button(self, text: str, name: str, accessible: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(accessible)
        return button

    def _arrange(self) -> None:
        right = QVBoxLayout()
        right.setSpacing(4)
        right.addWidget(PlainLabel("It sees", self, color="node_muted"))
        right.addWidget(self.seen)
        right.addStretch(1)
        rest: tuple[QWidget, ...] = (self.brush, self.undo, self.file_button(), self.paste)
        buttons = QGridLayout()
        buttons.setSpacing(4)
        shown = rest if self.pad.drawable else rest[2:]
        for number, part in enumerate(shown):
            buttons.addWidget(part, number // 2, number % 2)
        for tool in (self.brush, self.undo):
            tool.setVisible(self.pad.drawable)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pad, 0, 0)
        layout.addLayout(right, 0, 1)
        layout.addLayout(buttons, 1, 0, 1, 2)
        layout.addWidget(self.written, 2, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        self.pad.setMinimumHeight(170)
        self.written.hide()

    def _connect(self) -> None:
        self.pad.changed.connect(self.changed)
        self.pad.begun.connect(self._drop_picture)
        self.undo.clicked.connect(self.pad.undo)
        self.paste.clicked.connect(self.take_copied)
        self.brush.currentIndexChanged.connect(self._choose_brush)
        self.written.toggled.connect(lambda _on: self.changed.emit())
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), self.pad)
        shortcut.activated.connect(self.take_copied)

    def _choose_brush(self) -> None:
        self.pad.thickness = int(self.brush.currentData())

    def _drop_picture(self) -> None:
        self._source = None
        self.written.hide()

    def value(self) -> object | None:
        """Ink, the file or its bytes, or the pixels of a sample."""
        from studio.evaluation.trying import Ink

        if self._source is None:
            return None if self.pad.is_blank else Ink(self.pad.ink())
        if isinstance(self._source, Path | bytes) and not self.written.isHidden() and self.written.isChecked():
            return Ink(self._source)
        return self._source

    def show_value(self, given: object) -> None:
        """Pixels of a sample (C, H, W)."""
        import numpy as np

        assert isinstance(given, np.ndarray)
        self._source = given
        self.written.hide()
        self.pad.show_picture(_image_of(given))

    def clear(self) -> None:
        """Fresh paper."""
        self._drop_picture()
        self.pad.clear()
        self.seen.clear()

    def show_raw(self, raw: Raw) -> None:
        """As small as the network gets it; a file is shown so, too."""
        image = _image_of(raw.arrays[0])
        self.seen.show_picture(image)
        if isinstance(self._source, Path):
            self.pad.show_picture(image)

    def take_file(self, path: Path) -> None:
        """A picture's file."""
        size = QImageReader(str(path)).size()  # the picture itself is decoded in the thread that answers
        self._take(path, size, None)

    def take_copied(self) -> None:
        """The picture that was copied in some program, or the file."""
        mime = QGuiApplication.clipboard().mimeData()
        urls = [url for url in mime.urls() if url.isLocalFile()]
        if urls:
            self.take_file(Path(urls[0].toLocalFile()))
            return
        image = QGuiApplication.clipboard().image()
        if not image.isNull():
            self._take(_png(image), image.size(), image)

    def _take(self, source: Path | bytes, size: QSize, image: QImage | None) -> None:
        self._source = source
        exactly = (size.height(), size.width()) == self.form.dims[0][1:]
        self.written.setVisible(self.form.drawing is not None)
        with QSignalBlocker(self.written):
            self.written.setChecked(not exactly)
        self.pad.show_picture(image if image is not None else _nothing())
        self.changed.emit()


def _image_of(pixels: np.ndarray) -> QImage:
    """Pixels (C, H, W), without any smoothing."""
    import numpy as np

    if pixels.shape[0] not in (1, 3):
        pixels = pixels.mean(0, keepdims=True)
    picture = np.ascontiguousarray(as_picture(pixels))
    return to_image(picture, QSize(picture.shape[1], picture.shape[0]))


def _png(image: QImage) -> bytes:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(content.data())


def _nothing() -> QImage:
    """Until the file is decoded."""
    image = QImage(1, 1, QImage.Format.Format_RGB32)
    image.fill(0)
    return image
