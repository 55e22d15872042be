"""Datasets that come with scikit-learn: small, at once there, nothing to download."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import DataSpec, LoadingCode, Samples, Source, Target, registry
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.forms import RawForm


@registry.add
class Digits(Source):
    """Handwritten digits of 8×8 pixels."""

    kind: ClassVar[str] = "digits"
    title: ClassVar[str] = "Digits"
    group: ClassVar[str] = "Built in"
    about: ClassVar[str] = (
        "1,797 handwritten digits as grey pictures of 8×8 pixels, ten classes. "
        "Optical Recognition of Handwritten Digits, UCI, CC BY 4.0."
    )

    @property
    def spec(self) -> DataSpec:
        """One channel of 8×8 pixels, ten classes."""
        return DataSpec((TensorSpec((1, 8, 8), "CHW"),), Target("classification", tuple("0123456789")))

    def load(self, folder: Path | None = None) -> Samples:
        """Read all samples; they come with the program, so `folder` is not looked at."""
        import numpy as np
        from sklearn.datasets import load_digits

        digits = load_digits()
        # They are whole numbers from 0 to 16, which scikit-learn gives as float64.
        images = np.rint(digits.images).astype(np.uint8)[:, None]  # (M, 1, 8, 8)
        return Samples((images,), digits.target.astype(np.int64))

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """Pictures with levels from 0 to 16."""
        from studio.data.forms.pictures import AS_DIGITS, PictureForm
        from studio.data.images.decode import Form
        from studio.data.images.rules import GREY, STRETCH

        return (PictureForm(Form(8, 8, GREY, STRETCH), brightest=16, drawing=AS_DIGITS),)

    @property
    def loading_code(self) -> LoadingCode:
        """The same with scikit-learn alone."""
        return LoadingCode(_DIGITS_CODE, ("from sklearn.datasets import load_digits",), ("scikit-learn",))


_DIGITS_CODE = '''
def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (M, 1, 8, 8) of whole numbers from 0 to 16, and class numbers (M,)."""
    digits = load_digits()
    images = np.rint(digits.images).astype(np.uint8)[:, None]
    return images, digits.target.astype(np.int64)
'''


class _Table(Source):
    """A table of real numbers (M, D) with one class for each row."""

    group: ClassVar[str] = "Built in"
    features: ClassVar[tuple[str, ...]]
    classes: ClassVar[tuple[str, ...]]
    loader: ClassVar[str]  # function of sklearn.datasets

    @property
    def spec(self) -> DataSpec:
        return DataSpec(
            (TensorSpec((len(self.features),), "D"),), Target("classification", self.classes), self.features
        )

    def load(self, folder: Path | None = None) -> Samples:
        import numpy as np
        import sklearn.datasets

        table: Any = getattr(sklearn.datasets, self.loader)()
        return Samples((table.data.astype(np.float32),), table.target.astype(np.int64))

    @property
    def loading_code(self) -> LoadingCode:
        functions = Template(_TABLE_CODE).substitute(loader=self.loader, features=len(self.features))
        return LoadingCode(functions, (f"from sklearn.datasets import {self.loader}",), ("scikit-learn",))


_TABLE_CODE = '''
def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Features (M, $features) and class numbers (M,)."""
    table = $loader()
    return table.data.astype(np.float32), table.target.astype(np.int64)
'''


class _Numbers(Source):
    """A table of real numbers (M, D) with numbers to predict for each row."""

    group: ClassVar[str] = "Built in"
    inputs: ClassVar[tuple[str, ...]]
    predicted: ClassVar[tuple[str, ...]]
    loader: ClassVar[str]  # function of sklearn.datasets
    options: ClassVar[str] = ""  # what it is called with

    @property
    def spec(self) -> DataSpec:
        given = TensorSpec((len(self.inputs),), "D")
        return DataSpec((given,), Target("regression", self.predicted), features=self.inputs)

    def load(self, folder: Path | None = None) -> Samples:
        import numpy as np
        import sklearn.datasets

        options = {"scaled": False} if self.options else {}
        table: Any = getattr(sklearn.datasets, self.loader)(**options)
        targets = table.target.astype(np.float32).reshape(-1, len(self.predicted))
        return Samples((table.data.astype(np.float32),), targets)

    @property
    def loading_code(self) -> LoadingCode:
        functions = Template(_NUMBERS_CODE).substitute(
            loader=self.loader, options=self.options, features=len(self.inputs), targets=len(self.predicted)
        )
        return LoadingCode(functions, (f"from sklearn.datasets import {self.loader}",), ("scikit-learn",))


_NUMBERS_CODE = '''
def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Features (M, $features) and numbers to predict (M, $targets)."""
    table = $loader($options)
    return table.data.astype(np.float32), table.target.astype(np.float32).reshape(-1, $targets)
'''


@registry.add
class Iris(_Table):
    """Three kinds of iris flowers by four lengths."""

    kind: ClassVar[str] = "iris"
    title: ClassVar[str] = "Iris"
    about: ClassVar[str] = "150 iris flowers of three kinds, four lengths each. Iris, UCI, CC BY 4.0."
    features: ClassVar[tuple[str, ...]] = ("sepal length", "sepal width", "petal length", "petal width")  # in cm
    classes: ClassVar[tuple[str, ...]] = ("setosa", "versicolor", "virginica")
    loader: ClassVar[str] = "load_iris"


@registry.add
class Wine(_Table):
    """Wines of three growers by their chemistry."""

    kind: ClassVar[str] = "wine"
    title: ClassVar[str] = "Wine"
    about: ClassVar[str] = "178 wines of three growers, 13 chemical measurements each. Wine, UCI, CC BY 4.0."
    features: ClassVar[tuple[str, ...]] = (
        "alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "total phenols", "flavanoids",
        "nonflavanoid phenols", "proanthocyanins", "color intensity", "hue", "od280/od315 of diluted wines", "proline",
    )  # fmt: skip
    classes: ClassVar[tuple[str, ...]] = ("class_0", "class_1", "class_2")
    loader: ClassVar[str] = "load_wine"


_CELLS = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
    "fractal dimension",
)  # fmt: skip


@registry.add
class BreastCancer(_Table):
    """Tumours, malignant or benign, by the shape of their cells."""

    kind: ClassVar[str] = "breast_cancer"
    title: ClassVar[str] = "Breast cancer"
    about: ClassVar[str] = (
        "569 tumours, malignant or benign, 30 measurements of their cell nuclei each. "
        "Breast Cancer Wisconsin (Diagnostic), UCI, CC BY 4.0."
    )
    features: ClassVar[tuple[str, ...]] = tuple(
        f"{of} {name}" for of in ("mean", "error of", "worst") for name in _CELLS
    )
    classes: ClassVar[tuple[str, ...]] = ("malignant", "benign")
    loader: ClassVar[str] = "load_breast_cancer"


@registry.add
class Diabetes(_Numbers):
    """How far diabetes went on in a year, by ten measurements."""

    kind: ClassVar[str] = "diabetes"
    title: ClassVar[str] = "Diabetes"
    about: ClassVar[str] = (
        "442 patients with ten measurements each, and a number that says how far their diabetes went on in a year. "
        "Efron, Hastie, Johnstone and Tibshirani, “Least Angle Regression”, 2004."
    )
    inputs: ClassVar[tuple[str, ...]] = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
    predicted: ClassVar[tuple[str, ...]] = ("progression",)
    loader: ClassVar[str] = "load_diabetes"
    options: ClassVar[str] = "scaled=False"  # else the test split would have been measured, too


@registry.add
class Linnerud(_Numbers):
    """Three numbers to predict: bodies of men by their exercises."""

    kind: ClassVar[str] = "linnerud"
    title: ClassVar[str] = "Linnerud"
    about: ClassVar[str] = (
        "20 men at a fitness club: three exercises, and their weight, waist and pulse to predict. "
        "Tenenhaus, “La régression PLS”, 1998."
    )
    inputs: ClassVar[tuple[str, ...]] = ("Chins", "Situps", "Jumps")
    predicted: ClassVar[tuple[str, ...]] = ("Weight", "Waist", "Pulse")
    loader: ClassVar[str] = "load_linnerud"
