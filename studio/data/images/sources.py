"""Pictures of the person's own: a folder for each class, or a table that names the class of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import (
    DataError,
    DataSpec,
    Findings,
    LoadingCode,
    MissingDataError,
    Progress,
    Samples,
    Source,
    Target,
    registry,
)
from studio.data.images.rules import COLOURS, FITS, GREY, LEAVE_OUT, LONGEST_SIDE, UNREADABLE
from studio.data.own_files import OwnFiles, located, printable
from studio.fields import FieldError, field, replace
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.forms import RawForm
    from studio.data.images.decode import Form
    from studio.data.images.store import Decoded, Job
    from studio.data.listing import Listing


class OwnPictures(OwnFiles):
    """Base of the person's own pictures, which are decoded once and kept in the cache."""

    group: ClassVar[str] = "Pictures"
    unnumbered: ClassVar[tuple[str, ...]] = ("size", "colour", "fit", "unreadable")

    path: str = field("", help="Where the pictures are.")
    size: tuple[int, ...] = field(
        (64, 64), min=1, max=LONGEST_SIDE, unit="pixels", help="Height and width that all pictures are brought to."
    )
    colour: str = field("RGB", choices=COLOURS, help="Three channels of colour, or one of brightness.")
    fit: str = field(
        FITS[0],
        choices=FITS,
        help="Stretch: proportions change. Crop the centre: edges are cut off. Pad: black is added at the edges.",
    )
    unreadable: str = field(
        UNREADABLE[0], choices=UNREADABLE, help="What to do about damaged files: stop and name them, or leave them out."
    )

    def _check_fields(self) -> None:
        super()._check_fields()
        if len(self.size) != 2:
            raise FieldError(type(self).__name__, "size", "must be two numbers, height and width")

    def at(self, place: Path) -> Source:
        """These settings for other pictures. Where there were none yet, size and colour are proposed from them."""
        source = self._placed(place)
        try:
            return source if self.path else source._proposed()
        except DataError:  # `look` tells what is wrong
            return source

    def _placed(self, place: Path | None) -> OwnPictures:
        """The same settings at a place; at its own for None."""
        return self if place is None else replace(self, path=place.as_posix())

    def _proposed(self) -> OwnPictures:
        """With the size and colour that suit the pictures."""
        from studio.data.images.propose import proposal

        return replace(self, **proposal(*self._some_pictures()))

    def _some_pictures(self) -> tuple[list[str], int]:
        """Paths of pictures, and of what number height and width have to be multiples."""
        job = self.job()
        return [str(job.root / name) for name in job.names], 1

    @property
    def form(self) -> Form:
        """What pictures are made to."""
        from studio.data.images.decode import Form

        height, width = self.size
        return Form(height, width, self.colour, self.fit)

    @property
    def picture(self) -> TensorSpec:
        """The input."""
        return TensorSpec((1 if self.colour == GREY else 3, *self.size), "CHW")

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """Pictures, decoded alike."""
        from studio.data.forms import PictureForm

        return (PictureForm(self.form),)

    @property
    def root(self) -> Path:
        """The place as a path. Raises MissingDataError if none was chosen, or there is nothing."""
        if not self.path:
            raise MissingDataError(f"No {self.title.lower()} were chosen yet: choose their folder.")
        path = located(self.path)
        if not path.exists():
            raise MissingDataError(f"There is nothing at {printable(self.path, 200)}. Choose where the pictures are.")
        return path

    def job(self) -> Job:
        """The pictures to decode. Raises DataError."""
        raise AssertionError(f"{type(self).__name__} has no pictures")

    def decoded(self, progress: Progress | None = None) -> Decoded:
        """All pictures, from the cache or decoded now. Raises DataError."""
        from studio.data.images.store import decoded

        return decoded(self.job(), progress=progress)

    def unpack(self, folder: Path | None = None, progress: Progress | None = None) -> None:
        """Decode all pictures into the cache, unless they are there."""
        self._placed(folder).decoded(progress)

    def left_out(self, decoded: Decoded, names: list[str]) -> tuple[int, ...]:
        """Numbers of the samples that cannot be read. Raises DataError unless they are to be left out."""
        found = decoded.unreadable
        if found and self.unreadable != LEAVE_OUT:
            from studio.data.images.look import unreadable_text

            raise DataError(
                f"{unreadable_text(decoded, names)} Mend or remove them, or set “Unreadable” to “{LEAVE_OUT}”."
            )
        return tuple(found)


@registry.add
class ImageFolders(OwnPictures):
    """A person's own pictures, with a folder for each class."""

    kind: ClassVar[str] = "image-folders"
    title: ClassVar[str] = "Pictures in class folders"
    about: ClassVar[str] = (
        "Your own pictures (JPEG, PNG, TIFF, WebP and more) in a folder for each class, with or without train, "
        "validation and test folders above them."
    )
    rank: ClassVar[int] = 16

    @property
    def spec(self) -> DataSpec:
        """Pictures of the size that was chosen; the classes are known after a look."""
        return DataSpec((self.picture,), Target("classification", ()))

    def claim(self, path: Path) -> Source | None:
        """This source at a folder with pictures in class folders, or at one of nothing but pictures."""
        from studio.data.images.files import has_class_folders, has_flat_pictures

        return self.at(path) if path.is_dir() and (has_class_folders(path) or has_flat_pictures(path)) else None

    def _some_pictures(self) -> tuple[list[str], int]:
        from studio.data.images.files import some_pictures

        return some_pictures(self.root), 1

    def job(self) -> Job:
        """All pictures, train before validation before test."""
        from studio.data.images.files import find_pictures
        from studio.data.images.store import Job

        pictures = find_pictures(self.root)
        return Job(pictures.root, pictures.names, self.form)

    def look(self) -> Findings:
        """Classes, counts, sizes, and what is wrong with the files."""
        from studio.data.images.look import look_at_folders

        return look_at_folders(self)

    def listing(self, folder: Path | None = None) -> Listing:
        """The pictures as they are in the files."""
        from studio.data.images.files import find_pictures
        from studio.data.images.listing import PictureListing

        source = self._placed(folder)
        pictures = find_pictures(source.root)
        found = PictureListing(source, pictures.root, pictures.names, pictures.labels, pictures.classes)
        found.validation_start, found.test_start = pictures.validation_start, pictures.test_start
        return found

    def load(self, folder: Path | None = None) -> Samples:
        """All pictures (M, C, H, W) in a memory map, and their classes."""
        from studio.data.images.files import find_pictures
        from studio.data.images.store import Job, decoded

        source = self._placed(folder)
        pictures = find_pictures(source.root)
        found = decoded(Job(pictures.root, pictures.names, source.form))
        return Samples(
            (found.arrays["images"],), pictures.labels, pictures.test_start, pictures.validation_start,
            pictures.classes, digests=(found.digests["images"],), left_out=source.left_out(found, pictures.names),
            contents=found.arrays["contents"],
        )  # fmt: skip

    @property
    def loading_code(self) -> LoadingCode | None:
        """The same for the folders that are there now; None if damaged files would have to be left out."""
        from studio.data.images.code import for_folders
        from studio.data.images.files import find_pictures

        pictures = find_pictures(self.root)
        code = for_folders(pictures, self.root, self.form) if pictures.parts else None
        return code if self.unreadable != LEAVE_OUT or not self.decoded().unreadable else None


@registry.add
class ImageTable(OwnPictures):
    """A person's own pictures, and a table that says what each shows."""

    kind: ClassVar[str] = "image-table"
    title: ClassVar[str] = "Pictures with a table"
    about: ClassVar[str] = (
        "Your own pictures in one folder, and a CSV file that has in each row the name of a picture and its class, its "
        "labels, or numbers to predict."
    )
    rank: ClassVar[int] = 14

    file_column: str = field("", help="Name of the column with the names of the files; empty to find it.")
    label_columns: str = field(
        "", help="Name of the column to predict, or several with commas between; empty to find them."
    )
    task: str = field(
        "classification",
        choices=("classification", "multi-label", "regression"),
        help="One class for each picture, any number of labels, or real numbers. Found out when a table is chosen.",
    )

    @property
    def spec(self) -> DataSpec:
        """Pictures of the size that was chosen; the classes are known after a look."""
        return DataSpec((self.picture,), Target(self.task, ()))

    def claim(self, path: Path) -> Source | None:
        """This source at a table of pictures, or at a folder that holds one."""
        from studio.data.images.table import table_of

        table = table_of(path)
        return self.at(table) if table is not None else None

    def _placed(self, place: Path | None) -> OwnPictures:
        from studio.data.images.table import table_of

        table = None if place is None else table_of(place)
        return super()._placed(table or place)

    def _proposed(self) -> OwnPictures:
        from studio.data.images.table import read_table

        found = replace(self, task=read_table(self.root, self.file_column, self.label_columns).task)
        return OwnPictures._proposed(found)

    def job(self) -> Job:
        """All pictures of the table, in its order."""
        from studio.data.images.store import Job

        table = self._table()
        return Job(table.root, table.files, self.form)

    def _table(self) -> Any:
        from studio.data.images.table import read_table

        return read_table(self.root, self.file_column, self.label_columns, self.task)

    def look(self) -> Findings:
        """What the table says of the pictures, and what is wrong with either."""
        from studio.data.images.look import look_at_table

        return look_at_table(self, self._table())

    def listing(self, folder: Path | None = None) -> Listing:
        """The pictures as they are in the files, in the order of the table."""
        from studio.data.images.listing import PictureListing

        source = self._placed(folder)
        assert isinstance(source, ImageTable)
        table = source._table()
        labels = table.targets if self.task == "classification" else None
        return PictureListing(source, table.root, table.files, labels, table.names, answers=table.answers)

    def load(self, folder: Path | None = None) -> Samples:
        """All pictures (M, C, H, W) in a memory map, and what the table says of them."""
        from studio.data.images.store import Job, decoded

        source = self._placed(folder)
        assert isinstance(source, ImageTable)
        table = source._table()
        found = decoded(Job(table.root, table.files, source.form))
        return Samples(
            (found.arrays["images"],), table.targets, names=table.names,
            digests=(found.digests["images"],), left_out=source.left_out(found, table.files),
            contents=found.arrays["contents"],
        )  # fmt: skip
