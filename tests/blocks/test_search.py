"""Blocks are found by what people call them."""

import pytest

from studio.blocks import registry
from studio.blocks.search import closeness, matches


def found(text: str) -> list[str]:
    blocks = [block for block in registry if matches(block, text)]
    return [block.kind for block in sorted(blocks, key=lambda block: closeness(block, text))]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("re", "relu"), ("linear", "dense"), ("fc", "dense"), ("MLP", "dense"), ("sum", "add"), ("residual", "add"),
        ("cat", "concatenate"),
        ("maxpool", "max_pool"), ("gap", "global_average_pool"), ("bn", "batch_norm"), ("drop", "dropout"),
        ("dense", "dense"), ("batch norm", "batch_norm"), ("transformer", "self_attention"), ("view", "flatten"),
        ("pow", "power"), ("conv", "conv2d"), ("rnn", "rnn"),
    ],
)  # fmt: skip
def test_the_usual_names_find_the_block(text: str, first: str) -> None:
    assert found(text)[0] == first


def test_a_beginning_finds_all_that_begin_so() -> None:
    assert set(found("conv")[:3]) == {"conv1d", "conv2d", "conv3d"}
    assert {"rnn", "gru", "lstm"} == set(found("rnn"))
    assert found("  Conv   2D ")[0] == "conv2d"


def test_what_nothing_is_called_finds_nothing() -> None:
    assert found("xyzzy") == []
    assert len(found("")) == len(list(registry))


def test_synonyms_are_lower_case_or_they_would_never_match() -> None:
    assert [b.kind for b in registry if any(s != s.lower() for s in b.synonyms)] == []
