"""Names that come from files never become anything but a plain identifier."""

from __future__ import annotations

import keyword

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from studio.graph import BadNameError
from studio.graph.names import check_id, check_name, fresh_id, fresh_name

HOSTILE = [
    "__import__('os')", "x" * 10_000, "", " ", "a b", "a-b", "1a", "a.b", "a\n", "\na", "ünïcode", "ａ", "a\u200b",
    "a;b", "class", "match", "None", "True", "__class__", "__init__", "_hidden", "torch", "nn", "self", None, 5, ["a"],
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name)[:20])
def test_hostile_names_are_refused(name: object) -> None:
    with pytest.raises(BadNameError) as caught:
        check_name(name)
    assert len(str(caught.value)) < 200


def test_every_attribute_of_a_module_is_refused() -> None:
    module = torch.fx.GraphModule(torch.nn.Module(), torch.fx.Graph())
    taken = {name for name in {*dir(module), *dir(torch.nn.Module())} if not name.startswith("_")}
    allowed = []
    for name in taken:
        try:
            allowed.append(check_name(name))
        except BadNameError:
            continue
    assert allowed == []


@pytest.mark.parametrize("name", ["conv2d_1", "a", "X" * 64, "image", "gru"])
def test_good_names_pass(name: str) -> None:
    assert check_name(name) == name


@given(st.text(max_size=80))
def test_what_passes_is_an_identifier(name: str) -> None:
    try:
        check_name(name)
    except BadNameError:
        return
    assert name.isascii()
    assert name.isidentifier()
    assert not keyword.iskeyword(name)


@pytest.mark.parametrize("node_id", ["", "a b", "x" * 65, "a/b", "é", None, 3])
def test_hostile_ids_are_refused(node_id: object) -> None:
    with pytest.raises(BadNameError):
        check_id(node_id)


def test_fresh_names_are_free() -> None:
    assert fresh_name("relu", {"relu_1", "relu_2"}) == "relu_3"
    assert fresh_id({"n4", "n5"}, 4) == "n6"
