"""The menu bar and the tool bar of the main window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMessageBox, QSizePolicy, QToolBar, QWidget

from studio import __version__
from studio.project import templates
from studio.ui import icons, theme
from studio.ui.canvas import figures

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow

_Key = QKeySequence.StandardKey
_APPEARANCES = {theme.SYSTEM: "System", theme.LIGHT_MODE: "Light", theme.DARK_MODE: "Dark"}


def fill_bars(window: MainWindow) -> None:
    """Make all menus and the tool bar."""
    undo, redo = _undo_actions(window)
    open_action = _action(window, "Open…", window.files.open, _Key.Open, icon="open")
    save_action = _action(window, "Save", window.files.save, _Key.Save, icon="save")
    bar = window.menuBar()
    _fill_file(window, bar.addMenu("&File"), open_action, save_action)
    _fill_edit(window, bar.addMenu("&Edit"), undo, redo)
    bar.addMenu("&Arrange").addActions(window.build_place.view.graph_actions.arrange.all())
    _fill_view(window, bar.addMenu("&View"))
    run = bar.addMenu("&Run")
    run.addActions([window.run_bar.train_action, window.run_bar.pause_action, window.run_bar.stop_action])
    run.addSeparator()
    run.addMenu(window.run_bar.place_menu)
    help_menu = bar.addMenu("&Help")
    help_menu.addAction(_action(window, "About Training Studio", partial(_show_about, window)))
    _fill_tool_bar(window, [open_action, save_action, undo, redo])


def _fill_file(window: MainWindow, menu: QMenu, open_action: QAction, save_action: QAction) -> None:
    files = window.files
    menu.addAction(_action(window, "New", files.new, _Key.New))
    template_menu = menu.addMenu("New from template")
    for template in templates():
        template_menu.addAction(_action(window, template.name, partial(files.new_from_template, template.name)))
    menu.addAction(open_action)
    recent = menu.addMenu("Open recent")
    recent.aboutToShow.connect(partial(_fill_recent, window, recent))
    menu.addSeparator()
    menu.addAction(save_action)
    menu.addAction(_action(window, "Save as…", files.save_as, _Key.SaveAs))
    menu.addSeparator()
    menu.addAction(_action(window, "Data from Hugging Face…", window.find_on_hub))
    menu.addAction(window.import_action)
    menu.addAction(_action(window, "Import weights…", lambda: window.weights_choice.bring_in(), "Ctrl+Shift+I"))
    menu.addAction(window.export_action)
    menu.addSeparator()
    menu.addAction(_action(window, "Cached data…", partial(_show_cache, window)))
    menu.addAction(_action(window, "Quit", window.close, _Key.Quit))


def _fill_recent(window: MainWindow, menu: QMenu) -> None:
    menu.clear()
    for path in window.preferences.recent_projects:
        action = menu.addAction(path.name)
        action.setToolTip(str(path))
        action.triggered.connect(partial(window.files.open_path, path))
    menu.setToolTipsVisible(True)
    if menu.isEmpty():
        menu.addAction("Nothing yet").setEnabled(False)


def _fill_edit(window: MainWindow, menu: QMenu, undo: QAction, redo: QAction) -> None:
    menu.addActions([undo, redo, _action(window, "Undo history…", window.show_undo_history, "Ctrl+Shift+H")])
    menu.addSeparator()
    menu.addActions(window.build_place.actions())


def _fill_view(window: MainWindow, menu: QMenu) -> None:
    for number, title in enumerate(window.PLACES):
        menu.addAction(_action(window, title, partial(window.show_place, number), f"Ctrl+{number + 1}"))
    menu.addSeparator()
    _fill_figures(window, menu.addMenu("Figure on blocks"))
    _fill_canvas_parts(window, menu)
    menu.addAction(_action(window, "Analyze network…", window.show_analysis_table, "Ctrl+Shift+A"))
    menu.addSeparator()
    appearance_menu = menu.addMenu("Appearance")
    group = QActionGroup(window)
    for mode, title in _APPEARANCES.items():
        action = _action(window, title, partial(_choose_appearance, window, mode))
        action.setCheckable(True)
        action.setChecked(window.appearance.mode == mode)
        group.addAction(action)
        appearance_menu.addAction(action)


def _fill_figures(window: MainWindow, menu: QMenu) -> None:
    """Which figure stands on every block, with a bar."""
    group = QActionGroup(window)
    chosen = window.preferences.figure if window.preferences.figure in figures.TITLES else figures.DEFAULT
    window.build_place.scene.show_figure(chosen)
    for figure, title in figures.TITLES.items():
        action = _action(window, title, partial(_choose_figure, window, figure))
        action.setObjectName(f"figure_{figure or 'nothing'}")
        action.setCheckable(True)
        action.setChecked(figure == chosen)
        group.addAction(action)
        menu.addAction(action)


def _fill_canvas_parts(window: MainWindow, menu: QMenu) -> None:
    """What can be shown beside the network, or not."""
    action = window.build_place.overview_action
    action.setChecked(window.preferences.overview)
    action.toggled.connect(partial(setattr, window.preferences, "overview"))
    code = window.build_place.code_action
    code.setChecked(window.preferences.code)
    code.toggled.connect(partial(setattr, window.preferences, "code"))
    menu.addActions([action, window.build_place.outline_action, code])
    _add_samples(window, menu)
    walk = menu.addMenu("Go along wires")
    walk.aboutToShow.connect(lambda: walk.addActions(window.build_place.walk_actions()))  # they come after the window


def _add_samples(window: MainWindow, menu: QMenu) -> None:
    """A sample on the blocks, or not, and which one."""
    shown = _action(window, "Sample on blocks", lambda: window.samples.set_wanted(shown.isChecked()), "Ctrl+Shift+L")
    shown.setCheckable(True)
    shown.setChecked(window.preferences.samples)
    another = _action(window, "Another sample", lambda: window.samples.show_next(), "Ctrl+Shift+E")
    another.setEnabled(shown.isChecked())
    shown.toggled.connect(another.setEnabled)
    menu.addActions([shown, another])


def _choose_figure(window: MainWindow, figure: str) -> None:
    window.preferences.figure = figure
    window.build_place.scene.show_figure(figure)


def _choose_appearance(window: MainWindow, mode: str) -> None:
    window.preferences.appearance = mode
    window.appearance.set_mode(mode)


def _fill_tool_bar(window: MainWindow, actions: list[QAction]) -> None:
    bar = QToolBar("Tools", window)
    bar.setObjectName("toolBar")
    bar.setMovable(False)
    bar.toggleViewAction().setEnabled(False)  # the run bar in it must always be in view
    for action in actions:
        bar.addAction(action)
        name = action.objectName().removesuffix("Action")
        bar.widgetForAction(action).setObjectName(f"{name}Button")
        bar.widgetForAction(action).setAccessibleName(name.capitalize())
    spacer = QWidget(bar)
    spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    bar.addWidget(spacer)
    bar.addWidget(window.run_bar)
    window.addToolBar(bar)


def _undo_actions(window: MainWindow) -> tuple[QAction, QAction]:
    """Undo and redo, named after the step they would take back or do again."""
    history = window.document.history
    undo = _action(window, "Undo", history.undo, icon="undo")
    redo = _action(window, "Redo", history.redo, icon="redo")

    undo.setShortcuts(_Key.Undo)
    redo.setShortcuts(_Key.Redo)

    def name_them() -> None:
        undo.setText(f"Undo {history.undo_text}".rstrip())
        undo.setEnabled(history.can_undo)
        redo.setText(f"Redo {history.redo_text}".rstrip())
        redo.setEnabled(history.can_redo)

    history.changed.connect(name_them)
    name_them()
    return undo, redo


def _action(
    window: MainWindow, text: str, triggered: Callable[[], object], key: _Key | str | None = None, icon: str = ""
) -> QAction:
    action = QAction(text, window)
    words = "".join(character if character.isalnum() else " " for character in text).split()
    action.setObjectName(f"{''.join([words[0].lower(), *(word.capitalize() for word in words[1:])])}Action")
    if key is not None:
        action.setShortcut(QKeySequence(key))
    if icon:
        icons.set_icon(action, icon)
    action.triggered.connect(lambda: triggered())  # without the signal's argument
    return action


def _show_cache(window: MainWindow) -> None:
    from studio.ui.panels.cache_dialog import CacheDialog  # not needed to show the window

    CacheDialog(window).open()


def _show_about(window: MainWindow) -> None:
    box = QMessageBox(QMessageBox.Icon.NoIcon, "About Training Studio", f"Training Studio {__version__}", parent=window)
    box.setObjectName("aboutDialog")
    box.setIconPixmap(icons.application_icon().pixmap(64, 64))
    box.setInformativeText("Draw a neural network, train it with PyTorch, leave with readable code and weights.")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
