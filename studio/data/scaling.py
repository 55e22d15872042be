"""Brings inputs to a range that networks learn well from, by what was measured on the training split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from studio.data.base import DataError
from studio.data.rows import file_rows

if TYPE_CHECKING:
    import numpy as np
    import torch

CHUNK_BYTES = 2**22  # of float64 numbers while measuring: they stay in the processor's cache
_FLOAT32_EPSILON = 2.0**-23
_LARGEST = 3e38
_SMALLEST_SPREAD = 1e-30  # its inverse is still a float32


@dataclass(frozen=True)
class Scaling:
    """The affine map (x - shift) * scale.

    Args:
        shift: one number per channel or feature; a single one is for all; none: x stays as it is.
        scale: as many numbers.
        last: whether the features are the last axis, as of a series (N, T, D); else they are axis 1 of a batch.
    """

    shift: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    last: bool = False

    def along(self, rank: int) -> tuple[int, ...]:
        """The shape in which shift and scale fit a batch with so many axes."""
        return (*[1] * (rank - 1), -1) if self.last else (1, -1, *[1] * (rank - 2))

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """The scaled batch, on the same device and in the same memory format.

        Args:
            x: (N, C or D, *) or (N, T, D) of any type.

        Returns:
            the same shape, float32; of the type of x when this is the identity.
        """
        import torch

        if not self.shift:
            return x
        shape = self.along(x.ndim)
        shift = torch.tensor(self.shift, dtype=torch.float32, device=x.device).view(shape)
        scale = torch.tensor(self.scale, dtype=torch.float32, device=x.device).view(shape)
        # In place on one copy: a fresh large piece of memory costs more than the arithmetic.
        return x.to(torch.float32, copy=True).sub_(shift).mul_(scale)

    def without(self, places: Sequence[int]) -> Scaling:
        """The same, but for features that stay as they are; the identity stays one."""
        if not self.shift or not places:
            return self
        kept = set(places)
        return Scaling(
            tuple(0.0 if number in kept else value for number, value in enumerate(self.shift)),
            tuple(1.0 if number in kept else value for number, value in enumerate(self.scale)),
            self.last,
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"shift": list(self.shift), "scale": list(self.scale), **({"last": True} if self.last else {})}

    @classmethod
    def from_json(cls, data: object) -> Scaling:
        """From what `to_json` gave. Raises DataError if it is anything else."""
        if isinstance(data, Mapping) and set(data) - {"last"} == {"shift", "scale"} and data.get("last", True) is True:
            shift, scale = _numbers(data["shift"]), _numbers(data["scale"])
            if shift is not None and scale is not None and len(shift) == len(scale):
                return cls(shift, scale, "last" in data)
        raise DataError("The scaling of the data cannot be read: it must have as many numbers for shift as for scale.")


IDENTITY = Scaling()


def scaled_answers(preparation: Mapping[str, Any]) -> Scaling:
    """How a checkpoint's description says that numbers to predict are scaled. Raises DataError if it is no scaling."""
    return Scaling.from_json(preparation["answers"]) if "answers" in preparation else IDENTITY


def _numbers(values: object) -> tuple[float, ...] | None:
    if not isinstance(values, list) or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return None
    # What is too large for a float32, or is no number at all, is refused here.
    return tuple(float(value) for value in values) if all(abs(value) <= _LARGEST for value in values) else None


def measure(method: str, values: np.ndarray, axes: str, rows: np.ndarray) -> Scaling:
    """The scaling of one input.

    Args:
        method: one of SCALINGS in studio.data.choice.
        values: (M, *dims) uint8, float32 or int64.
        axes: a letter for each of dims; a map per channel (first) or feature (D) if it has them, else one map.
        rows: the samples to measure, those of the training split.

    Returns:
        the identity for int64, which are tokens.
    """
    if values.dtype.kind == "i":
        return Scaling()
    if axes == "TD":
        columns = values.shape[2]
        return replace(_measured(method, _chunks_of_steps(values, rows), columns), last=True)
    columns = values.shape[1] if axes.startswith("C") or axes == "D" else 1
    return _measured(method, _chunks(values, rows, columns), columns)


def _measured(method: str, chunks: Iterator[np.ndarray], columns: int) -> Scaling:
    match method:
        case "standardize":
            return _standardize(chunks, columns)
        case "unit range":
            return _unit_range(chunks)
        case "none":
            return Scaling((0.0,) * columns, (1.0,) * columns)
    raise AssertionError(f"no scaling is called {method}")


def _chunks(values: np.ndarray, rows: np.ndarray, columns: int) -> Iterator[np.ndarray]:
    """The rows as float64 (n, columns, numbers per column), a few at a time."""
    import numpy as np

    count, file = max(1, CHUNK_BYTES // (8 * values[0].size)), file_rows(values)
    for start in range(0, len(rows), count):
        some = rows[start : start + count]
        chunk = values[some] if file is None else file.read(some)
        yield chunk.reshape(len(chunk), columns, -1).astype(np.float64)


def _chunks_of_steps(values: np.ndarray, rows: np.ndarray) -> Iterator[np.ndarray]:
    """The steps of series (M, T, D) as float64 (n, D, 1): each counts once for every window that it is in."""
    for chunk in _chunks(values, rows, values.shape[1]):
        yield chunk.reshape(-1, values.shape[2], 1)


def _standardize(chunks: Iterator[np.ndarray], columns: int) -> Scaling:
    """Mean 0 and standard deviation 1.

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """
    import numpy as np

    total, mean, squares = 0, np.zeros(columns), np.zeros(columns)
    for chunk in chunks:
        added = chunk.shape[0] * chunk.shape[2]
        chunk_mean = chunk.mean(axis=(0, 2))
        chunk -= chunk_mean[:, None]
        total += added
        step = chunk_mean - mean
        squares += np.einsum("ncs,ncs->c", chunk, chunk) + step**2 * (total - added) * added / total
        mean += step * added / total
    spread = np.sqrt(squares / total)
    # What differs by less than float32 can tell is a constant column.
    constant = spread <= np.maximum(_FLOAT32_EPSILON * np.abs(mean), _SMALLEST_SPREAD)
    return _affine(mean, np.where(constant, 1.0, spread))


def _unit_range(chunks: Iterator[np.ndarray]) -> Scaling:
    """From 0 to 1."""
    import numpy as np

    extremes = [(chunk.min(axis=(0, 2)), chunk.max(axis=(0, 2))) for chunk in chunks]
    low = np.min([low for low, _ in extremes], axis=0)
    width = np.max([high for _, high in extremes], axis=0) - low
    return _affine(low, np.where(width <= _SMALLEST_SPREAD, 1.0, width))


def _affine(shift: np.ndarray, width: np.ndarray) -> Scaling:
    return Scaling(tuple(shift.tolist()), tuple((1.0 / width).tolist()))
