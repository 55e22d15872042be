"""Training settings and optimizers, declared without torch."""

from studio.settings.optimizers import Optimizer
from studio.settings.optimizers import registry as optimizers
from studio.settings.training import TrainingSettings

__all__ = ["Optimizer", "TrainingSettings", "optimizers"]
