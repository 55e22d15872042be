"""The decision surface: what the network makes of data with two features, while it trains and after."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.training.events import Plane, Points, Surface
from studio.ui.panels.live_plot import LivePlot
from studio.ui.panels.plot_view import LEFT_WIDTH
from studio.ui.panels.surface_view import BOTTOM_HEIGHT, SurfaceView
from studio.ui.theme import Theme
from studio.ui.widgets.legend import DIAMOND, DISC, SQUARE, Entry, Legend
from studio.ui.widgets.plain_text import Heading, PlainLabel

_SMALLEST = 160  # pixels of a side of the plane


class SurfacePanel(LivePlot):
    """A plane coloured by class: the stronger, the surer the network; samples on it, a legend below.

    Made when a run tells of a plane, which is after pyqtgraph was loaded.
    """

    share_of_time: ClassVar[float] = 0.01  # it comes on top of the curves

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("surfacePanel")
        self._surface: Surface | None = None
        self._view = SurfaceView(self)
        self._view.setObjectName("surfaceView")
        self.caption = PlainLabel(parent=self, color="node_muted")
        self.caption.setObjectName("surfaceCaption")
        self.caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.legend = Legend(self)
        self.legend.setObjectName("surfaceLegend")
        self._arrange()

    def _arrange(self) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(6, 0, 6, 0)
        header.addWidget(Heading("Decision surface", self))
        header.addWidget(self.caption, 1)
        hint = PlainLabel("The stronger a colour, the surer the network.", self, color="node_muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(header)
        layout.addWidget(_Square(self._view, self))
        layout.addWidget(self.legend)
        layout.addWidget(hint)
        layout.addStretch(1)

    def begin(self, plane: Plane) -> None:
        """Show the samples of a new run."""
        self._surface = None
        self._view.set_plane(plane)
        self._view.setAccessibleName(f"Decision surface over {plane.features[0]} and {plane.features[1]}")
        self.caption.setText("")
        self.legend.set_entries(_entries(plane))

    def show_surface(self, surface: Surface) -> None:
        """Take in the newest surface; it is drawn when it is time."""
        self._surface = surface
        self._mark_changed()

    def _draw(self) -> None:
        if self._surface is not None:
            self._view.draw(self._surface)
            self.caption.setText(_caption(self._surface))


class _Square(QWidget):
    """Keeps a view's plane, which is what its axes leave of it, as high as wide."""

    _BESIDE, _BELOW = LEFT_WIDTH + 10, BOTTOM_HEIGHT + 6  # pixels that axes and margins take

    def __init__(self, view: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = view
        view.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumSize(self._BESIDE + _SMALLEST, self._BELOW + _SMALLEST)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return width - self._BESIDE + self._BELOW

    def sizeHint(self) -> QSize:
        return QSize(360, self.heightForWidth(360))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = min(self.width() - self._BESIDE, self.height() - self._BELOW)
        self._view.setGeometry(0, 0, side + self._BESIDE, side + self._BELOW)


def _caption(surface: Surface) -> str:
    if surface.best:
        return f"Best weights, epoch {surface.epoch:,}"
    return f"Epoch {surface.epoch:,}" if surface.epoch else "Before training"


def _entries(plane: Plane) -> tuple[Entry, ...]:
    classes = [Entry(SQUARE, partial(_class_color, number), name) for number, name in enumerate(plane.classes)]
    splits = ((DISC, "Training", "train"), (DIAMOND, "Validation", "validation"))
    markers = [Entry(marker, _muted, f"{title}{_share(plane.points[split])}") for marker, title, split in splits]
    return (*classes, *markers)


def _share(points: Points) -> str:
    shown = len(points.x)
    return f" ({shown:,} of {points.total:,})" if shown < points.total else ""


def _class_color(number: int, colors: Theme) -> QColor:
    return colors.class_color(number)


def _muted(colors: Theme) -> QColor:
    return colors.node_muted
