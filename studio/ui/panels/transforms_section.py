"""The random changes of training samples: which, in which order, and what they make of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from studio.data.choice import MOST_TRANSFORMS
from studio.data.transforms import Transform
from studio.data.transforms.base import usable_kinds
from studio.project import Project
from studio.ui.document import Document
from studio.ui.panels.transforms_list import TransformsList
from studio.ui.panels.transforms_preview import TransformsPreview
from studio.ui.transform_trials import TransformTrials
from studio.ui.widgets.declared_form import DeclaredForm, step_name
from studio.ui.widgets.plain_text import PlainLabel

_EXPLANATION = "Each epoch changes the training samples anew, in this order. Validation and test stay as they are."
_ARROW_WIDTH = 32  # pixels; with words the row would be wider than its column
_NONE_FIT = "There are no transforms for this kind of data."


class TransformsSection(QWidget):
    """A list with buttons, the settings of the chosen transform, and a preview.

    Every change goes through the document, so it can be undone.
    """

    def __init__(self, document: Document, trials: TransformTrials, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformsSection")
        self._document = document
        self._trials = trials
        self._row = -1  # the chosen one
        self.list = TransformsList(self)
        self.menu = QMenu(self)
        self.add_button = self._button("addTransform", "Add", "Add a transform")
        self.up_button = self._button("moveTransformUp", "↑", "Move the transform up")
        self.down_button = self._button("moveTransformDown", "↓", "Move the transform down")
        self.remove_button = self._button("removeTransform", "Remove", "Remove the transform")
        self.refusal = PlainLabel(parent=self, color="error")
        self.refusal.setObjectName("transformRefusal")
        self.form = DeclaredForm(self)
        self.preview = TransformsPreview(trials, self)
        self._arrange()
        self._connect()
        self.show_choice()

    def _button(self, name: str, text: str, accessible: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(accessible)
        button.setToolTip(accessible)
        return button

    def _arrange(self) -> None:
        self.menu.setObjectName("transformsMenu")
        self.menu.setToolTipsVisible(True)
        self.add_button.setMenu(self.menu)
        for arrow in (self.up_button, self.down_button):
            arrow.setFixedWidth(_ARROW_WIDTH)
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.add_button, self.up_button, self.down_button, self.remove_button):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.explanation = PlainLabel(_EXPLANATION, self, color="node_muted")
        layout.addWidget(self.explanation)
        layout.addLayout(row)
        for widget in (self.list, self.refusal, self.form, self.preview):
            layout.addWidget(widget)

    def _connect(self) -> None:
        self.menu.triggered.connect(lambda action: self._add(action.data()))
        self.up_button.clicked.connect(lambda: self._move(self._row, self._row - 1))
        self.down_button.clicked.connect(lambda: self._move(self._row, self._row + 1))
        self.remove_button.clicked.connect(lambda: self._remove(self._row))
        self.list.currentRowChanged.connect(self._choose)
        self.list.move_wanted.connect(self._move)
        self.list.remove_wanted.connect(self._remove)
        self.form.edited.connect(self._edit)
        self._document.project_changed.connect(self._follow)

    @property
    def _transforms(self) -> tuple[Transform, ...]:
        return self._document.project.data.transforms

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if before.data != after.data:
            if before.data.transforms != after.data.transforms:
                self._row = _changed_row(before.data.transforms, after.data.transforms)
            self.show_choice()

    def show_choice(self) -> None:
        """Follow the project."""
        given, transforms = self._document.project.data.spec.inputs[0], self._transforms
        self._row = min(max(self._row, 0), len(transforms) - 1)
        self.list.show_transforms(transforms, given, self._row)
        kinds = usable_kinds(given)
        self._fill_menu(kinds)
        self.add_button.setEnabled(bool(kinds) and len(transforms) < MOST_TRANSFORMS)
        self.explanation.setText(_EXPLANATION if kinds or transforms else _NONE_FIT)
        self._show_chosen()

    def _fill_menu(self, kinds: Sequence[type[Transform]]) -> None:
        for old in self.menu.findChildren(QMenu):
            old.deleteLater()  # clearing leaves them, since the menu is their parent
        self.menu.clear()
        groups = dict.fromkeys(kind.group for kind in kinds)
        for group in groups:
            place = self.menu.addMenu(group) if len(groups) > 1 else self.menu
            for kind in kinds:
                if kind.group == group:
                    action = place.addAction(kind.title)
                    action.setObjectName(f"add_{kind.kind}")
                    action.setData(kind)
                    action.setToolTip((kind.__doc__ or "").partition("\n")[0])
            place.setToolTipsVisible(True)

    @Slot(int)
    def _choose(self, row: int) -> None:
        self._row = row
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self._transforms[self._row] if self._row >= 0 else None
        last = len(self._transforms) - 1
        self.list.setVisible(last >= 0)
        self.form.setVisible(chosen is not None)
        reason = ""
        if chosen is not None:
            self.form.set_declared(chosen)
            reason = chosen.refusal(self._document.project.data.spec.inputs[0])
        self.refusal.setText(reason)
        self.refusal.setVisible(bool(reason))
        self.up_button.setEnabled(self._row > 0)
        self.down_button.setEnabled(0 <= self._row < last)
        self.remove_button.setEnabled(chosen is not None)

    def _add(self, kind: type[Transform]) -> None:
        self._set((*self._transforms, kind()), f"Add “{kind.title}”")

    @Slot(int)
    def _remove(self, row: int) -> None:
        transforms = list(self._transforms)
        removed = transforms.pop(row)
        self._set(transforms, f"Remove “{removed.title}”")

    @Slot(int, int)
    def _move(self, row: int, to: int) -> None:
        transforms = list(self._transforms)
        if not (0 <= row < len(transforms) and 0 <= to < len(transforms)):
            return  # a row that was dropped is told a turn later: the list may be another one by then
        moved = transforms.pop(row)
        transforms.insert(to, moved)
        self._set(transforms, f"Move “{moved.title}” {'up' if to < row else 'down'}")
        self._choose(to)
        self.list.setCurrentRow(to)

    @Slot(object, str)
    def _edit(self, transform: Transform, name: str) -> None:
        transforms = list(self._transforms)
        transforms[self._row] = transform
        number = f"{self._row + 1}. " if sum(type(one) is type(transform) for one in transforms) > 1 else ""
        self._set(transforms, f"{step_name(name)} of “{number}{transform.title}”", own_step=False)

    def _set(self, transforms: Sequence[Transform], text: str, *, own_step: bool = True) -> None:
        choice = replace(self._document.project.data, transforms=tuple(transforms))
        self._document.choose_data(choice, text, own_step=own_step)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._trials.set_looking(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._trials.set_looking(False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_choice()  # the marks of the list have colours of their own


def _changed_row(before: Sequence[Transform], after: Sequence[Transform]) -> int:
    """The first row that is another one than before."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((row for row, (old, new) in pairs if old != new), min(len(before), len(after)))
