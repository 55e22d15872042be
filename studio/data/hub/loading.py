"""Samples of a Hugging Face dataset: pictures, sounds, texts, arrays or numbers, and what is to be predicted.

Axis letters: M samples, C channels, H W space, D features.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.data.base import IGNORED, DataError, DataSpec, Samples, Target, Texts
from studio.data.hub.features import ARRAY, PICTURE, SOUND, TEXT, TOKENS, Feature, size_of
from studio.data.hub.media import VALUES, decode_all, decoded_before
from studio.data.hub.roles import Answers, Roles, as_floats, find_roles, read_answers
from studio.data.hub.table import HubTable, open_table
from studio.data.images.rules import LEAVE_OUT
from studio.data.own_files import printable
from studio.tensors import TensorSpec, axes_for

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from studio.data.hub.sources import HuggingFace
    from studio.data.images.store import Decoded

MOST_BYTES = 2_000_000_000  # of the numbers of all samples together, or of all texts


@dataclass(frozen=True, eq=False)
class View:
    """A dataset as it is used.

    Args:
        table: without the splits whose answers are hidden.
        roles: what is input and what is target.
        answers: of every row.
        hidden: splits that were left out, since none of their rows has an answer.
    """

    table: HubTable
    roles: Roles
    answers: Answers
    hidden: tuple[str, ...] = ()


def view(source: HuggingFace, place: Path) -> View:
    """Open the files and read the target column. Raises MissingDataError, DataError."""
    table = open_table(place, source.config)
    roles = find_roles(table.features, source.input_column, source.target_column)
    answers = read_answers(table, roles.target, source.task)
    hidden = tuple(name for name, rows in _rows_of(table) if not answers.known[rows].any())
    if len(hidden) == len(table.splits):
        raise DataError(f"No row has a value in the column “{printable(roles.target.name)}”, which is to be predicted.")
    if hidden:
        table = table.without(hidden)
        answers = read_answers(table, roles.target, source.task)
    return View(table, roles, answers, hidden)


def _rows_of(table: HubTable) -> Iterator[tuple[str, slice]]:
    start = 0
    for name, count in table.splits.items():
        yield name, slice(start, start + count)
        start += count


def spec_of(source: HuggingFace, found: View) -> DataSpec:
    """What a network gets and has to answer."""
    target = Target(found.answers.task, found.answers.names)
    if found.roles.kind == PICTURE:
        return DataSpec((source.picture,), target)
    if found.roles.kind == SOUND:
        return DataSpec((source.sound,), target)
    if found.roles.kind in (TEXT, TOKENS):
        places = (source.max_length,) if found.roles.kind == TOKENS else ()
        return DataSpec((source.token_numbers,), dataclasses.replace(target, dims=places), tokens=(source.vocabulary,))
    if found.roles.kind == ARRAY:
        dims = found.roles.inputs[0].dims
        dims = (dims[2], *dims[:2]) if channels_last(dims) else dims
        return DataSpec((TensorSpec(dims, axes_for(len(dims))),), target)
    names = tuple(feature.name for feature in found.roles.inputs)
    return DataSpec((TensorSpec((len(names),), "D"),), target, features=names)


def channels_last(dims: tuple[int, ...]) -> bool:
    """Whether an array is a picture (H, W, C), which networks take as (C, H, W)."""
    return len(dims) == 3 and dims[2] in (1, 3) and min(dims[:2]) > 4


def load(source: HuggingFace, found: View) -> Samples:
    """All samples. Raises DataError."""
    import numpy as np

    known = found.answers.known.copy()
    digests: tuple[str, ...] = ()
    values: Any
    targets = found.answers.values
    if found.roles.kind in (PICTURE, SOUND):
        decoded = decode_all(source, found)
        values, digests = decoded.arrays[VALUES], (decoded.digests[VALUES],)
        _check_readable(source, found, decoded)
        known[decoded.unreadable] = False
    elif found.roles.kind == TEXT:
        values = Texts(_texts(found, known), source.rules)
    elif found.roles.kind == TOKENS:
        texts, targets = _tagged(found, known, source.max_length)
        values = Texts(texts, source.spaced_rules)
    elif found.roles.kind == ARRAY:
        values = _arrays(found, known)
    else:
        values = _columns(found, known)
    validation_start, test_start = found.table.starts
    return Samples(
        (values,), targets, test_start, validation_start,
        found.answers.names if found.answers.task == "classification" else (), digests=digests,
        left_out=tuple(np.flatnonzero(~known).tolist()), spec=spec_of(source, found),
    )  # fmt: skip


def unknown_rows(source: HuggingFace, found: View) -> tuple[int, ...]:
    """Numbers of the rows that no split gets; of pictures and sounds those that are known by now. Raises DataError."""
    import numpy as np

    known = found.answers.known.copy()
    if found.roles.kind in (PICTURE, SOUND):
        decoded = decoded_before(source, found) if source.unreadable == LEAVE_OUT else None
        known[decoded.unreadable if decoded is not None else []] = False
    elif found.roles.kind == ARRAY:
        _arrays(found, known)
    elif found.roles.kind in (TEXT, TOKENS):
        known &= ~_is_empty(found, words=found.roles.kind == TOKENS)
    else:
        _columns(found, known)
    return tuple(np.flatnonzero(~known).tolist())


def _is_empty(found: View, *, words: bool) -> np.ndarray:
    """Whether each row has no text (M,), or not one word."""
    import numpy as np
    import pyarrow.compute as pc

    columns = (batch.column(0) for batch in found.table.batches([found.roles.inputs[0].name]))
    counts = (pc.fill_null(pc.list_value_length(column), 0) if words else pc.is_valid(column) for column in columns)
    empty = (np.asarray(count.to_numpy(zero_copy_only=False)) == 0 for count in counts)
    return np.concatenate([np.zeros(0, bool), *empty])


def _check_readable(source: HuggingFace, found: View, decoded: Decoded) -> None:
    broken = decoded.unreadable
    if not broken or source.unreadable == LEAVE_OUT:
        return
    first = broken[0]
    reason = decoded.about["reasons"].get(str(first), "cannot be read")
    raise DataError(
        f"{len(broken):,} of {found.table.count:,} {found.roles.kind}s cannot be read. The one in row "
        f"{found.table.place(first)} {reason}. Set “Unreadable” to “{LEAVE_OUT}” to go on without them."
    )


def _texts(found: View, known: np.ndarray) -> list[str]:
    texts: list[str | None] = []
    size = 0
    for batch in found.table.batches([found.roles.inputs[0].name]):
        size += batch.nbytes
        _check_size(size, "texts")
        texts += batch.column(0).to_pylist()
    known[[index for index, text in enumerate(texts) if text is None]] = False
    return [text or "" for text in texts]


def _tagged(found: View, known: np.ndarray, length: int) -> tuple[list[str], np.ndarray]:
    """Tokens with spaces between them, and the class of each (M, L) int64; IGNORED behind the end."""
    import numpy as np

    words, tags = found.roles.inputs[0], found.roles.target
    texts: list[str] = []
    targets = np.full((found.table.count, length), IGNORED, np.int64)
    for batch in found.table.batches([words.name, tags.name]):
        for tokens, classes in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            row, tokens, classes = len(texts), tokens or [], classes or []
            if len(tokens) != len(classes):
                raise DataError(
                    f"Row {found.table.place(row)} has {len(tokens)} tokens, but {len(classes)} tags. Each token must "
                    "have one."
                )
            known[row] = bool(tokens)
            texts.append(" ".join(spaced(token) for token in tokens))
            targets[row, : len(classes)] = [_tag(found, row, tag) for tag in classes[:length]]
    return texts, targets


def spaced(token: str | None) -> str:
    """A token as it can stand between spaces: without any of its own."""
    return "_".join((token or "").split()) or "_"


def _tag(found: View, row: int, tag: int | None) -> int:
    if tag is None or tag < 0:
        return IGNORED
    if tag >= len(found.roles.target.names):
        names = len(found.roles.target.names)
        raise DataError(f"Row {found.table.place(row)} has the tag {tag}, but the dataset names only {names}.")
    return tag


def _check_size(size: int, what: str) -> None:
    if size > MOST_BYTES:
        raise DataError(
            f"The {what} take more than {MOST_BYTES / 1e9:.0f} GB of memory, which is not done. Use a part of them."
        )


def _columns(found: View, known: np.ndarray) -> np.ndarray:
    """Columns of numbers as features (M, D) float32; rows in which one is missing are not known."""
    import numpy as np

    _check_size(4 * found.table.count * len(found.roles.inputs), "numbers")
    values = np.empty((found.table.count, len(found.roles.inputs)), np.float32)
    for number, feature in enumerate(found.roles.inputs):
        column = as_floats(found.table.values(feature.name))
        known &= np.isfinite(column)
        values[:, number] = np.where(np.isfinite(column), column, 0)
    return values


def _arrays(found: View, known: np.ndarray) -> np.ndarray:
    """A column of arrays (M, *dims); bytes stay bytes, all other numbers become float32."""
    import numpy as np

    feature, table = found.roles.inputs[0], found.table
    _check_size(table.count * size_of(feature.dims), "arrays")
    pieces, start = [], 0
    for batch in table.batches([feature.name]):
        piece = _piece(table, feature, batch.column(0), start, known)
        pieces.append(piece if piece.dtype == np.uint8 else piece.astype(np.float32))
        start += len(piece)
        _check_size(start * size_of(feature.dims) * pieces[-1].itemsize, "arrays")
    values = np.concatenate(pieces)
    if values.dtype == np.float32:
        finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        known &= finite
        values[~finite] = 0
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2)) if channels_last(feature.dims) else values


def _piece(table: HubTable, feature: Feature, column: Any, start: int, known: np.ndarray) -> np.ndarray:
    """Some rows of a column of arrays. Raises DataError if one has another size."""
    import numpy as np
    import pyarrow as pa

    flat = column
    while hasattr(flat, "storage") or pa.types.is_nested(flat.type):
        flat = flat.storage if hasattr(flat, "storage") else flat.flatten()
    if flat.null_count == 0 and column.null_count == 0 and len(flat) == len(column) * size_of(feature.dims):
        return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(len(column), *feature.dims)
    values = np.zeros((len(column), *feature.dims), flat.to_numpy(zero_copy_only=False).dtype)
    for number, item in enumerate(column.to_pylist()):
        if item is None:
            known[start + number] = False
            continue
        try:
            values[number] = np.asarray(item, dtype=values.dtype).reshape(feature.dims)
        except (ValueError, TypeError) as error:
            size = "×".join(map(str, feature.dims))
            raise DataError(
                f"Row {table.place(start + number)}: “{printable(feature.name)}” is not of the size {size}, as the "
                "dataset says, or has empty places."
            ) from error
    return values
