"""Padding never changes a result: a text gives the same alone and in a batch with longer ones."""

from __future__ import annotations

import pytest
import torch

from studio.blocks import Block, Output
from studio.compile.analysis import WARNING
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.compile.source import class_source
from studio.compile.trace import trace
from studio.graph import Graph
from studio.graph.edits import SetRepeat
from studio.graph.group_edits import MakeGroup
from tests.helpers import add, block, chain, module_and_source

LENGTH, SHORT = 12, 5
TOKENS = block("input", shape=(LENGTH,), values="tokens")
EMBEDDING = block("embedding", vocabulary=30, features=8, padding=True)
ORDER = block("permute", order=(2, 1))

CHAINS: dict[str, list[Block]] = {
    "gru": [block("gru", units=6)],
    "gru of two layers": [block("gru", units=6, layers=2, output="sequence"), block("gru", units=5)],
    "lstm": [block("lstm", units=6, layers=2)],
    "rnn both ways": [block("rnn", units=6, bidirectional=True)],
    "lstm both ways, three layers": [block("lstm", units=4, layers=3, bidirectional=True, dropout=0.3)],
    "gru both ways as a sequence": [
        block("gru", units=4, layers=2, bidirectional=True, output="sequence"), block("global_max_pool"),
    ],
    "mean": [block("dense", units=6), block("relu"), block("global_average_pool")],
    "max": [block("layer_norm"), block("batch_norm"), block("tanh"), block("global_max_pool")],
    "attention": [block("positional_encoding"), block("self_attention", heads=2), block("global_average_pool")],
    "causal attention": [block("self_attention", heads=2, causal=True), block("gru", units=3)],
    "transformer": [
        block("position_embedding", positions=LENGTH),
        block("transformer_encoder_layer", heads=2, hidden=16),
        block("transformer_encoder_layer", heads=2, hidden=16, norm_first=True, causal=True),
        block("global_average_pool"),
    ],
    "convolution": [ORDER, block("conv1d", filters=6, kernel_size=3), block("relu"), block("global_max_pool")],
    "two convolutions": [
        ORDER, block("conv1d", filters=6, kernel_size=3, padding=1), block("relu"),
        block("conv1d", filters=6, kernel_size=2, dilation=2), block("global_average_pool"),
    ],
    "there and back": [ORDER, block("dropout"), block("transpose"), block("gru", units=6)],
}  # fmt: skip


def texts() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(1, 30, (3, LENGTH), generator=generator)
    tokens[0, SHORT:] = 0
    tokens[1, SHORT + 3 :] = 0
    return tokens


def network(graph: Graph, length: int) -> torch.nn.Module:
    """The network for texts of a length, with weights that do not depend on it."""
    graph = Graph(
        tuple(
            node
            if node.id != "n1"
            else type(node)(node.id, node.name, block("input", shape=(length,), values="tokens"))
            for node in graph.nodes
        ),
        graph.links,
    )
    torch.manual_seed(4)
    return build_network(make_plan(graph)).eval()


def check(graph: Graph) -> None:
    tokens = texts()
    together, alone = network(graph, LENGTH), network(graph, SHORT)
    with torch.no_grad():
        expected = alone(tokens[:1, :SHORT])
        torch.testing.assert_close(together(tokens)[:1], expected, rtol=1e-5, atol=1e-6)
        changed = together(torch.where(tokens == 0, tokens.flip(0, 1), tokens))[:1]
    assert not torch.allclose(changed, expected, atol=1e-3), "real tokens must count"


def graph_of(name: str) -> Graph:
    return chain(TOKENS, EMBEDDING, *CHAINS[name], Output())


@pytest.mark.parametrize("name", list(CHAINS))
def test_a_text_alone_and_in_a_padded_batch_gives_the_same(name: str) -> None:
    check(graph_of(name))


ONE_WAY = [name for name in CHAINS if "both ways" not in name]  # both ways, the weights stand under other names


@pytest.mark.parametrize("name", ONE_WAY)
def test_a_text_alone_gives_what_it_gives_without_any_padding(name: str) -> None:
    """Where nothing is filled up, a network that knows of padding is the one that does not."""
    plain = block("embedding", vocabulary=30, features=8)
    aware, unaware = (network(chain(TOKENS, e, *CHAINS[name], Output()), SHORT) for e in (EMBEDDING, plain))
    unaware.load_state_dict(aware.state_dict())
    tokens = texts()[:, :SHORT]
    with torch.no_grad():
        torch.testing.assert_close(aware(tokens), unaware(tokens), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
def test_both_ways_are_those_of_torch(layers: int) -> None:
    """The two layers for the two directions, against one of torch that reads both ways."""
    fields = {"units": 4, "layers": layers, "bidirectional": True}
    graph = chain(TOKENS, EMBEDDING, block("gru", **fields), Output())
    aware = network(graph, SHORT)
    own = [module for module in aware.children() if isinstance(module, torch.nn.GRU)]
    both = torch.nn.GRU(8, 4, num_layers=layers, bidirectional=True, batch_first=True).eval()
    for number, module in enumerate(own):
        suffix = f"_l{number // 2}{'_reverse' if number % 2 else ''}"
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(both, f"{kind}{suffix}").data.copy_(getattr(module, f"{kind}_l0"))
    tokens = texts()[:, :SHORT]
    with torch.no_grad():
        _, state = both(aware.embedding_1(tokens))
        torch.testing.assert_close(aware(tokens), torch.cat((state[-2], state[-1]), 1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", list(CHAINS))
def test_the_source_does_the_same(name: str) -> None:
    module, exported = module_and_source(make_plan(graph_of(name)), 3)
    torch.manual_seed(1)
    first = module(texts())
    torch.manual_seed(1)
    assert torch.equal(first, exported(texts()))
    assert torch.equal(module.eval()(texts()), exported.eval()(texts()))


@pytest.mark.parametrize("name", list(CHAINS))
def test_an_empty_text_and_its_gradients_are_finite(name: str) -> None:
    model = build_network(make_plan(graph_of(name)))
    tokens = texts()
    tokens[1] = 0
    answer = model(tokens)
    answer.sum().backward()
    assert torch.isfinite(answer).all()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()
    assert torch.all(model.embedding_1.weight.grad[0] == 0)


@pytest.mark.parametrize(
    "members",
    [{"n2"}, {"n3"}, {"n4"}, {"n2", "n3"}, {"n3", "n4"}, {"n4", "n5"}, {"n2", "n3", "n4", "n5"}],
    ids=lambda members: "+".join(sorted(members)),
)
def test_masks_go_through_groups(members: set[str]) -> None:
    graph = chain(
        TOKENS, EMBEDDING, block("dense", units=8), block("transformer_encoder_layer", heads=2, hidden=9),
        block("global_average_pool"), Output(),
    )  # fmt: skip
    check(graph)
    torch.manual_seed(3)
    plain = build_network(make_plan(graph)).eval()
    grouped = MakeGroup(frozenset(members)).apply(graph)
    module, exported = module_and_source(make_plan(grouped), 3)
    for made in (module, exported):
        assert torch.equal(made.eval()(texts()), plain(texts()))
    values = trace(grouped, [texts()[:1]], plain.state_dict())
    assert set(values) >= {"n1", "n6"} - members


@pytest.mark.parametrize(
    ("repeated", "loop"),
    [("dense", False), ("transformer_encoder_layer", True), ("gru", True)],
)
def test_masks_go_through_repetitions(repeated: str, loop: bool) -> None:
    fields = {"dense": {"units": 8}, "transformer_encoder_layer": {"heads": 2, "hidden": 9}}
    item = block(repeated, **fields.get(repeated, {"units": 4, "bidirectional": True, "output": "sequence"}))
    graph = SetRepeat("n3", 3).apply(chain(TOKENS, EMBEDDING, item, block("global_max_pool"), Output()))
    check(graph)
    plan = make_plan(graph)
    module, exported = module_and_source(plan, 3)
    assert torch.equal(module.eval()(texts()), exported.eval()(texts()))
    assert ("for part in" in class_source(plan, "Net")) == loop


def test_a_group_with_a_mask_can_be_repeated() -> None:
    layer = block("transformer_encoder_layer", heads=2, hidden=9)
    graph = chain(TOKENS, EMBEDDING, layer, block("relu"), block("global_max_pool"), Output())
    grouped = MakeGroup(frozenset({"n3", "n4"})).apply(graph)
    (group,) = (node.id for node in grouped.nodes if node.block.kind == "group")
    repeated = SetRepeat(group, 2).apply(grouped)
    check(repeated)
    assert set(trace(repeated, [texts()[:1]])) >= {f"{group}/n3", "n6"}


def test_cross_attention_leaves_out_the_padding_of_its_memory() -> None:
    graph = chain(TOKENS, EMBEDDING, block("slice", axis=-1, start=0, length=6))
    graph = add(graph, block("cross_attention", heads=2), "n3", "n2")
    graph = add(graph, block("dot_product_attention", heads=2), "n4", "n3", "n3")
    check(add(add(graph, block("global_average_pool"), "n5"), Output(), "n6"))


def test_masks_meet_in_sums_and_products() -> None:
    graph = chain(TOKENS, EMBEDDING, block("dense", units=8))
    graph = add(graph, block("add"), "n2", "n3")
    graph = add(graph, block("concatenate", axis=2), "n4", "n2")
    check(add(add(graph, block("global_average_pool"), "n5"), Output(), "n6"))


def test_without_padding_nothing_is_left_out() -> None:
    plain = block("embedding", vocabulary=30, features=8)
    source = class_source(make_plan(chain(TOKENS, plain, block("gru", units=6), Output())), "Net")
    assert "mask" not in source
    source = class_source(
        make_plan(chain(TOKENS, EMBEDDING, block("gru", units=6, output="sequence"), Output())), "Net"
    )
    assert "mask" not in source, "what nobody needs is not computed"


@pytest.mark.parametrize(
    ("items", "counts"),
    [
        ([block("flatten")], True),
        ([ORDER, block("max_pool")], True),
        ([ORDER, block("conv1d", stride=2)], True),
        ([ORDER, block("dense", units=4)], True),
        ([block("flip", axis=1)], True),
        ([block("softmax"), block("learned_scale")], False),
        ([block("global_average_pool"), block("learned_tensor", shape=(3,))], False),
        ([block("learned_tensor", shape=(3,))], False),
    ],
)
def test_what_works_on_padding_is_told(items: list[Block], counts: bool) -> None:
    graph = chain(TOKENS, EMBEDDING, *items, Output())
    warnings = [p.message for p in analyze(graph).problems if p.severity == WARNING]
    assert bool(warnings) == counts
    assert all("works on the padding of short texts as if it were text" in message for message in warnings)
