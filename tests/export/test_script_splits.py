"""The script divides as the studio does, with every method and all that may be known of the samples."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from studio.data import DataChoice, DataError, LoadingCode, Source, Split
from studio.data.choice import METHODS
from studio.data.splits import Known, split_indices, without
from studio.export import script_splits

COUNT = 90
RNG = np.random.default_rng(5)
GIVEN = {
    "groups": np.sort(RNG.integers(0, 14, COUNT)),
    "times": RNG.permutation(COUNT) // 2 * 0.5,
    "labels": RNG.integers(0, 4, COUNT),
}
STARTS = {(): {}, ("test",): {"test": 71}, ("validation", "test"): {"validation": 55, "test": 71}}
KNOWN = list(itertools.product(STARTS, [(), ("groups",), ("times",), ("groups", "times")], [0, 3], [False, True]))


class _Ordered(Source):
    kind: ClassVar[str] = "ordered"
    in_order: ClassVar[bool] = True


def script_parts(choice: DataChoice, loading: LoadingCode, classes: bool, known: Known) -> list[list[int]]:
    """What the script's own code makes of it, with no more than the script has."""
    code = script_splits.split_code(choice, loading, classes=classes)
    extras = [GIVEN["groups"] if loading.groups else None, GIVEN["times"] if loading.times else None]
    loaded = [extra for extra in extras if extra is not None]
    loaded += [STARTS[loading.own_splits][name] for name in loading.own_splits]
    namespace: dict[str, Any] = {"np": np, "labels": GIVEN["labels"]}
    namespace |= dict(zip(code.loaded, loaded, strict=True))
    exec("\n".join([*code.constants, code.functions]), namespace)
    return [part.tolist() for part in eval(f"split_rows({code.arguments})", namespace)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("excluded", [(), tuple(range(0, COUNT, 7))])
def test_it_divides_as_the_studio(method: str, excluded: tuple[int, ...]) -> None:
    compared = 0
    for own, extras, gap, in_order in KNOWN:
        loading = LoadingCode("", own_splits=own, gap=gap, **dict.fromkeys(extras, True))
        for classes, seed, shares in ((True, 3, (0.21, 0.17)), (False, 8, (0.21, 0.17)), (True, 5, (0.9, 0.9))):
            split = Split(method, *shares, seed, folds=4, fold=1 + seed % 4)
            source = _Ordered() if in_order else DataChoice().source
            choice = DataChoice(source, split, excluded=excluded)
            known = Known(
                COUNT, GIVEN["labels"] if classes else None, STARTS[own].get("test"), STARTS[own].get("validation"),
                *(GIVEN[name] if name in extras else None for name in ("groups", "times")), gap, in_order,
            )  # fmt: skip
            try:
                expected = without(split_indices(known, split), excluded, COUNT)
            except DataError:
                continue
            assert not script_splits.refusal(choice, loading)
            assert script_parts(choice, loading, classes, known) == [part.tolist() for part in expected.values()]
            compared += 1
    assert compared >= 16


@pytest.mark.parametrize(
    ("method", "reason"), [("grouped", "groups"), ("by time", "times"), ("fixed", "the dataset’s own sets")]
)
def test_what_the_loading_code_does_not_give_is_refused(method: str, reason: str) -> None:
    choice = DataChoice(split=Split(method))
    assert reason in script_splits.refusal(choice, LoadingCode("", own_splits=("test",)))
    loading = LoadingCode("", own_splits=("validation", "test"), groups=True, times=True)
    assert not script_splits.refusal(choice, loading)


def test_too_few_groups_end_the_script() -> None:
    choice, loading = DataChoice(), LoadingCode("", groups=True)
    code = script_splits.split_code(choice, loading, classes=True)
    namespace: dict[str, Any] = {"np": np}
    exec("\n".join([*code.constants, code.functions]), namespace)
    with pytest.raises(ValueError, match="too few groups"):
        namespace["split_rows"](np.zeros(9), np.arange(9) // 5)


def test_many_rows_that_are_left_out_take_few_lines(tmp_path: Path) -> None:
    code = script_splits.split_code(DataChoice(excluded=tuple(range(1000))), LoadingCode(""), classes=True)
    assert len(code.constants) < 60
    assert max(map(len, code.constants)) <= 100
    namespace: dict[str, Any] = {}
    exec("\n".join(code.constants), namespace)
    assert namespace["EXCLUDED"] == list(range(1000))
