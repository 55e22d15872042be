"""How long texts are in tokens, measured on some of them, and what settings that makes sensible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studio.data.base import DataError
from studio.data.texts.rules import CHARACTERS, SPACED, SPACED_LOWER, WORDS

if TYPE_CHECKING:
    import numpy as np

    from studio.data.texts.tokens import TokenRules

SAMPLE = 2_000  # texts that are cut into tokens for this; more would tell no more
SAMPLE_CHARACTERS = 20_000  # of each of them
SHORTEST, LONGEST = 8, 400  # lengths that are proposed
_COUNTED = (WORDS, CHARACTERS, SPACED, SPACED_LOWER)  # kinds that have as many tokens as there are in the texts


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured.

    Args:
        lengths: tokens of each of the texts (n,) int64.
        vocabulary: how many different tokens they have, or those that were learned from them.
        of_all: whether all texts were taken.
    """

    lengths: np.ndarray
    vocabulary: int
    of_all: bool

    def within(self, share: float) -> int:
        """How many tokens so large a share of the texts has at most."""
        import numpy as np

        return int(np.quantile(self.lengths, share, method="inverted_cdf")) if len(self.lengths) else 0

    def cut_at(self, length: int) -> float:
        """The share of texts that are longer."""
        return float((self.lengths > length).mean()) if len(self.lengths) else 0.0

    def padding_at(self, length: int) -> float:
        """The share of tokens that only fill up."""
        return 1.0 - float(self.lengths.clip(1, length).mean()) / length if len(self.lengths) else 0.0


def measure(texts: Sequence[str], rules: TokenRules) -> Measured:
    """Cut some of the texts into tokens, those that stand at equal distances."""
    import numpy as np

    from studio.data.texts.tokens import learn

    step = max(1, math.ceil(len(texts) / SAMPLE))
    some = [texts[place][:SAMPLE_CHARACTERS] for place in range(0, len(texts), step)]
    wide = replace(rules, vocabulary=2**30, min_count=1) if rules.kind in _COUNTED else rules
    try:
        learned = learn(wide, some)
    except DataError:  # there is no token, or there are too many, which is told when they are learned from all
        return Measured(np.zeros(0, np.int64), 0, step == 1)
    return Measured(np.array(learned.lengths(some), np.int64), learned.size, step == 1)


def proposed_length(measured: Measured, longest: int = LONGEST) -> int:
    """A length at which nearly all texts are whole: that of 95 % of them, a multiple of 8."""
    return min(max(math.ceil(measured.within(0.95) / 8) * 8, SHORTEST), longest)


def proposed_vocabulary(measured: Measured, largest: int = 10_000) -> int:
    """As many tokens as there are, where all texts were looked at and they have few."""
    if not measured.of_all or not measured.vocabulary:
        return largest
    return min(math.ceil(measured.vocabulary / 100) * 100, largest)


def in_words(measured: Measured, length: int, what: str = "texts") -> str:
    """Lengths, vocabulary and padding, in two sentences."""
    if not len(measured.lengths):
        return ""
    whose = f"All {what}" if measured.of_all else f"{len(measured.lengths):,} of the {what}, looked at closely,"
    return (
        f"{whose} have {measured.vocabulary:,} different tokens, and half of them at most {measured.within(0.5):,} "
        f"tokens each, 95 % at most {measured.within(0.95):,}. At a length of {length:,}, "
        f"{_percent(measured.cut_at(length))} are cut and {_percent(measured.padding_at(length))} of all places are "
        "padding."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 or share == 0 else "under 1 %"
