"""Networks are traced while others compute in other threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import fx, nn

from studio.compile.tracing import tracing_alone


class Slow(nn.Module):
    """Traced, it waits in the middle until somebody else has done something."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.meanwhile = meanwhile

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer(x)
        self.meanwhile()
        return self.layer(x)


def elsewhere(work: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_a_network_computes_while_another_is_traced_elsewhere() -> None:
    other, call = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Module.__call__
    answers: list[object] = []
    slow = Slow(lambda: answers.append(elsewhere(lambda: other(torch.ones(1, 2)))))
    with tracing_alone():
        graph = fx.Tracer().trace(slow)
    assert isinstance(answers[0], torch.Tensor)
    assert torch.equal(answers[0], other(torch.ones(1, 2)))
    assert [node.target for node in graph.nodes if node.op == "call_module"] == ["layer", "layer"]
    assert nn.Module.__call__ is call
    with pytest.raises(NameError):  # why it is needed
        fx.Tracer().trace(slow)


def test_two_tracings_leave_nothing_behind() -> None:
    call, started = nn.Module.__call__, threading.Event()

    def second() -> None:
        started.set()
        with tracing_alone():
            fx.Tracer().trace(nn.Sequential(nn.Linear(2, 2)))

    thread = threading.Thread(target=second)

    def begin() -> None:
        thread.start()
        started.wait()

    with tracing_alone():
        fx.Tracer().trace(Slow(begin))
    thread.join()
    assert nn.Module.__call__ is call
