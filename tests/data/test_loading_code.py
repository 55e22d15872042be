"""The code that loads a dataset without the studio gives what the studio loads, bit for bit."""

from __future__ import annotations

import ast
import csv
import io
import json
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.data import SPLITS, LoadingCode, Source, registry
from studio.data.base import Texts
from studio.data.known import cifar
from studio.data.texts import imdb
from studio.data.texts.tokens import writable

KNOWN = [kind for kind in registry.kinds() if not registry.get(kind).needs_place]
WITH_CODE = [kind for kind in KNOWN if registry.get(kind)().loading_code is not None]
BUNDLED = [kind for kind in WITH_CODE if not registry.get(kind)().loading_code.takes_folder]


def function(code: LoadingCode) -> Callable[..., tuple[Any, ...]]:
    """The code's `load_data`, with no more imported than in a script."""
    namespace: dict[str, Any] = {"np": np, "torch": torch, "Path": Path}
    csv.field_size_limit(2**17)  # as in a new process
    exec("\n".join([*code.imports, code.functions]), namespace)
    return namespace["load_data"]


def check(source: Source, folder: Path | None = None) -> None:
    code = source.loading_code
    assert code is not None
    given = function(code)(*([Path(code.place) if code.place else folder] if code.takes_folder else []))
    samples = source.load(folder)
    starts = {"test": samples.test_start, "validation": getattr(samples, "validation_start", None)}
    extras = [values for values in (samples.groups, samples.times) if values is not None]
    expected = (samples.targets, *extras, *(starts[split] for split in code.own_splits))
    assert [split for split in starts if starts[split] is not None and split not in code.own_splits] == []
    assert (code.groups, code.times) == (samples.groups is not None, samples.times is not None)
    assert code.gap == samples.gap
    check_input(given[0], samples.inputs[0], code)
    for ours, theirs in zip(given[1:], expected, strict=True):
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        np.testing.assert_array_equal(ours, theirs)


def check_input(given: Any, expected: Any, code: LoadingCode) -> None:
    if isinstance(expected, Texts):
        assert code.tokens == expected.rules
        assert given == list(map(writable, expected.texts))
        return
    assert code.tokens is None
    assert given.dtype == expected.dtype
    np.testing.assert_array_equal(given, expected)
    torch.from_numpy(given)  # which warns of an array that cannot be written to


@pytest.mark.parametrize("kind", BUNDLED)
def test_what_needs_no_files(kind: str) -> None:
    check(registry.get(kind)())


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("xor", {"samples": 7, "noise": 0.0}),
        ("spirals", {"samples": 41, "classes": 3, "turns": 1.7, "seed": 5}),
        ("moons", {"samples": 33, "noise": 0.3}),
        ("circles", {"samples": 21, "inner_radius": 0.3}),
        ("blobs", {"samples": 52, "classes": 5, "noise": 0.7}),
    ],
)
def test_toy_data_with_other_settings(kind: str, fields: dict[str, Any]) -> None:
    check(registry.get(kind)(**fields))


@pytest.mark.parametrize("kind", ["mnist", "fashion_mnist", "kmnist"])
@pytest.mark.parametrize("packed", [True, False])
def test_idx_files(kind: str, packed: bool, tmp_path: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    source = registry.get(kind)()
    layout = write_files(tmp_path / source.folder_names[1] / "raw", tiny_mnist(packed=packed))
    check(source, tmp_path)
    check(source, layout)


def test_idx_files_with_dots(tmp_path: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    check(
        registry.get("mnist")(), write_files(tmp_path, {n.replace("-idx", ".idx"): c for n, c in tiny_mnist().items()})
    )


def test_cifar_folder_and_archive(tmp_path: Path, write_files: Callable, tiny_cifar: Callable) -> None:
    source = registry.get("cifar10")()
    folder = write_files(tmp_path / "folder" / cifar.FOLDER, tiny_cifar())
    check(source, folder.parent)
    check(source, folder)
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / cifar.ARCHIVE, "w:gz") as archive:
        for name, content in tiny_cifar().items():
            member = tarfile.TarInfo(f"{cifar.FOLDER}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    check(source, tmp_path / "packed")


def test_the_two_batches_of_cifar_100(tmp_path: Path, write_files: Callable) -> None:
    pixels = np.arange(5 * 3072, dtype=np.uint32).astype(np.uint8).reshape(5, 3072)
    batch = pickle.dumps({"data": pixels, "fine_labels": [3, 99, 0, 7, 50]}, 2)
    folder = write_files(tmp_path / "cifar-100-python", {"train": batch, "test": batch})
    check(registry.get("cifar100")(), folder.parent)
    check(registry.get("cifar100")(), folder)


def test_drawn_pictures_with_other_settings() -> None:
    check(registry.get("shapes")(samples=60, noise=7, seed=3))


@pytest.mark.parametrize("length", [2, 30])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_text(length: int, end: bytes, tmp_path: Path, write_files: Callable) -> None:
    text = b"Now is the winter of our discontent\n$Made glorious\n" * 4
    source = registry.get("tiny-shakespeare")(length=length)
    folder = write_files(tmp_path / "tiny-shakespeare", {"input.txt": text.replace(b"\n", end)})
    check(source, folder)
    check(source, tmp_path)


TABLE = "label,text,place\n" + "".join(f"{i % 11},Text {i} with “€” and é,town {i}\n" for i in range(22))
HOSTILE = "'\"); import os\n# \\ {x} $name \u202e"
HOSTILE_FILE = "'); import os # {x} $name \u202e"  # as far as Windows allows
OBJECTS = [
    {HOSTILE: f"half \ud800 {i}", "label": label, "note": []}
    for i, label in enumerate([True, False, None, "true", " false ", {}, 1.5, ""] * 3)
]  # fmt: skip
TABLES: dict[str, tuple[str, str, dict[str, str]]] = {
    "header": (TABLE, "utf-8", {}),
    "empty rows": ("\n,,\n\n" + TABLE.replace("\n", "\n\n"), "utf-8", {}),
    "chosen columns": (TABLE, "utf-8", {"text_column": "place", "label_column": "1"}),
    "a header that is none": (TABLE, "utf-8", {"header": "no", "text_column": "2", "label_column": "1"}),
    "a mark": (TABLE, "utf-8-sig", {}),
    "a mark in a chosen encoding": (TABLE, "utf-8-sig", {"encoding": "utf-8"}),
    "another encoding than chosen": (TABLE, "utf-8", {"encoding": "latin-1"}),
    "Windows": (TABLE.replace("\n", "\r\n"), "cp1252", {}),
    "no Windows": (TABLE.replace("“€”", "\x81"), "latin-1", {}),
    "two bytes": (TABLE, "utf-16", {}),
    "two bytes without a mark": (TABLE, "utf-16-le", {"encoding": "utf-16"}),
    "Chinese": (TABLE.replace("“€” and é", "电影"), "gb18030", {"encoding": "gb18030"}),
    "semicolons, which are no commas": (TABLE.replace(",", ";"), "utf-8", {}),
    "quotes": ("".join(f'"He said ""no"".\n\nThen, {i}."|{"ab"[i % 2]}\n' for i in range(9)), "utf-8", {}),
    "open quotes": ('"Open\tb\n"Whole"\ta\n"Open, ""too""\tb\n' * 9, "utf-8", {}),
    "a quote that is never closed": (TABLE + '1,"and so on', "utf-8", {}),
    "a long text": (TABLE + f"1,{'word ' * 40_000},\n", "utf-8", {}),
    "rows that lack something": (TABLE + ",no label,\n1\n1,,\n1, ,x\n", "utf-8", {}),
    "objects": ("\n\n".join(map(json.dumps, OBJECTS)), "utf-8", {"text_column": "1"}),
}


@pytest.mark.parametrize("name", list(TABLES))
def test_tables_of_texts(name: str, tmp_path: Path) -> None:
    text, encoding, settings = TABLES[name]
    path = tmp_path / f"it's {{x}} $name {name}.csv"
    path.write_bytes(text.encode(encoding))
    check(registry.get("text-files")(path=str(path), **settings))


# What stands in a file, as it is found out.
ENCODED = {
    "1.txt": "é".encode(),
    "2.TXT": "é€\r\n".encode("cp1252"),
    "3.text": "é".encode("utf-16"),
    "10": "\ufeffé".encode(),
    "11.txt": b"\xff\xfe\x41",
    "12.txt": b"\x81",
    "x.pdf": b"no text",
    ".txt": b"hidden",
    "ends with.": b"a dot",
}


@pytest.mark.parametrize("parts", [("",), ("train",), ("train", "test"), ("Training", "dev"), ("train", "val", "test")])
@pytest.mark.parametrize("inside", ["", HOSTILE_FILE])
def test_folders_of_texts(parts: tuple[str, ...], inside: str, tmp_path: Path, write_files: Callable) -> None:
    for part in parts:
        for label in ("b", "a", HOSTILE_FILE):
            write_files(tmp_path / inside / part / label, {f"{part}{name}": text for name, text in ENCODED.items()})
        write_files(tmp_path / inside / part / ".hidden", ENCODED)
    check(registry.get("text-files")(path=str(tmp_path)))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_folders_of_texts_in_a_chosen_encoding(encoding: str, tmp_path: Path, write_files: Callable) -> None:
    for label in "ab":
        write_files(tmp_path / label, {"1.txt": f"\ufeffé{label}".encode()})
    check(registry.get("text-files")(path=str(tmp_path), encoding=encoding))


# Of Windows in the West: é is one byte. A word has a space in it where tabs divide, and one looks like a comment.
CONLL = "-DOCSTART-|X|O\n\nDu|NN|O\r\ne\u00e9 a|A|B-$x\n\t\n# what is said here of it\n#|'\"|I-$x\n" * 3


@pytest.mark.parametrize("separator", ["\t", " "])
@pytest.mark.parametrize("parts", [("t.conll",), ("train.txt", "dev.txt"), ("a.train.bio", "a.dev.bio", "a.test.bio")])
def test_words_with_tags(parts: tuple[str, ...], separator: str, tmp_path: Path, write_files: Callable) -> None:
    text = CONLL.replace("\u00e9 a", "\u00e9_a") if separator == " " else CONLL
    content = text.replace("|", separator).encode("cp1252")
    folder = write_files(tmp_path / "it's {x} $name", dict.fromkeys(parts, content))
    check(registry.get("conll")(path=str(folder if len(parts) > 1 else folder / parts[0]), max_length=1))


def test_universal_dependencies(tmp_path: Path, write_files: Callable) -> None:
    rest = "\t_" * 6
    words = [f"{row}{rest}" for row in ("1-2\tzum\t_\t_", "1\tzu\t_\tADP", "2\tdem\t_\tDET")]
    folder = write_files(tmp_path, {"de.conllu": "\n".join(["# text = zum", *words, "", *words, ""]).encode()})
    check(registry.get("conll")(path=str(folder / "de.conllu")))


def test_files_that_are_not_written_alike_have_no_code(tmp_path: Path, write_files: Callable) -> None:
    write_files(tmp_path, {"train.conll": b"a O\nb X\n", "test.conll": b"a\tO\nb\tX\n"})
    assert registry.get("conll")(path=str(tmp_path)).loading_code is None


def test_reviews_of_films(tmp_path: Path, write_files: Callable) -> None:
    folder = tmp_path / "folder" / imdb.FOLDER
    for part, label in imdb.PARTS:
        files = {f"{i}_{i}.txt": f"a {label} film<br />{part} {i} é".encode() for i in (2, 10, 1)}
        write_files(folder / part / label, {**files, "9_9.txt": b"caf\xe9", "urls.dat": b"none"})
    write_files(folder / "train" / "unsup", {"1_0.txt": b"none"})
    source = registry.get("imdb")()
    check(source, folder.parent)
    check(source, folder)
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / imdb.ARCHIVE, "w:gz") as archive:
        archive.add(folder, imdb.FOLDER)
    check(source, tmp_path / "packed")


@pytest.mark.parametrize("kind", [kind for kind in WITH_CODE if kind not in BUNDLED])
def test_missing_files_are_told_with_what_to_do(kind: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"--data-dir.*(torchvision\.datasets|download it: https)"):
        function(registry.get(kind)().loading_code)(tmp_path)


@pytest.mark.parametrize("kind", WITH_CODE)
def test_the_declaration_fits_the_code(kind: str) -> None:
    code = registry.get(kind)().loading_code
    names = {node.name: node for node in ast.parse(code.functions).body if isinstance(node, ast.FunctionDef)}
    assert len(names["load_data"].args.args) == int(code.takes_folder)
    assert code.own_splits in ((), ("test",), ("validation", "test"))
    assert set(code.own_splits) < set(SPLITS)
    assert all(isinstance(ast.parse(line).body[0], ast.Import | ast.ImportFrom) for line in code.imports)


MODES = ("L", "RGB", "RGBA", "P", "CMYK", "1", "LA", "I;16")


def class_pictures(root: Path, parts: tuple[str, ...]) -> Path:
    """Pictures of all kinds, some turned by their camera, in folders whose order is not that of their names."""
    rng = np.random.default_rng(0)
    for part in parts:
        for name in ("10", "9", "it's"):
            (root / part / name / "deeper").mkdir(parents=True)
            for number, mode in enumerate(MODES):
                pixels = rng.integers(0, 256, (5 + number, 30 - number, 3), np.uint8)
                image = Image.fromarray(pixels)
                if mode == "RGBA":
                    image.putalpha(Image.fromarray(pixels[..., 0]))
                elif mode == "I;16":
                    image = Image.fromarray(rng.integers(0, 65_536, (9, 7), np.uint16))
                else:
                    image = image.convert(mode)
                exif = Image.Exif()
                exif[0x0112] = number + 1
                suffix = {"CMYK": "tif", "P": "gif"}.get(mode, "png")
                image.save(root / part / name / f"{number % 2 * 'deeper/'}a-{number}.{suffix}", exif=exif)
            Image.fromarray(rng.integers(0, 256, (300, 200, 3), np.uint8)).save(root / part / name / "large.JPG")
        (root / part / "9" / ".hidden.png").write_bytes(b"x")
    return root


@pytest.mark.parametrize("parts", [("",), ("train", "val"), ("x/Train", "x/dev", "x/test")])
@pytest.mark.parametrize("fit", ["stretch", "crop the centre", "pad"])
@pytest.mark.parametrize("colour", ["RGB", "grey"])
def test_pictures_in_class_folders(parts: tuple[str, ...], fit: str, colour: str, tmp_path: Path) -> None:
    folder = class_pictures(tmp_path / "mine", parts)
    check(registry.get("image-folders")(path=str(folder), size=(12, 16), fit=fit, colour=colour))


def test_damaged_pictures_cannot_be_left_out_by_code(tmp_path: Path) -> None:
    folder = class_pictures(tmp_path / "mine", ("",))
    source = registry.get("image-folders")(path=str(folder), unreadable="leave out")
    assert source.loading_code is not None
    (folder / "9" / "x.png").write_bytes(b"no picture")
    assert source.loading_code is None
