"""What a look at texts in two languages tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from studio.data.base import NOTE, DataProblem, DataSpec, Findings, Remedy, Source
from studio.data.findings import text_column
from studio.data.texts.lengths import Measured, in_words, measure, proposed_length
from studio.data.texts.parallel_reading import Pairs
from studio.fields import replace

if TYPE_CHECKING:
    from studio.data.texts.tokens import TokenRules

SHOWN = 20
MUCH_CUT = 0.05  # of the texts of a language
UNLIKE = 4  # times as long as its translation, from which on a text of some length is said to be no translation
LONG = 40  # characters


def look_at(pairs: Pairs, spec: DataSpec, source: Source, rules: TokenRules) -> Findings:
    """All that can be told.

    Args:
        source: whose settings remedies may change; it has a `max_length`.
        rules: how the texts of both languages become tokens.
    """
    sides = (pairs.sources, pairs.targets)
    measured = [measure(texts, rules) for texts in sides]
    columns = [text_column(name, texts) for name, texts in zip(pairs.languages, sides, strict=True)]
    about = " ".join(
        f"{name}: {in_words(found, rules.max_length, 'texts')}"
        for name, found in zip(pairs.languages, measured, strict=True)
    )
    return Findings(
        spec,
        f"{_counts(pairs)}. {about}",
        rows=len(pairs.sources),
        columns=tuple(columns),
        target=(pairs.languages[1],),
        problems=tuple(_problems(pairs, measured, source, rules.max_length)),
    )


def _counts(pairs: Pairs) -> str:
    count, (first, second) = len(pairs.sources), pairs.languages
    own = "" if pairs.test_start is None else f", {count - pairs.test_start:,} of them in a test set of their own"
    left_out = f"; {pairs.left_out:,} lines with nothing on one side are left out" if pairs.left_out else ""
    return f"{count:,} texts to translate from {first} to {second}{own}. Found: {pairs.found}{left_out}"


def _problems(pairs: Pairs, measured: list[Measured], source: Source, length: int) -> Iterator[DataProblem]:
    yield from _leave_out(
        "are the same in both languages: they may not be translated",
        [one == other for one, other in zip(pairs.sources, pairs.targets, strict=True)],
    )
    yield from _leave_out(
        f"are {UNLIKE} times as long as their translation: lines may have got out of step",
        [_unlike(len(one), len(other)) for one, other in zip(pairs.sources, pairs.targets, strict=True)],
    )
    cut, proposed = max(found.cut_at(length) for found in measured), max(map(proposed_length, measured))
    if cut > MUCH_CUT and proposed > length:
        yield DataProblem(
            f"{100 * cut:.0f} % of the texts of one language have more than {length:,} tokens and are cut.",
            NOTE,
            remedies=(Remedy(f"Take {proposed:,} tokens of each", replace(source, max_length=proposed)),),
        )


def _unlike(one: int, other: int) -> bool:
    return max(one, other) > LONG and max(one, other) > UNLIKE * min(one, other)


def _leave_out(what: str, concerned: list[bool]) -> Iterator[DataProblem]:
    places = tuple(place for place, is_one in enumerate(concerned) if is_one)
    if places:
        yield DataProblem(
            f"{len(places):,} texts {what}.",
            samples=places[:SHOWN],
            remedies=(Remedy(f"Leave out {len(places):,}", exclude=places),),
        )
