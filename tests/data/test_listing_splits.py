"""What the Data place shows of a division is what a run does: the splits of each listing are those of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from studio.data import DataChoice, DataError
from studio.data import registry as sources
from studio.data.choice import METHODS, Split
from studio.data.dataset import prepare
from studio.fields import replace as replace_fields
from tests.data import test_audio_sources as sounds
from tests.data import test_hub_sources as hub
from tests.data.pictures import class_folders
from tests.data.test_images import table as picture_table
from tests.data.test_images_marked import corner, pairs
from tests.data.test_language_sources import ENGLISH, GERMAN, TAGGED
from tests.data.test_language_sources import write as write_texts
from tests.data.test_tables import as_csv, people

LEAVE_OUT = {"unreadable": "leave out"}


def folders(root: Path) -> Path:
    class_folders(root)
    (root / "cat" / "05.png").write_bytes(b"no picture")
    return root


def masks(root: Path) -> Path:
    pairs(root, lambda i: corner(255))
    (root / "images" / "p03.png").write_bytes(b"no picture")
    return root


def speakers(root: Path) -> Path:
    for number in range(40):
        sounds.write(root / f"{'yes' if number % 2 else 'no'}_speaker{number // 4}_{number}.wav", sounds.tone(0.1))
    (root / "no_speaker1_4.wav").write_bytes(b"no sound")
    return root


def hours(root: Path) -> Path:
    lines = [f"{np.datetime64('2020-01-31T00:00') + 60 * row},{row},{1_000 - row}" for row in range(90)]
    return write(root / "hours.csv", "\n".join(["when,up,down", *lines]) + "\n")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def hub_pictures(root: Path) -> Path:
    broken = [*(hub.picture(n) for n in range(23)), {"bytes": b"GIF89a", "path": None}]
    made = hub.pictures(24).set_column(0, "image", pa.array(broken))
    return hub.write(root / "train.parquet", made.replace_schema_metadata(hub.pictures(1).schema.metadata))


def hub_texts(root: Path) -> Path:
    texts = [None if number % 9 == 4 else f"word {number}" for number in range(40)]
    labels = [None if number % 13 == 5 else number % 2 for number in range(40)]
    return hub.write(
        root / "train.parquet", hub.table({"text": texts, "label": labels}, {"text": hub.TEXT, "label": hub.LABEL})
    )


def hub_tokens(root: Path) -> Path:
    features = {"tokens": {"_type": "List", "feature": hub.TEXT, "length": -1},
                "ner_tags": {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["O", "B"]}}}  # fmt: skip
    tokens = [[] if number % 9 == 4 else ["a", f"b{number}"] for number in range(40)]
    tags = [[0] * len(words) for words in tokens]
    return hub.write(root / "train.parquet", hub.table({"tokens": tokens, "ner_tags": tags}, features))


def hub_numbers(root: Path) -> Path:
    numbers = [None if number % 9 == 4 else number / 3 for number in range(40)]
    columns = {"x": numbers, "label": [number % 2 for number in range(40)]}
    hub.write(root / "train-00000-of-00001.parquet", hub.table(columns, {"x": hub.NUMBER, "label": hub.LABEL}))
    return root


def texts(root: Path) -> Path:
    return write(root / "t.csv", "".join(f"a text of words {i},{'ab'[i % 2]}\n" for i in range(40)))


MADE: dict[str, tuple[str, Callable[[Path], Path], dict[str, Any]]] = {
    "pictures": ("image-folders", folders, LEAVE_OUT),
    "own sets": ("image-folders", lambda root: class_folders(root, ("train", "val", "test")), {}),
    "classes": ("image-table", lambda root: picture_table(root, "id,breed", lambda i: "ab"[i % 2], 24), {}),
    "numbers": ("image-table", lambda root: picture_table(root, "id,age", lambda i: str(i / 3), 24), {}),
    "masks": ("image-masks", masks, LEAVE_OUT),
    "speakers": ("audio-folders", speakers, {**LEAVE_OUT, "group_part": 2}),
    "hours": ("series", hours, {"window": 4, "horizon": 2}),
    "cells": ("table", lambda root: write(root / "t.csv", as_csv(people())), {}),
    "texts": ("text-files", texts, {}),
    "tags": ("conll", lambda root: write(root / "t.conll", TAGGED + "\n" + TAGGED * 5), {}),
    "languages": ("parallel", lambda root: write_texts(root, {"train.de": GERMAN, "train.en": ENGLISH}), {}),
    "rows of pictures": ("huggingface", hub_pictures, LEAVE_OUT),
    "rows of texts": ("huggingface", hub_texts, {}),
    "rows of tokens": ("huggingface", hub_tokens, {}),
    "rows of numbers": ("huggingface", hub_numbers, {}),
}


def divided(divide: Callable[[DataChoice], dict[str, Any]], choice: DataChoice) -> dict[str, list[int]] | str:
    try:
        return {name: rows.tolist() for name, rows in divide(choice).items()}
    except DataError as error:
        return str(error)


@pytest.mark.parametrize("name", MADE)
def test_a_listing_is_divided_as_a_run_does_it(tmp_path: Path, name: str) -> None:
    kind, make, settings = MADE[name]
    claimed = sources.get(kind)().claim(make(tmp_path / "made"))
    assert claimed is not None
    source = replace_fields(claimed, **settings)
    listing = source.listing()
    source.unpack()  # before, nobody can know which files are damaged
    refused = 0
    for method in METHODS:
        split = Split(method=method, **({"fold": 2, "folds": 3} if method == "k-fold" else {}))
        choice = replace(DataChoice(source=source, split=split, scaling="none"), excluded=(2, 7))
        run = divided(lambda choice: prepare(choice).splits, choice)
        assert divided(listing.splits, choice) == run, method
        refused += isinstance(run, str)
    assert refused < len(METHODS) - 1, "several methods can be used"
