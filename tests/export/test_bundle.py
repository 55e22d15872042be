"""A bundle predicts on new files without the studio, as the studio does."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.assets import resource
from studio.evaluation.answering import Answerer, open_answerer
from studio.export.bundle import trial
from studio.export.bundle.making import make_bundle
from studio.export.bundle.trial import Trial, try_bundle
from studio.export.clean_process import ProcessError
from studio.export.formats import ExportError
from studio.export.write import export
from studio.training.events import Finished
from tests.evaluation.test_answering import (
    audio,
    embedded_table,
    image_folders,
    loaded,
    plain_text,
    series,
    text_files,
)


@pytest.fixture(scope="module")
def bundle(trained: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the default network."""
    folder = tmp_path_factory.mktemp("bundles") / "digits"
    told = export(Path(trained.run), "bundle", folder)
    assert "8 samples of the dataset and 4 drawn ones" in told
    return folder


def picture(folder: Path) -> Path:
    """A drawing that is larger than the digits, in colour."""
    colours = np.random.default_rng(5).integers(0, 255, (30, 21, 3)).astype(np.uint8)
    Image.fromarray(colours).save(folder / "new.png")
    return folder / "new.png"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles are tried in this process: another one takes seconds to load PyTorch."""

    def run_here(code: str, arguments: list[str], seconds: float, tick: object = None) -> None:
        own = {path.stem for path in resource("bundle").glob("*.py")} | {"network", "columns"}
        before = {name: sys.modules.pop(name) for name in own if name in sys.modules}
        monkeypatch.setattr(sys, "argv", ["-c", *arguments])
        path = list(sys.path)
        try:
            exec(code.replace('sys.modules["studio"] = None\n', ""), {})
        except Exception as error:
            raise ProcessError(f"{type(error).__name__}: {error}") from error
        finally:
            sys.path[:] = path
            for name in own:
                sys.modules.pop(name, None)
            sys.modules.update(before)

    monkeypatch.setattr(trial, "run_alone", run_here)


def test_it_predicts_in_a_clean_environment(bundle: Path, trained: Finished, tmp_path: Path) -> None:
    """A virtual environment of its own, which has the libraries but not the studio."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(tmp_path / "clean")
    python = tmp_path / "clean" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    site = Path(subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip())  # fmt: skip
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (site / "studio.py").write_text("raise ImportError('the studio is not here')\n")
    (tmp_path / "no.png").write_bytes(b"no picture")
    file = picture(tmp_path)
    files = [str(tmp_path / "no.png"), str(tmp_path / "gone.png"), str(file)]
    command = [python, "predict.py", *files, "--json", "--top", "10"]
    found = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    answer = json.loads(found.stdout)
    answerer = open_answerer(Path(trained.run), "cpu")
    ours = answerer.answer(answerer.read(file))
    assert answer["answer"] == ours.best
    for name, share in ours.top(10):
        assert answer["probabilities"][name] == pytest.approx(share, abs=1e-6)
    # What cannot be read is told, and the rest goes on.
    assert found.returncode == 1
    assert "no picture that can be read" in found.stderr
    assert "gone.png" in found.stderr


def test_what_is_in_it(bundle: Path, trained: Finished) -> None:
    needs = (bundle / "requirements.txt").read_text().splitlines()
    assert [line.partition("==")[0] for line in needs] == ["torch", "numpy", "safetensors", "pillow"]
    assert needs[0] == f"torch=={torch.__version__.split('+')[0]}"
    card = (bundle / "README.md").read_text()
    assert "1,300" in card  # samples of the training split
    assert "Not stated yet" in card
    assert str(Path(trained.run)) not in card  # folders of this machine are nobody's business
    assert "studio" not in (bundle / "network.py").read_text().replace("Training Studio", "")


def test_a_zip_file_has_the_same_files(bundle: Path, trained: Finished, tmp_path: Path, here: None) -> None:
    export(Path(trained.run), "bundle", tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        # Where Python may write what it compiled, the other tests left some of it.
        names = {path.name for path in bundle.iterdir()} - {"__pycache__"}
        assert {name.removeprefix("b/") for name in archive.namelist()} == names
        assert archive.read("b/model.safetensors") == (bundle / "model.safetensors").read_bytes()


def tried(
    case: Callable[[Path], tuple], folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict], None]
) -> Trial:  # fmt: skip
    source, _ = case(folder)
    given = loaded(source, folder, monkeypatch)
    answerer = Answerer.from_checkpoint(given.checkpoint, "cpu")
    made = make_bundle(given.checkpoint, given.plan, answerer.preparation)
    change(made.files)
    return try_bundle(made.files, answerer, given.dataset, None)


@pytest.mark.parametrize("case", [image_folders, embedded_table, text_files, plain_text, audio, series])
def test_other_inputs_are_read_as_the_studio_reads_them(
    case: Callable[[Path], tuple], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: None
) -> None:
    found = tried(case, tmp_path, monkeypatch, lambda files: None)
    assert found.largest < 1e-5
    assert found.drawn >= 3


def sabotaged_scaling(files: dict[str, bytes]) -> None:
    about = json.loads(files["model.json"])
    about["inputs"][0]["shift"][0] += 1.0
    files["model.json"] = json.dumps(about).encode()


def sabotaged_colours(files: dict[str, bytes]) -> None:
    files["picture.py"] = files["picture.py"].replace(b'"white"', b'"black"')


def sabotaged_labels(files: dict[str, bytes]) -> None:
    about = json.loads(files["model.json"])
    about["names"].reverse()
    files["model.json"] = json.dumps(about).encode()


def needs_the_studio(files: dict[str, bytes]) -> None:
    files["predict.py"] += b"\nimport studio\n"


@pytest.mark.parametrize("change", [sabotaged_scaling, sabotaged_colours, sabotaged_labels])
def test_a_wrong_bundle_is_refused(
    change: Callable[[dict[str, bytes]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: None
) -> None:
    with pytest.raises(ExportError, match="Nothing was written"):
        tried(image_folders, tmp_path, monkeypatch, change)


def test_one_that_needs_the_studio_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExportError, match=r"does not predict: .*studio"):
        tried(image_folders, tmp_path, monkeypatch, needs_the_studio)


def test_a_table_is_read_with_other_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: None) -> None:
    """A file as spreadsheets of other countries write it, with several rows; a wrong cell is refused by its column."""
    source, raw = embedded_table(tmp_path)
    given = loaded(source, tmp_path, monkeypatch)
    answerer = Answerer.from_checkpoint(given.checkpoint, "cpu")
    for name, content in make_bundle(given.checkpoint, given.plan, answerer.preparation).files.items():
        (tmp_path / name).write_bytes(content)
    rows = [{**raw(number), "more": "x"} for number in (1, 2)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter="\t")
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "new.csv").write_text(text.getvalue(), encoding="utf-8-sig")
    (tmp_path / "wrong.csv").write_text(text.getvalue().replace(rows[0]["age"], "old"))
    trial.run_alone(_TWO_TABLES, [str(tmp_path)], 60.0)
    assert json.loads((tmp_path / "said").read_text()) == [answerer.answer(answerer.read(row)).best for row in rows]


_TWO_TABLES = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
from predict import load
model = load(folder)
(folder / "said").write_text(json.dumps([answer["answer"] for answer in model.predict(str(folder / "new.csv"))]))
try:
    model.predict(folder / "wrong.csv")
except ValueError as error:
    assert "age" in str(error) and "number" in str(error), error
else:
    raise AssertionError("a wrong cell was taken")
"""
