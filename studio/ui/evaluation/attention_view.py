"""Shows what looks at what: the attention weights of a layer as a map, with words, places or steps at its sides.

Axis letters: H heads, T queries, S keys.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from studio.data.listing import Shown
from studio.ui import theme
from studio.ui.evaluation.explained_view import overlay_pixels, sign_color
from studio.ui.gallery.drawing import draw_plot, to_image
from studio.ui.theme import Theme
from studio.ui.widgets.picture_view import fitted
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.explain.attended import Attended, Sight

MEAN, EACH = -1, -2  # in the place of the number of a head
_LABELS = 0.24  # share of the room that names may take at most
_BELOW = 0.36  # share of the height for the picture or the series
_GAP = 6  # pixels


class AttentionView(QWidget):
    """One layer and head at a time, or all heads beside each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attentionView")
        self.attended: Attended | None = None
        self.layers = self._combo("attentionLayer", "Layer whose attention is shown")
        self.heads = self._combo("attentionHead", "Head that is shown")
        self.map = AttentionMapView(self)
        self.told = PlainLabel(parent=self, color="node_muted")
        self.told.setObjectName("attentionTold")
        row = QHBoxLayout()
        row.addWidget(self.layers, 2)
        row.addWidget(self.heads, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(row)
        layout.addWidget(self.map, 1)
        layout.addWidget(self.told)
        self.layers.currentIndexChanged.connect(self._show_layer)
        self.heads.currentIndexChanged.connect(self._show_head)
        self.map.pointed.connect(self._tell)
        self.map.head_chosen.connect(lambda head: self.heads.setCurrentIndex(self.heads.findData(head)))

    def _combo(self, name: str, accessible: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return combo

    def show_attended(self, attended: Attended) -> None:
        """Show another sample; layer and head stay."""
        known = self.layers.currentIndex()
        self.attended = attended
        self.layers.blockSignals(True)
        self.layers.clear()
        for sight in attended.sights:
            self.layers.addItem(sight.title)
        self.layers.setCurrentIndex(known if 0 <= known < len(attended.sights) else 0)
        self.layers.blockSignals(False)
        self._show_layer()

    @Slot()
    def _show_layer(self) -> None:
        if self.attended is None:
            return
        sight, known = self.attended.sights[max(0, self.layers.currentIndex())], self.heads.currentData()
        self.heads.blockSignals(True)
        self.heads.clear()
        count = len(sight.weights)
        if count > 1:
            self.heads.addItem("Mean of heads", MEAN)
            self.heads.addItem("All heads", EACH)
        for head in range(count):
            self.heads.addItem(f"Head {head + 1}" if count > 1 else "One head", head)
        self.heads.setCurrentIndex(max(0, self.heads.findData(known)))
        self.heads.blockSignals(False)
        self.heads.setEnabled(count > 1)
        self.map.show_sight(sight, self.heads.currentData())
        self._tell(-1, -1)

    @Slot()
    def _show_head(self) -> None:
        if self.heads.currentData() is not None:
            self.map.show_head(self.heads.currentData())
            self._tell(-1, -1)

    @Slot(int, int)
    def _tell(self, query: int, key: int) -> None:
        sight = self.map.sight
        if sight is None:
            return
        if self.map.head == EACH:
            self.told.setText("Click a head to see it alone.")
        elif query < 0:
            self.told.setText("Each row shows where one step looks, and sums up to 1. Click a row to choose it.")
        else:
            weight = float(self.map.shown_weights[query, key])
            self.told.setText(
                f"“{_label(sight.queries[query])}” looks at “{_label(sight.keys[key])}” with {weight:.3f}."
            )


class AttentionMapView(QWidget):
    """Paints it; a row can be chosen, whose weights are then laid over the picture or the series."""

    pointed = Signal(int, int)  # query and key under the pointer; -1 for none
    head_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attentionMap")
        self.setAccessibleName("Attention weights: rows look at columns")
        self.setMinimumSize(160, 160)
        self.setMouseTracking(True)
        self.sight: Sight | None = None
        self.head = MEAN
        self.query = -1  # that is chosen; -1: the mean over all
        self.shown_weights = np.zeros((0, 0), np.float32)  # (T, S)

    def show_sight(self, sight: Sight, head: int) -> None:
        """Show another layer; a head's number, MEAN or EACH."""
        if self.sight is None or len(sight.queries) != len(self.sight.queries):
            self.query = -1
        self.sight = sight
        self.show_head(head)

    def show_head(self, head: int) -> None:
        """Show another head of the same layer."""
        assert self.sight is not None
        self.head = head
        weights = self.sight.weights
        self.shown_weights = weights.mean(0) if head in (MEAN, EACH) else weights[head]
        self.update()

    # Places -----------------------------------------------------------------------------------------------------------

    def _has_below(self) -> bool:
        return self.sight is not None and (self.sight.picture is not None or self.sight.series is not None)

    def _map_room(self) -> QRectF:
        """Where the map stands, without its names."""
        assert self.sight is not None
        room, metrics = QRectF(self.rect()), self.fontMetrics()
        if self._has_below():
            room.setHeight((1 - _BELOW) * room.height())
        left, top = (max(metrics.horizontalAdvance(_label(name)) for name in names) for names in
                     (self.sight.queries, self.sight.keys))  # fmt: skip
        left_room = min(left + _GAP + 3, _LABELS * room.width())
        if top < (room.width() - left_room) / len(self.sight.keys):  # short ones lie
            top = metrics.height()
        return room.adjusted(left_room, min(top + _GAP + 3, _LABELS * room.height()), -1, -1)

    def _below(self) -> QRectF:
        room = QRectF(self.rect())
        room.setTop((1 - _BELOW) * room.height() + _GAP)
        return room

    def _head_rooms(self) -> list[QRectF]:
        """Where each head stands, where all are shown."""
        assert self.sight is not None
        count = len(self.sight.weights)
        columns = max(1, math.ceil(math.sqrt(count * self.width() / max(self.height(), 1))))
        rows = math.ceil(count / columns)
        width, height = self.width() / columns, self.height() / rows
        return [
            QRectF(number % columns * width, number // columns * height, width - _GAP, height - _GAP)
            for number in range(count)
        ]

    def _cell_at(self, position: QPointF) -> tuple[int, int]:
        room = self._map_room()
        if not room.contains(position) or not self.shown_weights.size:
            return -1, -1
        rows, columns = self.shown_weights.shape
        row = int((position.y() - room.top()) / room.height() * rows)
        return min(row, rows - 1), min(int((position.x() - room.left()) / room.width() * columns), columns - 1)

    # Painting ---------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.sight is None:
            return
        painter = QPainter(self)
        try:
            colors = theme.current()
            if self.head == EACH:
                self._paint_heads(painter, colors)
            else:
                self._paint_map(painter, self._map_room(), self.shown_weights, colors)
                self._paint_names(painter, self._map_room(), colors)
                if self._has_below():
                    self._paint_below(painter, self._below(), colors)
        finally:
            painter.end()

    def _paint_map(self, painter: QPainter, room: QRectF, weights: np.ndarray, colors: Theme) -> None:
        painter.fillRect(room, colors.canvas)
        rows, columns = (max(1, int(count / (2 * side))) for count, side in
                         zip(weights.shape, (room.height(), room.width()), strict=True))  # fmt: skip
        pixels = overlay_pixels(weights[::rows, ::columns], max(float(weights.max(initial=0.0)), 1e-30), colors, 1.0)
        image = to_image(pixels, (room.size() * self.devicePixelRatioF()).toSize())
        painter.drawImage(room, image)
        if self.query >= 0:
            height = room.height() / max(len(weights), 1)
            painter.setPen(QPen(colors.node_text, 1.5))
            painter.drawRect(QRectF(room.left(), room.top() + self.query * height, room.width(), height))

    def _paint_names(self, painter: QPainter, room: QRectF, colors: Theme) -> None:
        """Those of the queries at the left, those of the keys above, upright if long; as many as there is room for."""
        assert self.sight is not None
        metrics = self.fontMetrics()
        height, width = room.height() / len(self.sight.queries), room.width() / len(self.sight.keys)
        every = max(1, math.ceil(metrics.height() / height))
        painter.setPen(colors.node_text)
        for number, name in list(enumerate(self.sight.queries))[::every]:
            place = QRectF(0, room.top() + number * height, room.left() - _GAP, max(height, metrics.height()))
            text = metrics.elidedText(_label(name), Qt.TextElideMode.ElideMiddle, int(place.width()))
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        names = [_label(name) for name in self.sight.keys]
        if max(map(metrics.horizontalAdvance, names)) < width:
            for number, name in enumerate(names):
                place = QRectF(
                    room.left() + number * width, room.top() - _GAP - metrics.height(), width, metrics.height()
                )
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)
            return
        every = max(1, math.ceil(metrics.height() / width))
        for number, name in list(enumerate(names))[::every]:
            painter.save()
            painter.translate(room.left() + (number + 0.5) * width + metrics.ascent() / 2, room.top() - _GAP)
            painter.rotate(-90)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(room.top() - _GAP))
            painter.drawText(QPointF(0, 0), text)
            painter.restore()

    def _paint_heads(self, painter: QPainter, colors: Theme) -> None:
        assert self.sight is not None
        line = self.fontMetrics().height()
        for number, room in enumerate(self._head_rooms()):
            painter.setPen(colors.node_muted)
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, f"Head {number + 1}")
            self._paint_map(painter, room.adjusted(0, line, 0, 0), self.sight.weights[number], colors)

    def _paint_below(self, painter: QPainter, room: QRectF, colors: Theme) -> None:
        """Where the chosen step looks, or all of them on average, over what the network saw."""
        assert self.sight is not None
        weights = self.shown_weights[self.query] if self.query >= 0 else self.shown_weights.mean(0)
        strongest = max(float(weights.max(initial=0.0)), 1e-30)
        if self.sight.picture is not None:
            self._paint_picture(painter, room, weights / strongest, colors)
            return
        assert self.sight.series is not None
        painter.fillRect(room, colors.plot)
        width = room.width() / len(weights)
        for step, share in enumerate((weights / strongest).tolist()):
            painter.fillRect(
                QRectF(room.left() + step * width, room.top(), width, room.height()), sign_color(share, colors, 0.6)
            )
        draw_plot(painter, room.adjusted(4, 4, -4, -4), Shown("", series=self.sight.series), colors)

    def _paint_picture(self, painter: QPainter, room: QRectF, shares: np.ndarray, colors: Theme) -> None:
        assert self.sight is not None
        assert self.sight.picture is not None
        grey = self.sight.picture.mean(2, keepdims=True).repeat(3, 2).astype("uint8")  # colours are for the weights
        image = to_image(grey, (room.size() * self.devicePixelRatioF()).toSize())
        target = fitted(image.size(), room)
        painter.drawImage(target, image)
        rows, columns = self.sight.grid
        height, width = target.height() / rows, target.width() / columns
        for number, share in enumerate(shares.tolist()):
            place = QRectF(
                target.left() + number % columns * width, target.top() + number // columns * height, width, height
            )
            painter.fillRect(place, sign_color(share, colors, 0.8))
            if number == self.query and len(self.sight.queries) == len(self.sight.keys):
                painter.setPen(QPen(colors.node_text, 2))
                painter.drawRect(place)

    # Pointer ----------------------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.sight is not None and self.head != EACH:
            self.pointed.emit(*self._cell_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.sight is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self.head == EACH:
            for number, room in enumerate(self._head_rooms()):
                if room.contains(event.position()):
                    self.head_chosen.emit(number)
                    return
            return
        query, _ = self._cell_at(event.position())
        self.query = -1 if query == self.query else query
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(-1, -1)


def _label(name: str) -> str:
    """A name that can be seen, also where it is a space or the end of a line."""
    return name if name.strip() else name.replace("\n", "⏎").replace(" ", "␣") or "·"
