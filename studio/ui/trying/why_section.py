"""Why the network answers so: the explanation of what was given, on request or with each change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Slot
from PySide6.QtWidgets import QCheckBox, QWidget

from studio.evaluation.explain.explained import Explained
from studio.evaluation.single import blank, with_one_sample
from studio.ui.evaluation.explain_form import ExplainForm, choices_for
from studio.ui.evaluation.explaining import Asked
from studio.ui.evaluation.found_pages import Found, FoundPages
from studio.ui.widgets.section import Section

if TYPE_CHECKING:
    from studio.evaluation.trying import Trial
    from studio.ui.trying.asker import Asker

_QUICK_SECONDS = 0.5  # what takes longer is not explained with each change
_HEIGHT = 170  # pixels


class WhySection(Section):
    """Folded at first.

    Args:
        asker: whom it asks.
    """

    def __init__(self, asker: Asker, parent: QWidget | None = None) -> None:
        super().__init__("Why", "tryWhy", parent, folded=True)
        self._asker = asker
        self._names: tuple[str, ...] = ()
        self._asked: Asked | None = None
        self._since = 0.0
        self._slow = False
        self.pages = FoundPages(self)
        self.pages.setMinimumHeight(_HEIGHT)
        self.pages.hide()
        self.live = QCheckBox("With each change", self)
        self.live.setObjectName("tryWhyLive")
        self.live.setToolTip("Explain each new answer in the way that was asked for last, while that is quick.")
        self.form = ExplainForm(self)
        for part in (self.pages, self.form, self.live):
            self.add(part)
        self.live.toggled.connect(self._go_live)
        self.form.explain_wanted.connect(self._ask)
        self.form.cancel_wanted.connect(asker.stop_explaining)
        self.form.opacity_changed.connect(self.pages.explained.set_opacity)
        asker.explained.connect(self._show)
        asker.unexplained.connect(self._refuse)

    def begin(self, trial: Trial) -> None:
        """Another network."""
        self._names, self._asked, self._slow = trial.answerer.names, None, False
        alone = with_one_sample(trial.answerer, trial.project, blank(trial.answerer))
        self.form.begin(choices_for(alone, self._names))
        self.form.show_busy(False)
        self.pages.hide()

    def choose_class(self, number: int) -> None:
        """Explain this class from now on."""
        self.form.choose_class(number)

    @Slot(bool)
    def _go_live(self, live: bool) -> None:
        """The first explanation of all also loads what explains; so it is measured anew how quick one is."""
        self._slow = False
        if live:
            self._ask(self.form.asked())

    def answered(self) -> None:
        """There is a new answer: the explanation is not of it."""
        if self._asked is not None and self.live.isChecked() and not self._slow and not self.is_folded:
            self._ask(self._asked)

    @Slot(object)
    def _ask(self, asked: Asked) -> None:
        self._asked, self._since = asked, time.perf_counter()
        self.form.show_busy(True)
        self._asker.explain(asked)

    @Slot(object)
    def _show(self, found: Found) -> None:
        self._slow = time.perf_counter() - self._since > _QUICK_SECONDS
        self.form.show_busy(False)
        self.pages.show()
        words = self.pages.show_found(found, self.form.strength)
        if isinstance(found, Explained):
            name = self._names[found.question.target or 0]
            words = f"For “{name}”, whose score is {found.score:.4g}."
        self.form.tell(words)

    @Slot(str)
    def _refuse(self, reason: str) -> None:
        self.form.show_busy(False)
        self.form.tell(reason)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "form"):
            self.pages.explained.set_opacity(self.form.strength)
