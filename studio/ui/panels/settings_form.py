"""The training settings as a form. Every change goes through the document, so it can be undone."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QVBoxLayout, QWidget

from studio.compile.target_kinds import kind_of
from studio.fields import replace
from studio.project import Project
from studio.settings import TrainingSettings
from studio.settings.losses import Loss
from studio.settings.training import CHOSEN, PARTS
from studio.ui.document import Document
from studio.ui.panels.apply_bar import ApplyBar
from studio.ui.panels.schedule_preview import SchedulePreview
from studio.ui.panels.settings_sections import ChoiceForm, PartSection, brief_of, title_of
from studio.ui.panels.weights_row import WeightsRow
from studio.ui.widgets.declared_form import DeclaredForm, step_name
from studio.ui.widgets.section import Section

_TITLES = {"schedule": "Learning-rate schedule"}
_FOLDED = ("loss",)  # of what is chosen; the usual loss suits most data


class SettingsForm(QScrollArea):
    """Settings of the run, each of what is chosen and of its parts, and the weights to start from."""

    find_requested = Signal()  # a learning rate
    apply_requested = Signal()  # to the run under way

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settingsForm")
        self.setAccessibleName("Training settings")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._document = document
        self._running: TrainingSettings | None = None
        self._busy = self._loaded = False
        self.run_form = DeclaredForm(self)
        self.find_rate = self._find_button()
        self.chosen = {
            name: ChoiceForm(name, kinds, self, {"learning_rate": self.find_rate} if name == "optimizer" else None)
            for name, kinds in CHOSEN.items()
        }
        self.parts = {name: PartSection(name, kind, self) for name, kind in PARTS.items()}
        self.preview = SchedulePreview(self)
        self.apply_bar = ApplyBar(self)
        self.weights = WeightsRow(document, self)
        self._sections: dict[str, Section] = {}
        self._build()
        self._enable_finding()
        self._show(document.project)
        document.project_changed.connect(self._follow)

    def _find_button(self) -> QPushButton:
        button = QPushButton("Find…", self)
        button.setObjectName("findRate")
        button.setAccessibleName("Find a learning rate")
        button.setToolTip("Try rising rates on a copy of the network, and see at which of them the loss falls fastest.")
        button.clicked.connect(self.find_requested)
        return button

    def _build(self) -> None:
        self.run_form.edited.connect(self._edit_run)
        self.apply_bar.apply_requested.connect(self.apply_requested)
        content = QWidget(self)
        layout = QVBoxLayout(content)
        layout.setSpacing(4)
        layout.addWidget(self.apply_bar)
        layout.addWidget(_section("Run", "settingsRun", self.run_form))
        for name, form in self.chosen.items():
            form.edited.connect(partial(self._edit, name))
            title = _TITLES.get(name, title_of(name))
            section = _section(title, f"settings{name.capitalize()}", form, folded=name in _FOLDED)
            self._sections[name] = section
            layout.addWidget(section)
        self._sections["schedule"].add(self.preview)
        for name, part in self.parts.items():
            part.edited.connect(partial(self._edit, name))
            layout.addWidget(part)
        layout.addWidget(_section("Weights at the start", "settingsWeights", self.weights))
        layout.addStretch()
        self.setWidget(content)

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if (before.training, before.weights, before.data) != (after.training, after.weights, after.data):
            self._show(after)

    def _show(self, project: Project) -> None:
        settings = project.training
        self.run_form.set_declared(settings)
        for name, form in self.chosen.items():
            value = getattr(settings, name)
            form.show_value(value)
            self._sections[name].set_brief(", ".join(filter(None, (value.title, brief_of(value)))))
        for name, part in self.parts.items():
            part.show_value(getattr(settings, name))
        self._allow_losses(project)
        self.find_rate.setVisible(not settings.optimizer.searches)
        self.preview.show_settings(settings)
        self.weights.show_project(project)
        self.apply_bar.compare(self._running, settings)

    def _allow_losses(self, project: Project) -> None:
        """Offer the losses that are made for the data."""
        target, losses = project.data.spec.target, CHOSEN["loss"]
        kinds: set[type[Loss]] = {loss for loss in losses if kind_of(target) in loss.fits}
        self.chosen["loss"].allow({loss.kind for loss in kinds})

    @Slot(object)
    def show_run(self, settings: TrainingSettings | None, *, busy: bool) -> None:
        """Compare with the settings of the run under way.

        Args:
            settings: those of a run that can be changed; None if there is none.
            busy: whether a run is under way at all; then no rate can be looked for.
        """
        self._running, self._busy = settings, busy
        self._enable_finding()
        self.apply_bar.compare(settings, self._document.project.training)

    def show_loaded(self) -> None:
        """PyTorch is loaded: allow to look for a learning rate."""
        self._loaded = True
        self._enable_finding()

    def _enable_finding(self) -> None:
        self.find_rate.setEnabled(self._loaded and not self._busy)

    @Slot(object, str)
    def _edit_run(self, settings: TrainingSettings, name: str) -> None:
        self._document.set_training(settings, step_name(name))

    def _edit(self, name: str, value: Any, step: str) -> None:
        self._document.set_training(replace(self._document.project.training, **{name: value}), step)


def _section(title: str, name: str, part: QWidget, *, folded: bool = False) -> Section:
    section = Section(title, name, folded=folded)
    section.add(part)
    return section
