"""Samples as the network sees them: a map of the split, and the neighbours of the chosen sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from studio.evaluation.embeddings import Layer, default_layer, layers_of
from studio.evaluation.neighbours import METRICS
from studio.training.errors import TrainingError
from studio.ui import theme
from studio.ui.evaluation.exploring import Explorer, Mapped, Near
from studio.ui.evaluation.map_panel import MapPanel
from studio.ui.evaluation.neighbours_view import NeighbourCell, NeighboursModel
from studio.ui.evaluation.painter import SamplePainter
from studio.ui.gallery.grid_view import GridView
from studio.ui.gallery.opened import TEXTS
from studio.ui.gallery.sample_cell import cell_size, picture_size
from studio.ui.gallery.thumbs import Style
from studio.ui.widgets.plain_text import Heading, PlainLabel

if TYPE_CHECKING:
    from studio.ui.evaluation.work import Evaluated

_SIDE = 64  # pixels of a picture
_ABOUT = "Vectors are what the network makes of a sample behind this block."


class ExplorePanel(QWidget):
    """Chooses the block whose vectors are looked at. What takes long is asked for, and shown when it is there."""

    map_wanted = Signal(object, str)  # Layer, method
    neighbours_wanted = Signal(object, str, str)  # Layer, split in which to seek, metric
    cancel_wanted = Signal()
    sample_chosen = Signal(int)  # place among the predictions
    samples_chosen = Signal(object)  # places (n,) int64
    row_chosen = Signal(int, str)  # number of a sample in the dataset, its split

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("explorePanel")
        self._evaluated: Evaluated | None = None
        self.explorer: Explorer | None = None
        self._layers: tuple[Layer, ...] = ()
        self._busy = False
        self.painter = SamplePainter(self)
        self.layers = self._combo("exploreLayer", "Block whose vectors are looked at")
        self.about = PlainLabel(parent=self, color="node_muted")
        self.about.setObjectName("exploreAbout")
        self.map = MapPanel(self)
        self.near_heading = Heading("Neighbours of the chosen sample", self)
        self.metrics = self._combo("neighbourMetric", "Distance")
        self.metrics.addItems([f"{metric[0].upper()}{metric[1:]} distance" for metric in METRICS])
        self.among = self._combo("neighbourSplit", "Where neighbours are sought")
        self.button = QPushButton("Find neighbours", self)
        self.button.setObjectName("findNeighbours")
        self.button.setAccessibleName("Find the neighbours of the chosen sample")
        self.told = PlainLabel(parent=self, color="node_muted")
        self.told.setObjectName("neighboursTold")
        self.model = NeighboursModel(self.painter.shelf, self)
        self.grid = GridView(self)
        self._cell = NeighbourCell(self)
        self._arrange()
        self._connect()

    def _combo(self, name: str, accessible: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(16)
        return combo

    def _arrange(self) -> None:
        self.grid.setObjectName("neighboursGrid")
        self.grid.setAccessibleName("Neighbours of the chosen sample")
        self.grid.setSelectionMode(GridView.SelectionMode.SingleSelection)
        self.grid.setModel(self.model)
        self.grid.setItemDelegate(self._cell)
        top = QHBoxLayout()
        top.addWidget(self.layers)
        top.addWidget(self.about, 1)
        below = QWidget(self)
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 4, 0, 0)
        lower.addWidget(self.near_heading)
        row = QHBoxLayout()
        for widget in (self.metrics, self.among, self.button):
            row.addWidget(widget)
        row.addStretch()
        lower.addLayout(row)
        lower.addWidget(self.told)
        lower.addWidget(self.grid, 1)
        self._parts = QSplitter(Qt.Orientation.Vertical, self)
        self._parts.setObjectName("splitter_explore")
        self._parts.setChildrenCollapsible(False)
        self._parts.addWidget(self.map)
        self._parts.addWidget(below)
        self._parts.setSizes([400, 300])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.addLayout(top)
        layout.addWidget(self._parts, 1)

    def _connect(self) -> None:
        self.layers.currentIndexChanged.connect(self._show_layer)
        self.map.map_wanted.connect(self._want_map)
        self.map.sample_chosen.connect(self.sample_chosen)
        self.map.samples_chosen.connect(self.samples_chosen)
        self.map.sample_hovered.connect(self._show_hint)
        self.button.clicked.connect(self._want_neighbours)
        self.metrics.activated.connect(self.follow)
        self.among.activated.connect(self.follow)
        self.grid.clicked.connect(self._choose)
        self.grid.opened.connect(self._choose)
        self.painter.drawn.connect(self._take_drawn)

    @property
    def layer(self) -> Layer:
        """The chosen block."""
        return self._layers[self.layers.currentIndex()]

    @property
    def split(self) -> str:
        """Where neighbours are sought."""
        return str(self.among.currentData())

    def begin(self, evaluated: Evaluated) -> None:
        """Another split or network."""
        other = self._evaluated is None or self._evaluated.trained is not evaluated.trained
        self._evaluated = evaluated
        if other:
            self._begin_network(evaluated)
        own = evaluated.predictions.split
        self.among.clear()
        self.among.addItem(f"In the {own} split", own)
        if own != "train":
            self.among.addItem("In the train split", "train")
        self.map.begin(evaluated)
        self.show_near(None)
        self._restyle()

    def _begin_network(self, evaluated: Evaluated) -> None:
        trained = evaluated.trained
        self.explorer = Explorer(trained)
        with QSignalBlocker(self.layers):
            self._layers = layers_of(trained)
            self.layers.clear()
            self.layers.addItems([layer.name for layer in self._layers])
            try:
                self.layers.setCurrentIndex(self._layers.index(default_layer(trained)))
            except TrainingError as error:
                self.map.tell(str(error))
        self.setEnabled(bool(self._layers))
        self._show_note()

    def _show_note(self) -> None:
        if self._layers:
            self.about.setText(f"{self.layer.note[:1].upper()}{self.layer.note[1:]}.")
            self.layers.setToolTip(_ABOUT)

    @Slot()
    def _show_layer(self) -> None:
        """Other vectors: what was shown was made of the last ones."""
        self._show_note()
        if self._evaluated is not None:
            self.map.begin(self._evaluated)
            self.show_near(None)

    # What is asked for ------------------------------------------------------------------------------------------------

    def show_busy(self, busy: bool, *, mine: bool) -> None:
        """Whether something is under way; `mine` if this panel asked for it, so that it can give it up."""
        self._busy = busy and mine
        for button, text in ((self.map.button, "Draw map"), (self.button, "Find neighbours")):
            button.setText("Cancel" if self._busy else text)
            button.setEnabled(mine or not busy)

    @Slot(str)
    def _want_map(self, method: str) -> None:
        if self._busy:
            self.cancel_wanted.emit()
        else:
            self.map_wanted.emit(self.layer, method)

    @Slot()
    def _want_neighbours(self) -> None:
        if self._busy:
            self.cancel_wanted.emit()
        elif self._evaluated is not None:
            self.neighbours_wanted.emit(self.layer, self.split, METRICS[self.metrics.currentIndex()])

    @Slot()
    def follow(self) -> None:
        """Find them anew where that takes no time, since the vectors are there."""
        if self.follows and self.isVisible() and not self._busy:
            self._want_neighbours()

    @property
    def follows(self) -> bool:
        """Whether neighbours can be found without asking the network."""
        explorer, evaluated = self.explorer, self._evaluated
        if explorer is None or evaluated is None or not self._layers:
            return False
        splits = (evaluated.predictions.split, self.split)
        return all(explorer.known(split, self.layer) is not None for split in splits)

    # What came of it --------------------------------------------------------------------------------------------------

    def show_mapped(self, mapped: Mapped) -> None:
        """Show a map."""
        self.map.show_mapped(mapped)
        self.follow()

    def show_near(self, near: Near | None) -> None:
        """Show neighbours; None for none."""
        names = self._evaluated.predictions.names if self._evaluated is not None else ()
        self.model.show_near(near, names)
        self.told.setText(_told(near) if near is not None else "")
        self.painter.want(self.model.samples())

    def show_sample(self, place: int) -> None:
        """Another sample is chosen."""
        self.map.show_chosen(place)
        self.show_near(None)
        self.follow()

    def show_refusal(self, reason: str) -> None:
        """Why there is no map, or are no neighbours."""
        self.map.tell(reason)

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        near = self.model.near
        if near is not None and index.isValid():
            self.row_chosen.emit(near.neighbours[index.row()].row, near.split)

    @Slot(int)
    def _show_hint(self, sample: int) -> None:
        self.painter.want((sample, *self.model.samples()))
        self.map.show_hint(self.painter.shelf.get(sample))

    @Slot()
    def _take_drawn(self) -> None:
        self.model.announce()
        if self.map.hint.isVisible():
            self.map.show_hint(self.painter.shelf.get(self.map.hint.sample))

    def _restyle(self) -> None:
        """Thumbnails in other colours, or of other data."""
        if self._evaluated is None:
            return
        opened = self._evaluated.opened
        self._cell.layout_kind, self._cell.names = opened.layout, opened.names
        size = picture_size(opened.layout, _SIDE)
        self.painter.begin(opened.listing, Style(size, self.devicePixelRatioF(), theme.current(), opened.names))
        line = QSize(0, self.fontMetrics().height() + 2)
        whole = opened.layout not in ("pictures", "plots")
        self.grid.set_cell(
            cell_size(TEXTS if whole else opened.layout, _SIDE, self.fontMetrics()) + line, whole_width=whole
        )
        if whole:
            self._cell.layout_kind = TEXTS
        self.painter.want(self.model.samples())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_parts"):
            self._restyle()


def _told(near: Near) -> str:
    if near.label is None:
        return f"{len(near.neighbours)} nearest of the {near.split} split."
    count = near.disagreeing
    words = f"{count} of the {len(near.neighbours)} nearest of the {near.split} split"
    if not count:
        return f"All {len(near.neighbours)} nearest of the {near.split} split are of the same class."
    more = ": look whether its label is right" if 2 * count > len(near.neighbours) else ""
    return f"{words} {'are' if count > 1 else 'is'} of another class (framed){more}."
