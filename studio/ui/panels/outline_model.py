"""The network as a tree of rows: blocks in the order in which data flows, and below each the wires at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from studio.compile.analysis import ERROR, SEVERITIES, Analysis, NodeAnalysis, Problem
from studio.graph import Graph, Link, Node
from studio.graph.groups import GroupUse
from studio.graph.paths import join, level
from studio.graph.walking import feeding, following, reading_order
from studio.ui.canvas.summary import summary
from studio.ui.widgets.plain_text import plain_tooltip
from studio.ui.widgets.two_lines import COLOR, DETAIL, NAME, SEVERITY, TITLE

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
NONE = QModelIndex()

Key = str | tuple[Link, bool]  # path of a block; or a wire, and whether it is shown at its source


@dataclass(frozen=True)
class RowText:
    """What a row says.

    Args:
        title, name: its first line; the name is muted.
        detail: its second line: the shape, or what is wrong.
        spoken, described: for a screen reader.
        severity: of the worst problem; empty for none.
        color_group: whose colour the mark has; empty for no mark.
    """

    title: str
    name: str
    detail: str
    spoken: str
    described: str = ""
    severity: str = ""
    color_group: str = ""


@dataclass
class _Row:
    key: Key
    parent: int  # number of the row above it in the tree; -1 for none
    place: int  # among its siblings
    text: RowText
    children: list[int] = field(default_factory=list)


class OutlineModel(QAbstractItemModel):
    """Rows by number, so that no index ever refers to something that is gone.

    Args:
        rename: gives the block at a path another name; whether that was done.
        parent: its owner.
    """

    def __init__(self, rename: Callable[[str, str], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rename = rename
        self._rows: list[_Row] = []
        self._top: list[int] = []
        self._numbers: dict[Key, int] = {}

    def show_graph(self, graph: Graph, shown: Graph, analysis: Analysis | None) -> bool:
        """Show another graph, or what is known of it now.

        Args:
            graph: as it is stored.
            shown: as it stands on the canvas.
            analysis: what is known of it; None for nothing.

        Returns:
            Whether there are other rows now, so that a view must be told again what is expanded and selected.
        """
        rows = _Rows(graph, shown, analysis or Analysis()).all()
        if [(r.key, r.parent) for r in rows] == [(r.key, r.parent) for r in self._rows]:
            before, self._rows = self._rows, rows
            for number, (old, new) in enumerate(zip(before, rows, strict=True)):
                if old.text != new.text:
                    index = self._index_of(number)
                    self.dataChanged.emit(index, index)
            return False
        self.beginResetModel()
        self._rows = rows
        self._top = [number for number, row in enumerate(rows) if row.parent < 0]
        self._numbers = {row.key: number for number, row in enumerate(rows)}
        self.endResetModel()
        return True

    # Keys

    def key_at(self, index: _Index) -> Key | None:
        """What a row stands for; None for no row."""
        return self._rows[index.internalId()].key if index.isValid() else None

    def path_at(self, index: _Index) -> str | None:
        """Path of the block of a row; of a wire's row, of the block under which it stands."""
        key = self.key_at(index)
        return self.key_at(index.parent()) if isinstance(key, tuple) else key  # type: ignore[return-value]

    def index_of(self, key: Key) -> QModelIndex:
        """The row of a block or wire; an invalid index if there is none."""
        number = self._numbers.get(key)
        return NONE if number is None else self._index_of(number)

    def all_keys(self) -> list[Key]:
        """All rows from the top, each before those below it."""
        return [row.key for row in self._rows]

    def _index_of(self, number: int) -> QModelIndex:
        return self.createIndex(self._rows[number].place, 0, number)

    # What Qt asks

    def _children(self, parent: _Index) -> list[int]:
        return self._rows[parent.internalId()].children if parent.isValid() else self._top

    def index(self, row: int, column: int, parent: _Index = NONE) -> QModelIndex:
        children = self._children(parent)
        return self.createIndex(row, 0, children[row]) if column == 0 and 0 <= row < len(children) else NONE

    def parent(self, index: _Index) -> QModelIndex:  # type: ignore[override]
        number = self._rows[index.internalId()].parent if index.isValid() else -1
        return self._index_of(number) if number >= 0 else NONE

    def rowCount(self, parent: _Index = NONE) -> int:
        return len(self._children(parent))

    def columnCount(self, parent: _Index = NONE) -> int:
        return 1

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if isinstance(self.key_at(index), str) else flags

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        if not index.isValid():
            return None
        text = self._rows[index.internalId()].text
        if role == _Role.DisplayRole:
            return f"{text.title} {text.name}".strip()
        if role == _Role.ToolTipRole:
            return plain_tooltip("\n".join(filter(None, (text.spoken, text.described))))
        name = _ROLES.get(role)
        return getattr(text, name) if name is not None else None

    def setData(self, index: _Index, value: object, role: int = _Role.EditRole) -> bool:
        """Rename the block of a row."""
        path = self.key_at(index)
        return role == _Role.EditRole and isinstance(path, str) and self._rename(path, str(value).strip())


_ROLES: dict[int, str] = {
    _Role.EditRole: "name", _Role.AccessibleTextRole: "spoken", _Role.AccessibleDescriptionRole: "described",
    TITLE: "title", NAME: "name", DETAIL: "detail", SEVERITY: "severity", COLOR: "color_group",
}  # fmt: skip


class _Rows:
    """Makes the rows of a graph."""

    def __init__(self, graph: Graph, shown: Graph, analysis: Analysis) -> None:
        self._graph = graph
        self._shown = shown
        self._analysis = analysis
        self._problems: defaultdict[str, list[Problem]] = defaultdict(list)
        for problem in analysis.problems:
            if problem.node_id is not None:
                self._problems[problem.node_id].append(problem)
        self._rows: list[_Row] = []
        self._top: list[int] = []

    def all(self) -> list[_Row]:
        self._add_scope("", -1)
        return self._rows

    def _add(self, key: Key, parent: int, text: RowText) -> int:
        siblings = self._rows[parent].children if parent >= 0 else self._top
        number = len(self._rows)
        self._rows.append(_Row(key, parent, len(siblings), text))
        siblings.append(number)
        return number

    def _add_scope(self, scope: str, parent: int) -> None:
        for node in reading_order(level(self._graph, scope)):
            path = join(scope, node.id)
            number = self._add(path, parent, self._block_text(path))
            for link, at_source in self._wires(path):
                self._add((link, at_source), number, self._wire_text(link, at_source))
            if isinstance(node.block, GroupUse) and node.unfolded:
                self._add_scope(path, number)

    def _wires(self, path: str) -> Iterator[tuple[Link, bool]]:
        yield from ((link, False) for link in self._shown.links_into(path))
        yield from ((link, True) for link in sorted(self._shown.links_out_of(path)))

    def _block_text(self, path: str) -> RowText:
        node, known = self._shown.node(path), self._analysis.nodes.get(path, NodeAnalysis())
        shape = " and ".join(map(str, known.outputs)) or " and ".join(map(str, known.inputs))
        worst = min(self._problems[path], key=lambda p: SEVERITIES.index(p.severity), default=None)
        kind, settings = _kind(node), summary(node.block)
        spoken = [f"{kind} {node.name}", shape, f"{worst.severity}: {worst.message}" if worst else ""]
        wrong = worst.message if worst and worst.severity == ERROR else ""
        return RowText(
            kind, node.name, wrong or shape or settings or "shape unknown",
            ", ".join(filter(None, spoken)), self._neighbours(path, settings), worst.severity if worst else "",
            node.block.group,
        )  # fmt: skip

    def _neighbours(self, path: str, settings: str) -> str:
        before, after = (
            ", ".join(self._shown.node(other).name for other in found)
            for found in (feeding(self._shown, path), following(self._shown, path))
        )
        parts = [settings, f"fed by {before}" if before else "fed by nothing", f"feeds {after or 'nothing'}"]
        return "; ".join(filter(None, parts))

    def _wire_text(self, link: Link, at_source: bool) -> RowText:
        source, target = self._shown.node(link.source), self._shown.node(link.target)
        outputs = self._analysis.nodes.get(link.source, NodeAnalysis()).outputs
        shape = str(outputs[link.output]) if link.output < len(outputs) else ""
        port = port_name(target, link.input, is_output=False) if at_source else ""
        own = "" if at_source else port_name(target, link.input, is_output=False)
        word, other = ("to", target) if at_source else ("from", source)
        if not at_source and len(source.block.outputs) > 1:
            port = port_name(source, link.output, is_output=True)
        spoken = f"Wire {word} {other.name}" + (f", {port}" if port else "") + (f", at {own}" if own else "")
        detail = ", ".join(filter(None, (shape, port or own)))
        return RowText(word, other.name, detail, f"{spoken}, {shape}" if shape else spoken)


def port_name(node: Node, index: int, *, is_output: bool) -> str:
    """Which port it is, such as "input 2, key"; empty if the block has but one."""
    names = node.block.outputs if is_output else node.block.inputs
    if len(names) < 2 and (is_output or not node.block.many_inputs):
        return ""
    word = "output" if is_output else "input"
    name = names[index] if index < len(names) else word
    return f"{word} {index + 1}" if name == word or name.startswith(word) else f"{word} {index + 1}, {name}"


def _kind(node: Node) -> str:
    """The block's title, and what is special about it."""
    words = [node.block.title + (f" ×{node.repeat}" if node.repeat > 1 else "")]
    if isinstance(node.block, GroupUse) and not node.unfolded:
        words.append("(folded)")
    if node.bypassed:
        words.append("(bypassed)")
    if node.frozen:
        words.append("(frozen)")
    return " ".join(words)
