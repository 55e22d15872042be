"""Averages of a network's weights over many steps, in which the network is judged while training goes on with its own.

Sources: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992 (EMA: with a decay);
Izmailov and others, "Averaging weights leads to wider optima and better generalization", 2018 (SWA).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from studio.settings.parts import Averaging

Batch = tuple[tuple[Tensor, ...], Tensor]


class Elsewhere(Protocol):
    """Other processes, each of which averages a part of the same weights."""

    def end_epoch(self, epoch: int) -> None:
        """They take in the weights after an epoch, too."""

    def swap(self) -> None:
        """They put averages in the place of weights, too, or take them out."""

    def whole_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Whole averages, where those are parts."""


class Averager:
    """Keeps the average of the weights that learn, and of the running numbers of batch norms.

    Args:
        settings: which average; not “off”.
        model: the network that is trained.
        epochs: of the run.
        frozen: parts of the network whose batch norms stay as they are.
    """

    def __init__(self, settings: Averaging, model: nn.Module, epochs: int, frozen: Iterable[nn.Module] = ()) -> None:
        assert settings.method != "off"
        self.settings = settings
        self.count = 0  # of averaged states
        self.elsewhere: Elsewhere | None = None
        self._model = model
        self._first_epoch = epochs - max(1, math.ceil(settings.last_share * epochs)) + 1
        self._steps = 0
        state = model.state_dict(keep_vars=True)
        # What is not learned, such as weights that are frozen, is no average but itself.
        self._live = {
            name: tensor for name, tensor in state.items()
            if tensor.is_floating_point() and (tensor.requires_grad or not isinstance(tensor, nn.Parameter))
        }  # fmt: skip
        self._tensors = [tensor.detach() for tensor in self._live.values()]
        self._means: list[Tensor] = []
        still = {module for part in frozen for module in part.modules()}
        self._norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m not in still]
        self._norms = [norm for norm in self._norms if norm.track_running_stats]

    @torch.no_grad()
    def split(self, own: Mapping[str, Tensor], part: Callable[[Tensor], Tensor]) -> None:
        """Average only a part of each weight from now on.

        Args:
            own: the parts that are here, by the names of the weights; the optimizer changes them.
            part: from a whole weight to that part.
        """
        means = self.means
        self._live = {name: own.get(name, tensor) for name, tensor in self._live.items()}
        self._tensors = [tensor.detach() for tensor in self._live.values()]
        self._means = [part(mean).to(self._live[n].device) if n in own else mean for n, mean in means.items()]

    @property
    def means(self) -> dict[str, Tensor]:
        """The averages that are here, by the names of the weights; none if there is none yet."""
        return dict(zip(self._live, self._means, strict=True)) if self.active else {}

    def _whole_means(self) -> dict[str, Tensor]:
        return self.means if self.elsewhere is None or not self.active else self.elsewhere.whole_means(self.means)

    @property
    def active(self) -> bool:
        """Whether there is an average by now."""
        return self.count > 0

    @torch.no_grad()
    def after_step(self) -> None:
        """Take in the weights after a step of the optimizer, if the average is over steps."""
        if self.settings.method != "ema":
            return
        self._steps += 1
        if self._steps <= self.settings.from_step:
            return
        # At first the average is over few steps, so it must forget faster.
        self._take(1.0 - min(self.settings.decay, (1 + self.count) / (10 + self.count)))

    @torch.no_grad()
    def end_epoch(self, epoch: int) -> None:
        """Take in the weights after an epoch, if the average is over epochs and its turn has come."""
        if self.elsewhere is not None:
            self.elsewhere.end_epoch(epoch)
        if self.settings.method == "swa" and epoch >= self._first_epoch:
            self._take(1.0 / (self.count + 1))

    def _take(self, share: float) -> None:
        """Move the average towards the weights as they are now."""
        if self.count == 0:
            self._means = [tensor.clone() for tensor in self._tensors]
        else:
            torch._foreach_lerp_(self._means, self._tensors, share)
        self.count += 1

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Have the averaged weights in the network, if there are any; its own ones come back at the end."""
        if not self.active:
            yield
            return
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def swap(self) -> None:
        """Put the averages in the place of the weights, or take them out again."""
        if self.elsewhere is not None:
            self.elsewhere.swap()
        own = [tensor.clone() for tensor in self._tensors]
        torch._foreach_copy_(self._tensors, self._means)
        torch._foreach_copy_(self._means, own)

    @property
    def measures_norms(self) -> bool:
        """Whether the running numbers of batch norms must be measured anew before the average can be judged.

        A running average of weights has one of these numbers, too; the mean of far apart weights needs its own.
        """
        return self.settings.method == "swa" and self.active and bool(self._norms)

    def measure_norms(self, batches: Iterable[Batch]) -> Generator[None]:
        """Measure them on samples, with the averaged weights in the network. Yields after each batch."""
        kept = [(norm.momentum, norm.num_batches_tracked) for norm in self._norms]
        self._model.eval()
        for norm in self._norms:
            norm.train()
            assert norm.running_mean is not None
            norm.num_batches_tracked = torch.zeros((), dtype=torch.long, device=norm.running_mean.device)
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
        try:
            for inputs, _ in batches:
                with torch.no_grad():
                    self._model(*inputs)
                yield None
        finally:
            for norm, (momentum, tracked) in zip(self._norms, kept, strict=True):
                norm.momentum, norm.num_batches_tracked = momentum, tracked
                norm.eval()

    def weights(self) -> dict[str, Tensor]:
        """The network's state dict with the averages in it."""
        means = self._whole_means()
        return {name: means.get(name, tensor) for name, tensor in self._model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """What a run needs to go on; the tensors are no copies."""
        means = list(self._whole_means().values())
        return {"method": self.settings.method, "count": self.count, "steps": self._steps, "means": means}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; an average of the other kind is of no use."""
        if state["method"] != self.settings.method:
            return
        self.count, self._steps = int(state["count"]), int(state["steps"])
        self._means = [tensor.clone() for tensor in self._tensors] if state["means"] else []
        for mean, kept in zip(self._means, state["means"], strict=True):
            mean.copy_(kept)
