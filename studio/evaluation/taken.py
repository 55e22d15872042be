"""Some samples taken out of a dataset, which is then no longer needed: always the same ones of the same split.

Axis letters: K classes or labels, D numbers, T steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from studio.data.answers import target_text
from studio.data.base import IGNORED
from studio.data.dataset import Dataset
from studio.data.forms import Raw, RowForm, TextForm
from studio.data.listing import TEXT_LENGTH, Shown, shown_values
from studio.data.tables.categories import TableCategories
from studio.data.tables.features import TableRows
from studio.data.texts.tokens import PADDING, writable
from studio.evaluation.answer import CLASSES, LABELS, NEXT, NUMBERS, Answer
from studio.evaluation.answering import Answerer, Part, Reading
from studio.evaluation.inspection import Verdict
from studio.evaluation.wording import visible

_SEED = 0
_MOST_WORDS = 4  # of numbers or labels in a verdict


@dataclass(frozen=True, eq=False)
class Taken:
    """One sample.

    Args:
        row: its number in the dataset.
        given: for each part of the network what its form reads, as a person would have given it: pixels, a text, a row
            with names.
        reading: the same as the network takes it, from the dataset's own numbers.
        target: as it is stored; of numbers in their own units.
        truth: the same in words.
        shown: as it is shown.
    """

    row: int
    given: tuple[object, ...]
    reading: Reading
    target: np.ndarray
    truth: str
    shown: Shown


def chosen_rows(dataset: Dataset, split: str, count: int) -> list[int]:
    """Numbers of some samples of a split: always the same, and the first of them the same for any count."""
    rows = dataset.splits[split]
    mixed = torch.randperm(len(rows), generator=torch.Generator().manual_seed(_SEED))[:count]
    return [int(row) for row in rows[mixed].tolist()]


def take_samples(dataset: Dataset, answerer: Answerer, rows: Sequence[int]) -> list[Taken]:
    """Take samples out, by their numbers.

    Args:
        answerer: of a network that was trained on the dataset.
    """
    index = torch.tensor(rows, dtype=torch.int64)
    columns = [
        values.take(index).view(-1, *tensor.shape[1:]).numpy()
        for values, tensor in zip(dataset.input_rows(), dataset.inputs, strict=True)
    ]
    targets = dataset.target_rows().take(index).view(-1, *dataset.targets.shape[1:]).numpy()
    return [
        _taken(dataset, answerer, row, [column[place] for column in columns], targets[place])
        for place, row in enumerate(rows)
    ]


def _taken(dataset: Dataset, answerer: Answerer, row: int, arrays: list[np.ndarray], target: np.ndarray) -> Taken:
    spec = dataset.spec
    truth = target_text(spec.target, spec.target.names, target)
    given, place = [], 0
    for part in answerer.parts:
        some = slice(place, place + part.form.inputs)
        given.append(_given(dataset, part, row, arrays[some], place))
        place += part.form.inputs
    places = _places(answerer.parts[-1], arrays[-1])
    reading = answerer.prepared(
        [Raw(tuple(arrays), places=places, words=_words(answerer.parts[-1], given[-1], places))]
    )
    return Taken(row, tuple(given), reading, np.array(target), truth, _shown(dataset, row, arrays[0], truth, target))


def _given(dataset: Dataset, part: Part, row: int, arrays: Sequence[np.ndarray], first: int) -> object:
    """What a person would have given."""
    raws = dataset.raw[first : first + len(arrays)]
    if isinstance(part.form, RowForm):
        return {name: text for raw in raws if raw is not None for name, text in _cells(raw, row)}
    if isinstance(part.form, TextForm):
        text = "" if raws[0] is None else raws[0].text(row)
        return _until_answer(text, part.form) if part.form.followed else text
    if dataset.spec.characters:
        return "".join(dataset.spec.characters[number] for number in arrays[0].tolist())
    return arrays[0].copy()


def _until_answer(text: str, form: TextForm) -> str:
    """Of a text that is gone on with, what is known: all but the last token, or nothing of an answer of its own."""
    if form.learned.has_signs:
        return ""
    places = form.learned.uncut().encode(writable(text), add_special_tokens=False).offsets
    return text[: places[form.length - 1][1]] if len(places) > form.length else text


def _cells(raw: object, row: int) -> list[tuple[str, str]]:
    assert isinstance(raw, TableRows | TableCategories), raw
    place = int(raw.rows[row])
    return [(column.name, column.column.texts[column.column.codes[place]]) for column in raw.columns]


def _places(part: Part, array: np.ndarray) -> int:
    """How many steps at the beginning are real; 0 if all are."""
    return max(1, int(np.count_nonzero(array != PADDING))) if isinstance(part.form, TextForm) else 0


def _words(part: Part, given: object, places: int) -> tuple[str, ...]:
    spaced = isinstance(part.form, TextForm) and part.form.spaced
    return tuple(str(given).split()[:places]) if spaced else ()


def _shown(dataset: Dataset, row: int, array: np.ndarray, truth: str, target: np.ndarray) -> Shown:
    title, spec = f"{row + 1:,}", dataset.spec
    if text := dataset.text(row):
        return Shown(title, truth, text=text[:TEXT_LENGTH])
    pixels = spec.target.task == "classification" and len(spec.target.dims) == 2
    return shown_values(title, truth, np.array(array), spec, np.array(target) if pixels else None)


def judge(taken: Taken, answer: Answer) -> Verdict:
    """Whether an answer to such a sample is right; of numbers how they differ."""
    names = answer.names
    if answer.kind in (CLASSES, NEXT):
        guess = int(answer.values.argmax())
        truth = int(taken.target if answer.kind == CLASSES else _following(taken))
        return Verdict(visible(names[guess]), float(answer.values[guess]), guess == truth)
    if answer.kind == LABELS:
        right = bool(((answer.values > 0.5) == (taken.target > 0.5)).all())
        return Verdict(", ".join(answer.labels[:_MOST_WORDS]) or "none", None, right)
    if answer.kind == NUMBERS:
        return Verdict(_numbers(answer, taken))
    assert answer.classes is not None
    wanted = taken.target[: len(answer.classes)]
    real = wanted != IGNORED
    hits, size = int(((answer.classes == wanted) & real).sum()), int(real.sum())
    return Verdict(f"{100 * hits / max(size, 1):.0f} % right", None, hits == size)


def _following(taken: Taken) -> int:
    """What came next in the text: behind its last real step."""
    real = taken.target[taken.target != IGNORED]
    return int(real[-1]) if len(real) else IGNORED


def _numbers(answer: Answer, taken: Taken) -> str:
    if answer.values.size > len(answer.names):
        if answer.values.shape != taken.target.shape:
            return answer.best
        return f"off by {float(np.abs(answer.values - taken.target).mean()):.3g}"
    pairs = zip(answer.values.reshape(-1).tolist(), taken.target.reshape(-1).tolist(), strict=False)
    return ", ".join(f"{one:.3g} (true {other:.3g})" for one, other in list(pairs)[:_MOST_WORDS])
