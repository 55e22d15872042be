"""Weights of other programs: what belongs to what, and that the network answers as the other one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from studio.cli.main import main
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.fields import replace as replace_fields
from studio.graph import Graph
from studio.graph.edits import SetFrozen
from studio.importing.network import import_network
from studio.importing.weights.kinds import look_into
from studio.importing.weights.matching import BOTH, NAMES, SIZES, Match, chosen, match, own_tensors, unused
from studio.importing.weights.taking import take
from studio.importing.weights.tensors import ForeignWeightsError
from studio.project import Project, read_project, read_template, write_project
from studio.tensors import TensorSpec
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.runner import Job, run
from studio.training.starting_weights import read_starting_weights
from tests.helpers import block, chain

IMAGE = TensorSpec((3, 8, 8), "CHW")


class Theirs(nn.Module):
    """A network as another program has it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.normal = nn.BatchNorm2d(4)
        self.more = nn.Conv2d(4, 4, 3)
        self.head = nn.Linear(64, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.more(torch.relu(self.normal(self.stem(x))))).flatten(1))


@pytest.fixture(scope="module")
def theirs() -> nn.Module:
    torch.manual_seed(3)
    module = Theirs().train()
    module(torch.randn(16, 3, 8, 8))  # so that the batch norm has seen something
    return module.eval()


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The same network drawn here: other names, and the batch norm knows nothing of the other one."""
    return chain(
        block("input", shape=(3, 8, 8)), block("conv2d", filters=4, kernel_size=3), block("batch_norm"), block("relu"),
        block("conv2d", filters=4, kernel_size=3), block("relu"), block("flatten"), block("dense", units=5),
        block("output"),
    )  # fmt: skip


def answers(graph: Graph, matches: tuple[Match, ...], path: Path, samples: Tensor) -> Tensor:
    """What the graph's network says with the weights of a file, put in as a run does it."""
    project = Project(graph)
    weights = take(look_into(path), matches, project, path.with_name("taken.pt"))
    plan = make_plan(graph)
    first = read_starting_weights(weights, plan)
    network = build_network(plan).eval()
    network.load_state_dict(first.tensors, strict=False)
    with torch.no_grad():
        return network(samples)


def matched(graph: Graph, path: Path, by: str = BOTH) -> tuple[Match, ...]:
    return match(own_tensors(graph), look_into(path).tensors, by)


def save_plain(module: nn.Module, path: Path) -> None:
    torch.save(module.state_dict(), path)


def save_old(module: nn.Module, path: Path) -> None:
    torch.save({"state_dict": module.state_dict()}, path, _use_new_zipfile_serialization=False)


def save_checkpoint(module: nn.Module, path: Path) -> None:
    optimizer = torch.optim.Adam(module.parameters())
    sum(p.sum() for p in module.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    state = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    torch.save({"epoch": 3, "model": state, "optimizer": optimizer.state_dict(), "best": 0.5}, path)


def save_safetensors(module: nn.Module, path: Path) -> None:
    from safetensors.torch import save_file

    save_file(module.state_dict(), path, {"format": "pt"})


@pytest.mark.parametrize("save", [save_plain, save_old, save_checkpoint, save_safetensors])
def test_weights_under_other_names_give_the_same_answers(
    theirs: nn.Module, graph: Graph, tmp_path: Path, save: Callable[[nn.Module, Path], None]
) -> None:
    path = tmp_path / "weights.bin"  # what it is called does not matter
    save(theirs, path)
    matches = matched(graph, path)
    assert all(item.foreign is not None for item in matches)
    assert {item.how for item in matches} == {"same order and size"}
    samples = torch.randn(4, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(answers(graph, matches, path, samples), theirs(samples))


def test_names_go_before_order(theirs: nn.Module, tmp_path: Path) -> None:
    imported = import_network(theirs, (IMAGE,))
    state = dict(reversed(theirs.state_dict().items()))
    torch.save({f"net.{name}": tensor for name, tensor in state.items()} | {"extra": torch.zeros(7)}, tmp_path / "w.pt")
    matches = matched(imported.graph, tmp_path / "w.pt", NAMES)
    assert {item.foreign.name for item in matches if item.foreign} == {f"net.{name}" for name in state}
    assert {item.how for item in matches} == {"same name but for “net.”"}
    left = unused(matches, look_into(tmp_path / "w.pt").tensors)
    assert [tensor.name for tensor in left] == ["extra"]
    samples = torch.randn(4, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(answers(imported.graph, matches, tmp_path / "w.pt", samples), theirs(samples))
    other = match(own_tensors(imported.graph), look_into(tmp_path / "w.pt").tensors, SIZES)
    assert {item.how for item in other} <= {"same order and size", ""}


def test_a_backbone_takes_the_state_dict_of_torchvision(tmp_path: Path) -> None:
    from torchvision.models import resnet18

    theirs = resnet18(weights=None).eval()
    save_plain(theirs, tmp_path / "resnet.pth")
    graph = chain(
        block("input", shape=(3, 32, 32)), block("backbone", network="resnet18", weights="random"),
        block("global_average_pool"), block("dense", units=1000), block("output"),
    )  # fmt: skip
    matches = matched(graph, tmp_path / "resnet.pth")
    assert all(item.foreign is not None for item in matches)
    assert {item.how for item in matches} == {"same name but for “backbone_1.”", "same order and size"}
    samples = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        found, expected = answers(graph, matches, tmp_path / "resnet.pth", samples), theirs(samples)
    assert torch.equal(found, expected)


class TheirTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(20, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.ModuleList(
            [layer, nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=True)]
        )
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.tokens(x)
        for layer in self.blocks:
            x = layer(x)
        return self.head(x.mean(1))


def test_a_transformer(tmp_path: Path) -> None:
    torch.manual_seed(5)
    theirs = TheirTransformer().eval()
    save_plain(theirs, tmp_path / "w.pt")
    layer = block("transformer_encoder_layer", heads=2, hidden=16, dropout=0.0, norm_first=True)
    graph = chain(
        block("input", shape=(6,), values="tokens"), block("embedding", vocabulary=20, features=8), layer, layer,
        block("mean", axis=1), block("dense", units=3), block("output"),
    )  # fmt: skip
    matches = matched(graph, tmp_path / "w.pt")
    assert all(item.foreign is not None for item in matches)
    samples = torch.randint(20, (2, 6))
    with torch.no_grad():
        assert torch.equal(answers(graph, matches, tmp_path / "w.pt", samples), theirs(samples))


class OverTime(nn.Module):
    """A layer over a sequence is a product with a constant in ONNX, whose axes are the other way round."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x)))


def export_onnx(module: nn.Module, path: Path, sample: Tensor, **options: Any) -> None:
    pytest.importorskip("onnxscript")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(module, (sample,), path, verbose=False, **options)


def test_an_onnx_file_of_torchs_exporter(theirs: nn.Module, graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    samples = torch.randn(2, 3, 8, 8)
    # The newer exporter (dynamo=True, optimize=False) gives the same names and takes ten seconds.
    export_onnx(
        theirs, path, samples, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False
    )
    matches = matched(graph, path)
    assert [item.own.name for item in matches if item.foreign is None] == ["batch_norm_1.num_batches_tracked"]
    with torch.no_grad():
        assert torch.equal(answers(graph, matches, path, samples), theirs(samples))


def test_products_in_onnx_are_turned(tmp_path: Path) -> None:
    torch.manual_seed(7)
    theirs, samples = OverTime().eval(), torch.randn(2, 5, 4)
    export_onnx(theirs, tmp_path / "net.onnx", samples, dynamo=False)
    graph = chain(
        block("input", shape=(5, 4)), block("dense", units=4), block("relu"), block("dense", units=3), block("output")
    )
    matches = matched(graph, tmp_path / "net.onnx")
    assert [item.how for item in matches] == [
        "same order and size, transposed", "same order and size", "same order and size, transposed",
        "same order and size",
    ]  # fmt: skip
    with torch.no_grad():
        assert torch.equal(answers(graph, matches, tmp_path / "net.onnx", samples), theirs(samples))


def test_onnx_with_weights_in_other_files_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.helper.make_tensor("w", 1, [2], [1.0, 2.0])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [tensor])), tmp_path / "x.onnx")
    with pytest.raises(ForeignWeightsError, match="other files beside it, which are not followed"):
        look_into(tmp_path / "x.onnx")


def test_keras_names_are_understood(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    kernel = torch.arange(20.0).reshape(4, 5)
    save_file({"dense/kernel": kernel, "dense/bias": torch.ones(5)}, tmp_path / "keras.safetensors")
    graph = chain(block("input", shape=(4,)), block("dense", units=5), block("output"))
    matches = matched(graph, tmp_path / "keras.safetensors")
    assert matches[0].how == "same order and size, transposed"
    with torch.no_grad():
        assert torch.equal(
            answers(graph, matches, tmp_path / "keras.safetensors", torch.eye(4)), kernel + torch.ones(5)
        )


def test_a_row_can_be_chosen_by_hand(theirs: nn.Module, graph: Graph, tmp_path: Path) -> None:
    save_plain(theirs, tmp_path / "w.pt")
    file = look_into(tmp_path / "w.pt")
    matches = matched(graph, tmp_path / "w.pt")
    by_name = {tensor.name: tensor for tensor in file.tensors}
    changed = chosen(matches, "batch_norm_1.weight", by_name["normal.running_var"])
    rows = {item.own.name: item for item in changed}
    assert rows["batch_norm_1.weight"].foreign is by_name["normal.running_var"]
    assert rows["batch_norm_1.weight"].how == "chosen by hand"
    assert rows["batch_norm_1.running_var"].foreign is None  # it was taken from there
    assert [tensor.name for tensor in unused(changed, file.tensors)] == ["normal.weight"]
    with pytest.raises(ForeignWeightsError, match="does not have the size"):
        chosen(matches, "batch_norm_1.weight", by_name["stem.weight"])
    weights = take(file, chosen(changed, "dense_1.bias", None), Project(graph), tmp_path / "taken.pt")
    first = read_starting_weights(weights, make_plan(graph))
    assert first.origin == "9 of 11 tensors from taken.pt"


def test_what_is_no_number_is_not_taken(graph: Graph, theirs: nn.Module, tmp_path: Path) -> None:
    state = theirs.state_dict() | {"head.bias": torch.full((5,), float("nan"))}
    torch.save(state, tmp_path / "w.pt")
    matches = matched(graph, tmp_path / "w.pt")
    with pytest.raises(ForeignWeightsError, match=r"“head\.bias” holds values that are no numbers"):
        take(look_into(tmp_path / "w.pt"), matches, Project(graph), tmp_path / "taken.pt")


def test_nothing_that_fits_is_said(graph: Graph, tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(99)}, tmp_path / "w.pt")
    with pytest.raises(ForeignWeightsError, match=r"Nothing in .* fits this network"):
        take(look_into(tmp_path / "w.pt"), matched(graph, tmp_path / "w.pt"), Project(graph), tmp_path / "taken.pt")


def test_half_precision_becomes_what_the_network_has(tmp_path: Path) -> None:
    torch.save({"a.weight": torch.ones(5, 4).half(), "a.bias": torch.ones(5, dtype=torch.bfloat16)}, tmp_path / "w.pt")
    graph = chain(block("input", shape=(4,)), block("dense", units=5), block("output"))
    assert answers(graph, matched(graph, tmp_path / "w.pt"), tmp_path / "w.pt", torch.ones(1, 4)).tolist() == [
        [5.0] * 5
    ]


def test_a_run_starts_from_them_and_keeps_what_is_frozen(tmp_path: Path) -> None:
    project = read_template("iris-mlp")
    torch.manual_seed(1)
    save_plain(nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), tmp_path / "w.pt")
    file = look_into(tmp_path / "w.pt")
    weights = take(file, match(own_tensors(project.graph), file.tensors), project, tmp_path / "taken.pt")
    (first,) = (node for node in project.graph.nodes if node.name == "dense_1")
    graph = SetFrozen(frozenset({first.id}), True).apply(project.graph)
    settings = replace_fields(project.training, epochs=1)
    job = Job(replace(project, graph=graph, training=settings, weights=weights), tmp_path / "run")
    trained = read_checkpoint(Path(run(job, Control(), lambda _: None).checkpoint)).model
    given = torch.load(tmp_path / "w.pt", weights_only=True)
    assert torch.equal(trained["dense_1.weight"], given["0.weight"])
    assert not torch.equal(trained["dense_2.weight"], given["2.weight"])
    assert torch.allclose(trained["dense_2.weight"], given["2.weight"], atol=0.1)


def test_the_command_prints_the_table_and_the_next_run_starts_from_it(
    theirs: nn.Module, graph: Graph, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_plain(theirs, tmp_path / "theirs.pt")
    write_project(tmp_path / "mine.studio.json", Project(graph))
    target = tmp_path / "out.studio.json"
    arguments = ["import-weights", str(tmp_path / "theirs.pt"), str(tmp_path / "mine.studio.json")]
    assert main([*arguments, "-o", str(target), "--by", "shape"]) == 0
    printed = capsys.readouterr().out
    assert "conv2d_1.weight                   4 × 3 × 3 × 3  stem.weight                 same order and size" in printed
    assert "11 of 11 tensors get weights" in printed
    project = read_project(target)
    assert project.weights is not None
    assert project.weights.path == tmp_path / "theirs-1.pt"
    first = read_starting_weights(project.weights, make_plan(project.graph))
    assert torch.equal(first.tensors["dense_1.weight"], theirs.state_dict()["head.weight"])
    assert main([*arguments, "--by", "name"]) == 2
    assert "Nothing in" in capsys.readouterr().err
