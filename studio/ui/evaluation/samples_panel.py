"""The samples of the split, those first at which the network was worst, or those that somebody picked elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QSize, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from studio.data.listing import Shown
from studio.ui import theme
from studio.ui.evaluation.answered_cell import AnsweredCell
from studio.ui.evaluation.painter import SamplePainter
from studio.ui.evaluation.ranked_model import RankedModel
from studio.ui.evaluation.sample_actions import SampleActions
from studio.ui.gallery.grid_view import GridView, ranges_of
from studio.ui.gallery.opened import CELLS, TEXTS
from studio.ui.gallery.sample_cell import cell_size, picture_size
from studio.ui.gallery.sample_table import ROWS_LOOKED_AT, SampleTable
from studio.ui.gallery.thumbs import Style
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.data.choice import DataChoice
    from studio.ui.evaluation.work import Evaluated

LATER_LIST, GIVEN_LIST = "later", "given"  # beside the orders of the inspection
_SIDE = 84  # pixels of a picture
_ORDERS = {
    "highest loss": "Highest loss first",
    "lowest loss": "Lowest loss first",
    "surest mistakes": "Surest mistakes",
    "least sure": "Least sure first",
    "likely wrong labels": "Likely wrong labels",
    LATER_LIST: "To look at later",
    GIVEN_LIST: "Class given by hand",
}
_NONE = {
    "surest mistakes": "There is no mistake in this split.",
    "likely wrong labels": "No label of this split looks wrong.",
}


class SamplesPanel(QWidget):
    """A gallery or a table; the current sample is the chosen one."""

    chosen = Signal(int, object)  # place of a sample, Shown
    selection_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("answersPanel")
        self._evaluated: Evaluated | None = None
        self._cell_places: np.ndarray | None = None
        self._marked: dict[str, np.ndarray] = {}  # places of the samples of which the project says something
        self._wanted_place = -1
        self.marks = SampleActions(self)
        self.painter = SamplePainter(self)
        self.model = RankedModel(self.painter.shelf, self)
        self.order = QComboBox(self)
        self.order.setObjectName("answersOrder")
        self.order.setAccessibleName("Order of the samples")
        self.order.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.all_button = QPushButton("All samples", self)
        self.all_button.setObjectName("answersAll")
        self.all_button.setAccessibleName("Show the samples of all cells again")
        self.about = PlainLabel(parent=self, color="node_muted")
        self.about.setObjectName("answersAbout")
        self.grid = GridView(self)
        self.table = SampleTable(self)
        self.table.setObjectName("answersTable")
        self.table.horizontalHeader().setDefaultSectionSize(64)
        self._cell = AnsweredCell(self)
        self._pages = QStackedWidget(self)
        self._wanting = QTimer(self, singleShot=True, interval=0)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self.grid.setObjectName("answersGrid")
        self.grid.setAccessibleName("Samples with their answers")
        self.grid.setItemDelegate(self._cell)
        for view in (self.grid, self.table):
            view.setModel(self.model)
            self._pages.addWidget(view)
        self.table.setSelectionModel(self.grid.selectionModel())
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 4)
        row.setSpacing(8)
        row.addWidget(self.order)
        row.addWidget(self.all_button)
        row.addWidget(self.about, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.marks)
        self.all_button.hide()

    def _connect(self) -> None:
        self._wanting.timeout.connect(self._want)
        self.painter.drawn.connect(self._take_drawn)
        self.painter.whole_arrived.connect(self._take_whole)
        self.order.activated.connect(self._show_order)
        self.all_button.clicked.connect(self.show_all)
        for view in (self.grid, self.table):
            view.view_changed.connect(self._wanting.start)
        self.grid.selectionModel().currentChanged.connect(self._choose)
        self.grid.selectionModel().selectionChanged.connect(self.selection_changed)

    @property
    def view(self) -> GridView | SampleTable:
        """The gallery or the table, what suits the samples."""
        return self.table if self._evaluated is not None and self._evaluated.opened.layout == CELLS else self.grid

    def begin(self, evaluated: Evaluated) -> None:
        """Show the answers to another split, or of another network; the order stays if it is possible."""
        wanted = self.order.currentData()
        self._evaluated, self._cell_places = evaluated, None
        self.order.clear()
        for name in evaluated.inspection.orders:
            self.order.addItem(_ORDERS[name], name)
        self.order.setCurrentIndex(max(0, self.order.findData(wanted)))
        self._marked = {}
        self.marks.begin(evaluated.predictions.names, classes=evaluated.inspection.guesses is not None)
        self._restyle()
        self._pages.setCurrentWidget(self.view)
        self._show_order()

    def show_marks(self, data: DataChoice | None) -> None:
        """Tell what the project says of these samples; None if it is for other data."""
        model = self.model
        model.excluded = frozenset(data.excluded if data is not None else ())
        model.given = {mark.sample: mark.label for mark in data.relabelled} if data is not None else {}
        model.later = {mark.sample: mark.note for mark in data.later} if data is not None else {}
        model.announce()
        if self._evaluated is not None:
            self._offer_marked(self._evaluated)

    def _offer_marked(self, evaluated: Evaluated) -> None:
        """Lists of marked samples among the orders, where there are any in this split."""
        rows = evaluated.inspection.rows
        known = {LATER_LIST: self.model.later, GIVEN_LIST: self.model.given}
        for name, samples in known.items():
            places = np.searchsorted(rows, np.array(sorted(samples), np.int64))
            inside = places < len(rows)
            places = places[inside][rows[places[inside]] == np.array(sorted(samples), np.int64)[inside]]
            found, self._marked[name] = self.order.findData(name), places
            title = f"{_ORDERS[name]} ({len(places):,})"
            if len(places) and found >= 0:
                self.order.setItemText(found, title)
            elif len(places):
                self.order.addItem(title, name)
            elif found >= 0:
                self.order.removeItem(found)

    def choose_place(self, place: int) -> None:
        """Choose a sample, by its place among the predictions; all are shown again if it is not in view."""
        row = self.model.row_of(place)
        if row is None:
            self.order.setCurrentIndex(0)
            self.show_all()
            row = self.model.row_of(place)
        if row is not None:
            self._go_to(row)

    def choose_sample(self, sample: int) -> None:
        """Choose a sample by its number in the dataset."""
        assert self._evaluated is not None
        rows = self._evaluated.inspection.rows
        place = int(np.searchsorted(rows, sample))
        if place < len(rows) and rows[place] == sample:
            self.choose_place(place)

    def show_some(self, places: np.ndarray) -> None:
        """Show only some samples, such as those that were picked on the map."""
        assert self._evaluated is not None
        self._cell_places = places
        losses = self._evaluated.inspection.losses
        self._show(places[np.argsort(-losses[places], kind="stable")], f"{len(places):,} samples picked on the map")

    def selected_samples(self) -> tuple[int, ...]:
        """Numbers of the selected samples in the dataset."""
        ranges = ranges_of(self.grid.selectionModel().selection())
        return tuple(sorted(self.model.sample(row) for part in ranges for row in range(part.top(), part.bottom() + 1)))

    def show_cell(self, truth: int, guess: int) -> None:
        """Show only the samples of a class that were taken for a class."""
        assert self._evaluated is not None
        names = self._evaluated.predictions.names
        self._cell_places = self._evaluated.inspection.of_cell(truth, guess)
        words = f"“{names[truth]}” → “{names[guess]}”"
        many = ", most first" if self._evaluated.inspection.guesses is None else ""
        self._show(self._cell_places, f"{len(self._cell_places):,} samples: {words}{many}")

    @Slot()
    def show_all(self) -> None:
        """Show the samples of all cells again."""
        self._cell_places = None
        self._show_order()

    @Slot()
    def _show_order(self) -> None:
        if self._evaluated is not None:
            self._cell_places = None
            name = self.order.currentData()
            places = self._marked[name] if name in self._marked else self._evaluated.inspection.orders[name]
            self._show(places, f"{len(places):,} samples" if len(places) else _NONE.get(name, "No samples."))

    def _show(self, places: np.ndarray, about: str) -> None:
        self.all_button.setVisible(self._cell_places is not None)
        self.about.setText(about)
        self.model.show_places(self._evaluated, places)
        if self.view is self.table:
            self.table.fit_columns()
        if len(places):
            self._go_to(0)
        self._wanting.start()

    def _go_to(self, row: int) -> None:
        select = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        index = self.model.index(row, 0)
        self.grid.selectionModel().setCurrentIndex(index, select)
        self.view.scrollTo(index)

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        if index.isValid():
            self._wanted_place = self.model.place(index.row())
            self.painter.want_whole(self.model.sample(index.row()))

    @Slot(int, object)
    def _take_whole(self, sample: int, shown: Shown) -> None:
        if self._evaluated is not None and int(self._evaluated.inspection.rows[self._wanted_place]) == sample:
            self.chosen.emit(self._wanted_place, shown)

    @Slot(object)
    def _take_drawn(self, samples: set[int]) -> None:
        self.model.announce([row for row in self.view.visible_rows() if self.model.sample(row) in samples])
        if self.table.isVisible() and self.view.visible_rows().start < ROWS_LOOKED_AT:
            self.table.fit_columns()

    def _restyle(self) -> None:
        """Thumbnails in other colours, or of other data."""
        if self._evaluated is None:
            return
        opened = self._evaluated.opened
        self._cell.layout_kind, self._cell.names = opened.layout, opened.names
        size = picture_size(opened.layout, _SIDE)
        self.painter.begin(opened.listing, Style(size, self.devicePixelRatioF(), theme.current(), opened.names))
        line = QSize(0, self.fontMetrics().height() + 2)
        self.grid.set_cell(
            cell_size(opened.layout, _SIDE, self.fontMetrics()) + line, whole_width=opened.layout == TEXTS
        )

    @Slot()
    def _want(self) -> None:
        """Ask for what is in view, then for what comes next."""
        if self._evaluated is None or not self.isVisible():
            return
        seen = self.view.visible_rows()
        more = range(seen.stop, min(self.model.rowCount(), seen.stop + len(seen)))
        self.painter.want(tuple(self.model.sample(row) for rows in (seen, more) for row in rows))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._restyle()
            self._wanting.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wanting.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._wanting.stop()
