"""The training script: a run without the studio that ends with the studio's weights, bit for bit."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from studio.compile.source import class_source
from studio.data import DataSpec, LoadingCode, Samples, Source, Split, Target
from studio.data import registry as sources
from studio.data.bundled import Digits
from studio.data.marks import Relabelled
from studio.export import script, script_proof
from studio.export.formats import ExportError
from studio.export.write import export
from studio.fields import FieldSpec, replace, specs
from studio.graph.group_edits import MakeGroup
from studio.project import Project, read_template
from studio.settings import TrainingSettings
from studio.settings.optimizers import registry as optimizers
from studio.tensors import TensorSpec
from studio.training.checkpoint import Checkpoint, read_checkpoint
from tests.data.conftest import mnist_files
from tests.export.conftest import Train, assert_same_end, written
from tests.helpers import block, chain
from tests.training.conftest import own_folders, with_settings  # noqa: F401  (a fixture)


@pytest.mark.parametrize(
    ("template", "settings"),
    [
        ("digits-mlp", {"epochs": 3, "threads": 2, "optimizer": optimizers.get("sgd")(nesterov=True)}),
        ("digits-cnn", {"epochs": 2, "seed": 7}),
        ("digits-gru", {"epochs": 2, "batch_size": 100, "optimizer": optimizers.get("adam")(beta1=0.8)}),
        ("xor-mlp", {"epochs": 3}),
        ("spirals-mlp", {"epochs": 2}),
    ],
)
def test_it_ends_as_the_run_did(template: str, settings: dict[str, Any], train: Train, tmp_path: Path) -> None:
    finished = train(with_settings(template, **settings))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_other_data_split_and_scaling(train: Train, tmp_path: Path) -> None:
    project = with_settings("iris-mlp", epochs=3, batch_size=23)  # batches are no whole cache lines; one sample is left
    data = replace(project.data, scaling="unit range", split=Split(validation=0.3, test=0.1, seed=5))
    finished = train(dataclasses.replace(project, data=data))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_balanced_folds_without_some_samples(train: Train, tmp_path: Path) -> None:
    project = with_settings("digits-mlp", epochs=2, batch_size=50)
    split = Split("k-fold", seed=5, folds=4, fold=3)
    excluded = tuple(range(0, 1000, 3))  # they are of some classes more than of others
    data = replace(project.data, split=split, balanced=True, excluded=excluded)
    finished = train(dataclasses.replace(project, data=data))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_a_test_split_that_stays_locked(train: Train, tmp_path: Path) -> None:
    finished = train(with_settings("iris-mlp", epochs=2, test_at_end=False))
    path = written(finished, tmp_path / "elsewhere")
    assert "testing" not in path.read_text()
    assert_same_end(finished, path)


def test_the_input_itself_as_the_target(train: Train, tmp_path: Path) -> None:
    finished = train(with_settings("digits-autoencoder", epochs=3))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_a_picture_as_its_own_target(train: Train, tmp_path: Path) -> None:
    """With the channels last in memory, and so in another order for the mean."""
    project = with_settings("digits-autoencoder", epochs=2)
    layers = [block("conv2d", filters=3, padding=1), block("relu"), block("conv2d", filters=1, padding=1)]
    graph = chain(block("input", shape=(1, 8, 8)), *layers, block("output"))
    data = replace(project.data, scaling="unit range")
    finished = train(dataclasses.replace(project, graph=graph, data=data))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_classes_of_pixels(train: Train, tmp_path: Path) -> None:
    project = with_settings("shapes-unet", epochs=2)
    data = replace(project.data, source=sources.get("shapes")(samples=90, noise=9, seed=2))
    finished = train(dataclasses.replace(project, data=data))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_classes_of_steps_in_the_order_of_the_text(train: Train, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "tinyshakespeare.txt").write_text("".join(f"Scene {'I' * n}. Enter a knave.\n" for n in range(80)))
    project = with_settings("shakespeare-gpt", epochs=2, batch_size=7)
    finished = train(project, folder)
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"), "--data-dir", str(folder))


def test_data_with_a_test_set_of_its_own(train: Train, tmp_path: Path) -> None:
    folder = mnist_folder(tmp_path / "data")
    finished = train(with_settings("mnist-relu-mlp", epochs=2, batch_size=16), folder)
    said = export(Path(finished.run), "script", tmp_path / "train.py", folder)
    assert said.endswith("it came to the studio’s weights bit for bit.")
    assert_same_end(finished, tmp_path / "train.py", "--data-dir", str(folder))


def mnist_folder(folder: Path) -> Path:
    folder.mkdir()
    for name, content in mnist_files(train=100, test=20).items():
        (folder / name).write_bytes(content)
    return folder


def test_without_the_data_it_says_that_nothing_was_compared(train: Train, tmp_path: Path) -> None:
    folder = mnist_folder(tmp_path / "data")
    finished = train(with_settings("mnist-relu-mlp", epochs=1, batch_size=16), folder)
    said = export(Path(finished.run), "script", tmp_path / "train.py")
    assert "were not compared" in said
    assert "MNIST was not found in" in said
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"broken")
    said = export(Path(finished.run), "script", tmp_path / "train.py", folder)
    assert "were not compared" in said
    assert "train-labels" in said
    assert (tmp_path / "train.py").is_file()


class Line(Source):
    """Points on a line, for a regression."""

    kind: ClassVar[str] = "line"
    title: ClassVar[str] = "Line"
    group: ClassVar[str] = "Tests"
    about: ClassVar[str] = "y = 2x"

    @property
    def spec(self) -> DataSpec:
        return DataSpec((TensorSpec((1,), "D"),), Target("regression", ("y",)))

    def load(self, folder: Path | None = None) -> Samples:
        x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
        return Samples((x,), 2 * x)

    @property
    def loading_code(self) -> LoadingCode:
        return LoadingCode(
            "def load_data() -> tuple[np.ndarray, np.ndarray]:\n"
            "    x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]\n"
            "    return x, 2 * x"
        )


def test_a_regression(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources._items, "line", Line)
    graph = chain(block("input", shape=(1,)), block("dense", units=4), block("dense", units=1), block("output"))
    project = with_settings("iris-mlp", epochs=3)
    data = replace(project.data, source=Line(), scaling="none")
    finished = train(dataclasses.replace(project, graph=graph, data=data))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_numbers_that_were_scaled(train: Train, tmp_path: Path) -> None:
    graph = chain(block("input", shape=(3,)), block("dense", units=3), block("output"))
    project = with_settings("iris-mlp", epochs=3)
    data = replace(project.data, source=sources.get("linnerud")())
    finished = train(dataclasses.replace(project, graph=graph, data=data))
    assert finished.metrics["test"]["mae"] > 2  # in pounds, inches and beats a minute
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


@pytest.mark.parametrize(
    ("honest", "false", "said"),
    [
        ("shuffled(order)", "rows", "other weights"),
        ("import torch\n", "import torch\nimport studio\n", "did not run: ModuleNotFoundError"),
    ],
)
def test_a_script_that_trains_otherwise_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, honest: str, false: str, said: str
) -> None:
    make = script.make_script
    assert honest in make(read_checkpoint(checkpoint), 1, "cpu")
    monkeypatch.setattr(script, "make_script", lambda *given: make(*given).replace(honest, false))
    with pytest.raises(ExportError, match=said):
        export(checkpoint, "script", tmp_path / "train.py")
    assert not (tmp_path / "train.py").exists()


def test_it_says_when_trying_takes_too_long(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_proof, "SECONDS_FOR_THE_STEPS", 0.1)
    said = export(checkpoint, "script", tmp_path / "train.py")
    assert said.endswith("its weights were not compared with the studio’s. It took longer than 0.1 seconds.")
    assert (tmp_path / "train.py").is_file()


def test_what_does_not_start_is_not_written(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_proof, "SECONDS_FOR_THE_STEPS", 0.1)
    monkeypatch.setattr(script, "make_script", lambda *given: "import torhc")
    with pytest.raises(ExportError, match=r"does not start: .*torhc"):
        export(checkpoint, "script", tmp_path / "train.py")
    assert not (tmp_path / "train.py").exists()


def of(project: Project, **preparation: Any) -> Checkpoint:
    """A checkpoint of a project on the digits, as far as a script is made from it."""
    given = {"inputs": [{"scaling": {"shift": [4.5], "scale": [0.25]}}], "names": list("0123456789")}
    return Checkpoint({}, {}, 1, 1, {}, project, given | preparation)


def source_of(project: Project, **preparation: Any) -> str:
    return script.make_script(of(project, **preparation), 1, "cpu")


def other(spec: FieldSpec, value: Any) -> Any:
    """Another value of a field."""
    if spec.type is bool:
        return not value
    if spec.type is str:
        return spec.choices[1]
    if spec.type is tuple:
        return (*value, value[-1] + 1)
    return value + 1 if spec.type is int else value * 0.5 + 0.01 + (spec.min or 0.0)


@pytest.mark.parametrize("name", [s.name for s in specs(TrainingSettings) if s.name not in ("device", "threads")])
def test_every_setting_is_in_it(name: str) -> None:
    project = read_template("digits-mlp")
    spec = next(s for s in specs(TrainingSettings) if s.name == name)
    training = replace(project.training, **{name: other(spec, getattr(project.training, name))})
    assert source_of(dataclasses.replace(project, training=training)) != source_of(project)


@pytest.mark.parametrize("kind", optimizers.kinds())
def test_every_setting_of_an_optimizer_is_in_it(kind: str) -> None:
    project = read_template("digits-mlp")
    optimizer = optimizers.get(kind)()
    seen = set()
    for changes in [{}, *({s.name: other(s, getattr(optimizer, s.name))} for s in specs(type(optimizer)))]:
        training = replace(project.training, optimizer=replace(optimizer, **changes))
        seen.add(source_of(dataclasses.replace(project, training=training)))
    assert len(seen) == 1 + len(specs(type(optimizer)))


def test_every_setting_of_the_split_is_in_it() -> None:
    project = read_template("digits-mlp")
    seen = {source_of(project)}
    first = replace(project.data.split, method="k-fold")
    for spec in specs(Split):
        start = first if spec.name in ("folds", "fold") else project.data.split
        split = replace(start, **{spec.name: other(spec, getattr(start, spec.name))})
        seen.add(source_of(dataclasses.replace(project, data=replace(project.data, split=split))))
    assert len(seen) == 1 + len(specs(Split))


def test_every_choice_of_data_is_in_it() -> None:
    project = read_template("digits-mlp")
    changes = [{}, {"balanced": True}, {"excluded": (3,)}, {"excluded": (4,)}]
    seen = {source_of(dataclasses.replace(project, data=replace(project.data, **change))) for change in changes}
    assert len(seen) == len(changes)


HOSTILE = '"""\nimport os; os.system("x")\n# \\ \' {x} $name \u202e'


def test_hostile_texts_only_change_constants() -> None:
    project = read_template("digits-mlp")
    plain = source_of(project)
    hostile = source_of(
        dataclasses.replace(project, title=HOSTILE + project.title, notes=HOSTILE), names=[HOSTILE, "'", '"', "\n", "a"]
    )
    assert re.search(r"^class ImportOsOsSystemXXNameDigits", hostile, re.MULTILINE)
    assert without_texts(hostile) == without_texts(plain)
    labels = next(node for node in ast.parse(hostile).body if "LABELS" in ast.unparse(node))
    assert ast.literal_eval(labels.value) == [HOSTILE, "'", '"', "\n", "a"]


def without_texts(source: str) -> str:
    """A script's code, but for the introduction, the labels and the network's name."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body[1:] if not ast.unparse(node).startswith("LABELS")]
    name = next(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    return re.sub(rf"\b{name}\b", "Network", ast.unparse(tree))


@pytest.mark.parametrize("title", ["Split", "Batches", "LABELS", "Path", "SEED"])
def test_a_title_takes_no_name_of_the_script(title: str) -> None:
    source = source_of(dataclasses.replace(read_template("digits-mlp"), title=title))
    assert f"class {title}Network(nn.Module)" in source
    assert f"model = {title}Network()" in source


@pytest.mark.parametrize("title", ["Split", "np", "main", "load_data", "functional"])
def test_a_group_takes_no_name_of_the_script(title: str) -> None:
    project = read_template("digits-mlp")
    inner = next(node.id for node in project.graph.nodes if node.block.kind == "relu")
    graph = MakeGroup(frozenset({inner}), title).apply(project.graph)
    source = source_of(dataclasses.replace(project, graph=graph))
    assert f"class {title}2(nn.Module)" in source
    assert f"class {title}(nn.Module)" not in source


def test_names_are_free_where_nothing_else_stands() -> None:
    graph = chain(block("input", shape=(3,)), block("dense"), block("output"))
    plan = script.make_plan(MakeGroup(frozenset({"n2"}), "Split").apply(graph))
    assert class_source(plan, "Network").startswith("class Split(nn.Module)")


def test_what_cannot_be_written_is_refused(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Digits, "loading_code", None)
    with pytest.raises(ExportError, match="how “Digits” is loaded cannot be written"):
        export(checkpoint, "script", tmp_path / "train.py")
    assert not (tmp_path / "train.py").exists()


def test_classes_given_by_hand_are_refused_by_name(checkpoint: Path) -> None:
    read = read_checkpoint(checkpoint)
    data = read.project.data.given([Relabelled(3, "4", "0" * 32)])
    with pytest.raises(ExportError, match="which samples were given another class by hand cannot be written"):
        script.make_script(dataclasses.replace(read, project=dataclasses.replace(read.project, data=data)), 1, "cpu")


@pytest.mark.parametrize("inputs", [[], [{}], [{"scaling": {"shift": ["x"], "scale": [1]}}], None])
def test_a_scaling_that_is_none_is_refused(inputs: Any) -> None:
    with pytest.raises(ExportError, match="how its inputs are scaled"):
        source_of(read_template("digits-mlp"), inputs=inputs)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ('{"threads": 3, "device": "cuda:0"}', (3, "cuda")),
        ('{"threads": "os", "device": "cpu"}', (5, "cpu")),
        ('{"threads": 3, "device": "\\"; x"}', (5, "cpu")),
        ('{"threads": 100000, "device": "cpu"}', (5, "cpu")),
        ("[]", (5, "cpu")),
        ("{", (5, "cpu")),
        (None, (5, "cpu")),
    ],
)
def test_threads_and_device_are_those_of_the_run(
    record: str | None, expected: tuple[int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "resolve_device", lambda choice: torch.device("cpu"))
    if record is not None:
        (tmp_path / "run.json").write_text(record)
    checkpoint = of(with_settings("digits-mlp", threads=5))
    assert script._machine(checkpoint, tmp_path / "checkpoints" / "best.pt") == expected


@pytest.mark.parametrize(
    ("template", "changes"),
    [
        ("digits-cnn", {}),
        ("digits-gru", {"balanced": True, "excluded": tuple(range(50))}),
        ("iris-mlp", {"split": Split("k-fold")}),
        ("mnist-lenet5", {}),
        ("mnist-cnn", {"split": Split("k-fold"), "excluded": (3,)}),
        ("cifar-resnet18", {}),
        ("digits-autoencoder", {}),
        ("shapes-unet", {}),
        ("xor-mlp", {"split": Split("random")}),
    ],
)
@pytest.mark.parametrize("tested", [True, False])
def test_a_linter_finds_nothing(template: str, changes: dict[str, Any], tested: bool, tmp_path: Path) -> None:
    project = with_settings(template, test_at_end=tested)
    project = dataclasses.replace(project, data=replace(project.data, **changes))
    names = [f"the class with the number {number}" for number in range(12)]
    (tmp_path / "train.py").write_text(source_of(project, names=names))
    rules = "E,F,W,I,UP,B,SIM,N,PIE,C4,D1"
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", "--select", rules]
    done = subprocess.run([*command, "--ignore", "D102,D107", tmp_path / "train.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
