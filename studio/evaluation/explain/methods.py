"""Methods of explanation, each with its settings. Captum computes them; here stands what it is asked.

Axis letters: N samples, T tokens, D features, C channels, H W space.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from studio.evaluation.explain.randomness import own_randomness
from studio.evaluation.explain.subject import Subject
from studio.evaluation.explain.watching import Watch, watched
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

    def explain(
        self, subject: Subject, layer: nn.Module | None = None, seed: int = 0, watch: Watch | None = None
    ) -> Explanation:
        """Explain one answer.

        Args:
            layer: of a method that looks at a layer of the network, which one.
            seed: the same one gives the same values, where chance has a part.
            watch: told often how many samples the network was asked; what it raises breaks the work off.

        Raises:
            TrainingError: if the method cannot be used on this sample.
        """
        with _gradients_through(subject.model), own_randomness(seed), watched(subject.model, watch):
            values, remainder = self.attribute(subject, layer)
        with torch.no_grad():
            score = float(subject.score(subject.points))
        return Explanation(values.detach().cpu(), score, remainder)

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """The values of the parts, and what is missing of their sum."""
        raise NotImplementedError


@contextlib.contextmanager
def _gradients_through(model: nn.Module) -> Iterator[None]:
    """Without cuDNN where a recurrent layer is in the network: in the state for answering those give no gradients."""
    if not any(isinstance(layer, nn.RNNBase) for layer in model.modules()):
        yield
        return
    with torch.backends.cudnn.flags(enabled=False):
        yield


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
        size = subject.places_of_input
        if maps.ndim != len(size) + 2:
            raise TrainingError(
                f"This convolution gives maps of {maps.ndim - 2} dimensions, but the input has {len(size)}, so they "
                "cannot be laid over it. Choose another convolution, or another method."
            )
        shown: Tensor = LayerAttribution.interpolate(maps, size, "bilinear" if len(size) == 2 else "linear")
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
        window = tuple(self._side(number, size, subject) for number, size in enumerate(dims))
        strides = tuple(
            size if side == size else min(self.stride, side) for side, size in zip(window, dims, strict=True)
        )
        values = Captum(subject.score).attribute(
            subject.points, window, strides, baselines=subject.baseline, perturbations_per_eval=_at_once(subject)
        )
        return subject.per_feature(values), None

    def _side(self, number: int, size: int, subject: Subject) -> int:
        """All channels, and the whole vector of a token, are covered at once; of tokens one at a time."""
        if number not in subject.place_axes:
            return size
        return 1 if subject.embedding is not None else min(self.window, size)


class _ByParts(Method):
    """Base of methods that leave out groups of a sample's numbers: squares, pieces of a series, tokens, features."""

    draws: ClassVar[bool] = True
    captum: ClassVar[str]  # its class there

    samples: int = field(200, min=10, max=20_000, help="How many samples, with parts left out, the network answers.")
    parts: int = field(
        49, min=4, max=400, help="About how many squares a picture is cut into, or how many pieces a series."
    )

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        """Shapes as of `Explanation.values`; all numbers of a part have the value of the part."""
        from captum import attr

        parts = self._squares(subject)
        if int(parts.max()) == 0:  # there is nothing to choose between: all that is said comes from the only part
            with torch.no_grad():
                values = (subject.score(subject.points) - subject.score(subject.baseline)).expand_as(subject.points)
        else:
            values = getattr(attr, self.captum)(subject.score).attribute(
                subject.points, subject.baseline, feature_mask=parts, n_samples=self.samples,
                perturbations_per_eval=_at_once(subject),
            )  # fmt: skip
        return values[0, :, 0] if subject.embedding is not None else values[0], None

    def _squares(self, subject: Subject) -> Tensor:
        """The number of the part that each number of the sample belongs to, (1, *dims) int64, without gaps."""
        points, axes = subject.points, subject.place_axes
        if subject.embedding is not None:
            return _along(_tokens(subject), points.ndim, 0).expand_as(points)
        if not axes or subject.spec.axes == "D":
            return torch.arange(points[0].numel(), device=points.device).view(points.shape)
        side = max(1, round(self.parts ** (1 / len(axes))))
        found = torch.zeros((1,) * points.ndim, dtype=torch.int64, device=points.device)
        for axis in axes:
            size = points.shape[1 + axis]
            cut = torch.arange(size, device=points.device) * min(side, size) // size
            found = found * min(side, size) + _along(cut, points.ndim, axis)
        return found.expand_as(points)


def _along(numbers: Tensor, rank: int, axis: int) -> Tensor:
    """Numbers (L,) as a tensor that fits one axis of a sample, which is behind that of the batch."""
    return numbers.view(*[1] * (1 + axis), -1, *[1] * (rank - axis - 2))


def _tokens(subject: Subject) -> Tensor:
    """The number of each token (T,); what fills up behind the end is one part, for all of it says nothing."""
    numbers = torch.arange(subject.points.shape[1], device=subject.points.device)
    padding = subject.embedding.padding_idx if subject.embedding is not None else None
    if padding is None:
        return numbers
    real = (subject.inputs[subject.which][0] != padding).nonzero().flatten()
    return numbers.clamp(max=int(real[-1]) + 1 if len(real) else 0)


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
