"""A network from elsewhere becomes blocks that compute the same."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from studio import trust
from studio.blocks.custom import CustomCode
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.graph import Graph, Node
from studio.graph.groups import definitions, measure
from studio.importing.as_code import code_of_call, code_of_layer
from studio.importing.assemble import Source
from studio.importing.errors import NetworkImportError
from studio.importing.network import import_network
from studio.importing.origins import from_torchvision, torchvision_names
from studio.tensors import TensorSpec
from tests.helpers import module_and_source

PICTURE = TensorSpec((3, 64, 64), "CHW")
FAMILIES = (
    "alexnet", "vgg11_bn", "resnet18", "squeezenet1_1", "densenet121", "mobilenet_v2", "mobilenet_v3_small",
    "efficientnet_b0", "regnet_y_400mf", "convnext_tiny", "googlenet", "shufflenet_v2_x0_5", "mnasnet0_5",
)  # fmt: skip
ROUND_TRIPS = ("resnet18", "mobilenet_v3_small", "efficientnet_b0", "densenet121", "convnext_tiny")


def of_torchvision(name: str) -> nn.Module:
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = from_torchvision(name).module
    for norm in module.modules():  # fresh ones change nothing, and so would hide a mistake
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.normal_(norm.running_mean, 0.0, 0.1)
    return module


def all_nodes(graph: Graph) -> list[Node]:
    return [node for body in (graph, *(g.body for g in definitions(graph).values())) for node in body.nodes]


def contents(tensors: dict[str, Tensor]) -> Counter[tuple[tuple[int, ...], bytes]]:
    return Counter((tuple(tensor.shape), tensor.numpy().tobytes()) for tensor in tensors.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_torchvision_families_answer_the_same(name: str) -> None:
    module = of_torchvision(name).eval()
    found = import_network(module, [PICTURE])
    network = build_network(make_plan(found.graph))
    network.load_state_dict(found.weights)
    x = torch.randn(2, *PICTURE.dims)
    with torch.no_grad():
        assert torch.equal(network.eval()(x), module(x))
    places = {(node.x, node.y) for node in found.graph.nodes}
    assert len(places) == len(found.graph.nodes), "laid out"
    assert all("aux" in part for part in found.unused)
    if name in ROUND_TRIPS:
        _, exported = module_and_source(make_plan(found.graph), 0)
        exported.load_state_dict(found.weights)
        assert contents(dict(exported.state_dict())) == contents(module.state_dict())
        with torch.no_grad():
            assert torch.equal(exported.eval()(x), module(x))


def test_modules_become_groups_and_equal_ones_are_linked() -> None:
    graph = import_network(of_torchvision("resnet18"), [PICTURE]).graph
    names = [node.name for node in graph.nodes]
    assert names[:6] == ["x", "conv1", "bn1", "relu", "maxpool", "layer1_0"]
    blocks = {node.name: node.block for node in graph.nodes}
    assert blocks["layer1_0"] == blocks["layer1_1"]
    assert {group.name for group in definitions(graph).values()} == {"BasicBlock"}
    assert measure(graph)[0] == 95


def test_it_ends_where_it_is_told_to() -> None:
    module = of_torchvision("resnet18").eval()
    found = import_network(module, [PICTURE], until="layer2")
    network = build_network(make_plan(found.graph)).eval()
    network.load_state_dict(found.weights)
    x = torch.randn(1, *PICTURE.dims)
    with torch.no_grad():
        expected = module.layer2(module.layer1(module.maxpool(module.relu(module.bn1(module.conv1(x))))))
        assert torch.equal(network(x), expected)
    with pytest.raises(NetworkImportError, match=r"no part “layer9”. Its parts are: conv1, bn1"):
        import_network(module, [PICTURE], until="layer9")


class Mixed(nn.Module):
    """Many ways to say things."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(4, 8, (3, 1), padding=(1, 0), stride=(1, 2))
        self.position = nn.Parameter(torch.randn(1, 8, 8, 8))
        self.scale = nn.Parameter(torch.randn(8, 1, 1))
        self.rnn = nn.GRU(64, 6, batch_first=True, num_layers=2)
        self.long = nn.LSTM(6, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = torch.nn.functional.relu6(self.convolution(x)) + self.position
        x = (2 * x - 1) / 3 * self.scale
        a, b = x.chunk(2, dim=1)
        x = torch.cat([a * b.sigmoid(), b - a], 1)
        first, rest = x.split([3, 5], dim=-3)
        x = torch.cat((first, rest.flip(1) if False else rest), dim=1)
        n, c, h, w = x.shape
        x = x.view(n, c, h * w).transpose(1, 2).reshape(-1, c, h * w)
        _, state = self.rnn(x[:, :5])
        sequence, _ = self.long(state[-1].unsqueeze(1).squeeze(1)[:, None, :])
        return {"scores": self.head(sequence[:, -1]), "mean": x.mean(1).clamp(-1, 1)}


def test_functions_and_methods_of_tensors() -> None:
    torch.manual_seed(0)
    module = Mixed().eval()
    found = import_network(module, [TensorSpec((4, 8, 16), "CHW")])
    network = build_network(make_plan(found.graph)).eval()
    network.load_state_dict(found.weights)
    x = torch.randn(3, 4, 8, 16)
    with torch.no_grad():
        expected = module(x)
        scores, mean = network(x)
    assert torch.equal(scores, expected["scores"])
    assert torch.equal(mean, expected["mean"])
    assert not found.unused


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class Foreign(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), nn.RReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.shared(self.shared(x))


class InPlace(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x.relu_()
        return x + 0.5


class AcrossSamples(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(0)


class Unknown(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.erfinv(x)


class Everything(nn.Module):
    """What no block does, beside what one does."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign = Foreign()
        self.padded = nn.Conv1d(1, 4, 3, padding="same", padding_mode="circular")

    def forward(self, x: Tensor) -> Tensor:
        x = self.foreign(x) + torch.special.erf(x)
        x = self.padded(x[:, None]).movedim(1, 2)
        return torch.nn.functional.pad(torch.where(x > 0, x, x.square()), (0, 1), value=2.0)


class Several(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.topk(2)[0]


def test_what_has_no_block_is_kept_as_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path))
    module = Everything().eval()
    found = import_network(module, [TensorSpec((4,), "D")])
    network = build_network(make_plan(found.graph))
    network.load_state_dict(found.weights)
    x = torch.randn(3, 4)
    with torch.no_grad():
        assert torch.equal(network.eval()(x), module(x))
    blocks = [node.block for node in all_nodes(found.graph)]
    codes = [block.code for block in blocks if isinstance(block, CustomCode)]
    assert any("class RReLU1(nn.RReLU):" in code for code in codes)
    assert any("padding_mode='circular'" in code for code in codes)
    assert any("return torch.special.erf(x1)" in code for code in codes)
    assert any("return x1.movedim(1, 2)" in code for code in codes)
    assert any("return nn.functional.pad(x1, (0, 1)" in code for code in codes)
    assert all(trust.is_trusted(code) for code in codes)
    assert "dense" in {block.kind for block in blocks}


def test_nothing_but_constants_of_torch_become_code() -> None:
    class Loud(nn.RReLU):
        def __repr__(self) -> str:
            return "RReLU(__import__('os').system('true'))"

    Loud.__name__ = "RReLU"
    assert code_of_layer(Loud(), 1) is None
    loud = nn.RReLU()
    loud.extra_repr = lambda: "__import__('os').getpid()"  # type: ignore[method-assign]
    assert code_of_layer(loud, 1) is None
    assert code_of_call(print, (Source(0),), {}, 1) is None
    assert code_of_call("__class__", (Source(0),), {"x": object()}, 1) is None
    assert code_of_call(torch.erf, (3.0,), {}, 1) is None, "nothing of the input"


class Number(nn.Module):
    def forward(self, x: Tensor) -> int:
        return x.shape[1]


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Branching(), "cannot be followed step by step"),
        (Twice(), "“shared” is used more than once"),
        (InPlace(), "may change tensors in place"),
        (AcrossSamples(), "calls “mean” in a way that no block does"),
        (Several(), "calls “topk” in a way that no block does"),
        (Number(), "answers something other than tensors"),
        (nn.Linear(5, 2), r"Linear does not take \(N, 4 D\): .*5"),
        (nn.Bilinear(4, 4, 2), "takes one more input|does not take"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_what_cannot_come_in_is_named(module: nn.Module, message: str) -> None:
    with pytest.raises(NetworkImportError, match=message):
        import_network(module, [TensorSpec((4,), "D")])


def test_the_module_itself_is_not_changed() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    import_network(module, [TensorSpec((4,), "D")])
    assert module.training
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_torchvision_names_are_known_and_others_refused(tmp_path: Path) -> None:
    assert {*FAMILIES} <= {*torchvision_names()}
    with pytest.raises(NetworkImportError, match=r"no network “resnet19”\. There are: resnet101"):
        from_torchvision("resnet19")
