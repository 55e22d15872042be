"""What a run told so far, as far as its health is read from it. No torch here."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

from studio.training.events import BlockHealth, EpochEnded, Event, Health, NotFinite, Started

_KEPT = 400  # looks, and epochs, that are kept
_RECENT = 10  # looks whose median counts


@dataclass
class History:
    """What a run told so far.

    Args:
        healths: looks at single steps; the oldest half of many is thinned out.
        epochs: the latest ones.
        best: the epoch with the lowest validation loss.
        first_loss: that of the first look, before anything was learned.
        lowest, highest: median loss of five looks in a row, or mean of an epoch.
        baseline: validation loss of the best answer that does not look at the input; NaN if it is not known.
    """

    healths: list[Health] = field(default_factory=list)
    epochs: list[EpochEnded] = field(default_factory=list)
    best: EpochEnded | None = None
    first_loss: float = math.nan
    lowest: float = math.inf
    highest: float = -math.inf
    baseline: float = math.nan
    broken: NotFinite | None = None
    diverged: bool = False

    def take(self, event: Event) -> bool:
        """Keep what an event tells; returns whether something may be seen in it."""
        match event:
            case Started():
                self.baseline = event.baseline.get("loss", math.nan)
            case Health():
                self._take_health(event)
            case EpochEnded():
                self._take_epoch(event)
            case NotFinite():
                self.broken = event
        return isinstance(event, Health | EpochEnded | NotFinite)

    def _take_health(self, event: Health) -> None:
        if not self.healths:
            self.first_loss = event.loss
        self.healths.append(event)
        self._see(self.loss)
        if len(self.healths) > _KEPT:
            old, new = self.healths[: _KEPT // 2], self.healths[_KEPT // 2 :]
            self.healths = old[::2] + new

    def _see(self, loss: float) -> None:
        if math.isfinite(loss):
            self.lowest, self.highest = min(self.lowest, loss), max(self.highest, loss)

    def _take_epoch(self, event: EpochEnded) -> None:
        self._see(event.train["loss"])
        if self.best is None or event.validation["loss"] < self.best.validation["loss"]:
            self.best = event
        self.epochs = [*self.epochs[1 - _KEPT :], event]

    @property
    def recent(self) -> list[Health]:
        """The latest looks."""
        return self.healths[-_RECENT:]

    @property
    def loss(self) -> float:
        """The training loss of late; infinite before there were enough looks to tell."""
        losses = [health.loss for health in self.healths[-5:] if math.isfinite(health.loss)]
        return statistics.median(losses) if len(losses) == 5 else math.inf

    def figure(self, name: str) -> dict[str, float]:
        """The median of a figure over the latest looks, by the blocks' keys; those that never have it are left out."""
        found: dict[str, list[float]] = {}
        for health in self.recent:
            for block in health.blocks:
                value = getattr(block, name)
                if not math.isnan(value):
                    found.setdefault(block.key, []).append(value)
        return {key: statistics.median(values) for key, values in found.items()}

    @property
    def blocks(self) -> dict[str, BlockHealth]:
        """Those of the latest look, by their keys."""
        return {block.key: block for block in self.healths[-1].blocks} if self.healths else {}
