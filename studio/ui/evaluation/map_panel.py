"""The map of a split with its tools, its classes, and the sample under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.evaluation.projections import HOW_TO_GET_UMAP, UMAP, methods
from studio.ui import theme
from studio.ui.evaluation.exploring import Mapped
from studio.ui.evaluation.map_view import TOOLS, MapView
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.ui.evaluation.work import Evaluated
    from studio.ui.gallery.thumbs import Thumb

_MOST_NAMED = 200  # classes in the legend
_LEGEND_WIDTH = 118  # pixels
_TOOL_TIPS = {
    "Lasso": "Drag around samples to list them",
    "Rectangle": "Drag a rectangle over samples to list them",
    "Move": "Drag to move the map; the wheel zooms",
}


class MapPanel(QWidget):
    """Asks for a map, shows it, and tells which samples are meant."""

    map_wanted = Signal(str)  # method
    sample_chosen = Signal(int)  # place among the predictions
    samples_chosen = Signal(object)  # places (n,) int64
    sample_hovered = Signal(int)  # number in the dataset

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mapPanel")
        self._mapped: Mapped | None = None
        self._evaluated: Evaluated | None = None
        self.methods = QComboBox(self)
        self.methods.setObjectName("mapMethod")
        self.methods.setAccessibleName("How the map is made")
        self.methods.addItems(list(methods()))
        if UMAP not in methods():
            self.methods.setToolTip(HOW_TO_GET_UMAP)
        self.button = QPushButton("Draw map", self)
        self.button.setObjectName("drawMap")
        self.button.setAccessibleName("Draw the map of the split")
        self.view = MapView(self)
        self.mistakes = QCheckBox("Only mistakes", self)
        self.mistakes.setObjectName("mapMistakes")
        self.legend = QListWidget(self)
        self.legend.setObjectName("mapLegend")
        self.legend.setAccessibleName("Classes on the map")
        self.legend.setFixedWidth(_LEGEND_WIDTH)
        self.note = PlainLabel(parent=self, color="node_muted")
        self.note.setObjectName("mapNote")
        self.hint = _Hint(self.view)
        self._arrange()
        self.button.clicked.connect(lambda: self.map_wanted.emit(self.methods.currentText()))
        self.legend.itemChanged.connect(self._show_wanted)
        self.mistakes.toggled.connect(self._show_wanted)
        self.view.hovered.connect(self._hover)
        self.view.chosen.connect(lambda point: self.sample_chosen.emit(self._places(np.array([point]))[0]))
        self.view.selected.connect(lambda points: self.samples_chosen.emit(self._places(points)))

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.methods)
        top.addWidget(self.button)
        top.addStretch()
        self._tools = QButtonGroup(self)
        for tool in TOOLS:
            button = QToolButton(self)
            button.setObjectName(f"map{tool}")
            button.setText(tool)
            button.setAccessibleName(f"{tool}: {_TOOL_TIPS[tool]}")
            button.setToolTip(_TOOL_TIPS[tool])
            button.setCheckable(True)
            button.setAutoRaise(True)
            button.setChecked(tool == self.view.tool)
            button.clicked.connect(lambda _on, tool=tool: setattr(self.view, "tool", tool))
            self._tools.addButton(button)
            top.addWidget(button)
        self._side = QWidget(self)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(self.mistakes)
        side.addWidget(self.legend, 1)
        middle = QHBoxLayout()
        middle.addWidget(self.view, 1)
        middle.addWidget(self._side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addLayout(middle, 1)
        layout.addWidget(self.note)
        self._show_map(shown=False)

    def _show_map(self, *, shown: bool) -> None:
        self.view.setVisible(shown)
        self._side.setVisible(shown)
        for button in self._tools.buttons():
            button.setVisible(shown)
        self.note.setVisible(bool(self.note.text()))

    def begin(self, evaluated: Evaluated) -> None:
        """Another split or network: there is no map of it yet."""
        self._evaluated, self._mapped = evaluated, None
        self.note.setText("")
        self.hint.hide()
        self._show_map(shown=False)

    def tell(self, words: str) -> None:
        """Say something below the map, such as why there is none."""
        self.note.setText(words)
        self.note.setVisible(bool(words))

    def show_mapped(self, mapped: Mapped) -> None:
        """Show a map of what `begin` told of."""
        assert self._evaluated is not None
        self._mapped = mapped
        inspection, places = self._evaluated.inspection, mapped.projection.places
        wrong = np.zeros(len(places), bool)
        if inspection.guesses is not None and inspection.targets is not None:
            wrong = (inspection.guesses != inspection.targets)[places]
        self._wrong = wrong
        found = mapped.embeddings.classes
        self._classes = None if found is None else found[places]
        self.note.setText(f"{mapped.projection.note} {'Rings are mistakes.' if wrong.any() else ''}".strip())
        self._fill_legend()
        self._show_map(shown=True)
        self.mistakes.setVisible(bool(wrong.any()))
        self._side.setVisible(bool(wrong.any()) or self._classes is not None)
        self.view.show_points(mapped.projection.points, self._classes, wrong)
        self._show_wanted()

    def _fill_legend(self) -> None:
        assert self._evaluated is not None
        with QSignalBlocker(self.legend):
            self.legend.clear()
            self.legend.setVisible(self._classes is not None)
            if self._classes is None:
                return
            names, present = self._evaluated.predictions.names, np.unique(self._classes)
            for number in present[:_MOST_NAMED].tolist():
                item = QListWidgetItem(names[number].replace("\n", " ")[:60], self.legend)
                item.setData(Qt.ItemDataRole.UserRole, number)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked)
            self._color_legend()

    def _color_legend(self) -> None:
        with QSignalBlocker(self.legend):
            for row in range(self.legend.count()):
                swatch, item = QPixmap(10, 10), self.legend.item(row)
                swatch.fill(theme.current().class_color(item.data(Qt.ItemDataRole.UserRole)))
                item.setIcon(swatch)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_side"):
            self._color_legend()

    @Slot()
    def _show_wanted(self) -> None:
        """Only the classes that are ticked, and only mistakes if so."""
        if self._mapped is None:
            return
        shown = np.ones(len(self._mapped.projection.places), bool)
        if self._classes is not None:
            items = [self.legend.item(row) for row in range(self.legend.count())]
            off = [item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() != Qt.CheckState.Checked]
            shown = ~np.isin(self._classes, off)
        self.view.show_only(
            shown & self._wrong if self.mistakes.isChecked() and self.mistakes.isVisibleTo(self) else shown
        )

    def _places(self, points: np.ndarray) -> np.ndarray:
        assert self._mapped is not None
        return np.asarray(self._mapped.projection.places[points])

    def show_chosen(self, place: int) -> None:
        """Mark the sample that is chosen, if it is on the map."""
        if self._mapped is not None:
            places = self._mapped.projection.places
            point = int(np.searchsorted(places, place))
            self.view.mark(point if point < len(places) and places[point] == place else -1)

    # The sample under the pointer -------------------------------------------------------------------------------------

    @Slot(int)
    def _hover(self, point: int) -> None:
        self.hint.hide()
        if point >= 0 and self._evaluated is not None:
            place = int(self._places(np.array([point]))[0])
            self.hint.sample = int(self._evaluated.inspection.rows[place])
            self.hint.words = self._words(place)
            self.sample_hovered.emit(self.hint.sample)

    def _words(self, place: int) -> str:
        assert self._evaluated is not None
        inspection = self._evaluated.inspection
        truth, verdict = inspection.truth(place), inspection.verdict(place)
        parts = (f"Sample {self.hint.sample + 1:,}", truth[:60], f"answered {verdict.text[:60]}")
        return "\n".join(part for part in parts if part)

    def show_hint(self, thumb: Thumb | None) -> None:
        """Show the sample under the pointer; its thumbnail if it has one."""
        self.hint.show_near(self.view.mapFromGlobal(self.cursor().pos()), thumb)


class _Hint(QFrame):
    """A small picture of a sample with what is said of it, beside the pointer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._map = parent
        self.setObjectName("mapHint")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.sample, self.words = -1, ""
        self._picture = QLabel(self)
        self._text = PlainLabel(parent=self)
        self._text.setWordWrap(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(5, 5, 5, 5)
        layout.addWidget(self._picture)
        layout.addWidget(self._text)
        self.hide()

    def show_near(self, at: QPoint, thumb: Thumb | None) -> None:
        image = thumb.image if thumb is not None else None
        self._picture.setVisible(image is not None)
        if image is not None:
            self._picture.setPixmap(QPixmap.fromImage(image))
        text = thumb.text[:60] if thumb is not None else ""
        self._text.setText("\n".join(part for part in (self.words, text) if part))
        self.adjustSize()
        room = self._map.rect()
        left = at.x() + 14 if at.x() + 14 + self.width() <= room.width() else at.x() - 14 - self.width()
        self.move(max(0, left), max(0, min(at.y() - self.height() // 2, room.height() - self.height())))
        self.show()
        self.raise_()
