"""Optimizers: what turns gradients into steps. Each names its class in `torch.optim`."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.fields import Declared, field
from studio.registry import Registry

_RATE_HELP = "Size of the steps. Too high: the loss jumps or explodes; too low: it hardly moves."
_DECAY_HELP = "Pulls all weights towards zero a little in every step, against overfitting (L2)."
_EPSILON_HELP = "Added to what the step is divided by, so that it is never zero."


class Optimizer(Declared):
    """Base of every optimizer."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    torch_class: ClassVar[str]
    fused: ClassVar[bool] = False  # whether torch has it as one pass over all weights, on the processor and on GPUs
    newer: ClassVar[tuple[str, ...]] = ()  # fields that came later: a file has them only where they are not as usual
    searches: ClassVar[bool] = False  # whether it asks for the loss again and again in one step

    learning_rate: float = field(1e-3, min=0.0, max=100.0, help=_RATE_HELP)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {"lr": self.learning_rate}

    @property
    def has_momentum(self) -> bool:
        """Whether a schedule can move its momentum, or what stands in its place (the first of two betas)."""
        return not {"momentum", "betas"}.isdisjoint(self.arguments())


registry: Registry[Optimizer] = Registry("optimizer")


@registry.add
class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square. A good first choice.

    Source: Kingma and Ba, "Adam", 2015.
    """

    kind: ClassVar[str] = "adam"
    title: ClassVar[str] = "Adam"
    torch_class: ClassVar[str] = "Adam"
    fused: ClassVar[bool] = True
    newer: ClassVar[tuple[str, ...]] = ("epsilon", "amsgrad")

    beta1: float = field(0.9, min=0.0, max=0.9999, help="Memory of the gradient's running mean.", rare=True)
    beta2: float = field(0.999, min=0.0, max=0.99999, help="Memory of the squared gradient's running mean.", rare=True)
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)
    epsilon: float = field(1e-8, min=0.0, max=1.0, help=_EPSILON_HELP, rare=True)
    amsgrad: bool = field(False, help="Keep the largest running mean of squares: steps never grow again.", rare=True)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {
            "lr": self.learning_rate, "betas": (self.beta1, self.beta2), "weight_decay": self.weight_decay,
            "eps": self.epsilon, "amsgrad": self.amsgrad,
        }  # fmt: skip


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
    fused: ClassVar[bool] = True

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


@registry.add
class RMSprop(Optimizer):
    """Steps divided by a running mean of the gradient's size.

    Source: Hinton, "Neural networks for machine learning", lecture 6, 2012.
    """

    kind: ClassVar[str] = "rmsprop"
    title: ClassVar[str] = "RMSprop"
    torch_class: ClassVar[str] = "RMSprop"

    alpha: float = field(0.99, min=0.0, max=0.99999, help="Memory of the squared gradient's running mean.", rare=True)
    momentum: float = field(0.0, min=0.0, max=0.9999, help="Share of the last step that is kept.")
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)
    epsilon: float = field(1e-8, min=1e-16, max=1.0, help=_EPSILON_HELP, rare=True)
    centered: bool = field(False, help="Divide by the gradient's deviation instead of its size.", rare=True)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {
            "lr": self.learning_rate, "alpha": self.alpha, "momentum": self.momentum, "eps": self.epsilon,
            "weight_decay": self.weight_decay, "centered": self.centered,
        }  # fmt: skip


@registry.add
class Adagrad(Optimizer):
    """Steps divided by the size of all gradients so far: weights that seldom move get large steps. For sparse data.

    Source: Duchi and others, "Adaptive subgradient methods", 2011.
    """

    kind: ClassVar[str] = "adagrad"
    title: ClassVar[str] = "Adagrad"
    torch_class: ClassVar[str] = "Adagrad"
    fused: ClassVar[bool] = True

    learning_rate: float = field(0.01, min=0.0, max=100.0, help=_RATE_HELP)
    rate_decay: float = field(0.0, min=0.0, max=1.0, help="The rate is divided by 1 + this × steps.")
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {"lr": self.learning_rate, "lr_decay": self.rate_decay, "weight_decay": self.weight_decay}


@registry.add
class Adadelta(Optimizer):
    """Steps as large as the last ones were, by the gradient's size: the rate hardly matters.

    Source: Zeiler, "Adadelta", 2012.
    """

    kind: ClassVar[str] = "adadelta"
    title: ClassVar[str] = "Adadelta"
    torch_class: ClassVar[str] = "Adadelta"

    learning_rate: float = field(1.0, min=0.0, max=100.0, help=_RATE_HELP)
    rho: float = field(0.9, min=0.0, max=0.99999, help="Memory of both running means.")
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)
    epsilon: float = field(1e-6, min=1e-16, max=1.0, help=_EPSILON_HELP, rare=True)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {
            "lr": self.learning_rate, "rho": self.rho, "weight_decay": self.weight_decay, "eps": self.epsilon,
        }  # fmt: skip


class _OfAdam(Optimizer):
    """What the relatives of Adam have in common."""

    learning_rate: float = field(2e-3, min=0.0, max=100.0, help=_RATE_HELP)
    beta1: float = field(0.9, min=0.0, max=0.9999, help="Memory of the gradient's running mean.", rare=True)
    beta2: float = field(0.999, min=0.0, max=0.99999, help="Memory of the squared gradient's running mean.", rare=True)
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {"lr": self.learning_rate, "betas": (self.beta1, self.beta2), "weight_decay": self.weight_decay}


@registry.add
class Adamax(_OfAdam):
    """Adam with the largest gradient in place of the mean of squares.

    Source: Kingma and Ba, "Adam", 2015.
    """

    kind: ClassVar[str] = "adamax"
    title: ClassVar[str] = "Adamax"
    torch_class: ClassVar[str] = "Adamax"


class _Decoupled(_OfAdam):
    """Of those, the ones whose weight decay may be that of AdamW."""

    decoupled: bool = field(
        False, help="Take the weight decay out of the gradient's scaling, as AdamW does.", rare=True
    )

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {**super().arguments(), "decoupled_weight_decay": self.decoupled}


@registry.add
class NAdam(_Decoupled):
    """Adam that looks ahead along its momentum.

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.
    """

    kind: ClassVar[str] = "nadam"
    title: ClassVar[str] = "NAdam"
    torch_class: ClassVar[str] = "NAdam"


@registry.add
class RAdam(_Decoupled):
    """Adam with small first steps, until its running means are worth something: a warm-up of its own.

    Source: Liu and others, "On the variance of the adaptive learning rate", 2020.
    """

    kind: ClassVar[str] = "radam"
    title: ClassVar[str] = "RAdam"
    torch_class: ClassVar[str] = "RAdam"

    learning_rate: float = field(1e-3, min=0.0, max=100.0, help=_RATE_HELP)


@registry.add
class Adafactor(Optimizer):
    """Adam in little memory: of each matrix it keeps rows and columns alone. For large networks.

    Source: Shazeer and Stern, "Adafactor", 2018.
    """

    kind: ClassVar[str] = "adafactor"
    title: ClassVar[str] = "Adafactor"
    torch_class: ClassVar[str] = "Adafactor"

    learning_rate: float = field(0.01, min=0.0, max=100.0, help=_RATE_HELP)
    longest_update: float = field(
        1.0, min=1.0, max=1e6, help="Largest mean size of a step, as a multiple of the rate.", rare=True
    )
    weight_decay: float = field(0.0, min=0.0, max=10.0, help=_DECAY_HELP)

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {"lr": self.learning_rate, "d": self.longest_update, "weight_decay": self.weight_decay}


@registry.add
class LBFGS(Optimizer):
    """Follows the curvature, with many looks at each batch. For small networks and batches of all samples.

    Source: Liu and Nocedal, "On the limited memory BFGS method", 1989.
    """

    kind: ClassVar[str] = "lbfgs"
    title: ClassVar[str] = "L-BFGS"
    torch_class: ClassVar[str] = "LBFGS"
    searches: ClassVar[bool] = True

    learning_rate: float = field(1.0, min=0.0, max=100.0, help=_RATE_HELP)
    iterations: int = field(20, min=1, max=10_000, help="Most moves within a step, each with a look at the batch.")
    history: int = field(
        100, min=1, max=10_000, help="How many moves the curvature is made of; each takes memory.", rare=True
    )
    line_search: bool = field(True, help="Look for a good length of each move (strong Wolfe); else the rate alone.")

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the torch class."""
        return {
            "lr": self.learning_rate, "max_iter": self.iterations, "history_size": self.history,
            "line_search_fn": "strong_wolfe" if self.line_search else None,
        }  # fmt: skip
