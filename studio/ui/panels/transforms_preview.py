"""What training gets of one sample, in its first epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.ui import theme
from studio.ui.panels.trial_grid import TrialGrid
from studio.ui.transform_trials import EPOCHS, TransformTrials, Tried
from studio.ui.widgets.plain_text import Heading, PlainLabel

if TYPE_CHECKING:
    from studio.data.trials import Trial

_TITLES = ["Before", *(f"Epoch {epoch}" for epoch in EPOCHS)]
_HEIGHT = 230  # pixels of a text or a table
_LONGEST_ANSWER = 60  # characters


class TransformsPreview(QWidget):
    """Pictures, plots, numbers or words, and a way to another sample."""

    def __init__(self, trials: TransformTrials, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformsPreview")
        self._trials = trials
        self.caption = PlainLabel(parent=self, color="node_muted")
        self.caption.setObjectName("trialCaption")
        self.reason = PlainLabel(parent=self)
        self.reason.setObjectName("trialReason")
        self.grid = TrialGrid(self)
        self.words = _words_view(self)
        self.numbers = _numbers_view(self)
        self.next_button = QPushButton("Next sample", self)
        self.next_button.setObjectName("nextTrial")
        self.next_button.setAccessibleName("Next sample")
        self.next_button.clicked.connect(trials.show_next)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        heading = Heading("What training gets of a sample", self)
        for widget in (heading, self.reason, self.grid, self.words, self.numbers, self.caption, self.next_button):
            layout.addWidget(widget)
        trials.seen.connect(self.show_tried)
        self.show_tried(trials.tried)

    @Slot(object)
    def show_tried(self, tried: Tried) -> None:
        """Show a trial, or why there is none; nothing at all while there is nothing to try."""
        trial = tried.trial
        self.setVisible(trial is not None or bool(tried.reason))
        self.reason.setText(tried.reason)
        self.reason.setVisible(bool(tried.reason))
        self.caption.setText(_caption(trial, tried.seed) if trial is not None else "")
        self.grid.setVisible(
            trial is not None and (trial.before.picture is not None or trial.before.series is not None)
        )
        self.words.setVisible(trial is not None and bool(trial.before.tags))
        self.numbers.setVisible(trial is not None and bool(trial.before.cells))
        for widget in (self.caption, self.next_button):
            widget.setVisible(trial is not None)
        if trial is not None:
            self._fill(trial)

    def _fill(self, trial: Trial) -> None:
        if trial.before.tags:
            _fill_words(self.words, trial)
        elif trial.before.cells:
            _fill_numbers(self.numbers, trial)
        else:
            self.grid.show_trial(trial, _TITLES)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and (trial := self._trials.tried.trial) is not None:
            self._fill(trial)  # words have colours of their own


def _caption(trial: Trial, seed: int) -> str:
    answer = trial.answer if len(trial.answer) <= _LONGEST_ANSWER else f"{trial.answer[:_LONGEST_ANSWER]}…"
    text = f"Sample {trial.number + 1:,} ({answer}), as the first epochs of a run with seed {seed} get it."
    return f"{text} Hidden words are struck out, moved ones underlined." if trial.before.tags else text


def _words_view(parent: QWidget) -> QTextEdit:
    view = QTextEdit(parent)
    view.setObjectName("trialWords")
    view.setAccessibleName("The words of the sample, before and after the transforms")
    view.setReadOnly(True)
    view.setUndoRedoEnabled(False)
    view.setTabChangesFocus(True)
    view.setFixedHeight(_HEIGHT)
    return view


def _fill_words(view: QTextEdit, trial: Trial) -> None:
    """A paragraph for each; never taken for HTML."""
    view.clear()
    cursor, plain, bold = QTextCursor(view.document()), QTextCharFormat(), QTextCharFormat()
    bold.setFontWeight(700)
    before = trial.before.tags
    between = "" if all(len(word) == 1 for word, _ in before) else " "  # characters make a text
    for number, (title, shown) in enumerate(zip(_TITLES, (trial.before, *trial.after), strict=True)):
        cursor.insertText(f"{chr(10) if number else ''}{title}: ", bold)
        for word, mark in shown.tags:
            cursor.insertText(word.replace("\n", "↵"), _word_format(mark))
            cursor.insertText(between, plain)
    view.moveCursor(QTextCursor.MoveOperation.Start)


def _word_format(mark: str) -> QTextCharFormat:
    from studio.data.trials import HIDDEN

    format_, colors = QTextCharFormat(), theme.current()
    if mark:
        format_.setForeground(colors.warning if mark == HIDDEN else colors.accent)
        format_.setFontStrikeOut(mark == HIDDEN)
        format_.setFontUnderline(mark != HIDDEN)
    return format_


def _numbers_view(parent: QWidget) -> QTableWidget:
    table = QTableWidget(0, len(_TITLES), parent)
    table.setObjectName("trialNumbers")
    table.setAccessibleName("The numbers of the sample, before and after the transforms")
    table.setHorizontalHeaderLabels(_TITLES)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setFixedHeight(_HEIGHT)
    return table


def _fill_numbers(table: QTableWidget, trial: Trial) -> None:
    """A row for each number, those that changed in bold."""
    table.setRowCount(len(trial.before.cells))
    table.setVerticalHeaderLabels([name for name, _ in trial.before.cells])
    for column, shown in enumerate((trial.before, *trial.after)):
        for row, ((_, text), (_, old)) in enumerate(zip(shown.cells, trial.before.cells, strict=True)):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            font = item.font()
            font.setBold(text != old)
            item.setFont(font)
            table.setItem(row, column, item)
    table.resizeColumnsToContents()
