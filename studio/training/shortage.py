"""Memory of a run: what is told when it is short, and what garbage collections leave alone."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import torch

from studio.runs import RunFolder
from studio.settings import TrainingSettings
from studio.settings.training import smaller_batches
from studio.training.errors import MemoryShortageError

_SIGNS_OF_SHORTAGE = ("out of memory", "not enough memory", "can't allocate memory")


def is_shortage(error: Exception) -> bool:
    """Whether an error is one of torch's many ways of saying that memory is short."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _SIGNS_OF_SHORTAGE)


def give_back(device: torch.device) -> None:
    """Let go of what a run took on a device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def shortage(settings: TrainingSettings, folder: RunFolder) -> MemoryShortageError:
    """What to tell of a run whose memory ran short."""
    words = "There is not enough memory for this network and batch size."
    if not folder.last.exists() or settings.batch_size < 2:
        words += " Use smaller layers, a smaller batch, or a pooling before a large Dense."
        return MemoryShortageError(words, folder.path, None)
    smaller = smaller_batches(settings)
    words += (
        f" Batches of {smaller.batch_size:,} in place of {settings.batch_size:,}, and {smaller.gradients.accumulate:,} "
        "of them for each step of the optimizer, train almost the same in less memory. What was trained so far is kept."
    )
    return MemoryShortageError(words, folder.path, smaller)


@contextlib.contextmanager
def frozen_garbage() -> Iterator[None]:
    """Keep what exists out of garbage collections: a full one would hold up the window for 200 ms."""
    if gc.get_freeze_count() > 0:  # the window did it already
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
