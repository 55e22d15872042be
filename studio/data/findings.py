"""What the samples of any dataset are like, told from what `Source.load` gives: columns, counts, ranges.

Axis letters: M samples, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.data.base import (
    ARRAY,
    CATEGORICAL,
    IGNORED,
    IMAGE,
    MASK,
    NUMERIC,
    TAGS,
    TEXT,
    Column,
    DataSpec,
    Findings,
    Learnable,
    Samples,
    Target,
    Texts,
)
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import numpy as np

MOST_COLUMNS = 1_000  # features that are described one by one
BINS = 10
_CHUNK_BYTES = 2**24


def describe(spec: DataSpec, samples: Samples) -> Findings:
    """Rows, columns, target and counts of samples in memory.

    Args:
        spec: what the source declares, with the names of the classes if it knows them.
        samples: as `Source.load` gives them.
    """
    target = spec.target
    if not len(samples.targets):
        return Findings(spec, "There are no samples.")
    names = target.names or samples.names
    inputs = [
        column
        for number, (tensor, values) in enumerate(zip(spec.inputs, samples.inputs, strict=True))
        for column in _inputs(spec, number, tensor, values)
    ]
    targets = _targets(target, names, samples.targets)
    return Findings(
        spec=spec,
        summary=_summary(spec, len(samples.targets), inputs),
        rows=len(samples.targets),
        columns=(*inputs, *targets),
        target=tuple(column.name for column in targets),
        counts=class_counts(target, len(names), samples.targets),
    )


def class_counts(target: Target, size: int, targets: np.ndarray) -> tuple[int, ...]:
    """How many samples each of `size` classes has; with places, in how many it occurs. None if there are no classes."""
    import numpy as np

    if target.task == "regression":
        return ()
    if target.task == "multi-label":
        return tuple(int(count) for count in (targets > 0).sum(0))
    flat = targets.reshape(len(targets), -1)  # (M, places)
    counts = np.zeros(size, np.int64)
    rows = max(1, _CHUNK_BYTES // (8 * max(flat.shape[1], size)))
    for start in range(0, len(flat), rows):
        chunk = flat[start : start + rows]
        occurs = np.zeros((len(chunk), size), bool)
        row, place = np.nonzero(chunk != IGNORED)
        occurs[row, chunk[row, place]] = True
        counts += occurs.sum(0)
    return tuple(counts.tolist())


def _summary(spec: DataSpec, rows: int, inputs: list[Column]) -> str:
    features = spec.inputs[0].dims[0] if spec.inputs[0].axes == "D" else 0
    if len(spec.inputs) == 1 and features > len(inputs):
        return f"{rows:,} samples. The first {len(inputs):,} of {features:,} features are described."
    return ""


def _inputs(spec: DataSpec, number: int, tensor: TensorSpec, values: np.ndarray | Learnable) -> list[Column]:
    """The columns of one input."""
    single = len(spec.inputs) == 1
    ending = "" if single else f" {number + 1}"
    if isinstance(values, Texts):
        return [text_column(f"text{ending}", values.texts)]
    assert not isinstance(values, Learnable), "a source of other raw values looks at them itself"
    if tensor.dtype == "int":
        return [_tokens(f"{'text' if spec.characters else 'tokens'}{ending}", spec, number, values)]
    if tensor.axes == "D":
        names = spec.features if single and spec.features else [f"x{n + 1}" for n in range(values.shape[1])]
        named = zip(names[:MOST_COLUMNS], range(MOST_COLUMNS), strict=False)
        return [numeric(f"{name}{ending}", values[:, place]) for name, place in named]
    picture = tensor.axes == "CHW"
    return [_arrays(f"{'image' if picture else 'values'}{ending}", IMAGE if picture else ARRAY, tensor, values)]


def numeric(name: str, values: np.ndarray) -> Column:
    """A column of numbers (M,), some of which may be missing (NaN) or infinite."""
    import numpy as np

    values = np.asarray(values)
    there = values[np.isfinite(values)]
    if not len(there):
        return Column(name, NUMERIC, missing=len(values), summary="no values")
    summary = f"{there.min():.4g} to {there.max():.4g}, mean {there.mean(dtype=np.float64):.4g}"
    return Column(
        name, NUMERIC, int(np.isnan(values).sum()), len(np.unique(there)), summary=summary, histogram=histogram(there)
    )


def histogram(values: np.ndarray) -> tuple[tuple[str, int], ...]:
    """How many finite numbers lie in each of some equal bins; one bin for each number if there are few of them."""
    import numpy as np

    different, counts = np.unique(values, return_counts=True)
    if len(different) <= BINS:
        return tuple((f"{value:.4g}", int(count)) for value, count in zip(different, counts, strict=True))
    counts, edges = np.histogram(values.astype(np.float64), BINS)
    return tuple((f"{edge:.4g}", int(count)) for edge, count in zip(edges, counts, strict=False))


def text_column(name: str, texts: Sequence[str]) -> Column:
    """Texts by their lengths."""
    import numpy as np

    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    empty = int((lengths == 0).sum())
    summary = f"{lengths.min():,} to {lengths.max():,} characters, half of them at most {int(np.median(lengths)):,}"
    return Column(name, TEXT, empty, len(set(texts)), summary=summary, histogram=histogram(lengths))


def _tokens(name: str, spec: DataSpec, number: int, values: np.ndarray) -> Column:
    """Token numbers (M, L)."""
    possible = spec.tokens[number] if spec.tokens else 0
    kinds = "characters" if spec.characters else "tokens"
    summary = f"{values.shape[1]:,} {kinds} each" + (f", {possible:,} different ones" if possible else "")
    return Column(name, TEXT if spec.characters else ARRAY, summary=summary)


def _arrays(name: str, kind: str, tensor: TensorSpec, values: np.ndarray) -> Column:
    """Pictures or series by their size and range; the histogram is of the mean of each of them."""
    import numpy as np

    means, lows, highs, missing = [], [], [], 0
    rows = max(1, _CHUNK_BYTES // max(values[:1].nbytes, 1))
    for start in range(0, len(values), rows):
        chunk = values[start : start + rows].reshape(min(rows, len(values) - start), -1)
        whole = chunk if chunk.dtype.kind == "u" else chunk[np.isfinite(chunk).all(1)]
        missing += len(chunk) - len(whole)
        if len(whole):
            means.append(whole.mean(1, dtype=np.float32))
            lows.append(whole.min())
            highs.append(whole.max())
    size = "×".join(map(str, tensor.dims[1:] if kind == IMAGE else tensor.dims))
    channels = f", {tensor.dims[0]} channel{'s' * (tensor.dims[0] > 1)}" if kind == IMAGE else ""
    if not means:
        return Column(name, kind, missing, summary=f"{size}{channels}, no whole one")
    mean = np.concatenate(means)
    summary = f"{size}{channels}, {min(lows):.4g} to {max(highs):.4g}, mean {mean.mean(dtype=np.float64):.4g}"
    return Column(name, kind, missing, summary=summary, histogram=histogram(mean))


def _targets(target: Target, names: Sequence[str], targets: np.ndarray) -> list[Column]:
    """The columns of what is to be predicted."""
    if target.task == "regression" and not target.dims:
        return [numeric(name, targets[:, place]) for place, name in enumerate(names)]
    if target.task == "regression":
        return [numeric(names[0], targets.reshape(-1))]
    counts = class_counts(target, len(names), targets)
    shown = tuple(zip(names, counts, strict=True))
    kind = TAGS if target.task == "multi-label" else (CATEGORICAL, TAGS, MASK)[min(len(target.dims), 2)]
    found = sum(count > 0 for count in counts)
    return [Column("class", kind, distinct=found, summary=_most_frequent(shown), histogram=shown)]


def _most_frequent(shown: tuple[tuple[str, int], ...]) -> str:
    first = sorted(shown, key=lambda pair: -pair[1])[:3]
    more = ", …" if len(shown) > len(first) else ""
    return ", ".join(f"{' '.join(name.split())[:30] or repr(name)} ({count:,})" for name, count in first) + more
