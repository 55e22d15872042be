"""Reads arrays of numbers from MATLAB's files of version 5; nothing else in them is looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError

if TYPE_CHECKING:
    import numpy as np

MOST_NUMBERS = 2_000_000_000
_TYPES = ("uint8", "uint16", "double", "single", "int16", "int32")


def read_mat(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Some arrays of a file.

    Args:
        shapes: for each name the shape that the array must have; 0 stands for any size.

    Raises:
        DataError: if the file is broken, or one of the arrays is missing or of another type or shape.
    """
    import scipy.io

    try:
        with open(path, "rb") as file:
            known = {name: (tuple(shape), kind) for name, shape, kind in scipy.io.whosmat(file)}
            for name, wanted in shapes.items():
                _check(path, name, wanted, *known.get(name, ((), "")))
            file.seek(0)
            return {name: array for name, array in scipy.io.loadmat(file, variable_names=list(shapes)).items()
                    if name in shapes}  # fmt: skip
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # its reader raises anything at damaged files
        reason = str(error)[:200] or type(error).__name__
        raise DataError(f"{path} is broken: {reason}. Copy or download it again.") from error


def _check(path: Path, name: str, wanted: tuple[int, ...], shape: tuple[int, ...], kind: str) -> None:
    fits = len(shape) == len(wanted) and all(size in (0, have) for size, have in zip(wanted, shape, strict=True))
    if not fits or kind not in _TYPES or math.prod(shape) > MOST_NUMBERS:
        size = "×".join(str(size or "any") for size in wanted)
        came = f"{kind} {'×'.join(map(str, shape))}" if kind else "none"
        raise DataError(
            f"{path} is not the original file: it needs an array “{name}” of the size {size}; it has {came}."
        )
