from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from studio.data import registry
from studio.data.base import MissingDataError
from studio.data.choice import DataChoice
from studio.data.dataset import prepare
from studio.data.examples import COUNT, examples


@pytest.mark.parametrize("kind", ["digits", "iris"])
def test_they_are_samples_of_the_training_split_as_it_trains(kind: str) -> None:
    choice = DataChoice(source=registry.get(kind)())
    dataset, state = prepare(choice), torch.get_rng_state()
    found = examples(choice)
    assert torch.equal(torch.get_rng_state(), state)
    assert len(found) == COUNT
    assert len({example.number for example in found}) == COUNT
    for example in found:
        assert example.number in dataset.splits["train"]
        scaled = dataset.scalings[0].apply(dataset.inputs[0][example.number : example.number + 1])
        assert torch.equal(example.inputs[0], scaled)
        assert example.target == dataset.spec.target.names[int(dataset.targets[example.number])]
    assert [e.number for e in examples(choice)] == [e.number for e in found]


def test_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        examples(DataChoice(source=registry.get("mnist")()), tmp_path)


def test_targets_with_places_in_words(tmp_path: Path) -> None:
    (pixels, *_) = examples(DataChoice(registry.get("shapes")(samples=60)))
    assert re.fullmatch(r"background \d\d %(, (disc|square|triangle) (\d+|under 1) %){1,3}", pixels.target)
    assert examples(DataChoice(target="the input itself"))[0].target == "the target is the input itself"
    (tmp_path / "tinyshakespeare.txt").write_text("ROMEO:\nMy dear? " * 30)
    (steps, *_) = examples(DataChoice(registry.get("tiny-shakespeare")(length=50)), tmp_path)
    assert len(steps.target) == 43
    assert steps.target[1:-2] in "ROMEO:↵My dear? " * 5
