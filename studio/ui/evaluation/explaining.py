"""What is asked about a sample, and how it is answered in the worker thread. No widget is touched here."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studio.evaluation.explain.attended import attend
from studio.evaluation.explain.explained import Question, explain
from studio.evaluation.explain.insides import Inside, feature_maps, filters
from studio.evaluation.explain.methods import Method
from studio.evaluation.explain.sanity import sanity_check

if TYPE_CHECKING:
    from studio.evaluation.explain.watching import Watch
    from studio.evaluation.trained import Trained
    from studio.ui.evaluation.one_task import Progress, Say, Work

ATTENTION, MAPS, FILTERS = "attention", "maps", "filters"  # what can be looked at without a method
_SECONDS_BETWEEN_WORDS = 0.1


@dataclass(frozen=True, eq=False)
class Asked:
    """What a person wants to see of a sample.

    Args:
        method: how its answer is to be explained; None for a look into the network.
        look: one of ATTENTION, MAPS and FILTERS; empty with a method.
        question: the answer and the part of the sample; its row is set when it is asked.
        of: path of the block or the convolution that is looked at.
        check: whether the method itself is to be checked with random weights.
    """

    method: Method | None
    look: str
    question: Question
    of: str = ""
    check: bool = False


@dataclass(frozen=True, eq=False)
class Seen:
    """An inside of a network, for a sample.

    Args:
        row: the number of the sample in the dataset.
    """

    row: int
    inside: Inside


def work_for(trained: Trained, row: int, asked: Asked) -> Work:
    """What the thread does to answer: gives an Explained, a Sanity, an Attended or a Seen.

    Args:
        row: the number of the sample in the dataset.
    """

    def work(say: Say, progress: Progress) -> object:
        watch = _told(say, progress)
        if asked.look == ATTENTION:
            return attend(trained, row, watch)
        if asked.look == MAPS:
            return Seen(row, feature_maps(trained, row, asked.of))
        if asked.look == FILTERS:
            return Seen(row, filters(trained, asked.of))
        question = replace(asked.question, row=row)
        assert asked.method is not None
        if asked.check:
            return sanity_check(trained, question, asked.method, watch=watch, step=progress)
        return explain(trained, question, asked.method, watch)

    return work


def _told(say: Say, progress: Progress) -> Watch:
    """Says how many samples the network was asked, ten times a second at most."""
    due = time.monotonic() + _SECONDS_BETWEEN_WORDS

    def watch(asked: int) -> None:
        nonlocal due
        progress(0, 0)
        if time.monotonic() > due:
            due = time.monotonic() + _SECONDS_BETWEEN_WORDS
            say(f"Working… the network was asked {asked:,} times.")

    return watch
