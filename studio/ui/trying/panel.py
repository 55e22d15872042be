"""The panel in which a person tries a network: gives something, and sees at once what it answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from studio.data.forms import (
    CharactersForm,
    NumbersForm,
    PictureForm,
    RawForm,
    RowForm,
    TextForm,
    WindowForm,
)
from studio.evaluation.writing import can_write
from studio.ui.trying.answer_view import AnswerView
from studio.ui.trying.asker import Asker, Told
from studio.ui.trying.editor import Editor
from studio.ui.trying.file_input import FileInput, WindowInput
from studio.ui.trying.picture_input import PictureInput
from studio.ui.trying.row_input import RowInput
from studio.ui.trying.text_input import TextInput
from studio.ui.trying.why_section import WhySection
from studio.ui.trying.writing_bar import WritingBar
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.taken import Taken
    from studio.evaluation.trying import Trial
    from studio.project import Project

FolderOf = Callable[["Project"], Path | None]

_DRAWN_MS, _TYPED_MS = 30, 120  # until a change is answered
_LONGEST_TRUTH = 400  # characters


class TryPanel(QWidget):
    """Editors for what is given, the answer, and why.

    Args:
        asker: whom it asks; it may serve other panels, too.
        folder_of: where the person keeps the files of a project's data.
    """

    def __init__(self, asker: Asker, folder_of: FolderOf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tryPanel")
        self._asker, self._folder_of = asker, folder_of
        self._trial: Trial | None = None
        self.editors: list[Editor] = []
        self.message = PlainLabel(parent=self, color="node_muted")
        self.message.setObjectName("tryMessage")
        self.message.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.message.setContentsMargins(10, 10, 10, 10)
        self.about = PlainLabel(parent=self, color="node_muted")
        self.about.setObjectName("tryAbout")
        self.sample = self._button("Random sample", "trySample", "Take a sample of the validation split")
        self.clear_button = self._button("Clear", "tryClear", "Give nothing any more")
        self.writing = WritingBar(self)
        self.told = PlainLabel(parent=self, color="warning")
        self.told.setObjectName("tryTold")
        self.truth = PlainLabel(parent=self, color="node_muted")
        self.truth.setObjectName("tryTruth")
        self.view = AnswerView(self)
        self.why = WhySection(asker, self)
        self._pages = QStackedWidget(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.give)
        self._arrange()
        self._connect()
        _put(self.told, "")
        _put(self.truth, "")
        self.tell("There is no network to try yet.")

    def _button(self, text: str, name: str, accessible: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(accessible)
        button.setToolTip(accessible)
        return button

    def _arrange(self) -> None:
        content = QWidget(self)
        rows = QVBoxLayout(content)
        rows.setContentsMargins(8, 6, 8, 8)
        rows.setSpacing(6)
        self._inputs = QVBoxLayout()
        self._inputs.setSpacing(6)
        buttons = QHBoxLayout()
        buttons.addWidget(self.sample)
        buttons.addWidget(self.clear_button)
        rows.addWidget(self.about)
        rows.addLayout(self._inputs)
        rows.addLayout(buttons)
        for part in (self.writing, self.told, self.view, self.truth, self.why):
            rows.addWidget(part)
        rows.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setObjectName("tryScroll")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self._pages.addWidget(self.message)
        self._pages.addWidget(scroll)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def _connect(self) -> None:
        asker = self._asker
        asker.opened.connect(self.begin)
        asker.refused.connect(self.tell)
        asker.answered.connect(self._show)
        asker.unreadable.connect(self._refuse)
        asker.taken.connect(self.show_sample)
        asker.untaken.connect(self._refuse)
        asker.written.connect(self._append)
        asker.writing_ended.connect(self._end_writing)
        self.sample.clicked.connect(self._take_sample)
        self.clear_button.clicked.connect(self.clear)
        self.writing.wanted.connect(self._write)
        self.writing.stop_wanted.connect(asker.stop_writing)

    @Slot(str)
    def tell(self, text: str) -> None:
        """Say why there is nothing to try."""
        self._trial = None
        self.message.setText(text)
        self._pages.setCurrentIndex(0)

    @Slot(object)
    def begin(self, trial: Trial) -> None:
        """Try another network; what was given stays where it can be given to this one, too."""
        self._trial = trial
        forms = [part.form for part in trial.answerer.parts]
        if forms != [editor.form for editor in self.editors]:
            self._make_editors(trial)
        self.writing.setVisible(can_write(trial.answerer))
        self.writing.show_busy(False)
        self.why.begin(trial)
        self.about.setText(trial.about)
        self.view.clear()
        _put(self.told, "")
        self._pages.setCurrentIndex(1)
        self.give()

    def _make_editors(self, trial: Trial) -> None:
        while (item := self._inputs.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.editors = []
        parts = trial.answerer.parts
        for part in parts:
            editor = editor_for(part.form, self)
            editor.changed.connect(self._change)
            editor.setAccessibleName(part.name)
            if len(parts) > 1:
                self._inputs.addWidget(PlainLabel(part.name, self, color="node_muted"))
            self._inputs.addWidget(editor)
            self.editors.append(editor)
        _put(self.truth, "")

    # Giving -----------------------------------------------------------------------------------------------------------

    @Slot()
    def _change(self) -> None:
        _put(self.truth, "")
        typed = isinstance(self.sender(), TextInput)
        if typed:
            self._timer.start(_TYPED_MS)  # again from the beginning
        elif not self._timer.isActive():
            self._timer.start(_DRAWN_MS)

    def given(self) -> tuple[object, ...] | None:
        """What is given for all parts; None while one is missing."""
        values = [editor.value() for editor in self.editors]
        last = self.editors[-1].form if self.editors else None
        if isinstance(last, TextForm) and last.followed and last.learned.has_signs and values[-1] is None:
            values[-1] = ""  # an answer of which nothing is known yet
        return None if not values or any(value is None for value in values) else tuple(values)

    @Slot()
    def give(self) -> None:
        """Have what is given answered."""
        self._timer.stop()
        given = self.given()
        if given is None:
            self._asker.take_back()
            self.view.clear()
            _put(self.told, "")
        elif self._trial is not None:
            self._asker.give(given)

    @Slot()
    def clear(self) -> None:
        """Give nothing any more."""
        self._asker.stop_writing()
        for editor in self.editors:
            editor.clear()
        _put(self.truth, "")
        self.give()

    @Slot()
    def _take_sample(self) -> None:
        if self._trial is not None:
            self.sample.setEnabled(False)
            self._asker.take(self._folder_of(self._trial.project))

    @Slot(object)
    def show_sample(self, taken: Taken) -> None:
        """Give a sample of the data."""
        self.sample.setEnabled(True)
        if len(taken.given) != len(self.editors):
            return
        for editor, given in zip(self.editors, taken.given, strict=True):
            editor.show_value(given)
        _put(self.truth, f"Sample {taken.row + 1:,} of the data: {taken.truth}"[:_LONGEST_TRUTH])
        self.give()

    # Answers ----------------------------------------------------------------------------------------------------------

    @Slot(object)
    def _show(self, told: Told) -> None:
        self.about.setText(told.about)
        _put(self.told, " ".join(told.answer.notes))
        if self.given() is None:
            return
        for editor, raw in zip(self.editors, told.raws, strict=True):
            editor.show_raw(raw)
        self.view.show_answer(told.answer, told.raws)
        self.why.answered()

    @Slot(str)
    def _refuse(self, reason: str) -> None:
        self.sample.setEnabled(True)
        _put(self.told, reason)
        if reason:
            self.view.clear()

    # Writing ----------------------------------------------------------------------------------------------------------

    @Slot(int, float)
    def _write(self, count: int, temperature: float) -> None:
        texts = [editor.text for editor in self.editors if isinstance(editor, TextInput)]
        if len(texts) == len(self.editors):
            self.writing.show_busy(True)
            _put(self.told, "")
            self._asker.write(tuple(texts), count, temperature)

    @Slot(str)
    def _append(self, piece: str) -> None:
        if self.editors and isinstance(self.editors[-1], TextInput):
            self.editors[-1].append(piece)

    @Slot(str)
    def _end_writing(self, reason: str) -> None:
        self.writing.show_busy(False)
        _put(self.told, reason)
        if not reason:
            self.give()


def _put(label: PlainLabel, text: str) -> None:
    """Show a text; a label without one takes no room."""
    label.setText(text)
    label.setVisible(bool(text))


def editor_for(form: RawForm, parent: QWidget) -> Editor:
    """What lets a person give a value of this form."""
    if isinstance(form, PictureForm):
        return PictureInput(form, parent)
    if isinstance(form, TextForm | CharactersForm):
        return TextInput(form, parent)
    if isinstance(form, RowForm | NumbersForm):
        return RowInput(form, parent)
    return WindowInput(form, parent) if isinstance(form, WindowForm) else FileInput(form, parent)
