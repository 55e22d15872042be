"""Which columns of a Hugging Face dataset are the input and which the target: named by the person, or guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.data.base import DataError
from studio.data.hub.features import (
    ARRAY,
    CLASS,
    NUMBER,
    PICTURE,
    SOUND,
    TAGS,
    TEXT,
    TOKENS,
    Feature,
)
from studio.data.hub.rules import CLASSES, FIND_OUT, NUMBERS
from studio.data.own_files import printable

if TYPE_CHECKING:
    import numpy as np

    from studio.data.hub.table import HubTable

MOST_CLASSES = 1_000  # of a column that has no names for them
_FEW_CLASSES = 30  # whole numbers are classes if there are no more, unless the person says otherwise
_TARGETS = ("label", "labels", "target", "class", "y", "fine_label", "category", "coarse_label", "answer", "sentiment",
            "score", "rating", "stars", "quality", "price", "value")  # fmt: skip
_TEXTS = ("text", "sentence", "content", "review", "document", "tweet", "comment", "body", "question", "premise",
          "article", "sentence1")  # fmt: skip
_NOT_FEATURES = ("id", "idx", "index", "__index_level_0__", "unnamed: 0", "guid", "uid")
INPUT_KINDS = (PICTURE, SOUND, TEXT, TOKENS, ARRAY, NUMBER)
_TAGS = ("ner_tags", "tags", "labels", "pos_tags", "upos")


@dataclass(frozen=True)
class Roles:
    """What each sample is made of.

    Args:
        inputs: the columns that the network gets: one, or several of numbers.
        target: the column to predict.
        kind: of the inputs, one of INPUT_KINDS.
    """

    inputs: tuple[Feature, ...]
    target: Feature
    kind: str


def find_roles(features: Mapping[str, Feature], input_column: str, target_column: str) -> Roles:
    """Take the columns that are named, and guess the others.

    Args:
        input_column: the name of a column, or of several of numbers with commas between them; empty to find it.
        target_column: the name of a column; empty to find it.

    Raises:
        DataError: if a name is unknown, a column cannot be used for that, or nothing can be guessed.
    """
    named = _named_inputs(features, input_column)
    target = _known(features, target_column) if target_column else _guess_target(features, named)
    inputs = named or _guess_inputs(features, target)
    kinds = {feature.kind for feature in inputs}
    if target in inputs:
        raise DataError(f"The column “{printable(target.name)}” cannot be both the input and the target.")
    if len(inputs) > 1 and kinds != {NUMBER}:
        raise DataError("Only columns of numbers can be taken together as the input. Name one column.")
    _check_input(inputs[0])
    _check_target(target)
    if (inputs[0].kind == TOKENS) != (target.kind == TAGS):
        raise DataError("Lists of tokens go together with a list of tags to predict, one for each. Name both columns.")
    return Roles(tuple(inputs), target, inputs[0].kind)


def _known(features: Mapping[str, Feature], name: str) -> Feature:
    if name not in features:
        known = ", ".join(printable(other, 40) for other in list(features)[:30])
        raise DataError(f"There is no column “{printable(name)}”. There are: {known}.")
    return features[name]


def _named_inputs(features: Mapping[str, Feature], text: str) -> list[Feature]:
    if not text or text in features:
        return [features[text]] if text else []
    return [_known(features, name.strip()) for name in text.split(",")]


def _check_input(feature: Feature) -> None:
    if feature.kind in INPUT_KINDS:
        return
    raise DataError(
        f"The column “{printable(feature.name)}” of the type “{printable(feature.what, 40)}” cannot be the input. Name "
        "another one."
    )


def _check_target(feature: Feature) -> None:
    if feature.kind not in (CLASS, NUMBER, TEXT, TAGS):
        raise DataError(
            f"The column “{printable(feature.name)}” of the type “{printable(feature.what, 40)}” cannot be predicted "
            "yet. Name a column of classes, numbers or short texts as the target column."
        )


def _guess_target(features: Mapping[str, Feature], inputs: Sequence[Feature]) -> Feature:
    able = [f for f in features.values() if f not in inputs and f.kind in (CLASS, NUMBER, TEXT)]
    able = [f for f in able if f.name.lower() not in _NOT_FEATURES]
    classes = [f for f in able if f.kind == CLASS]
    usual = _usual(classes, _TARGETS) or _usual(able, _TARGETS)
    tagged = any(f.kind == TOKENS for f in features.values()) and any(f.kind == TAGS for f in features.values())
    if not classes and not usual and tagged:
        tags = [f for f in features.values() if f.kind == TAGS]
        return _usual(tags, _TAGS) or tags[-1]
    numbers = [f for f in able if f.kind == NUMBER]
    found = classes[0] if classes and (usual is None or usual.kind != CLASS) else usual
    if found is None and numbers and (len(numbers) > 1 or _rich(features)):
        found = numbers[-1]
    if found is None:
        raise DataError("No column to predict was found. Name one as the target column.")
    return found


def _rich(features: Mapping[str, Feature]) -> bool:
    return any(feature.kind in (PICTURE, SOUND, TEXT, ARRAY) for feature in features.values())


def _usual(features: Sequence[Feature], names: Sequence[str]) -> Feature | None:
    lower = {feature.name.lower(): feature for feature in features}
    return next((lower[name] for name in names if name in lower), None)


def _guess_inputs(features: Mapping[str, Feature], target: Feature) -> list[Feature]:
    others = [f for f in features.values() if f != target and f.name.lower() not in _NOT_FEATURES]
    for kind in (TOKENS,) if target.kind == TAGS else (PICTURE, SOUND):
        if found := [f for f in others if f.kind == kind]:
            return found[:1]
    texts = [f for f in others if f.kind == TEXT]
    if texts:
        return [_usual(texts, _TEXTS) or texts[0]]
    if arrays := [f for f in others if f.kind == ARRAY]:
        return arrays[:1]
    numbers = [f for f in others if f.kind == NUMBER]
    if not numbers:
        raise DataError("No column was found that a network could learn from. Name one as the input column.")
    return numbers


@dataclass(frozen=True, eq=False)
class Answers:
    """What is to be predicted of every row.

    Args:
        task: "classification" or "regression".
        names: of the classes, or of the number.
        values: class numbers (M,) int64, or numbers (M, 1) float32; 0 where nothing is known. Of tags (M, 0): how long
            they are is a setting.
        known: (M,) bool, whether the row has an answer.
    """

    task: str
    names: tuple[str, ...]
    values: np.ndarray
    known: np.ndarray


def read_answers(table: HubTable, target: Feature, task: str) -> Answers:
    """The target column of all rows.

    Args:
        task: one of the tasks of the source's field; FIND_OUT decides by the values.

    Raises:
        DataError: if a file is broken, or there are too many classes.
    """
    column = table.values(target.name)
    if target.kind == TAGS:
        return _tags(column, target)
    if target.kind == CLASS:
        return _classes(column, target)
    if target.kind == TEXT and task != NUMBERS:
        return _distinct(column, target, str)
    if target.kind == TEXT:
        raise DataError(f"The column “{printable(target.name)}” holds texts, which are no numbers to predict.")
    few = target.whole and len(column.unique()) <= _FEW_CLASSES
    if task == CLASSES or (task == FIND_OUT and few):
        return _distinct(column, target, _plain_number)
    return _numbers(column, target)


def _classes(column: Any, target: Feature) -> Answers:
    import numpy as np
    import pyarrow.compute as pc

    values = pc.fill_null(column, -1).to_numpy().astype(np.int64)
    if len(values) and values.max() >= len(target.names):
        raise DataError(
            f"The column “{printable(target.name)}” holds the class {values.max()}, but names only {len(target.names)}."
        )
    known = values >= 0  # hidden answers of a test set are written as -1
    return Answers("classification", target.names, np.where(known, values, 0), known)


def _tags(column: Any, target: Feature) -> Answers:
    import numpy as np
    import pyarrow.compute as pc

    known = np.asarray(pc.fill_null(pc.greater(pc.list_value_length(column), 0), False).to_numpy())
    return Answers("classification", target.names, np.zeros((len(column), 0), np.int64), known)


def _distinct(column: Any, target: Feature, text: Any) -> Answers:
    """Every value is a class; in order of their size, or of the alphabet."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.drop_null(column.unique())
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"The column “{printable(target.name)}” has {len(found):,} different values; up to {MOST_CLASSES:,} can be "
            "classes. Name another target column."
        )
    values = sorted(found.to_pylist())
    numbers = pc.fill_null(pc.index_in(column, value_set=pa.array(values, type=column.type)), -1).to_numpy()
    names = tuple(text(value) for value in values)
    return Answers("classification", names, np.maximum(numbers, 0).astype(np.int64), numbers >= 0)


def _plain_number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _numbers(column: Any, target: Feature) -> Answers:
    import numpy as np

    values = as_floats(column)
    known = np.isfinite(values)
    return Answers("regression", (target.name,), np.where(known, values, 0).astype(np.float32)[:, None], known)


def as_floats(column: Any) -> np.ndarray:
    """A column of numbers (M,) float64; NaN where there is none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.float64()
    plain = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    floats = pc.fill_null(plain.cast(kind, safe=False), float("nan"))
    return np.asarray(floats.to_numpy(), np.float64)
