"""The chosen sample: what it is, what was answered, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.data.listing import Shown
from studio.evaluation.explain.attended import Attended
from studio.evaluation.explain.explained import Explained
from studio.evaluation.explain.sanity import Sanity
from studio.ui.evaluation.class_chances import ClassChances
from studio.ui.evaluation.explain_form import ExplainForm
from studio.ui.evaluation.explaining import Seen
from studio.ui.evaluation.found_pages import Found, FoundPages
from studio.ui.evaluation.placed_view import PlacedView
from studio.ui.evaluation.ranked_model import verdict_text
from studio.ui.gallery.sample_content import SampleContent
from studio.ui.widgets.plain_text import Heading, PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.placed import Placed
    from studio.ui.evaluation.explain_form import Choices
    from studio.ui.evaluation.work import Evaluated

_LONGEST = 120  # characters of a truth
_NOT_SAME = "The project’s data is other data than that of this run, so nothing of it can be left out here."


class SamplePage(QWidget):
    """Shows one sample, and explains it."""

    exclude_wanted = Signal(int, bool)  # number of a sample, whether it is to be left out

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("answeredSample")
        self._evaluated: Evaluated | None = None
        self._left_out = False
        self.place = -1  # of the sample that is shown; -1 for none
        self.heading = Heading(parent=self)
        self.heading.setObjectName("answeredHeading")
        self.verdict = PlainLabel(parent=self)
        self.verdict.setObjectName("answeredVerdict")
        self.exclude = QPushButton("Leave out", self)
        self.exclude.setObjectName("answeredExclude")
        self.content = SampleContent(self)
        self.pages = FoundPages(self)
        self.explained = self.pages.explained
        self.placed = PlacedView(self)
        for page in (self.content, self.placed):
            self.pages.addWidget(page)
        self._shown: Shown | None = None
        self.chances = ClassChances(self)
        self.form = ExplainForm(self)
        self._arrange()
        self.exclude.clicked.connect(self._exclude)
        self.chances.class_chosen.connect(self.form.choose_class)
        self.form.opacity_changed.connect(self.explained.set_opacity)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.exclude)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.verdict)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.chances)
        layout.addWidget(self.form)

    def begin(self, evaluated: Evaluated, choices: Choices) -> None:
        """Another split or network: no sample is chosen yet."""
        if self._evaluated is None or self._evaluated.trained is not evaluated.trained:
            self.form.begin(choices)
        self._evaluated, self.place = evaluated, -1
        self.pages.hide()
        self.form.setEnabled(False)
        self.exclude.setEnabled(False)
        self.chances.hide()
        self.heading.setText("No sample")
        self.verdict.setText("")

    @property
    def row(self) -> int:
        """The number of the sample in the dataset."""
        assert self._evaluated is not None
        return int(self._evaluated.inspection.rows[self.place])

    def show_sample(self, place: int, shown: Shown) -> None:
        """Show a sample, by its place among the predictions."""
        assert self._evaluated is not None
        self.place, self._shown = place, shown
        inspection = self._evaluated.inspection
        truth = inspection.truth(place) or shown.answer
        self.heading.setText(" · ".join(part for part in (f"Sample {self.row + 1:,}", truth[:_LONGEST]) if part))
        verdict = inspection.verdict(place)
        words = verdict_text(verdict)
        self.verdict.setText(f"{words[:1].upper()}{words[1:]}, loss {float(inspection.losses[place]):.4g}")
        self.content.show_sample(shown, self._evaluated.opened.names)
        self.pages.setCurrentWidget(self.content)
        self.pages.show()
        self.form.setEnabled(True)
        self.form.tell("")
        names, rows = self._evaluated.predictions.names, inspection.most_probable(place)
        self.chances.show_chances(names, rows, inspection.truths(place))

    def show_placed(self, placed: Placed) -> None:
        """Show what was answered to each pixel or word, unless another sample is shown by now, or an explanation."""
        assert self._evaluated is not None
        if self.place >= 0 and placed.row == self.row and self._shown is not None:
            self.placed.show_placed(placed, self._shown, self._evaluated.predictions.names)
            if self.pages.currentWidget() is self.content:
                self.pages.setCurrentWidget(self.placed)

    def show_division(self, *, same_data: bool, excluded: bool) -> None:
        """Whether the sample can be left out of the project's data, or is already."""
        self._left_out = excluded
        self.exclude.setEnabled(same_data and self.place >= 0)
        self.exclude.setText("Take back" if excluded else "Leave out")
        self.exclude.setAccessibleName(self.exclude.text())
        self.exclude.setToolTip("In the next run it is in no split." if same_data else _NOT_SAME)

    def show_answer(self, found: Found) -> None:
        """Show what was asked for, unless another sample is shown by now."""
        row = found.row if isinstance(found, Attended | Seen) else _explained_of(found).question.row
        if self.place < 0 or row != self.row:
            return
        self.form.tell(self.pages.show_found(found, self.form.strength))
        if isinstance(found, Explained):
            self._tell_explained(found)

    def _tell_explained(self, explained: Explained) -> None:
        assert self._evaluated is not None
        name = self._evaluated.predictions.names[explained.question.target or 0]
        place = explained.question.place
        where = f" at place {place + 1:,}" if place is not None else ""
        title, score = explained.method.title, explained.score
        self.form.tell(f"{title} for “{name}”{where}, whose score is {score:.4g}." + _sum(explained))
        self.form.offer_more(explained)

    def show_refusal(self, reason: str) -> None:
        """Why there is no explanation."""
        self.form.tell(reason)

    @Slot()
    def _exclude(self) -> None:
        self.exclude_wanted.emit(self.row, not self._left_out)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "form"):
            self.explained.set_opacity(self.form.strength)


def _explained_of(found: Explained | Sanity) -> Explained:
    return found.stages[0].explained if isinstance(found, Sanity) else found


def _sum(explained: Explained) -> str:
    """How nearly the values sum up to what they should."""
    if explained.remainder is None:
        return ""
    missed = f"{100 * explained.remainder:.2g} %" if explained.remainder >= 1e-4 else "less than 0.01 %"
    return f" The values should sum up to the difference from the score of an empty sample; they miss it by {missed}."
