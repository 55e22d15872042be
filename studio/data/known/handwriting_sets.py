"""Handwriting in the files of MNIST: KMNIST, QMNIST and two parts of EMNIST."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import DataError, registry
from studio.data.known.torchvision_sets import IdxPictures
from studio.data.locations import first_file

if TYPE_CHECKING:
    import numpy as np

    from studio.data.download import RemoteFile
    from studio.data.forms import Drawing


@registry.add
class KMNIST(IdxPictures):
    """Old Japanese letters of 28×28 pixels."""

    kind: ClassVar[str] = "kmnist"
    title: ClassVar[str] = "KMNIST"
    about: ClassVar[str] = (
        "70,000 handwritten old Japanese letters (Kuzushiji) as grey pictures of 28×28 pixels, ten classes, 10,000 of "
        "them for the test. Clanuwat et al., “Deep Learning for Classical Japanese Literature”, 2018; CC BY-SA 4.0."
    )
    download_bytes: ClassVar[int] = 21_240_888
    torchvision_name: ClassVar[str] = "KMNIST"
    classes: ClassVar[tuple[str, ...]] = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


@registry.add
class QMNIST(IdxPictures):
    """MNIST with a test set of 60,000."""

    kind: ClassVar[str] = "qmnist"
    title: ClassVar[str] = "QMNIST"
    about: ClassVar[str] = (
        "120,000 handwritten digits as grey pictures of 28×28 pixels: MNIST, with all 60,000 test digits made again "
        "from their source. Yadav and Bottou, “Cold Case: the Lost MNIST Digits”, 2019; BSD licence."
    )
    download_bytes: ClassVar[int] = 20_500_000
    torchvision_name: ClassVar[str] = "QMNIST"
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    names: ClassVar[tuple[str, ...]] = (
        "qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int",
        "qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int",
    )  # fmt: skip

    def _read_labels(self, path: Path) -> np.ndarray:
        """The first of eight numbers for each digit; the others tell who wrote it."""
        import numpy as np

        from studio.data.known.idx import INTEGERS, read_idx

        return read_idx(path, (8,), INTEGERS)[:, 0].astype(np.int64)

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        folder = cache / self.torchvision_name / "raw"
        files = [file for part in ("train", "test") for file in torchvision_class.resources[part]]
        return [RemoteFile((url,), md5, folder / url.rpartition("/")[2]) for url, md5 in files]

    @property
    def _drawing(self) -> Drawing:
        from studio.data.forms.pictures import AS_MNIST

        return AS_MNIST


class _EMNIST(IdxPictures):
    """A part of EMNIST, whose pictures lie on their side; in its files, or in the archive that holds them all."""

    torchvision_name: ClassVar[str] = "EMNIST"
    download_bytes: ClassVar[int] = 561_753_746
    part: ClassVar[str]
    first_label: ClassVar[int] = 0

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]  # by the part
        return tuple(
            f"emnist-{self.part}-{split}-{what}"
            for split in ("train", "test")
            for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
        )

    @property
    def folder_names(self) -> tuple[str, ...]:
        """They lie in one folder."""
        return (self.kind, self.torchvision_name)

    def _files(self, folder: Path | None) -> dict[str, Path]:
        """The four files; in the archive they have a path below it, which does not exist."""
        try:
            return super()._files(folder)
        except DataError:
            for base in self._folders(folder):
                if archive := first_file(base, [ARCHIVE]):
                    return {name: archive / f"{INSIDE}/{name}.gz" for name in self.names}
            raise

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The four files, or the archive."""
        return tuple(dict.fromkeys(_on_disk(path) for path in super().finds(folder)))

    def _read_images(self, path: Path) -> np.ndarray:
        """Upright."""
        return self._idx(path, self.size[1:]).transpose(0, 2, 1)

    def _read_labels(self, path: Path) -> np.ndarray:
        """From 0 on."""
        import numpy as np

        return self._idx(path, ()).astype(np.int64) - self.first_label

    def _idx(self, path: Path, item_shape: tuple[int, ...]) -> np.ndarray:
        import zipfile

        from studio.data.known.idx import read_idx

        if _on_disk(path) == path:
            return read_idx(path, item_shape)
        try:
            with zipfile.ZipFile(_on_disk(path)) as archive, archive.open(f"{INSIDE}/{path.name}") as content:
                return read_idx(path, item_shape, content=content)  # type: ignore[arg-type]  # it can be read and sought
        except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError) as error:
            raise DataError(f"{path} cannot be read: {error}. Copy or download {ARCHIVE} again.") from error

    @property
    def _drawing(self) -> Drawing:
        from studio.data.forms.pictures import AS_MNIST

        return AS_MNIST

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        target = cache / self.torchvision_name / ARCHIVE
        return [RemoteFile((torchvision_class.url,), torchvision_class.md5, target)]


ARCHIVE, INSIDE = "gzip.zip", "gzip"


def _on_disk(path: Path) -> Path:
    """The file itself, or the archive in which it is."""
    archive = path.parent.parent
    return archive if archive.name == ARCHIVE and archive.is_file() else path


@registry.add
class EMNISTLetters(_EMNIST):
    """Handwritten letters."""

    kind: ClassVar[str] = "emnist_letters"
    title: ClassVar[str] = "EMNIST letters"
    about: ClassVar[str] = (
        "145,600 handwritten letters as grey pictures of 28×28 pixels, 26 classes of a capital and a small letter "
        "each, 20,800 of them for the test. Cohen et al., “EMNIST: an extension of MNIST to handwritten letters”, 2017."
    )
    part: ClassVar[str] = "letters"
    first_label: ClassVar[int] = 1
    classes: ClassVar[tuple[str, ...]] = tuple("abcdefghijklmnopqrstuvwxyz")


@registry.add
class EMNISTBalanced(_EMNIST):
    """Handwritten digits and letters, as many of each."""

    kind: ClassVar[str] = "emnist_balanced"
    title: ClassVar[str] = "EMNIST balanced"
    about: ClassVar[str] = (
        "131,600 handwritten digits and letters as grey pictures of 28×28 pixels, 47 classes with as many of each, "
        "18,800 of them for the test. Cohen et al., “EMNIST: an extension of MNIST to handwritten letters”, 2017."
    )
    part: ClassVar[str] = "balanced"
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt")
