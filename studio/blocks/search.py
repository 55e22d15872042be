"""Finds blocks by what people call them."""

from __future__ import annotations

from studio.blocks.base import Block


def matches(block: type[Block], text: str) -> bool:
    """Whether a block is called, grouped or described with every word of a text; letter case does not matter."""
    searchable = _searchable(block)
    return all(word in searchable for word in text.lower().split())


def closeness(block: type[Block], text: str) -> int:
    """How well a block that matches is meant by a text: 0 is best.

    0: it or a synonym is the text; 1: its title begins with it; 2: a synonym does; 3: a word of them does; 4: they
    contain it; 5: what describes it does.
    """
    wanted = " ".join(text.lower().split())
    title = block.title.lower()
    if wanted in (title, *block.synonyms):
        return 0
    if title.startswith(wanted):
        return 1
    if any(name.startswith(wanted) for name in block.synonyms):
        return 2
    names = " " + " ".join((title, *block.synonyms))
    if f" {wanted}" in names:
        return 3
    return 4 if wanted in names else 5


def _searchable(block: type[Block]) -> str:
    description = (block.__doc__ or "").strip().partition("\n")[0]
    return " ".join((block.title, block.kind, block.group, *block.synonyms, description)).lower()
