"""What a look at any dataset tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.data import IGNORED, DataSpec, Samples, Target, registry
from studio.data.base import COLUMN_TYPES, Texts
from studio.data.findings import MOST_COLUMNS, describe, numeric
from studio.data.texts.tokens import TokenRules
from studio.tensors import TensorSpec

AT_ONCE = [source for source in registry if not source.needs_place and not source.download_bytes]


@pytest.mark.parametrize("kind", [source.kind for source in AT_ONCE])
def test_every_dataset_that_is_there_is_told_whole(kind: str) -> None:
    source = registry.get(kind)()
    found = source.look()
    assert found.spec == source.spec
    assert found.rows == len(source.load().targets)
    assert len(found.counts) == (0 if source.spec.target.task == "regression" else source.spec.target.size)
    assert {column.type for column in found.columns} <= set(COLUMN_TYPES)
    assert {column.name for column in found.columns} > set(found.target)
    for column in found.columns:
        assert column.summary
        assert column.histogram
        assert len({name for name, _ in column.histogram}) == len(column.histogram)


def test_rows_of_a_table() -> None:
    rows = np.array([[1, 0.5], [2, 0.5], [np.nan, 0.5], [4, 0.5]], np.float32)
    target = Target("classification", ("no", "yes"))
    spec = DataSpec((TensorSpec((2,), "D"),), target, ("age", "fare"))
    found = describe(spec, Samples((rows,), np.array([0, 1, 1, 1])))
    age, fare, answer = found.columns
    assert (age.name, age.missing, age.distinct, age.summary) == ("age", 1, 3, "1 to 4, mean 2.333")
    assert age.histogram == (("1", 1), ("2", 1), ("4", 1))
    assert (fare.distinct, fare.histogram) == (1, (("0.5", 4),))
    assert (answer.name, answer.histogram, answer.summary) == ("class", (("no", 1), ("yes", 3)), "yes (3), no (1)")
    assert (found.rows, found.target, found.counts) == (4, ("class",), (1, 3))


def test_many_different_numbers_come_in_bins() -> None:
    column = numeric("x", np.arange(1000, dtype=np.float32))
    assert [count for _, count in column.histogram] == [100] * 10
    assert column.histogram[1][0] == "99.9"
    assert numeric("x", np.full(3, np.nan)).summary == "no values"


def test_pictures_and_numbers_to_predict() -> None:
    images = np.zeros((3000, 1, 4, 5), np.uint8)
    images[1000:] = 200
    target = Target("regression", ("width", "height"))
    found = describe(
        DataSpec((TensorSpec((1, 4, 5), "CHW"),), target), Samples((images,), np.ones((3000, 2), np.float32))
    )
    assert [column.name for column in found.columns] == ["image", "width", "height"]
    assert found.columns[0].summary == "4×5, 1 channel, 0 to 200, mean 133.3"
    assert found.columns[0].histogram == (("0", 1000), ("200", 2000))
    assert (found.target, found.counts) == (("width", "height"), ())


def test_series_with_missing_steps() -> None:
    series = np.ones((10, 6, 2), np.float32)
    series[3, 2, 1] = np.nan
    spec = DataSpec((TensorSpec((6, 2), "TC"),), Target("regression", ("next",), (6, 2)))
    column, target = describe(spec, Samples((series,), series)).columns
    assert (column.type, column.missing, column.summary) == ("array", 1, "6×2, 1 to 1, mean 1")
    assert (target.name, target.missing) == ("next", 1)


def test_texts_and_several_inputs() -> None:
    texts = Texts(["", "hello", "hello", "a longer text"], TokenRules())
    spec = DataSpec(
        (TensorSpec((5,), "L", "int"), TensorSpec((1,), "D")), Target("multi-label", ("a", "b")), tokens=(9, 0)
    )
    labels = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], np.float32)
    found = describe(spec, Samples((texts, np.ones((4, 1), np.float32)), labels))
    text, number, tags = found.columns
    assert (text.name, text.missing, text.distinct) == ("text 1", 1, 3)
    assert text.summary == "0 to 13 characters, half of them at most 5"
    assert number.name == "x1 2"
    assert (tags.type, found.counts) == ("tags", (3, 1))


def test_classes_of_places_are_counted_by_samples() -> None:
    targets = np.array([[[0, 0], [1, 1]], [[0, 0], [0, IGNORED]], [[2, 2], [2, 2]]])
    target = Target("classification", ("sky", "sea", "land"), (2, 2))
    spec = DataSpec((TensorSpec((1, 2, 2), "CHW"),), target)
    found = describe(spec, Samples((np.zeros((3, 1, 2, 2), np.uint8),), targets))
    assert found.counts == (2, 1, 1)
    assert found.columns[1].type == "mask"


def test_too_many_features_are_told_in_part() -> None:
    rows = np.zeros((5, MOST_COLUMNS + 7), np.float32)
    spec = DataSpec((TensorSpec(rows.shape[1:], "D"),), Target("classification", ("a",)))
    found = describe(spec, Samples((rows,), np.zeros(5, np.int64)))
    assert len(found.columns) == MOST_COLUMNS + 1
    assert "first 1,000 of 1,007 features" in found.summary
    assert describe(spec, Samples((rows[:0],), np.zeros(0, np.int64))).rows == 0


def test_a_large_set_of_pictures_is_told_from_bytes(tmp_path: Path) -> None:
    images = np.memmap(tmp_path / "images", np.uint8, "w+", shape=(20_000, 1, 28, 28))
    spec = DataSpec((TensorSpec((1, 28, 28), "CHW"),), Target("classification", ("a",)))
    found = describe(spec, Samples((images,), np.zeros(20_000, np.int64)))
    assert found.columns[0].summary == "28×28, 1 channel, 0 to 0, mean 0"
