"""Why a network cannot come in."""

from __future__ import annotations


class NetworkImportError(ValueError):
    """A network from elsewhere cannot become a graph; the message says which part of it and why."""
