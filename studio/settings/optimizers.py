"""Optimizers: what turns gradients into steps. Each names its class in `torch.optim`."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.fields import Declared, field
from studio.registry import Registry

_RATE_HELP = "Size of the steps. Too high: the loss jumps or explodes; too low: it hardly moves."
_DECAY_HELP = "Pulls all weights towards zero a little in every step, against overfitting."


class Optimizer(Declared):
    """Base of every optimizer."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    torch_class: ClassVar[str]

    learning_rate: float = field(1e-3, min=0.0, max=100.0, help=_RATE_HELP)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {"lr": self.learning_rate}


registry: Registry[Optimizer] = Registry("optimizer")


@registry.add
class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square. A good first choice.

    Source: Kingma and Ba, "Adam", 2015.
    """

    kind: ClassVar[str] = "adam"
    title: ClassVar[str] = "Adam"
    torch_class: ClassVar[str] = "Adam"

    beta1: float = field(0.9, min=0.0, max=0.9999, help="Memory of the gradient's running mean.")
    beta2: float = field(0.999, min=0.0, max=0.99999, help="Memory of the squared gradient's running mean.")
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {"lr": self.learning_rate, "betas": (self.beta1, self.beta2), "weight_decay": self.weight_decay}


@registry.add
class AdamW(Adam):
    """Adam with the weight decay taken out of the gradient's scaling.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    kind: ClassVar[str] = "adamw"
    title: ClassVar[str] = "AdamW"
    torch_class: ClassVar[str] = "AdamW"

    weight_decay: float = field(0.01, min=0.0, max=10.0, help=_DECAY_HELP)


@registry.add
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: v = momentum v + g, w = w - rate v."""

    kind: ClassVar[str] = "sgd"
    title: ClassVar[str] = "SGD with momentum"
    torch_class: ClassVar[str] = "SGD"

    learning_rate: float = field(0.05, min=0.0, max=100.0, help=_RATE_HELP)
    momentum: float = field(0.9, min=0.0, max=0.9999, help="Share of the last step that is kept.")
    nesterov: bool = field(False, help="Look ahead along the momentum; needs a momentum above zero.")
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {
            "lr": self.learning_rate,
            "momentum": self.momentum,
            "nesterov": self.nesterov and self.momentum > 0,  # torch refuses it without momentum
            "weight_decay": self.weight_decay,
        }
