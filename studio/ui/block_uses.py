"""Which blocks a person uses, so that those come first."""

from __future__ import annotations

import time

from studio.ui.preferences import Preferences

_HALF_LIFE_DAYS = 21.0  # a use counts half after so many days
_DAY_S = 86_400.0


class BlockUses:
    """Counts uses of each kind of block, the late ones more; kept in the preferences."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._counts = preferences.block_uses

    def note(self, kind: str, now_s: float | None = None) -> None:
        """A block of this kind was used.

        Args:
            kind: of the block.
            now_s: seconds since the epoch; None for the clock's.
        """
        now_s = time.time() if now_s is None else now_s
        self._counts[kind] = (self.score(kind, now_s) + 1.0, now_s)
        self._preferences.set_block_use(kind, *self._counts[kind])

    def score(self, kind: str, now_s: float | None = None) -> float:
        """How much a kind was used, in uses of today."""
        count, when_s = self._counts.get(kind, (0.0, 0.0))
        age_days = max(0.0, (time.time() if now_s is None else now_s) - when_s) / _DAY_S
        return float(count * 0.5 ** (age_days / _HALF_LIFE_DAYS))
