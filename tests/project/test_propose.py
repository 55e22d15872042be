"""A network for every kind of data, which can be trained as it is."""

from __future__ import annotations

import pytest

from studio.compile.shapes import analyze
from studio.data import DataSpec, Findings, Target
from studio.data import registry as datasets
from studio.project.propose import NoProposalError, propose, propose_project
from studio.settings import TrainingSettings
from studio.tensors import TensorSpec

CLASSES = Target("classification", ("a", "b", "c"))
NUMBER = Target("regression", ("y",))


def tensor(axes: str, *dims: int, tokens: bool = False) -> TensorSpec:
    return TensorSpec(dims, axes, "int" if tokens else "float")


def text(length: int, target: Target, vocabulary: int = 50) -> DataSpec:
    return DataSpec((tensor("L", length, tokens=True),), target, tokens=(vocabulary,))


def many(count: int) -> tuple[str, ...]:
    return tuple(f"t{number}" for number in range(count))


SPECS = {
    "small pictures": DataSpec((tensor("CHW", 1, 8, 8),), CLASSES),
    "tiny pictures": DataSpec((tensor("CHW", 3, 2, 5),), CLASSES),
    "large pictures": DataSpec((tensor("CHW", 3, 150, 101),), CLASSES),
    "a number of a picture": DataSpec((tensor("CHW", 3, 32, 32),), NUMBER),
    "pixels": DataSpec((tensor("CHW", 3, 64, 48),), Target("classification", ("out", "in"), (64, 48))),
    "pixels of an odd size": DataSpec((tensor("CHW", 3, 33, 50),), Target("classification", ("out", "in"), (33, 50))),
    "features": DataSpec((tensor("D", 7),), CLASSES),
    "one feature": DataSpec((tensor("D", 1),), Target("regression", ("y", "z"))),
    "a cube": DataSpec((tensor("CDHW"[:4], 2, 3, 4, 5),), CLASSES),
    "words": text(20, CLASSES),
    "one word": text(1, CLASSES),
    "two words": text(2, CLASSES),
    "tags": text(20, Target("classification", ("O", "B", "I"), (20,))),
    "next tokens": text(20, Target("classification", many(50), (20,))),
    "translation": DataSpec(
        (tensor("L", 20, tokens=True), tensor("L", 15, tokens=True)),
        Target("classification", many(40), (15,)), tokens=(50, 40),
    ),
    "series": DataSpec((tensor("TD", 24, 7),), Target("regression", many(12))),
    "classes of steps": DataSpec((tensor("TD", 24, 7),), Target("classification", ("a", "b"), (24,))),
    "a long wave": DataSpec((tensor("CT", 1, 8_000),), CLASSES),
    "a short wave": DataSpec((tensor("CT", 2, 300),), CLASSES),
    "numbers and categories": DataSpec((tensor("D", 5), tensor("D", 3, tokens=True)), CLASSES, tokens=(0, 30)),
    "categories": DataSpec((tensor("D", 3, tokens=True),), NUMBER, tokens=(30,)),
    "categories and a picture": DataSpec(
        (tensor("D", 3, tokens=True), tensor("CHW", 1, 4, 4)), CLASSES, tokens=(30, 0)
    ),
    "numbers and words": DataSpec(
        (tensor("D", 5), tensor("L", 3, tokens=True), tensor("CHW", 1, 4, 4)), CLASSES, tokens=(0, 30, 0)
    ),
    "the picture itself": DataSpec(
        (tensor("CHW", 1, 8, 8),), Target("regression", ("input",), (1, 8, 8), is_input=True)
    ),
    "the features themselves": DataSpec((tensor("D", 5),), Target("regression", ("input",), (5,), is_input=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_it_can_be_trained_without_a_problem(name: str) -> None:
    spec = SPECS[name]
    analysis = analyze(propose(spec), spec, TrainingSettings())
    assert analysis.trainable, analysis.problems
    assert analysis.problems == ()


@pytest.mark.parametrize("kind", [kind.kind for kind in datasets if kind().spec.target.size])
def test_every_dataset_that_is_known_has_a_proposal(kind: str) -> None:
    spec = datasets.get(kind)().spec
    assert analyze(propose(spec), spec, TrainingSettings()).trainable


def test_who_predicts_the_next_token_does_not_see_it() -> None:
    for name, kinds in (("next tokens", {"transformer_encoder_layer"}), ("translation", {"transformer_decoder_layer"})):
        layers = [node.block for node in propose(SPECS[name]).nodes if node.block.kind in kinds]
        assert layers
        assert all(layer.causal for layer in layers)


def test_few_samples_are_seen_more_often() -> None:
    digits = datasets.get("digits")()
    few, many = (propose_project(digits, Findings(digits.spec, rows=rows)).training for rows in (40, 60_000))
    assert few.epochs > many.epochs
    assert few.batch_size < many.batch_size


def test_it_is_said_why_there_is_none() -> None:
    with pytest.raises(NoProposalError, match="not known yet"):
        propose(text(5, Target("classification", ())))
    volumes = DataSpec((tensor("CHW", 1, 4, 4),), Target("classification", ("a", "b"), (4,)))
    with pytest.raises(NoProposalError, match="Draw one"):
        propose(volumes)
