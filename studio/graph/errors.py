"""One class per reason for which an edit is refused. Each message is one sentence for people."""


class GraphError(ValueError):
    """An edit was refused; the graph is as it was."""


class UnknownNodeError(GraphError):
    """A node is named that is not in the graph."""

    def __init__(self, node_id: str) -> None:
        super().__init__(f"There is no block with the id “{node_id[:40]}”.")


class DuplicateError(GraphError):
    """An id or a name is taken."""


class BadNameError(GraphError):
    """A name cannot stand in code."""


class BadLinkError(GraphError):
    """A link names a port that does not exist, or one that is taken."""


class CycleError(GraphError):
    """A link would lead data around in a circle."""


class GroupError(GraphError):
    """A group cannot be made, changed or used like that."""
