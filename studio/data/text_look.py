"""What a look at texts with classes tells: how long they are, how classes are shared, and what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import CATEGORICAL, NOTE, TEXT, Column, DataProblem, DataSpec, Findings, Remedy, Source
from studio.data.own_files import printable
from studio.data.text_lengths import Measured, histogram, in_words, measure, proposed_length
from studio.fields import replace

if TYPE_CHECKING:
    from studio.data.text_reading import Labelled
    from studio.data.tokens import TokenRules

SHOWN = 20  # samples of a problem
FREQUENT_SHARE = 0.75  # of all texts, from which on one class is said to be too frequent
RARE_RATIO = 10  # between the most and the least frequent class, from which on these are said to be unequal
FEWEST = 3  # texts of a class, so that it can be in each split
MANY = 100  # texts, from which on a class of fewer than FEWEST is taken for a mistake
SMALLEST_VOCABULARY = 50  # different words
MUCH_CUT = 0.2  # of the texts
MOST_NAMED = 3


def look_at(labelled: Labelled, spec: DataSpec, source: Source, rules: TokenRules) -> Findings:
    """All that can be told of the texts.

    Args:
        labelled: what was read.
        spec: with the classes.
        source: whose settings remedies may change; it has a `max_length`.
        rules: how texts become tokens.
    """
    measured, counts = measure(labelled.texts, rules), Counter(labelled.labels)
    text, label = _columns(labelled, counts)
    problems = [
        *_classes(labelled, counts),
        *_empty(labelled.texts),
        *_repeated(labelled),
        *_tokens(measured, source, rules),
    ]
    return Findings(
        spec,
        f"{labelled.summary} {in_words(measured, rules.max_length)}".strip(),
        rows=len(labelled.texts),
        columns=(text, label, *_others(source, labelled)),
        target=(label.name,),
        counts=tuple(counts[name] for name in labelled.names),
        problems=tuple(problems),
    )


def _columns(labelled: Labelled, counts: Counter[str]) -> tuple[Column, Column]:
    import numpy as np

    text, label = getattr(labelled.form, "names", ("text", "class"))
    characters = np.array([len(one) for one in labelled.texts], np.int64)
    half, longest = int(np.median(characters)), int(characters.max())
    frequent = ", ".join(f"{printable(name, 40)} {count:,}" for name, count in counts.most_common(MOST_NAMED))
    distinct = len(set(labelled.texts))
    about = f"{int(characters.min()):,} to {longest:,} characters, half of them up to {half:,}"
    return (
        Column(text, TEXT, distinct=distinct, summary=about, histogram=histogram(characters)),
        Column(label, CATEGORICAL, distinct=len(counts), summary=frequent, histogram=tuple(counts.most_common())),
    )


def _others(source: Source, labelled: Labelled) -> Iterator[Column]:
    """The columns of a table that are not used."""
    from studio.data.text_tables import Layout, are_words, beside

    if not isinstance(labelled.form, Layout):
        return
    for name, values in beside(Path(source.place).expanduser(), labelled.form).items():
        known = [value for value in values if value]
        text = bool(known) and are_words(known)
        first = printable(known[0], 40) if known else "empty"
        yield Column(name, TEXT if text else CATEGORICAL, used=False, summary=f"such as “{first}”" if known else first)


def _places(labels: Sequence[str], wanted: set[str]) -> tuple[int, ...]:
    return tuple(place for place, label in enumerate(labels) if label in wanted)


def _classes(labelled: Labelled, counts: Counter[str]) -> Iterator[DataProblem]:
    yield from _mistaken(labelled.labels, counts)
    (most, many), total = counts.most_common(1)[0], len(labelled.labels)
    few = min(counts.values())
    if many / total < FREQUENT_SHARE and many / few < RARE_RATIO:
        return
    frequent, share = f"“{printable(most, 40)}”", f"{100 * many / total:.0f} %"
    yield DataProblem(
        f"The classes are unequal: {frequent} has {many:,} of {total:,} texts, the rarest class {few:,}. A network "
        f"that always answers {frequent} is right in {share} of the cases: the accuracy says little.",
        samples=_places(labelled.labels, {label for label, count in counts.items() if count == few})[:SHOWN],
        remedies=(Remedy("Draw rare classes as often as frequent ones", balanced=True),),
    )


def _mistaken(labels: Sequence[str], counts: Counter[str]) -> Iterator[DataProblem]:
    """Labels that differ in letter case or signs alone, and those that hardly any text has."""
    alike = defaultdict(list)
    for label in counts:
        alike[re.sub(r"[\W_]+", "", label).casefold() or label].append(label)
    for same in alike.values():
        if len(same) > 1:
            named = " and ".join(f"“{printable(label, 40)}” ({counts[label]:,})" for label in sorted(same))
            yield DataProblem(
                f"The classes {named} differ in letter case or signs alone, and count as different ones. If they mean "
                "the same, correct the file.",
                samples=_places(labels, set(same))[:SHOWN],
            )
    rare = {label for label, count in counts.items() if count < FEWEST}
    if rare and len(labels) >= MANY and len(counts) - len(rare) >= 2:
        places = _places(labels, rare)
        named = ", ".join(f"“{printable(label, 40)}”" for label in sorted(rare)[:MOST_NAMED])
        more = f" and {len(rare) - MOST_NAMED:,} more" if len(rare) > MOST_NAMED else ""
        yield DataProblem(
            f"Hardly any text has the class {named}{more}: these look like mistakes, and there are too few to learn "
            "from and to be tested on.",
            samples=places[:SHOWN],
            remedies=(Remedy(f"Leave out {_texts(len(places))}", exclude=places),),
        )


def _empty(texts: Sequence[str]) -> Iterator[DataProblem]:
    places = tuple(place for place, text in enumerate(texts) if not text or text.isspace())
    if places:
        yield DataProblem(
            f"{_are(len(places))} empty: of these a network can learn nothing but how frequent the classes are.",
            samples=places[:SHOWN],
            remedies=(Remedy(f"Leave out {_texts(len(places))}", exclude=places),),
        )


def _repeated(labelled: Labelled) -> Iterator[DataProblem]:
    """Texts that stand there several times, with one label or with several."""
    where: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(labelled.texts):
        if text and not text.isspace():
            where[text].append(place)
    several = [places for places in where.values() if len(places) > 1]
    split = [places for places in several if _differ(labelled, places)]
    if split:
        places = tuple(sorted(place for some in split for place in some))
        yield DataProblem(
            f"{len(split):,} of the texts stand there with different classes, {len(places):,} times in all. No network "
            "can be right about each of them.",
            samples=places[:SHOWN],
            remedies=(Remedy(f"Leave out {_texts(len(places))}", exclude=places),),
        )
    again = tuple(sorted(place for places in several if not _differ(labelled, places) for place in places[1:]))
    if again:
        yield DataProblem(
            f"{_are(len(again))} exact copies of others{_across(labelled, several)}. A copy in the "
            "test split is no test: the network has seen it.",
            samples=again[:SHOWN],
            remedies=(Remedy(f"Leave out {len(again):,} copies", exclude=again),),
        )


def _differ(labelled: Labelled, places: list[int]) -> bool:
    return len({labelled.labels[place] for place in places}) > 1


def _across(labelled: Labelled, several: list[list[int]]) -> str:
    """How many of the copies stand in the test set that the texts bring, and in what is before it."""
    start = labelled.test_start
    if start is None:
        return ""
    both = sum(places[0] < start <= places[-1] for places in several)
    return f", and {both:,} texts are in the test set as well as before it" if both else ""


def _tokens(measured: Measured, source: Source, rules: TokenRules) -> Iterator[DataProblem]:
    if measured.of_all and 0 < measured.vocabulary < SMALLEST_VOCABULARY and rules.kind == "words":
        yield DataProblem(
            f"All texts together have {measured.vocabulary:,} different words. Is that the column with the texts?", NOTE
        )
    length = proposed_length(measured)
    if measured.cut_at(rules.max_length) > MUCH_CUT and length > rules.max_length:
        yield DataProblem(
            f"{100 * measured.cut_at(rules.max_length):.0f} % of the texts are cut, since they have more than "
            f"{rules.max_length:,} tokens: the network does not see their end.",
            NOTE,
            remedies=(Remedy(f"Take {length:,} tokens of each", replace(source, max_length=length)),),
        )


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count:,} texts"


def _are(count: int) -> str:
    return "1 text is" if count == 1 else f"{count:,} texts are"
