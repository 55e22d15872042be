"""What the menus and keys do with groups on the canvas."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from studio.graph import GraphError
from studio.graph.edits import AddNode, Several, new_node
from studio.graph.groups import GroupInput, GroupOutput, GroupUse
from studio.graph.paths import find, flatten, scope_of, scopes_of
from studio.graph.placement import free_place
from studio.ui.canvas.canvas_action import canvas_action
from studio.ui.canvas.scene import GraphScene


class GroupActions(QObject):
    """Makes, folds, links and takes apart the groups that are selected in a scene. Each is one undo step."""

    def __init__(self, scene: GraphScene, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scene = scene
        self.document = scene.document
        self.group_action = canvas_action(self, "group", "&Group", "Ctrl+G", self.group)
        self.ungroup_action = canvas_action(self, "ungroup", "U&ngroup", "Ctrl+Shift+G", self.ungroup)
        self.fold_action = canvas_action(self, "fold", "Fold or un&fold group", "Ctrl+.", self.fold)
        self.detach_action = canvas_action(self, "detach", "Detach from linked groups", None, self.detach)
        self.entry_action = canvas_action(self, "group_input", "Add group input", None, self.add_input)
        self.exit_action = canvas_action(self, "group_output", "Add group output", None, self.add_output)
        scene.selection_changed.connect(self._enable)
        self.document.graph_changed.connect(self._enable)
        self._enable()

    def all(self) -> list[QAction]:
        """The actions, in the order of a menu."""
        return [
            self.group_action, self.ungroup_action, self.fold_action, self.detach_action, self.entry_action,
            self.exit_action,
        ]  # fmt: skip

    @Slot()
    def _enable(self) -> None:
        groups = self._selected_groups()
        only = groups[0] if len(groups) == 1 else None
        self.group_action.setEnabled(bool(self.scene.selected_nodes))
        for action in (self.ungroup_action, self.fold_action):
            action.setEnabled(bool(groups))
        for action in (self.entry_action, self.exit_action):
            action.setEnabled(only is not None)
        self.detach_action.setEnabled(only is not None and self._uses(only) > 1)

    def _uses(self, path: str) -> int:
        """How often the group at a path is used."""
        from studio.graph.group_edits import keys_in_use  # not needed to show the window

        return keys_in_use(self.document.graph)[self._use(path).definition.key]

    def _selected_groups(self) -> list[str]:
        nodes = self.document.shown.by_id
        return [i for i in self.scene.selected_nodes if i in nodes and isinstance(nodes[i].block, GroupUse)]

    def _use(self, path: str) -> GroupUse:
        block = find(self.document.graph, path).block
        assert isinstance(block, GroupUse)
        return block

    @Slot()
    def group(self) -> None:
        """Put the selected blocks into a group, and select it."""
        from studio.graph.group_edits import MakeGroup, group_made  # not needed to show the window

        edit = MakeGroup(frozenset(self.scene.selected_nodes))
        try:
            path = group_made(self.document.graph, edit)
        except GraphError as error:
            self.document.refused.emit(str(error))
            return
        if self.document.do(edit, "Group"):
            self.scene.select([path])

    @Slot()
    def ungroup(self) -> None:
        """Put the blocks of the selected groups in their places, and select them."""
        from studio.graph.group_edits import Ungroup

        groups = self._selected_groups()
        before = set(self.document.shown.by_id)
        if groups and self.document.do(Several(tuple(Ungroup(path) for path in groups)), "Ungroup"):
            self.scene.select(set(self.document.shown.by_id) - before)

    @Slot()
    def fold(self) -> None:
        """Fold the selected groups if one of them is unfolded, otherwise unfold them."""
        groups = self._selected_groups()
        if groups:
            self.set_unfolded(groups, not any(find(self.document.graph, path).unfolded for path in groups))

    def set_unfolded(self, paths: list[str], unfolded: bool) -> None:
        """Show the blocks of groups on the canvas, or not."""
        from studio.graph.group_edits import Unfold

        edits = Several(tuple(Unfold(path, unfolded) for path in paths))
        if self.document.do(edits, "Unfold" if unfolded else "Fold"):
            self.scene.select(paths)

    def reveal_inside(self, path: str) -> None:
        """Unfold the groups in which a block stands, so that it can be seen."""
        from studio.graph.group_edits import Unfold

        try:
            folded = [scope for scope in scopes_of(path) if not find(self.document.graph, scope).unfolded]
        except GraphError:  # it is gone by now
            return
        if folded:
            self.document.do(Several(tuple(Unfold(scope, True) for scope in reversed(folded))), "Unfold")

    @Slot()
    def detach(self) -> None:
        """Make the selected group one of its own."""
        from studio.graph.group_edits import Detach

        for path in self._selected_groups()[:1]:
            self.document.do(Detach(path), "Detach group")

    @Slot()
    def add_input(self) -> None:
        """Give the selected group another input."""
        self._add_port(GroupInput(), "Add group input")

    @Slot()
    def add_output(self) -> None:
        """Give the selected group another output."""
        self._add_port(GroupOutput(), "Add group output")

    def _add_port(self, block: GroupInput | GroupOutput, text: str) -> None:
        """At the upper or lower edge of the group, beside the ports that stand there."""
        for path in self._selected_groups()[:1]:
            everything = flatten(self.document.graph, everything=True)
            inside = [node for node in everything.nodes if scope_of(node.id) == path]
            edge = min if isinstance(block, GroupInput) else max
            ports = [node.y for node in inside if type(node.block) is type(block)]
            x, y = min((n.x for n in inside), default=0.0), edge(ports or [n.y for n in inside] or [0.0])
            node = new_node(everything, block, *free_place(everything, x, y, path), path)
            self.document.do(AddNode(node), text)
