"""The training script of runs on texts: it reads them, learns the vocabulary and ends with the studio's weights."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data import Source, Split
from studio.data import registry as sources
from studio.data.text_rules import FROM_FILE, KINDS, SPACED, SPACED_LOWER
from studio.data.tokens import Tokenization, TokenRules, learn
from studio.export import script, script_tokens
from studio.export.formats import ExportError
from studio.export.write import export
from studio.fields import replace, specs
from studio.project import Project
from studio.project.model import fit_ends
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.events import Finished
from tests.data.conftest import shared  # noqa: F401  (a fixture)
from tests.export.conftest import Train, assert_same_end, written
from tests.training.conftest import own_folders, with_settings  # noqa: F401  (a fixture)

TextFiles: Any = sources.get("text-files")
IMDB: Any = sources.get("imdb")


def on(source: Source, template: str, **settings: Any) -> Project:
    """A template on some texts."""
    read = with_settings(template, **{"epochs": 2, "threads": 1, **settings})
    graph = fit_ends(read.graph, source.spec).apply(read.graph)
    return dataclasses.replace(read, graph=graph, data=replace(read.data, source=source))


def tokenization(finished: Finished) -> Tokenization:
    return Tokenization.from_json(read_checkpoint(Path(finished.checkpoint)).preparation["inputs"][0]["tokens"])


@pytest.mark.parametrize(
    ("name", "template", "settings"),
    [
        ("sms-spam/spam.csv", "text-cnn", {"vocabulary": 5_000, "max_length": 24, "min_count": 3}),
        ("sentiment-sentences/imdb_labelled.txt", "imdb-gru", {"tokens": "byte-pair", "vocabulary": 900}),
        ("sentiment-sentences/imdb_labelled.txt", "imdb-average", {"tokens": "characters", "max_length": 70}),
    ],
)
def test_tables_end_as_the_run_did(
    name: str,
    template: str,
    settings: dict[str, Any],
    train: Train,
    tmp_path: Path,
    shared: Callable[[str], Path],  # noqa: F811
) -> None:
    source = TextFiles(path=str(shared(name)), **{"max_length": 20, **settings})
    finished = train(on(source, template))
    path = written(finished, tmp_path / "elsewhere")
    assert_same_end(finished, path)
    assert json.loads((path.parent / "tokenizer.json").read_text("utf-8")) == json.loads(
        tokenization(finished).tokenizer
    )


TEXTS = [
    "A good film, a GOOD one!",
    "Don’t; don't see it.",
    "很好的电影 déjà vu",
    "de\u0301ja\u0300 [PAD] [UNK]",
    "",
    "zebra",
]


@pytest.mark.parametrize("kind", [*KINDS, SPACED, SPACED_LOWER])
@pytest.mark.parametrize("few", [{"vocabulary": 300}, {"min_count": 2}, {"max_length": 3}])
def test_tokens_are_learned_and_numbered_alike(kind: str, few: dict[str, int]) -> None:
    rules = TokenRules(kind, **{"vocabulary": 900, "max_length": 20, **few})
    names: dict[str, Any] = {"np": np}
    exec("\n".join([*script_tokens.imports(rules), *script_tokens.constants(rules)]), names)
    exec("\n".join(script_tokens.functions(rules)), names)
    texts = [*TEXTS, *(f"word{i} {i}" for i in range(2_000))]  # more than are taken at a time
    learned, alone = learn(rules, texts[:-1]), names["learn_tokens"](texts[:-1])
    assert json.loads(alone.to_str()) == json.loads(learned.tokenizer)
    np.testing.assert_array_equal(names["tokenize"](alone, texts), learned.apply(texts))


@pytest.fixture
def reviews(tmp_path: Path, shared: Callable[[str], Path]) -> Path:  # noqa: F811
    """A folder with some real reviews, forty of each class in train and in test."""
    kept: dict[str, int] = {}
    with tarfile.open(shared("imdb-subset/aclImdb-2000-folders.tar.gz")) as archive:
        for member in archive:
            folder = member.name.rpartition("/")[0]
            kept[folder] = kept.get(folder, 0) + 1
            if member.isfile() and kept[folder] <= 40:
                archive.extract(member, tmp_path, filter="data")
    return tmp_path / "aclImdb"


def test_words_with_tags_end_as_the_run_did(train: Train, tmp_path: Path) -> None:
    """Most places of the short sentences are ignored; loss, accuracy and the best epoch follow the studio's."""
    sentences = [
        "Ann B-name\nsaw O\nParis B-name\n\n",
        "no O\n\n",
        "# a remark\nBo B-name\nLee I-name\nran O\n.. O\n\n",
    ]
    for name, count in (("train.conll", 25), ("test.conll", 5)):
        (tmp_path / name).write_text("".join(sentences) * count)
    source = replace(sources.get("conll")(path=str(tmp_path)), max_length=5, lower_case=False)
    project = on(source, "ner-bigru", batch_size=9)
    graph = fit_ends(project.graph, source.look().spec).apply(project.graph)
    finished = train(dataclasses.replace(project, graph=graph))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_folders_of_the_classes_end_as_the_run_did(train: Train, tmp_path: Path, reviews: Path) -> None:
    project = on(TextFiles(path=str(reviews), max_length=60), "imdb-gru-classifier", batch_size=9)
    split = Split(validation=0.3, seed=5)
    finished = train(dataclasses.replace(project, data=replace(project.data, split=split)))
    assert_same_end(finished, written(finished, tmp_path / "elsewhere"))


def test_reviews_of_films_end_as_the_run_did(train: Train, tmp_path: Path, reviews: Path) -> None:
    finished = train(on(IMDB(max_length=50), "imdb-lstm", batch_size=16), tmp_path)
    said = export(Path(finished.run), "script", tmp_path / "train.py", tmp_path)
    assert said.endswith("it came to the studio’s weights bit for bit.")
    assert_same_end(finished, tmp_path / "train.py", "--data-dir", str(reviews))


TABLE = "label,title,text,kind;mood\n" + "".join(
    f"{'spam' if i % 3 else 'ham'},title {i},a much longer text {i} with é,x{i % 2};good{i % 2}\n" for i in range(30)
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    path = tmp_path / "texts" / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def source_of(source: Source, names: tuple[str, ...] = ("ham", "spam")) -> str:
    """The script of a project, which need not have been trained."""
    given = {"inputs": [{"scaling": {"shift": [], "scale": []}}], "names": list(names)}
    return script.make_script(Checkpoint({}, {}, 1, 1, {}, on(source, "imdb-average"), given), 1, "cpu")


OTHERS = {
    "tokens": "characters",
    "vocabulary": 400,
    "max_length": 7,
    "min_count": 2,
    "text_column": "title",
    "label_column": "kind;mood",
    "separator": "semicolon",
    "header": "no",
    "encoding": "latin-1",
}


def test_every_setting_of_texts_is_in_it(table: Path, tmp_path: Path) -> None:
    given = TextFiles(path=str(table), separator="comma")
    (tmp_path / "copy.csv").write_bytes(table.read_bytes())
    others = {**OTHERS, "path": str(tmp_path / "copy.csv")}
    seen = {source_of(given), *(source_of(replace(given, **{name: value})) for name, value in others.items())}
    assert {*others, "tokenizer_file"} == {spec.name for spec in specs(TextFiles)}
    with pytest.raises(ExportError, match="There is no training script for this run yet"):
        source_of(replace(given, tokens=FROM_FILE, tokenizer_file="tokenizer.json"))
    assert len(seen) == 1 + len(others)
    folder = tmp_path / "folder"
    for label in "ab":
        (folder / label).mkdir(parents=True)
        (folder / label / "1.txt").write_text("one text")
    assert len({source_of(TextFiles(path=str(folder), encoding=e)) for e in ("find out", "utf-8", "cp1252")}) == 3


def test_every_setting_of_known_texts_is_in_it() -> None:
    shared_ones = {spec.name: OTHERS[spec.name] for spec in specs(IMDB) if spec.name != "tokenizer_file"}
    seen = {source_of(IMDB()), *(source_of(IMDB(**{name: value})) for name, value in shared_ones.items())}
    assert len(seen) == 1 + len(shared_ones) == 5


def test_a_part_that_the_texts_bring_needs_no_share(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        for label in "ab":
            (tmp_path / part / label).mkdir(parents=True)
            (tmp_path / part / label / "1.txt").write_text("one text")
    assert "SHARE" not in source_of(TextFiles(path=str(tmp_path)))
    assert "test_start = load_data(options.data)" in source_of(TextFiles(path=str(tmp_path)))


def test_files_that_were_moved_are_read_where_they_are(train: Train, table: Path, tmp_path: Path) -> None:
    finished = train(on(TextFiles(path=str(table), max_length=9), "imdb-average"))
    table = table.rename(tmp_path / "moved.csv")
    with pytest.raises(ExportError, match="how your files are written, and they cannot be read: There are no texts at"):
        export(Path(finished.run), "script", tmp_path / "train.py")
    assert not (tmp_path / "train.py").exists()
    said = export(Path(finished.run), "script", tmp_path / "train.py", table)
    assert said.endswith("it came to the studio’s weights bit for bit.")
    assert f'DATA = "{table}"' in (tmp_path / "train.py").read_text("utf-8")
    table.rename(tmp_path / "again.csv")
    assert_same_end(finished, tmp_path / "train.py", "--data", str(tmp_path / "again.csv"))


def test_tokens_learned_otherwise_are_noticed(
    train: Train, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, honest = script.make_script, "for row in train_rows.tolist()"
    finished = train(on(TextFiles(path=str(table), max_length=9, tokens="characters"), "imdb-average"))
    assert honest in make(read_checkpoint(Path(finished.checkpoint)), 1, "cpu")
    monkeypatch.setattr(script, "make_script", lambda *given: make(*given).replace(honest, "for row in [1, 0]"))
    with pytest.raises(ExportError, match="other weights than the studio"):
        export(Path(finished.run), "script", tmp_path / "train.py")


HOSTILE = "'\"); import os\n# \\ {x} $name ''' \u202e"
HOSTILE_FILE = "'); import os # {x} $name ''' \u202e"  # as far as Windows allows


def constants_aside(source: str) -> str:
    """A script's code, but for the introduction and its texts."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body[1:] if not ast.unparse(node).startswith("LABELS")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = "text"
    return ast.dump(tree)


def test_hostile_names_in_tables_only_change_constants(tmp_path: Path) -> None:
    found = []
    for name, folder in (("text", "plain"), (HOSTILE, HOSTILE_FILE)):
        (tmp_path / folder).mkdir()
        items = [{name: f"some text {i}", f"{name} kind": f"{name}{i % 2}"} for i in range(8)]
        (tmp_path / folder / "t.jsonl").write_text("\n".join(map(json.dumps, items)))
        source = TextFiles(path=str(tmp_path / folder / "t.jsonl"), text_column="1", label_column="2")
        found.append(source_of(source, (f"{name}0", f"{name}1")))
    assert constants_aside(found[0]) == constants_aside(found[1])
    texts = {node.value for node in ast.walk(ast.parse(found[1])) if isinstance(node, ast.Constant)}
    assert texts >= {HOSTILE, f"{HOSTILE} kind", f"{HOSTILE}0", str(tmp_path / HOSTILE_FILE / "t.jsonl")}


def test_hostile_names_of_folders_only_change_constants(tmp_path: Path) -> None:
    found = []
    for name in ("plain", HOSTILE_FILE):
        for part in ("train", "test"):
            for label in (f"{name}0", f"{name}1"):
                (tmp_path / name / "in" / name / part / label).mkdir(parents=True)
                (tmp_path / name / "in" / name / part / label / "1.txt").write_text("one text")
        found.append(source_of(TextFiles(path=str(tmp_path / name / "in")), (f"{name}0", f"{name}1")))
    assert constants_aside(found[0]) == constants_aside(found[1])
    assert f'read_classes(folder / {script.literal(HOSTILE_FILE)} / "train")' in found[1]


@pytest.mark.parametrize("title", ["class_numbers", "load_data", "Tokenizer", "TEXT", "Regex", "DATA", "csv"])
def test_a_title_takes_no_name_of_it(title: str, table: Path) -> None:
    project = dataclasses.replace(on(TextFiles(path=str(table)), "imdb-average"), title=title)
    given = {"inputs": [{"scaling": {"shift": [], "scale": []}}], "names": ["a", "b"]}
    source = script.make_script(Checkpoint({}, {}, 1, 1, {}, project, given), 1, "cpu")
    (name,) = re.findall(r"model = (\w+)\(\)", source)
    assert f"class {name}(nn.Module)" in source
    assert (
        name
        not in source.replace(f"class {name}(nn.Module)", "").replace(f"model = {name}()", "").partition('"""\n')[2]
    )


@pytest.mark.parametrize("tokens", KINDS)
def test_a_linter_finds_nothing(tokens: str, table: Path, tmp_path: Path) -> None:
    (tmp_path / "open.tsv").write_text('"Open\tb\n"Whole"\ta\n' * 9)
    (tmp_path / "t.jsonl").write_text("".join(f'{{"text": "some text {i}", "label": {i % 12}}}\n' for i in range(30)))
    folder = tmp_path / "folder"
    for part in ("train", "val", "test"):
        for label in "ab":
            (folder / part / label).mkdir(parents=True)
            (folder / part / label / "1.txt").write_text("one text")
    own = [table, tmp_path / "open.tsv", tmp_path / "t.jsonl", folder, folder / "train"]
    given = [IMDB(tokens=tokens), *(TextFiles(path=str(path), tokens=tokens) for path in own)]
    (tmp_path / "scripts").mkdir()
    for number, source in enumerate(given):
        # What the masks of the network take may be long.
        lines = (line + "  # noqa: E501" if "_mask" in line else line for line in source_of(source).split("\n"))
        (tmp_path / "scripts" / f"train{number}.py").write_text("\n".join(lines), encoding="utf-8")
    rules = "E,F,W,I,UP,B,SIM,N,PIE,C4,D1"
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", "--select", rules]
    command += ["--ignore", "D102,D107", "--no-cache", str(tmp_path / "scripts")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
