"""What comes from a file or from the data: sounds, arrays, and windows of a series, whose values can be changed.

Axis letters: T steps, D numbers of a step.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QHBoxLayout, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from studio.data.base import DataSpec, Target
from studio.data.forms import RawForm, WindowForm
from studio.data.listing import shown_values
from studio.tensors import TensorSpec, axes_for
from studio.ui.gallery.sample_content import SampleContent
from studio.ui.trying.editor import Editor
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    import numpy as np

    from studio.data.forms import Raw

_MOST_CELLS = 1_000  # of a window whose values can be changed


class FileInput(Editor):
    """A file that is chosen or dropped, or a sample of the data; and what the network sees of it."""

    def __init__(self, form: RawForm, parent: QWidget | None = None) -> None:
        super().__init__(form, parent)
        self.setObjectName("tryContent")
        self._value: object | None = None
        self.content = SampleContent(self)
        self.content.setMinimumHeight(110)
        self.content.hide()
        self.said = PlainLabel(f"{form.about} Drop a file here.", self, color="node_muted")
        top = QHBoxLayout()
        top.addWidget(self.said, 1)
        top.addWidget(self.file_button())
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.addLayout(top)
        self._rows.addWidget(self.content, 1)

    def value(self) -> object | None:
        """The file, or numbers."""
        return self._value

    def show_value(self, given: object) -> None:
        """Numbers of a sample."""
        self._value = given
        self.said.setText("A sample of the data")

    def clear(self) -> None:
        """Nothing."""
        self._value = None
        self.said.setText(f"{self.form.about} Drop a file here.")
        self.content.hide()

    def take_file(self, path: Path) -> None:
        """A file; it is read in the thread that answers."""
        self._value = path
        self.said.setText(path.name)
        self.changed.emit()

    def show_raw(self, raw: Raw) -> None:
        """The numbers as a picture, a plot or cells."""
        values = raw.arrays[0]
        axes = "TD" if self.form.kind == WindowForm.kind else axes_for(values.ndim)
        spec = DataSpec((TensorSpec(values.shape, axes),), Target("regression", ("",)))
        self.content.show_sample(shown_values("", "", values, spec, None), ())
        self.content.show()


class WindowInput(FileInput):
    """Steps of a series, with a table in which they can be changed."""

    form: WindowForm

    def __init__(self, form: WindowForm, parent: QWidget | None = None) -> None:
        super().__init__(form, parent)
        self.table = QTableWidget(self)
        self.table.setObjectName("tryWindow")
        self.table.setAccessibleName("The steps of the window; they can be changed")
        self.table.setMinimumHeight(90)
        self.table.hide()
        self._rows.addWidget(self.table)
        self.table.cellChanged.connect(self._change)

    def show_raw(self, raw: Raw) -> None:
        """The plot, and the numbers, the newest step first."""
        super().show_raw(raw)
        values = raw.arrays[0]
        self._value = values
        if values.size <= _MOST_CELLS and not self.table.hasFocus():
            self._fill(values)

    def _fill(self, values: np.ndarray) -> None:
        with QSignalBlocker(self.table):
            self.table.setRowCount(values.shape[0])
            self.table.setColumnCount(values.shape[1])
            self.table.setHorizontalHeaderLabels(list(self.form.names))
            last = values.shape[0] - 1
            self.table.setVerticalHeaderLabels([f"−{number}" if number else "last" for number in range(last + 1)])
            for row in range(last + 1):
                for column, value in enumerate(values[last - row].tolist()):
                    self.table.setItem(row, column, QTableWidgetItem(f"{value:.6g}"))
        self.table.show()

    def _change(self, row: int, column: int) -> None:
        import numpy as np

        item = self.table.item(row, column)
        if item is None or not isinstance(self._value, np.ndarray):
            return
        try:
            value = float(item.text().replace(",", "."))
        except ValueError:
            with QSignalBlocker(self.table):
                item.setText(f"{float(self._value[len(self._value) - 1 - row, column]):.6g}")
            return
        changed = self._value.copy()
        changed[len(changed) - 1 - row, column] = value
        self._value = changed
        self.changed.emit()

    def clear(self) -> None:
        """Nothing."""
        super().clear()
        self.table.hide()
