"""What was found out about an answer: a view for each kind of it."""

from __future__ import annotations

import functools
from typing import TypeVar

from PySide6.QtWidgets import QStackedWidget, QWidget

from studio.evaluation.explain.attended import Attended
from studio.evaluation.explain.explained import Explained
from studio.evaluation.explain.sanity import Sanity
from studio.ui.evaluation.attention_view import AttentionView
from studio.ui.evaluation.explained_view import ExplainedView
from studio.ui.evaluation.explaining import Seen
from studio.ui.evaluation.inside_view import InsideView
from studio.ui.evaluation.sanity_view import SanityView

V = TypeVar("V", bound=QWidget)
Found = Explained | Attended | Seen | Sanity


class FoundPages(QStackedWidget):
    """Shows one view at a time. All but the usual one are made when they are looked at first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.explained = self._added(ExplainedView(self))

    @functools.cached_property
    def attention(self) -> AttentionView:
        """Where the network looks."""
        return self._added(AttentionView(self))

    @functools.cached_property
    def inside(self) -> InsideView:
        """Feature maps and filters."""
        return self._added(InsideView(self))

    @functools.cached_property
    def sanity(self) -> SanityView:
        """What is left of an explanation with random weights."""
        return self._added(SanityView(self))

    def _added(self, view: V) -> V:
        self.addWidget(view)
        return view

    def show_found(self, found: Found, strength: float) -> str:
        """Show what was found.

        Args:
            strength: of the colours over a picture, from 0 to 1.

        Returns:
            what there is to be said of it; nothing of an explanation, of which others know more.
        """
        if isinstance(found, Explained):
            self.explained.show_explained(found, strength)
            self.setCurrentWidget(self.explained)
            return ""
        if isinstance(found, Sanity):
            self.sanity.show_sanity(found)
            self.setCurrentWidget(self.sanity)
            return found.verdict
        if isinstance(found, Attended):
            self.attention.show_attended(found)
            self.setCurrentWidget(self.attention)
            return "Weights tell where a block looks, not yet what it makes of it."
        self.inside.show_inside(found.inside)
        self.setCurrentWidget(self.inside)
        return ""
