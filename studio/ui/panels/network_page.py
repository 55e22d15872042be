"""The inspector's page for the whole network."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFormLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from studio.compile.analysis import Analysis
from studio.project import Project
from studio.project.graph_json import MAX_TEXT
from studio.ui.document import Document
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.plain_text import Heading, PlainLabel, Refusal
from studio.ui.wording import size

_FACTS = ("Blocks", "Links", "Parameters", "Weights", "Operations", "Memory")
_MAX_TITLE = 200


class NetworkPage(QWidget):
    """The project's title and notes, and totals."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.title_editor = QLineEdit(self)
        self.title_editor.setObjectName("title_editor")
        self.title_editor.setAccessibleName("Title of the project")
        self.title_editor.setMaxLength(_MAX_TITLE)
        self.notes_editor = QPlainTextEdit(self)
        self.notes_editor.setObjectName("notes_editor")
        self.notes_editor.setAccessibleName("Notes on the network")
        self.notes_editor.setPlaceholderText("What is this network for? What did you find out?")
        self.notes_editor.setTabChangesFocus(True)
        self.notes_refusal = Refusal(self)
        self.facts = {name: PlainLabel("—", self) for name in _FACTS}
        self._arrange()
        self.title_editor.textEdited.connect(self._change_title)
        self.notes_editor.textChanged.connect(self._change_notes)

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(8)
        facts = QFormLayout()
        for name, label in self.facts.items():
            label.setObjectName(f"total_{name.lower()}")
            label.setAccessibleName(name)
            caption = PlainLabel(name, self)
            caption.setMinimumWidth(LABEL_WIDTH)
            facts.addRow(caption, label)
        hint = "Select a block to see its settings. Double-click a block in the palette to add it."
        layout.addWidget(Heading("Network", self, large=True))
        layout.addLayout(facts)
        layout.addWidget(Heading("Title", self))
        layout.addWidget(self.title_editor)
        layout.addWidget(Heading("Notes", self))
        layout.addWidget(self.notes_editor)
        layout.addWidget(self.notes_refusal)
        layout.addWidget(PlainLabel(hint, self, color="node_muted"))
        layout.addStretch(1)

    def show_project(self, project: Project) -> None:
        """Show the texts and counts of a project."""
        if self.title_editor.text() != project.title:
            self.title_editor.setText(project.title)
        if self.notes_editor.toPlainText() != project.notes and not self.notes_refusal.text():
            self.notes_editor.blockSignals(True)
            self.notes_editor.setPlainText(project.notes)
            self.notes_editor.blockSignals(False)
        self.facts["Blocks"].setText(f"{len(project.graph.nodes):,}")
        self.facts["Links"].setText(f"{len(project.graph.links):,}")

    def show_analysis(self, analysis: Analysis) -> None:
        """Show the totals of an analysis."""
        self.facts["Parameters"].setText(f"{analysis.parameters:,}")
        self.facts["Weights"].setText(f"{size(4 * analysis.parameters)} as 32-bit numbers")
        self.facts["Operations"].setText(f"{analysis.flops:,} for one sample")
        self.facts["Memory"].setText(f"{size(analysis.memory)} for one sample")

    @Slot(str)
    def _change_title(self, title: str) -> None:
        self._document.describe(title=title)

    @Slot()
    def _change_notes(self) -> None:
        notes = self.notes_editor.toPlainText()
        if len(notes) > MAX_TEXT:
            self.notes_refusal.tell(f"Notes have at most {MAX_TEXT:,} characters; these have {len(notes):,}.")
            return
        self.notes_refusal.tell("")
        self._document.describe(notes=notes)
