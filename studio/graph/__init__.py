"""The graph: frozen values, changed only by edits."""

from studio.graph.errors import BadLinkError, BadNameError, CycleError, DuplicateError, GraphError, UnknownNodeError
from studio.graph.model import Graph, Link, Node

__all__ = [
    "BadLinkError", "BadNameError", "CycleError", "DuplicateError", "Graph", "GraphError", "Link", "Node",
    "UnknownNodeError",
]  # fmt: skip
