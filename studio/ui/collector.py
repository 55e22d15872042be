"""Keeps Python's garbage collector still while much is made that stays."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pauses = 0  # under way, in any thread
_was_enabled = True


@contextmanager
def no_collections() -> Iterator[None]:
    """Keep the collector from passing over all that is made here again and again, which makes a window wait.

    At the end of the last pause, what there is by then is frozen without a last collection: that one would stall the
    window for 0.3 s after PyTorch is loaded, to win 7 MB.
    """
    global _pauses, _was_enabled
    with _lock:
        if _pauses == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _pauses += 1
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if _pauses == 0 and _was_enabled:
                gc.freeze()
                gc.enable()
