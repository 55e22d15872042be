"""Every real file that is dropped opens without a question: kind, rows, types of its columns, target and task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.data.looking import look
from studio.data.recognize import recognize_at
from tests.data.conftest import SHARED

MNIST = ("mnist", 70_000, "image categorical", "class", "classification")
TRAIN = ("parallel", 29_000, "text text", "en", "classification")
VALIDATION = ("parallel", 1_014, "text text", "en", "classification")
NUMBERS = "numeric " * 8
# File -> kind, rows, types of the columns, target, task.
EXPECTED: dict[str, tuple[str, int, str, str, str]] = {
    "ag-news/test.csv": ("text-files", 7_600, "text categorical text", "label", "classification"),
    "blood-cell-detection/bccd-100-voc.tar.gz": ("image-boxes", 100, "image boxes", "boxes", "detection"),
    "char-text/tinyshakespeare.txt": ("tiny-shakespeare", 17_159, "text tags", "class", "classification"),
    "cifar10-jpeg/cifar10-8500-imagefolder.tar.gz": (
        "image-folders", 8_500, "image categorical", "label", "classification",
    ),
    "hymenoptera-subset/hymenoptera-41-imagefolder.tar.gz": (
        "image-folders", 41, "image categorical", "label", "classification",
    ),
    "image-edge-cases/README.tsv": ("image-table", 41, "image numeric", "bytes", "regression"),
    "imdb-subset/aclImdb-2000-folders.tar.gz": ("imdb", 2_000, "text categorical", "class", "classification"),
    "mnist/t10k-images-idx3-ubyte.gz": MNIST,
    "mnist/t10k-labels-idx1-ubyte.gz": MNIST,
    "mnist/train-images-idx3-ubyte.gz": MNIST,
    "mnist/train-labels-idx1-ubyte.gz": MNIST,
    "multi30k/train.de.gz": TRAIN,
    "multi30k/train.en.gz": TRAIN,
    "multi30k/val.de.gz": VALIDATION,
    "multi30k/val.en.gz": VALIDATION,
    "ner-wnut17/emerging.dev.conll": ("conll", 1_009, "text tags", "tags", "classification"),
    "ner-wnut17/wnut17train.conll": ("conll", 3_394, "text tags", "tags", "classification"),
    "nuclei-segmentation/dsb2018-37-images.tar.gz": ("image-masks", 37, "image mask", "mask", "classification"),
    "sentiment-sentences/imdb_labelled.txt": ("text-files", 1_000, "text categorical", "2", "classification"),
    "sms-spam/spam.csv": ("text-files", 5_572, "text categorical text text text", "v1", "classification"),
    "spoken-digits/fsdd-train-240.tar.gz": (
        "audio-folders", 240, "audio categorical categorical", "label", "classification",
    ),
    "tabular/adult-test.csv": (
        "table", 16_281,
        "numeric categorical numeric categorical numeric categorical categorical categorical categorical categorical "
        "numeric numeric numeric categorical categorical",
        "column 15", "classification",
    ),
    "tabular/auto-mpg.csv": (
        "table", 398, "numeric ordinal numeric numeric numeric numeric numeric categorical id", "mpg", "regression",
    ),
    "tabular/california-housing.csv": (
        "table", 20_640, f"{NUMBERS}numeric categorical", "median_house_value", "regression",
    ),
    "tabular/iris.csv": ("table", 150, "numeric numeric numeric numeric categorical", "species", "classification"),
    "tabular/penguins.csv": (
        "table", 344, "categorical categorical numeric numeric numeric numeric categorical", "species",
        "classification",
    ),
    "tabular/pima-indians-diabetes.csv": ("table", 768, f"{NUMBERS}categorical", "column 9", "classification"),
    "tabular/telco-churn.csv": (
        "table", 7_043, f"id {'categorical ' * 4}numeric {'categorical ' * 12}numeric numeric categorical", "Churn",
        "classification",
    ),
    "tabular/titanic.csv": (
        "table", 891,
        "id categorical ordinal id categorical numeric ordinal ordinal id numeric id categorical",
        "Survived", "classification",
    ),
    "tabular/winequality-red.csv": (
        "table", 1_599, f"{NUMBERS}numeric numeric numeric ordinal", "quality", "regression",
    ),
    "timeseries/ETTh1.csv": ("series", 17_372, f"date {NUMBERS}".removesuffix("numeric "), "OT", "regression"),
    "timeseries/airline-passengers.csv": ("series", 120, "date numeric", "Passengers", "regression"),
    "timeseries/daily-min-temperatures.csv": ("series", 3_566, "date numeric", "Temp", "regression"),
    "timeseries/monthly-sunspots.csv": ("series", 2_796, "date numeric", "Sunspots", "regression"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_that_is_dropped(name: str, shared: Callable[[str], Path]) -> None:
    kind, rows, types, target, task = EXPECTED[name]
    found = recognize_at(shared(name))
    (source,) = found.sources
    told = look(source, found.folder)
    assert (source.kind, told.rows) == (kind, rows)
    assert " ".join(column.type for column in told.columns) == types.strip()
    assert (told.target, told.spec.target.task) == ((target,), task)


def test_no_file_is_forgotten(shared: Callable[[str], Path]) -> None:
    """Pictures that are dropped one by one have no classes: the folder is meant."""
    files = {path.relative_to(SHARED).as_posix() for path in shared("mnist").parent.glob("*/*") if path.is_file()}
    pictures = {name for name in files if name.startswith("image-edge-cases/") and name not in EXPECTED}
    assert files - pictures == set(EXPECTED)
    assert not any(recognize_at(SHARED / name).sources for name in pictures)


def test_the_folder_of_an_archive_is_as_good_as_the_archive(shared: Callable[[str], Path]) -> None:
    found = recognize_at(shared("spoken-digits"))
    assert [source.kind for source in found.sources] == ["audio-folders"]
    assert found.sources[0].place.endswith(".tar.gz")
