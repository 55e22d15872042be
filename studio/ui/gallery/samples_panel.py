"""The samples of the project's data: filters above, and a gallery, a table or one sample below."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from studio.data.listing import Shown
from studio.data.marks import Later
from studio.ui import theme
from studio.ui.document import Document
from studio.ui.gallery.browser import SHOWN, DataBrowser
from studio.ui.gallery.empty_state import EmptyState
from studio.ui.gallery.filter_bar import FilterBar
from studio.ui.gallery.grid_view import GridView, ranges_of
from studio.ui.gallery.opened import CELLS, TEXTS, Opened
from studio.ui.gallery.sample_cell import SampleCell, cell_size, picture_size
from studio.ui.gallery.sample_detail import SampleDetail
from studio.ui.gallery.sample_model import SampleModel
from studio.ui.gallery.sample_table import ROWS_LOOKED_AT, SampleTable
from studio.ui.gallery.thumbs import Style

_AHEAD = 1.0  # of what is in view, drawn before it is scrolled to


class SamplesPanel(QWidget):
    """Shows what the browser opened, and asks it for what is in view."""

    def __init__(self, document: Document, browser: DataBrowser, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("samplesPanel")
        self._document = document
        self._browser = browser
        self._opened: Opened | None = None
        self.model = SampleModel(browser.shelf, self)
        self.filters = FilterBar(self)
        self.empty = EmptyState(self)
        self.grid = GridView(self)
        self.table = SampleTable(self)
        self.detail = SampleDetail(self)
        self._cell = SampleCell(self)
        self._pages = QStackedWidget(self)
        self._wanting = QTimer(self, singleShot=True, interval=0)
        self._wanting.timeout.connect(self._want)
        self._arrange()
        self._connect()
        self._follow()

    def _arrange(self) -> None:
        self.grid.setObjectName("sampleGrid")
        self.grid.setAccessibleName("Samples")
        self.grid.setItemDelegate(self._cell)
        for view in (self.grid, self.table):
            view.setModel(self.model)
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.installEventFilter(self)
        self.table.setSelectionModel(self.grid.selectionModel())
        for page in (self.empty, self.grid, self.table, self.detail):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.filters)
        layout.addWidget(self._pages, 1)

    def _connect(self) -> None:
        browser, filters, detail = self._browser, self.filters, self.detail
        browser.changed.connect(self._follow)
        browser.drawn.connect(self._take_drawn)
        browser.whole_arrived.connect(self._take_whole)
        filters.filter_changed.connect(self._filter)
        filters.size_changed.connect(self._restyle)
        filters.open_wanted.connect(lambda: self.open_sample(self.grid.currentIndex()))
        filters.leave_out_wanted.connect(self.leave_out)
        filters.take_back_wanted.connect(self.take_back)
        filters.later_wanted.connect(self.look_later)
        filters.file_class_wanted.connect(self.take_class_back)
        for view in (self.grid, self.table):
            view.opened.connect(self.open_sample)
            view.view_changed.connect(self._wanting.start)
            view.customContextMenuRequested.connect(self._show_menu)
        self.grid.selectionModel().selectionChanged.connect(self._show_selected)
        detail.back_wanted.connect(self.close_sample)
        detail.step_wanted.connect(self._step)
        detail.leave_out_wanted.connect(lambda: self._exclude({detail.sample}, out=True))
        detail.take_back_wanted.connect(lambda: self._exclude({detail.sample}, out=False))
        self.empty.again_wanted.connect(browser.reread)
        self.empty.stop_wanted.connect(browser.stop)

    @property
    def view(self) -> GridView | SampleTable:
        """The gallery or the table, what suits the samples."""
        return self.table if self._opened is not None and self._opened.layout == CELLS else self.grid

    # What is shown ----------------------------------------------------------------------------------------------------

    @Slot()
    def _follow(self) -> None:
        """The browser is at something else."""
        opened = self._browser.opened
        if self._browser.state != SHOWN or opened is None:
            self._opened = None
            self.model.show_samples(None, [])
            self.filters.hide()
            self.empty.show_state(self._browser, self._document.project.data.source)
            self._pages.setCurrentWidget(self.empty)
            return
        known, self._opened = self._opened, opened
        if known is None or known.listing is not opened.listing:
            self.filters.begin()
            self._begin(opened)
        self.filters.show_opened(opened)
        self._filter()
        if self._pages.currentWidget() is self.detail:
            self.detail.show_part(opened.part_of(self.detail.sample), _said(opened, self.detail.sample))

    def _begin(self, opened: Opened) -> None:
        """Another dataset."""
        self._cell.layout_kind = opened.layout
        self._restyle()
        self.filters.show()
        self._pages.setCurrentWidget(self.view)

    @Slot()
    def _restyle(self) -> None:
        """Thumbnails of another size, in other colours, or of other data."""
        if self._opened is None:
            return
        layout, side = self._opened.layout, self.filters.side.value()
        self._cell.names = self._opened.names
        size = picture_size(layout, side)
        self._browser.set_style(Style(size, self.devicePixelRatioF(), theme.current(), self._opened.names))
        self.grid.set_cell(cell_size(layout, side, self.fontMetrics()), whole_width=layout == TEXTS)
        self._wanting.start()

    @Slot()
    def _filter(self) -> None:
        """Show the samples that are wanted; if these are the same ones, everything else stays as it is."""
        opened = self._opened
        if opened is None:
            return
        samples = self.filters.problem_samples
        rows = (
            [s for s in sorted(samples) if s < opened.count]
            if samples
            else opened.rows(self.filters.part, self.filters.label)
        )
        if self.model.has(rows):
            self.model.take_division(opened)
        else:
            self.model.show_samples(opened, rows)
            self.table.fit_columns()
        self.filters.show_count(len(rows), opened.count)
        self._show_selected()
        self._wanting.start()

    @Slot(object)
    def show_problem(self, samples: tuple[int, ...]) -> None:
        """Show only these samples, those of a problem."""
        if self._opened is not None:
            self.close_sample()
            self.filters.show_problem(samples)

    @Slot()
    def _want(self) -> None:
        """Ask for what is in view, then for what comes next."""
        if self._opened is None or not self.isVisible():
            return
        seen = self.view.visible_rows()
        more = range(seen.stop, min(self.model.rowCount(), seen.stop + round(_AHEAD * len(seen))))
        self._browser.want(tuple(self.model.sample(row) for rows in (seen, more) for row in rows))

    @Slot(object)
    def _take_drawn(self, samples: list[int]) -> None:
        rows = [row for row in map(self.model.row_of, samples) if row is not None]
        if rows:
            self.model.take_drawn(min(rows), max(rows))
            if self.table.isVisible() and min(rows) < ROWS_LOOKED_AT:
                self.table.fit_columns()

    # One sample -------------------------------------------------------------------------------------------------------

    @Slot(QModelIndex)
    def open_sample(self, index: QModelIndex) -> None:
        """Show a sample large."""
        if index.isValid():
            self.detail.begin(self.model.sample(index.row()))
            self._browser.want_whole(self.detail.sample)

    @Slot(int, object)
    def _take_whole(self, sample: int, shown: Shown) -> None:
        opened = self._opened
        if opened is None or opened.listing is None or sample != self.detail.sample:
            return
        self.detail.show_sample(shown, opened.part_of(sample), opened.names, _said(opened, sample))
        if self._pages.currentWidget() is not self.detail:
            self.filters.hide()
            self._pages.setCurrentWidget(self.detail)
            self.detail.setFocus()

    @Slot()
    def close_sample(self) -> None:
        """Back to the gallery, with the sample in view."""
        self.filters.show()
        self._browser.want_whole(None)
        self._pages.setCurrentWidget(self.view)
        self.view.setFocus()

    @Slot(int)
    def _step(self, step: int) -> None:
        row = self.model.row_of(self.detail.sample)
        wanted = row + step if row is not None else -1
        if 0 <= wanted < self.model.rowCount():
            index = self.model.index(wanted, 0)
            self.view.setCurrentIndex(index)
            self.open_sample(index)

    # Left out or not --------------------------------------------------------------------------------------------------

    def selected_samples(self) -> set[int]:
        """Numbers of the selected samples."""
        ranges = ranges_of(self.grid.selectionModel().selection())
        return {self.model.sample(row) for part in ranges for row in range(part.top(), part.bottom() + 1)}

    @Slot()
    def leave_out(self) -> None:
        """Leave the selected samples out of all splits."""
        self._exclude(self.selected_samples(), out=True)

    @Slot()
    def take_back(self) -> None:
        """Use the selected samples again."""
        self._exclude(self.selected_samples(), out=False)

    def _exclude(self, samples: set[int], *, out: bool) -> None:
        data = self._document.project.data
        known = set(data.excluded)
        changed = samples - known if out else samples & known
        if not changed:
            return
        excluded = tuple(sorted(known | changed if out else known - changed))
        text = f"Leave out {_counted(changed)}" if out else f"Take back {_counted(changed)}"
        self._document.choose_data(replace(data, excluded=excluded), text, own_step=True)
        if self._pages.currentWidget() is self.view:
            self.view.setFocus()  # the button that was pressed is disabled now

    @Slot(bool)
    def look_later(self, later: bool) -> None:
        """Put the selected samples on the list of those to look at later, or take them off it."""
        data, samples = self._document.project.data, self.selected_samples()
        known = {mark.sample for mark in data.later}
        changed = samples - known if later else samples & known
        if changed:
            kept = tuple(mark for mark in data.later if mark.sample not in changed)
            chosen = data.noted(map(Later, changed)) if later else replace(data, later=kept)
            text = f"Look at {_counted(changed)} later" if later else f"Take {_counted(changed)} off the list"
            self._document.choose_data(chosen, text, own_step=True)

    @Slot()
    def take_class_back(self) -> None:
        """Give the selected samples the classes of their files again."""
        data, samples = self._document.project.data, self.selected_samples()
        kept = tuple(mark for mark in data.relabelled if mark.sample not in samples)
        changed = {mark.sample for mark in data.relabelled} & samples
        if changed:
            text = f"Class of {_counted(changed)} as in the file"
            self._document.choose_data(replace(data, relabelled=kept), text, own_step=True)

    @Slot()
    def _show_selected(self) -> None:
        data, samples = self._document.project.data, self.selected_samples()
        out = len(samples & set(data.excluded))
        by_hand = sum(mark.sample in samples for mark in data.relabelled)
        later = sum(mark.sample in samples for mark in data.later)
        self.filters.show_selected(len(samples) - out, out, by_hand, later)

    @Slot(QPoint)
    def _show_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setObjectName("sampleMenu")
        filters = self.filters
        buttons = (filters.open, filters.leave_out, filters.take_back, filters.later, filters.file_class)
        for button in (button for button in buttons if not button.isHidden()):
            action = menu.addAction(button.text())
            action.setEnabled(button.isEnabled())
            action.triggered.connect(button.click)
        menu.popup(self.view.viewport().mapToGlobal(place))

    # Events -----------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Delete:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.take_back() if shift else self.leave_out()
            return True
        return False

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._restyle()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wanting.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._wanting.stop()


def _counted(samples: set[int]) -> str:
    return f"{len(samples):,} samples" if len(samples) > 1 else f"sample {min(samples) + 1:,}"


def _said(opened: Opened, sample: int) -> str:
    """What a person said of a sample."""
    given = next((f"class by hand: {mark.label}" for mark in opened.choice.relabelled if mark.sample == sample), "")
    later = next((f"look later: {mark.note}" for mark in opened.choice.later if mark.sample == sample), "")
    return " · ".join(part.removesuffix(": ") for part in (given, later) if part)
