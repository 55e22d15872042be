"""Whether a network is to be kept in parts, and whether it can be. What does it is loaded only then: it is large."""

from __future__ import annotations

from studio.settings import TrainingSettings
from studio.training.errors import TrainingError
from studio.training.loop import Trainer
from studio.training.spread.team import Team

_WORKS_WITH = ("Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam")


def are_wanted(settings: TrainingSettings, team: Team) -> bool:
    """Whether the processes of a team are to keep parts of the network."""
    return settings.spread.shard == "full" and team.size > 1


def check_parts(trainer: Trainer) -> None:
    """Whether the network of a trainer can be kept in parts.

    Raises:
        TrainingError: if its settings make that impossible; the message says which.
    """
    settings = trainer.stepper.settings
    scalars = [name for name, parameter in trainer.model.named_parameters() if parameter.ndim == 0]
    reason = ""
    if settings.optimizer.torch_class not in _WORKS_WITH:
        reason = f"The optimizer “{settings.optimizer.title}” needs whole weights. Choose another one"
    elif trainer.stepper.choices.precision == "float16":
        reason = "The scaled loss of float16 is not made for it. Choose bfloat16 or float32"
    elif settings.speed.layout == "channels last":
        reason = "Images with their channels last are not made for it. Set Layout to contiguous"
    elif scalars:
        reason = f"The weight “{scalars[0]}” is a single number without an axis. Give it one axis of length 1"
    if reason:
        raise TrainingError(f"The network cannot be kept in parts. {reason}, or set Shard to none.")
