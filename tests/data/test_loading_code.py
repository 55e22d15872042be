"""The code that loads a dataset without the studio gives what the studio loads, bit for bit."""

from __future__ import annotations

import ast
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.data import SPLITS, LoadingCode, Source, cifar, registry

WITH_CODE = [kind for kind in registry.kinds() if registry.get(kind)().loading_code is not None]
BUNDLED = [kind for kind in WITH_CODE if not registry.get(kind)().loading_code.takes_folder]


def function(code: LoadingCode) -> Callable[..., tuple[Any, ...]]:
    """The code's `load_data`, with no more imported than in a script."""
    namespace: dict[str, Any] = {"np": np, "torch": torch, "Path": Path}
    exec("\n".join([*code.imports, code.functions]), namespace)
    return namespace["load_data"]


def check(source: Source, folder: Path | None = None) -> None:
    code = source.loading_code
    assert code is not None
    given = function(code)(*([folder] if code.takes_folder else []))
    samples = source.load(folder)
    starts = {"test": samples.test_start, "validation": getattr(samples, "validation_start", None)}
    extras = [values for values in (samples.groups, samples.times) if values is not None]
    expected = (*samples.inputs, samples.targets, *extras, *(starts[split] for split in code.own_splits))
    assert [split for split in starts if starts[split] is not None and split not in code.own_splits] == []
    assert (code.groups, code.times) == (samples.groups is not None, samples.times is not None)
    assert code.gap == samples.gap
    assert len(given) == len(expected)
    for ours, theirs in zip(given, expected, strict=True):
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        np.testing.assert_array_equal(ours, theirs)
    torch.from_numpy(given[0])  # which warns of an array that cannot be written to


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


@pytest.mark.parametrize("kind", ["mnist", "fashion_mnist"])
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
