"""What a look at texts with classes tells: how long they are, what classes they have, and what is wrong with them.

Copies, contradicting labels and rare classes are told by `problems`, for every kind of data.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from studio.data.base import CATEGORICAL, NOTE, TEXT, Column, DataProblem, DataSpec, Findings, Remedy, Source
from studio.data.findings import text_column
from studio.data.own_files import located, printable
from studio.data.texts.lengths import Measured, in_words, measure, proposed_length
from studio.fields import replace

if TYPE_CHECKING:
    from studio.data.texts.reading import Labelled
    from studio.data.texts.tokens import TokenRules

SHOWN = 20  # samples of a problem
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
        *_mistaken(labelled.labels, counts),
        *_empty(labelled.texts),
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
    text, label = getattr(labelled.form, "names", ("text", "class"))
    frequent = ", ".join(f"{printable(name, 40)} {count:,}" for name, count in counts.most_common(MOST_NAMED))
    classes = Column(label, CATEGORICAL, distinct=len(counts), summary=frequent, histogram=tuple(counts.most_common()))
    return text_column(text, labelled.texts), classes


def _others(source: Source, labelled: Labelled) -> Iterator[Column]:
    """The columns of a table that are not used."""
    from studio.data.texts.tables import Layout, are_words, beside

    if not isinstance(labelled.form, Layout):
        return
    for name, values in beside(located(source.place), labelled.form).items():
        known = [value for value in values if value]
        text = bool(known) and are_words(known)
        first = printable(known[0], 40) if known else "empty"
        yield Column(name, TEXT if text else CATEGORICAL, used=False, summary=f"such as “{first}”" if known else first)


def _places(labels: Sequence[str], wanted: set[str]) -> tuple[int, ...]:
    return tuple(place for place, label in enumerate(labels) if label in wanted)


def _mistaken(labels: Sequence[str], counts: Counter[str]) -> Iterator[DataProblem]:
    """Labels that differ in letter case or spaces alone, and those that hardly any text has."""
    alike = defaultdict(list)
    for label in counts:
        alike[re.sub(r"[\s_]+", " ", label).strip(" .").casefold()].append(label)
    for same in alike.values():
        if len(same) > 1:
            named = " and ".join(f"“{printable(label, 40)}” ({counts[label]:,})" for label in sorted(same))
            yield DataProblem(
                f"The classes {named} differ in letter case or spaces alone, and count as different ones. If they mean "
                "the same, correct the file.",
                samples=_places(labels, set(same))[:SHOWN],
            )
    rare = {label for label, count in counts.items() if count < FEWEST}
    if rare and len(labels) >= MANY and len(counts) - len(rare) >= 2:
        named = ", ".join(f"“{printable(label, 40)}”" for label in sorted(rare)[:MOST_NAMED])
        more = f" and {len(rare) - MOST_NAMED:,} more" if len(rare) > MOST_NAMED else ""
        yield DataProblem(
            f"Hardly any text has the class {named}{more}: that looks like a mistake, and is too little to learn from "
            "and to be tested on. Correct the file, or take the rows away.",
            samples=_places(labels, rare)[:SHOWN],
        )


def _empty(texts: Sequence[str]) -> Iterator[DataProblem]:
    places = tuple(place for place, text in enumerate(texts) if not text or text.isspace())
    if places:
        yield DataProblem(
            f"{_are(len(places))} empty: of these a network can learn nothing but how frequent the classes are.",
            samples=places[:SHOWN],
            remedies=(Remedy(f"Leave out {_texts(len(places))}", exclude=places),),
        )


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
