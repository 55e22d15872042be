"""What a look at words with tags tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from studio.data.base import NOTE, TAGS, TEXT, Column, DataProblem, DataSpec, Findings, Remedy, Source
from studio.data.findings import histogram
from studio.data.own_files import printable
from studio.data.texts.conll_reading import OUTSIDE, Sentences
from studio.data.texts.lengths import Measured, in_words, measure, proposed_length
from studio.fields import replace

if TYPE_CHECKING:
    import numpy as np

    from studio.data.texts.tokens import TokenRules

SHOWN = 20
FREQUENT_SHARE = 0.75  # of all words, from which on one tag is said to be too frequent
MUCH_CUT = 0.05  # of the sentences
MOST_COUNTED = 10


def look_at(sentences: Sentences, spec: DataSpec, source: Source, rules: TokenRules) -> Findings:
    """All that can be told; the counts are those of words.

    Args:
        source: whose settings remedies may change; it has a `max_length`.
        rules: how texts become tokens.
    """
    import numpy as np

    lengths = np.array([len(tags) for tags in sentences.tags], np.int64)
    counts = np.bincount(np.concatenate([np.array(tags, np.int64) for tags in sentences.tags]))
    measured = measure(sentences.texts, rules)
    words = Column("words", TEXT, summary=f"{lengths.min():,} to {lengths.max():,} words", histogram=histogram(lengths))
    named = sorted(zip(sentences.names, counts.tolist(), strict=True), key=lambda pair: -pair[1])
    frequent = ", ".join(f"{printable(name, 40)} {count:,}" for name, count in named[:MOST_COUNTED])
    tags = Column("tags", TAGS, distinct=len(named), summary=frequent, histogram=tuple(named))
    return Findings(
        spec,
        f"{_split_words(sentences)}. Found: {sentences.found}. " + in_words(measured, rules.max_length, "sentences"),
        rows=len(sentences.texts),
        columns=(words, tags),
        target=("tags",),
        counts=tuple(counts.tolist()),
        problems=tuple(_problems(sentences, counts, measured, source, rules.max_length)),
    )


def _split_words(sentences: Sentences) -> str:
    count, words = len(sentences.texts), sum(map(len, sentences.tags))
    own = [] if sentences.test_start is None else [f"{count - sentences.test_start:,} in a test set of their own"]
    if sentences.validation_start is not None and sentences.test_start is not None:
        own.append(f"{sentences.test_start - sentences.validation_start:,} in a validation set")
    return ", ".join([f"{count:,} sentences of {words:,} words, {len(sentences.names)} tags", *own])


def _problems(
    sentences: Sentences, counts: np.ndarray, measured: Measured, source: Source, length: int
) -> Iterator[DataProblem]:
    most = int(counts.argmax())
    share = counts[most] / counts.sum()
    if share >= FREQUENT_SHARE:
        name = printable(sentences.names[most], 40)
        yield DataProblem(
            f"{100 * share:.0f} % of all words are marked “{name}”: a network that always answers “{name}” has that "
            "accuracy, and has found nothing. Look at the other tags.",
            NOTE,
        )
    broken = _without_beginning(sentences)
    if broken:
        yield DataProblem(
            f"In {len(broken):,} sentences something goes on (“I-…”) that did not begin (“B-…”) with the same name.",
            NOTE,
            samples=broken[:SHOWN],
        )
    proposed = proposed_length(measured)
    if measured.cut_at(length) > MUCH_CUT and proposed > length:
        yield DataProblem(
            f"{100 * measured.cut_at(length):.0f} % of the sentences have more than {length:,} words: what is behind "
            "is neither learned nor counted.",
            remedies=(Remedy(f"Take {proposed:,} words of each", replace(source, max_length=proposed)),),
        )


def _without_beginning(sentences: Sentences) -> tuple[int, ...]:
    """Sentences in which a tag goes on that did not begin; none if the tags are not of that kind."""
    names = sentences.names
    if OUTSIDE not in names or not any(name.startswith("B-") for name in names):
        return ()
    found = []
    for place, tags in enumerate(sentences.tags):
        before = OUTSIDE
        for tag in tags:
            name = names[tag]
            if name.startswith("I-") and before[2:] != name[2:]:
                found.append(place)
                break
            before = name
    return tuple(found)
