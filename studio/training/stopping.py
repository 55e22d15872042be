"""Which epoch is the best, and when to stop waiting for a better one."""

from __future__ import annotations

import math
from typing import Any

from studio.settings.measures import MEASURES, phrase_of
from studio.settings.parts import Stopping
from studio.training.errors import TrainingError
from studio.training.events import Metrics


class Watch:
    """Looks at the validation of each epoch.

    Args:
        settings: which figure counts, and how long to wait.
        loss: the figure that is meant by “loss”: where a network has several Outputs, that of the main one.
    """

    def __init__(self, settings: Stopping, loss: str = "loss") -> None:
        self.settings = settings
        self._figure = loss if settings.metric == "loss" else settings.metric
        self._sign = 1.0 if MEASURES[settings.metric].higher else -1.0
        self._best = -math.inf  # the higher the better
        self._mark = -math.inf  # what must be passed by `min_delta` for the patience to begin anew
        self._waited = 0  # epochs

    def is_better(self, metrics: Metrics) -> bool:
        """Take in the figures of the next epoch; whether they are the best so far. A figure that is missing is not."""
        value = self._sign * metrics.get(self._figure, math.nan)
        if value > self._mark + self.settings.min_delta:
            self._mark, self._waited = value, 0
        else:
            self._waited += 1
        better = value > self._best
        if better:
            self._best = value
        return better

    @property
    def exhausted(self) -> bool:
        """Whether the patience is at its end."""
        return 0 < self.settings.patience <= self._waited

    def reason(self, epoch: int) -> str:
        """Why a run ends after an epoch, as a sentence."""
        waited = f"{self._waited:,} epoch{'' if self._waited == 1 else 's'}"
        title = phrase_of(self._figure)
        least = f" by more than {self.settings.min_delta:g}" if self.settings.min_delta else ""
        return f"Stopped early at epoch {epoch:,}: the validation {title} did not improve{least} for {waited}."

    def state_dict(self) -> dict[str, Any]:
        """What a run needs to go on."""
        return {"metric": self.settings.metric, "best": self._best, "mark": self._mark, "waited": self._waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; if another figure counts now, nothing is known of it yet."""
        if state["metric"] != self.settings.metric:
            return
        self._best, self._mark, self._waited = float(state["best"]), float(state["mark"]), int(state["waited"])


def check_watched(settings: Stopping, measures: tuple[str, ...]) -> None:
    """Whether the figure that counts is among those that a run tells beside the loss.

    Raises:
        TrainingError: if it is not.
    """
    if settings.metric not in ("loss", *measures):
        known = ", ".join(map(phrase_of, ("loss", *measures)))
        raise TrainingError(
            f"The best epoch cannot be chosen by the {phrase_of(settings.metric)}: it is not measured on this "
            f"data. What is: {known}. Choose one of them in the training settings, under “Best epoch”."
        )
