"""The notes on the canvas: shown, chosen, moved, resized and written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit

from studio.graph import Graph
from studio.graph.edits import LARGEST_NOTE, MAX_NOTE, SMALLEST_NOTE, AddNote, Move, SetNote
from studio.graph.geometry import snap
from studio.graph.model import Note
from studio.graph.names import fresh_id
from studio.ui.canvas.gestures.base import Gesture
from studio.ui.canvas.note_item import NoteItem
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView


class Notes(QObject):
    """Keeps the items of the notes in step with the document, and which of them is chosen."""

    def __init__(self, scene: GraphScene) -> None:
        super().__init__(scene)
        self.scene = scene
        self.items: dict[str, NoteItem] = {}

    def show(self, graph: Graph) -> None:
        """Show the notes of a graph."""
        notes = {note.id: note for note in graph.notes}
        for note_id in self.items.keys() - notes.keys():
            self.scene.removeItem(self.items.pop(note_id))
        for note in notes.values():
            item = self.items.get(note.id)
            if item is None:
                item = self.items[note.id] = NoteItem(note, self.scene.style_in_use)
                self.scene.addItem(item)
            elif item.note != note:
                item.set_note(note)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Ids of the notes that are selected."""
        return tuple(note_id for note_id, item in self.items.items() if item.chosen)

    def choose(self, note_ids: Collection[str]) -> None:
        """Select these notes and no others."""
        for note_id, item in self.items.items():
            item.set_chosen(note_id in note_ids)

    def within(self, region: QRectF) -> set[str]:
        """Ids of the notes that lie in a rectangle with all they are."""
        return {note_id for note_id, item in self.items.items() if region.contains(item.sceneBoundingRect())}

    def at(self, point: QPointF) -> NoteItem | None:
        """The note under a point of the scene, the newest first."""
        found = (item for item in reversed(self.items.values()) if item.sceneBoundingRect().contains(point))
        return next(found, None)

    def restyle(self) -> None:
        """Take the colours of the theme in use."""
        for item in self.items.values():
            item.set_style(self.scene.style_in_use)


def add_note(view: GraphView) -> None:
    """Put an empty note under the pointer, or in the middle of the view, and let the person write."""
    scene = view.graph_scene
    position = view.pointer_position() or QRectF(view.viewport().rect()).center()
    point, graph = view.to_scene(position), scene.document.graph
    taken = {*graph.by_id, *(note.id for note in graph.notes)}
    note = Note(fresh_id(taken, len(taken) + 1), "", snap(point.x()), snap(point.y()))
    if scene.document.do(AddNote(note), "Add note"):
        scene.select([note.id])
        write_note(view, note.id)


def write_note(view: GraphView, note_id: str) -> None:
    """Open a note for writing."""
    editor = NoteEditor(view, view.graph_scene.notes.items[note_id].note)
    editor.show()
    editor.setFocus(Qt.FocusReason.OtherFocusReason)


class NoteEditor(QPlainTextEdit):
    """Lies over a note while it is written. Escape leaves it as it was; anything else that takes the focus keeps it."""

    closed = Signal()

    def __init__(self, view: GraphView, note: Note) -> None:
        super().__init__(view.viewport())
        self._view = view
        self._note = note
        self._open = True
        self.setObjectName("noteEditor")
        self.setAccessibleName("Text of the note")
        self.setPlainText(note.text)
        self.selectAll()
        self.setTabChangesFocus(True)
        rect = view.viewportTransform().mapRect(QRectF(note.x, note.y, note.width, note.height)).toRect()
        rect.setSize(rect.size().expandedTo(self.minimumSizeHint()))
        self.setGeometry(rect)
        view.graph_scene.changing.connect(self.discard)
        view.horizontalScrollBar().valueChanged.connect(self.commit)
        view.verticalScrollBar().valueChanged.connect(self.commit)

    def commit(self) -> None:
        """Keep what was written, as one step."""
        if self._open:
            self._close()
            text = self.toPlainText()[:MAX_NOTE]
            document = self._view.graph_scene.document
            known = {note.id: note for note in document.graph.notes}
            if self._note.id in known:
                document.do(SetNote(replace(known[self._note.id], text=text)), "Write note")

    def discard(self) -> None:
        """Leave the note as it was."""
        if self._open:
            self._close()

    def _close(self) -> None:
        self._open = False
        self.hide()
        self.deleteLater()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.discard()
            self._view.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.commit()

    def event(self, event: QEvent) -> bool:
        # The keys of the canvas, such as Delete, mean text here.
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)


class MoveNote(Gesture):
    """Press on a note: select it. Drag it elsewhere, with all that is selected, or its corner to another size.

    Args:
        view: where.
        item: the note under the pointer.
        resize: whether it is its corner.
        extend: add it to the selection, or take it out, instead of selecting it alone.
    """

    def __init__(self, view: GraphView, item: NoteItem, *, resize: bool, extend: bool) -> None:
        super().__init__(view)
        self.item = item
        self.note = item.note
        self.resize = resize
        self.extend = extend
        self.moved = False

    def start(self, position: QPointF) -> None:
        self.pressed_at = self.view.to_scene(position)
        scene, note_id = self.scene, self.note.id
        chosen = {*scene.selected_nodes, *scene.selected_notes}
        if self.extend:
            scene.select(chosen ^ {note_id}, scene.selected_links)
        elif note_id not in chosen:
            scene.select([note_id])
        self.places = scene.places_of([*scene.selected_nodes, *scene.selected_notes, note_id])

    def move(self, position: QPointF) -> None:
        changed = self._at(position)
        self.moved = self.moved or changed != self.note
        if self.resize:
            self.item.set_size(changed.width, changed.height)
        else:
            self.scene.show_at(self._shifted(changed))

    def _shifted(self, changed: Note) -> dict[str, QPointF]:
        way = QPointF(changed.x - self.note.x, changed.y - self.note.y)
        return {item_id: place + way for item_id, place in self.places.items()}

    def _at(self, position: QPointF) -> Note:
        way, note = self.view.to_scene(position) - self.pressed_at, self.note
        if not self.resize:
            return replace(note, x=snap(note.x + way.x()), y=snap(note.y + way.y()))
        sides = (snap(note.width + way.x()), snap(note.height + way.y()))
        width, height = (min(LARGEST_NOTE, max(SMALLEST_NOTE, side)) for side in sides)
        return replace(note, width=width, height=height)

    def end(self, position: QPointF) -> None:
        changed = self._at(position)
        if self.moved and self.resize:
            self.document.do(SetNote(changed), "Resize note")
        elif self.moved:
            positions = tuple((i, place.x(), place.y()) for i, place in self._shifted(changed).items())
            self.document.do(Move(positions), "Move note" if len(positions) == 1 else "Move")
        elif not self.extend:
            self.scene.select([self.note.id])  # a click on one of several selected
        self.cancel()

    def cancel(self) -> None:
        """Show all as the graph says."""
        self.scene.show_in_place(self.places)
        known = {note.id: note for note in self.document.graph.notes}
        if self.note.id in known:
            self.item.set_note(known[self.note.id])
