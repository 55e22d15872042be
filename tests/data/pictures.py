"""Folders of small pictures for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def save(path: Path, value: int | np.ndarray = 0, size: tuple[int, int] = (8, 8)) -> Path:
    """A grey picture of one value, or of these pixels; height and width in `size`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = value if isinstance(value, np.ndarray) else np.full(size, value, np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def class_folders(
    root: Path, parts: tuple[str, ...] = ("",), classes: tuple[str, ...] = ("cat", "dog"), count: int = 12
) -> Path:
    """PNG files of 8×8; the picture number i of class c in part p has the grey 100 p + 20 c + i."""
    for p, part in enumerate(parts):
        for c, name in enumerate(classes):
            for i in range(count):
                save(root / part / name / f"{i:02}.png", 100 * p + 20 * c + i)
    return root
