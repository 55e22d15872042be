"""Cut, copy and paste on the canvas. What is copied is text, so it can go to another window, or into a message."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence

from studio.graph.edits import Remove
from studio.graph.geometry import snap
from studio.graph.placement import scope_at
from studio.ui.canvas.canvas_action import canvas_action
from studio.ui.canvas.scene import GraphScene
from studio.ui.wording import blocks_and_notes

_Key = QKeySequence.StandardKey


class ClipboardActions(QObject):
    """Copies what is selected in a scene. Each change is one undo step."""

    pasted = Signal(object)  # ids of the new blocks and notes
    paste_requested = Signal()  # whoever knows where, calls `paste`

    def __init__(self, scene: GraphScene, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scene = scene
        self.document = scene.document
        self.cut_action = canvas_action(self, "cut", "Cu&t", _Key.Cut, self.cut)
        self.copy_action = canvas_action(self, "copy", "&Copy", _Key.Copy, self.copy)
        self.paste_action = canvas_action(self, "paste", "&Paste", _Key.Paste, self.paste_requested.emit)
        scene.selection_changed.connect(self._enable)
        self._enable()

    def all(self) -> list[QAction]:
        """The actions, in the order of a menu."""
        return [self.cut_action, self.copy_action, self.paste_action]

    @Slot()
    def _enable(self) -> None:
        for action in (self.cut_action, self.copy_action):
            action.setEnabled(bool(self.scene.selected_nodes or self.scene.selected_notes))

    @Slot()
    def copy(self) -> bool:
        """Put the selected blocks and notes on the clipboard, with the wires between them; whether there are any."""
        from studio.graph.copies import fragment_of  # not needed to show the window
        from studio.project.clipboard import fragment_to_text

        fragment = fragment_of(self.document.graph, (*self.scene.selected_nodes, *self.scene.selected_notes))
        if fragment.nodes or fragment.notes:
            QGuiApplication.clipboard().setText(fragment_to_text(fragment))
        return bool(fragment.nodes or fragment.notes)

    @Slot()
    def cut(self) -> None:
        """Copy the selected blocks and notes and take them away."""
        nodes, notes = self.scene.selected_nodes, self.scene.selected_notes
        if self.copy():
            self.document.do(Remove(frozenset((*nodes, *notes))), f"Cut {blocks_and_notes(len(nodes), len(notes))}")

    def paste(self, point: QPointF | None) -> None:
        """Add what is on the clipboard.

        Args:
            point: where its middle goes, in scene units; None for beside the place from which it was copied.
        """
        from studio.graph.copies import center_of, free_shift, paste
        from studio.project.clipboard import ClipboardError, fragment_from_text

        text = QGuiApplication.clipboard().text()
        try:
            fragment = fragment_from_text(text)
        except ClipboardError as error:
            self.document.refused.emit(str(error))
            return
        shown = self.document.shown
        if point is None:
            shift, scope = (free_shift(shown, fragment, ""), 0.0), ""
        else:
            x, y = center_of(fragment)
            shift, scope = (snap(point.x() - x), snap(point.y() - y)), scope_at(shown, point.x(), point.y())
        edit, new = paste(self.document.graph, fragment, scope, shift)
        what = blocks_and_notes(len(fragment.nodes), len(fragment.notes))
        if self.document.do(edit, f"Paste {what}"):
            self.scene.select(new)
            self.pasted.emit(new)
