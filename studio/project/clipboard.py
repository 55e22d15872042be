"""Blocks as text, to be carried from one canvas to another."""

from __future__ import annotations

import json

from studio.graph import Graph
from studio.project.graph_json import GRAPH_KEYS, REQUIRED_KEYS, checked_object, graph_from_json, graph_to_json
from studio.storage import BadFileError, parse_json

FORMAT = "training-studio-blocks"
VERSION = 1
MAX_CHARACTERS = 5_000_000


class ClipboardError(ValueError):
    """A text holds no blocks that could be pasted; the message says why."""


def fragment_to_text(fragment: Graph) -> str:
    """Blocks, links and notes as JSON text."""
    return json.dumps({"format": FORMAT, "version": VERSION, **graph_to_json(fragment)}, ensure_ascii=False, indent=1)


def fragment_from_text(text: str) -> Graph:
    """Blocks, links and notes from a text; checked as strictly as a project file.

    Raises:
        ClipboardError: if it is anything else.
    """
    if FORMAT not in text[:1000]:
        raise ClipboardError("There are no blocks on the clipboard. Copy some on a canvas first.")
    if len(text) > MAX_CHARACTERS:
        raise ClipboardError(f"The clipboard holds {len(text):,} characters; {MAX_CHARACTERS:,} can be pasted.")
    try:
        keys = {"format", "version", *REQUIRED_KEYS}
        data = checked_object(
            parse_json(text.encode(), "the text"), "the text", required=keys, allowed=keys | GRAPH_KEYS
        )
        if data["format"] != FORMAT or data["version"] != VERSION:
            raise ValueError("another version of Training Studio made it.")
        return graph_from_json(data)
    except (ValueError, BadFileError) as error:
        raise ClipboardError(f"The blocks on the clipboard cannot be pasted: {error}") from error
