"""A network in memory to be tried, with the samples of its data."""

from __future__ import annotations

from studio.evaluation.answering import Answerer
from studio.evaluation.taken import Taken, chosen_rows, take_samples
from studio.evaluation.trained import Trained
from studio.evaluation.trying import Trial


class Known(Trial):
    """Tries a network that is in memory with its data."""

    about = "untrained"

    def __init__(self, trained: Trained) -> None:
        super().__init__(trained.project, Answerer.from_checkpoint(trained.checkpoint, "cpu"))
        self._dataset = trained.dataset

    def renew(self) -> bool:
        return False

    def samples(self, folder: object = None, progress: object = None) -> list[Taken]:
        return take_samples(self._dataset, self.answerer, chosen_rows(self._dataset, "validation", 5))
