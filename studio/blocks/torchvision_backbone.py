"""The first part of a well-known network for images, with what it learned on ImageNet."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, expect, expect_float, registry
from studio.fields import field

SMALLEST_SIDE = 32  # of an image: the last stage makes one place of it
STAGES = ("1/2", "1/4", "1/8", "1/16", "1/32")
RANDOM, IMAGENET = "random", "ImageNet"


class Network(NamedTuple):
    """A network of torchvision.

    Args:
        weights: torchvision's name of the weights that it learned on ImageNet.
        file: their file there; its name ends with the first digits of its SHA-256.
        size_bytes: of that file, within a part in a thousand.
        nodes: the last step of each stage, as torchvision's feature extraction names it, in order of STAGES; empty
            where no step makes that size.
        norms: whether it has batch norms.
    """

    weights: str
    file: str
    size_bytes: int
    nodes: tuple[str, str, str, str, str]
    norms: bool = True

    def node(self, stage: str) -> str:
        """The last step of a stage; empty if it has no such stage."""
        return self.nodes[STAGES.index(stage)]


def _features(*places: str) -> tuple[str, str, str, str, str]:
    half, quarter, eighth, sixteenth, last = (f"features.{place}" if place else "" for place in places)
    return half, quarter, eighth, sixteenth, last


_RESNET = ("relu", "layer1", "layer2", "layer3", "layer4")
_FIRST, _SECOND = "IMAGENET1K_V1", "IMAGENET1K_V2"

# Each with the weights that torchvision calls its best. They are named here, and not looked up as the best ones, so
# that a project begins with the same ones for ever. VGG is not among them: its file has 507 MB, nine tenths of which
# belong to the dense layers at its end, which a backbone leaves out.
NETWORKS: dict[str, Network] = {
    "resnet18": Network(_FIRST, "resnet18-f37072fd.pth", 46_830_000, _RESNET),
    "resnet34": Network(_FIRST, "resnet34-b627a593.pth", 87_320_000, _RESNET),
    "resnet50": Network(_SECOND, "resnet50-11ad3fa6.pth", 102_540_000, _RESNET),
    "mobilenet_v2": Network(_SECOND, "mobilenet_v2-7ebf99e0.pth", 14_260_000, _features("1", "3", "6", "13", "18")),
    "mobilenet_v3_small": Network(
        _FIRST, "mobilenet_v3_small-047dcff4.pth", 10_310_000, _features("0", "1", "3", "8", "12")
    ),
    "mobilenet_v3_large": Network(
        _SECOND, "mobilenet_v3_large-5c1a4163.pth", 22_130_000, _features("1", "3", "6", "12", "16")
    ),
    "efficientnet_b0": Network(
        _FIRST, "efficientnet_b0_rwightman-7f5810bc.pth", 21_440_000, _features("1", "2", "3", "5", "8")
    ),
    "densenet121": Network(
        _FIRST,
        "densenet121-a639ec97.pth",
        32_340_000,
        ("features.relu0", "features.denseblock1", "features.denseblock2", "features.denseblock3", "relu"),
    ),
    "convnext_tiny": Network(
        _FIRST, "convnext_tiny-983f1562.pth", 114_420_000, _features("", "1", "3", "5", "7"), norms=False
    ),
    "regnet_y_400mf": Network(
        _SECOND,
        "regnet_y_400mf-e6988f5f.pth",
        17_620_000,
        ("stem", "trunk_output.block1", "trunk_output.block2", "trunk_output.block3", "trunk_output.block4"),
    ),
    "shufflenet_v2_x1_0": Network(
        _FIRST, "shufflenetv2_x1-5666bf0f80.pth", 9_220_000, ("conv1", "maxpool", "stage2", "stage3", "conv5")
    ),
    "squeezenet1_1": Network(
        _FIRST, "squeezenet1_1-b8a52dc0.pth", 4_960_000, _features("1", "4", "7", "12", ""), norms=False
    ),
}


@registry.add
class Backbone(Block):
    """The first part of a network of torchvision, up to a stage: features of images, learned on a million pictures.

    A small head behind it, such as global pooling and a Dense, learns a task of one's own from few pictures. Frozen, it
    stays as it is and only the head learns; otherwise all of it goes on learning (use a small learning rate). The later
    the stage, the fewer places and the more channels, which stand for larger and more meaningful parts of the picture.

    ImageNet's weights are downloaded only after you agree, and are put into the network when a run begins; from then
    on its checkpoints have them. They were learned from red, green and blue, scaled by the mean and the spread of
    ImageNet. The studio scales by those of your own training pictures (“standardize”), which is close to that but not
    the same. A frozen backbone is at its best with photographs.

    Shape: in (N, 3, H, W), at least 32 by 32, out (N, channels, H × stage, W × stage), rounded
    Source: the networks and weights of torchvision.models, which names the paper of each.
    """

    kind: ClassVar[str] = "backbone"
    title: ClassVar[str] = "Pretrained backbone"
    group: ClassVar[str] = "Convolution"
    synonyms: ClassVar[tuple[str, ...]] = (
        "transfer learning", "imagenet", "feature extractor", "torchvision", "encoder", "resnet", "mobilenet",
        "efficientnet", "densenet", "convnext", "regnet", "shufflenet", "squeezenet",
    )  # fmt: skip

    network: str = field("resnet18", choices=tuple(NETWORKS), help="Which network of torchvision.")
    stage: str = field("1/32", choices=STAGES, help="Where it ends: the size of its features beside that of the image.")
    weights: str = field(IMAGENET, choices=(IMAGENET, RANDOM), help="What it begins with: learned weights, or fresh.")

    @property
    def chosen(self) -> Network:
        """The network that is meant."""
        return NETWORKS[self.network]

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW", self.title, "Give it images, or put Reshape in between.")
        expect_float(x, self.title)
        self._check_image(*x.spec.dims)
        node = self.chosen.node(self.stage)
        if not node:
            near = "1/4" if self.stage == "1/2" else "1/16"
            raise ShapeError(
                f"{self.title}: {self.network} has no stage of {self.stage} of the image. Take {near}.",
                Remedy(fields=(("stage", near),)),
            )
        learned = self.chosen.weights if self.weights == IMAGENET else ""
        return rec.backbone(self.network, node, learned)(x).named("CHW")

    def _check_image(self, channels: int, height: int, width: int) -> None:
        if channels != 3:
            advice = "a Convolution 2D of size 1 with 3 filters makes them of any others, also of grey ones"
            raise ShapeError(
                f"{self.title} needs the 3 channels of a colour image, but gets {channels}: {advice}.",
                Remedy("conv2d", (("filters", 3), ("kernel_size", 1))),
            )
        side = min(height, width)
        if side < SMALLEST_SIDE:
            factor = -(-SMALLEST_SIDE // side)
            raise ShapeError(
                f"{self.title} needs images of at least {SMALLEST_SIDE} × {SMALLEST_SIDE}, but gets "
                f"{height} × {width}. Put an Upsample by {factor} before it.",
                Remedy("upsample", (("factor", factor), ("mode", "linear"))),
                Remedy("pad", (("size", -(-(SMALLEST_SIDE - side) // 2)),)),
            )
