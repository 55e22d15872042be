"""Blocks and numbers in words."""

from __future__ import annotations

import pytest

from studio.blocks import registry
from studio.ui.canvas.summary import block_help, short_count, summary
from tests.helpers import block


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("conv2d", {}, "32 filters, 3×3"),
        ("conv2d", {"padding": 1, "bias": False}, "32 filters, 3×3, padding 1, no bias"),
        ("conv1d", {}, "32 filters, kernel size 3"),
        ("max_pool", {"stride": 1}, "size 2, stride 1"),
        ("input", {"values": "tokens", "shape": (12,)}, "12, tokens"),
        ("dropout", {}, "rate 0.5"),
        ("relu", {}, ""),
    ],
)
def test_summaries(kind: str, fields: dict[str, object], text: str) -> None:
    assert summary(block(kind, **fields)) == text


def test_counts_are_short() -> None:
    numbers = [0, 650, 999, 1_000, 18_496, 999_499, 999_999, 2_360_000, 7_000_000_000]
    assert [short_count(n) for n in numbers] == ["0", "650", "999", "1k", "18.5k", "999k", "1M", "2.36M", "7G"]


@pytest.mark.parametrize("kind", registry.kinds())
def test_every_block_has_readable_help_and_a_summary(kind: str) -> None:
    text = block_help(registry.get(kind))
    assert "\nShape: " in text
    assert isinstance(summary(block(kind)), str)
