"""Finds blocks by what people call them."""

from __future__ import annotations

from studio.blocks.base import Block


def matches(block: type[Block], text: str) -> bool:
    """Whether a block is called, grouped or described with every word of a text; letter case does not matter."""
    searchable = _searchable(block)
    return all(word in searchable for word in text.lower().split())


def closeness(block: type[Block], text: str) -> int:
    """How well a block that matches is meant by a text: 0 is best.

    0: its title or a synonym begins with the text; 1: one of them contains it; 2: its kind, group or description does.
    """
    wanted = " ".join(text.lower().split())
    names = [block.title.lower(), *block.synonyms]
    if any(name.startswith(wanted) for name in names):
        return 0
    return 1 if any(wanted in name for name in names) else 2


def _searchable(block: type[Block]) -> str:
    description = (block.__doc__ or "").strip().partition("\n")[0]
    return " ".join((block.title, block.kind, block.group, *block.synonyms, description)).lower()
