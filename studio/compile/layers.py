"""The layers that a record may name, and how each is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from studio.blocks import ShapeError
from studio.compile.backbone import build_backbone
from studio.compile.custom import explained_failure, namespace_of


@dataclass(frozen=True)
class LayerSpec:
    """A layer of `torch.nn` and its constructor arguments, all constants."""

    class_name: str
    arguments: tuple[tuple[str, Any], ...]

    def build(self) -> nn.Module:
        """Make the layer, with fresh weights."""
        layer: nn.Module = getattr(nn, self.class_name)(**dict(self.arguments))
        return layer


@dataclass(frozen=True)
class ParameterSpec(LayerSpec):
    """A learned tensor; `class_name` is the function of `torch` that makes its first numbers."""

    def build(self) -> nn.Parameter:  # type: ignore[override]  # it stands where a layer may stand
        """Make the tensor, with fresh numbers."""
        return nn.Parameter(getattr(torch, self.class_name)(**dict(self.arguments)))


@dataclass(frozen=True)
class CustomSpec(LayerSpec):
    """A layer that a person's code declares; `class_name` is its class.

    Args:
        code: it runs when the layer is built; see `studio.trust`.
    """

    code: str = ""

    def build(self) -> nn.Module:
        """Run the code and make the layer.

        Raises:
            ShapeError: if the code fails, with its line.
        """
        with explained_failure(self.code):
            made = namespace_of(self.code)[self.class_name]()
        if not isinstance(made, nn.Module):
            raise ShapeError(f"Custom code: {self.class_name} is no class of nn.Module.")
        return made


@dataclass(frozen=True)
class BackboneSpec(LayerSpec):
    """The first part of a network of torchvision; its arguments are the `network` and the `node` with which it ends.

    Args:
        weights: torchvision's name of the learned weights that it begins with; empty for fresh ones. They are no part
            of building it.
    """

    weights: str = ""

    def build(self) -> nn.Module:
        """Make the layer, with fresh weights. It gives a dictionary, with the features at `FEATURES`."""
        return build_backbone(**dict(self.arguments))
