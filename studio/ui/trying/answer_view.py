"""An answer in the way that suits it: bars, numbers, marked words, a mask on the picture, a picture or a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.data.listing import Shown, as_picture
from studio.evaluation.answer import NUMBERS, PLACES, Answer
from studio.evaluation.wording import visible
from studio.ui.gallery.sample_content import SampleContent
from studio.ui.trying.answer_bars import AnswerBars
from studio.ui.widgets.plain_text import Heading, PlainLabel

if TYPE_CHECKING:
    from studio.data.forms import Raw

TOP = 5
_MOST_NUMBERS = 30  # in a list
_CONTENT_HEIGHT = 150  # pixels, at least


class AnswerView(QWidget):
    """Shows the newest answer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("answerView")
        self.answer: Answer | None = None
        self.heading = Heading(parent=self)
        self.heading.setObjectName("answerHeading")
        self.bars = AnswerBars(self)
        self.numbers = PlainLabel(parent=self)
        self.numbers.setObjectName("answerNumbers")
        self.content = SampleContent(self)
        self.content.setMinimumHeight(_CONTENT_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self.heading, self.bars, self.numbers, self.content):
            layout.addWidget(part)
        self.clear()

    def clear(self) -> None:
        """Nothing is answered."""
        self.answer = None
        self.heading.setText("")
        for part in (self.heading, self.bars, self.numbers, self.content):
            part.hide()

    def show_answer(self, answer: Answer, raws: tuple[Raw, ...]) -> None:
        """Show an answer.

        Args:
            raws: what was given, as numbers.
        """
        self.answer = answer
        shown = None if answer.is_ranked else _shown(answer, raws)
        self.bars.setVisible(answer.is_ranked)
        if answer.is_ranked:
            self.bars.show_rows([(visible(name), value) for name, value in answer.top(TOP)])
        numbers = answer.numbers if answer.kind == NUMBERS else {}
        self.numbers.setVisible(len(numbers) > 1)
        lines = [f"{name}  {value:,.5g}" for name, value in list(numbers.items())[:_MOST_NUMBERS]]
        self.numbers.setText("\n".join(lines))
        self.content.setVisible(shown is not None)
        if shown is not None:
            self.content.show_sample(shown, answer.names)
        self._show_heading(answer, len(numbers))

    def _show_heading(self, answer: Answer, count: int) -> None:
        """The answer in a few words, where nothing else tells them."""
        if answer.is_ranked or count > 1:
            text = ""
        elif count == 1:
            name, value = next(iter(answer.numbers.items()))
            text = f"{name}  {value:,.6g}"
        else:
            text = "" if answer.words else answer.best
        self.heading.setText(text)
        self.heading.setVisible(bool(text))


def _shown(answer: Answer, raws: tuple[Raw, ...]) -> Shown | None:
    """Answers with places as a sample is shown."""
    if answer.classes is not None and answer.kind == PLACES:
        picture = raws[0].arrays[0]
        if picture.ndim != 3 or picture.shape[1:] != answer.classes.shape:
            return None
        flat = picture if picture.shape[0] in (1, 3) else picture.mean(0, keepdims=True)
        return Shown("", picture=as_picture(flat), mask=answer.classes)
    if answer.classes is not None and answer.words:
        names = [answer.names[number] for number in answer.classes.tolist()]
        return Shown("", tags=tuple(zip(answer.words, names, strict=False)))
    if answer.kind == NUMBERS and answer.values.ndim == 3 and answer.values.shape[0] in (1, 3):
        return Shown("", picture=as_picture(np.asarray(answer.values)))
    if answer.kind == NUMBERS and answer.values.ndim == 2:
        return Shown("", series=answer.values)
    return None
