"""Takes samples from datasets of a person's own code into arrays.

Axis letters: M samples, C channels, H W space, D features, L tokens.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data.base import SPLITS, DataError, DataSpec, Samples, Target, Texts
from studio.data.own_files import printable
from studio.tensors import TensorSpec, axes_for

if TYPE_CHECKING:
    import numpy as np

    from studio.data.texts.tokens import TokenRules

MOST_BYTES = 2_000_000_000  # of all inputs and targets together
MOST_CLASSES = 100_000
_OBJECT_BYTES = 100  # that Python needs for each value


def samples_of(parts: Mapping[str, Any], rules: TokenRules, path: Path) -> Samples:
    """All samples of the datasets, train before validation before test.

    Args:
        parts: a dataset for each split, which has a length and items, or can be gone through.
        rules: how texts are cut into tokens.
        path: of the file, for messages.

    Raises:
        DataError: if the items are not pairs of an input and a target, are not all of one kind and shape, or take too
            much memory; the message has the item's number.
    """
    gathered = _Gathered(path)
    starts = {}
    for split in SPLITS:
        if split in parts:
            starts[split] = gathered.count
            for index, item in enumerate(_items(parts[split], split, path)):
                gathered.add(item, f"{split} item {index:,}")
    if not gathered.count:
        raise DataError(f"{path} gives no samples.")
    if starts.get("validation") is not None and "test" not in starts:
        starts["test"] = starts.pop("validation")  # what it keeps is for the test
    names = _class_names(parts["train"])
    return gathered.samples(rules, names, starts.get("validation"), starts.get("test"))


def told(path: Path, name: str, samples: Samples) -> str:
    """What was found, in a sentence."""
    count = len(samples.targets)
    ends = [("validation", samples.validation_start, samples.test_start), ("test", samples.test_start, count)]
    own = [f"{(end or count) - start:,} for the {split}" for split, start, end in ends if start is not None]
    which = f"{printable(name)} in {printable(path.name)}" if name else printable(path.name)
    return f"{count:,} samples from {which}{', of them ' + ' and '.join(own) if own else ''}."


def _items(dataset: Any, split: str, path: Path) -> Iterator[Any]:
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
        return (dataset[index] for index in range(len(dataset)))
    if hasattr(dataset, "__iter__"):
        return iter(dataset)
    raise DataError(f"{path}: what it gives for {split} is no dataset, but a {type(dataset).__name__}.")


def _class_names(dataset: Any) -> tuple[str, ...]:
    names = getattr(dataset, "classes", None)
    plain = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    return tuple(names) if plain and names and len(set(names)) == len(names) else ()


@dataclass(frozen=True)
class _Kind:
    """What all inputs, or all targets, have in common."""

    type: str  # "text", or a dtype of NumPy
    dims: tuple[int, ...]

    def __str__(self) -> str:
        return self.type if not self.dims else f"{self.type} of the shape {'×'.join(map(str, self.dims))}"


class _Gathered:
    """The samples so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: tuple[list[Any], list[Any]] = ([], [])
        self._kinds: list[_Kind] = []
        self._bytes = 0

    @property
    def count(self) -> int:
        return len(self._values[0])

    def add(self, item: Any, where: str) -> None:
        """Take one pair."""
        if not isinstance(item, tuple | list) or len(item) != 2:
            came = f"{len(item)} values" if isinstance(item, tuple | list) else f"a {type(item).__name__}"
            raise DataError(f"{self._path}: {where} must be a pair of an input and a target, but it is {came}.")
        for number, (value, role) in enumerate(zip(item, ("input", "target"), strict=True)):
            plain, kind = _plain(value, f"{self._path}: {where}: its {role}", is_target=number == 1)
            if len(self._kinds) <= number:
                self._kinds.append(kind)
            elif kind != self._kinds[number]:
                raise DataError(
                    f"{self._path}: {where}: its {role} is {kind}, but that of the first item is "
                    f"{self._kinds[number]}. All must be alike."
                )
            self._values[number].append(plain)
            self._bytes += _OBJECT_BYTES + (len(plain) if isinstance(plain, str) else plain.nbytes)
        if self._bytes > MOST_BYTES:
            raise DataError(
                f"{self._path}: the samples take more than {MOST_BYTES / 1e9:.0f} GB of memory from {where} on. Give "
                "smaller ones, or fewer."
            )

    def samples(
        self, rules: TokenRules, names: tuple[str, ...], validation_start: int | None, test_start: int | None
    ) -> Samples:
        """All that was gathered."""
        import numpy as np

        given, input_spec, tokens = self._input(rules)
        target, targets = self._target(names)
        spec = DataSpec((input_spec,), target, tokens=(tokens,) if tokens else ())
        classes = target.names if target.task == "classification" else ()
        self._values = ([], [])
        return Samples((given,), np.ascontiguousarray(targets), test_start, validation_start, classes, spec=spec)

    def _input(self, rules: TokenRules) -> tuple[np.ndarray | Texts, TensorSpec, int]:
        import numpy as np

        values, kind = self._values[0], self._kinds[0]
        if kind.type == "text":
            return Texts(values, rules), TensorSpec((rules.max_length,), "L", "int"), rules.vocabulary
        array = np.stack(values)
        if kind.type == "int64" and len(kind.dims) == 1:  # as an Embedding takes them
            low, high = int(array.min()), int(array.max())
            if low < 0:
                raise DataError(f"{self._path}: whole numbers as input are tokens, but there is {low}. Make it float.")
            return array, TensorSpec(kind.dims, "L", "int"), high + 1
        array = array if kind.type == "uint8" else array.astype(np.float32)
        array = array.reshape(len(values), 1) if not kind.dims else array
        dims = array.shape[1:]
        return array, TensorSpec(dims, axes_for(len(dims))), 0

    def _target(self, names: tuple[str, ...]) -> tuple[Target, np.ndarray]:
        import numpy as np

        values, kind = self._values[1], self._kinds[1]
        if kind.type == "text":
            classes = tuple(sorted(set(values)))
            numbers = {name: number for number, name in enumerate(classes)}
            return Target("classification", classes), np.array([numbers[value] for value in values], np.int64)
        array = np.stack(values)
        if kind.type == "float32":
            if len(kind.dims) <= 1:
                array = array.reshape(len(values), -1)
                columns = tuple(f"y{number}" for number in range(1, array.shape[1] + 1))
                return Target("regression", columns if len(columns) > 1 else ("y",)), array
            return Target("regression", ("y",), kind.dims), array
        return self._classes(array.astype(np.int64), names, kind.dims)

    def _classes(self, array: np.ndarray, names: tuple[str, ...], dims: tuple[int, ...]) -> tuple[Target, np.ndarray]:
        from studio.data.base import IGNORED

        low, high = int(array[array != IGNORED].min(initial=0)), int(array.max(initial=0))
        if low < 0 or high >= MOST_CLASSES:
            raise DataError(
                f"{self._path}: whole numbers as targets are classes from 0 on, but there is "
                f"{low if low < 0 else high}. Make it float to predict numbers."
            )
        numbered = tuple(str(number) for number in range(high + 1))
        return Target("classification", names if len(names) > high else numbered, dims), array


def _plain(value: Any, where: str, is_target: bool) -> tuple[Any, _Kind]:
    """A text, or an array of bytes, of int64 or of float32. Raises DataError for anything else."""
    import numpy as np

    if isinstance(value, str):
        return value, _Kind("text", ())
    array = _as_array(value, where)
    if array.dtype == np.bool_:
        array = array.astype(np.int64 if is_target else np.float32)
    if is_target and array.dtype.kind in "iu":
        array = array.astype(np.int64)
    if array.dtype.kind == "f":
        array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise DataError(f"{where} has numbers that are infinite or not a number.")
    elif array.dtype.kind in "iu" and array.dtype != np.uint8:
        array = array.astype(np.int64)
    elif array.dtype != np.uint8:
        raise DataError(f"{where} holds {array.dtype}, which are no numbers.")
    if not array.size:
        raise DataError(f"{where} is empty.")
    return array, _Kind(str(array.dtype), array.shape)


def _as_array(value: Any, where: str) -> np.ndarray:
    import numpy as np
    import torch
    from PIL import Image

    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return np.array((value.float() if value.dtype == torch.bfloat16 else value).numpy())
    if isinstance(value, Image.Image):
        pixels = np.asarray(value.convert("L" if value.mode in ("1", "L", "I;16") else "RGB"))
        return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    if isinstance(value, bool | int | float | np.generic | np.ndarray) or _are_numbers(value):
        return np.array(value)
    raise DataError(
        f"{where} is a {type(value).__name__}. It must be a tensor, an array, a number, a text or a picture of Pillow."
    )


def _are_numbers(value: Any) -> bool:
    first = list(itertools.islice(value, 3)) if isinstance(value, Sequence) else []
    return bool(first) and all(isinstance(one, bool | int | float) for one in first)
