"""One sample, large: its picture with what is marked on it, its text, its values or its plot."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.data.listing import Shown
from studio.ui.gallery.sample_content import SampleContent
from studio.ui.gallery.sample_model import PART_TITLES
from studio.ui.widgets.plain_text import Heading, PlainLabel

_LONGEST_TITLE = 300  # characters of a file's name


class SampleDetail(QWidget):
    """Shows a sample; the keys Left and Right go to its neighbours, Escape goes back."""

    back_wanted = Signal()
    step_wanted = Signal(int)  # 1 to the next, -1 to the previous
    leave_out_wanted = Signal()
    take_back_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sampleDetail")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.sample = 0
        self.shown: Shown | None = None
        self.heading = Heading(parent=self, large=True)
        self.heading.setObjectName("detailHeading")
        self.title = PlainLabel(parent=self, color="node_muted")
        self.title.setObjectName("detailTitle")
        self.problem = PlainLabel(parent=self, color="error")
        self.marks = QCheckBox("Show marks", self)
        self.marks.setObjectName("showMarks")
        self.marks.setChecked(True)
        self.exclude = self._button("detailLeaveOut", "Leave out", self._exclude)
        self._left_out = False
        self.content = SampleContent(self)
        self.marks.toggled.connect(self.content.canvas.show_marks)
        self._arrange()

    def _button(self, name: str, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.clicked.connect(slot)
        return button

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._button("detailBack", "Back to all samples", self.back_wanted.emit))
        row.addStretch()
        for widget in (
            self.marks, self.exclude, self._button("detailPrevious", "Previous", lambda: self.step_wanted.emit(-1)),
            self._button("detailNext", "Next", lambda: self.step_wanted.emit(1)),
        ):  # fmt: skip
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(row)
        for label in (self.heading, self.title, self.problem):
            layout.addWidget(label)
        layout.addWidget(self.content, 1)
        layout.addStretch()

    def begin(self, sample: int) -> None:
        """A sample is on its way: what was shown stays until it is there."""
        self.sample = sample

    def show_sample(self, shown: Shown, part: str, names: tuple[str, ...], said: str = "") -> None:
        """Show the sample that `begin` announced.

        Args:
            shown: what it holds.
            part: its split, or that it is left out.
            names: of the classes, for their colours.
            said: what a person said of it.
        """
        self.shown = shown
        number = f"{self.sample + 1:,}"
        self.show_part(part, said)
        title = shown.title[:_LONGEST_TITLE] if shown.title != number else ""
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.problem.setText(shown.problem)
        self.problem.setVisible(bool(shown.problem))
        self.marks.setVisible(shown.picture is not None and (shown.mask is not None or bool(shown.boxes)))
        self.content.setVisible(not shown.problem or shown.picture is not None or bool(shown.text or shown.cells))
        self.content.show_sample(shown, names)

    def show_part(self, part: str, said: str = "") -> None:
        """Tell which part it belongs to now, and what a person said of it."""
        assert self.shown is not None
        self._left_out = part == "left out"
        words = [f"Sample {self.sample + 1:,}", PART_TITLES.get(part, ""), self.shown.answer[:_LONGEST_TITLE], said]
        self.heading.setText(" · ".join(word for word in words if word))
        self.exclude.setText("Take back" if self._left_out else "Leave out")
        self.exclude.setAccessibleName(self.exclude.text())

    @Slot()
    def _exclude(self) -> None:
        (self.take_back_wanted if self._left_out else self.leave_out_wanted).emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        key = Qt.Key(event.key())
        if key in steps:
            self.step_wanted.emit(steps[key])
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_Backspace):
            self.back_wanted.emit()
        elif key == Qt.Key.Key_Delete:
            self._exclude()
        else:
            super().keyPressEvent(event)
