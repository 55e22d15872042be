"""Finds blocks by what people call them."""

from __future__ import annotations

from studio.blocks.base import Block


def matches(block: type[Block], text: str) -> bool:
    """Whether a block is called, grouped or described with every word of a text; letter case does not matter."""
    searchable = _searchable(block)
    return all(word in searchable for word in text.lower().split())


def closeness(block: type[Block], text: str) -> int:
    """How well a block that matches is meant by a text: 0 is best.

    0: its title begins with the text; 1: a synonym does; 2: a word of them does; 3: they contain it; 4: what describes
    it does.
    """
    wanted = " ".join(text.lower().split())
    if block.title.lower().startswith(wanted):
        return 0
    if any(name.startswith(wanted) for name in block.synonyms):
        return 1
    names = " " + " ".join((block.title.lower(), *block.synonyms))
    if f" {wanted}" in names:
        return 2
    return 3 if wanted in names else 4


def _searchable(block: type[Block]) -> str:
    description = (block.__doc__ or "").strip().partition("\n")[0]
    return " ".join((block.title, block.kind, block.group, *block.synonyms, description)).lower()
