"""Well-known picture datasets, in the files that torchvision also reads. Pixels stay bytes."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import (
    DataError,
    DataSpec,
    LoadingCode,
    MissingDataError,
    Progress,
    Samples,
    Source,
    Target,
    registry,
)
from studio.data.locations import candidates, datasets_folder, first_file
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import numpy as np

    from studio.data.download import RemoteFile
    from studio.data.forms import Drawing, RawForm
    from studio.data.known import cifar
    from studio.data.known.cifar import Batch


_IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class KnownPictures(Source):
    """A dataset that torchvision has, too."""

    group: ClassVar[str] = "Torchvision"
    torchvision_name: ClassVar[str]  # class in torchvision.datasets; also its folder
    size: ClassVar[tuple[int, int, int]]  # C, H, W
    classes: ClassVar[tuple[str, ...]]

    @property
    def spec(self) -> DataSpec:
        """Pictures of one size."""
        return DataSpec((TensorSpec(self.size, "CHW"),), Target("classification", self.classes))

    @property
    def folder_names(self) -> tuple[str, ...]:
        """As torchvision calls it, too."""
        return (self.kind, self.torchvision_name)

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """Pictures of any size, made that of the dataset."""
        from studio.data.forms import PictureForm
        from studio.data.images.decode import Form
        from studio.data.images.rules import GREY, RGB, STRETCH

        channels, height, width = spec.inputs[0].dims
        return (PictureForm(Form(height, width, GREY if channels == 1 else RGB, STRETCH), drawing=self._drawing),)

    @property
    def _drawing(self) -> Drawing | None:
        """How the pictures were made of handwriting; None if they were not."""
        return None

    def download(self, progress: Progress | None = None) -> None:
        """Fetch the files that torchvision lists. Raises DataError."""
        import torchvision

        from studio.data.download import fetch, reporter  # brings the whole of HTTP, which nothing else here needs

        files = self._remote_files(getattr(torchvision.datasets, self.torchvision_name), datasets_folder())
        fetch(files, 2 * self.download_bytes, reporter(progress, self.download_bytes))

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        raise AssertionError(f"{type(self).__name__} names no files")

    def _folders(self, folder: Path | None) -> list[Path]:
        """Where the files may lie, best first; the folder itself is the last."""
        return candidates(folder or datasets_folder(), self.folder_names)

    def _missing(self, folder: Path, files: str) -> MissingDataError:
        place = f" in {folder}" if folder.is_dir() else f", as there is no folder {folder}"
        return MissingDataError(
            f"{self.title} was not found{place}. Missing: {files}. Download it "
            f"({self.download_bytes / 1e6:.0f} MB), or choose the folder that holds its original files."
        )


class IdxPictures(KnownPictures):
    """A dataset in the four files of MNIST: pictures and labels for training, then those of the test."""

    size: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    names: ClassVar[tuple[str, ...]] = _IDX_FILES

    def load(self, folder: Path | None = None) -> Samples:
        """Read the four files."""
        import numpy as np

        files = self._files(folder)
        paths = [files[name] for name in self.names]
        train_images, train_labels = self._read(*paths[:2])
        test_images, test_labels = self._read(*paths[2:])
        images = np.concatenate([train_images, test_images])[:, None]  # (M, 1, 28, 28)
        return Samples((images,), np.concatenate([train_labels, test_labels]), test_start=len(train_labels))

    @property
    def loading_code(self) -> LoadingCode | None:
        """The same for a folder with the four files, or in torchvision's layout."""
        if self.names != _IDX_FILES:
            return None
        functions = Template(_IDX_CODE).substitute(name=self.torchvision_name)
        imports = ("import gzip", "import struct")
        return LoadingCode(functions, imports, takes_folder=True, own_splits=("test",))

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The four files, if they are all there."""
        try:
            return tuple(self._files(folder).values())
        except DataError:
            return ()

    def _files(self, folder: Path | None) -> dict[str, Path]:
        """Each of the four names and where it is."""
        bases = self._folders(folder)
        best: dict[str, Path] = {}
        where = bases[-1]
        for place in [place for base in bases for place in (base / "raw", base / "gzip", base)]:
            paths = [(name, first_file(place, _spellings(name))) for name in self.names]
            found = {name: path for name, path in paths if path}
            if len(found) > len(best):
                best, where = found, place
        absent = [name for name in self.names if name not in best]
        if absent:
            raise self._missing(where, f"{', '.join(absent)} (as they are, or as .gz)")
        return best

    def _read(self, image_file: Path, label_file: Path) -> tuple[np.ndarray, np.ndarray]:
        """Images (M, 28, 28) uint8 and labels (M,) int64."""
        images, labels = self._read_images(image_file), self._read_labels(label_file)
        if len(images) != len(labels):
            raise DataError(
                f"{image_file} holds {len(images):,} images, but {label_file} {len(labels):,} labels. "
                "The two files do not belong together."
            )
        wrong = labels[(labels < 0) | (labels >= len(self.classes))]
        if len(wrong):
            raise DataError(
                f"{label_file} holds the label {wrong[0]}; {self.title} has labels from 0 to "
                f"{len(self.classes) - 1} only."
            )
        return images, labels

    def _read_images(self, path: Path) -> np.ndarray:
        """(M, 28, 28) uint8."""
        from studio.data.known.idx import read_idx

        return read_idx(path, self.size[1:])

    def _read_labels(self, path: Path) -> np.ndarray:
        """(M,) int64, from 0 on."""
        import numpy as np

        from studio.data.known.idx import read_idx

        return read_idx(path, ()).astype(np.int64)

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        folder = cache / self.torchvision_name / "raw"
        return [
            RemoteFile(tuple(mirror + name for mirror in torchvision_class.mirrors), md5, folder / name)
            for name, md5 in torchvision_class.resources
        ]


_IDX_CODE = '''
def read_idx(folder: Path, name: str) -> np.ndarray:
    """One file: two zeros, the type, the number of axes, the size of each axis, then the bytes."""
    places = [folder / "$name" / "raw", folder / "raw", folder]
    found = [path for place in places for path in sorted(place.glob(name + "*"))]
    if not found:
        raise FileNotFoundError(
            f"There is no {name} in {folder}. Give the folder of the original files with --data-dir, "
            f"or download them: torchvision.datasets.$name({str(folder)!r}, download=True)"
        )
    with gzip.open(found[0]) if found[0].suffix == ".gz" else found[0].open("rb") as file:
        axes = file.read(4)[3]
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
        return np.frombuffer(file.read(), np.uint8).reshape(shape)


def load_data(folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Pictures (M, 1, 28, 28) of bytes, class numbers (M,), and the number of the first test sample."""
    images = [read_idx(folder, f"{part}-images?idx3-ubyte") for part in ("train", "t10k")]
    labels = [read_idx(folder, f"{part}-labels?idx1-ubyte") for part in ("train", "t10k")]
    return np.concatenate(images)[:, None], np.concatenate(labels).astype(np.int64), len(labels[0])
'''


def _spellings(name: str) -> tuple[str, ...]:
    # Some archives unpack to names with a dot.
    dotted = name.replace("-idx", ".idx")
    return name, f"{name}.gz", dotted, f"{dotted}.gz"


@registry.add
class MNIST(IdxPictures):
    """Handwritten digits of 28×28 pixels."""

    kind: ClassVar[str] = "mnist"
    title: ClassVar[str] = "MNIST"
    about: ClassVar[str] = (
        "70,000 handwritten digits as grey pictures of 28×28 pixels, ten classes, 10,000 of them for the test. "
        "LeCun, Cortes and Burges; commonly listed as CC BY-SA 3.0."
    )
    download_bytes: ClassVar[int] = 11_594_722
    torchvision_name: ClassVar[str] = "MNIST"
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")

    @property
    def _drawing(self) -> Drawing:
        from studio.data.forms.pictures import AS_MNIST

        return AS_MNIST


@registry.add
class FashionMNIST(IdxPictures):
    """Clothes of 28×28 pixels."""

    kind: ClassVar[str] = "fashion_mnist"
    title: ClassVar[str] = "Fashion-MNIST"
    about: ClassVar[str] = (
        "70,000 pieces of clothing as grey pictures of 28×28 pixels, ten classes, 10,000 of them for the test. "
        "Zalando Research, MIT licence."
    )
    download_bytes: ClassVar[int] = 30_878_645
    torchvision_name: ClassVar[str] = "FashionMNIST"
    classes: ClassVar[tuple[str, ...]] = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )  # fmt: skip


@registry.add
class CIFAR10(KnownPictures):
    """Small colour photographs of things and animals."""

    kind: ClassVar[str] = "cifar10"
    title: ClassVar[str] = "CIFAR-10"
    about: ClassVar[str] = (
        "60,000 colour photographs of 32×32 pixels, ten classes, 10,000 of them for the test. "
        "Krizhevsky, “Learning Multiple Layers of Features from Tiny Images”, 2009; its licence is not stated."
    )
    download_bytes: ClassVar[int] = 170_498_071
    torchvision_name: ClassVar[str] = "CIFAR10"
    size: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    classes: ClassVar[tuple[str, ...]] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip

    def load(self, folder: Path | None = None) -> Samples:
        """Read all samples from the batch files or the archive that holds them."""
        import numpy as np

        batches, files = self._batches(folder), self._edition.files
        images = np.concatenate([batches[name][0] for name in files])  # (M, 3, 32, 32)
        labels = np.concatenate([batches[name][1] for name in files])
        return Samples((images,), labels, test_start=len(labels) - len(batches[files[-1]][1]))

    @property
    def _edition(self) -> cifar.Edition:
        from studio.data.known import cifar

        return cifar.TEN

    @property
    def loading_code(self) -> LoadingCode:
        """The same for a folder with the batch files or the archive, or in torchvision's layout."""
        imports = ("import pickle", "import tarfile")
        edition = self._edition
        code = Template(_CIFAR_CODE).substitute(
            folder=edition.folder,
            archive=edition.archive,
            key=edition.key,
            name=self.torchvision_name,
            names=edition.names_code,
        )
        return LoadingCode(code, imports, takes_folder=True, own_splits=("test",))

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The batch files, or the archive."""
        try:
            return self._files(folder)
        except DataError:
            return ()

    def _batches(self, folder: Path | None) -> dict[str, Batch]:
        from studio.data.known import cifar

        files, edition = self._files(folder), self._edition
        if len(files) == 1:
            return cifar.read_archive(files[0], edition)
        return cifar.read_folder(files[0].parent, edition)

    def _files(self, folder: Path | None) -> tuple[Path, ...]:
        from studio.data.known import cifar

        bases, edition = self._folders(folder), self._edition
        for base in bases:
            for place in (base / edition.folder, base):
                found = [first_file(place, [name]) for name in edition.files]
                if all(found) and (edition is not cifar.HUNDRED or _are_pickles(found)):
                    return tuple(path for path in found if path is not None)
            if archive := first_file(base, [edition.archive]):
                return (archive,)
        raise self._missing(
            bases[-1], f"{edition.archive}, or a folder {edition.folder} that holds {', '.join(edition.files)}"
        )

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        return [RemoteFile((torchvision_class.url,), torchvision_class.tgz_md5, cache / self._edition.archive)]


def _are_pickles(paths: list[Path | None]) -> bool:
    """Whether files begin as pickles of protocol 2 or later do: “train” and “test” are names of much else."""
    for path in paths:
        assert path is not None
        try:
            with open(path, "rb") as file:
                if file.read(1) != b"\x80":
                    return False
        except OSError:
            return False
    return True


_CIFAR_CODE = '''
def read_batches(folder: Path) -> list[dict]:
    """All batches, the test set last. Pickles can run code: give it none but the original files."""
    names = $names
    for place in (folder / "$folder", folder):
        if all((place / name).is_file() for name in names):
            return [pickle.loads((place / name).read_bytes(), encoding="latin1") for name in names]
    if not (folder / "$archive").is_file():
        raise FileNotFoundError(
            f"There is no $archive in {folder}. Give the folder that holds it with --data-dir, "
            f"or download it: torchvision.datasets.$name({str(folder)!r}, download=True)"
        )
    with tarfile.open(folder / "$archive") as archive:
        files = [archive.extractfile(f"$folder/{name}") for name in names]
        return [pickle.load(file, encoding="latin1") for file in files]


def load_data(folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Pictures (M, 3, 32, 32) of bytes, class numbers (M,), and the number of the first test sample."""
    batches = read_batches(folder)
    images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([batch["$key"] for batch in batches]).astype(np.int64)
    return images, labels, len(labels) - len(batches[-1]["$key"])
'''
