"""Pictures of the person's own in which places are marked: a class for each pixel, or rectangles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio.data.base import DataError, DataSpec, Findings, Progress, Samples, Source, Target, registry
from studio.data.images.sources import OwnPictures

if TYPE_CHECKING:
    from studio.data.images.boxes import Boxed
    from studio.data.images.masks import Masked
    from studio.data.images.store import Decoded, Job
    from studio.data.listing import Listing


@registry.add
class ImageMasks(OwnPictures):
    """A person's own pictures, with masks that say what each pixel is."""

    kind: ClassVar[str] = "image-masks"
    title: ClassVar[str] = "Pictures with masks"
    about: ClassVar[str] = (
        "Your own pictures and masks of the same names in folders “images” and “masks”, with grey levels or colours "
        "as classes; or a folder for each picture, with a mask for each object in it."
    )
    rank: ClassVar[int] = 10

    @property
    def spec(self) -> DataSpec:
        """Pictures of the size that was chosen, and a class for each pixel; the classes are known after a look."""
        return DataSpec((self.picture,), Target("classification", (), self.size))

    def claim(self, path: Path) -> Source | None:
        """This source at a folder with pictures and masks."""
        from studio.data.images.masks import has_masks

        return self.at(path) if path.is_dir() and has_masks(path) else None

    def job(self) -> Job:
        """All pictures that have a mask, and their masks."""
        from studio.data.images.masks import job

        return job(self.masked, self.form)

    @property
    def masked(self) -> Masked:
        """Which masks belong to which pictures. Raises DataError."""
        from studio.data.images.masks import find_masked

        return find_masked(self.root)

    def _some_pictures(self) -> tuple[list[str], int]:
        paths, _ = super()._some_pictures()
        return paths, 16  # networks for pixels halve the size, and double it again

    def decoded(self, progress: Progress | None = None) -> Decoded:
        """All pictures and masks, from the cache or decoded now."""
        from studio.data.images.masks import read

        return read(self.masked, self.form, progress)[0]

    def look(self) -> Findings:
        """Classes, how many pictures have each, and what is wrong with the files."""
        from studio.data.images.look_marked import look_at_masks

        return look_at_masks(self)

    def listing(self, folder: Path | None = None) -> Listing:
        """The pictures and masks as they are in the files."""
        from studio.data.images.listing import MaskListing

        source = self._placed(folder)
        assert isinstance(source, ImageMasks)
        return MaskListing(source, source.masked)

    def load(self, folder: Path | None = None) -> Samples:
        """All pictures (M, C, H, W) and the class of each pixel (M, H, W), in memory maps."""
        from studio.data.images.masks import read

        source = self._placed(folder)
        assert isinstance(source, ImageMasks)
        masked = source.masked
        found, coding = read(masked, source.form)
        return Samples(
            (found.arrays["images"],), found.arrays["masks"], masked.test_start, masked.validation_start, coding.names,
            digests=(found.digests["images"], found.digests["masks"]),
            left_out=source.left_out(found, masked.pictures),
        )  # fmt: skip


NOT_TRAINED = (
    "Training on boxes is not possible yet: these pictures can be looked at and checked only. To train on them now, "
    "put cut-outs of the things in a folder for each class, or use masks."
)


@registry.add
class ImageBoxes(OwnPictures):
    """A person's own pictures, with rectangles around what is in them."""

    kind: ClassVar[str] = "image-boxes"
    title: ClassVar[str] = "Pictures with boxes"
    about: ClassVar[str] = (
        "Your own pictures with rectangles around things, as XML files of Pascal VOC or a JSON file of COCO. They can "
        "be looked at, counted and checked; training on them is not possible yet."
    )
    rank: ClassVar[int] = 12

    @property
    def spec(self) -> DataSpec:
        """Pictures of the size that was chosen; the classes are known after a look."""
        return DataSpec((self.picture,), Target("detection", ()))

    def claim(self, path: Path) -> Source | None:
        """This source at a folder or a JSON file with rectangles on pictures."""
        from studio.data.images.boxes import has_boxes

        return self.at(path) if has_boxes(path) else None

    @property
    def boxed(self) -> Boxed:
        """The rectangles of each picture. Raises DataError."""
        from studio.data.images.boxes import find_boxed

        return find_boxed(self.root)

    def job(self) -> Job:
        """All pictures that are named with rectangles."""
        from studio.data.images.store import Job

        boxed = self.boxed
        return Job(boxed.root, boxed.pictures, self.form)

    def unpack(self, folder: Path | None = None, progress: Progress | None = None) -> None:
        """Nothing: there is no training that could use it."""

    def look(self) -> Findings:
        """Classes, how many rectangles each has, and what is wrong with the files."""
        from studio.data.images.look_marked import look_at_boxes

        return look_at_boxes(self)

    def listing(self, folder: Path | None = None) -> Listing:
        """The pictures as they are in the files, with their rectangles."""
        from studio.data.images.listing import BoxListing

        source = self._placed(folder)
        assert isinstance(source, ImageBoxes)
        return BoxListing(source, source.boxed)

    def load(self, folder: Path | None = None) -> Samples:
        """Refused: nothing here learns to find rectangles. Raises DataError."""
        raise DataError(NOT_TRAINED)
