"""A wire drawn with the keyboard: a list of the ports at which it could end."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLineEdit, QListView, QVBoxLayout, QWidget

from studio.compile.analysis import ERROR, WARNING
from studio.graph import Graph, Link, Node
from studio.graph.edits import AddLink
from studio.graph.geometry import is_frame
from studio.graph.walking import reading_order
from studio.graph.wiring import LinkRules, why_not
from studio.ui.canvas.scene import shown_inputs
from studio.ui.document import Document
from studio.ui.panels.outline_model import port_name
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.widgets.two_lines import COLOR, DETAIL, NAME, SEVERITY, TITLE, TwoLines

if TYPE_CHECKING:
    from studio.compile.fitting import Trial
    from studio.ui.canvas.fitter import Fitter, Reasons

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
NONE = QModelIndex()


class PortModel(QAbstractListModel):
    """The ports at which a wire from one port could end; those where it cannot come last, with the reason.

    Args:
        graph: as it is stored.
        shown: as it stands on the canvas.
        path, port: the block and the number of the port at which the wire begins.
        outgoing: whether that is an output.
        parent: its owner.
    """

    def __init__(
        self, graph: Graph, shown: Graph, path: str, port: int, *, outgoing: bool, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._graph = graph
        self._shown = shown
        self._outgoing = outgoing
        rules = LinkRules(graph, is_output=outgoing)
        links = [link for link in self._links(path, port) if link not in shown.links_into(link.target)]
        self._possible = {link: rules.allows(link) for link in links}
        self._links_sorted = sorted(links, key=lambda link: (not self._possible[link], self._rival(link) is not None))
        self._visible = self._links_sorted
        self._misfits: dict[Link, str] = {}
        self._reasons: dict[Link, str] = {}

    def _links(self, path: str, port: int) -> list[Link]:
        """To every port there is, first those after the block in the order in which data flows."""
        order = [node for node in reading_order(self._shown) if not is_frame(node)]
        here = next((number for number, node in enumerate(order) if node.id == path), 0)
        others = [*order[here + 1 :], *order[:here]] if self._outgoing else [*order[:here][::-1], *order[here + 1 :]]
        if self._outgoing:
            return [Link(path, port, n.id, i) for n in others for i in range(shown_inputs(self._shown, n))]
        return [Link(n.id, i, path, port) for n in others for i in range(len(n.block.outputs))]

    def _rival(self, link: Link) -> Link | None:
        return next((other for other in self._shown.links_into(link.target) if other.input == link.input), None)

    def _end(self, link: Link) -> Node:
        return self._shown.node(link.target if self._outgoing else link.source)

    # For the dialog

    @property
    def possible(self) -> list[Link]:
        """The links that can be made, in the order of the list."""
        return [link for link in self._links_sorted if self._possible[link]]

    def link_at(self, index: _Index) -> Link | None:
        """The link of a row; None for no row."""
        return self._visible[index.row()] if index.isValid() else None

    def can_make(self, link: Link) -> bool:
        """Whether a link can be made; its shapes need not fit."""
        return self._possible[link]

    def filter(self, text: str) -> None:
        """List only ports whose text contains all the words."""
        words = text.lower().split()
        self.beginResetModel()
        self._visible = [k for k in self._links_sorted if all(word in self.spoken(k, brief=True) for word in words)]
        self.endResetModel()

    def mark(self, misfits: dict[Link, str]) -> None:
        """Say of some links that their shapes would not fit, and why."""
        self._misfits |= misfits
        if self._visible:
            self.dataChanged.emit(self.index(0), self.index(len(self._visible) - 1))

    def effect(self, link: Link) -> str:
        """What the link would do, or why it cannot be made."""
        if not self._possible[link]:
            if link not in self._reasons:  # asked only for rows that are looked at: each answer tries the link
                self._reasons[link] = why_not(self._graph, link)
            return f"Not possible: {self._reasons[link]}"
        rival = self._rival(link)
        taken = f"Takes the place of the wire from “{self._shown.node(rival.source).name}”." if rival else ""
        return " ".join(filter(None, (self._misfits.get(link, ""), taken))) or "Free."

    def spoken(self, link: Link, *, brief: bool = False) -> str:
        """The row in words; if `brief`, in lower case and without the effect."""
        node = self._end(link)
        port = self._port(link)
        text = " ".join(filter(None, (node.block.title, node.name, port)))
        return text.lower() if brief else f"{text}. {self.effect(link)}"

    def _port(self, link: Link) -> str:
        index = link.input if self._outgoing else link.output
        return port_name(self._end(link), index, is_output=not self._outgoing)

    # What Qt asks

    def rowCount(self, parent: _Index = NONE) -> int:
        return 0 if parent.isValid() else len(self._visible)

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        link = self._visible[index.row()]
        node, port = self._end(link), self._port(link)
        if role in (_Role.DisplayRole, _Role.AccessibleTextRole):
            return self.spoken(link)
        if role == NAME:
            return f"{node.name}, {port}" if port else node.name
        if role == SEVERITY:
            return ERROR if not self._possible[link] else WARNING if self._misfits.get(link) else ""
        if role in (TITLE, COLOR):
            return node.block.title if role == TITLE else node.block.group
        return self.effect(link) if role == DETAIL else None


class LinkDialog(QDialog):
    """Search, choose a port, Enter. A link that is refused is listed with the reason.

    Args:
        document: what is edited.
        fitter: says of each link whether the shapes would fit; None if there is none yet.
        path: the block at which the wire begins.
        outgoing: whether it begins at an output of the block, or at an input.
        parent: its owner.
    """

    def __init__(
        self, document: Document, fitter: Fitter | None, path: str, *, outgoing: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("linkDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._document = document
        self._fitter = fitter
        self._path = path
        self._outgoing = outgoing
        node = document.shown.node(path)
        self.setWindowTitle(f"Link “{node.name}” {'to' if outgoing else 'from'}…")
        self.own_port = self._make_own_port(node)
        self.search = QLineEdit(self)
        self.search.setObjectName("linkSearch")
        self.search.setAccessibleName("Search ports")
        self.search.setPlaceholderText("Search blocks")
        self.search.installEventFilter(self)
        self.list = QListView(self)
        self.list.setObjectName("linkPorts")
        self.list.setAccessibleName("Ports at which the wire can end")
        self.list.setItemDelegate(TwoLines(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.effect = PlainLabel("", self)
        self.effect.setObjectName("linkEffect")
        self.buttons = self._make_buttons()
        self._place()
        self.resize(420, 460)
        document.graph_changed.connect(self.reject)
        self.own_port.currentIndexChanged.connect(self._list_ports)
        self.search.textChanged.connect(self._filter)
        self.list.doubleClicked.connect(self.accept)
        self._list_ports()

    def _make_own_port(self, node: Node) -> QComboBox:
        """The block's own ports; shown if there are several. The first free input comes first to mind."""
        box = QComboBox(self)
        box.setObjectName("linkOwnPort")
        box.setAccessibleName(f"{'Output' if self._outgoing else 'Input'} of “{node.name}”")
        count = len(node.block.outputs) if self._outgoing else shown_inputs(self._document.shown, node)
        for index in range(count):
            box.addItem(port_name(node, index, is_output=self._outgoing) or "its only port")
        free = None if self._outgoing else self._document.shown.free_input(node.id)
        box.setCurrentIndex(free if free is not None and free < count else 0)
        box.setVisible(count > 1)
        return box

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.link_button = buttons.addButton("Link", QDialogButtonBox.ButtonRole.AcceptRole)
        self.link_button.setObjectName("linkButton")
        self.link_button.setDefault(True)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setObjectName("linkCancel")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _place(self) -> None:
        layout = QVBoxLayout(self)
        for widget in (self.own_port, self.search, self.list, self.effect, self.buttons):
            layout.addWidget(widget)
        layout.setStretchFactor(self.list, 1)
        self.search.setFocus()

    @Slot()
    def _list_ports(self) -> None:
        graph, shown, port = self._document.graph, self._document.shown, max(0, self.own_port.currentIndex())
        self.model = PortModel(graph, shown, self._path, port, outgoing=self._outgoing, parent=self)
        self.list.setModel(self.model)
        self.list.selectionModel().currentChanged.connect(self._explain)
        self.model.dataChanged.connect(self._explain)
        self._filter(self.search.text())
        self._try_shapes()

    @Slot(str)
    def _filter(self, text: str) -> None:
        self.model.filter(text)
        self.list.setCurrentIndex(self.model.index(0))
        self._explain()

    @Slot()
    def _explain(self) -> None:
        link = self.model.link_at(self.list.currentIndex())
        self.link_button.setEnabled(link is not None and self.model.can_make(link))
        self.effect.setText(self.model.effect(link) if link is not None else "No port matches. Try a shorter word.")
        self.effect.setAccessibleName(self.effect.text())

    def _try_shapes(self) -> None:
        if self._fitter is None:
            return
        from studio.compile.fitting import trial_of_link

        trials: dict[Hashable, Trial] = {}
        for link in self.model.possible:
            trial = trial_of_link(self._document.shown, self._fitter.analysis, link)
            if trial is not None:
                trials[link] = trial
        self._fitter.ask(trials, self._mark)

    def _mark(self, reasons: Reasons) -> None:
        self.model.mark({link: reason for link, reason in reasons.items() if isinstance(link, Link)})

    def accept(self) -> None:
        """Make the chosen link, if it can be made."""
        link = self.model.link_at(self.list.currentIndex())
        if link is None or not self.model.can_make(link):
            return
        self._document.graph_changed.disconnect(self.reject)
        self._document.do(AddLink(link, replace_existing=True), "Connect")
        super().accept()

    def done(self, result: int) -> None:
        """However it ends, nothing more is tried."""
        if self._fitter is not None:
            self._fitter.forget()
        super().done(result)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down in the search field walk through the list."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None and self.model.rowCount():
                row = max(0, min(self.model.rowCount() - 1, self.list.currentIndex().row() + step))
                self.list.setCurrentIndex(self.model.index(row))
                return True
        return super().eventFilter(watched, event)
