"""The package as a whole, and one sweep over every source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from studio.data import Source, cache_folder
from studio.data import registry as sources


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, studio.data; [(s().spec, s.about) for s in studio.data.registry]; studio.data.DataChoice();"
        "print([m for m in ('torch', 'torchvision', 'numpy', 'sklearn', 'tokenizers', 'PySide6') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_kinds_are_kept_for_ever() -> None:
    assert {
        "digits",
        "iris",
        "wine",
        "breast_cancer",
        "mnist",
        "fashion_mnist",
        "cifar10",
        "shapes",
        "tiny-shakespeare",
        "imdb",
        "text-files",
        "audio-folders",
        "image-folders",
        "image-table",
        "image-masks",
        "image-boxes",
    } <= set(sources.kinds())


@pytest.mark.parametrize("source", list(sources), ids=lambda source: source.kind)
def test_every_source_is_described(source: type[Source]) -> None:
    own = ("Pictures", "Text", "Table", "Sound", "Time series", "Hugging Face", "Your own")
    assert source.group in ("Built in", "Toy data", "Torchvision", *own)
    assert source.title
    assert source.about.endswith(".")
    spec = source().spec
    assert spec.target.size == len(set(spec.target.names))
    least = 1 if spec.target.task == "regression" else 2
    # Only reading tells the classes of a person's own files, but a setting says how many tokens there are.
    next_tokens = bool(spec.tokens) and spec.target.size == spec.tokens[-1]
    assert (spec.target.size >= least) != (source.needs_place and not next_tokens)
    assert (source.download_bytes > 0) == (source.group in ("Torchvision", "Text") and not source.needs_place)


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_CACHE", "~/somewhere")
    assert cache_folder() == Path.home() / "somewhere"
    monkeypatch.delenv("TRAINING_STUDIO_CACHE")
    assert cache_folder() == Path(platformdirs.user_cache_dir("training-studio", appauthor=False))
