"""Runs a Python file that the person trusts, and takes the datasets that it gives."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import random
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from studio.data.base import SPLITS, DataError
from studio.data.own_code.names import Candidate

_NAMES = {"train": ("train", "training"), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}


@contextlib.contextmanager
def datasets_of(path: Path, code: str, candidate: Candidate) -> Iterator[dict[str, Any]]:
    """The datasets of a file by their split; one of no split is “train”.

    Random numbers that the code draws are the same each time, and those of the program go on as if it had not run.

    Args:
        code: what the person trusted; the file is not read again.
        candidate: the class or function that gives them.

    Raises:
        DataError: whatever the code raises, with the line, also in the block.
    """
    with _own_numbers(), explained(path), _module(path, code) as module:
        exec(compile(code, str(path), "exec"), module.__dict__)
        yield _parts(module.__dict__[candidate.name], candidate, path)


@contextlib.contextmanager
def _module(path: Path, code: str) -> Iterator[ModuleType]:
    """A module of its own, in which classes find each other while it is used. Its folder is no place to import from:
    what lies there has not been trusted.
    """
    name = f"own_data_{hashlib.sha256(code.encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        yield module
    finally:
        sys.modules.pop(name, None)


@contextlib.contextmanager
def _own_numbers() -> Iterator[None]:
    import numpy as np
    import torch

    python, numpy = random.getstate(), np.random.get_state()  # what a person's code uses
    try:
        with torch.random.fork_rng(devices=[]):
            random.seed(0)
            np.random.seed(0)
            torch.manual_seed(0)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever a person's code raises into a DataError with the file and the line of it that was reached."""
    try:
        yield
    except DataError:
        raise
    except (Exception, SystemExit) as error:  # any
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = f", line {lines[-1]}" if lines else ""
        reason = (str(error).strip().splitlines() or ["no reason given"])[0][:300]
        raise DataError(f"{path}{line}: {type(error).__name__}: {reason}") from error


def _parts(made: Any, candidate: Candidate, path: Path) -> dict[str, Any]:
    unknown = [name for name in candidate.required if name not in ("split", "train")]
    if unknown:
        raise DataError(
            f"{path}: {candidate.name} cannot be called: it needs {', '.join(unknown)}. Give these a default, or write "
            "a function without arguments that makes the dataset."
        )
    if "split" in candidate.arguments:
        return _of_each_split(made)
    if "train" in candidate.arguments:
        return {"train": made(train=True), "test": made(train=False)}
    result = made()
    if not isinstance(result, Mapping):
        return {"train": result}
    parts = {split: result[name] for split, names in _NAMES.items() for name in names if name in result}
    if "train" not in parts or len(parts) < len(result):
        keys = ", ".join(str(key)[:40] for key in list(result)[:20])
        raise DataError(f"{path}: {candidate.name} gives {keys}; expected are train, and perhaps validation and test.")
    return parts


def _of_each_split(made: Any) -> dict[str, Any]:
    """What there is for each of SPLITS; a ValueError or KeyError says that there is no validation or test."""
    parts = {SPLITS[0]: made(split=SPLITS[0])}
    for split in SPLITS[1:]:
        with contextlib.suppress(ValueError, KeyError):
            parts[split] = made(split=split)
    return parts
