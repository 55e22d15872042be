"""Training settings, optimizers, schedules and losses, declared without torch."""

from studio.settings.losses import Loss
from studio.settings.losses import registry as losses
from studio.settings.optimizers import Optimizer
from studio.settings.optimizers import registry as optimizers
from studio.settings.schedules import Schedule
from studio.settings.schedules import registry as schedules
from studio.settings.training import TrainingSettings

__all__ = ["Loss", "Optimizer", "Schedule", "TrainingSettings", "losses", "optimizers", "schedules"]
