"""What can be done with the selected samples: leave them out, give them another class, look at them later."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from studio.data.marks import LONGEST_NOTE
from studio.ui.widgets.plain_text import PlainLabel

OF_THE_FILE = "As in its file"
_MOST_CLASSES = 5_000  # in the picker
_NOT_SAME = "The project’s data is other data than that of this run, so nothing can be said of its samples here."


@dataclass(frozen=True)
class Selected:
    """What is known of the selected samples.

    Args:
        count: how many there are.
        excluded, relabelled, later: how many of them are left out, have a class given by hand, are to be looked at.
        note: that of the first to be looked at later.
        same_data: whether they are samples of the project.
        refusal: why they cannot be given another class; empty if they can.
    """

    count: int
    excluded: int
    relabelled: int
    later: int
    note: str
    same_data: bool
    refusal: str


class SampleActions(QWidget):
    """Two rows of buttons below the samples."""

    exclude_wanted = Signal(bool)  # whether they are to be left out
    class_wanted = Signal(object)  # number of a class; None for that of the file
    later_wanted = Signal(object)  # a note; None if they are not to be looked at any more

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sampleActions")
        self.leave_out = self._button("selectedLeaveOut", "Leave out", "In the next run they are in no split")
        self.take_back = self._button("selectedTakeBack", "Take back", "Use them again")
        self.classes = QComboBox(self)
        self.classes.setObjectName("selectedClass")
        self.classes.setAccessibleName("Another class for the selected samples")
        self.classes.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.classes.setMinimumContentsLength(8)
        self.set_class = self._button("setClass", "Set class", "The project remembers it; the file stays as it is")
        self.note = QLineEdit(self)
        self.note.setObjectName("laterNote")
        self.note.setAccessibleName("Note for looking later")
        self.note.setPlaceholderText("Note")
        self.note.setMaxLength(LONGEST_NOTE)
        self.later = self._button("lookLater", "Look later", "Put them on the list of samples to look at later")
        self.done = self._button("lookedAt", "Off the list", "They need not be looked at any more")
        self.told = PlainLabel(parent=self, color="warning")
        self.told.setObjectName("marksTold")
        self._arrange()
        self.leave_out.clicked.connect(lambda: self.exclude_wanted.emit(True))
        self.take_back.clicked.connect(lambda: self.exclude_wanted.emit(False))
        self.set_class.clicked.connect(self._set_class)
        self.later.clicked.connect(self._look_later)
        self.note.returnPressed.connect(self.later.click)
        self.done.clicked.connect(lambda: self.later_wanted.emit(None))

    def _button(self, name: str, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(f"{text}: the selected samples")
        button.setToolTip(tooltip)
        return button

    def _arrange(self) -> None:
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for widget in (self.leave_out, self.take_back):
            upper.addWidget(widget)
        upper.addStretch()
        upper.addWidget(self.classes, 1)
        upper.addWidget(self.set_class)
        lower.addWidget(self.note, 1)
        lower.addWidget(self.later)
        lower.addWidget(self.done)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(upper)
        layout.addLayout(lower)
        layout.addWidget(self.told)
        self.told.hide()

    def begin(self, names: tuple[str, ...], *, classes: bool) -> None:
        """Another network: other classes, if its samples have one each."""
        self.classes.clear()
        for number, name in enumerate(names[:_MOST_CLASSES] if classes else ()):
            self.classes.addItem(name.replace("\n", " ")[:60], number)
        self.classes.addItem(OF_THE_FILE, None)
        self.classes.setVisible(classes)
        self.set_class.setVisible(classes)
        self.tell("")

    def suggest(self, most_probable: list[tuple[int, float]]) -> None:
        """Offer the most probable class first.

        Args:
            most_probable: numbers of classes with their probabilities, the most probable first.
        """
        if most_probable and self.classes.isEnabled():
            self.classes.setCurrentIndex(max(0, self.classes.findData(most_probable[0][0])))

    def tell(self, words: str) -> None:
        """Say why something was not done."""
        self.told.setText(words)
        self.told.setVisible(bool(words))

    def show_selected(self, selected: Selected) -> None:
        """What can be done with other samples."""
        can = selected.same_data and selected.count > 0
        self.leave_out.setEnabled(can and selected.excluded < selected.count)
        self.take_back.setEnabled(can and selected.excluded > 0)
        self.classes.setEnabled(can and not selected.refusal)
        self.set_class.setEnabled(can and not selected.refusal)
        self.later.setEnabled(can)
        self.note.setEnabled(can)
        self.done.setEnabled(can and selected.later > 0)
        if not self.note.hasFocus() or not self.note.isModified():
            self.note.setText(selected.note)
        self.setToolTip("" if selected.same_data else _NOT_SAME)

    @Slot()
    def _set_class(self) -> None:
        self.class_wanted.emit(self.classes.currentData())

    @Slot()
    def _look_later(self) -> None:
        self.note.setModified(False)
        self.later_wanted.emit(self.note.text().strip())
