"""Every layer kind, each declared once. Importing this package registers them and imports no torch."""

from studio.blocks import (  # noqa: F401  (imported to be registered)
    activation,
    attention,
    convolution,
    custom,
    learned,
    linear,
    mathematics,
    merge,
    normalization,
    pooling,
    regularization,
    residual,
    resizing,
    sequence,
    shape,
    terminals,
    torchvision_backbone,
)
from studio.blocks.base import GROUPS, MAX_INPUTS, Block, Recorder, Remedy, ShapeError, Value, registry
from studio.blocks.terminals import Input, Output

__all__ = ["GROUPS", "MAX_INPUTS", "Block", "Input", "Output", "Recorder", "Remedy", "ShapeError", "Value", "registry"]
