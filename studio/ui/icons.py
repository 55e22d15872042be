"""Icons: our own SVG files, drawn in the theme's colours."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from studio.assets import resource
from studio.ui import theme

_SIZES = (24, 48)  # pixels; the larger is for screens with many dots per inch
_FAMILY_SIZES = (16, 32)
_PROPERTY = "icon_name"


def set_icon(target: QAction | QAbstractButton, name: str) -> None:
    """Give an action or button the icon `resources/icons/<name>.svg`; `refresh` recolours it later."""
    target.setProperty(_PROPERTY, name)
    target.setIcon(_icon(name))


def refresh(root: QObject) -> None:
    """Recolour all icons below `root`, after the palette changed."""
    for target in root.findChildren(QObject):
        name = target.property(_PROPERTY)
        if name and isinstance(target, QAction | QAbstractButton):
            target.setIcon(_icon(name))


def application_icon() -> QIcon:
    """The program's own icon; it has its own colours."""
    return QIcon(str(resource("icons", "studio.svg")))


def family_icon(group: str) -> QIcon:
    """The picture of a group of blocks, in the group's colour."""
    name = "".join(character if character.isalnum() else "_" for character in group.lower())
    color = theme.current().group_color(group).name()
    svg = resource("icons", "families", f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", color)
    renderer, icon = QSvgRenderer(QByteArray(svg.encode())), QIcon()
    for size in _FAMILY_SIZES:
        icon.addPixmap(_render(renderer, size))
    return icon


def _icon(name: str) -> QIcon:
    colors = theme.current()
    svg = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    icon = QIcon()
    for mode, color in ((QIcon.Mode.Normal, colors.icon), (QIcon.Mode.Disabled, colors.icon_disabled)):
        renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", color.name()).encode()))
        for size in _SIZES:
            icon.addPixmap(_render(renderer, size), mode)
    return icon


def _render(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(QColor(Qt.GlobalColor.transparent))
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
