"""Categories of a table as tokens for an Embedding, beside its numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data import DataChoice, DataError
from studio.data.base import Findings
from studio.data.dataset import prepare
from studio.data.tables.categories import Categories
from studio.data.tables.source import TableFile
from tests.data.test_tables import COLORS, as_csv, gaps, people, raw_rows, table, written  # noqa: F401  (a fixture)


def test_tokens_of_all_columns_stand_one_after_the_other(table: Callable) -> None:  # noqa: F811
    """“number” is a number with gaps; “pair” has two values and “color” several, both with gaps."""
    source = table(gaps(), categories="embedding")
    dataset = prepare(DataChoice(source=source, scaling="none"))
    numbers, tokens = dataset.inputs
    assert dataset.spec.tokens == (0, 4 + 6)  # each column: its categories, any other, no value
    assert dataset.learned[0].features == ("number", "number missing")
    learned = dataset.learned[1]
    assert isinstance(learned, Categories)
    assert learned.firsts == (0, 4)
    assert (numbers.shape, tokens.shape) == ((100, 2), (100, 2))
    rows = [line.split(",") for line in gaps().splitlines()[1:]]
    pair = {"no": 0, "yes": 1, "": 3}
    assert tokens[:, 0].tolist() == [pair[row[1]] for row in rows]
    color = {name: 4 + place for place, name in enumerate(learned.codes[1].choices)}
    assert set(color) == {*COLORS, "late"}
    # One that only a single row has is any other.
    assert tokens[:, 1].tolist() == [color.get(row[2], 9 if not row[2] else 8) for row in rows]
    assert tokens[99, 1] == 8
    assert 9 in tokens[:, 1]


@pytest.mark.parametrize("settings", [{}, {"most_categories": 1}, {"ignored": "height"}])
def test_raw_rows_become_the_same_tokens_again(tmp_path: Path, settings: dict[str, Any]) -> None:
    source = TableFile(path=str(written(people(), tmp_path / "t.csv")), categories="embedding", **settings)
    dataset = prepare(DataChoice(source=source))
    learned = dataset.learned[-1]
    assert isinstance(learned, Categories)
    again = Categories.from_json(json.loads(json.dumps(learned.to_json())))
    assert again == learned
    tokens = dataset.inputs[-1].numpy()
    assert np.array_equal(again.apply(raw_rows(source)), tokens)
    unknown = again.apply([{}, {"color": "violet"}])
    others = [first + len(code.choices) for first, code in zip(again.firsts, again.codes, strict=True)]
    assert unknown[1].tolist()[[code.name for code in again.codes].index("color")] in others
    assert unknown.max() < again.size == dataset.spec.tokens[-1]
    assert dataset.scalings[-1].apply(dataset.inputs[-1]) is dataset.inputs[-1], "tokens are not scaled"


def test_a_table_of_categories_alone_or_of_none(table: Callable) -> None:  # noqa: F811
    alone = table("a,b,y\n" + "".join(f"{'uvw'[i % 3]},{'pq'[i % 2]},{'st'[i // 2 % 2]}\n" for i in range(60)))
    (tokens,) = prepare(DataChoice(source=replace(alone, categories="embedding"))).inputs
    assert (tokens.shape, str(tokens.dtype)) == ((60, 2), "torch.int64")
    none = table("x,y\n" + "".join(f"{i * 0.5},{'st'[i % 2]}\n" for i in range(60)), categories="embedding")
    assert [tensor.dtype for tensor in none.look().spec.inputs] == ["float"]


@pytest.mark.parametrize(
    "codes", [[], [{"name": "a", "kind": "number"}], [{"name": "a", "kind": "switch", "choices": ["x", "y"]}]]
)
def test_what_was_written_elsewhere_is_refused(codes: list[object]) -> None:
    good = {"decimal": ".", "marks": [""], "codes": [{"name": "a", "kind": "choices", "choices": ["x"]}]}
    assert Categories.from_json(good).size == 2
    with pytest.raises(DataError, match="not written by this program"):
        Categories.from_json({**good, "codes": codes})


def test_samples_that_are_left_out_stay_so(table: Callable) -> None:  # noqa: F811
    choice = replace(DataChoice(source=table(gaps())), excluded=(3, 5))
    assert choice.with_source(replace(choice.source, categories="embedding")).excluded == (3, 5)
    assert choice.with_source(replace(choice.source, target="pair")).excluded == ()


def test_test_samples_count_by_their_raw_cells(table: Callable) -> None:  # noqa: F811
    """Also if only an input of a test row is another one."""
    for categories in ("one-hot", "embedding"):
        source = table(as_csv(people()), categories=categories)
        dataset = prepare(DataChoice(source=source))
        row = int(dataset.splits["test"][0])
        for name, value in (("color", "violet"), ("height", 123.5)):
            rows = people()
            rows[row][name] = value
            other = prepare(DataChoice(source=table(as_csv(rows), "other.csv", categories=categories)))
            assert other.splits["test"].tolist() == dataset.splits["test"].tolist()
            assert other.test_fingerprint() != dataset.test_fingerprint(), (categories, name)
        again = prepare(DataChoice(source=table(as_csv(people()), "again.csv", categories=categories)))
        assert again.test_fingerprint() == dataset.test_fingerprint()


def test_it_is_said_why_a_column_is_not_used(table: Callable) -> None:  # noqa: F811
    rows = [
        {"id": 900 + 7 * i, "remark": f"a long remark that nobody wrote twice: number {i}", "void": "", "x": i % 7 / 2,
         "mine": i % 5 / 3, "y": "ab"[i % 2]}
        for i in range(60)
    ]  # fmt: skip
    source = table(as_csv(rows), ignored="mine")
    assert reasons(source.look()) == {
        "id": "it names the rows (another type can be chosen in “types”)",
        "remark": "texts in a table are not read (another type can be chosen in “types”)",
        "void": "nothing is in it",
        "mine": "it is named in “ignored”",
    }
    chosen = replace(source, types="id: numeric", ignored="").look()
    assert set(reasons(chosen)) == {"remark", "void"}


def reasons(found: Findings) -> dict[str, str]:
    return {column.name: column.why_unused for column in found.columns if not column.used}
