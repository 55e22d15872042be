"""Values that became numbers by what was learned from a training split: texts, and rows of a table.

Axis letters: L tokens, D features.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.forms.base import MOST_CHARACTERS, InputError, Raw, RawForm, described
from studio.data.forms.plain import EMPTY, Range, missing_text, named, quoted, text_of, usual_ranges
from studio.data.samples import Learned
from studio.data.tables.categories import Categories
from studio.data.tables.features import CHOICES, LABELS, NUMBER, ORDERED, SWITCH, TIME, ColumnCode, Columns, date_of
from studio.data.tables.types import TypeRules, labels_in
from studio.data.tables.values import as_date, as_number, date_text, is_missing
from studio.data.texts.rules import SPACED, SPACED_LOWER
from studio.data.texts.tokens import BEGIN, PADDING, UNKNOWN, Tokenization, writable

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

    from studio.data.scaling import Scaling


def learned_form(learned: Sequence[Learned], *, followed: bool = False) -> RawForm:
    """The form of an input of texts, or of the inputs that are made of the rows of one table.

    Args:
        learned: of a text one, of rows one or two.
        followed: whether the next token is predicted at each step.
    """
    first = learned[0]
    if isinstance(first, Tokenization):
        return TextForm(first, followed)
    rows = tuple(one for one in learned if isinstance(one, Columns | Categories))
    assert len(rows) == len(learned), learned
    return RowForm(rows)


@dataclass(frozen=True)
class TextForm(RawForm):
    """A text that is cut into tokens.

    Args:
        learned: how.
        followed: whether the next token is predicted at each step; then the end of a longer text counts, and its
            beginning is left out.
    """

    kind: ClassVar[str] = "text"
    suffixes: ClassVar[frozenset[str]] = frozenset((".txt", ".md"))
    media: ClassVar[str] = "text/plain"

    learned: Tokenization
    followed: bool = False

    @property
    def spaced(self) -> bool:
        """Whether each word between spaces is one token."""
        return self.learned.kind in (SPACED, SPACED_LOWER)

    @property
    def length(self) -> int:
        """L."""
        return self.learned.length

    @property
    def about(self) -> str:
        """How much of a text is used."""
        part = "last" if self.followed else "first"
        words = ", words with spaces between them" if self.spaced else ""
        return f"A text{words}; its {part} {self.length:,} tokens are used."

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """(L,)."""
        return ((self.length,),)

    @property
    def schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "maxLength": MOST_CHARACTERS, "description": self.about}

    def read(self, given: object) -> Raw:
        """The token numbers.

        Args:
            given: a text, the Path of one, or the bytes of one. It may be empty only where what is known of an answer
                so far is given, behind a sign for its beginning.
        """
        import numpy as np

        begun = self.learned.has_signs
        text = text_of(given)
        if not begun and not (text if self.followed else text.strip()):
            raise InputError(EMPTY)
        if self.followed:
            numbers, count = self._end_of(text)
        else:
            numbers = self.learned.apply([text])[0]
            count = len(self._whole.encode(writable(text), add_special_tokens=begun).ids)
        real = max(1, int(np.count_nonzero(numbers != PADDING)))
        words = tuple(text.split()[:real]) if self.spaced else ()
        return Raw((numbers,), tuple(self._notes(numbers[:real], count)), real, words)

    def _notes(self, numbers: np.ndarray, count: int) -> list[str]:
        notes = []
        if count > self.length:
            part = "last" if self.followed else "first"
            notes.append(f"Only the {part} {self.length:,} of {count:,} tokens are used.")
        unknown = int((numbers == UNKNOWN).sum())
        if unknown and 2 * unknown >= len(numbers):
            notes.append(f"{unknown:,} of {len(numbers):,} tokens are unknown: the training texts had none of them.")
        return notes

    def _end_of(self, text: str) -> tuple[np.ndarray, int]:
        """The last tokens of a text (L,) int64, padding behind them; and how many it has in all."""
        import numpy as np

        ids = self._whole.encode(writable(text), add_special_tokens=False).ids
        sign = [BEGIN] if self.learned.has_signs else []
        if sign and len(ids) + 1 > self.length:
            raise InputError(f"What is known of the answer has {len(ids):,} tokens; it may have {self.length - 1:,}.")
        used = [*sign, *ids[-self.length :]] or [UNKNOWN]
        found = np.full(self.length, PADDING, np.int64)
        found[: len(used)] = used
        return found, len(ids)

    @functools.cached_property
    def _whole(self) -> Tokenizer:
        """Cuts texts without an end."""
        return self.learned.uncut()


@dataclass(frozen=True)
class RowColumn:
    """One column of a row, for a form in which a person fills it in.

    Args:
        name: of the column.
        kind: number, ordered, switch, choices, labels or time, as in ColumnCode.
        choices: the words, values, categories or labels that are known; others are possible of choices and labels.
        default: a usual value as a text: the median, or the most frequent one.
        usual: a range in which numbers usually are; None if nothing was measured.
        gaps: whether there were rows without a value.
        style: of dates.
        sign: between labels.
    """

    name: str
    kind: str
    choices: tuple[str, ...]
    default: str
    usual: Range | None = None
    gaps: bool = False
    style: str = ""
    sign: str = ""


@dataclass(frozen=True)
class RowForm(RawForm):
    """A row of a table.

    Args:
        learned: what becomes of its cells: numbers, tokens, or both.
        usual: ranges of columns of numbers by their names.
    """

    kind: ClassVar[str] = "row"
    in_tables: ClassVar[bool] = True

    learned: tuple[Columns | Categories, ...]
    usual: tuple[tuple[str, Range], ...] = ()

    @property
    def inputs(self) -> int:
        """One for numbers, one for tokens."""
        return len(self.learned)

    @functools.cached_property
    def columns(self) -> tuple[RowColumn, ...]:
        """What is to be filled in."""
        usual = dict(self.usual)
        return tuple(_column(code, usual.get(code.name), learned.rules) for learned, code in self._codes)

    @property
    def _codes(self) -> list[tuple[Columns | Categories, ColumnCode]]:
        return [(learned, code) for learned in self.learned for code in learned.codes]

    @property
    def about(self) -> str:
        """The names of the columns."""
        return f"A row with the columns {named([code.name for _, code in self._codes])}."

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """(D,) of each."""
        return tuple((len(one.features),) if isinstance(one, Columns) else (len(one.codes),) for one in self.learned)

    @property
    def schema(self) -> dict[str, Any]:
        """An object with the columns."""
        return {
            "type": "object",
            "required": [column.name for column in self.columns],
            "properties": {column.name: _schema(column) for column in self.columns},
            "examples": [{column.name: column.default for column in self.columns}],
            "description": "An empty text, or null, stands for a missing value.",
        }

    def measured(self, scalings: Sequence[Scaling], method: str) -> RowForm:
        """With the ranges of its numbers in the training split."""
        found: list[tuple[str, Range]] = []
        for learned, scaling in zip(self.learned, scalings, strict=True):
            if isinstance(learned, Columns):
                ranges = usual_ranges(scaling, len(learned.features), method)
                found += _ranges(learned, ranges) if ranges else []
        return RowForm(self.learned, tuple(found))

    def read(self, given: object) -> Raw:
        """The features and tokens.

        Args:
            given: a mapping of all columns to texts, numbers, dates or None; others in it are not used.
        """
        if not isinstance(given, Mapping):
            raise InputError(f"A row is wanted, with a name for each cell, not {described(given)}.")
        missing = [code.name for _, code in self._codes if code.name not in given]
        if missing:
            raise InputError(missing_text(missing, [code.name for _, code in self._codes]))
        row, notes = {}, []
        for learned, code in self._codes:
            row[code.name] = cell = _cell(code, given[code.name], learned.rules)
            notes += _note(code, cell, learned.rules)
        return Raw(tuple(one.apply([row])[0] for one in self.learned), tuple(notes))


def _ranges(learned: Columns, ranges: tuple[Range, ...]) -> list[tuple[str, Range]]:
    found, place = [], 0
    for code in learned.codes:
        if code.kind == NUMBER:
            found.append((code.name, ranges[place]))
        place += len(code.features)
    return found


def _column(code: ColumnCode, usual: Range | None, rules: TypeRules) -> RowColumn:
    return RowColumn(
        code.name, code.kind, code.choices, _default(code, rules), usual, code.missing, code.style, code.sign
    )


def _default(code: ColumnCode, rules: TypeRules) -> str:
    if code.kind == NUMBER:
        return f"{code.fill:.6g}".replace(".", rules.decimal)
    if code.kind in (ORDERED, SWITCH):
        return code.choices[min(max(round(code.fill), 0), len(code.choices) - 1)] if code.choices else ""
    if code.kind == TIME:
        return date_text(date_of(code.fill), code.style)
    return code.choices[0] if code.choices else ""


def _schema(column: RowColumn) -> dict[str, Any]:
    if column.kind == NUMBER:
        known: dict[str, Any] = {"type": ["number", "string", "null"], "default": column.default}
        return (
            {**known, "description": "Usually from {:.4g} to {:.4g}.".format(*column.usual)} if column.usual else known
        )
    if column.kind in (ORDERED, SWITCH):
        return {"enum": [*column.choices, "", None], "default": column.default}
    if column.kind == LABELS:
        about = f"Several with “{column.sign}” between them, or as a list."
        return {"type": ["string", "array", "null"], "examples": list(column.choices), "description": about}
    about = {TIME: f"A date, {column.style}.", CHOICES: "Others count as “other”."}[column.kind]
    return {
        "type": ["string", "number", "null"],
        "examples": list(column.choices) or [column.default],
        "description": about,
    }


def _cell(code: ColumnCode, value: object, rules: TypeRules) -> str:
    """A cell as its table would have it. Raises InputError."""
    if value is None:
        return ""
    if isinstance(value, str):
        if len(value) > MOST_CHARACTERS:
            raise InputError(f"“{code.name[:80]}” is longer than {MOST_CHARACTERS:,} characters.")
        return value.strip()
    if isinstance(value, list | tuple) and code.kind == LABELS and all(isinstance(label, str) for label in value):
        return code.sign.join(value)
    if isinstance(value, bool):
        return _like_a_choice(str(value), code)
    if isinstance(value, int | float):
        return _number_text(code, value, rules)
    raise InputError(f"“{code.name[:80]}” must be a text or a number, not {described(value)}.")


def _number_text(code: ColumnCode, value: float, rules: TypeRules) -> str:
    """A number as a table would have it."""
    if isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, float) and math.isinf(value):
        raise InputError(f"“{code.name[:80]}” must be a finite number.")
    text = repr(value)
    if code.kind == NUMBER:
        return text.replace(".", rules.decimal)
    # Of categories 3 may stand as 3 or as 3.0 in the table.
    others = [text, f"{value:g}", f"{value:.1f}"]
    return next((other for other in others if other in code.choices), text)


def _like_a_choice(text: str, code: ColumnCode) -> str:
    """True may stand as true, TRUE or 1 in the table."""
    others = [text, text.lower(), text.upper(), str(int(text == "True"))]
    return next((other for other in others if other in code.choices), others[-1] if code.kind == NUMBER else text)


def _note(code: ColumnCode, cell: str, rules: TypeRules) -> list[str]:
    """What to say of a cell that no row of the training could have had; else nothing. Raises InputError."""
    if is_missing(cell, rules.marks):
        return []
    name = f"“{code.name[:80]}”"
    if code.kind == NUMBER and as_number(cell, rules.decimal) is None:
        raise InputError(f"{name} must be a number, not {quoted(cell)}.")
    if code.kind == TIME and as_date(cell, code.style) is None:
        raise InputError(f"{name} must be a date, {code.style}, not {quoted(cell)}.")
    if code.kind == ORDERED and cell.lower() not in {word.lower() for word in code.choices}:
        raise InputError(f"{name} must be one of {named(code.choices)}, not {quoted(cell)}.")
    if code.kind == SWITCH and cell not in code.choices:
        raise InputError(f"{name} must be one of {named(code.choices)}, not {quoted(cell)}.")
    if code.kind == CHOICES and cell not in code.choices:
        return [f"{name}: {quoted(cell)} is none of the known categories, and counts as “other”."]
    if code.kind == LABELS:
        unknown = [label for label in labels_in(cell, code.sign) if label not in code.choices]
        return [f"{name}: {named(unknown)} counts as “other”."] if unknown else []
    return []
