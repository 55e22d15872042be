"""What keeps a run from starting or going on. No torch here: the window catches them."""


class TrainingError(Exception):
    """A run cannot start or go on; the message says why and what to do."""


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says why."""
