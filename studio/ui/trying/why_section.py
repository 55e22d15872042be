"""Why the network answers so: the explanation of what was given, on request or with each change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Slot
from PySide6.QtWidgets import QCheckBox, QWidget

from studio.ui.evaluation.explain_form import Asked, ExplainForm
from studio.ui.evaluation.explained_view import ExplainedView
from studio.ui.widgets.section import Section

if TYPE_CHECKING:
    from torch import nn

    from studio.evaluation.trying import Trial
    from studio.ui.evaluation.explaining import Explained
    from studio.ui.trying.tester import Tester

_QUICK_SECONDS = 0.5  # what takes longer is not explained with each change
_HEIGHT = 170  # pixels


class WhySection(Section):
    """Folded at first.

    Args:
        tester: whom it asks.
    """

    def __init__(self, tester: Tester, parent: QWidget | None = None) -> None:
        super().__init__("Why", "tryWhy", parent, folded=True)
        self._tester = tester
        self._names: tuple[str, ...] = ()
        self._asked: Asked | None = None
        self._since = 0.0
        self._slow = False
        self.view = ExplainedView(self)
        self.view.setMinimumHeight(_HEIGHT)
        self.view.hide()
        self.live = QCheckBox("With each change", self)
        self.live.setObjectName("tryWhyLive")
        self.live.setToolTip("Explain each new answer in the way that was asked for last, while that is quick.")
        self.form = ExplainForm(self)
        for part in (self.view, self.form, self.live):
            self.add(part)
        self.form.explain_wanted.connect(self._ask)
        self.form.cancel_wanted.connect(tester.stop_explaining)
        self.form.opacity_changed.connect(self.view.set_opacity)
        tester.explained.connect(self._show)
        tester.unexplained.connect(self._refuse)

    def begin(self, trial: Trial) -> None:
        """Another network."""
        self._names, self._asked, self._slow = trial.answerer.names, None, False
        self.form.begin(self._names, _convolutions(trial.answerer.model))
        self.form.show_busy(False)
        self.view.hide()

    def choose_class(self, number: int) -> None:
        """Explain this class from now on."""
        self.form.choose_class(number)

    def answered(self) -> None:
        """There is a new answer: the explanation is not of it."""
        if self._asked is not None and self.live.isChecked() and not self._slow and not self.is_folded:
            self._ask(self._asked)

    @Slot(object)
    def _ask(self, asked: Asked) -> None:
        self._asked, self._since = asked, time.perf_counter()
        self.form.show_busy(True)
        self._tester.explain(asked)

    @Slot(object)
    def _show(self, explained: Explained) -> None:
        self._slow = time.perf_counter() - self._since > _QUICK_SECONDS
        self.form.show_busy(False)
        self.view.show_explained(explained, self.form.strength)
        self.view.show()
        self.form.told.setText(f"For “{self._names[explained.target]}”, whose score is {explained.score:.4g}.")

    @Slot(str)
    def _refuse(self, reason: str) -> None:
        self.form.show_busy(False)
        self.form.told.setText(reason)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "form"):
            self.view.set_opacity(self.form.strength)


def _convolutions(model: nn.Module) -> list[str]:
    """By their paths, the last one, which sees most, first."""
    from torch import nn

    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    return [path for path, layer in model.named_modules() if isinstance(layer, kinds)][::-1]
