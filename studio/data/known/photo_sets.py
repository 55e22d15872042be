"""Known photographs of many sizes: Oxford's pets and flowers. They are decoded once, to the size that is chosen."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio import storage
from studio.data.base import DataError, DataSpec, Progress, Samples, Target, registry
from studio.data.images.rules import FITS, LONGEST_SIDE
from studio.data.known.torchvision_sets import KnownPictures
from studio.data.locations import datasets_folder, first_file
from studio.fields import field
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.download import RemoteFile
    from studio.data.forms import RawForm
    from studio.data.images.decode import Form
    from studio.data.images.store import Job
    from studio.data.listing import Listing
    from studio.data.photos import Photos

_MOST_UNPACKED = 2**31


class PhotoSet(KnownPictures):
    """Base of both."""

    inside: ClassVar[str]  # folder below that of the dataset, as torchvision has it
    archives: ClassVar[dict[str, tuple[str, ...]]]  # archive -> beginnings of the names in it that are kept

    side: int = field(64, min=8, max=LONGEST_SIDE, unit="pixels", help="Height and width that pictures are brought to.")
    fit: str = field(
        FITS[1],
        choices=FITS,
        help="Stretch: proportions change. Crop the centre: edges are cut off. Pad: black is added at the edges.",
    )

    @property
    def spec(self) -> DataSpec:
        """Square colour pictures."""
        return DataSpec((TensorSpec((3, self.side, self.side), "CHW"),), Target("classification", self.classes))

    @property
    def folder_names(self) -> tuple[str, ...]:
        """As torchvision calls it, too."""
        return (self.kind, self.inside, self.torchvision_name)

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """Photographs, decoded alike."""
        from studio.data.forms import PictureForm

        return (PictureForm(self._form),)

    def photos(self, folder: Path | None) -> Photos:
        """What the lists of the dataset say. Raises MissingDataError, DataError."""
        raise AssertionError(f"{type(self).__name__} has no photos")

    def unpack(self, folder: Path | None = None, progress: Progress | None = None) -> None:
        """Decode all pictures into the cache, unless they are there."""
        from studio.data.images.store import decoded

        decoded(self._job(self.photos(folder)), progress=progress)

    def load(self, folder: Path | None = None) -> Samples:
        """All pictures (M, 3, H, W) in a memory map. Raises MissingDataError, DataError."""
        from studio.data.images.store import decoded

        photos = self.photos(folder)
        found = decoded(self._job(photos))
        broken = found.unreadable
        if broken:
            reason = found.about["reasons"].get(str(broken[0]), "cannot be read")
            raise DataError(
                f"{photos.root / photos.names[broken[0]]} {reason}, and so for {len(broken):,} pictures in all. "
                f"Copy or download {self.title} again."
            )
        return Samples(
            (found.arrays["images"],), photos.labels, photos.test_start, photos.validation_start,
            digests=(found.digests["images"],),
        )  # fmt: skip

    def listing(self, folder: Path | None = None) -> Listing:
        """The pictures as they are in the files."""
        from studio.data.photos import PhotoListing

        return PhotoListing(self.photos(folder), self.classes)

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The lists, and the folder of pictures."""
        try:
            return self._files(folder)
        except DataError:
            return ()

    def _files(self, folder: Path | None) -> tuple[Path, ...]:
        """The files that name the pictures, then the folder in which those are."""
        raise AssertionError(f"{type(self).__name__} has no files")

    @property
    def _form(self) -> Form:
        from studio.data.images.decode import Form

        return Form(self.side, self.side, "RGB", self.fit)

    def _job(self, photos: Photos) -> Job:
        from studio.data.images.store import Job

        return Job(photos.root, photos.names, self._form)

    def download(self, progress: Progress | None = None) -> None:
        """Fetch the archives, unpack what is needed, and remove them."""
        from studio.data.archives import unpack

        home = datasets_folder() / self.inside
        if self.finds(home):
            return
        super().download(progress)
        for archive, kept in self.archives.items():
            unpack(home / archive, functools.partial(_kept, kept), home, _MOST_UNPACKED, self.title)
            storage.remove(home / archive)


def _kept(beginnings: tuple[str, ...], name: str) -> str | None:
    from studio.data.hub.table import is_path_below

    plain = name.removeprefix("./")
    return plain if is_path_below(plain) and plain.startswith(beginnings) else None


@registry.add
class OxfordPets(PhotoSet):
    """Cats and dogs of 37 breeds."""

    kind: ClassVar[str] = "oxford_pets"
    title: ClassVar[str] = "Oxford-IIIT Pets"
    about: ClassVar[str] = (
        "7,349 colour photographs of cats and dogs of 37 breeds, in many sizes, 3,669 of them for the test. Parkhi et "
        "al., “Cats and Dogs”, 2012; CC BY-SA 4.0."
    )
    download_bytes: ClassVar[int] = 811_092_049
    torchvision_name: ClassVar[str] = "OxfordIIITPet"
    inside: ClassVar[str] = "oxford-iiit-pet"
    archives: ClassVar[dict[str, tuple[str, ...]]] = {
        "images.tar.gz": ("images/",), "annotations.tar.gz": ("annotations/trainval.txt", "annotations/test.txt"),
    }  # fmt: skip
    classes: ClassVar[tuple[str, ...]] = tuple(
        "Abyssinian, American Bulldog, American Pit Bull Terrier, Basset Hound, Beagle, Bengal, Birman, Bombay, Boxer, "
        "British Shorthair, Chihuahua, Egyptian Mau, English Cocker Spaniel, English Setter, German Shorthaired, Great "
        "Pyrenees, Havanese, Japanese Chin, Keeshond, Leonberger, Maine Coon, Miniature Pinscher, Newfoundland, "
        "Persian, Pomeranian, Pug, Ragdoll, Russian Blue, Saint Bernard, Samoyed, Scottish Terrier, Shiba Inu, "
        "Siamese, Sphynx, Staffordshire Bull Terrier, Wheaten Terrier, Yorkshire Terrier".split(", ")
    )

    def photos(self, folder: Path | None) -> Photos:
        """Those of the two lists."""
        import numpy as np

        from studio.data.photos import Photos

        train_list, test_list, pictures = self._files(folder)
        train, test = _read_list(train_list, len(self.classes)), _read_list(test_list, len(self.classes))
        names = [f"{name}.jpg" for name, _ in (*train, *test)]
        return Photos(pictures, names, np.array([label for _, label in (*train, *test)]), None, len(train))

    def _files(self, folder: Path | None) -> tuple[Path, ...]:
        bases = self._folders(folder)
        for place in [place for base in bases for place in (base / self.inside, base)]:
            lists = [first_file(place / "annotations", [name]) for name in ("trainval.txt", "test.txt")]
            if all(lists) and (place / "images").is_dir():
                return (*(path for path in lists if path is not None), place / "images")
        raise self._missing(bases[-1], "images, and annotations with trainval.txt and test.txt")

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        home = cache / self.inside
        return [RemoteFile((url,), md5, home / url.rpartition("/")[2]) for url, md5 in torchvision_class._RESOURCES]


_LINE = re.compile(r"([A-Za-z][\w-]{0,80}) (\d{1,3}) \d \d{1,2}", re.ASCII)


def _read_list(path: Path, classes: int) -> list[tuple[str, int]]:
    """Names and class numbers from 0. Raises DataError."""
    try:
        lines = storage.read_bytes(path, 2**20).decode("ascii", "replace").splitlines()
    except storage.StorageError as error:
        raise DataError(str(error)) from error
    found = []
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line.strip())
        if match is None or not 1 <= int(match[2]) <= classes:
            raise DataError(f"{path}, line {number}, does not name a picture and a class from 1 to {classes}.")
        found.append((match[1], int(match[2]) - 1))
    if not found:
        raise DataError(f"{path} is empty. Copy or download it again.")
    return found


@registry.add
class Flowers102(PhotoSet):
    """Flowers of 102 kinds."""

    kind: ClassVar[str] = "flowers102"
    title: ClassVar[str] = "Flowers-102"
    about: ClassVar[str] = (
        "8,189 colour photographs of flowers of 102 kinds, in many sizes: 1,020 to train on, 1,020 for validation, "
        "6,149 for the test. Nilsback and Zisserman, “Automated Flower Classification over a Large Number of Classes”, "
        "2008; its licence is not stated."
    )
    download_bytes: ClassVar[int] = 344_878_000
    torchvision_name: ClassVar[str] = "Flowers102"
    inside: ClassVar[str] = "flowers-102"
    archives: ClassVar[dict[str, tuple[str, ...]]] = {"102flowers.tgz": ("jpg/",)}
    classes: ClassVar[tuple[str, ...]] = tuple(
        "pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily, "
        "moon orchid, bird of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea, spear "
        "thistle, yellow iris, globe-flower, purple coneflower, peruvian lily, balloon flower, giant white arum "
        "lily, fire lily, pincushion flower, fritillary, red ginger, grape hyacinth, corn poppy, prince of wales "
        "feathers, stemless gentian, artichoke, sweet william, carnation, garden phlox, love in the mist, mexican "
        "aster, alpine sea holly, ruby-lipped cattleya, cape flower, great masterwort, siam tulip, lenten rose, "
        "barbeton daisy, daffodil, sword lily, poinsettia, bolero deep blue, wallflower, marigold, buttercup, "
        "oxeye daisy, common dandelion, petunia, wild pansy, primula, sunflower, pelargonium, bishop of llandaff, "
        "gaura, geranium, orange dahlia, pink-yellow dahlia?, cautleya spicata, japanese anemone, black-eyed "
        "susan, silverbush, californian poppy, osteospermum, spring crocus, bearded iris, windflower, tree poppy, "
        "gazania, azalea, water lily, rose, thorn apple, morning glory, passion flower, lotus, toad lily, "
        "anthurium, frangipani, clematis, hibiscus, columbine, desert-rose, tree mallow, magnolia, cyclamen, "
        "watercress, canna lily, hippeastrum, bee balm, ball moss, foxglove, bougainvillea, camellia, mallow, "
        "mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily".split(", ")
    )

    def photos(self, folder: Path | None) -> Photos:
        """Those that the three lists of numbers name."""
        import numpy as np

        from studio.data.known.mat_files import read_mat
        from studio.data.photos import Photos

        label_file, list_file, pictures = self._files(folder)
        labels = read_mat(label_file, {"labels": (1, 0)})["labels"][0].astype(np.int64) - 1
        lists = read_mat(list_file, dict.fromkeys(("trnid", "valid", "tstid"), (1, 0)))
        parts = [lists[name][0].astype(np.int64) for name in ("trnid", "valid", "tstid")]
        numbers = np.concatenate(parts)
        if not all(map(len, parts)) or numbers.min() < 1 or numbers.max() > len(labels):
            raise DataError(f"{list_file} names pictures that {label_file} does not know. Copy or download both again.")
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise DataError(f"{label_file} holds other labels than 1 to 102. Copy or download it again.")
        names = [f"image_{number:05d}.jpg" for number in numbers.tolist()]
        ends = np.cumsum([len(part) for part in parts]).tolist()
        return Photos(pictures, names, labels[numbers - 1], ends[0], ends[1])

    def _files(self, folder: Path | None) -> tuple[Path, ...]:
        bases = self._folders(folder)
        for place in [place for base in bases for place in (base / self.inside, base)]:
            lists = [first_file(place, [name]) for name in ("imagelabels.mat", "setid.mat")]
            if all(lists) and (place / "jpg").is_dir():
                return (*(path for path in lists if path is not None), place / "jpg")
        raise self._missing(bases[-1], "imagelabels.mat, setid.mat, and a folder jpg with the pictures")

    def _remote_files(self, torchvision_class: Any, cache: Path) -> list[RemoteFile]:
        from studio.data.download import RemoteFile

        address = torchvision_class._download_url_prefix
        files = torchvision_class._file_dict.values()
        return [RemoteFile((address + name,), md5, cache / self.inside / name) for name, md5 in files]
