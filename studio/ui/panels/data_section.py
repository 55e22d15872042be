"""The settings of the dataset itself, with what was found in the person's own files."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QGroupBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.data import Findings, Source
from studio.fields import specs
from studio.ui.widgets.declared_form import DeclaredForm
from studio.ui.widgets.plain_text import PlainLabel


class DataSection(QGroupBox):
    """Hidden for a dataset without settings."""

    edited = Signal(object, str)  # the changed Source; the name of the field
    file_wanted = Signal()
    folder_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settingsSource")
        self._source: Source | None = None
        self.form = DeclaredForm(self)
        self.form.edited.connect(self.edited)
        self.summary = PlainLabel("", self, color="node_muted")
        self.summary.setObjectName("dataSummary")
        self.summary.setAccessibleName("What was found in the files")
        self._places = QWidget(self)
        places = QHBoxLayout(self._places)
        places.setContentsMargins(0, 0, 0, 0)
        for name, text, wanted in (
            ("chooseFileButton", "Choose a file…", self.file_wanted),
            ("chooseFolderButton", "Choose a folder…", self.folder_wanted),
        ):
            button = QPushButton(text, self._places)
            button.setObjectName(name)
            button.setAccessibleName(text)
            button.clicked.connect(wanted)
            places.addWidget(button)
        layout = QVBoxLayout(self)
        for widget in (self._places, self.summary, self.form):
            layout.addWidget(widget)

    def show_source(self, source: Source) -> None:
        """Show the settings of the project's dataset."""
        if source != self._source:
            self.summary.setText("Reading the files…" if source.needs_place else "")
        self._source = source
        self.setTitle(f"Dataset: {source.title}")
        self.form.set_declared(source)
        self._places.setVisible(source.needs_place)
        self.summary.setVisible(source.needs_place)
        self.setVisible(bool(specs(type(source))))  # most datasets are as they are

    @Slot(object, object)
    def show_findings(self, source: Source, findings: Findings) -> None:
        """Tell what was found."""
        if source == self._source:
            self.summary.setText(findings.summary)
