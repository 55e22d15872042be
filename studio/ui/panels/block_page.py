"""The inspector's page for one block."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from studio.blocks import Block
from studio.blocks.custom import CustomCode
from studio.compile.analysis import ERROR, NodeAnalysis, Problem
from studio.graph import GraphError, Node
from studio.graph.edits import Rename, SetBlock
from studio.graph.groups import setting_specs
from studio.tensors import TensorSpec
from studio.ui.canvas.summary import block_help
from studio.ui.document import Document
from studio.ui.icons import family_icon
from studio.ui.panels.group_section import GroupSection
from studio.ui.panels.pretrained_section import PretrainedSection
from studio.ui.panels.sample_section import SampleSection
from studio.ui.panels.trust_section import TrustSection, trust_here
from studio.ui.panels.usage_form import UsageForm
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.declared_form import DeclaredForm
from studio.ui.widgets.plain_text import Heading, PlainLabel, Refusal
from studio.ui.wording import size


class BlockPage(QWidget):
    """Name, settings, shapes, parameters, problems and help of a block."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._node_id = ""
        self.picture = QLabel(self)
        self.picture.setFixedSize(_PICTURE, _PICTURE)
        self.title = Heading("", self, large=True)
        self.group = PlainLabel("", self, color="node_muted")
        self.name_editor = QLineEdit(self)
        self.name_editor.setObjectName("name_editor")
        self.name_editor.setAccessibleName("Name of the block in code and checkpoints")
        self.name_refusal = Refusal(self)
        self.form = DeclaredForm(self)
        self.trust = TrustSection(self)
        self.pretrained = PretrainedSection(self)
        self.usage = UsageForm(document, self)
        self.group_section = GroupSection(document, self)
        self.facts = {name: _fact(self, name) for name in _FACTS}
        self.sample_section = SampleSection(self)
        self.errors = PlainLabel("", self, color="error")
        self.warnings = PlainLabel("", self, color="warning")
        self.help = PlainLabel("", self)
        self._arrange()
        self.name_editor.editingFinished.connect(self._rename)
        self.form.edited.connect(self._change_block)

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self.picture)
        head.addWidget(self.title, 1)
        layout.addLayout(head)
        for widget in (
            self.group, _name_row(self), self.name_refusal, self.trust, self.form, self.pretrained,
            self.usage,
        ):  # fmt: skip
            layout.addWidget(widget)
        layout.addWidget(self.group_section)
        layout.addWidget(self.errors)
        layout.addWidget(self.warnings)
        layout.addWidget(Heading("Shapes and costs", self))
        facts = QFormLayout()
        for name, fact in self.facts.items():
            facts.addRow(_label(self, name), fact)
        layout.addLayout(facts)
        layout.addWidget(self.sample_section)
        layout.addWidget(Heading("About", self))
        layout.addWidget(self.help)
        layout.addStretch(1)

    def show_node(self, node: Node) -> None:
        """Show a node, or another value of the same one."""
        if node.id != self._node_id or node.name != self.name_editor.text():
            self.name_editor.setText(node.name)
            self.name_refusal.tell("")
        self._node_id = node.id
        self.picture.setPixmap(family_icon(node.block.group).pixmap(_PICTURE, _PICTURE))
        self.title.setText(node.block.title)
        self.group.setText(node.block.group)
        self.form.set_declared(node.block)
        self.form.setVisible(bool(setting_specs(node.block)))
        self.trust.show_block(node.block, self.form.editors.get("code"))
        self.pretrained.show_block(node.block)
        self.usage.show_node(node)
        self.group_section.show_node(node)
        self.help.setText(block_help(type(node.block)))

    def show_facts(self, facts: NodeAnalysis | None, problems: list[Problem]) -> None:
        """Show what was inferred; None while nothing is known."""
        facts = facts or NodeAnalysis()
        texts = (
            _shapes(facts.inputs), _shapes(facts.outputs), f"{facts.parameters:,}",
            f"{facts.flops:,} for one sample", f"{size(facts.memory)} for one sample",
        )  # fmt: skip
        for fact, text in zip(self.facts.values(), texts, strict=True):
            fact.setText(text)
        self.usage.show_parameters(facts.parameters)
        errors = [p.message for p in problems if p.severity == ERROR and p.message != self.trust.text]
        _show(self.errors, errors)
        _show(self.warnings, [p.message for p in problems if p.severity != ERROR])

    def focus_name(self) -> None:
        """Put the cursor into the name, all of it selected."""
        self.name_editor.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.name_editor.selectAll()

    def focus_first(self) -> None:
        """Put the cursor into the first setting; into the name, if there is none."""
        first: QWidget = next(iter(self.form.editors.values()), self.name_editor)
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def _rename(self) -> None:
        graph = self._document.graph
        if self._node_id not in self._document.shown.by_id:
            return
        edit = Rename(self._node_id, self.name_editor.text().strip())
        try:
            edit.apply(graph)
        except GraphError as error:
            self.name_refusal.tell(str(error))
            return
        self.name_refusal.tell("")
        self._document.do(edit, "Rename")

    @Slot(object, str)
    def _change_block(self, block: Block, field: str) -> None:
        label = field.replace("_", " ")
        before = self._document.shown.node(self._node_id).block
        if isinstance(before, CustomCode) and isinstance(block, CustomCode) and not before.barrier:
            trust_here(block.code, self.trust.refused.emit)  # it was written here
        self._document.do(SetBlock(self._node_id, block), f"Change {label}", merge=f"{self._node_id}.{field}")


_PICTURE = 24  # pixels
_FACTS = ("In", "Out", "Parameters", "Operations", "Memory")


def _fact(page: QWidget, name: str) -> PlainLabel:
    label = PlainLabel("", page)
    label.setObjectName(f"fact_{name.lower()}")
    label.setAccessibleName(name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _label(page: QWidget, text: str) -> PlainLabel:
    label = PlainLabel(text, page)
    label.setMinimumWidth(LABEL_WIDTH)
    return label


def _name_row(page: BlockPage) -> QWidget:
    row = QWidget(page)
    layout = QFormLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    label = _label(row, "Name")
    label.setBuddy(page.name_editor)
    layout.addRow(label, page.name_editor)
    return row


def _show(label: PlainLabel, messages: list[str]) -> None:
    label.setText("\n\n".join(messages))
    label.setVisible(bool(messages))


def _shapes(specs_of_tensors: tuple[TensorSpec, ...]) -> str:
    return "\n".join(f"({spec})" for spec in specs_of_tensors) or "—"
