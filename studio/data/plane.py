"""Toy data: points in the plane, drawn when they are asked for. What a network makes of them is seen at a glance."""

from __future__ import annotations

import math
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import DataSpec, LoadingCode, Samples, Source, Target, registry
from studio.fields import field, to_json
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import numpy as np

_LETTERS = ("A", "B", "C", "D", "E")


def _samples_field() -> Any:
    return field(400, min=20, max=5_000, slider=True, help="Points in all, as many of each class.")


def _noise_field(default: float, largest: float) -> Any:
    return field(
        default, min=0.0, max=largest, slider=True, help="Standard deviation of the error added to each x and y."
    )


def _classes_field(default: int) -> Any:
    return field(default, min=2, max=len(_LETTERS), slider=True, help="How many classes there are.")


def _seed_field() -> Any:
    return field(0, min=0, max=2**31 - 1, help="Same seed: the same points.")


_CODE = '''
def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Points in the plane, drawn from a seed, and their classes."""
    number = np.arange($samples)
    labels = number % $count
    place = (number // $count + 0.5) / $each  # evenly along the shape
$shape
    points = points + $noise * np.random.default_rng($seed).standard_normal(($samples, 2))
    return points.astype(np.float32), labels.astype(np.int64)
'''

_XOR_CODE = '''
def load_data() -> tuple[np.ndarray, np.ndarray, int, int]:
    """Corners of a square, for each split its own, drawn from a seed; and where validation and test begin."""
    corner = np.tile(np.arange($samples) % 4, 3)
    first, second = corner // 2, corner % 2
    errors = $noise * np.random.default_rng($seed).standard_normal((len(corner), 2))
    points = np.stack([first, second], 1) + errors
    return points.astype(np.float32), (first ^ second).astype(np.int64), $samples, 2 * $samples
'''


class _Plane(Source):
    """Points (M, 2) of some classes. Same fields: the same points, on any machine."""

    group: ClassVar[str] = "Toy data"
    if TYPE_CHECKING:  # each source declares these fields, with limits of its own
        samples: int
        noise: float
        seed: int

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in order of their number."""
        raise AssertionError(f"{type(self).__name__} names no classes")

    @property
    def spec(self) -> DataSpec:
        """The features x and y, and the classes."""
        return DataSpec((TensorSpec((2,), "D"),), Target("classification", self.class_names), ("x", "y"))

    def load(self, folder: Path | None = None) -> Samples:
        """Draw the points; `folder` is not looked at."""
        import numpy as np

        classes = len(self.class_names)
        number = np.arange(self.samples)
        targets = number % classes
        place = (number // classes + 0.5) / math.ceil(self.samples / classes)  # evenly along the shape
        points = self._shape(targets, place) + self._errors(np.random.default_rng(self.seed), self.samples)
        return Samples((points.astype(np.float32),), targets.astype(np.int64))

    @property
    def loading_code(self) -> LoadingCode:
        """The same, drawn in the script."""
        values = to_json(self) | {"count": len(self.class_names)}
        values["each"] = math.ceil(self.samples / values["count"])
        shape = Template(self.shape_code).substitute(values)
        return LoadingCode(Template(_CODE).substitute(values, shape=shape))

    shape_code: ClassVar[str]  # what `_shape` does, with `labels` for the targets; `$field` is the value of a field

    def _shape(self, targets: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Points without noise (M, 2), by their class (M,) and by how far along its shape each is, from 0 to 1."""
        raise AssertionError(f"{type(self).__name__} has no shape")

    def _errors(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return self.noise * rng.standard_normal((count, 2))


@registry.add
class Xor(_Plane):
    """The four corners of a square; opposite ones are of the same class.

    The corners are all there is, so training, validation and test each have every one of them. With noise each gets
    points of its own.
    """

    kind: ClassVar[str] = "xor"
    title: ClassVar[str] = "XOR"
    about: ClassVar[str] = (
        "The exclusive or: (0, 0) and (1, 1) are of class 0, (0, 1) and (1, 0) of class 1. No straight line parts "
        "them. With 4 samples and no noise it is the classic problem."
    )

    samples: int = field(
        200, min=4, max=5_000, slider=True, help="Points in each of training, validation and test, corner by corner."
    )
    noise: float = _noise_field(0.1, 0.5)
    seed: int = _seed_field()

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the exclusive or gives."""
        return ("0", "1")

    @property
    def loading_code(self) -> LoadingCode:
        """The same, drawn in the script."""
        return LoadingCode(Template(_XOR_CODE).substitute(to_json(self)), own_splits=("validation", "test"))

    def load(self, folder: Path | None = None) -> Samples:
        """Draw the points of the three splits, one after the other; `folder` is not looked at."""
        import numpy as np

        corner = np.tile(np.arange(self.samples) % 4, 3)
        first, second = corner // 2, corner % 2
        points = np.stack([first, second], 1) + self._errors(np.random.default_rng(self.seed), len(corner))
        targets = (first ^ second).astype(np.int64)
        return Samples((points.astype(np.float32),), targets, 2 * self.samples, validation_start=self.samples)


@registry.add
class Spirals(_Plane):
    """Arms that wind around each other: two to five classes, far from any straight line."""

    kind: ClassVar[str] = "spirals"
    title: ClassVar[str] = "Spirals"
    about: ClassVar[str] = "Two to five arms that wind around each other. Hard for small networks."

    samples: int = _samples_field()
    classes: int = _classes_field(2)
    turns: float = field(1.0, min=0.25, max=3.0, slider=True, help="How often an arm goes around.")
    noise: float = _noise_field(0.02, 0.3)
    seed: int = _seed_field()

    @property
    def class_names(self) -> tuple[str, ...]:
        """A letter for each arm."""
        return _LETTERS[: self.classes]

    def _shape(self, targets: np.ndarray, place: np.ndarray) -> np.ndarray:
        import numpy as np

        angle = 2 * np.pi * (self.turns * place + targets / self.classes)
        return np.stack([place * np.cos(angle), place * np.sin(angle)], 1)

    shape_code = """\
    angle = 2 * np.pi * ($turns * place + labels / $classes)
    points = np.stack([place * np.cos(angle), place * np.sin(angle)], 1)"""


@registry.add
class Moons(_Plane):
    """Two half circles, each reaching into the other."""

    kind: ClassVar[str] = "moons"
    title: ClassVar[str] = "Moons"
    about: ClassVar[str] = "Two half moons, each reaching into the other."

    samples: int = _samples_field()
    noise: float = _noise_field(0.1, 0.5)
    seed: int = _seed_field()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Where the moon lies."""
        return ("upper", "lower")

    def _shape(self, targets: np.ndarray, place: np.ndarray) -> np.ndarray:
        import numpy as np

        across, height = np.cos(np.pi * place), np.sin(np.pi * place)
        upper = targets == 0
        return np.stack([np.where(upper, across, 1 - across), np.where(upper, height, 0.5 - height)], 1)

    shape_code = """\
    across, height, upper = np.cos(np.pi * place), np.sin(np.pi * place), labels == 0
    points = np.stack([np.where(upper, across, 1 - across), np.where(upper, height, 0.5 - height)], 1)"""


@registry.add
class Circles(_Plane):
    """A circle inside another one."""

    kind: ClassVar[str] = "circles"
    title: ClassVar[str] = "Circles"
    about: ClassVar[str] = "A circle inside another one of radius 1."

    samples: int = _samples_field()
    inner_radius: float = field(0.5, min=0.05, max=0.95, slider=True, help="Radius of the inner circle.")
    noise: float = _noise_field(0.1, 0.5)
    seed: int = _seed_field()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Which of the circles."""
        return ("outer", "inner")

    def _shape(self, targets: np.ndarray, place: np.ndarray) -> np.ndarray:
        import numpy as np

        angle, radius = 2 * np.pi * place, np.where(targets == 0, 1.0, self.inner_radius)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)

    shape_code = """\
    angle, radius = 2 * np.pi * place, np.where(labels == 0, 1.0, $inner_radius)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)"""


@registry.add
class Blobs(_Plane):
    """Round clouds of points with their centres on a circle."""

    kind: ClassVar[str] = "blobs"
    title: ClassVar[str] = "Blobs"
    about: ClassVar[str] = (
        "Two to five round clouds with their centres on a circle of radius 1. Easy, unless they overlap."
    )

    samples: int = _samples_field()
    classes: int = _classes_field(3)
    noise: float = _noise_field(0.25, 1.0)
    seed: int = _seed_field()

    @property
    def class_names(self) -> tuple[str, ...]:
        """A letter for each cloud."""
        return _LETTERS[: self.classes]

    def _shape(self, targets: np.ndarray, place: np.ndarray) -> np.ndarray:
        import numpy as np

        angle = 2 * np.pi * targets / self.classes
        return np.stack([np.cos(angle), np.sin(angle)], 1)

    shape_code = """\
    angle = 2 * np.pi * labels / $classes
    points = np.stack([np.cos(angle), np.sin(angle)], 1)"""
