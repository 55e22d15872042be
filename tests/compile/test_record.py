"""The record of a block: what it writes down, and what it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
import torch

from studio.blocks import Block, Recorder, Remedy, ShapeError, Value
from studio.compile.plan import make_plan
from studio.compile.record import record
from studio.fields import field
from studio.tensors import TensorSpec
from tests.helpers import add, block, chain, module_and_source

VECTOR = TensorSpec((6,), "D")


class Bottleneck(Block):
    """Several layers, a result that is used twice, and the input again."""

    kind: ClassVar[str] = "bottleneck"
    title: ClassVar[str] = "Bottleneck"

    units: int = field(3, min=1)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        size = x.spec.dims[-1]
        narrow = rec.layer("Linear", in_features=size, out_features=self.units)(x)
        back = rec.layer("Linear", in_features=self.units, out_features=size)(narrow)
        gate = rec.layer("Linear", in_features=self.units, out_features=size)(narrow)
        return rec.function("add", rec.function("mul", back, gate), x).named("D")


class Wrong(Block):
    """Breaks one rule or another."""

    kind: ClassVar[str] = "wrong"
    title: ClassVar[str] = "Wrong"

    how: str = field("batch", choices=("batch", "nothing", "torch"))

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        if self.how == "batch":
            return rec.function("sum", x, dim=0)
        if self.how == "nothing":
            return rec.function("narrow", x, 1, 0, 0)
        return rec.function("reshape", x, (7, 7, 7))


def test_a_block_may_have_several_layers() -> None:
    graph = add(chain(block("input", shape=(6,)), Bottleneck(), Bottleneck(units=2)), block("output"), "n3")
    plan = make_plan(graph)
    assert [step.layer_names for step in plan.steps] == [
        ("bottleneck_1_1", "bottleneck_1_2", "bottleneck_1_3"),
        ("bottleneck_2_1", "bottleneck_2_2", "bottleneck_2_3"),
    ]
    module, exported = module_and_source(plan, 1)
    assert list(module.state_dict()) == list(exported.state_dict())
    x = torch.randn(4, 6)
    assert torch.equal(module(x), exported(x))
    assert plan.parameters == sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("batch", "would mix the samples"),
        ("nothing", "would leave nothing"),
        ("torch", r"^Wrong cannot take \(N, 6 D\)"),
    ],
)
def test_a_block_that_breaks_a_rule_is_refused(how: str, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        record(Wrong(how=how), (VECTOR,))


def test_remedies_come_with_the_refusal_each_time() -> None:
    for _ in range(2):  # the second comes from the cache
        with pytest.raises(ShapeError) as caught:
            record(block("dense"), (TensorSpec((1, 8, 8), "CHW"),))
        assert Remedy("flatten") in caught.value.remedies


def test_long_sequences_keep_their_length() -> None:
    spec = record(block("lstm", units=4, output="sequence"), (TensorSpec((5_000, 3), "TD"),)).spec
    assert str(spec) == "N, 5000 T, 4 D"


def test_several_threads_can_record_at_once() -> None:
    def shape(number: int) -> tuple[int, ...]:
        torch.ones(2) + 1  # a thread's own numbers stay real
        conv = record(block("conv2d", filters=number, padding=3), (TensorSpec((2, 9, 9), "CHW"),))
        gru = record(block("gru", units=number, output="sequence"), (TensorSpec((9, 5), "TD"),))
        return conv.spec.dims + gru.spec.dims

    numbers = range(101, 161)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shape, numbers)) == [(n, 13, 13, 9, n) for n in numbers]
