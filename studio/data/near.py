"""Finds samples of different splits that are almost the same: pictures saved again, texts with a word changed.

Two steps, both bounded: candidates share a part of a hash; then each candidate is compared for good.

Axis letters: N samples, C channels, H W space, B bits.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Pairs = np.ndarray  # (pairs, 2) int64, places in what was given

SMALLEST_SIDE = 16  # in pixels: what is smaller looks alike without being the same
MOST_CANDIDATES = 400_000

_HASH_SIDE = 8  # a difference hash has 8×8 bits
_MOST_BITS = 4  # so many bits of a hash may differ
_BANDS = _MOST_BITS + 1  # then at least one band of bits is equal
_MOST_NEIGHBOURS = 100  # of a sample among those with the same band
_THUMBNAIL = 16  # side of what is compared, in pixels
_LEAST_CORRELATION = 0.99

_BYTES_AT_ONCE = 2**24  # of pictures, as float32

_SHINGLE = 3  # words in a row
_MOST_WORDS = 2_000  # of a text that are compared
_MIN_HASHES = 20
_HASHES_IN_BAND = 2
_LEAST_COMMON = 0.8  # of the shingles of two texts
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Pictures:
    """Pictures that may be more than memory holds.

    Args:
        dims: (C, H, W).
        take: gives some of them (n, C, H, W) uint8 or float32, by their numbers (n,).
    """

    dims: tuple[int, ...]
    take: Callable[[np.ndarray], np.ndarray]


def alike_pictures(images: Pictures, rows: np.ndarray, parts: np.ndarray, check: Callable[[], None]) -> Pairs:
    """Pairs of pictures of different splits that show the same.

    They have almost the same difference hash, and their brightness correlates: other sizes of file, brightness and
    contrast do not matter, a moved or mirrored picture is another one.

    Args:
        images: all of them.
        rows: which of them are meant (N,).
        parts: the split of each that is meant (N,).
        check: called now and then; may raise to end the search.

    Returns:
        places in `rows`.
    """
    import numpy as np

    if not len(rows):
        return np.zeros((0, 2), np.int64)
    small = _thumbnails(images, rows, check)  # (N, 16, 16)
    hashes, flat = _difference_hashes(small), small.reshape(len(small), -1)
    flat = flat - flat.mean(1, keepdims=True)
    spread = np.sqrt((flat**2).sum(1))
    seen = np.flatnonzero(spread > 1e-3 * max(float(spread.max(initial=0)), 1e-12))  # a blank one is like all others
    pairs = seen[_band_candidates(hashes[seen], parts[seen], check)]
    kept = []
    for start in range(0, len(pairs), 20_000):
        check()
        a, b = pairs[start : start + 20_000].T
        kept.append(np.einsum("pn,pn->p", flat[a], flat[b]) >= _LEAST_CORRELATION * spread[a] * spread[b])
    alike: Pairs = pairs[np.concatenate([np.zeros(0, bool), *kept])]
    return alike


def _thumbnails(images: Pictures, rows: np.ndarray, check: Callable[[], None]) -> np.ndarray:
    """Grey pictures (N, 16, 16) float32, each pixel the mean of its part."""
    import numpy as np

    channels, height, width = images.dims
    down, across = (np.linspace(0, side, _THUMBNAIL + 1).astype(int) for side in (height, width))
    areas = np.diff(down)[:, None] * np.diff(across)
    small = np.empty((len(rows), _THUMBNAIL, _THUMBNAIL), np.float32)
    step = max(1, _BYTES_AT_ONCE // (4 * channels * height * width))
    for start in range(0, len(rows), step):
        check()
        grey = images.take(rows[start : start + step]).mean(1, dtype=np.float32)
        sums = np.add.reduceat(np.add.reduceat(grey, down[:-1], axis=1), across[:-1], axis=2)
        small[start : start + step] = sums / areas
    return small


def _difference_hashes(small: np.ndarray) -> np.ndarray:
    """Whether each pixel of 8×9 is brighter than its neighbour, (N, B) bool."""
    import numpy as np

    side = np.linspace(0, _THUMBNAIL, _HASH_SIDE + 2).astype(int)[:-1]
    tiny = np.add.reduceat(small.reshape(len(small), _HASH_SIDE, 2, _THUMBNAIL).mean(2), side, axis=2)
    tiny /= np.diff([*side, _THUMBNAIL])
    brighter: np.ndarray = np.diff(tiny, axis=2) > 0
    return brighter.reshape(len(small), -1)


def _band_candidates(bits: np.ndarray, parts: np.ndarray, check: Callable[[], None]) -> Pairs:
    """Pairs of different splits whose hashes differ in a few bits.

    Bits that tell most are dealt to the bands in turn, so that no band is the same for all.
    """
    import numpy as np

    if not len(bits):
        return np.zeros((0, 2), np.int64)
    whole = np.packbits(bits, axis=1).view(np.uint64)[:, 0]
    by_weight = np.argsort(np.abs(bits.mean(0) - 0.5), kind="stable")
    found = [np.zeros((0, 2), np.int64)]
    for band in range(_BANDS):
        chosen = by_weight[band::_BANDS]
        key = bits[:, chosen] @ (1 << np.arange(len(chosen), dtype=np.int64))
        order = np.lexsort((whole, key))
        for first, second in _same(key[order], check):
            a, b = order[first], order[second]
            near = (parts[a] != parts[b]) & (np.bitwise_count(whole[a] ^ whole[b]) <= _MOST_BITS)
            found.append(np.stack([a[near], b[near]], 1))
    pairs = _unique(found, len(bits))
    distances = np.bitwise_count(whole[pairs[:, 0]] ^ whole[pairs[:, 1]])
    return pairs[np.argsort(distances, kind="stable")[:MOST_CANDIDATES]]


def _same(keys: np.ndarray, check: Callable[[], None]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of equal keys in a sorted array: of each with the next, then with the one after that, and so on."""
    import numpy as np

    for step in range(1, min(_MOST_NEIGHBOURS, len(keys) - 1) + 1):
        check()
        first = np.flatnonzero(keys[:-step] == keys[step:])
        if not len(first):
            return
        yield first, first + step


def _unique(found: list[np.ndarray], count: int) -> Pairs:
    """Each pair once, the smaller place first."""
    import numpy as np

    pairs = np.concatenate(found)
    numbers = np.unique(pairs.min(1) * count + pairs.max(1))
    return np.stack([numbers // count, numbers % count], 1)


def alike_texts(texts: Sequence[str], parts: np.ndarray, check: Callable[[], None]) -> Pairs:
    """Pairs of texts of different splits that have most of their words in common, in the same order.

    Case and what stands between words do not matter. MinHash: Broder, “On the resemblance and containment of
    documents”, 1997.

    Args:
        texts: N of them.
        parts: the split of each (N,).
        check: called now and then; may raise to end the search.
    """
    import numpy as np

    if not len(texts):
        return np.zeros((0, 2), np.int64)
    shingles, starts = _shingles(texts, check)
    hashes = _min_hashes(shingles, starts, check)  # (N, hashes)
    found = [np.zeros((0, 2), np.int64)]
    for band in range(0, _MIN_HASHES, _HASHES_IN_BAND):
        key = hashes[:, band : band + _HASHES_IN_BAND] @ np.array([1, 0x9E3779B97F4A7C15], np.uint64)
        order = np.argsort(key, kind="stable")
        for first, second in _same(key[order], check):
            a, b = order[first], order[second]
            apart = parts[a] != parts[b]
            found.append(np.stack([a[apart], b[apart]], 1))
    pairs = _unique(found, len(texts))[:MOST_CANDIDATES]
    ends = np.append(starts[1:], len(shingles))
    keep = [_common(shingles[starts[a] : ends[a]], shingles[starts[b] : ends[b]], check) for a, b in pairs.tolist()]
    alike: Pairs = pairs[np.array(keep, bool)]
    return alike


def _common(a: np.ndarray, b: np.ndarray, check: Callable[[], None]) -> bool:
    """Whether two texts share enough of their shingles."""
    check()
    first, second = set(a.tolist()), set(b.tolist())
    return len(first & second) >= _LEAST_COMMON * len(first | second)


def _shingles(texts: Sequence[str], check: Callable[[], None]) -> tuple[np.ndarray, np.ndarray]:
    """A number for each few words in a row, text after text, uint64, and where each text begins (N,)."""
    import numpy as np

    known: dict[str, int] = {}
    pieces: list[np.ndarray] = [np.zeros(0, np.uint64)]  # one array of all at once would hold up other threads
    starts: list[int] = []
    count = 0
    for number, text in enumerate(texts):
        if number % 1_000 == 0:
            check()
        found = _WORD.findall(text[: 10 * _MOST_WORDS].lower())[:_MOST_WORDS]
        found += [""] * (_SHINGLE - len(found))
        starts.append(count)
        count += len(found)
        words = [known[word] if word in known else known.setdefault(word, _number(word)) for word in found]
        pieces.append(np.array(words, np.uint64))
    numbers = np.concatenate(pieces)
    factors = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    whole = sum(np.roll(numbers, -place) * factor for place, factor in enumerate(factors))
    # The last words of a text begin no shingle: they repeat its last one, which changes no set.
    places = np.arange(count)
    last = np.append(np.array(starts[1:], np.int64), count) - _SHINGLE
    lengths = np.diff([*starts, count])
    assert isinstance(whole, np.ndarray)
    return whole[np.minimum(places, np.repeat(last, lengths))], np.array(starts, np.int64)


def _number(word: str) -> int:
    """The same for the same word on any machine."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def _min_hashes(shingles: np.ndarray, starts: np.ndarray, check: Callable[[], None]) -> np.ndarray:
    """The smallest of the shingles of each text, in several mixed orders (N, hashes) uint64."""
    import numpy as np

    rng = np.random.default_rng(0)
    hashes = np.empty((len(starts), _MIN_HASHES), np.uint64)
    for column in range(_MIN_HASHES):
        check()
        mixed = shingles * (rng.integers(2**63, dtype=np.uint64) | np.uint64(1))
        mixed ^= mixed >> np.uint64(29)
        mixed *= rng.integers(2**63, dtype=np.uint64) | np.uint64(1)
        hashes[:, column] = np.minimum.reduceat(mixed, starts)
    return hashes
