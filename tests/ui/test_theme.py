from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from studio.assets import resource
from studio.blocks import GROUPS
from studio.ui import icons, theme

MODES = (theme.LIGHT_MODE, theme.DARK_MODE)
Role = QPalette.ColorRole


@pytest.fixture(autouse=True)
def light_afterwards(qapp: QApplication) -> Iterator[None]:
    qapp.setStyle("Fusion")
    yield
    theme.apply_theme(qapp, theme.LIGHT_MODE)


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of WCAG 2, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: QColor) -> float:
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in color.getRgbF()[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", MODES)
def test_the_theme_follows_the_palette(qapp: QApplication, mode: str) -> None:
    theme.apply_theme(qapp, mode)
    assert theme.current().dark == (mode == theme.DARK_MODE)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "roles",
    [(Role.WindowText, Role.Window), (Role.Text, Role.Base), (Role.ButtonText, Role.Button),
     (Role.HighlightedText, Role.Highlight), (Role.PlaceholderText, Role.Base), (Role.Link, Role.Window),
     (Role.ToolTipText, Role.ToolTipBase)],
)  # fmt: skip
def test_text_can_be_read(qapp: QApplication, mode: str, roles: tuple[Role, Role]) -> None:
    theme.apply_theme(qapp, mode)
    palette = QApplication.palette()
    assert contrast(palette.color(roles[0]), palette.color(roles[1])) >= 4.5


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK], ids=MODES)
@pytest.mark.parametrize("name", ["node_text", "node_muted", "error", "warning", "success", "wire_label"])
def test_canvas_text_can_be_read(colors: theme.Theme, name: str) -> None:
    assert contrast(getattr(colors, name), colors.node) >= 4.5
    assert contrast(getattr(colors, name), colors.canvas) >= 4.5


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK], ids=MODES)
def test_every_group_has_a_colour_of_its_own(colors: theme.Theme) -> None:
    found = [colors.group_color(group) for group in GROUPS]
    assert len({color.name() for color in found}) == len(GROUPS)
    assert all(contrast(color, colors.node) >= 3 for color in found)
    assert colors.group_color("no such group") == colors.node_muted


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK], ids=MODES)
def test_ten_classes_can_be_told_apart_on_a_plot(colors: theme.Theme) -> None:
    found = [colors.class_color(number) for number in range(10)]
    assert len({color.name() for color in found}) == 10
    assert all(contrast(color, colors.plot) >= 3 for color in found)


def test_both_themes_differ_in_every_colour() -> None:
    for field in fields(theme.Theme):
        assert getattr(theme.LIGHT, field.name) != getattr(theme.DARK, field.name)


def test_system_follows_the_desktop(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    appearance = theme.Appearance(qapp, "nonsense from a file")
    assert appearance.mode == theme.SYSTEM
    appearance.set_mode(theme.DARK_MODE)
    assert theme.current().dark
    appearance.set_mode(theme.SYSTEM)
    qapp.styleHints().colorSchemeChanged.emit(qapp.styleHints().colorScheme())
    assert theme.current().dark == (qapp.styleHints().colorScheme().name == "Dark")
    appearance.deleteLater()


@pytest.mark.parametrize("path", sorted(resource("icons").glob("*.svg")), ids=lambda path: path.stem)
def test_every_icon_can_be_drawn(qapp: QApplication, path: object) -> None:
    button = QToolButton()
    icons.set_icon(button, path.stem)  # type: ignore[attr-defined]
    image = button.icon().pixmap(24, 24).toImage()
    assert any(image.pixelColor(x, y).alpha() > 0 for x in range(image.width()) for y in range(image.height()))
    button.deleteLater()


def test_icons_are_recoloured(qapp: QApplication, qtbot: QtBot) -> None:
    window = QWidget()
    button = QToolButton(window)
    theme.apply_theme(qapp, theme.LIGHT_MODE)
    icons.set_icon(button, "stop")
    assert button.icon().pixmap(24, 24).toImage().pixelColor(12, 12) == theme.LIGHT.icon
    theme.apply_theme(qapp, theme.DARK_MODE)
    icons.refresh(window)
    assert button.icon().pixmap(24, 24).toImage().pixelColor(12, 12) == theme.DARK.icon
    window.deleteLater()


@pytest.mark.parametrize("group", [*GROUPS, "Group"])
def test_every_group_has_a_picture_in_its_colour(qapp: QApplication, group: str) -> None:
    image = icons.family_icon(group).pixmap(32, 32).toImage()
    color = theme.current().group_color(group)
    points = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    drawn = [point for point in points if point.alpha() > 200]
    assert len(drawn) > 60
    assert all(abs(point.red() - color.red()) + abs(point.blue() - color.blue()) < 24 for point in drawn)
