"""Which of the samples are shown, and what can be done with those that are chosen."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.data.base import SPLITS
from studio.ui.gallery.opened import ALL, CELLS, LATER, LEFT_OUT, RELABELLED, TEXTS, Opened
from studio.ui.gallery.sample_model import PART_TITLES
from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip

PARTS = (ALL, *SPLITS, LEFT_OUT, RELABELLED, LATER)
SMALLEST, USUAL, LARGEST = 40, 80, 256  # pixels of a picture's side
_MOST_CLASSES = 5_000  # in the picker
_WIDEST_CLASS = 24  # characters


class FilterBar(QWidget):
    """Parts, classes and samples of a problem to choose from; buttons for what is selected; a size slider."""

    filter_changed = Signal()
    open_wanted = Signal()
    leave_out_wanted = Signal()
    take_back_wanted = Signal()
    later_wanted = Signal(bool)  # whether the selected samples are to be looked at later
    file_class_wanted = Signal()
    size_changed = Signal(int)  # pixels of a picture's side

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sampleFilters")
        self._parts = QButtonGroup(self)
        self.classes = QComboBox(self)
        self.side = QSlider(Qt.Orientation.Horizontal, self)
        self.count = PlainLabel(parent=self, color="node_muted")
        self.problem = QToolButton(self)
        self.problem_samples: tuple[int, ...] = ()
        self._count_text = ""
        self.open = self._button("openSampleButton", "Open", "Show the sample large (Enter)")
        self.leave_out = self._button(
            "leaveOutButton", "Leave out", "Leave the selected samples out of all splits (Del)"
        )
        self.take_back = self._button("takeBackButton", "Take back", "Use the selected samples again (Shift+Del)")
        self.later = self._button("lookLaterButton", "Look later", "The list of samples to look at later")
        self.file_class = self._button(
            "fileClassButton", "Class of the file", "Take the class back that was given by hand"
        )
        self._take_off = False
        self._fill()
        self.show_selected(0, 0)

    def _button(self, name: str, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setToolTip(tooltip)
        return button

    def _fill(self) -> None:
        upper, lower = QHBoxLayout(), QHBoxLayout()
        upper.setSpacing(2)
        for number, part in enumerate(PARTS):
            upper.addWidget(self._part_button(number, part))
        upper.addStretch()
        self._parts.idClicked.connect(self.filter_changed)
        for name, widget, title in (
            ("classFilter", self.classes, "Class"), ("thumbnailSize", self.side, "Size of the pictures"),
            ("problemFilter", self.problem, "Samples of a problem"), ("sampleCount", self.count, "Samples shown"),
        ):  # fmt: skip
            widget.setObjectName(name)
            widget.setAccessibleName(title)
        self.classes.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.classes.setToolTip("Only samples of one class")
        self.classes.activated.connect(self.filter_changed)
        self.problem.setToolTip("Show other samples again")
        self.problem.clicked.connect(self.clear_problem)
        self.problem.hide()
        self.side.setRange(SMALLEST, LARGEST)
        self.side.setValue(USUAL)
        self.side.setFixedWidth(90)
        self.side.setToolTip("Size of the pictures")
        self.side.valueChanged.connect(self.size_changed)
        self.count.setWordWrap(False)
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        upper.addWidget(self.side)
        for widget in (self.classes, self.problem):
            lower.addWidget(widget)
        lower.addWidget(self.count, 1)
        for button, wanted in (
            (self.open, self.open_wanted), (self.leave_out, self.leave_out_wanted),
            (self.take_back, self.take_back_wanted),
        ):  # fmt: skip
            button.clicked.connect(wanted)
            lower.addWidget(button)
        for button in (self.later, self.file_class):
            lower.addWidget(button)
        self.later.clicked.connect(lambda: self.later_wanted.emit(not self._take_off))
        self.file_class.clicked.connect(self.file_class_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(upper)
        layout.addLayout(lower)

    def _part_button(self, number: int, part: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"part_{part.replace(' ', '_')}")
        button.setText(PART_TITLES.get(part, "All"))
        button.setAccessibleName(button.text())
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setChecked(number == 0)
        self._parts.addButton(button, number)
        return button

    @property
    def part(self) -> str:
        """One of PARTS."""
        return PARTS[self._parts.checkedId()]

    @property
    def label(self) -> int | None:
        """The number of a class; None for all of them."""
        value = self.classes.currentData()
        return value if isinstance(value, int) else None

    def show_class(self, label: int | None) -> None:
        """Show only samples of a class; None for all classes."""
        row = self.classes.findData(label) if label is not None else 0
        self.classes.setCurrentIndex(max(0, row))
        self.filter_changed.emit()

    def show_problem(self, samples: tuple[int, ...]) -> None:
        """Show only these samples, whatever else is chosen."""
        self._set_problem(samples)
        self.filter_changed.emit()

    def _set_problem(self, samples: tuple[int, ...]) -> None:
        self.problem_samples = samples
        self.problem.setText(f"{len(samples):,} of a problem  ×" if samples else "")
        self.problem.setVisible(bool(samples))
        self.classes.setVisible(not samples and self.classes.count() > 1)
        for button in self._parts.buttons():
            button.setEnabled(not samples)

    @Slot()
    def clear_problem(self) -> None:
        """Show what was shown before."""
        self.show_problem(())

    def show_opened(self, opened: Opened) -> None:
        """Offer what there is to choose from."""
        for button, part in zip(self._parts.buttons(), PARTS, strict=True):
            count = len(opened.of(part))
            button.setText(f"{PART_TITLES.get(part, 'All')} {count:,}")
            button.setVisible(count > 0 or part in (ALL, self.part))
        self.file_class.setVisible(bool(opened.choice.relabelled))
        self.side.setVisible(opened.layout not in (TEXTS, CELLS))
        self._fill_classes(opened)

    def _fill_classes(self, opened: Opened) -> None:
        names = opened.listing.names if opened.listing is not None else ()
        chosen = self.label
        self.classes.clear()
        self.classes.addItem("All classes", None)
        for number, name in enumerate(names[:_MOST_CLASSES]):
            short = name if len(name) <= _WIDEST_CLASS else f"{name[: _WIDEST_CLASS - 1]}…"
            self.classes.addItem(short.replace("\n", " "), number)
            self.classes.setItemData(number + 1, plain_tooltip(name), Qt.ItemDataRole.ToolTipRole)
        self.classes.setCurrentIndex(chosen + 1 if chosen is not None and chosen < len(names) else 0)
        self.classes.setVisible(bool(names) and not self.problem_samples)

    def begin(self) -> None:
        """Another dataset: nothing is left of what was chosen in the last one. Nobody is told."""
        self._parts.button(0).setChecked(True)
        self.classes.clear()
        self._set_problem(())

    def show_count(self, shown: int, all_samples: int) -> None:
        """How many samples are shown."""
        noun = "sample" if all_samples == 1 else "samples"
        self._count_text = f"{shown:,} {noun}" if shown == all_samples else f"{shown:,} of {all_samples:,} {noun}"
        self.count.setText(self._count_text)

    def show_selected(self, used: int, left_out: int, relabelled: int = 0, later: int = 0) -> None:
        """How many of the selected samples are used, left out, of a class given by hand, and to be looked at later."""
        count = used + left_out
        self._take_off = 0 < later == count
        self.later.setText("Off the list" if self._take_off else "Look later")
        self.later.setAccessibleName(self.later.text())
        self.later.setEnabled(count > 0)
        self.file_class.setEnabled(relabelled > 0)
        self.open.setEnabled(count == 1)
        self.leave_out.setEnabled(used > 0)
        self.take_back.setEnabled(left_out > 0)
        text = self._count_text
        self.count.setText(f"{text}, {count:,} selected" if count > 1 else text)
