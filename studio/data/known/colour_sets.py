"""Known colour photographs of one size: CIFAR-100, SVHN and STL-10."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import DataError, Progress, Samples, registry
from studio.data.known.torchvision_sets import CIFAR10, KnownPictures
from studio.data.locations import datasets_folder, first_file

if TYPE_CHECKING:
    import numpy as np

    from studio.data.download import RemoteFile
    from studio.data.known import cifar


@registry.add
class CIFAR100(CIFAR10):
    """Small colour photographs of a hundred kinds."""

    kind: ClassVar[str] = "cifar100"
    title: ClassVar[str] = "CIFAR-100"
    about: ClassVar[str] = (
        "60,000 colour photographs of 32×32 pixels, a hundred classes, 10,000 of them for the test. "
        "Krizhevsky, “Learning Multiple Layers of Features from Tiny Images”, 2009; its licence is not stated."
    )
    download_bytes: ClassVar[int] = 169_001_437
    torchvision_name: ClassVar[str] = "CIFAR100"
    classes: ClassVar[tuple[str, ...]] = tuple(
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
        "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
        "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster "
        "man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck "
        "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
        "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger "
        "tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm".split()
    )

    @property
    def _edition(self) -> cifar.Edition:
        from studio.data.known import cifar

        return cifar.HUNDRED


@registry.add
class SVHN(KnownPictures):
    """House numbers."""

    kind: ClassVar[str] = "svhn"
    title: ClassVar[str] = "SVHN"
    about: ClassVar[str] = (
        "99,289 digits of house numbers as colour photographs of 32×32 pixels, 26,032 of them for the test. Netzer et "
        "al., “Reading Digits in Natural Images with Unsupervised Feature Learning”, 2011; not for commercial use."
    )
    download_bytes: ClassVar[int] = 246_316_178
    torchvision_name: ClassVar[str] = "SVHN"
    size: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    names: ClassVar[tuple[str, str]] = ("train_32x32.mat", "test_32x32.mat")

    def load(self, folder: Path | None = None) -> Samples:
        """Read the two files."""
        import numpy as np

        train, test = (self._read(path) for path in self._files(folder))
        labels = np.concatenate([train[1], test[1]])
        return Samples((np.concatenate([train[0], test[0]]),), labels, test_start=len(train[1]))

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The two files."""
        try:
            return self._files(folder)
        except DataError:
            return ()

    def _files(self, folder: Path | None) -> tuple[Path, ...]:
        bases = self._folders(folder)
        for base in bases:
            found = [first_file(base, [name]) for name in self.names]
            if all(found):
                return tuple(path for path in found if path is not None)
        raise self._missing(bases[-1], ", ".join(self.names))

    def _read(self, path: Path) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (M, 3, 32, 32) uint8 and labels (M,) int64. In the file the digit 0 has the label 10."""
        import numpy as np

        from studio.data.known.mat_files import read_mat

        found = read_mat(path, {"X": (32, 32, 3, 0), "y": (0, 1)})
        pictures, labels = found["X"], found["y"][:, 0].astype(np.int64)
        if pictures.dtype != np.uint8 or pictures.shape[3] != len(labels) or not len(labels):
            raise DataError(f"{path} is not the original file: its pictures and labels do not belong together.")
        if labels.min() < 1 or labels.max() > 10:
            raise DataError(f"{path} holds other labels than 1 to 10. Copy or download it again.")
        return np.ascontiguousarray(pictures.transpose(3, 2, 0, 1)), labels % 10

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        parts = (torchvision_class.split_list[split] for split in ("train", "test"))
        return [RemoteFile((url,), md5, cache / self.torchvision_name / name) for url, name, md5 in parts]


@registry.add
class STL10(KnownPictures):
    """Photographs of 96×96 pixels, few of them with a label."""

    kind: ClassVar[str] = "stl10"
    title: ClassVar[str] = "STL-10"
    about: ClassVar[str] = (
        "13,000 colour photographs of 96×96 pixels, ten classes, 8,000 of them for the test. The download has 100,000 "
        "more without a label, which are not kept. Coates, Lee and Ng, “An Analysis of Single-Layer Networks in "
        "Unsupervised Feature Learning”, 2011; its licence is not stated."
    )
    download_bytes: ClassVar[int] = 2_640_397_119
    torchvision_name: ClassVar[str] = "STL10"
    size: ClassVar[tuple[int, int, int]] = (3, 96, 96)
    classes: ClassVar[tuple[str, ...]] = (
        "airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
    )  # fmt: skip
    inside: ClassVar[str] = "stl10_binary"
    archive: ClassVar[str] = "stl10_binary.tar.gz"
    names: ClassVar[tuple[str, ...]] = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")

    def load(self, folder: Path | None = None) -> Samples:
        """Read the four files."""
        import numpy as np

        paths = self._files(folder)
        train, test = self._read(*paths[:2]), self._read(*paths[2:])
        labels = np.concatenate([train[1], test[1]])
        return Samples((np.concatenate([train[0], test[0]]),), labels, test_start=len(train[1]))

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The four files."""
        try:
            return self._files(folder)
        except DataError:
            return ()

    def _files(self, folder: Path | None) -> tuple[Path, ...]:
        bases = self._folders(folder)
        for place in [place for base in bases for place in (base / self.inside, base)]:
            found = [first_file(place, [name]) for name in self.names]
            if all(found):
                return tuple(path for path in found if path is not None)
        raise self._missing(bases[-1], f"a folder {self.inside} that holds {', '.join(self.names)}")

    def _read(self, picture_file: Path, label_file: Path) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (M, 3, 96, 96) uint8, which stand column by column in the file, and labels (M,) int64."""
        import numpy as np

        from studio import storage

        try:
            content = storage.read_bytes(picture_file, 2**30)
            labels = np.frombuffer(storage.read_bytes(label_file, 2**20), np.uint8).astype(np.int64) - 1
        except storage.StorageError as error:
            raise DataError(str(error)) from error
        if len(content) != len(labels) * 3 * 96 * 96 or not len(labels):
            raise DataError(
                f"{picture_file} has {len(content):,} bytes, but {label_file} {len(labels):,} labels. They do not "
                "belong together, or are cut off. Copy or download them again."
            )
        if labels.min() < 0 or labels.max() > 9:
            raise DataError(f"{label_file} holds other labels than 1 to 10. Copy or download it again.")
        pictures = np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)
        return np.ascontiguousarray(pictures), labels

    def download(self, progress: Progress | None = None) -> None:
        """Fetch the archive, keep the four files of it, and remove it."""
        from studio import storage
        from studio.data.archives import unpack

        cache = datasets_folder()
        if self.finds(cache / self.torchvision_name):
            return
        super().download(progress)
        wanted = {f"{self.inside}/{name}": name for name in self.names}
        archive = cache / self.archive
        unpack(archive, wanted.get, cache / self.torchvision_name, 2**32, self.title)
        storage.remove(archive)

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        return [RemoteFile((torchvision_class.url,), torchvision_class.tgz_md5, cache / self.archive)]
