"""What a look at a Hugging Face dataset tells, and its rows one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data import base
from studio.data.answers import target_text
from studio.data.base import ERROR, NOTE, WARNING, Column, DataError, DataProblem, Findings, Remedy, Target
from studio.data.hub.features import (
    ARRAY,
    CLASS,
    DATE,
    NUMBER,
    PICTURE,
    SOUND,
    TAGS,
    TEXT,
    TOKENS,
    Feature,
)
from studio.data.hub.loading import View, spaced, spec_of, unknown_rows
from studio.data.hub.media import bytes_in
from studio.data.hub.roles import as_floats
from studio.data.images.decode import PictureError, decode_whole
from studio.data.images.rules import LEAVE_OUT
from studio.data.listing import MOST_CELLS, TEXT_LENGTH, Listing, Shown
from studio.data.own_files import printable
from studio.fields import replace

if TYPE_CHECKING:
    from studio.data.hub.sources import HuggingFace

_LONGEST_SHOWN = 1_024  # pixels of a side
_SHOWN_SECONDS = 30.0  # of a sound
_SHOWN = 10  # samples of a problem
_MOST_BARS = 100
_LOOKED_AT = 2_000_000  # rows of which numbers are summed up
_MOST_COLUMNS = 200  # that are summed up
_TYPES = {
    CLASS: base.CATEGORICAL, NUMBER: base.NUMERIC, TEXT: base.TEXT, DATE: base.DATE, PICTURE: base.IMAGE,
    SOUND: base.AUDIO, TAGS: base.TAGS, TOKENS: base.TEXT, ARRAY: base.ARRAY,
}  # fmt: skip


def look(source: HuggingFace, found: View) -> Findings:
    """Columns, target, counts and problems. Raises DataError."""
    counts = _counts(found)
    columns = tuple(_column(found, feature, counts) for feature in found.table.features.values())
    problems = [*_class_problems(found, counts), *_split_problems(found), *_unknown(found), *_pictures(source, found)]
    return Findings(
        spec_of(source, found), _summary(found), found.table.count, columns, (found.roles.target.name,), counts,
        tuple(problems),
    )  # fmt: skip


def _counts(found: View) -> tuple[int, ...]:
    import numpy as np

    answers = found.answers
    if answers.task != "classification":
        return ()
    if found.roles.target.kind == TAGS:
        return _tag_counts(found)
    return tuple(np.bincount(answers.values[answers.known], minlength=len(answers.names)).tolist())


def _tag_counts(found: View) -> tuple[int, ...]:
    """How many tokens have each tag."""
    import numpy as np

    counts = np.zeros(len(found.answers.names), np.int64)
    for batch in found.table.batches([found.roles.target.name]):
        tags = batch.column(0).flatten().drop_null().to_numpy(zero_copy_only=False).astype(np.int64)
        counts += np.bincount(tags[(tags >= 0) & (tags < len(counts))], minlength=len(counts))
    return tuple(counts.tolist())


def _summary(found: View) -> str:
    table, target = found.table, printable(found.roles.target.name, 40)
    rows = ", ".join(f"{count:,} {name}" for name, count in table.splits.items())
    inputs = [printable(feature.name, 40) for feature in found.roles.inputs]
    given = f"“{inputs[0]}”" if len(inputs) == 1 else f"{len(inputs)} columns of numbers"
    kind = f"one of {len(found.answers.names)} classes" if found.answers.task == "classification" else "a number"
    kind += " for each token" if found.roles.target.kind == TAGS else ""
    text = f"{rows} rows. From {given} the network predicts “{target}”, {kind}."
    if len(table.configs) > 1:
        others = ", ".join(printable(name, 40) for name in table.configs[:8] if name != table.config)
        text += f" Configuration “{printable(table.config, 40)}”; there are also: {others}."
    return text


def _column(found: View, feature: Feature, counts: Sequence[int]) -> Column:
    is_target = feature == found.roles.target
    used = is_target or feature in found.roles.inputs
    kind = _TYPES.get(feature.kind, base.ARRAY)
    name = feature.name
    if is_target and counts:
        names, missing = found.answers.names, int((~found.answers.known).sum())
        bars = tuple(zip(names[:_MOST_BARS], counts[:_MOST_BARS], strict=False))
        words = ", ".join(f"{printable(one, 40)} ({count:,})" for one, count in bars[:10])
        kind = base.TAGS if feature.kind == TAGS else base.CATEGORICAL
        return Column(name, kind, missing, len(names), True, words, bars)
    if feature.kind == NUMBER and found.table.count <= _LOOKED_AT and len(found.table.features) <= _MOST_COLUMNS:
        return _number_column(found, feature, used)
    size = "×".join(map(str, feature.dims)) if feature.dims else ""
    return Column(name, kind, used=used, distinct=len(feature.names), summary=size or feature.what)


def _number_column(found: View, feature: Feature, used: bool) -> Column:
    import numpy as np

    values = as_floats(found.table.values(feature.name))
    known = values[np.isfinite(values)]
    if not len(known):
        return Column(feature.name, base.NUMERIC, len(values), used=used, summary="no value at all")
    edges = np.histogram(known, bins=10)
    bars = tuple((f"{edge:.3g}", int(count)) for count, edge in zip(*edges, strict=False))
    words = f"{known.min():.4g} to {known.max():.4g}, mean {known.mean():.4g}"
    return Column(
        feature.name, base.NUMERIC, len(values) - len(known), len(np.unique(known)), used, words, histogram=bars
    )


def _class_problems(found: View, counts: Sequence[int]) -> list[DataProblem]:
    if found.answers.task != "classification" or found.roles.target.kind == TAGS:
        return []
    present = [count for count in counts if count]
    target = printable(found.roles.target.name, 40)
    if len(present) < 2:
        return [DataProblem(f"All rows have the same “{target}”, so there is nothing to tell apart.", ERROR)]
    return []


def _split_problems(found: View) -> list[DataProblem]:
    told = [printable(name, 40) for name in found.table.unused if name not in found.hidden]
    problems = [DataProblem(f"Splits that are not used: {', '.join(told[:20])}.", NOTE)] if told else []
    if "validation" in found.table.splits and found.table.starts[0] is None and found.table.starts[1] is not None:
        problems.append(DataProblem("There is no test split, so the validation split is kept for the test.", NOTE))
    if found.hidden:
        problems.append(DataProblem(
            f"The answers of the split {' and '.join(found.hidden)} are hidden, so it is not used.", NOTE
        ))  # fmt: skip
    return problems


def _unknown(found: View) -> list[DataProblem]:
    import numpy as np

    rows = np.flatnonzero(~found.answers.known)
    if not len(rows):
        return []
    target = printable(found.roles.target.name, 40)
    return [
        DataProblem(f"{len(rows):,} rows have no “{target}”. They are left out.", NOTE, tuple(rows[:_SHOWN].tolist()))
    ]


def _pictures(source: HuggingFace, found: View) -> list[DataProblem]:
    """What is wrong with the first pictures; all of them are decoded when training begins."""
    if found.roles.kind != PICTURE:
        return []
    broken, name = [], found.roles.inputs[0].name
    for index in range(min(_SHOWN, found.table.count)):
        try:
            decode_whole(bytes_in(found.table.row(index)[name]) or b"", 32)
        except PictureError as error:
            broken.append((index, str(error)))
    if not broken:
        return []
    remedies = (
        (Remedy("Leave out what cannot be read", source=replace(source, unreadable=LEAVE_OUT)),)
        if source.unreadable != LEAVE_OUT
        else ()
    )
    where, reason = found.table.place(broken[0][0]), broken[0][1]
    message = f"Some pictures cannot be read. The one in row {where} {reason}."
    return [DataProblem(message, ERROR if remedies else WARNING, tuple(index for index, _ in broken), remedies)]


class HubListing(Listing):
    """Rows as they are in the files; each is read when it is shown."""

    def __init__(self, source: HuggingFace, found: View) -> None:
        self._source, self._found = source, found
        table, answers = found.table, found.answers
        self.count = table.count
        self.validation_start, self.test_start = table.starts
        if answers.task == "classification" and found.roles.target.kind != TAGS:
            self.labels, self.names = answers.values, answers.names

    @property
    def left_out(self) -> tuple[int, ...]:
        """Rows without an answer, or without anything to learn from."""
        return unknown_rows(self._source, self._found)

    def show(self, index: int) -> Shown:
        """One row: its picture or text, and the other columns as cells."""
        title = self._found.table.place(index)
        try:
            row = self._found.table.row(index)
        except DataError as error:
            return Shown(title, problem=str(error))
        if self._found.roles.kind == TOKENS:
            return self._tagged(title, row)
        return self._shown(title, self._answer(index), row)

    def _tagged(self, title: str, row: dict[str, Any]) -> Shown:
        """Tokens with their tags; what is tagged in words of its own."""
        roles = self._found.roles
        words = [spaced(word) for word in row[roles.inputs[0].name] or ()]
        names = [_cell(roles.target, [tag]) for tag in row[roles.target.name] or ()]
        tags = tuple(zip(words, names, strict=False))
        marked = ", ".join(f"{word} {tag}" for word, tag in tags[:50] if tag != "O")
        return Shown(title, marked or "nothing is marked", text=" ".join(words)[:TEXT_LENGTH], tags=tags)

    def _answer(self, index: int) -> str:
        answers = self._found.answers
        if not answers.known[index]:
            return "not known"
        return target_text(Target(answers.task, answers.names), answers.names, answers.values[index])

    def _shown(self, title: str, answer: str, row: dict[str, Any]) -> Shown:
        roles = self._found.roles
        feature = roles.inputs[0]
        cells = tuple(
            (name, _cell(self._found.table.features[name], value))
            for name, value in list(row.items())[:MOST_CELLS]
            if name != feature.name or roles.kind in (NUMBER, ARRAY)
        )
        if roles.kind == SOUND:
            return _heard(Shown(title, answer, cells=cells), row[feature.name])
        if roles.kind == TEXT:
            return Shown(title, answer, text=(row[feature.name] or "")[:TEXT_LENGTH], cells=cells)
        if roles.kind != PICTURE:
            return Shown(title, answer, cells=cells)
        try:
            picture = decode_whole(bytes_in(row[feature.name]) or b"", _LONGEST_SHOWN)
        except PictureError as error:
            return Shown(title, answer, cells=cells, problem=f"The picture {error}.")
        return Shown(title, answer, picture=picture, cells=cells)


def _heard(shown: Shown, item: Any) -> Shown:
    from studio.data.audio.reading import read_channels

    try:
        wave, info = read_channels(Path("The sound"), _SHOWN_SECONDS, bytes_in(item) or b"")
    except DataError as error:
        return dataclasses.replace(shown, problem=str(error))
    return dataclasses.replace(shown, wave=wave, rate=info.rate)


def _cell(feature: Feature, value: Any) -> str:
    if value is None:
        return ""
    if feature.kind == CLASS:
        return feature.names[value] if 0 <= value < len(feature.names) else "not known"
    if feature.kind == TAGS:
        return ", ".join(
            feature.names[tag] if 0 <= tag < len(feature.names) else "?" for tag in value[:50] if tag is not None
        )
    if feature.kind in (PICTURE, SOUND):
        return f"{len(bytes_in(value) or b''):,} bytes"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, list):
        return ", ".join(str(part)[:40] for part in value[:20]) + (", …" if len(value) > 20 else "")
    return str(value)[:200]
