"""What follows the chosen sample in threads of its own: its neighbours, and the answers to its pixels or words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.evaluation.embeddings import Layer
from studio.evaluation.placed import Placed, answer_places, has_places
from studio.ui.evaluation.explore_panel import ExplorePanel
from studio.ui.evaluation.exploring import Mapped, Near, neighbours_of
from studio.ui.evaluation.one_task import OneTask, Progress, Say

if TYPE_CHECKING:
    from studio.ui.evaluation.work import Bench, Evaluated

logger = logging.getLogger(__name__)


class Exploration(QObject):
    """Stands between the panel, which is made late, and what works in threads.

    Args:
        bench: whose network it is.
    """

    placed = Signal(object)  # Placed

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._panel: ExplorePanel | None = None
        self._place = self._row = -1  # of the chosen sample, among the predictions and in the dataset
        self.asking = OneTask(self)  # the network, for one sample
        self.seeking = OneTask(self)  # among vectors

    def follow(self, panel: ExplorePanel) -> None:
        """The panel is there."""
        self._panel = panel
        if self._place >= 0:
            panel.map.show_chosen(self._place)

    def close(self) -> None:
        """Give up, and wait for the threads."""
        self.asking.close()
        self.seeking.close()
        if self._panel is not None:
            self._panel.painter.close()

    def show_sample(self, evaluated: Evaluated, place: int) -> None:
        """Another sample is chosen."""
        row = int(evaluated.inspection.rows[place])
        self._place, self._row = place, row
        if self._panel is not None:
            self._panel.show_sample(place)
        if not has_places(evaluated.trained):
            return

        def ask(_say: Say, progress: Progress) -> Placed:
            with self._bench.alone:
                progress(0, 1)
                return answer_places(evaluated.trained, row)

        self.asking.start(ask, self.placed.emit, _log)

    def find(self, evaluated: Evaluated, row: int, layer: Layer, among: str, metric: str) -> None:
        """Neighbours of a sample; the vectors of both splits are known."""
        panel = self._panel
        if panel is None or panel.explorer is None:
            return
        own = panel.explorer.known(evaluated.predictions.split, layer)
        others = panel.explorer.known(among, layer)
        if own is not None and others is not None:
            self.seeking.start(lambda _say, _: neighbours_of(row, own, others, metric), self.show_near, _log)

    def show_mapped(self, mapped: Mapped) -> None:
        """Show a map."""
        if self._panel is not None:
            self._panel.show_mapped(mapped)
            self._panel.map.show_chosen(self._place)

    def show_near(self, near: Near) -> None:
        """Show neighbours, or find those of the sample that is chosen by now."""
        if self._panel is None:
            return
        if near.row == self._row:
            self._panel.show_near(near)
        else:
            self._panel.follow()

    def show_refusal(self, reason: str) -> None:
        """Why there is no map, or are no neighbours."""
        if self._panel is not None:
            self._panel.show_refusal(reason)


def _log(error: Exception) -> None:
    """What follows by itself must not get in the way of the person."""
    logger.error("the sample could not be looked into", exc_info=error)
