"""What is found out of real tables that nobody has explained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.data.base import Findings
from studio.data.recognize import recognize
from studio.data.tables.source import TableFile

NUMBERS, CLASSES = "regression", "classification"

# File: rows, target, task, classes with their counts, features, and some of the columns' types.
EXPECTED = {
    "titanic": (891, "Survived", CLASSES, {"0": 549, "1": 342}, 12, {
        "PassengerId": "id", "Pclass": "ordinal", "Name": "id", "Sex": "categorical", "Age": "numeric",
        "SibSp": "ordinal", "Parch": "ordinal", "Ticket": "id", "Fare": "numeric", "Cabin": "id",
        "Embarked": "categorical", "Survived": "categorical",
    }),
    "iris": (150, "species", CLASSES, {"setosa": 50, "versicolor": 50, "virginica": 50}, 4, {
        "sepal_length": "numeric", "species": "categorical",
    }),
    "penguins": (344, "species", CLASSES, {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}, 14, {
        "island": "categorical", "body_mass_g": "numeric", "sex": "categorical",
    }),
    "auto-mpg": (398, "mpg", NUMBERS, {}, 11, {
        "cylinders": "ordinal", "horsepower": "numeric", "origin": "categorical", "name": "id",
    }),
    # Grades from 3 to 8 keep their distance: 4 for a 3 is a smaller fault than 8 for a 3, so they are numbers.
    "winequality-red": (1_599, "quality", NUMBERS, {}, 11, {"pH": "numeric", "quality": "ordinal"}),
    "adult-test": (16_281, "column 15", CLASSES, {"<=50K": 12_435, ">50K": 3_846}, 93, {
        "column 1": "numeric", "column 2": "categorical", "column 3": "numeric", "column 14": "categorical",
    }),
    "pima-indians-diabetes": (768, "column 9", CLASSES, {"0": 500, "1": 268}, 8, {
        "column 1": "numeric", "column 6": "numeric",
    }),
    "california-housing": (20_640, "median_house_value", NUMBERS, {}, 15, {
        "longitude": "numeric", "ocean_proximity": "categorical",
    }),
    "telco-churn": (7_043, "Churn", CLASSES, {"No": 5_174, "Yes": 1_869}, 51, {
        "customerID": "id", "SeniorCitizen": "categorical", "tenure": "numeric", "TotalCharges": "numeric",
        "Contract": "categorical",
    }),
}  # fmt: skip


@pytest.fixture
def look(shared: Callable[[str], Path]) -> Callable[[str], tuple[TableFile, Findings]]:
    def look(name: str) -> tuple[TableFile, Findings]:
        (source,) = recognize(shared(f"tabular/{name}.csv"))
        assert isinstance(source, TableFile)
        return source, source.look()

    return look


@pytest.mark.parametrize("name", EXPECTED)
def test_a_table_is_understood(look: Callable, name: str) -> None:
    rows, target, task, classes, features, types = EXPECTED[name]
    _, found = look(name)
    assert found.rows == rows
    assert found.target == (target,)
    assert found.spec.target.task == task
    assert dict(zip(found.spec.target.names, found.counts, strict=True) if classes else ()) == classes
    assert found.spec.inputs[0].dims == (features,)
    assert len(found.spec.features) == features
    told = {column.name: column.type for column in found.columns}
    assert {name: told[name] for name in types} == types


# What is wrong with it, and the settings that the first remedy changes.
PROBLEMS = {
    "titanic": {"Values are missing in “Age” (177), “Embarked” (2)": {}, "Zeros lie far": {"zeros": "Fare"}},
    "winequality-red": {"240 of 1,599 rows are the same as an earlier one": {}},
    "pima-indians-diabetes": {
        "Zeros lie far from all other values in “column 2” (5), “column 3” (35), “column 4” (227), “column 5” (374), "
        "“column 6” (11)": {"zeros": "column 2\ncolumn 3\ncolumn 4\ncolumn 5\ncolumn 6"}
    },
    "telco-churn": {"Values are missing in “TotalCharges” (11)": {}, "“customerID”: a value of its own": {}},
    "penguins": {"“sex” (11)": {}},
    "adult-test": {"Values are missing in “column 2” (963), “column 7” (966), “column 14” (274)": {}},
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_with_it_is_told(look: Callable, name: str) -> None:
    _, found = look(name)
    for start, settings in PROBLEMS[name].items():
        (problem,) = [problem for problem in found.problems if start in problem.message]
        for field, value in settings.items():
            assert getattr(problem.remedies[0].source, field) == value


def test_nothing_is_wrong_with_real_columns_that_tell_much(look: Callable) -> None:
    """The length of a petal nearly tells the flower, but it is no leak; pregnancies may be none."""
    for name in ("iris", "penguins", "california-housing"):
        assert not [problem for problem in look(name)[1].problems if "alone tells" in problem.message]
    assert "column 1”" not in " ".join(problem.message for problem in look("pima-indians-diabetes")[1].problems)


def test_a_remedy_takes_zeros_for_missing_values(look: Callable) -> None:
    _, found = look("pima-indians-diabetes")
    (problem,) = [problem for problem in found.problems if "Zeros" in problem.message]
    mended = problem.remedies[0].source.look()
    assert {column.name: column.missing for column in mended.columns}["column 6"] == 11
    assert mended.spec.inputs[0].dims == (13,)
    assert not [problem for problem in mended.problems if "Zeros" in problem.message]


def test_other_tables_are_not_taken(shared: Callable[[str], Path]) -> None:
    for name, kind in (("sms-spam/spam.csv", "text-files"), ("ag-news/test.csv", "text-files")):
        assert [source.kind for source in recognize(shared(name))] == [kind]
    table = TableFile()
    for name in ("ner-wnut17/wnut17train.conll", "sms-spam", "image-edge-cases/README.tsv"):
        assert table.claim(shared(name)) is None


def test_it_is_quick(look: Callable) -> None:
    """20,640 rows of 10 columns: half a second on a busy machine."""
    import time

    from studio.data.tables import reading as tables_reading
    from studio.data.tables import view as tables_view

    tables_reading._read.cache_clear()
    tables_view._view.cache_clear()
    started = time.process_time()
    look("california-housing")
    assert time.process_time() - started < 1.0
