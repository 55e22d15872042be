"""Backbones: every network and stage, against torchvision itself."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import get_model, get_model_weights
from torchvision.models.feature_extraction import create_feature_extractor

from studio.blocks.torchvision_backbone import NETWORKS, STAGES
from studio.compile.backbone import _steps, measure
from studio.compile.cost import FUNCTION_RULES, LAYER_RULES
from studio.compile.plan import make_plan
from studio.compile.record import record
from studio.compile.shapes import analyze
from studio.compile.source import class_source
from studio.compile.source_places import located_source
from studio.graph import Link
from studio.graph.copies import duplicate
from studio.graph.edits import AddLink, SetBlock
from studio.graph.group_edits import Expose, MakeGroup, group_made
from studio.graph.groups import GroupUse
from studio.importing.network import import_network
from studio.importing.origins import from_torchvision
from studio.tensors import TensorSpec
from studio.training.setup import has_images
from tests.helpers import add, block, chain, module_and_source

PHOTO = TensorSpec((3, 32, 64), "CHW")
CASES = [(network, stage) for network, known in NETWORKS.items() for stage in STAGES if known.node(stage)]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_shapes_are_those_of_torchvision(network: str) -> None:
    stages = {known: stage for stage in STAGES if (known := NETWORKS[network].node(stage))}
    whole = create_feature_extractor(get_model(network, weights=None), stages)
    features = whole.eval()(torch.zeros(1, *PHOTO.dims))
    found = {stage: record(block("backbone", network=network, stage=stage), (PHOTO,)).spec for stage in features}
    assert {stage: spec.dims for stage, spec in found.items()} == {s: tuple(f.shape[1:]) for s, f in features.items()}
    assert {spec.axes for spec in found.values()} == {"CHW"}


@pytest.mark.parametrize(("network", "stage"), CASES)
def test_a_stage_has_its_stride(network: str, stage: str) -> None:
    """An image that is larger by so many steps gives as many places more, whatever happens at the borders."""
    stride = int(stage.removeprefix("1/"))
    small, large = (
        measure(network, NETWORKS[network].node(stage), (1, 3, 128, 128 + more)).size for more in (0, 3 * stride)
    )
    assert small[:3] == large[:3]
    assert large[3] - small[3] == 3


@pytest.mark.parametrize("network", NETWORKS)
def test_every_step_has_a_rule_of_its_costs(network: str) -> None:
    last = [node for node in NETWORKS[network].nodes if node][-1]
    steps, _ = _steps(network, last)
    for step in steps.graph.nodes:
        if step.op == "call_module":
            assert type(steps.get_submodule(step.target)).__name__ in LAYER_RULES
        elif step.op.startswith("call"):
            assert getattr(step.target, "__name__", step.target) in FUNCTION_RULES


@pytest.mark.parametrize("network", ["resnet18", "mobilenet_v3_small", "regnet_y_400mf", "squeezenet1_1"])
def test_it_costs_what_the_same_network_costs_in_blocks(network: str) -> None:
    node = NETWORKS[network].node("1/16")
    blocks = analyze(import_network(from_torchvision(network).module, [PHOTO], node).graph)
    found = record(block("backbone", network=network, stage="1/16"), (PHOTO,))
    assert (found.parameters, found.flops, found.memory) == (blocks.parameters, blocks.flops, blocks.memory)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_weights_are_those_that_torchvision_has(network: str) -> None:
    known = NETWORKS[network]
    theirs = get_model_weights(network)[known.weights]
    assert theirs.url == f"https://download.pytorch.org/models/{known.file}"
    assert known.size_bytes == pytest.approx(theirs.meta["_file_size"] * 2**20, rel=1e-3)
    norms = [m for m in get_model(network, weights=None).modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert known.norms == bool(norms)


@pytest.mark.parametrize("network", ["densenet121", "convnext_tiny", "regnet_y_400mf"])
def test_module_and_source_are_equal(network: str) -> None:
    """Those whose constructors draw, or count, in their own way; the sweep has others."""
    item = block("backbone", network=network, stage="1/8")
    plan = make_plan(chain(block("input", shape=PHOTO.dims), item, block("output")))
    module, source = module_and_source(plan, 5)
    ours, theirs = module.state_dict(), source.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    x = torch.randn(2, *PHOTO.dims)
    assert torch.equal(module.eval()(x), source.eval()(x))


def test_its_images_have_the_channels_last_in_memory() -> None:
    assert has_images(make_plan(chain(block("input", shape=PHOTO.dims), block("backbone"), block("output"))))


def test_uses_of_a_group_with_other_networks_are_one_class() -> None:
    graph = chain(block("input", shape=PHOTO.dims), block("backbone", stage="1/8"))
    edit = MakeGroup(frozenset({"n2"}), "Eye")
    first = group_made(graph, edit)
    graph = Expose(f"{first}/n2", "network", "net").apply(edit.apply(graph))
    copied, (second,) = duplicate(graph, [first])
    graph = copied.apply(graph)
    use = graph.node(second).block
    assert isinstance(use, GroupUse)
    graph = SetBlock(second, use.with_value("net", "shufflenet_v2_x1_0")).apply(graph)
    graph = add(AddLink(Link("n1", 0, second, 0)).apply(graph), block("concatenate"), first, second)
    plan = make_plan(add(graph, block("output"), graph.nodes[-1].id))
    text = class_source(plan, "Network")
    assert "get_model(net, weights=None)" in text
    assert "Eye(net='shufflenet_v2_x1_0', node='stage2')" in text
    module, source = module_and_source(plan, 5)
    assert list(module.state_dict()) == list(source.state_dict())
    x = torch.randn(2, *PHOTO.dims)
    assert torch.equal(module.eval()(x), source.eval()(x))


def test_a_group_called_as_a_function_of_torchvision_gets_another_class() -> None:
    graph = chain(block("input", shape=PHOTO.dims), block("backbone", stage="1/8"), block("relu"), block("output"))
    code = located_source(MakeGroup(frozenset({"n3"}), "get_model").apply(graph), "p")
    assert "class get_model2(nn.Module)" in code.text
    assert "from torchvision.models import get_model\n" in code.text
    rows = code.text.split("\n")
    assert any("create_feature_extractor(" in rows[number] for number in code.places["n2"])
