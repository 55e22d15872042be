"""A person's own Python file as data: nothing of it runs before it is trusted, and what it gives is taken as it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio import trust
from studio.cli.main import main
from studio.data import DataChoice, DataError, Source
from studio.data import registry as sources
from studio.data.base import UntrustedDataError
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from studio.fields import replace

PythonFile = sources.get("python-file")
PAIRS = """
import torch
from torch.utils.data import Dataset

class Pairs(Dataset):
    classes = ["low", "high"]
    def __len__(self):
        return 40
    def __getitem__(self, index):
        return torch.tensor([index / 40, 1.0]), int(index >= 20)
"""


@pytest.fixture(autouse=True)
def nothing_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    trust.forget_for_now()


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Source]:
    """Writes code, and gives the source at it; trusted, unless the test says otherwise."""

    def write(code: str, trusted: bool = True, **settings: Any) -> Source:
        path = tmp_path / "own.py"
        path.write_text(code)
        if trusted:
            trust.trust_for_now(code)
        return PythonFile(path=path.as_posix(), **settings)

    return write


ACTS: dict[str, Callable[[Source], object]] = {
    "drop": lambda source: recognize(Path(source.place)),
    "spec": lambda source: source.spec,
    "code": lambda source: source.code,
    "look": lambda source: source.look(),
    "listing": lambda source: source.listing(),
    "load": lambda source: source.load(),
    "prepare": lambda source: prepare(DataChoice(source=source)),
    "unpack": lambda source: source.unpack(),
    "inspect": lambda source: main(["inspect", source.place]),
    "check": lambda source: main(["check", "--template", "xor-mlp", "--data", source.place]),
    "train": lambda source: main(["train", "--data", source.place]),
    "another was trusted": lambda source: (trust.trust_for_now(PAIRS), source.load()),
}


@pytest.mark.parametrize("act", ACTS)
def test_nothing_runs_before_it_is_trusted(act: str, written: Callable[..., Source], tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    source = written(f"open({str(marker)!r}, 'w').close()\n{PAIRS}", trusted=False)
    try:
        ACTS[act](source)
    except UntrustedDataError as error:
        assert "Nothing of it has run" in str(error)  # noqa: PT017  # several of the acts raise nothing
    assert not marker.exists()
    trust.trust_for_now(Path(source.place).read_text())
    source.load()
    assert marker.exists()


def test_a_file_that_changed_is_not_trusted(written: Callable[..., Source]) -> None:
    source = written(PAIRS)
    assert source.code is None
    Path(source.place).write_text(PAIRS + "#")
    assert source.code == PAIRS + "#"
    with pytest.raises(UntrustedDataError):
        source.load()


def test_a_dataset_of_tensors(written: Callable[..., Source]) -> None:
    source = written(PAIRS)
    findings = source.look()
    assert (findings.rows, findings.counts, findings.spec.target.names) == (40, (20, 20), ("low", "high"))
    assert "40 samples from own.py" in findings.summary
    dataset = prepare(DataChoice(source=source))
    assert dataset.inputs[0].shape == (40, 2)
    assert dataset.targets.tolist() == [0] * 20 + [1] * 20
    assert source.listing().show(39).answer == "high"


@pytest.mark.parametrize(
    ("code", "inputs", "task", "names", "targets"),
    [
        ("import numpy as np\ndef dataset(): return [(np.full((3, 4, 5), n, np.uint8), 'ba'[n]) for n in range(2)]",
         "3×4×5", "classification", ("a", "b"), [1, 0]),
        ("from PIL import Image\ndef dataset(): return [(Image.new('L', (5, 4), n), n % 2) for n in range(4)]",
         "1×4×5", "classification", ("0", "1"), [0, 1, 0, 1]),
        ("def dataset(): return [(n, n / 2) for n in range(4)]", "1", "regression", ("y",), [[0], [0.5], [1], [1.5]]),
        ("def dataset(): return [('good day', [0.5, 1.0]), ('bye', [0.0, 2.0])]", "200", "regression", ("y1", "y2"),
         [[0.5, 1], [0, 2]]),
        ("import torch\ndef dataset(): return [(torch.tensor([1, 7]), torch.tensor([0, 2])), (torch.tensor([3, 0]), "
         "torch.tensor([1, -100]))]", "2", "classification", ("0", "1", "2"), [[0, 2], [1, -100]]),
    ],
)  # fmt: skip
def test_kinds_of_items(
    written: Callable[..., Source], code: str, inputs: str, task: str, names: tuple[str, ...], targets: Any
) -> None:
    samples = written(code, name="dataset").load()
    assert samples.spec is not None
    assert "×".join(map(str, samples.spec.inputs[0].dims)) == inputs
    assert (samples.spec.target.task, samples.spec.target.names) == (task, names)
    assert samples.targets.tolist() == targets


@pytest.mark.parametrize(
    ("code", "starts"),
    [
        ("def dataset(): return {'train': [(1.0, 0)] * 5, 'val': [(1.0, 1)] * 3, 'test': [(1.0, 0)] * 2}", (5, 8)),
        ("def dataset(): return {'train': [(1.0, 0)] * 5, 'dev': [(1.0, 1)] * 3}", (None, 5)),
        ("def dataset(train): return [(1.0, 0)] * (7 if train else 2)", (None, 7)),
        ("def dataset(split='train'):\n return {'train': [(1.0, 0)] * 4, 'test': [(1.0, 1)]}[split]", (None, 4)),
        ("class dataset:\n def __init__(self, split): self.n = {'train': 4, 'validation': 2, 'test': 1}[split]\n"
         " def __iter__(self): return iter([(1.0, 0)] * self.n)", (4, 6)),
    ],
)  # fmt: skip
def test_own_splits(written: Callable[..., Source], code: str, starts: tuple[int | None, int | None]) -> None:
    samples = written(code, name="dataset").load()
    assert (samples.validation_start, samples.test_start) == starts


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def dataset(): return [(1.0, 0), (2.0, 0, 1)]", "train item 1 must be a pair .* but it is 3 values"),
        ("def dataset(): return [([1.0, 2.0], 0)] * 7 + [([1.0], 0)]",
         "train item 7: its input is float32 of the shape 1, but that of the first item is float32 of the shape 2"),
        ("def dataset(): return [(float('nan'), 0)]", "train item 0: its input has numbers that are infinite"),
        ("def dataset(): return [(1.0, -3)]", "classes from 0 on, but there is -3"),
        ("def dataset(): return [(object(), 0)]", "train item 0: its input is a object"),
        ("def dataset(): return []", "gives no samples"),
        ("def dataset(): return 5", "is no dataset, but a int"),
        ("def dataset(): return {'a': [(1.0, 0)]}", "gives a; expected are train"),
        ("def dataset(n): return []", "cannot be called: it needs n"),
        ("x = 1\n\ndef dataset():\n    return [][3]", r"own\.py, line 4: IndexError: list index out of range"),
        ("class dataset:\n def __len__(self): return 2\n def __getitem__(self, i):\n  raise SystemExit('bye')",
         r"own\.py, line 4: SystemExit: bye"),
        ("import no_such_module\ndef dataset(): pass", r"own\.py, line 1: ModuleNotFoundError"),
        ("def dataset(:", r"own\.py, line 1: this is no Python"),
        ("x = 1", "no class or function “dataset”. Name one; there are: none"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(written: Callable[..., Source], code: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        written(code, name="dataset").load()


def test_too_much_for_the_memory(written: Callable[..., Source], monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.data.own_code import samples as python_samples

    monkeypatch.setattr(python_samples, "MOST_BYTES", 10_000)
    endless = "import numpy as np\nclass dataset:\n def __iter__(self):\n  while True: yield np.zeros(100), 0"
    with pytest.raises(DataError, match=r"take more than .* from train item 16 on"):
        written(endless, name="dataset").load()


@pytest.mark.parametrize(
    ("code", "claimed"),
    [
        (PAIRS, True),
        ("from torch.utils.data import TensorDataset\ndef make(): return TensorDataset()", True),
        ("class A:\n def __len__(self): ...\n def __getitem__(self, i): ...", True),
        ("def data() -> 'torch.utils.data.Dataset': ...", True),
        ("import torch\nclass Net(torch.nn.Module): pass", False),
        ("print(1)", False),
        ("def f(:", False),
    ],
)
def test_what_is_claimed(tmp_path: Path, code: str, claimed: bool) -> None:
    path = tmp_path / "some.py"
    path.write_text(code)
    assert [source.kind for source in recognize(path)] == (["python-file"] if claimed else [])


def test_random_numbers_are_the_same_each_time_and_nobody_elses_change(written: Callable[..., Source]) -> None:
    source = written(
        "import random, torch\ndef dataset(): return [(random.random() + torch.rand(2), 0) for _ in range(9)]"
    )
    source = replace(source, name="dataset")
    random.seed(5)
    wanted = random.random()
    random.seed(5)
    first = source.load().inputs[0]
    assert random.random() == wanted
    assert np.array_equal(first, source.load().inputs[0])
    assert len(np.unique(first)) > 9


def test_the_folder_of_the_file_is_no_place_to_import_from(written: Callable[..., Source], tmp_path: Path) -> None:
    (tmp_path / "beside_own_file.py").write_text("raise AssertionError('nobody trusted this')")
    with pytest.raises(DataError, match="No module named 'beside_own_file'"):
        written("import beside_own_file\ndef dataset(): pass", name="dataset").load()


def test_it_is_trained_on_the_command_line(written: Callable[..., Source], tmp_path: Path) -> None:
    source = written(PAIRS, trusted=False)
    arguments = [
        "train",
        "--data",
        source.place,
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--run-dir",
        str(tmp_path / "run"),
    ]
    assert main(arguments) == 2
    assert main([*arguments, "--trust"]) == 0
    assert (tmp_path / "run").exists()
    trust.forget_for_now()
    assert source.code is not None  # it was trusted for that command alone
