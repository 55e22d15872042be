"""A dataset made ready."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from studio.data import SCALINGS, DataChoice, DataError, DataSpec, Samples, Source, Split, Target
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.fields import replace
from studio.tensors import TensorSpec


@pytest.mark.parametrize("kind", ["digits", "iris", "wine", "breast_cancer"])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_bundled(kind: str, scaling: str) -> None:
    dataset = prepare(DataChoice(sources.get(kind)(), scaling=scaling))
    assert torch.equal(torch.cat(list(dataset.splits.values())).sort().values, torch.arange(len(dataset.targets)))
    assert dataset.inputs[0].shape[1:] == dataset.spec.inputs[0].dims
    assert set(dataset.targets[dataset.splits["validation"]].tolist()) == set(range(dataset.spec.target.size))
    (measured,) = dataset.scalings
    assert len(measured.shift) == dataset.inputs[0].shape[1]
    x = measured.apply(dataset.inputs[0][dataset.splits["train"]])
    if scaling == "standardize":
        assert float(x.mean()) == pytest.approx(0, abs=1e-4)
    if scaling == "unit range":
        assert (float(x.min()), float(x.max())) == pytest.approx((0, 1))


def test_the_fingerprint_tells_what_matters() -> None:
    choices = [
        DataChoice(),
        DataChoice(scaling="none"),
        DataChoice(split=Split(seed=1)),
        DataChoice(split=Split(validation=0.3)),
        DataChoice(sources.get("iris")()),
        DataChoice(balanced=True),
        DataChoice(excluded=(17,)),
    ]
    prints = [prepare(choice).fingerprint for choice in choices]
    assert len(set(prints)) == len(choices)
    assert prepare(DataChoice()).fingerprint == prints[0]
    assert len(prints[0]) == 64


class _Series(Source):
    """Two inputs and two numbers to predict; read-only and not contiguous, as a memory map may be."""

    kind: ClassVar[str] = "series"
    change: int = 0

    @property
    def spec(self) -> DataSpec:
        return DataSpec((TensorSpec((4,), "D"), TensorSpec((3,), "L", "int")), Target("regression", ("a", "b")))

    def load(self, folder: Path | None = None) -> Samples:
        features = np.asfortranarray(np.arange(80, dtype=np.float32).reshape(20, 4))
        features[self.change and 3] += self.change
        features.setflags(write=False)
        tokens = np.arange(60).reshape(20, 3)
        return Samples((features, tokens), np.arange(40, dtype=np.float32).reshape(20, 2))


def test_several_inputs_and_regression() -> None:
    dataset = prepare(DataChoice(_Series()))
    features, tokens = dataset.inputs
    assert features[5].tolist() == [20, 21, 22, 23]
    assert tokens.dtype == torch.int64
    assert dataset.scalings[1].apply(tokens) is tokens
    assert dataset.targets.shape == (20, 2)
    assert dataset.fingerprint != prepare(DataChoice(_Series(change=1))).fingerprint


def test_the_input_itself_as_the_target_takes_no_memory_and_changes_no_split() -> None:
    labels, itself = prepare(DataChoice()), prepare(DataChoice(target="the input itself"))
    assert itself.targets is itself.inputs[0]
    assert all(torch.equal(itself.splits[name], labels.splits[name]) for name in labels.splits)
    assert itself.fingerprint != labels.fingerprint


def test_what_cannot_be_its_own_target_is_refused() -> None:
    for source, reason in ((_Series(), "gives 2 inputs"), (sources.get("tiny-shakespeare")(), "gives tokens")):
        with pytest.raises(DataError, match=reason):
            prepare(DataChoice(source, target="the input itself"))


def test_samples_that_are_left_out_are_in_no_split_and_others_stay() -> None:
    whole = prepare(DataChoice())
    excluded = tuple(sorted(int(rows[1]) for rows in whole.splits.values()))
    left = prepare(DataChoice(excluded=excluded))
    for name, rows in whole.splits.items():
        assert left.splits[name].tolist() == [row for row in rows.tolist() if row not in excluded]
    assert len(left.targets) == len(whole.targets)
    with pytest.raises(DataError, match="Sample 1,798 is to be left out, but the dataset has only 1,797"):
        prepare(DataChoice(excluded=(1797,)))


def test_the_test_set_is_known_however_the_rest_is_divided(tmp_path: Path) -> None:
    first = prepare(DataChoice()).test_fingerprint()
    assert prepare(DataChoice(scaling="none", split=Split(validation=0.3), balanced=True)).test_fingerprint() == first
    assert prepare(DataChoice(split=Split(seed=1))).test_fingerprint() != first
    assert prepare(DataChoice(target="the input itself")).test_fingerprint() != first
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"one two {n},{'ab'[n % 2]}\n" for n in range(40)))
    texts = sources.get("text-files")(path=str(tmp_path / "t.csv"))
    of_texts = [prepare(DataChoice(source)).test_fingerprint() for source in (texts, replace(texts, max_length=3))]
    assert of_texts[0] == of_texts[1]
    assert prepare(DataChoice(texts, Split(seed=1))).test_fingerprint() != of_texts[0]


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        (DataChoice(_Series(), balanced=True), "numbers are to be predicted"),
        (DataChoice(target="the input itself", balanced=True), "numbers are to be predicted"),
        (DataChoice(sources.get("shapes")(samples=60), balanced=True), "a class for each place"),
    ],
)
def test_what_has_no_classes_of_samples_cannot_be_balanced(choice: DataChoice, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        prepare(choice)


def test_places_are_no_shares_to_keep() -> None:
    shapes = sources.get("shapes")(samples=60)
    dataset = prepare(DataChoice(shapes))
    assert dataset.targets.shape == (60, 32, 32)
    assert [len(rows) for rows in dataset.splits.values()] == [43, 8, 9]
