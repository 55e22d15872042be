"""Learned weights that a backbone begins with: offered for download where they are missing."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from studio.blocks import Block
from studio.blocks.torchvision_backbone import Backbone
from studio.training.pretrained import WeightsFile, weights_of
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.wording import size


class PretrainedSection(QWidget):
    """Says that the weights of a backbone are not on this machine, and fetches them; hidden for every other block."""

    wanted = Signal(object)  # WeightsFile to be downloaded

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._file: WeightsFile | None = None
        self._text = PlainLabel("", self, color="warning")
        self._button = QPushButton(self)
        self._button.setObjectName("downloadWeights")
        self._button.setAccessibleName("Download the learned weights")
        self._button.clicked.connect(self._ask)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text)
        layout.addWidget(self._button)

    def show_block(self, block: Block) -> None:
        """Show what is to be said of a block."""
        file = weights_of(block) if isinstance(block, Backbone) else None
        self._file = file if file is not None and not file.is_there() else None
        self.setVisible(self._file is not None)
        if self._file is not None:
            self._text.setText(
                f"What {self._file.network} learned on ImageNet is not on this machine yet. A run that begins with it "
                "needs the file; nothing is fetched before you say so."
            )
            self._button.setText(f"Download {size(self._file.download_bytes)}")
            self._button.setAccessibleName(f"Download the learned weights of {self._file.network}")

    @Slot()
    def _ask(self) -> None:
        self.wanted.emit(self._file)
