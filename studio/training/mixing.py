"""Mixup and CutMix: each sample of a batch is mixed with another one, and the loss with it.

The larger part of a mixed sample is always its own, so its class is the one that accuracy is counted against. All draws
are a function of seed, epoch and step: a run that goes on draws the same.

Sources: Zhang and others, "mixup: Beyond empirical risk minimization", 2018; Yun and others, "CutMix: Regularization
strategy to train strong classifiers with localizable features", 2019.

Axis letters: N batch, C channels, H W space.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from scipy.special import betaincinv
from torch import Tensor

from studio.data.base import DataSpec
from studio.data.transforms.draws import Draws
from studio.settings.parts import Mixing
from studio.training.errors import TrainingError

LossFunction = Callable[[Tensor, Tensor], Tensor]
_PLACE = 1_000_000  # behind all transforms, which have the places before it in the draws


class Mixer:
    """Mixes the batches of a run.

    Args:
        settings: how; not “off”.
        seed: of the run.
        loss: answers and targets of a batch to its mean loss ().
    """

    def __init__(self, settings: Mixing, seed: int, loss: LossFunction) -> None:
        assert settings.method != "off"
        self._settings = settings
        self._seed = seed
        self._loss = loss
        self._share = 1.0  # of the own sample, in the batch under way
        self._shift = 0  # to the partner

    def mix(self, inputs: tuple[Tensor, ...], epoch: int, step: int) -> tuple[Tensor, ...]:
        """Each sample with its partner in it.

        Args:
            inputs: (N, *dims) each.
            epoch: from 1.
            step: how many batches there were before, since the start of the run.
        """
        count = len(inputs[0])
        if count < 2:
            self._share = 1.0
            return inputs
        draws = Draws(self._seed, epoch, torch.tensor([step]), _PLACE)
        strength = self._settings.strength
        share = float(betaincinv(strength, strength, draws.uniform().item()))
        self._share = max(share, 1.0 - share)
        self._shift = int(draws.whole(1, count - 1))
        cut = self._settings.method == "cutmix" or (self._settings.method == "either" and draws.uniform().item() < 0.5)
        if cut:
            return (self._cut(inputs[0], draws),)
        return tuple(x.lerp(x.roll(self._shift, 0), 1.0 - self._share) for x in inputs)

    def _cut(self, x_NCHW: Tensor, draws: Draws) -> Tensor:
        """Each picture with the same rectangle of its partner."""
        height, width = x_NCHW.shape[2:]
        side = (1.0 - self._share) ** 0.5
        high, wide = int(height * side), int(width * side)
        top, left = int(draws.whole(0, height - high)), int(draws.whole(0, width - wide))
        self._share = 1.0 - high * wide / (height * width)
        mixed = x_NCHW.clone()
        window = (slice(None), slice(None), slice(top, top + high), slice(left, left + wide))
        mixed[window] = x_NCHW.roll(self._shift, 0)[window]
        return mixed

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The mean loss () of the batch that was mixed last: that of both classes, by their shares."""
        own = self._loss(answers, targets)
        if self._share == 1.0:
            return own
        return own.lerp(self._loss(answers, targets.roll(self._shift, 0)), 1.0 - self._share)


def check_mixing(settings: Mixing, spec: DataSpec) -> None:
    """Whether samples of this kind can be mixed.

    Raises:
        TrainingError: if they cannot, and why.
    """
    if settings.method == "off":
        return
    pictures = [tensor for tensor in spec.inputs if tensor.axes == "CHW"]
    reason = ""
    if spec.target.task != "classification" or spec.target.dims:
        reason = "only samples that have one class each can be mixed, and this data has other answers"
    elif any(tensor.dtype != "float" for tensor in spec.inputs):
        reason = "tokens are no numbers, so there is nothing between two of them"
    elif settings.method != "mixup" and (len(pictures) != 1 or len(spec.inputs) != 1):
        reason = "a rectangle can be cut only out of pictures. Mixup works for this data"
    if reason:
        raise TrainingError(
            f"Samples cannot be mixed by “{settings.method}”: {reason}. Choose another method in the training "
            "settings, under “Mixed samples”."
        )
