"""What follows the chosen sample in threads of its own: its neighbours, and the answers to its pixels or words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

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
    work_wanted = Signal(str, object)  # "map" or "neighbours", and Work for the thread that asks the network

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._panel: ExplorePanel | None = None
        self._evaluated: Evaluated | None = None
        self._place = self._row = -1  # of the chosen sample, among the predictions and in the dataset
        self.asking = OneTask(self)  # the network, for one sample
        self.seeking = OneTask(self)  # among vectors

    def follow(self, panel: ExplorePanel) -> None:
        """The panel is there."""
        self._panel = panel
        panel.map_wanted.connect(self._map)
        panel.neighbours_wanted.connect(self._find_neighbours)
        if self._place >= 0:
            panel.map.show_chosen(self._place)

    def close(self) -> None:
        """Give up, and wait for the threads."""
        self.asking.close()
        self.seeking.close()
        if self._panel is not None:
            self._panel.painter.close()

    def begin(self, evaluated: Evaluated) -> None:
        """Another split or network: no sample is chosen yet."""
        self._evaluated, self._place, self._row = evaluated, -1, -1

    def show_sample(self, evaluated: Evaluated, place: int) -> None:
        """Another sample is chosen."""
        row = int(evaluated.inspection.rows[place])
        self._evaluated, self._place, self._row = evaluated, place, row
        if self._panel is not None:
            self._panel.show_sample(place)
        if not has_places(evaluated.trained):
            return

        def ask(_say: Say, progress: Progress) -> Placed:
            with self._bench.alone:
                progress(0, 1)
                return answer_places(evaluated.trained, row)

        self.asking.start(ask, self.placed.emit, _log)

    @Slot(object, str)
    def _map(self, layer: Layer, method: str) -> None:
        explorer = self._panel.explorer if self._panel is not None else None
        if self._evaluated is not None and explorer is not None:
            split = self._evaluated.predictions.split

            def work(say: Say, progress: Progress) -> Mapped:
                return explorer.map(split, layer, method, say, progress)

            self.work_wanted.emit("map", self._bench.alone_at(work))

    @Slot(object, str, str)
    def _find_neighbours(self, layer: Layer, among: str, metric: str) -> None:
        evaluated, row = self._evaluated, self._row
        explorer = self._panel.explorer if self._panel is not None else None
        if evaluated is None or explorer is None or row < 0:
            return
        split = evaluated.predictions.split
        own, others = explorer.known(split, layer), explorer.known(among, layer)
        if own is not None and others is not None:  # the network is not needed, so nothing need wait
            self.seeking.start(lambda _say, _: neighbours_of(row, own, others, metric), self.show_near, _log)
            return

        def work(say: Say, progress: Progress) -> Near:
            own = explorer.vectors(split, layer, say, progress)
            return neighbours_of(row, own, explorer.vectors(among, layer, say, progress), metric)

        self.work_wanted.emit("neighbours", self._bench.alone_at(work))

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
