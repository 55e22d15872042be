"""Runs the code of a custom block. Nothing here asks whether it is trusted; `studio.compile.record.record` does."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
import traceback
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import unset_fake_temporarily

from studio.blocks import ShapeError

_FILE = "<custom code>"


def namespace_of(code: str) -> dict[str, Any]:
    """The names that code declares, with `torch` and `nn`, after it ran."""
    return _module(code).__dict__


@functools.lru_cache(maxsize=200)
def _module(code: str) -> types.ModuleType:
    """A module of its own, which what the code declares can find by its name."""
    module = types.ModuleType(f"studio_custom_{hashlib.sha256(code.encode()).hexdigest()[:16]}")
    module.__dict__.update(torch=torch, nn=nn)
    sys.modules[module.__name__] = module
    with unset_fake_temporarily():  # what it makes outside of its classes is kept, so it must be real
        exec(compile(code, _FILE, "exec"), module.__dict__)
    return module


@contextlib.contextmanager
def explained_failure(code: str) -> Iterator[None]:
    """Turn whatever code raises into a ShapeError that names its line."""
    try:
        yield
    except ShapeError:
        raise
    except Exception as error:  # it is a person's own code
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _FILE]
        where = f"line {lines[-1]}: " if lines else ""
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else "no message"
        raise ShapeError(f"Custom code, {where}{type(error).__name__}: {reason}") from error
