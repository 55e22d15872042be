"""Pictures and sounds in the rows of a Hugging Face dataset: decoded once, in threads, and kept in the cache."""

from __future__ import annotations

import functools
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data import cache
from studio.data.base import DataError, Progress
from studio.data.hub.features import SOUND, size_of
from studio.data.images.decode import Form, PictureError, decode, decoder_name
from studio.data.images.store import MOST_IN_MEMORY, Decoded
from studio.storage import StorageError

if TYPE_CHECKING:
    import numpy as np

    from studio.data.audio.features import SoundRules
    from studio.data.hub.loading import View
    from studio.data.hub.sources import HuggingFace

VALUES = "values"  # of the samples, in the cache
_THREADS = 8
_AT_ONCE = 64  # rows that are decoded between two looks at whether to go on
_REASONS = 1_000
_SOUNDS = "1"  # changes when sounds become other numbers
_IN_ROW = Path("the sound in a row")

# What a row gives: its numbers, its size (0, 0 if it cannot be read), and its kind, or why it cannot be read.
Row = tuple["np.ndarray", tuple[int, int], str]


def decode_all(source: HuggingFace, found: View, progress: Progress | None = None) -> Decoded:
    """All pictures (M, C, H, W) uint8, or sounds (M, *dims) float32, from the cache or decoded. Raises DataError."""
    if found.roles.kind == SOUND:
        read = functools.partial(_sound, source.sound_rules)
        return _kept(found, ("<f4", source.sound_rules.dims), _key(source, found), read, progress)
    form = source.form
    dims, read_picture = (form.channels, form.height, form.width), functools.partial(_picture, form)
    return _kept(found, ("|u1", dims), _key(source, found), read_picture, progress)


def decoded_before(source: HuggingFace, found: View) -> Decoded | None:
    """The same if they are in the cache."""
    entry = cache.look_up(_key(source, found))
    return None if entry is None else Decoded(entry.arrays, entry.digests, entry.about)


def _kept(
    found: View, of: tuple[str, tuple[int, ...]], key: str, read: Callable[[bytes | None], Row],
    progress: Progress | None,
) -> Decoded:  # fmt: skip
    count, (dtype, dims) = found.table.count, of
    layout: dict[str, tuple[str, tuple[int, ...]]] = {VALUES: (dtype, (count, *dims)), "sizes": ("<i4", (count, 2))}
    make = functools.partial(_make, found, read, progress)
    try:
        entry = cache.keep(key, str(found.table.parts[0].path.parent), layout, make, progress)
    except StorageError as error:
        if 4 * size_of(layout[VALUES][1]) > MOST_IN_MEMORY:
            raise DataError(f"The decoded {found.roles.kind}s cannot be kept. {error}") from error
        entry = cache.in_memory(layout, make)
    return Decoded(entry.arrays, entry.digests, entry.about)


def _key(source: HuggingFace, found: View) -> str:
    """The name of what is kept of these pictures or sounds."""
    sounds = found.roles.kind == SOUND
    settings = f"{source.sound_rules!r} {_SOUNDS}" if sounds else f"{source.form!r} {decoder_name()}"
    stamps = []
    for part in found.table.parts:
        known = os.stat(part.path)
        stamps.append(f"{part.path}|{known.st_size}|{known.st_mtime_ns}|{known.st_ctime_ns}")
    return cache.key_of(["huggingface", found.roles.inputs[0].name, settings, *stamps])


def _make(
    found: View, read: Callable[[bytes | None], Row], progress: Progress | None, maker: cache.Maker
) -> None:  # fmt: skip
    import numpy as np

    kinds, reasons = Counter[str](), dict[str, str]()
    done = 0
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), thread_name_prefix="decoding") as pool:
        for contents in _contents(found):
            rows = list(pool.map(read, contents))
            for index, (_, size, told) in enumerate(rows, done):
                if size[0]:
                    kinds[told] += 1
                elif len(reasons) < _REASONS:
                    reasons[str(index)] = told[:200]
            maker.write(VALUES, np.stack([values for values, _, _ in rows]))
            maker.write("sizes", np.array([size for _, size, _ in rows], np.int32))
            done += len(rows)
            if progress is not None:
                progress(done, found.table.count)
    maker.about |= {"reasons": reasons, "kinds": dict(kinds.most_common(20))}


def _contents(found: View) -> Iterator[list[bytes | None]]:
    """The bytes in the rows, some at a time."""
    for batch in found.table.batches([found.roles.inputs[0].name]):
        column = batch.column(0)
        for start in range(0, len(column), _AT_ONCE):
            yield [bytes_in(item) for item in column.slice(start, _AT_ONCE).to_pylist()]


def bytes_in(item: Any) -> bytes | None:
    """What a row holds of a picture or sound; None if it only names a file, which may lie anywhere, or nothing."""
    content = item.get("bytes") if isinstance(item, dict) else item
    return content if isinstance(content, bytes) else None


def some_contents(found: View, most: int = 64) -> list[bytes]:
    """The first pictures or sounds, to propose settings from."""
    contents = itertools.chain.from_iterable(_contents(found))
    return [content for content in itertools.islice(contents, most) if content]


def _absent(content: bytes | None) -> str:
    return "" if content else "is not in the file" if content is None else "is empty"


def _picture(form: Form, content: bytes | None) -> Row:
    """Black, if it cannot be read."""
    import numpy as np

    try:
        if not content:
            raise PictureError(_absent(content))
        image, header = decode(content, form)
    except PictureError as error:
        return np.zeros((form.channels, form.height, form.width), np.uint8), (0, 0), str(error)
    return image, (header.height, header.width), f"{header.format} {header.mode}"


def _sound(rules: SoundRules, content: bytes | None) -> Row:
    """Silence, if it cannot be read."""
    import numpy as np

    reason = _absent(content)
    try:
        if content:
            return rules.apply(_IN_ROW, content), (1, 1), "sound"
    except DataError as error:
        reason = str(error).removeprefix(str(_IN_ROW)).strip().rstrip(".")
    return np.zeros(rules.dims, np.float32), (0, 0), reason
