"""What the menus and keys do to put blocks in order."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QPointF, Slot
from PySide6.QtGui import QAction

from studio.graph.edits import Move
from studio.graph.paths import local_id, outermost, scope_of
from studio.ui.canvas.canvas_action import canvas_action
from studio.ui.canvas.scene import GraphScene

_ALIGNMENTS = {
    "left": "Align &left", "centre": "Align &centres", "right": "Align &right", "top": "Align &tops",
    "middle": "Align &middles", "bottom": "Align &bottoms",
}  # fmt: skip
_DISTRIBUTIONS = {"horizontally": "Spread &horizontally", "vertically": "Spread &vertically"}


class ArrangeActions(QObject):
    """Aligns, spreads and lays out what is selected in a scene, or all of it. Each is one undo step."""

    def __init__(self, scene: GraphScene, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scene = scene
        self.document = scene.document
        self.layout_action = canvas_action(self, "layout", "&Arrange automatically", "Ctrl+L", self.lay_out)
        self.align_actions = [
            canvas_action(self, f"align_{edge}", text, None, partial(self.align, edge))
            for edge, text in _ALIGNMENTS.items()
        ]
        self.distribute_actions = [
            canvas_action(self, f"distribute_{axis}", text, None, partial(self.distribute, axis))
            for axis, text in _DISTRIBUTIONS.items()
        ]
        scene.selection_changed.connect(self._enable)
        self._enable()

    def all(self) -> list[QAction]:
        """The actions, in the order of a menu."""
        return [self.layout_action, *self.align_actions, *self.distribute_actions]

    @Slot()
    def _enable(self) -> None:
        count = len(outermost(self.scene.selected_nodes))
        for action in self.align_actions:
            action.setEnabled(count >= 2)
        for action in self.distribute_actions:
            action.setEnabled(count >= 3)

    def align(self, edge: str) -> None:
        """Put the selected blocks on one line; `edge` is one of `arrange.EDGES`."""
        from studio.graph import arrange  # not needed to show the window

        chosen = outermost(self.scene.selected_nodes)
        if len(chosen) >= 2:
            self._move(arrange.align(self.document.shown, chosen, edge), _ALIGNMENTS[edge].replace("&", ""))

    def distribute(self, axis: str) -> None:
        """Make the gaps between the selected blocks equal; `axis` is one of `arrange.AXES`."""
        from studio.graph import arrange

        chosen = outermost(self.scene.selected_nodes)
        if len(chosen) >= 3:
            self._move(arrange.distribute(self.document.shown, chosen, axis), _DISTRIBUTIONS[axis].replace("&", ""))

    @Slot()
    def lay_out(self) -> None:
        """Lay out the selected blocks, if there are two or more beside each other; otherwise all."""
        from studio.graph import arrange

        chosen = outermost(self.scene.selected_nodes)
        scopes = {scope_of(path) for path in chosen}
        if len(chosen) >= 2 and len(scopes) == 1:
            ids = frozenset(local_id(path) for path in chosen)
            move = arrange.layered(self.document.graph, scopes.pop(), ids)
        else:
            move = arrange.layered(self.document.graph)
        self._move(move, "Arrange automatically")

    def _move(self, edit: Move, text: str) -> None:
        from studio.ui.canvas.glide import Glide

        before = {node.id: QPointF(node.x, node.y) for node in self.document.shown.nodes}
        if self.document.do(edit, text):
            after = self.document.shown.by_id
            moved = {i: p for i, p in before.items() if i in after and p != QPointF(after[i].x, after[i].y)}
            self.glide = self.scene.findChild(Glide) or Glide(self.scene)
            self.glide.start(moved)
