"""The menu of a plot: its picture and its values, to take them elsewhere. Imported when somebody asks for it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QMimeData, QPoint, QRect, QSize
from PySide6.QtGui import QAction, QGuiApplication, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QGraphicsView, QMenu, QMessageBox, QWidget

from studio import storage
from studio.compile.table import harmless
from studio.ui.prompts import Prompts

SCALE = 2  # pixels of a saved picture for each on the screen

Row = Sequence[str | float]
Values = Callable[[], Iterable[Row]]  # rows of a table, the first with the names of the columns


def open_menu(plot: QWidget, place: QPoint, values: Values | None, name: str) -> QMenu:
    """Show the menu.

    Args:
        plot: what is shown; it paints itself.
        place: where on the screen.
        values: what is drawn, as a table; None if there is none.
        name: of a file, without a suffix.
    """
    menu = QMenu(plot)
    menu.setObjectName("plotMenu")
    _add(menu, "plotSavePicture", "Save picture…", lambda: save_picture(plot, name))
    _add(menu, "plotCopyPicture", "Copy picture", lambda: copy_picture(plot))
    copy = _add(menu, "plotCopyValues", "Copy values as CSV", lambda: copy_values(values) if values else None)
    copy.setEnabled(values is not None)
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(place)
    return menu


def _add(menu: QMenu, name: str, text: str, do: Callable[[], None]) -> QAction:
    action = menu.addAction(text)
    action.setObjectName(name)
    action.triggered.connect(lambda _checked: do())
    return action


def save_picture(plot: QWidget, name: str) -> None:
    """Ask where, and write a PNG or an SVG file."""
    prompts = Prompts(plot.window())
    target = prompts.picture_target(Path.home() / f"{name}.png")
    if target is None:
        return
    try:
        storage.write_bytes(target, svg_of(plot) if target.suffix.lower() == ".svg" else png_of(plot))
    except storage.StorageError as error:
        QMessageBox.warning(plot.window(), "Not saved", str(error))


def copy_picture(plot: QWidget) -> None:
    """Put the picture on the clipboard."""
    QGuiApplication.clipboard().setImage(image_of(plot))


def copy_values(values: Values) -> None:
    """Put the values on the clipboard, as a text."""
    text = csv_text(values())
    data = QMimeData()
    data.setText(text)
    data.setData("text/csv", text.encode())
    QGuiApplication.clipboard().setMimeData(data)


def csv_text(rows: Iterable[Row]) -> str:
    """Rows as CSV, in which no spreadsheet finds a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else repr(cell) for cell in row])
    return text.getvalue()


def image_of(plot: QWidget) -> QImage:
    """What is shown, finer than on the screen."""
    image = QImage(plot.size() * SCALE, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(SCALE)
    image.fill(plot.palette().window().color())
    painter = QPainter(image)
    QWidget.render(plot, painter, QPoint())
    painter.end()
    return image


def png_of(plot: QWidget) -> bytes:
    """The same as a PNG file."""
    from PySide6.QtCore import QBuffer, QIODevice

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"PNG")).write(image_of(plot))
    return bytes(buffer.data().data())


def svg_of(plot: QWidget) -> bytes:
    """What is shown as an SVG file: lines and letters, no pixels."""
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(plot.logicalDpiX())  # else letters and axes are drawn at another size than the curves
    generator.setSize(QSize(plot.width(), plot.height()))
    generator.setViewBox(QRect(0, 0, plot.width(), plot.height()))
    painter = QPainter(generator)
    if isinstance(plot, QGraphicsView):  # as a widget it would be drawn as pixels
        _render(plot, painter)
    else:
        plot.render(painter, QPoint())
    painter.end()
    return bytes(buffer.data().data())


def _render(plot: QGraphicsView, painter: QPainter) -> None:
    """Draw all of pyqtgraph's items as it exports them: dots, too, are lines then."""
    items = [item for item in plot.scene().items() if hasattr(item, "setExportMode")]
    for item in items:
        item.setExportMode(True, {"painter": painter, "antialias": True, "resolutionScale": 1.0})
    try:
        plot.render(painter)
    finally:
        for item in items:
            item.setExportMode(False)
