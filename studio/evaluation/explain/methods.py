"""Methods of explanation, each with its settings. Captum computes them; here stands what it is asked.

Axis letters: N samples, T tokens, D features, C channels, H W space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from studio.evaluation.explain.randomness import own_randomness
from studio.evaluation.explain.subject import Subject
from studio.fields import Declared, field
from studio.registry import Registry
from studio.training.errors import TrainingError


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the parts of a sample are worth for an answer.

    Args:
        values: one number for each part (*dims), or for each token (T,): above zero for the answer, below it against.
        score: what the network says for the answer.
        remainder: by how much the values miss the difference that they should sum up to, as a share of it; None where
            the method promises no sum.
    """

    values: Tensor
    score: float
    remainder: float | None = None


class Method(Declared):
    """Base of every method."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    draws: ClassVar[bool] = False  # whether chance has a part in it

    def explain(self, subject: Subject, layer: nn.Module | None = None, seed: int = 0) -> Explanation:
        """Explain one answer.

        Args:
            layer: of a method that looks at a layer of the network, which one.
            seed: the same one gives the same values, where chance has a part.

        Raises:
            TrainingError: if the method cannot be used on this sample.
        """
        cudnn = torch.backends.cudnn.flags(enabled=False)  # its recurrent layers give no gradients in this state
        with cudnn, own_randomness(seed):
            values, remainder = self.attribute(subject, layer)
        with torch.no_grad():
            score = float(subject.score(subject.points))
        return Explanation(values.detach().cpu(), score, remainder)

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """The values of the parts, and what is missing of their sum."""
        raise NotImplementedError


registry: Registry[Method] = Registry("explanation")


@registry.add
class Saliency(Method):
    """How much the answer changes when a part changes a little: the size of its gradient.

    Source: Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks", 2014.
    """

    kind: ClassVar[str] = "saliency"
    title: ClassVar[str] = "Saliency"

    signed: bool = field(False, help="Keep the sign: whether more of a part is for or against the answer.")

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """Shapes as of `Explanation.values`."""
        from captum.attr import Saliency as Captum

        values = Captum(subject.score).attribute(_leaf(subject), abs=not self.signed)
        return subject.per_feature(values), None


@registry.add
class SmoothGrad(Method):
    """The mean of many saliencies of the sample with a little noise on it, which shows less grain.

    Source: Smilkov et al., "SmoothGrad: Removing noise by adding noise", 2017.
    """

    kind: ClassVar[str] = "smoothgrad"
    title: ClassVar[str] = "SmoothGrad"
    draws: ClassVar[bool] = True

    samples: int = field(25, min=1, max=1_000, help="How many noisy copies are looked at.")
    noise: float = field(
        0.15, min=0.0, max=10.0, help="Standard deviation of the noise, as a share of the sample’s range."
    )

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """Shapes as of `Explanation.values`."""
        from captum.attr import NoiseTunnel
        from captum.attr import Saliency as Captum

        points = subject.points
        spread = self.noise * float(points.max() - points.min())
        values = NoiseTunnel(Captum(subject.score)).attribute(
            _leaf(subject), nt_type="smoothgrad", nt_samples=self.samples, nt_samples_batch_size=_at_once(subject),
            stdevs=max(spread, 1e-12), abs=True,
        )  # fmt: skip
        return subject.per_feature(values), None


@registry.add
class IntegratedGradients(Method):
    """The gradient, summed up on the way from a sample that says nothing to this one.

    The values sum up to the difference between the two answers, and how nearly they do is told.

    Source: Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017.
    """

    kind: ClassVar[str] = "integrated-gradients"
    title: ClassVar[str] = "Integrated gradients"

    steps: int = field(64, min=2, max=2_000, help="Steps on the way; more make the sum more exact.")

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """Shapes as of `Explanation.values`."""
        from captum.attr import IntegratedGradients as Captum

        values, delta = Captum(subject.score).attribute(
            _leaf(subject), subject.baseline, n_steps=self.steps, internal_batch_size=_at_once(subject),
            return_convergence_delta=True,
        )  # fmt: skip
        with torch.no_grad():
            whole = float(subject.score(subject.points) - subject.score(subject.baseline))
        return subject.per_feature(values.to(subject.points.dtype)), abs(float(delta)) / max(abs(whole), 1e-12)


@registry.add
class GradCam(Method):
    """Where a convolution sees what speaks for the answer: its feature maps, weighted by their mean gradient.

    There is one value for each place, of the size of the picture.

    Source: Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via gradient-based localization", 2017.
    """

    kind: ClassVar[str] = "grad-cam"
    title: ClassVar[str] = "Grad-CAM"

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """(H, W), or (T,) for a convolution along time."""
        from captum.attr import LayerAttribution, LayerGradCam

        if layer is None:
            raise TrainingError(
                "Grad-CAM looks at a convolution: choose one. This network has none, or none was chosen."
            )
        maps = LayerGradCam(subject.score, layer).attribute(_leaf(subject), relu_attributions=True)
        size = tuple(subject.points.shape[2:]) if subject.embedding is None else (subject.points.shape[1],)
        mode = "bilinear" if len(size) == 2 else "linear"
        shown: Tensor = LayerAttribution.interpolate(maps, size, mode)
        return shown[0, 0], None


@registry.add
class Occlusion(Method):
    """How much the answer falls when a patch of the sample is covered, patch by patch.

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014.
    """

    kind: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "Occlusion"

    window: int = field(4, min=1, max=512, help="Side of the patch, in pixels, steps or features.")
    stride: int = field(2, min=1, max=512, help="How far it moves each time.")

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """Shapes as of `Explanation.values`."""
        from captum.attr import Occlusion as Captum

        dims = subject.points.shape[1:]
        whole = 1 if subject.embedding is None and subject.spec.axes.startswith("C") else 0
        tokens = subject.embedding is not None
        window = tuple(self._side(number, size, whole, tokens) for number, size in enumerate(dims))
        strides = tuple(
            size if side == size else min(self.stride, side) for side, size in zip(window, dims, strict=True)
        )
        values = Captum(subject.score).attribute(
            subject.points, window, strides, baselines=subject.baseline, perturbations_per_eval=_at_once(subject)
        )
        return subject.per_feature(values), None

    def _side(self, number: int, size: int, whole: int, tokens: bool) -> int:
        """All channels, and the whole vector of a token, are covered at once; of tokens one at a time."""
        if number < whole or (tokens and number == 1):
            return size
        return 1 if tokens else min(self.window, size)


class _ByParts(Method):
    """Base of methods that leave out groups of a sample's numbers: squares of a picture, tokens, features."""

    draws: ClassVar[bool] = True
    captum: ClassVar[str]  # its class there

    samples: int = field(200, min=10, max=20_000, help="How many samples, with parts left out, the network answers.")
    parts: int = field(49, min=4, max=400, help="About how many squares a picture is cut into.")

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """Shapes as of `Explanation.values`; all numbers of a part have the value of the part."""
        from captum import attr

        values: Tensor = getattr(attr, self.captum)(subject.score).attribute(
            subject.points, subject.baseline, feature_mask=self._squares(subject), n_samples=self.samples,
            perturbations_per_eval=_at_once(subject),
        )  # fmt: skip
        return values[0, :, 0] if subject.embedding is not None else values[0], None

    def _squares(self, subject: Subject) -> Tensor:
        """The number of the part that each number of the sample belongs to, (1, *dims) int64, without gaps."""
        points = subject.points
        if subject.embedding is not None:
            return torch.arange(points.shape[1], device=points.device).view(1, -1, 1).expand_as(points)
        if subject.spec.axes != "CHW":
            return torch.arange(points[0].numel(), device=points.device).view(points.shape)
        side = max(1, round(self.parts**0.5))
        places = [torch.arange(size, device=points.device) for size in points.shape[2:]]
        rows, columns = (place * min(side, len(place)) // len(place) for place in places)
        squares: Tensor = rows.view(-1, 1) * min(side, len(columns)) + columns
        return squares.view(1, 1, *points.shape[2:]).expand_as(points)


@registry.add
class Lime(_ByParts):
    """A straight line through the answers to samples like this one, with parts left out.

    Source: Ribeiro, Singh and Guestrin, "Why should I trust you?", 2016.
    """

    kind: ClassVar[str] = "lime"
    title: ClassVar[str] = "LIME"
    captum: ClassVar[str] = "Lime"


@registry.add
class KernelShap(_ByParts):
    """Shapley values: what a part adds to the answer, on average over all orders in which the parts could be added.

    Source: Lundberg and Lee, "A unified approach to interpreting model predictions", 2017.
    """

    kind: ClassVar[str] = "kernel-shap"
    title: ClassVar[str] = "KernelSHAP"
    captum: ClassVar[str] = "KernelShap"


@registry.add
class GradientShap(Method):
    """Integrated gradients at random places on the way, with a little noise: nearly Shapley values.

    Source: Lundberg and Lee, "A unified approach to interpreting model predictions", 2017.
    """

    kind: ClassVar[str] = "gradient-shap"
    title: ClassVar[str] = "GradientSHAP"
    draws: ClassVar[bool] = True

    samples: int = field(50, min=1, max=2_000, help="How many places on the way are looked at.")
    noise: float = field(
        0.05, min=0.0, max=10.0, help="Standard deviation of the noise, as a share of the sample’s range."
    )

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """Shapes as of `Explanation.values`."""
        from captum.attr import GradientShap as Captum

        spread = self.noise * float(subject.points.max() - subject.points.min())
        values = Captum(subject.score).attribute(
            _leaf(subject), subject.baseline, stdevs=spread, n_samples=self.samples
        )
        return subject.per_feature(values), None


def _leaf(subject: Subject) -> Tensor:
    return subject.points.clone().requires_grad_()


def _at_once(subject: Subject) -> int:
    """How many changed samples go through the network together."""
    return max(1, min(64, 2_000_000 // subject.points.numel()))
