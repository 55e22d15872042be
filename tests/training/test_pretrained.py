"""Runs that begin with learned weights of torchvision, from files that only look like its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model, get_model_weights, list_models

from studio import storage
from studio.blocks.torchvision_backbone import NETWORKS
from studio.compile.trace import trace
from studio.data import DataError
from studio.export import script_steps
from studio.export.write import export
from studio.graph.edits import SetBlock, SetFrozen
from studio.graph.group_edits import MakeGroup
from studio.importing import origins
from studio.importing.errors import NetworkImportError
from studio.project import Project, StartingWeights
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import MissingWeightsError, TrainingError
from studio.training.pretrained import ADDRESS, WeightsFile, weights_file
from studio.training.runner import Job, run
from tests.data.test_download import Server, server  # noqa: F401  (a fixture)
from tests.export.test_script import assert_same_end, written
from tests.training.conftest import own_folders  # noqa: F401  (a fixture)
from tests.training.pretrained_files import NETWORK, content_of, digits_project, learned, offer, put


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Torch's own cache for the test."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def frozen(project: Project) -> Project:
    return replace(project, graph=SetFrozen(frozenset({"n4"}), True).apply(project.graph))


def part(model: dict[str, torch.Tensor], path: str = "backbone_1") -> dict[str, torch.Tensor]:
    """The tensors of the backbone in a checkpoint, by their names in torchvision's network."""
    return {name.removeprefix(f"{path}."): t for name, t in model.items() if name.startswith(f"{path}.")}


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    assert len(found) > 10
    return all(torch.equal(tensor, expected[name]) for name, tensor in found.items())


def test_a_frozen_backbone_is_what_torchvision_learned(train: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    content = content_of(learned())
    put(offer(monkeypatch, content), content)
    finished, events = train(frozen(digits_project()))
    kept = read_checkpoint(Path(finished.checkpoint)).model
    assert same(part(kept), learned())  # its norms measured nothing, either
    assert events[0].weights == f"the ImageNet weights of {NETWORK}"
    moved, _ = train(digits_project())
    assert not same(part(read_checkpoint(Path(moved.checkpoint)).model), learned())


def test_in_a_group_too(train: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    content = content_of(learned())
    put(offer(monkeypatch, content), content)
    project = frozen(digits_project())
    finished, _ = train(replace(project, graph=MakeGroup(frozenset({"n3", "n4"}), "Eye").apply(project.graph)))
    model = read_checkpoint(Path(finished.checkpoint)).model
    assert same(part(model, "group_1.backbone_1"), learned())


def test_fresh_weights_need_no_file(train: Callable) -> None:
    project = digits_project()
    item = project.graph.node("n4").block
    finished, events = train(
        replace(project, graph=SetBlock("n4", replace(item, weights="random")).apply(project.graph))
    )
    assert events[0].weights == ""
    assert finished.status == "finished"


def stranger() -> bytes:
    return content_of({name: tensor + 1 for name, tensor in learned().items()})


@pytest.mark.parametrize("what", ["nothing", "half", "a stranger's"])
def test_without_the_original_no_run_begins(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = content_of(learned())
    file = offer(monkeypatch, content)
    if what != "nothing":
        put(file, content[: len(content) // 2] if what == "half" else stranger())
    says = "are not on this machine" if what == "nothing" else "is not the original file, it was cut off or replaced"
    with pytest.raises(MissingWeightsError, match=rf"{NETWORK} .*{says}.* Download them \(\d+ MB\), or set") as caught:
        run(Job(digits_project(), tmp_path / "run"), Control(), lambda event: None)
    assert caught.value.file == file
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (content_of(learned("squeezenet1_1")), "is not for this network: “features.0.0.weight” is missing"),
        (content_of({"features": print}), "no weights that can be read safely"),
        (content_of([1, 2]), "no weights that can be read safely"),
        (b"not a file of torch", "no weights that can be read safely"),
    ],
)
def test_what_has_the_right_digest_but_no_such_weights_is_refused(
    content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(offer(monkeypatch, content), content)
    with pytest.raises(TrainingError, match=says):
        run(Job(digits_project(), tmp_path / "run"), Control(), lambda event: None)


def test_a_checkpoint_goes_before_it_and_needs_no_file(train: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    content = content_of(learned())
    path = put(offer(monkeypatch, content), content)
    first, _ = train(digits_project())
    checkpoint = Path(first.checkpoint)
    path.unlink()
    project = replace(frozen(digits_project()), weights=StartingWeights(checkpoint, storage.sha256(checkpoint)))
    second, events = train(project)
    before = part(read_checkpoint(checkpoint).model)
    assert same(part(read_checkpoint(Path(second.checkpoint)).model), before)
    assert "ImageNet" not in events[0].weights
    assert "tensors from best.pt" in events[0].weights


def test_what_a_checkpoint_does_not_have_comes_from_the_file(train: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    project = digits_project()
    shorter = replace(project.graph.node("n4").block, stage="1/2", weights="random")
    first, _ = train(replace(project, graph=SetBlock("n4", shorter).apply(project.graph)))
    checkpoint = Path(first.checkpoint)
    begun = part(read_checkpoint(checkpoint).model)
    content = content_of(learned())
    put(offer(monkeypatch, content), content)
    weights = StartingWeights(checkpoint, storage.sha256(checkpoint))
    second, events = train(replace(frozen(project), weights=weights))
    found = part(read_checkpoint(Path(second.checkpoint)).model)
    assert begun.keys() < found.keys()
    assert same(found, learned() | begun)
    assert events[0].weights.startswith(f"the ImageNet weights of {NETWORK}, {len(begun) + 4} of ")


def test_what_was_trained_leaves_without_the_file(
    train: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = content_of(learned())
    path = put(offer(monkeypatch, content), content)
    finished, _ = train(frozen(digits_project()))
    path.unlink()
    said = export(Path(finished.run), "python", tmp_path / "net.py")
    assert "the same answers bit for bit" in said
    text = (tmp_path / "net.py").read_text()
    assert "It needs only torch and torchvision." in text
    assert "import torch\nfrom torch import nn\nfrom torchvision.models import get_model\n" in text
    given = [finished.checkpoint, "", str(torch.get_num_threads()), "1", str(tmp_path / "weights.pt")]
    with pytest.raises(SystemExit) as ended:  # a script is written then, but not compared
        script_steps.main(given)
    assert ended.value.code == script_steps.NO_DATA
    assert f"{NETWORK} are not on this machine" in capsys.readouterr().err


def test_the_script_ends_as_the_run_did(
    train: Callable, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torchvision itself reads the file there, and asks for no digest of one that it finds."""
    real = NETWORKS[NETWORK].file
    content = content_of(learned())
    put(offer(monkeypatch, content), content)
    finished, _ = train(frozen(digits_project()))
    (cache / real).write_bytes(content)
    path = written(finished, tmp_path / "elsewhere")
    assert 'PRETRAINED = {\n    "backbone_1": ("mobilenet_v3_small", "IMAGENET1K_V1"),\n}' in path.read_text()
    assert_same_end(finished, path)


def test_samples_draw_nothing_from_the_run_s_random_numbers() -> None:
    for network in ("convnext_tiny", "regnet_y_400mf", "densenet121"):
        project = digits_project()
        other = replace(project.graph.node("n4").block, network=network, weights="random")
        graph = SetBlock("n4", other).apply(project.graph)
        before = torch.get_rng_state()
        found = trace(graph, [torch.zeros(1, 1, 8, 8)])
        assert torch.equal(torch.get_rng_state(), before)
        assert found["n4"].shape[1:] == (8, 8)


@pytest.mark.parametrize("variables", [{}, {"TORCH_HOME": "~/t"}, {"XDG_CACHE_HOME": "/c"}])
def test_the_files_are_where_torch_has_them(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert weights_file("resnet18").path == Path(torch.hub.get_dir()) / "checkpoints" / "resnet18-f37072fd.pth"


def test_the_oldest_names_of_tensors_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        names = list(get_model("densenet121", weights=None).state_dict())
    old = [re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", name) for name in names]
    assert sum(a != b for a, b in zip(names, old, strict=True)) > 400
    content = content_of({name: torch.zeros(1) for name in old})
    file = offer(monkeypatch, content)
    put(file, content)
    assert list(file.read()) == names


def test_every_network_of_torchvision_has_a_file_with_a_digest() -> None:
    from torchvision import models

    for name in list_models(models):
        file = origins.learned_file(name)
        assert file.url.startswith(ADDRESS)
        assert len(file._remote().sha256) >= 8
        assert file.download_bytes > 1e6
    assert len(get_model_weights("resnet18")) == 1


def test_it_is_fetched_whole_and_checked_or_not_at_all(
    server: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = content_of(learned())
    file = offer(monkeypatch, content, server.url)
    server.files[file.path.name] = content
    server.cut.add(file.path.name)
    with pytest.raises(DataError, match=r"SHA-256 differs.*put them into .*checkpoints"):
        file.download()
    assert list(file.path.parent.iterdir()) == []
    server.cut.clear()
    put(file, stranger())
    calls: list[int] = []
    file.download(lambda done, total: calls.append(done))
    assert calls[-1] == len(content)
    assert file.path.read_bytes() == content
    assert same(file.read(), learned())
    asked = len(server.asked)
    file.download()
    assert len(server.asked) == asked


def test_an_import_takes_the_same_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = NETWORKS[NETWORK].file

    def download(file: WeightsFile) -> None:
        assert file == weights_file(NETWORK) or file.path == weights_file(NETWORK).path
        put(file, content_of(learned()))

    monkeypatch.setattr(WeightsFile, "download", download)
    module = origins.from_torchvision(NETWORK, pretrained=True).module
    assert (cache / real).is_file()
    assert same(dict(module.state_dict()), learned())

    def fail(file: WeightsFile) -> None:
        raise DataError("No connection.")

    monkeypatch.setattr(WeightsFile, "download", fail)
    with pytest.raises(NetworkImportError, match="could not be fetched: No connection"):
        origins.from_torchvision(NETWORK, pretrained=True)
