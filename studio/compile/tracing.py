"""Tracing by torch.fx that no other thread notices."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from torch.fx._symbolic_trace import _Patcher

_turn = threading.RLock()


@contextlib.contextmanager
def tracing_alone() -> Iterator[None]:
    """Within it this thread may trace.

    While it traces, torch.fx puts functions of its own in the place of `nn.Module.__call__` and `__getattr__`, for all
    threads: a run beside it would fail in its next step, and two tracings at once would leave them there for good. So
    others wait for their turn to trace, and what is put there works in this thread only.
    """
    with _turn:
        tracer, before = threading.get_ident(), _Patcher.patch_method

        def patch_method(
            patcher: _Patcher, owner: type, name: str, new: Callable[..., Any], deduplicate: bool = True
        ) -> None:
            original = getattr(owner, name)

            @functools.wraps(new)
            def chosen(*args: Any, **kwargs: Any) -> Any:
                return (new if threading.get_ident() == tracer else original)(*args, **kwargs)

            before(patcher, owner, name, chosen, deduplicate)

        _Patcher.patch_method = patch_method  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            _Patcher.patch_method = before  # type: ignore[method-assign]
