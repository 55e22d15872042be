"""Hugging Face's datasets in files: what its library writes, what a hub's folder looks like, and what is wrong."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from PIL import Image
from pyarrow import parquet

from studio.data import DataChoice, DataError, Source
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.data.hub.layout import layout_of
from studio.data.recognize import recognize
from studio.fields import FieldError, replace

HuggingFace = sources.get("huggingface")
LABEL = {"_type": "ClassLabel", "names": ["cat", "dog"]}
TEXT = {"_type": "Value", "dtype": "string"}
NUMBER = {"_type": "Value", "dtype": "float64"}


def picture(shade: int, size: tuple[int, int] = (10, 8)) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": "1.png"}


def table(columns: dict[str, Any], features: dict[str, Any] | None = None) -> pa.Table:
    made = pa.table(columns)
    if features is None:
        return made
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def pictures(count: int, first: int = 0) -> pa.Table:
    columns = {"image": [picture(first + n) for n in range(count)], "label": [n % 2 for n in range(count)]}
    return table(columns, {"image": {"_type": "Image"}, "label": LABEL})


def write(path: Path, content: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(content, path, row_group_size=4)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, content.schema) as stream:
            stream.write_table(content, max_chunksize=4)
    return path


def found(path: Path) -> Source:
    (source,) = recognize(path)
    assert source.kind == "huggingface"
    return source


def test_what_the_library_writes(tmp_path: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    features = datasets.Features({
        "image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"]), "text": datasets.Value("string"),
        "grid": datasets.Array2D((2, 3), "float32"), "tags": datasets.List(datasets.ClassLabel(names=["O", "B"])),
    })  # fmt: skip
    rows = {
        "image": [picture(n) for n in range(12)], "label": [n % 2 for n in range(12)], "text": ["good day"] * 12,
        "grid": [[[n, 1, 2], [3, 4, 5]] for n in range(12)], "tags": [[0, 1]] * 12,
    }  # fmt: skip
    saved = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict(train=saved, test=saved.select(range(4))).save_to_disk(tmp_path / "set")
    source = found(tmp_path / "set")
    findings = source.look()
    assert findings.rows == 16
    assert findings.counts == (8, 8)
    assert {column.name: column.type for column in findings.columns} == {
        "image": "image", "label": "categorical", "text": "text", "grid": "array", "tags": "tags",
    }  # fmt: skip
    assert "12 train, 4 test rows" in findings.summary
    dataset = prepare(DataChoice(source=source))
    assert dataset.inputs[0].shape == (16, 3, 8, 10)
    assert dataset.inputs[0][:, 0, 0, 0].tolist() == [*range(12), *range(4)]
    assert dataset.splits["test"].tolist() == [12, 13, 14, 15]
    assert dataset.spec.target.names == ("cat", "dog")
    (grids,) = replace(source, input_column="grid").load().inputs
    assert grids.shape == (16, 2, 3)
    assert grids[:, 0, 0].tolist() == [*range(12), *range(4)]


def test_a_folder_as_on_the_hub(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00000-of-00002.parquet", pictures(6))
    write(tmp_path / "data" / "train-00001-of-00002.parquet", pictures(6, 6))
    write(tmp_path / "data" / "test-00000-of-00001.parquet", pictures(4, 50))
    write(tmp_path / "data" / "unsupervised-00000-of-00001.parquet", pictures(3, 90))
    source = found(tmp_path)
    assert (source.input_type, source.size, source.colour) == ("picture", (8, 10), "RGB")
    findings, listing = source.look(), source.listing()
    assert [problem.message for problem in findings.problems if "unsupervised" in problem.message]
    assert (listing.count, listing.test_start, listing.names) == (16, 12, ("cat", "dog"))
    assert [listing.show(n).picture[0, 0, 0] for n in (0, 5, 6, 11, 15)] == [0, 5, 6, 11, 53]
    shown = listing.show(15)
    assert (shown.title, shown.answer, shown.cells) == ("test 4", "dog", (("label", "dog"),))
    samples = source.load()
    assert samples.inputs[0][:, 0, 0, 0].tolist() == [*range(12), 50, 51, 52, 53]
    assert samples.test_start == 12


def test_texts_arrow_and_a_split_without_answers(tmp_path: Path) -> None:
    rows = {"idx": range(6), "sentence": [f"good morning {n}" for n in range(6)], "label": [0, 1] * 3}
    features = {"idx": {"_type": "Value", "dtype": "int32"}, "sentence": TEXT, "label": LABEL}
    write(tmp_path / "glue-train.arrow", table(rows, features))
    write(tmp_path / "glue-validation.arrow", table({**rows, "label": [1, 0, None] * 2}, features))
    write(tmp_path / "glue-test.arrow", table({**rows, "label": [-1] * 6}, features))
    source = found(tmp_path)
    samples = source.load()
    assert samples.inputs[0].texts[:2] == ["good morning 0", "good morning 1"]
    assert (samples.validation_start, samples.test_start, samples.left_out) == (None, 6, (8, 11))
    messages = " ".join(problem.message for problem in source.look().problems)
    assert "answers of the split test are hidden" in messages
    assert "2 rows have no “label”" in messages
    assert "validation split is kept for the test" in messages
    dataset = prepare(DataChoice(source=replace(source, max_length=5)))
    assert dataset.inputs[0].shape == (12, 5)
    assert dataset.splits["test"].tolist() == [6, 7, 9, 10]
    assert source.listing().show(8).answer == "not known"


@pytest.mark.parametrize(
    ("columns", "features", "settings", "inputs", "target", "task", "names"),
    [
        ({"a": [1.0, 2, None, 4] * 9, "b": [5, 6, 7, 8] * 9, "price": np.arange(36) / 2}, None, {},
         ("a", "b"), "price", "regression", ("price",)),
        ({"a": [1.0, 2, 3, 4] * 9, "stars": [5, 3, 3, 1] * 9}, None, {}, ("a",), "stars", "classification",
         ("1", "3", "5")),
        ({"a": [1.0, 2, 3, 4] * 9, "stars": [5, 3, 3, 1] * 9}, None, {"task": "regression"}, ("a",), "stars",
         "regression", ("stars",)),
        ({"review": ["a b", "c"] * 9, "mood": ["bad", "good"] * 9}, None, {"target_column": "mood"}, ("review",),
         "mood", "classification", ("bad", "good")),
        ({"a": [1.0, 2] * 9, "b": [1.0, 2] * 9, "label": [True, False] * 9}, None, {"input_column": "b"}, ("b",),
         "label", "classification", ("False", "True")),
    ],
)  # fmt: skip
def test_roles(
    tmp_path: Path, columns: dict[str, Any], features: Any, settings: dict[str, Any], inputs: tuple[str, ...],
    target: str, task: str, names: tuple[str, ...],
) -> None:  # fmt: skip
    write(tmp_path / "train-00000-of-00001.parquet", table(columns, features))
    claimed = HuggingFace().claim(tmp_path)
    assert claimed is not None
    source = replace(claimed, **{"task": "find out", **settings})
    findings = source.look()
    assert tuple(c.name for c in findings.columns if c.used and c.name not in findings.target) == inputs
    assert (findings.target, findings.spec.target.task, findings.spec.target.names) == ((target,), task, names)
    samples = source.load()
    assert samples.spec == findings.spec
    assert len(samples.left_out) == sum(None in row for row in zip(*columns.values(), strict=True))


def tagged(tags: list[list[int]]) -> pa.Table:
    tokens = [["The", "New York", ""], ["it", "is"], []][: len(tags)]
    features = {"tokens": {"_type": "List", "feature": TEXT, "length": -1},
                "ner_tags": {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["O", "B"]}}}  # fmt: skip
    return table({"tokens": tokens, "ner_tags": tags}, features)


def test_tokens_with_tags(tmp_path: Path) -> None:
    path = write(tmp_path / "train.parquet", tagged([[0, 1, -1], [0, 0], []]))
    source = found(path)
    assert (source.input_type, source.spec.target.dims) == ("tokens", (200,))
    source = replace(source, max_length=3)
    samples, findings = source.load(), source.look()
    assert samples.inputs[0].texts[:2] == ["The New_York _", "it is"]
    assert samples.targets.tolist()[:2] == [[0, 1, -100], [0, 0, -100]]
    assert samples.left_out == (2,)
    assert (findings.counts, findings.spec) == ((3, 1), samples.spec)
    assert [column.type for column in findings.columns] == ["text", "tags"]
    shown = source.listing().show(0)
    assert shown.tags == (("The", "O"), ("New_York", "B"), ("_", "?"))
    assert shown.answer.startswith("New_York B")
    _, numbers = samples.inputs[0].learn(np.arange(2))
    assert (numbers[:2] > 0).tolist() == [[True, True, True], [True, True, False]]
    for tags, says in (([[0], [0, 0]], "Row train 1 has 3 tokens, but 1 tags"), ([[0, 5, 0], [0, 0]], "has the tag 5")):
        write(path, tagged(tags))
        with pytest.raises(DataError, match=says):
            source.load()


def sound(hertz: float, rate: int = 8_000) -> dict[str, Any]:
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.5 * np.sin(2 * np.pi * hertz * np.arange(rate // 2) / rate), rate, format="WAV")
    return {"bytes": buffer.getvalue(), "path": "1.wav"}


def test_sounds(tmp_path: Path) -> None:
    columns = {"audio": [*(sound(200 + 400 * (n % 2)) for n in range(7)), {"bytes": b"RIFF", "path": None}],
               "label": [n % 2 for n in range(8)]}  # fmt: skip
    features = {"audio": {"_type": "Audio", "sampling_rate": 8000}, "label": LABEL}
    source = found(write(tmp_path / "train.arrow", table(columns, features)))
    assert (source.input_type, source.rate, source.seconds) == ("sound", 8_000, 0.5)
    with pytest.raises(DataError, match=r"1 of 8 sounds cannot be read. The one in row train 8 is no sound"):
        source.load()
    source = replace(source, unreadable="leave out", features="waveform")
    samples = source.load()
    assert samples.left_out == (7,)
    (waves,) = samples.inputs
    assert (waves.dtype, waves.shape) == (np.float32, (8, 1, 4_000))
    assert samples.spec.inputs == source.spec.inputs
    assert [np.abs(np.fft.rfft(waves[n, 0])).argmax() * 2 for n in (0, 1)] == [200, 600]
    listing = source.listing()
    assert listing.show(1).rate == 8_000
    assert listing.show(1).wave.shape == (1, 4_000)
    assert "no sound" in listing.show(7).problem


def test_arrays_of_bytes_with_channels_last_become_pictures(tmp_path: Path) -> None:
    grid = np.arange(2 * 6 * 5 * 3, dtype=np.uint8).reshape(2, 6, 5, 3)
    features = {"pixels": {"_type": "Array3D", "shape": [6, 5, 3], "dtype": "uint8"}, "label": LABEL}
    columns = {"pixels": pa.array(grid.tolist() * 5, pa.list_(pa.list_(pa.list_(pa.uint8())))), "label": [0, 1] * 5}
    source = found(write(tmp_path / "a.parquet", table(columns, features)))
    samples = source.load()
    assert samples.inputs[0].dtype == np.uint8
    assert (samples.inputs[0][:2] == grid.transpose(0, 3, 1, 2)).all()
    assert samples.spec.inputs[0].axes == "CHW"
    short = {**columns, "pixels": pa.array([grid[0].tolist(), grid[1][:4].tolist()] * 5, columns["pixels"].type)}
    write(tmp_path / "a.parquet", table(short, features))
    with pytest.raises(DataError, match="Row train 2: “pixels” is not of the size 6×5×3"):
        source.load()


def test_damaged_pictures(tmp_path: Path) -> None:
    broken = pictures(8).set_column(
        0, "image", pa.array([*(picture(n) for n in range(7)), {"bytes": b"GIF89a", "path": None}])
    )
    path = write(tmp_path / "train.parquet", broken.replace_schema_metadata(pictures(1).schema.metadata))
    source = found(path)
    with pytest.raises(DataError, match=r"1 of 8 pictures cannot be read. The one in row train 8 is no picture"):
        source.load()
    (problem,) = [problem for problem in source.look().problems if problem.severity == "error"]
    samples = problem.remedies[0].source.load()
    assert samples.left_out == (7,)
    assert "The picture is no picture" in source.listing().show(7).problem


def test_only_described_parquet_is_no_table(tmp_path: Path) -> None:
    claim = HuggingFace().claim
    assert claim(write(tmp_path / "plain.parquet", table({"a": [1.0, 2], "b": [1.0, 2]}))) is None
    described = claim(write(tmp_path / "described.parquet", pictures(8)))
    assert described is not None
    assert described.rank < 50  # else a table would take it
    (tmp_path / "fake.parquet").write_bytes(b"PAR1 and nothing else PAR1")
    assert claim(tmp_path / "fake.parquet") is None
    (tmp_path / "empty").mkdir()
    assert claim(tmp_path / "empty") is None


def test_layouts_of_the_hub() -> None:
    card = {"configs": [
        {"config_name": "en",
         "data_files": [{"split": "train", "path": "en/*.parquet"}, {"split": "dev_2", "path": "x.parquet"}]},
        {"config_name": "de", "data_files": "de/*"},
        {"config_name": ["bad"], "data_files": "de/*"},
        "nonsense",
    ]}  # fmt: skip
    paths = ["en/a.parquet", "en/b.parquet", "x.parquet", "de/test-1.parquet", "README.md"]
    assert layout_of(paths, card) == {
        "en": {"train": ["en/a.parquet", "en/b.parquet"], "dev_2": ["x.parquet"]},
        "de": {"test": ["de/test-1.parquet"]},
    }
    converted = ["default/train/0000.parquet", "default/partial-unsupervised/0000.parquet", "other/test/0000.parquet"]
    assert layout_of(converted) == {
        "default": {"unsupervised": [converted[1]], "train": [converted[0]]}, "other": {"test": [converted[2]]},
    }  # fmt: skip
    shards = ["data/train-00000-of-00002-a09b74b3ef9c3b56.parquet", "data/validation_matched-00000-of-00001.parquet"]
    assert layout_of(shards) == {"default": {"train": [shards[0]], "validation": [shards[1]]}}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "state.json").write_text('{"_data_files": [{"filename": "../../secret.arrow"}]}'),
         "does not name files of this folder"),
        (lambda f: (f / "state.json").write_text("{"), "state.json"),
        (lambda f: (f / "d.arrow").write_bytes((f / "d.arrow").read_bytes()[:300]), "d.arrow is broken"),
        (lambda f: (f / "d.arrow").write_bytes(b""), "d.arrow is broken"),
        (lambda f: (f / "d.arrow").unlink(), "d.arrow is broken"),
        (lambda f: write(f / "d.arrow", table({"x": [1.0, 2], "label": [0, 5]}, {"label": LABEL})),
         "holds the class 5"),
        (lambda f: write(f / "d.arrow", table({"label": [0]}, {"label": {"_type": "ClassLabel", "names": 3}})),
         "names of the classes"),
        (lambda f: write(f / "d.arrow", table({"x": [[1]], "label": [0]}, {"label": LABEL})), "No column was found"),
        (lambda f: write(f / "d.arrow", table({"x": ["a"]})), "No column to predict"),
        (lambda f: write(f / "d.arrow", table({"label": [0]}).replace_schema_metadata({"huggingface": "[" * 9_000})),
         "description of its columns"),
    ],
)  # fmt: skip
def test_broken_and_hostile_files_are_told(tmp_path: Path, spoil: Any, says: str) -> None:
    write(tmp_path / "d.arrow", table({"text": ["a", "b"], "label": [0, 1]}, {"text": TEXT, "label": LABEL}))
    (tmp_path / "dataset_info.json").write_text("{}")
    (tmp_path / "state.json").write_text('{"_data_files": [{"filename": "d.arrow"}]}')
    source = found(tmp_path)
    assert source.look().rows == 2
    spoil(tmp_path)
    for act in (source.look, source.load, source.listing):
        with pytest.raises(DataError, match=says):
            act()


def test_offsets_that_lead_out_of_the_file_are_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.arrow", table({"text": ["abcdefgh", "ijklmnop"], "label": [0, 1]}, {"text": TEXT, "label": LABEL})
    )
    content = bytearray(path.read_bytes())
    offsets = content.index(np.array([0, 8, 16], np.int32).tobytes())
    content[offsets + 4 : offsets + 12] = np.array([2**30, 2**30 + 9], np.int32).tobytes()
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"d\.arrow is broken"):
        HuggingFace(path=path.as_posix()).load()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "secret-train.parquet", pictures(4))
    inside = write(tmp_path / "inside" / "train.parquet", pictures(8)).parent
    try:
        (inside / "test.parquet").symlink_to(outside)
    except OSError:
        pytest.skip("links cannot be made here")
    assert found(inside).look().rows == 8


@pytest.mark.parametrize(
    "bad",
    [{"name": "../x"}, {"name": "a/b/c"}, {"name": "a--b"}, {"revision": "main"}, {"path": "//host/x"}, {"size": (1,)}],
)
def test_settings_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        HuggingFace(**bad)


def test_several_configurations(tmp_path: Path) -> None:
    write(tmp_path / "en" / "train.parquet", pictures(8))
    write(tmp_path / "de" / "train.parquet", pictures(6))
    source = HuggingFace(path=tmp_path.as_posix())
    assert source.look().rows == 6
    assert "there are also: en" in source.look().summary
    assert replace(source, config="en").look().rows == 8
    with pytest.raises(DataError, match=r"no configuration “fr”. There are: de, en"):
        replace(source, config="fr").look()


def test_decoded_pictures_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.data.hub import media as hub_media

    source = found(write(tmp_path / "train.parquet", pictures(8)))
    told: list[tuple[int, int]] = []
    source.unpack(None, lambda done, count: told.append((done, count)))
    assert told[-1] == (8, 8)
    monkeypatch.setattr(hub_media, "_picture", lambda form, content: 1 / 0)
    assert source.load().inputs[0].shape == (8, 3, 8, 10)


def test_spec_is_as_declared_where_it_was_found_out(tmp_path: Path) -> None:
    source = found(write(tmp_path / "train.parquet", pictures(8)))
    assert dataclasses.replace(source.look().spec.target, names=()) == source.spec.target
    assert source.look().spec.inputs == source.spec.inputs
