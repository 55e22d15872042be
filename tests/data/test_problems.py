"""Problems of samples: each is found where it is, with its samples, and its remedy mends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from studio.data import (
    DataChoice,
    DataProblem,
    DataSpec,
    MissingDataError,
    Samples,
    Source,
    Split,
    Target,
    near,
    problems,
    rows,
)
from studio.data import registry as sources
from studio.data.base import Texts
from studio.data.dataset import prepare
from studio.data.problems import SHOWN, find_problems
from studio.data.texts.tokens import TokenRules
from studio.tensors import TensorSpec

CLASSES = Target("classification", ("cat", "dog"))


class Given(Source):
    """Samples of a test."""

    kind: ClassVar[str] = "given"
    samples: Any = None
    given: Any = None

    @property
    def spec(self) -> DataSpec:
        return self.given

    def load(self, folder: Path | None = None) -> Samples:
        return self.samples


def pictures(count: int = 120, side: int = 24, **changes: Any) -> DataChoice:
    """Smooth random pictures of two classes in turn; the dataset's own test set are the last twenty."""
    waves = np.cos(np.arange(1, 6)[:, None] * np.linspace(0, 3, side))  # (5, side)
    images = np.random.default_rng(1).normal(size=(count, 1, 5, 5))
    images = waves.T @ images @ waves
    images = np.clip(128 + 12 * images, 0, 255).astype(np.uint8)
    samples = Samples((images,), np.arange(count) % 2, test_start=count - 20)
    return DataChoice(Given(samples, DataSpec((TensorSpec((1, side, side), "CHW"),), CLASSES)), **changes)


def table(rows: np.ndarray, target: Target = CLASSES, targets: np.ndarray | None = None, **known: Any) -> DataChoice:
    """A table of numbers."""
    spec = DataSpec((TensorSpec(rows.shape[1:], "D"),), target)
    targets = np.arange(len(rows)) % 2 if targets is None else targets
    return DataChoice(Given(Samples((rows.astype(np.float32),), targets, **known), spec))


def texts(written: list[str], **known: Any) -> DataChoice:
    samples = Samples((Texts(written, TokenRules(max_length=5)),), np.arange(len(written)) % 2, **known)
    return DataChoice(Given(samples, DataSpec((TensorSpec((5,), "L", "int"),), CLASSES)))


def numbers(count: int = 100) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3))


def of(choice: DataChoice) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, to be changed."""
    samples = choice.source.samples
    return samples.inputs[0], samples.targets


def the(found: tuple[DataProblem, ...], words: str) -> DataProblem:
    (problem,) = [problem for problem in found if words in problem.message]
    return problem


def split_of(choice: DataChoice, row: int) -> str:
    return next(name for name, rows in prepare(choice).splits.items() if row in rows)


def assert_mended(choice: DataChoice, problem: DataProblem) -> None:
    """The remedy takes the problem away, and brings no other."""
    (remedy,) = problem.remedies
    before = {p.message for p in find_problems(choice)}
    after = {p.message for p in find_problems(choice.remedied(remedy))}
    assert problem.message not in after
    assert after < before


@pytest.mark.parametrize(
    "choice", [pictures(), table(numbers()), texts([f"a {n} b {n * n} c {-n}" for n in range(90)])]
)
def test_nothing_is_found_where_nothing_is_wrong(choice: DataChoice) -> None:
    assert find_problems(choice) == ()


def test_copies_in_one_split() -> None:
    choice = pictures()
    images, _ = of(choice)
    images[110] = images[104]
    images[112] = images[104]
    problem = the(find_problems(choice), "exact cop")
    assert (problem.samples, problem.remedies[0].exclude) == ((110, 112), (110, 112))
    assert problem.message.startswith("2 samples are")
    assert_mended(choice, problem)


def test_copies_in_two_splits_leave_the_test_as_it_is() -> None:
    choice = pictures()
    images, _ = of(choice)
    images[110] = images[4]
    images[6] = images[4]
    problem = the(find_problems(choice), "learned by heart")
    assert (problem.severity, problem.samples, problem.remedies[0].exclude) == ("warning", (4, 6), (4, 6))
    assert split_of(choice, 110) == "test"
    assert_mended(choice, problem)


def test_of_three_copies_the_validation_goes_before_the_test() -> None:
    choice = pictures()
    watched = [int(row) for row in prepare(choice).splits["validation"] if row % 2 == 0]
    images, _ = of(choice)
    images[110] = images[watched[0]]
    assert the(find_problems(choice), "learned by heart").remedies[0].exclude == (watched[0],)


def test_one_sample_with_two_classes() -> None:
    choice = pictures()
    images, _ = of(choice)
    images[9] = images[4]
    found = find_problems(choice)
    problem = the(found, "another class")
    assert (problem.samples, problem.remedies[0].exclude) == ((4, 9), (4, 9))
    assert len(found) == 1  # it is not told as a copy again
    assert_mended(choice, problem)


def test_equal_rows_of_a_table_may_be_chance() -> None:
    rows = numbers()
    rows[95] = rows[3]
    problem = the(find_problems(table(rows, test_start=90)), "learned by heart")
    assert problem.severity == "note"


def altered(image: np.ndarray) -> np.ndarray:
    """A picture saved again, darker, with a little noise."""
    return (image * 0.8 + np.random.default_rng(3).integers(0, 6, image.shape)).astype(np.uint8)


def test_pictures_that_are_almost_the_same() -> None:
    choice = pictures()
    images, _ = of(choice)
    images[110] = altered(images[4])
    images[8] = altered(images[6])  # both in the training split, or one watched
    problem = the(find_problems(choice), "almost the same")
    assert set(problem.samples[:2]) <= {4, 110, 6, 8}
    assert 4 in problem.remedies[0].exclude
    assert 110 not in problem.remedies[0].exclude
    assert_mended(choice, problem)


def test_small_pictures_are_too_much_alike_to_tell() -> None:
    choice = pictures(side=12)
    images, _ = of(choice)
    images[110] = altered(images[4])
    assert find_problems(choice) == ()


def test_texts_that_are_almost_the_same() -> None:
    words = np.random.default_rng(2).integers(0, 500, (90, 40))
    written = [" ".join(f"w{word}" for word in row) for row in words]
    written[85] = written[4].upper().replace(" ", ", ") + "!"
    written[86] = written[5].replace(written[5].split()[7], "other")
    written[87] = " ".join(written[6].split()[::-1])
    choice = texts(written, test_start=80)
    problem = the(find_problems(choice), "2 texts are almost the same")
    assert problem.remedies[0].exclude == (4, 5)
    assert_mended(choice, problem)


def test_long_texts_are_compared_beyond_what_the_network_sees() -> None:
    choice = texts([f"the same five words first {n}" for n in range(90)], test_start=80)
    assert not [p for p in find_problems(choice) if "exact" in p.message or "by heart" in p.message]


def test_groups_that_were_torn_apart() -> None:
    choice = table(numbers(), groups=np.arange(100) // 2)
    assert find_problems(choice) == ()  # they were found out
    torn = DataChoice(choice.source, Split("stratified"))
    problem = the(find_problems(torn), "groups")
    assert problem.message.startswith("24 of 48 groups")
    assert torn.remedied(problem.remedies[0]) == DataChoice(choice.source, Split("grouped"))
    assert_mended(torn, problem)


def test_uneven_classes() -> None:
    targets = (np.arange(400) % 5 == 0).astype(np.int64)
    choice = table(numbers(400), targets=targets)
    problem = the(find_problems(choice), "uneven")
    assert "“cat” has 231 training samples, “dog” 58" in problem.message
    assert "right in 80 %" in problem.message
    assert choice.remedied(problem.remedies[0]).balanced
    assert_mended(choice, problem)


def test_classes_that_are_missing_or_rare() -> None:
    names = tuple(f"class\x1b {n}" for n in range(9))
    targets = np.concatenate([np.zeros(80), np.arange(9), np.ones(20)]).astype(np.int64)
    choice = table(numbers(109), Target("classification", names), targets, test_start=89)
    found = find_problems(choice)
    assert "8 classes (“class� 0”, “class� 2”" in the(found, "The test split has no sample of").message
    assert "fewer than 10 samples" in the(found, "to learn").message
    assert "\x1b" not in "".join(problem.message for problem in found)
    last = table(numbers(), Target("classification", names[:3]), np.arange(100) // 80, test_start=80)
    first = find_problems(last)[0]
    assert (first.severity, first.message) == (
        "error", "The train split has no sample of the classes “class� 1” and “class� 2”: it cannot be learned.",
    )  # fmt: skip


def test_classes_that_a_random_division_missed() -> None:
    targets = np.zeros(100, np.int64)
    targets[:3] = 1
    choice = DataChoice(table(numbers(), targets=targets).source, Split("random"))
    for problem in find_problems(choice):
        if "no sample of" in problem.message:
            assert choice.remedied(problem.remedies[0]).split.method == "stratified"
            return
    raise AssertionError("three samples were in three splits by chance: choose another seed")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("target", [False, True])
def test_numbers_that_are_none(bad: float, target: bool) -> None:
    rows, targets = numbers(), numbers()[:, :1].astype(np.float32)
    (targets if target else rows)[[7, 60], 0] = bad
    choice = table(rows, Target("regression", ("y",)), targets)
    problem = the(find_problems(choice), "missing or infinite")
    assert (problem.severity, problem.samples) == ("error", (7, 60))
    assert problem.remedies[0].exclude == (7, 60)


def test_inputs_that_never_change() -> None:
    rows = numbers()
    rows[:, 1] = 4.5
    assert the(find_problems(table(rows)), "same in every").message.startswith("The input “x2” is the same")
    rows[:, 2] = 0
    assert the(find_problems(table(rows)), "same in every").message.startswith("The inputs “x2” and “x3” are")


def test_blank_pictures() -> None:
    choice = pictures()
    images, _ = of(choice)
    images[9], images[10] = 0, 255
    problem = the(find_problems(choice), "of one colour")
    assert problem.samples == (9, 10)
    assert_mended(choice, problem)


def test_few_samples() -> None:
    assert "only 30 samples" in the(find_problems(table(numbers(30))), "by heart").message


def test_many_samples_are_named_in_part_and_left_out_in_whole() -> None:
    rows = np.repeat(numbers(400), 2, axis=0)
    choice = table(rows, targets=np.repeat(np.arange(400) % 2, 2))
    found = find_problems(choice)
    assert max(len(problem.samples) for problem in found) == SHOWN
    assert sum(len(problem.remedies[0].exclude) for problem in found) == 400


def test_what_cannot_be_prepared_is_a_problem_itself(tmp_path: Path) -> None:
    (problem,) = find_problems(DataChoice(table(numbers(2)).source))
    assert (problem.severity, "too few" in problem.message) == ("error", True)
    with pytest.raises(MissingDataError):
        find_problems(DataChoice(sources.get("mnist")()), tmp_path)


def test_it_can_be_given_up_and_tells_how_far_it_is() -> None:
    rows = np.repeat(numbers(30), 2, axis=0)
    told: list[tuple[int, int]] = []
    whole = find_problems(table(rows), progress=lambda done, total: told.append((done, total)))
    assert told == [(number, told[0][1]) for number in range(told[0][1] + 1)]
    asked: list[None] = []
    part = find_problems(table(rows[:49]), cancelled=lambda: asked.append(None) or len(asked) > 1)
    assert len(asked) == 2
    assert [problem.message[:14] for problem in part] == ["There are only"]
    assert len(whole) > 0


def test_what_memory_does_not_hold_is_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies, look-alikes, blank pictures and missing numbers are found in large files, too."""
    choice = pictures(200)
    (images,) = choice.source.samples.inputs
    images[5], images[190] = 0, images[6]
    images[191] = np.clip(images[8] * 0.9, 0, 255)
    mapped = np.memmap(tmp_path / "pictures", np.uint8, "w+", shape=images.shape)
    mapped[:] = images
    mapped.flush()
    large = replace(choice, source=Given(replace(choice.source.samples, inputs=(mapped,)), choice.source.given))
    expected = find_problems(choice)
    for words in ("one colour", "almost the same", "also in"):
        assert any(words in problem.message for problem in expected), words
    monkeypatch.setattr(rows, "MOST_MAPPED_BYTES", 0)
    monkeypatch.setattr(problems, "_MOST_BYTES", 20 * images[0].nbytes)
    read, most = rows.FileRows.read, 0

    def counted(self: rows.FileRows, numbers: np.ndarray) -> np.ndarray:
        nonlocal most
        most = max(most, len(numbers))
        return read(self, numbers)

    monkeypatch.setattr(rows.FileRows, "read", counted)
    monkeypatch.setattr(near, "_BYTES_AT_ONCE", 20 * 4 * images[0].size)
    assert find_problems(large) == expected
    assert most == 20
