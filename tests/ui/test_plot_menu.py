"""The menu of a plot: its picture and its values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QContextMenuEvent, QImage
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from studio.ui.panels.confusion_panel import HeatMap
from studio.ui.panels.plot_menu import csv_text
from studio.ui.panels.plots import TRAIN, VALIDATION, CurvePlot
from studio.ui.prompts import Prompts


@pytest.fixture
def plot(qtbot: QtBot) -> Iterator[CurvePlot]:
    made = CurvePlot("lossPlot", "Loss")
    made.setAccessibleName("Loss")
    qtbot.addWidget(made)
    made.resize(400, 240)
    made.begin("Loss", epochs=3)
    made.load()
    made.add(TRAIN, [(1.0, 0.5), (2.0, 0.25)])
    made.add(VALIDATION, [(1.0, 0.625)])
    made.show()
    qtbot.waitUntil(lambda: made._view is not None and bool(made._view._whole))
    yield made
    made.hide()


def chosen(plot: CurvePlot, name: str) -> None:
    """Open the menu as a right click does, and take an entry."""
    assert plot._view is not None
    place = QPoint(40, 40)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, plot._view.mapToGlobal(place))
    plot._view.contextMenuEvent(event)
    menu = plot._view.findChild(QMenu, "plotMenu")
    action = menu.findChild(QAction, name)
    action.trigger()
    menu.close()


def test_all_values_are_copied(plot: CurvePlot, qapp: QApplication) -> None:
    chosen(plot, "plotCopyValues")
    assert qapp.clipboard().text().splitlines() == [
        "curve,epoch,Loss", "training,1.0,0.5", "training,2.0,0.25", "validation,1.0,0.625",
    ]  # fmt: skip


def test_the_picture_is_copied(plot: CurvePlot, qapp: QApplication) -> None:
    chosen(plot, "plotCopyPicture")
    image = qapp.clipboard().image()
    assert plot._view is not None
    assert (image.width(), image.height()) == (2 * plot._view.width(), 2 * plot._view.height())
    colours = {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    assert len(colours) > 3  # ground, axes, curves


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_picture_is_saved(plot: CurvePlot, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / f"loss{suffix}"
    monkeypatch.setattr(Prompts, "picture_target", lambda self, suggestion: target)
    chosen(plot, "plotSavePicture")
    content = target.read_bytes()
    if suffix == ".png":
        assert QImage.fromData(content, "PNG").width() > 400  # type: ignore[call-overload]
    else:
        text = content.decode()
        assert "<polyline" in text or "<path" in text
        assert "<image" not in text  # lines, not pixels
        # In the dots of the screen: in others, axes and curves would be drawn at different sizes.
        assert plot._view is not None
        assert f'width="{plot._view.width() / plot._view.logicalDpiX() * 25.4:.3f}'.rstrip("0") in text


def test_a_matrix_gives_its_counts(qtbot: QtBot) -> None:
    view = HeatMap()
    qtbot.addWidget(view)
    view.set_classes(("cat", "=1+1"))
    view.set_counts((3, 1, 0, 2))
    assert csv_text(view.rows()) == "class,cat,'=1+1\ncat,3,1\n'=1+1,0,2\n"
