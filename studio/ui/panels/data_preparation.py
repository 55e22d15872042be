"""What is done with the data before a network gets it: how it is divided and scaled, and what is to be predicted."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QGroupBox, QScrollArea, QVBoxLayout, QWidget

from studio.data import DataChoice, Split
from studio.data.base import SPLITS
from studio.ui.document import Document
from studio.ui.gallery.opened import LEFT_OUT, Opened
from studio.ui.gallery.sample_model import PART_TITLES
from studio.ui.widgets.declared_form import DeclaredForm, step_name
from studio.ui.widgets.plain_text import PlainLabel


class DataPreparation(QScrollArea):
    """Sections below each other. Every change goes through the document, so it can be undone."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataPreparation")
        self.setAccessibleName("Split, scaling and target")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._document = document
        self.split = DeclaredForm(self)
        self.scaling = DeclaredForm(self, hidden=("balanced",))  # that stands beside the classes
        self.counts = PlainLabel(parent=self)
        self.counts.setObjectName("splitCounts")
        self.refusal = PlainLabel(parent=self, color="error")
        self.refusal.setObjectName("splitRefusal")
        self.split.edited.connect(self._edit_split)
        self.scaling.edited.connect(self._edit_data)
        content = QWidget(self)
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(8, 8, 8, 8)
        self._layout.addStretch()
        self.setWidget(content)
        self.add_section("Split", "settingsSplit", self.counts, self.refusal, self.split)
        self.add_section("Scaling and target", "settingsData", self.scaling)
        self.show_choice()
        self.show_opened(None)

    def add_section(self, title: str, name: str, *widgets: QWidget) -> QGroupBox:
        """Add a section below the others.

        Args:
            title: its heading.
            name: its objectName.
            widgets: what stands in it, from above.
        """
        section = QGroupBox(title, self)
        section.setObjectName(name)
        layout = QVBoxLayout(section)
        for widget in widgets:
            layout.addWidget(widget)
        self._layout.insertWidget(self._layout.count() - 1, section)
        return section

    def show_choice(self) -> None:
        """Follow the project."""
        data = self._document.project.data
        self.split.set_declared(data.split)
        self.scaling.set_declared(data)

    def show_opened(self, opened: Opened | None) -> None:
        """Tell how many samples each split has, or why the samples cannot be divided."""
        self.counts.setText(_counts(opened) if opened is not None and opened.splits else "")
        self.counts.setVisible(bool(self.counts.text()))
        reason = opened.reason if opened is not None and opened.listing is not None else ""
        self.refusal.setText(reason)
        self.refusal.setVisible(bool(reason))

    @Slot(object, str)
    def _edit_split(self, split: Split, name: str) -> None:
        choice = replace(self._document.project.data, split=split)
        self._document.choose_data(choice, f"{step_name(name)} of the split")

    @Slot(object, str)
    def _edit_data(self, choice: DataChoice, name: str) -> None:
        self._document.choose_data(choice, step_name(name))


def _counts(opened: Opened) -> str:
    counts = {part: len(opened.of(part)) for part in (*SPLITS, LEFT_OUT)}
    used = sum(counts[name] for name in SPLITS) or 1
    parts = [f"{PART_TITLES[name]} {counts[name]:,} ({counts[name] / used:.0%})" for name in SPLITS]
    left = [f"left out {counts[LEFT_OUT]:,}"] if counts[LEFT_OUT] else []
    return ", ".join([*parts, *left])
