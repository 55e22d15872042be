"""Samples of a Hugging Face dataset: pictures, texts, arrays or numbers, each with what is to be predicted.

Axis letters: M samples, C channels, H W space, D features.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.data import cache
from studio.data.base import DataError, DataSpec, Progress, Samples, Target, Texts
from studio.data.hub_features import ARRAY, NUMBER, PICTURE, TEXT, Feature, size_of
from studio.data.hub_roles import Answers, Roles, as_floats, find_roles, read_answers
from studio.data.hub_table import HubTable, open_table
from studio.data.images_decode import Form, PictureError, decode, decoder_name
from studio.data.images_rules import LEAVE_OUT
from studio.data.images_store import MOST_IN_MEMORY, Decoded
from studio.data.own_files import printable
from studio.storage import StorageError
from studio.tensors import TensorSpec, axes_for

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from studio.data.hub_sources import HuggingFace

MOST_BYTES = 2_000_000_000  # of the numbers of all samples together, or of all texts
_THREADS = 8
_AT_ONCE = 64  # pictures that are decoded between two looks at whether to go on
_REASONS = 1_000


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
    if found.roles.kind == TEXT:
        return DataSpec((source.token_numbers,), target, tokens=(source.vocabulary,))
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
    if found.roles.kind == PICTURE:
        decoded = decoded_pictures(source, found)
        values, digests = decoded.arrays["images"], (decoded.digests["images"],)
        _check_readable(source, found, decoded)
        known[decoded.unreadable] = False
    elif found.roles.kind == TEXT:
        values = Texts(_texts(found, known), source.rules)
    elif found.roles.kind == ARRAY:
        values = _arrays(found, known)
    else:
        values = _columns(found, known)
    validation_start, test_start = found.table.starts
    return Samples(
        (values,), found.answers.values, test_start, validation_start,
        found.answers.names if found.answers.task == "classification" else (), digests=digests,
        left_out=tuple(np.flatnonzero(~known).tolist()), spec=spec_of(source, found),
    )  # fmt: skip


def _check_readable(source: HuggingFace, found: View, decoded: Decoded) -> None:
    broken = decoded.unreadable
    if not broken or source.unreadable == LEAVE_OUT:
        return
    first = broken[0]
    reason = decoded.about["reasons"].get(str(first), "cannot be read")
    raise DataError(
        f"{len(broken):,} of {found.table.count:,} pictures cannot be read. The one in row {found.table.place(first)} "
        f"{reason}. Set “Unreadable” to “{LEAVE_OUT}” to go on without them."
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


def decoded_pictures(source: HuggingFace, found: View, progress: Progress | None = None) -> Decoded:
    """All pictures (M, C, H, W) uint8, from the cache or decoded now. Raises DataError."""
    form, count = source.form, found.table.count
    layout: dict[str, tuple[str, tuple[int, ...]]] = {
        "images": ("|u1", (count, form.channels, form.height, form.width)),
        "sizes": ("<i4", (count, 2)),
    }
    make = functools.partial(_decode_all, found, form, progress)
    try:
        entry = cache.keep(_key(found, form), str(found.table.parts[0].path.parent), layout, make, progress)
    except StorageError as error:
        if size_of(layout["images"][1]) > MOST_IN_MEMORY:
            raise DataError(f"The decoded pictures cannot be kept. {error}") from error
        entry = cache.in_memory(layout, make)
    return Decoded(entry.arrays, entry.digests, entry.about)


def _key(found: View, form: Form) -> str:
    stamps = []
    for part in found.table.parts:
        known = os.stat(part.path)
        stamps.append(f"{part.path}|{known.st_size}|{known.st_mtime_ns}|{known.st_ctime_ns}")
    return cache.key_of(["huggingface", found.roles.inputs[0].name, repr(form), decoder_name(), *stamps])


def _decode_all(found: View, form: Form, progress: Progress | None, maker: cache.Maker) -> None:
    import numpy as np

    kinds, reasons = Counter[str](), dict[str, str]()
    done = 0
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), thread_name_prefix="pictures") as pool:
        for contents in _contents(found):
            rows = list(pool.map(functools.partial(_decode_one, form), contents))
            for index, (_, size, told) in enumerate(rows, done):
                if size[0]:
                    kinds[told] += 1
                elif len(reasons) < _REASONS:
                    reasons[str(index)] = told[:200]
            maker.write("images", np.stack([image for image, _, _ in rows]))
            maker.write("sizes", np.array([size for _, size, _ in rows], np.int32))
            done += len(rows)
            if progress is not None:
                progress(done, found.table.count)
    maker.about |= {"reasons": reasons, "kinds": dict(kinds.most_common(20))}


def _contents(found: View) -> Iterator[list[bytes | None]]:
    """The bytes of the pictures, some at a time."""
    for batch in found.table.batches([found.roles.inputs[0].name]):
        column = batch.column(0)
        for start in range(0, len(column), _AT_ONCE):
            yield [picture_bytes(item) for item in column.slice(start, _AT_ONCE).to_pylist()]


def picture_bytes(item: Any) -> bytes | None:
    """What a row holds of a picture; None if it only names a file, which may lie anywhere, or nothing."""
    content = item.get("bytes") if isinstance(item, dict) else item
    return content if isinstance(content, bytes) else None


def _decode_one(form: Form, content: bytes | None) -> tuple[np.ndarray, tuple[int, int], str]:
    """A picture, its size, and its format; black, (0, 0) and the reason, if it cannot be read."""
    import numpy as np

    try:
        if not content:
            raise PictureError("is not in the file" if content is None else "is empty")
        image, header = decode(content, form)
    except PictureError as error:
        return np.zeros((form.channels, form.height, form.width), np.uint8), (0, 0), str(error)
    return image, (header.height, header.width), f"{header.format} {header.mode}"


def some_pictures(found: View, most: int = 64) -> list[bytes]:
    """The first pictures, to propose a size from."""
    contents = itertools.chain.from_iterable(_contents(found))
    return [content for content in itertools.islice(contents, most) if content]


__all__ = [
    "NUMBER", "View", "channels_last", "decoded_pictures", "load", "picture_bytes", "some_pictures", "spec_of", "view",
]  # fmt: skip
