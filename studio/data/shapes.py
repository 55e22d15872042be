"""Pictures drawn by the program, in which every pixel has a class: for a first segmentation."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, ClassVar

from studio.data.base import DataSpec, LoadingCode, Samples, Source, Target, registry
from studio.fields import field
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import numpy as np

    from studio.data.forms import RawForm

SIZE = 32  # pixels, both ways
TENTHS = (10, 5, 5)  # of the pictures that have a first, a second and a third shape; a later one covers what was there
CLASSES = ("background", "disc", "square", "triangle")


@registry.add
class Shapes(Source):
    """Discs, squares and triangles on grey ground; the target is the class of every pixel."""

    kind: ClassVar[str] = "shapes"
    title: ClassVar[str] = "Shapes"
    group: ClassVar[str] = "Toy data"
    about: ClassVar[str] = (
        "Grey pictures of 32×32 pixels with one to three noisy discs, squares and triangles, drawn by the program. "
        "Every pixel has a class: background, disc, square or triangle."
    )

    samples: int = field(2_000, min=50, max=20_000, unit="pictures", help="How many pictures are drawn.")
    noise: int = field(
        50, min=0, max=200, unit="grey levels", help="How far a pixel may lie from its true grey, of 255; up and down."
    )
    seed: int = field(0, min=0, max=2**31 - 1, help="Same seed: the same pictures, on any machine.")

    @property
    def spec(self) -> DataSpec:
        """One channel of 32×32 pixels, and four classes for each of them."""
        target = Target("classification", CLASSES, (SIZE, SIZE))
        return DataSpec((TensorSpec((1, SIZE, SIZE), "CHW"),), target)

    def load(self, folder: Path | None = None) -> Samples:
        """Draw all pictures; `folder` is not looked at."""
        import numpy as np

        rng = np.random.default_rng(self.seed)
        images = rng.integers(40, 100, (self.samples, 1, 1))
        labels = np.zeros((self.samples, SIZE, SIZE), np.int64)
        for tenths in TENTHS:
            inside, kinds, greys = _draw(rng, self.samples, tenths)
            images, labels = np.where(inside, greys, images), np.where(inside, kinds, labels)
        images = images + rng.integers(-self.noise, self.noise + 1, images.shape)
        return Samples((np.clip(images, 0, 255).astype(np.uint8)[:, None],), labels)

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """Grey pictures."""
        from studio.data.forms import PictureForm
        from studio.data.images.decode import Form
        from studio.data.images.rules import GREY, STRETCH

        return (PictureForm(Form(SIZE, SIZE, GREY, STRETCH)),)

    @property
    def loading_code(self) -> LoadingCode:
        """The same, drawn in the script."""
        return LoadingCode(Template(_CODE).substitute(samples=self.samples, noise=self.noise, seed=self.seed))


def _draw(rng: np.random.Generator, count: int, tenths: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One shape for each of so many pictures, of which only some tenths get theirs.

    Whole numbers alone, which are the same on any machine.

    Returns:
        where it is (count, 32, 32) true or false, its class (count, 1, 1), and its grey (count, 1, 1).
    """
    import numpy as np

    def chosen(low: int, high: int) -> np.ndarray:
        return rng.integers(low, high, (count, 1, 1))

    kinds, greys, sizes = chosen(1, 4), chosen(130, 220), chosen(4, 9)
    aside = np.abs(np.arange(SIZE) - chosen(5, SIZE - 5))
    below = np.arange(SIZE)[:, None] - chosen(5, SIZE - 5)
    disc = aside**2 + below**2 <= sizes**2
    square = np.maximum(aside, np.abs(below)) < sizes
    triangle = (below < sizes) & (2 * aside <= below + sizes)
    inside = np.choose(kinds - 1, [disc, square, triangle])
    return inside & (chosen(0, 10) < tenths), kinds, greys


_CODE = '''
def draw(rng: np.random.Generator, count: int, tenths: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One shape for each of so many pictures: where it is (count, 32, 32), its class and its grey (count, 1, 1)."""

    def chosen(low: int, high: int) -> np.ndarray:
        return rng.integers(low, high, (count, 1, 1))

    kinds, greys, sizes = chosen(1, 4), chosen(130, 220), chosen(4, 9)
    aside = np.abs(np.arange(32) - chosen(5, 27))
    below = np.arange(32)[:, None] - chosen(5, 27)
    disc = aside**2 + below**2 <= sizes**2
    square = np.maximum(aside, np.abs(below)) < sizes
    triangle = (below < sizes) & (2 * aside <= below + sizes)
    inside = np.choose(kinds - 1, [disc, square, triangle])
    return inside & (chosen(0, 10) < tenths), kinds, greys


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures (M, 1, 32, 32) of bytes, and the class of each pixel (M, 32, 32)."""
    rng = np.random.default_rng($seed)
    images = rng.integers(40, 100, ($samples, 1, 1))
    labels = np.zeros(($samples, 32, 32), np.int64)
    for tenths in (10, 5, 5):  # the first shape is always there, the others in half of the pictures
        inside, kinds, greys = draw(rng, $samples, tenths)
        images, labels = np.where(inside, greys, images), np.where(inside, kinds, labels)
    images = images + rng.integers(-$noise, $noise + 1, images.shape)
    return np.clip(images, 0, 255).astype(np.uint8)[:, None], labels
'''
