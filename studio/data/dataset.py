"""A dataset made ready for training: tensors in memory, splits, scalings and a fingerprint."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, DataSpec, Progress, Samples, Target, Texts
from studio.data.choice import LABELS, DataChoice
from studio.data.rows import FileRows, file_rows
from studio.data.scaling import Scaling, measure
from studio.data.splits import split_indices
from studio.data.tokens import Tokenization, encode

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class Dataset:
    """All samples, as they were stored, and what training needs to know of them.

    Args:
        spec: shapes of one sample, and the target, with all that reading told.
        inputs: one tensor (M, *dims) per input, on the CPU; uint8, float32 or int64.
        targets: class numbers (M,) int64, or (M, targets) float32; with places (M, *dims) of the same types, or of
            int8 or int16. The first of `inputs`, as it is stored, if that is to be predicted: then its scaling is the
            targets', too.
        splits: sorted int64 indices for each of SPLITS.
        scalings: one per input; applied to batches, not to `inputs`.
        fingerprint: the same for the same samples, split and kind of scaling; hexadecimal digits.
        tokenizations: one per input; None for one that is no text.
        texts: the texts of each input, M of them; None for one that is no text.
        files: how to read each input, and then the targets, past their memory maps; None where there is nothing to
            spare, and nothing at all where all is in memory.
    """

    spec: DataSpec
    inputs: tuple[torch.Tensor, ...]
    targets: torch.Tensor
    splits: dict[str, torch.Tensor]
    scalings: tuple[Scaling, ...]
    fingerprint: str
    tokenizations: tuple[Tokenization | None, ...]
    texts: tuple[Sequence[str] | None, ...]
    files: tuple[FileRows | None, ...] = ()


def prepare(choice: DataChoice, folder: Path | None = None, progress: Progress | None = None) -> Dataset:
    """Load, split and measure.

    Args:
        choice: what to load and how to divide and scale it.
        folder: where the person keeps the files; None for the studio's own cache folder.
        progress: told how far the files are decoded, where that has to be done first; may raise to cancel.

    Raises:
        MissingDataError: if the files are not there.
        DataError: if a file is broken, there are too few samples, or the input cannot be the target.
    """
    import torch

    source = choice.source
    if choice.spec.refusal:
        raise DataError(choice.spec.refusal)
    source.unpack(folder, progress)
    samples = source.load(folder)
    declared = samples.spec or source.spec
    if choice.aimed(declared).refusal:
        raise DataError(choice.aimed(declared).refusal)
    splits = _without(_split(choice, samples, declared.target), samples.left_out)
    encoded = [_encoded(values, splits["train"]) for values in samples.inputs]
    arrays, tokenizations = [values for values, _ in encoded], tuple(tokens for _, tokens in encoded)
    read = _spec(declared, samples, tokenizations)
    _check(read, arrays, samples.targets)
    spec, inputs = choice.aimed(read), tuple(_tensor(values) for values in arrays)
    scaled = zip(arrays, spec.inputs, strict=True)
    vocabularies = [tokens.tokenizer for tokens in tokenizations if tokens is not None]
    return Dataset(
        spec=spec,
        inputs=inputs,
        targets=inputs[0] if spec.target.is_input else _tensor(samples.targets),
        splits={name: torch.from_numpy(indices) for name, indices in splits.items()},
        scalings=tuple(measure(choice.scaling, values, tensor.axes, splits["train"]) for values, tensor in scaled),
        fingerprint=_fingerprint(
            [*arrays, samples.targets, *splits.values()], _chosen(choice), vocabularies, samples.digests
        ),
        tokenizations=tokenizations,
        texts=tuple(values.texts if isinstance(values, Texts) else None for values in samples.inputs),
        files=tuple(file_rows(values) for values in (*arrays, samples.targets)),
    )


def _split(choice: DataChoice, samples: Samples, labels: Target) -> dict[str, np.ndarray]:
    """By the labels, where each sample has one, also if something else is to be predicted."""
    return split_indices(
        samples.targets,
        choice.split,
        stratify=labels.task == "classification" and not labels.dims,
        test_start=samples.test_start,
        validation_start=samples.validation_start,
        in_order=choice.source.in_order,
    )


def _without(splits: dict[str, np.ndarray], left_out: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The splits without some samples. Raises DataError if one has no other."""
    import numpy as np

    kept = {name: rows[~np.isin(rows, left_out)] for name, rows in splits.items()}
    for name, rows in kept.items():
        if not len(rows):
            raise DataError(f"The {name} split is empty: none of its {len(splits[name]):,} samples can be read.")
    return kept


def _chosen(choice: DataChoice) -> str:
    """What was chosen beside the source and the split."""
    return choice.scaling if choice.target == LABELS else f"{choice.scaling}|{choice.target}"


def _encoded(values: np.ndarray | Texts, rows: np.ndarray) -> tuple[np.ndarray, Tokenization | None]:
    """Texts as numbers, and what was learned from those of the training split alone; other values as they are."""
    if not isinstance(values, Texts):
        return values, None
    learned, numbers = encode(values.rules, values.texts, rows)
    return numbers, learned


def _spec(declared: DataSpec, samples: Samples, tokenizations: Sequence[Tokenization | None]) -> DataSpec:
    """What the source declares, with what was read."""
    target = replace(declared.target, names=declared.target.names or samples.names)
    tokens = tuple(tokens.size if tokens is not None else 0 for tokens in tokenizations)
    return replace(declared, target=target, tokens=tokens if any(tokens) else declared.tokens)


def _check(spec: DataSpec, inputs: Sequence[np.ndarray], targets: np.ndarray) -> None:
    """A source must keep what its spec promises."""
    shapes, count = [values.shape for values in inputs], len(targets)
    assert shapes == [(count, *tensor.dims) for tensor in spec.inputs], (shapes, spec)
    assert all(values.dtype in ("uint8", "float32", "int64") for values in inputs)
    classes, places = spec.target.task == "classification", spec.target.dims
    assert targets.dtype in (("int64", *(("int8", "int16") if places else ())) if classes else ("float32",))
    assert targets.shape == (count, *(places if classes or places else (spec.target.size,)))
    assert spec.target.size > 0, spec


def _tensor(values: np.ndarray) -> torch.Tensor:
    import numpy as np
    import torch

    # torch shares the memory, and wants to be allowed to write there.
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))


def _fingerprint(
    arrays: list[np.ndarray], chosen: str, vocabularies: list[str], known: tuple[str | None, ...] = ()
) -> str:
    """SHA-256 of the arrays' types, shapes and bytes, of what token numbers mean, and of what was chosen.

    Of an array whose own SHA-256 is known, that stands for its bytes: reading a large file only for this takes long.

    The name of the scaling goes in, not its numbers: those follow from the rest, but for their last digits, which
    differ between machines.
    """
    import numpy as np

    digest = hashlib.sha256(chosen.encode())
    for array, own in itertools.zip_longest(arrays, known):
        digest.update(f"|{array.dtype.str}{array.shape}{own or ''}".encode())
        if own is None:
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    for vocabulary in vocabularies:
        digest.update(vocabulary.encode())
    return digest.hexdigest()
