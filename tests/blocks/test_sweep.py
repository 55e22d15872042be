"""Every registered block goes through everything."""

from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.blocks import GROUPS, Block, Input, Output, ShapeError, registry
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.record import record
from studio.fields import FieldError, FieldSpec, from_json, specs, to_json
from studio.graph import Graph
from studio.tensors import TensorSpec
from tests.blocks import families
from tests.helpers import add, block, module_and_source

IMAGE = TensorSpec((4, 12, 10), "CHW")
SIGNAL = TensorSpec((4, 12), "CT")
SEQUENCE = TensorSpec((7, 8), "TD")
VECTOR = TensorSpec((8,), "D")
TOKENS = TensorSpec((6,), "L", "int")

# Blocks in variants, with what they take. A block without an example fails the sweep.
EXAMPLES: dict[str, list[tuple[Block, tuple[TensorSpec, ...]]]] = {
    "output": [(block("output"), (VECTOR,))],
    "dense": [(block("dense", units=5), (VECTOR,)), (block("dense", units=5, bias=False), (SEQUENCE,))],
    "conv1d": [(block("conv1d", filters=6), (SIGNAL,)), (block("conv1d", filters=8, groups=4, stride=2), (SIGNAL,))],
    "conv2d": [
        (block("conv2d", filters=6), (IMAGE,)),
        (block("conv2d", filters=8, groups=2, dilation=2, padding=3, stride=2, bias=False), (IMAGE,)),
    ],
    "max_pool": [(block("max_pool"), (IMAGE,)), (block("max_pool", size=3, stride=1, padding=1), (SIGNAL,))],
    "average_pool": [(block("average_pool", size=3), (IMAGE,)), (block("average_pool"), (SIGNAL,))],
    "global_average_pool": [(block("global_average_pool"), (spec,)) for spec in (IMAGE, SEQUENCE)],
    "flatten": [(block("flatten"), (IMAGE,)), (block("flatten"), (VECTOR,))],
    "reshape": [(block("reshape", shape=(12, 40)), (IMAGE,)), (block("reshape", shape=(2, -1)), (VECTOR,))],
    "relu": [(block("relu"), (IMAGE,))],
    "gelu": [(block("gelu"), (SEQUENCE,))],
    "sigmoid": [(block("sigmoid"), (VECTOR,))],
    "tanh": [(block("tanh"), (VECTOR,))],
    "softmax": [(block("softmax"), (VECTOR,))],
    "batch_norm": [(block("batch_norm"), (spec,)) for spec in (VECTOR, SIGNAL, IMAGE)],
    "layer_norm": [(block("layer_norm", epsilon=1e-3), (SEQUENCE,))],
    "dropout": [(block("dropout"), (IMAGE,))],
    "embedding": [(block("embedding", vocabulary=11, features=5), (TOKENS,))],
    **{
        kind: [
            (block(kind, units=5), (SEQUENCE,)),
            (block(kind, units=5, layers=2, bidirectional=True, dropout=0.2), (TensorSpec((200, 3), "LD"),)),
            (block(kind, units=5, bidirectional=True, output="sequence"), (SEQUENCE,)),
        ]
        for kind in ("gru", "lstm")
    },
    "self_attention": [(block("self_attention", heads=2, dropout=0.1), (SEQUENCE,))],
    "add": [(block("add"), (IMAGE, IMAGE, IMAGE))],
    "concatenate": [
        (block("concatenate"), (IMAGE, TensorSpec((2, 12, 10), "CHW"))),
        (block("concatenate", axis=-1), (SEQUENCE, SEQUENCE)),
    ],
}
for member in families.ALL:
    EXAMPLES.setdefault(member.block.kind, []).append((member.block, member.inputs))
CASES = [
    pytest.param(example, inputs, id=f"{kind}-{number}")
    for kind, variants in EXAMPLES.items()
    for number, (example, inputs) in enumerate(variants)
]
KINDS = registry.kinds()
ONLY_COUNTED = ("learned_tensor", "constant")  # of what is linked to them, only the number of samples matters


def sample(spec: TensorSpec, batch: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    if spec.dtype == "int":
        return torch.randint(10, (batch, *spec.dims), generator=generator)
    return torch.randn((batch, *spec.dims), generator=generator)


def graph_of(example: Block, inputs: tuple[TensorSpec, ...]) -> Graph:
    """Inputs -> the block -> Output."""
    graph = Graph()
    for spec in inputs:
        graph = add(graph, Input(shape=spec.dims, values="tokens" if spec.dtype == "int" else "real"))
    graph = add(graph, example, *graph.by_id)
    return graph if isinstance(example, Output) else add(graph, Output(), graph.nodes[-1].id)


def test_every_block_has_an_example() -> None:
    assert set(EXAMPLES) | {"input"} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_explains_itself(kind: str) -> None:
    cls = registry.get(kind)
    lines = (cls.__doc__ or "").splitlines()
    assert lines[0].endswith((".", ").")) or ":" in lines[0]
    assert any(line.strip().startswith("Shape:") for line in lines)
    assert cls.group in GROUPS
    assert all(spec.help for spec in specs(cls)), "each field has a help"


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_and_bounds(kind: str) -> None:
    cls = registry.get(kind)
    assert from_json(cls, to_json(cls())) == cls()
    for spec in specs(cls):
        for bound, outside in ((spec.min, -1), (spec.max, 1)):
            if bound is None:
                continue
            convert = (lambda v: (int(v),)) if spec.type is tuple else spec.type
            step = 1 if spec.type is not float else abs(bound) * 1e-6 + 1e-12
            cls(**{spec.name: convert(bound)})
            with pytest.raises(FieldError):
                cls(**{spec.name: convert(bound + outside * step)})


def any_value(spec: FieldSpec, rng: random.Random) -> object:
    """A value of a field: small, anywhere, or at a bound."""
    if spec.choices:
        return rng.choice(spec.choices)
    if spec.type is bool:
        return rng.random() < 0.5
    if spec.lines:
        return rng.choice((spec.default, "", "x = 1", "class A(nn.Linear):\n    pass", "(", "é\t\r\n"))
    assert spec.min is not None
    assert spec.max is not None
    if spec.type is float:
        return rng.choice((spec.min, spec.max, rng.uniform(spec.min, spec.max)))
    numbers = [max(int(spec.min), min(int(spec.max), rng.choice((-1, *SIZES)))) for _ in range(rng.randint(1, 4))]
    return tuple(numbers) if spec.type is tuple else rng.choice((int(spec.min), int(spec.max), *numbers))


SIZES = (1, 2, 3, 4, 6, 8, 28, 1_000_000)
AXES = ("D", "TD", "CT", "LD", "CHW", "DDDD", "L", "LL")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "input"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_any_values_give_a_shape_or_a_plain_refusal(kind: str, seed: int) -> None:
    rng, cls = random.Random(seed), registry.get(kind)
    example = cls(**{spec.name: any_value(spec, rng) for spec in specs(cls) if rng.random() < 0.5})
    shapes = []
    for axes in rng.choices(AXES, k=rng.randint(1, 3) if cls.many_inputs else len(example.inputs)):
        dims = tuple(rng.choice(SIZES) for _ in axes)
        shapes.append(TensorSpec(dims, axes, "int" if axes in ("L", "LL") else "float"))
    try:
        assert record(example, tuple(shapes)).spec.numel >= 1
    except ShapeError as error:
        assert f"{example.title} cannot take (" not in str(error), "torch refused what the block should have"  # noqa: PT017


@pytest.mark.parametrize(("example", "inputs"), CASES)
def test_recorded_shapes_are_real(example: Block, inputs: tuple[TensorSpec, ...]) -> None:
    recorded = record(example, inputs)
    if isinstance(example, Output):
        assert recorded.spec == inputs[0]
        return
    model = build_network(make_plan(graph_of(example, inputs)))
    answer = model(*(sample(spec) for spec in inputs))
    assert tuple(answer.shape) == (3, *recorded.spec.dims)
    assert recorded.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("example", "inputs"), CASES)
def test_gradients_reach_everything(example: Block, inputs: tuple[TensorSpec, ...]) -> None:
    if isinstance(example, Output):
        return
    torch.manual_seed(0)
    model = build_network(make_plan(graph_of(example, inputs)))
    values = [sample(spec).requires_grad_(spec.dtype == "float") for spec in inputs]
    if example.kind == "constant":
        return
    (model(*values) * torch.linspace(-1, 1, math.prod(record(example, inputs).spec.dims)).reshape(
        record(example, inputs).spec.dims)).sum().backward()  # fmt: skip
    used = [v for v in values if v.requires_grad] if example.kind not in ONLY_COUNTED else []
    for tensor in (*model.parameters(), *used):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
    assert all(v.grad.abs().sum() > 0 for v in values if v.grad is not None)


@pytest.mark.parametrize(("example", "inputs"), CASES)
def test_source_equals_module_and_weights_reload(example: Block, inputs: tuple[TensorSpec, ...]) -> None:
    if isinstance(example, Output):
        return
    plan = make_plan(graph_of(example, inputs))
    model, exported = module_and_source(plan, 3)
    values = [sample(spec) for spec in inputs]
    assert list(model.state_dict()) == list(exported.state_dict())
    answers = []
    for network in (model, exported):  # the same random numbers for dropout
        torch.manual_seed(4)
        answers.append(network.train()(*values))
    assert torch.equal(*answers)
    assert torch.equal(model.eval()(*values), exported.eval()(*values))
    torch.manual_seed(5)
    reloaded = build_network(plan).eval()
    reloaded.load_state_dict(model.state_dict())
    assert torch.equal(model(*values), reloaded(*values))
