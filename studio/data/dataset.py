"""A dataset made ready for training: tensors in memory, splits, scalings and a fingerprint."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, DataSpec, Learnable, Learned, Progress, Samples, Target, Texts
from studio.data.choice import LABELS, DataChoice
from studio.data.marks import content_digest, with_labels
from studio.data.rows import FileRows, Rows, file_rows
from studio.data.scaling import IDENTITY, Scaling, measure
from studio.data.splits import Known, split_indices, without
from studio.data.transforms.base import Transform, unusable

if TYPE_CHECKING:
    import numpy as np
    import torch


_ROWS_AT_ONCE = 1_000  # the test samples may be more than memory holds


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
        learned: one per input: how raw values became its numbers; None for one that came as numbers.
        raw: one per input: the raw values of one that was learned, else None.
        balanced: whether training draws each class equally often; then `targets` are classes of samples.
        transforms: what is done to the samples of the train split, anew in each epoch.
        files: how to read each input, and then the targets, past their memory maps; None where they are in memory, and
            nothing at all where all is.
        groups: what samples belong together (M,) int64; None if nothing is known.
        naive: what a rule answers that learns nothing, as `targets`; None if there is no such rule.
        answers: of numbers to predict, how they are scaled for the network; applied to batches, not to `targets`. The
            identity for all other targets.
        contents: as in `Samples`.
    """

    spec: DataSpec
    inputs: tuple[torch.Tensor, ...]
    targets: torch.Tensor
    splits: dict[str, torch.Tensor]
    scalings: tuple[Scaling, ...]
    fingerprint: str
    learned: tuple[Learned | None, ...]
    raw: tuple[Learnable | None, ...]
    balanced: bool = False
    transforms: tuple[Transform, ...] = ()
    files: tuple[FileRows | None, ...] = ()
    groups: np.ndarray | None = None
    naive: torch.Tensor | None = None
    answers: Scaling = IDENTITY
    contents: np.ndarray | None = None

    def digest(self, sample: int) -> str:
        """Of the content of a sample, by which a class given by hand is held to it; see `content_digest`."""
        raws = zip(self.raw, self.inputs, strict=True)
        inputs = [tensor.numpy() if own is None else own for own, tensor in raws]
        return content_digest(inputs, self.contents, sample)

    def wanted(self, rows: torch.Tensor) -> torch.Tensor:
        """The targets of some samples, (N,) or (N, *dims), as the network has to predict them."""
        targets = self.target_rows().take(rows).view(-1, *self.targets.shape[1:])
        if self.spec.target.is_input:
            return self.scalings[0].apply(targets)
        # Class numbers may be stored in fewer bytes.
        return self.answers.apply(targets) if targets.is_floating_point() else targets.long()

    def text(self, row: int) -> str:
        """The raw text of a sample; empty if it has none."""
        return next((text for raw in self.raw if raw is not None and (text := raw.text(row))), "")

    def test_fingerprint(self) -> str:
        """The same for the same test samples and labels, however the others are divided; hexadecimal digits.

        Raw values count as they are, not the numbers that were made of them.
        """
        rows, digest = self.splits["test"], hashlib.sha256()
        inputs = zip(self.inputs, self.input_rows(), self.raw, strict=True)
        arrays = [(self.targets, self.target_rows()), *((tensor, some) for tensor, some, own in inputs if own is None)]
        for tensor, samples in arrays:
            digest.update(f"|{tensor.dtype}{tuple(tensor.shape[1:])}".encode())
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                digest.update(samples.take(rows[start : start + _ROWS_AT_ONCE]).numpy().tobytes())
        for own in filter(None, self.raw):
            for row in rows.tolist():
                digest.update(f"|{len(own.text(row))}|{own.text(row)}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def input_rows(self) -> list[Rows]:
        """Each input, to take samples from."""
        return [Rows(tensor, file) for tensor, file in zip(self.inputs, self._files[:-1], strict=True)]

    def target_rows(self) -> Rows:
        """The targets, to take samples from."""
        return Rows(self.targets, self._files[-1])

    @property
    def _files(self) -> tuple[FileRows | None, ...]:
        return self.files or (None,) * (len(self.inputs) + 1)


def prepare(choice: DataChoice, folder: Path | None = None, progress: Progress | None = None) -> Dataset:
    """Load, split and measure.

    Args:
        choice: what to load and how to divide and scale it.
        folder: where the person keeps the files; None for the studio's own cache folder.
        progress: told how far the files are decoded, where that has to be done first; may raise to cancel.

    Raises:
        MissingDataError: if the files are not there.
        DataError: if a file is broken, there are too few samples, the input cannot be the target, or there are no
            classes to draw equally often.
    """
    import torch

    _refuse(choice, choice.source.spec)
    choice.source.unpack(folder, progress)
    samples = choice.source.load(folder)
    declared = samples.spec or choice.source.spec
    _refuse(choice, declared)
    splits = _split(choice, samples, declared.target)  # by the labels in the files: no sample moves for a new one
    samples = replace(samples, targets=with_labels(samples, declared.target, choice.relabelled))
    train = splits["train"]
    encoded = [_encoded(values, train) for values in samples.inputs]
    arrays, learned = [values for values, _ in encoded], tuple(learned for _, learned in encoded)
    targets = _targets(samples, train)
    read = _spec(declared, samples, arrays, learned)
    _check(read, arrays, targets)
    spec, inputs = choice.aimed(read), tuple(_tensor(values) for values in arrays)
    meanings = [known.meaning for known in learned if known is not None]
    return Dataset(
        spec=spec,
        inputs=inputs,
        targets=inputs[0] if spec.target.is_input else _tensor(targets),
        splits={name: torch.from_numpy(indices) for name, indices in splits.items()},
        scalings=_scalings(choice.scaling, spec, arrays, learned, train),
        fingerprint=_fingerprint([*arrays, targets, *splits.values()], _chosen(choice), meanings, samples.digests),
        learned=learned,
        raw=tuple(values if isinstance(values, Learnable) else None for values in samples.inputs),
        balanced=choice.balanced,
        transforms=choice.transforms,
        files=tuple(file_rows(a) for a in (*arrays, arrays[0] if spec.target.is_input else targets)),
        groups=samples.groups,
        naive=None if samples.naive is None or spec.target.is_input else _tensor(samples.naive),
        answers=_answers(choice.scaling, spec.target, targets, train),
        contents=samples.contents,
    )


def _refuse(choice: DataChoice, given: DataSpec) -> None:
    """Raises DataError if what was chosen cannot be done with what the source gives."""
    spec = choice.aimed(given)
    if reason := spec.refusal or _unbalanced(choice, spec.target) or unusable(choice.transforms, spec.inputs):
        raise DataError(reason)


def _scalings(
    method: str, spec: DataSpec, arrays: Sequence[np.ndarray], learned: Sequence[Learned | None], rows: np.ndarray
) -> tuple[Scaling, ...]:
    found = []
    for values, tensor, known in zip(arrays, spec.inputs, learned, strict=True):
        scaling = measure(method, values, tensor.axes, rows)
        found.append(scaling.without(known.unscaled) if known is not None else scaling)
    return tuple(found)


def _answers(method: str, target: Target, targets: np.ndarray, rows: np.ndarray) -> Scaling:
    """As the inputs, since a network starts with answers around zero; numbers with places have one scaling for all."""
    if target.task != "regression" or target.is_input or method == "none":
        return IDENTITY
    return measure(method, targets, "" if target.dims else "D", rows)


def _known(choice: DataChoice, samples: Samples, labels: Target) -> Known:
    """What the division may go by: the labels, where each sample has one, also if something else is to be predicted."""
    return Known(
        count=len(samples.targets),
        classes=samples.targets if labels.task == "classification" and not labels.dims else None,
        test_start=samples.test_start,
        validation_start=samples.validation_start,
        groups=samples.groups,
        times=samples.times,
        gap=samples.gap,
        in_order=choice.source.in_order,
    )


def _split(choice: DataChoice, samples: Samples, labels: Target) -> dict[str, np.ndarray]:
    splits, count = split_indices(_known(choice, samples, labels), choice.split), len(samples.targets)
    return without(splits, tuple(sorted({*choice.excluded, *samples.left_out})), count)


def _chosen(choice: DataChoice) -> str:
    """What was chosen beside the source and the split."""
    target = [] if choice.target == LABELS else [choice.target]
    return "|".join([choice.scaling, *target, *(["balanced"] if choice.balanced else [])])


def _unbalanced(choice: DataChoice, target: Target) -> str:
    """Why rare classes cannot be drawn as often as frequent ones; empty if they can, or need not."""
    if not choice.balanced or (target.task == "classification" and not target.dims):
        return ""
    answers = {"regression": "numbers are to be predicted", "multi-label": "a sample may have several labels"}
    reason = answers.get(target.task, "there is a class for each place of a sample")
    return f"Rare classes cannot be drawn as often as frequent ones: {reason}. Switch “Balanced” off."


def _encoded(values: np.ndarray | Learnable, rows: np.ndarray) -> tuple[np.ndarray, Learned | None]:
    """Raw values as numbers, and what was learned from those of the training split alone; numbers as they are."""
    if not isinstance(values, Learnable):
        return values, None
    learned, numbers = values.learn(rows)
    return numbers, learned


def _targets(samples: Samples, rows: np.ndarray) -> np.ndarray:
    """Those of the samples, or the tokens that follow."""
    for values in samples.inputs:
        if isinstance(values, Texts) and values.followed:
            return values.following(rows)
    return samples.targets


def _spec(
    declared: DataSpec, samples: Samples, arrays: Sequence[np.ndarray], learned: Sequence[Learned | None]
) -> DataSpec:
    """What the source declares, with what was read and learned."""
    target = replace(declared.target, names=declared.target.names or samples.names)
    for values, known in zip(samples.inputs, learned, strict=True):
        if isinstance(values, Texts) and values.followed:
            target = replace(target, names=values.names(known))
    tokens = tuple(known.size if known is not None else 0 for known in learned)
    features = learned[0].features if len(learned) == 1 and learned[0] is not None else ()
    inputs = tuple(
        replace(tensor, dims=values.shape[1:]) if known is not None and known.features else tensor
        for tensor, values, known in zip(declared.inputs, arrays, learned, strict=True)
    )
    return replace(
        declared,
        inputs=inputs,
        target=target,
        tokens=tokens if any(tokens) else declared.tokens,
        features=features or declared.features,
    )


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


def _fingerprint(arrays: list[np.ndarray], chosen: str, meanings: list[str], known: tuple[str | None, ...] = ()) -> str:
    """SHA-256 of the arrays' types, shapes and bytes, of what learned numbers mean, and of what was chosen.

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
    for meaning in meanings:
        digest.update(meaning.encode())
    return digest.hexdigest()
