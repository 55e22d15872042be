"""The training settings as a form. Every change goes through the document, so it can be undone."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QFormLayout, QFrame, QGroupBox, QLabel, QScrollArea, QVBoxLayout, QWidget

from studio.project import Project
from studio.settings import Optimizer, TrainingSettings, optimizers
from studio.ui.document import Document
from studio.ui.panels.weights_row import WeightsRow
from studio.ui.widgets.declared_form import DeclaredForm, step_name


class SettingsForm(QScrollArea):
    """Settings of the run and the optimizer, and the weights to start from."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settingsForm")
        self.setAccessibleName("Training settings")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._document = document
        self._run, self._optimizer = DeclaredForm(self), DeclaredForm(self)
        self._kind = QComboBox(self)
        self.weights = WeightsRow(document, self)
        self._build()
        self._show(document.project)
        document.project_changed.connect(self._follow)

    def _build(self) -> None:
        self._kind.setObjectName("optimizerKind")
        self._kind.setAccessibleName("Optimizer")
        for optimizer in optimizers:
            self._kind.addItem(optimizer.title, optimizer.kind)
        self._kind.activated.connect(self._choose_optimizer)
        self._run.edited.connect(self._edit_run)
        self._optimizer.edited.connect(self._edit_optimizer)
        kind_row = QFormLayout()
        label = QLabel("Method", self)
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance("Learning rate"))  # in line with the rows below
        kind_row.addRow(label, self._kind)
        content = QWidget(self)
        layout = QVBoxLayout(content)
        layout.addWidget(_group("Run", "settingsRun", self._run))
        layout.addWidget(_group("Optimizer", "settingsOptimizer", kind_row, self._optimizer))
        layout.addWidget(_group("Weights at the start", "settingsWeights", self.weights))
        layout.addStretch()
        self.setWidget(content)

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if (before.training, before.weights) != (after.training, after.weights):
            self._show(after)

    def _show(self, project: Project) -> None:
        settings = project.training
        self._run.set_declared(settings)
        self._kind.setCurrentIndex(self._kind.findData(settings.optimizer.kind))
        self._kind.setToolTip((type(settings.optimizer).__doc__ or "").partition("\n")[0])
        self._optimizer.set_declared(settings.optimizer)
        self.weights.show_project(project)

    @Slot(object, str)
    def _edit_run(self, settings: TrainingSettings, name: str) -> None:
        self._document.set_training(settings, step_name(name))

    @Slot(object, str)
    def _edit_optimizer(self, optimizer: Optimizer, name: str) -> None:
        self._set_optimizer(optimizer, step_name(name))

    @Slot(int)
    def _choose_optimizer(self, index: int) -> None:
        chosen = optimizers.get(self._kind.itemData(index))
        if chosen is not type(self._document.project.training.optimizer):
            self._set_optimizer(chosen(), f"Choose {chosen.title}")

    def _set_optimizer(self, optimizer: Optimizer, text: str) -> None:
        self._document.set_training(replace(self._document.project.training, optimizer=optimizer), text)


def _group(title: str, name: str, *parts: QWidget | QFormLayout) -> QGroupBox:
    group = QGroupBox(title)
    group.setObjectName(name)
    layout = QVBoxLayout(group)
    for part in parts:
        if isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    return group
