"""A row of a table, or named numbers: a slider for each number, a list for each choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QSlider, QVBoxLayout, QWidget

from studio.data.forms import NumbersForm, RowForm
from studio.data.tables.features import LABELS, NUMBER, ORDERED, SWITCH, TIME
from studio.ui.trying.editor import Editor
from studio.ui.trying.plane_pad import PlanePad
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    import numpy as np

MOST_ROWS = 60  # of a form; the others keep the values of the sample that was taken last, or usual ones
_STEPS = 1_000  # of a slider


@dataclass(frozen=True)
class _Cell:
    """One value that is filled in."""

    name: str
    default: str
    choices: tuple[str, ...] = ()
    open: bool = True  # whether others than these choices may be typed
    usual: tuple[float, float] | None = None


class RowInput(Editor):
    """A form with a line for each column."""

    def __init__(self, form: RowForm | NumbersForm, parent: QWidget | None = None) -> None:
        super().__init__(form, parent)
        self.setObjectName("tryRow")
        self._cells = _cells_of(form)
        self._values = {cell.name: cell.default for cell in self._cells}
        self.lines: dict[str, _Line] = {}
        rows = QGridLayout()
        rows.setHorizontalSpacing(6)
        rows.setVerticalSpacing(3)
        rows.setColumnStretch(1, 1)
        for number, cell in enumerate(self._cells[:MOST_ROWS]):
            line = self.lines[cell.name] = _Line(cell, number, self)
            line.changed.connect(self._take)
            line.put_into(rows, number)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.plane = self._make_plane()
        if self.plane is not None:
            layout.addWidget(self.plane)
        layout.addLayout(rows)
        if len(self._cells) > MOST_ROWS:
            rest = f"and {len(self._cells) - MOST_ROWS:,} more, with usual values or those of the sample taken last"
            layout.addWidget(PlainLabel(rest, self, color="node_muted"))

    def _make_plane(self) -> PlanePad | None:
        """A place to click, where there are two numbers."""
        pair = [cell for cell in self._cells if cell.usual is not None]
        if not isinstance(self.form, NumbersForm) or len(pair) != 2 or len(self._cells) != 2:
            return None
        assert pair[0].usual is not None
        assert pair[1].usual is not None
        plane = PlanePad((pair[0].name, pair[1].name), (pair[0].usual, pair[1].usual), self)
        plane.chosen.connect(self._go_to)
        return plane

    def _go_to(self, x: float, y: float) -> None:
        for line, value in zip(self.lines.values(), (x, y), strict=True):
            line.show_text(f"{value:.4g}")
            self._values[line.cell.name] = line.text
        self.changed.emit()

    def _take(self, name: str, text: str) -> None:
        self._values[name] = text
        self._show_point()
        self.changed.emit()

    def _show_point(self) -> None:
        if self.plane is not None:
            x, y = (_number(text) for text in self._values.values())
            if x is not None and y is not None:
                self.plane.show_point(x, y)

    def value(self) -> object | None:
        """The texts of all columns by their names."""
        return dict(self._values)

    def show_value(self, given: object) -> None:
        """A row as it was, or numbers in their order."""
        row = _row_of(given, [cell.name for cell in self._cells])
        for name, text in row.items():
            if name in self._values:
                self._values[name] = text
        for name, line in self.lines.items():
            line.show_text(self._values[name])
        self._show_point()

    def clear(self) -> None:
        """Usual values."""
        self.show_value({cell.name: cell.default for cell in self._cells})


def _cells_of(form: RowForm | NumbersForm) -> list[_Cell]:
    if isinstance(form, NumbersForm):
        usual, middles = form.usual or (None,) * len(form.names), form.middles or (0.0,) * len(form.names)
        found = zip(form.names, usual, middles, strict=True)
        return [_Cell(name, f"{middle:.4g}", usual=room) for name, room, middle in found]
    cells = []
    for column in form.columns:
        closed = column.kind in (ORDERED, SWITCH)
        choices = column.choices if column.kind not in (NUMBER, TIME) else ()
        if closed and column.gaps:
            choices = (*choices, "")
        default = "" if column.kind == LABELS else column.default
        cells.append(_Cell(column.name, default, choices, not closed, column.usual))
    return cells


def _row_of(given: object, names: list[str]) -> dict[str, str]:
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items()}
    numbers: np.ndarray = given  # type: ignore[assignment]
    return {name: f"{value:.6g}" for name, value in zip(names, numbers.reshape(-1).tolist(), strict=False)}


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


class _Line(QWidget):
    """The controls of one value."""

    changed = Signal(str, str)  # name of the column, its text

    def __init__(self, cell: _Cell, number: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.hide()  # its controls stand in a grid of their own
        self.cell = cell
        self._label = PlainLabel(cell.name, parent)
        self._label.setWordWrap(False)
        self._label.setToolTip(cell.name)
        self._label.setMaximumWidth(110)
        self.edit: QComboBox | QLineEdit
        self.slider: QSlider | None = None
        if cell.choices:
            self.edit = self._combo(parent)
        else:
            self.edit = QLineEdit(cell.default, parent)
            self.edit.textEdited.connect(self._type)
            if cell.usual is not None:
                self.slider = self._slider(parent)
        self.edit.setObjectName(f"tryValue{number}")
        self.edit.setAccessibleName(cell.name)
        self.show_text(cell.default)

    def _combo(self, parent: QWidget) -> QComboBox:
        combo = QComboBox(parent)
        combo.addItems(list(self.cell.choices))
        combo.setEditable(self.cell.open)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.currentTextChanged.connect(self._tell)
        return combo

    def _slider(self, parent: QWidget) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, parent)
        slider.setObjectName("trySlider")
        slider.setAccessibleName(f"{self.cell.name}, in its usual range")
        slider.setRange(0, _STEPS)
        slider.setMinimumWidth(60)
        slider.valueChanged.connect(self._slide)
        return slider

    def put_into(self, rows: QGridLayout, number: int) -> None:
        """Stand in a row of a grid."""
        rows.addWidget(self._label, number, 0)
        if self.slider is None:
            rows.addWidget(self.edit, number, 1, 1, 2)
            return
        rows.addWidget(self.slider, number, 1)
        self.edit.setMaximumWidth(78)
        rows.addWidget(self.edit, number, 2)

    @property
    def text(self) -> str:
        """The value as it stands there."""
        return self.edit.currentText() if isinstance(self.edit, QComboBox) else self.edit.text()

    def show_text(self, text: str) -> None:
        """Show a value. Nothing is told."""
        with QSignalBlocker(self.edit):
            if isinstance(self.edit, QComboBox):
                self.edit.setCurrentText(text)
            else:
                self.edit.setText(text)
        self._move_slider(text)

    def _move_slider(self, text: str) -> None:
        value, usual = _number(text), self.cell.usual
        if self.slider is not None and usual is not None and value is not None:
            share = (value - usual[0]) / max(usual[1] - usual[0], 1e-30)
            with QSignalBlocker(self.slider):
                self.slider.setValue(round(_STEPS * min(1.0, max(0.0, share))))

    def _slide(self, position: int) -> None:
        assert self.cell.usual is not None
        low, high = self.cell.usual
        text = f"{low + (high - low) * position / _STEPS:.4g}"
        assert isinstance(self.edit, QLineEdit)
        self.edit.setText(text)
        self._tell(text)

    def _type(self, text: str) -> None:
        self._move_slider(text)
        self._tell(text)

    def _tell(self, text: str) -> None:
        self.changed.emit(self.cell.name, text)
