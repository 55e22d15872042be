"""The dataset of the project: what it is, what was found in its files, and its settings."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QGroupBox, QVBoxLayout, QWidget

from studio.data import Findings, Source
from studio.fields import specs
from studio.ui.widgets.declared_form import DeclaredForm
from studio.ui.widgets.plain_text import PlainLabel


class DataSection(QGroupBox):
    """Of a person's own files it tells what was found, of a known dataset what it is."""

    edited = Signal(object, str)  # the changed Source; the name of the field

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settingsSource")
        self._source: Source | None = None
        self.form = DeclaredForm(self)
        self.form.edited.connect(self.edited)
        self.summary = PlainLabel("", self, color="node_muted")
        self.summary.setObjectName("dataSummary")
        self.summary.setAccessibleName("What was found in the files")
        layout = QVBoxLayout(self)
        for widget in (self.summary, self.form):
            layout.addWidget(widget)

    def show_source(self, source: Source) -> None:
        """Show the settings of the project's dataset."""
        if source != self._source:
            own = "Reading the files…" if source.place else "Choose a file or a folder."
            self.summary.setText(own if source.needs_place else source.about)
        self._source = source
        self.setTitle(source.title)
        self.form.set_declared(source)
        self.form.setVisible(bool(specs(type(source))))

    @Slot(object, object)
    def show_findings(self, source: Source, findings: Findings) -> None:
        """Tell what was found."""
        if source == self._source and findings.summary:
            self.summary.setText(findings.summary)
