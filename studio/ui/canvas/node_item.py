"""A block as the canvas shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPixmap, QStaticText, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsSimpleTextItem, QStyleOptionGraphicsItem, QWidget

from studio.compile.analysis import ERROR, HINT, NodeAnalysis, Problem
from studio.graph import Node
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH
from studio.graph.groups import GroupUse
from studio.ui.canvas.figures import DEFAULT, figure_text, figure_value
from studio.ui.canvas.style import Style
from studio.ui.canvas.summary import summary
from studio.ui.widgets.plain_text import plain_tooltip

if TYPE_CHECKING:
    from studio.compile.pictures import Picture
    from studio.training.events import Finding

DETAIL_FROM = 0.4  # scale above which ports and titles can be told
TEXT_FROM = 0.58  # scale above which small text can be read
PORT_RADIUS = 4.5
_STRIPE = 7.0
_MARGIN = 14.0  # from the block's edge to its text
_BYPASSED_OPACITY = 0.45
_THUMBNAIL = QRectF(NODE_WIDTH - 41, 3, 36, 36)  # where a sample is shown
_OUTSIDE = 10.0  # what ports and badge need around the block
# Asked for at every repaint and every search: made once.
_BODY = QRectF(0, 0, NODE_WIDTH, NODE_HEIGHT)
_BOUNDS = _BODY.adjusted(-_OUTSIDE, -_OUTSIDE, _OUTSIDE, _OUTSIDE)
_LEFT_RECT = QRectF(0, 0, _STRIPE, NODE_HEIGHT)
_LEFT = QPainterPath()  # the same with round corners
_LEFT.moveTo(_STRIPE, 0.5)
_LEFT.lineTo(6, 0.5)
_LEFT.quadTo(0.5, 0.5, 0.5, 6)
_LEFT.lineTo(0.5, NODE_HEIGHT - 6)
_LEFT.quadTo(0.5, NODE_HEIGHT - 0.5, 6, NODE_HEIGHT - 0.5)
_LEFT.lineTo(_STRIPE, NODE_HEIGHT - 0.5)
_LEFT.closeSubpath()
_SHAPE = QPainterPath()
_SHAPE.addRect(_BODY)


@dataclass(frozen=True)
class Port:
    """One end a wire can have."""

    node_id: str
    is_output: bool
    index: int


class NodeItem(QGraphicsItem):
    """Shows a node: title, name, settings, number of parameters, ports with their shapes, and its problems.

    Inputs are on the top edge, outputs on the bottom edge. It never changes the graph.
    """

    def __init__(self, node: Node, style: Style) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsSelectable)
        self.setZValue(1)
        self.node = node
        self.inputs = len(node.block.inputs)  # how many input ports are shown
        self.problems: tuple[Problem, ...] = ()
        self.findings: tuple[Finding, ...] = ()  # about the last run
        self.hot_port: Port | None = None
        self.analysis = NodeAnalysis()
        self._figure, self._largest = DEFAULT, 0
        self.picture: Picture | None = None
        self._thumbnail: tuple[QPixmap, QRectF] | None = None  # and where it is drawn
        self.style = style
        self._labels: list[QGraphicsSimpleTextItem] = []  # the shape at each output
        self.set_node(node)

    def set_node(self, node: Node) -> None:
        """Show another value of the same node."""
        self.node = node
        self.setPos(node.x, node.y)
        self._refresh()

    def set_inputs(self, count: int) -> None:
        """Show so many input ports."""
        if count != self.inputs:
            self.inputs = count
            self._place_ports()
            self.update()

    def set_analysis(self, analysis: NodeAnalysis, problems: tuple[Problem, ...]) -> None:
        """Show what was inferred of the node, and what is wrong with it."""
        if (analysis, problems) != (self.analysis, self.problems):
            self.analysis, self.problems = analysis, problems
            self._refresh()

    def set_findings(self, findings: tuple[Finding, ...]) -> None:
        """Show that something was found about the block in a run."""
        if findings != self.findings:
            self.findings = findings
            self.setToolTip(plain_tooltip(self.description))
            self.update()

    def set_figure(self, figure: str, largest: int) -> None:
        """Write a figure on the block, with a bar that is full for the largest value in the network."""
        if figure != self._figure:
            self._figure = figure
            self._elide_texts()
            self.update()
        if largest != self._largest:
            self._largest = largest
            self.update()

    def set_picture(self, picture: Picture | None) -> None:
        """Show what a sample looks like after the block; None for nothing."""
        if picture is self.picture:
            return
        moves = (picture is None) != (self.picture is None)
        self.picture = picture
        self._make_thumbnail()
        if moves:
            self._elide_texts()
        self.update()

    def _make_thumbnail(self) -> None:
        if self.picture is None:
            self._thumbnail = None
            return
        from studio.ui.widgets.picture_view import fitted, to_pixmap  # there is no picture before the window is shown

        pixmap = to_pixmap(self.picture, self.style.theme)
        self._thumbnail = (pixmap, fitted(pixmap.size(), _THUMBNAIL))

    def set_style(self, style: Style) -> None:
        """Paint with other colours and fonts."""
        self.style = style
        self._make_thumbnail()
        for label in self._labels:
            label.setFont(style.detail_font)
            label.setBrush(style.theme.wire_label)
        self._refresh()

    def set_hot_port(self, port: Port | None) -> None:
        """Enlarge the port under the pointer; None for none."""
        if port != self.hot_port:
            self.hot_port = port
            self.update()

    def raise_above(self, *, others: bool) -> None:
        """Lie above all other blocks, while it is dragged, or among them."""
        self.setZValue(1.5 if others else 1)

    def set_labels_visible(self, visible: bool) -> None:
        """Show or hide the shapes at the outputs."""
        for label in self._labels:
            label.setVisible(visible)

    @property
    def severity(self) -> str:
        """The worst severity among its problems; empty if there is none but hints, which are only listed."""
        severities = [problem.severity for problem in self.problems if problem.severity != HINT]
        return ERROR if ERROR in severities else next(iter(severities), "")

    @property
    def description(self) -> str:
        """All that is known of the block, in plain text, a line for each thing."""
        inputs = " and ".join(f"({spec})" for spec in self.analysis.inputs)
        outputs = " and ".join(f"({spec})" for spec in self.analysis.outputs)
        lines = [f"{self._titled} “{self.node.name}”", summary(self.node.block)]
        if self.node.bypassed:
            lines.append("Bypassed: hands on its input as it came")
        if self.node.frozen:
            lines.append("Frozen: training does not change its weights")
        lines.append(" → ".join(filter(None, (inputs, outputs))))
        if self.analysis.parameters:
            lines.append(f"{self.analysis.parameters:,} parameters")
        found = (f"{finding.title}: {finding.evidence}" for finding in self.findings)
        return "\n".join([*filter(None, lines), *(problem.message for problem in self.problems), *found])

    @property
    def _titled(self) -> str:
        """The title, how often it is repeated, whether it learns, and which Output among several speaks for all."""
        repeated = f" ×{self.node.repeat}" if self.node.repeat > 1 else ""
        note = f" ({self.analysis.note})" if self.analysis.note else ""
        return f"{self.node.block.title}{note}{repeated}{' (frozen)' if self.node.frozen else ''}"

    @property
    def shape_labels(self) -> list[str]:
        """The shapes shown on the wires that start here, one per output."""
        return [label.text() for label in self._labels]

    def ports(self) -> list[Port]:
        """All ports that are shown."""
        inputs = [Port(self.node.id, False, i) for i in range(self.inputs)]
        return inputs + [Port(self.node.id, True, i) for i in range(len(self.node.block.outputs))]

    def port_position(self, port: Port) -> QPointF:
        """Centre of a port, in scene units."""
        return self.pos() + self._port_offset(port)

    def _port_offset(self, port: Port) -> QPointF:
        count = len(self.node.block.outputs) if port.is_output else self.inputs
        x = NODE_WIDTH * (port.index + 1) / (max(count, port.index + 1) + 1)
        return QPointF(x, NODE_HEIGHT if port.is_output else 0.0)

    def _refresh(self) -> None:
        self._group_color = self.style.theme.group_color(self.node.block.group)
        self.setToolTip(plain_tooltip(self.description))
        self._place_ports()
        self._place_labels()
        self._elide_texts()
        self.update()

    def _place_ports(self) -> None:
        side = 2 * PORT_RADIUS
        centers = [self._port_offset(port) for port in self.ports()]
        self._port_rects = [QRectF(c.x() - PORT_RADIUS, c.y() - PORT_RADIUS, side, side) for c in centers]

    def _place_labels(self) -> None:
        while len(self._labels) < len(self.node.block.outputs):
            label = QGraphicsSimpleTextItem(self)
            label.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
            label.setFont(self.style.detail_font)
            label.setBrush(self.style.theme.wire_label)
            self._labels.append(label)
        for index, label in enumerate(self._labels):
            known = index < len(self.analysis.outputs) and index < len(self.node.block.outputs)
            label.setText(str(self.analysis.outputs[index]) if known else "")
            label.setPos(self._port_offset(Port(self.node.id, True, index)) + QPointF(9.0, 1.0))

    def _elide_texts(self) -> None:
        """Cut the texts to the room there is and lay them out, once per change and not per paint."""
        end = NODE_WIDTH - _MARGIN if self._thumbnail is None else _THUMBNAIL.left() - 8
        room = end - _MARGIN
        right, detail, title = Qt.TextElideMode.ElideRight, self.style.detail_metrics, self.style.title_metrics
        count = figure_text(self.analysis, self._figure)
        count_width = detail.horizontalAdvance(count) + 8 if count else 0.0
        settings = summary(self.node.block)
        name = detail.elidedText(self.node.name, right, 0.5 * room if settings else room)
        name_width = detail.horizontalAdvance(name)
        self._title = _text(title.elidedText(self._titled, right, room - count_width), self.style.title_font)
        self._count = _text(count, self.style.detail_font)
        self._name = _text(name, self.style.detail_font)
        self._summary = _text(detail.elidedText(settings, right, room - name_width - 10), self.style.detail_font)
        self._count_at = QPointF(end - count_width + 8, 3 + (20 - detail.height()) / 2)
        self._name_at = QPointF(end - name_width if settings else _MARGIN, 22 + (18 - detail.height()) / 2)
        self._title_at = QPointF(_MARGIN, 3 + (20 - title.height()) / 2)
        self._summary_at = QPointF(_MARGIN, 22 + (18 - detail.height()) / 2)

    def boundingRect(self) -> QRectF:
        return _BOUNDS

    def shape(self) -> QPainterPath:
        return _SHAPE

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        scale = painter.worldTransform().m11()
        if scale < DETAIL_FROM:
            self._paint_small(painter)
            return
        if scale < TEXT_FROM:
            self._paint_medium(painter)
            return
        self._paint_body(painter)
        painter.setOpacity(_BYPASSED_OPACITY if self.node.bypassed else 1.0)
        self._paint_texts(painter)
        self._paint_thumbnail(painter)
        painter.setOpacity(1.0)
        if self.node.bypassed:
            self._paint_bypass(painter)
        elif self._largest:
            self._paint_bar(painter)
        self._paint_ports(painter)
        if self.severity or self.findings:
            self._paint_signs(painter)

    def _paint_small(self, painter: QPainter) -> None:
        """Without text: from afar only place, kind and state can be told."""
        painter.setOpacity(_BYPASSED_OPACITY if self.node.bypassed else 1.0)
        painter.fillRect(_BODY, self._group_color)
        painter.setOpacity(1.0)
        if self.isSelected() or self.severity:
            painter.setPen(QPen(self._border_color(), 8.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(_BODY)
        if self.findings:
            self._paint_signs(painter)

    def _paint_medium(self, painter: QPainter) -> None:
        """With the title, and with straight edges, which cost less: much is in view."""
        colors = self.style.theme
        painter.setOpacity(_BYPASSED_OPACITY if self.node.bypassed else 1.0)
        painter.fillRect(_BODY, colors.node)
        painter.fillRect(_LEFT_RECT, self._group_color)
        painter.setFont(self.style.title_font)
        painter.setPen(colors.node_text)
        painter.drawStaticText(self._title_at, self._title)
        self._paint_thumbnail(painter)
        painter.setOpacity(1.0)
        painter.setPen(self._border_pen())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(_BODY)
        for rect in self._port_rects:
            painter.fillRect(rect, colors.port)
        if self.hot_port is not None:
            center, radius = self._port_offset(self.hot_port), 2 * PORT_RADIUS
            painter.fillRect(QRectF(center.x() - radius, center.y() - radius, 2 * radius, 2 * radius), colors.selection)
        if self.severity or self.findings:
            self._paint_signs(painter)

    def _border_color(self) -> QColor:
        colors = self.style.theme
        if self.isSelected():
            return colors.selection
        return {"": colors.border, ERROR: colors.error}.get(self.severity, colors.warning)

    def _border_pen(self) -> QPen:
        if self.isSelected():
            return self.style.border_selected
        return {"": self.style.border, ERROR: self.style.border_error}.get(self.severity, self.style.border_warning)

    def _paint_bar(self, painter: QPainter) -> None:
        """How much of the largest the block's figure is."""
        share = figure_value(self.analysis, self._figure) / self._largest
        if share:
            color = QColor(self.style.theme.accent)
            color.setAlpha(150)
            room = NODE_WIDTH - _STRIPE - 6
            painter.fillRect(QRectF(_STRIPE + 1, NODE_HEIGHT - 5, max(2.0, share * room), 4), color)

    def _paint_bypass(self, painter: QPainter) -> None:
        """The way data takes past the block."""
        painter.setPen(QPen(self.style.theme.wire, 2.0, Qt.PenStyle.DashLine))
        start, end = (self._port_offset(Port(self.node.id, is_output, 0)) for is_output in (False, True))
        painter.drawLine(start, end)

    def _paint_body(self, painter: QPainter) -> None:
        if self.node.repeat > 1 or isinstance(self.node.block, GroupUse):  # a pile of cards
            painter.setPen(QPen(self.style.theme.border, 1.0))
            painter.setBrush(self.style.theme.node)
            painter.drawRoundedRect(_BODY.translated(4, 4), 6, 6)
        if self.node.bypassed:
            painter.setPen(QPen(self._border_color(), 2.0 if self.isSelected() else 1.0, Qt.PenStyle.DashLine))
            painter.setBrush(self.style.theme.canvas)
            painter.drawRoundedRect(_BODY, 6, 6)
            return
        painter.setPen(self._border_pen())
        painter.setBrush(self.style.theme.node)
        painter.drawRoundedRect(_BODY, 6, 6)
        painter.fillPath(_LEFT, self._group_color)

    def _paint_texts(self, painter: QPainter) -> None:
        colors = self.style.theme
        painter.setFont(self.style.title_font)
        painter.setPen(colors.node_text)
        painter.drawStaticText(self._title_at, self._title)
        painter.setFont(self.style.detail_font)
        painter.drawStaticText(self._summary_at, self._summary)
        painter.setPen(colors.node_muted)
        painter.drawStaticText(self._count_at, self._count)
        painter.drawStaticText(self._name_at, self._name)

    def _paint_thumbnail(self, painter: QPainter) -> None:
        if self._thumbnail is not None:
            from studio.ui.widgets.picture_view import paint_pixmap

            pixmap, target = self._thumbnail
            paint_pixmap(painter, target, pixmap)

    def _paint_ports(self, painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.style.theme.port)
        for rect in self._port_rects:
            painter.drawEllipse(rect)
        if self.hot_port is not None:
            painter.setBrush(self.style.theme.selection)
            painter.drawEllipse(self._port_offset(self.hot_port), 1.6 * PORT_RADIUS, 1.6 * PORT_RADIUS)

    def _paint_signs(self, painter: QPainter) -> None:
        """What is wrong with it, as a sign at a corner."""
        from studio.ui.canvas.signs import paint_findings, paint_problem  # not needed to show the window

        if self.severity:
            paint_problem(painter, self.style, self.severity)
        if self.findings:
            paint_findings(painter, self.style, self.findings)


def _text(text: str, font: QFont) -> QStaticText:
    """A text that is laid out once and painted often."""
    laid_out = QStaticText(text)
    laid_out.setTextFormat(Qt.TextFormat.PlainText)
    laid_out.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
    laid_out.prepare(QTransform(), font)
    return laid_out
