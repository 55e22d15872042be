"""Datasets of Hugging Face: files that its library wrote, and those of its hub, fetched after the person agreed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio.data.audio.features import FEATURES, LOG_MEL
from studio.data.base import DataSpec, Findings, MissingDataError, Progress, Samples, Source, Target, registry
from studio.data.hub.rules import FIND_OUT, INPUT_TYPES, REVISION, TASKS, folder_name, is_name
from studio.data.images.rules import COLOURS, FITS, GREY, LONGEST_SIDE, UNREADABLE
from studio.data.locations import datasets_folder
from studio.data.own_files import OwnFiles, located
from studio.data.texts.rules import KINDS
from studio.fields import FieldError, field, replace
from studio.tensors import TensorSpec, axes_for

if TYPE_CHECKING:
    from studio.data.audio.features import SoundRules
    from studio.data.forms import RawForm
    from studio.data.hub.loading import View
    from studio.data.images.decode import Form
    from studio.data.listing import Listing
    from studio.data.texts.tokens import TokenRules

MOST_SECONDS = 120.0
_UNREAD = 8  # numbers of a sample, before reading tells how many there are


@registry.add
class HuggingFace(OwnFiles):
    """A dataset in the files of Hugging Face's library, on this machine or from its hub."""

    kind: ClassVar[str] = "huggingface"
    title: ClassVar[str] = "Hugging Face"
    group: ClassVar[str] = "Hugging Face"
    about: ClassVar[str] = (
        "A dataset of Hugging Face: a folder that “save_to_disk” wrote, Parquet or Arrow files, or any dataset of the "
        "hub by its name, which is downloaded only after you agreed. None of its code ever runs."
    )
    unnumbered: ClassVar[tuple[str, ...]] = (
        "licence", "download_bytes", "input_type", "size", "colour", "fit", "unreadable", "tokens", "vocabulary",
        "max_length", "features", "rate", "seconds", "mels",
    )  # fmt: skip

    path: str = field("", help="A folder or file of the dataset; empty for one of the hub.")
    name: str = field("", help="Name on the hub, such as stanfordnlp/imdb.")
    config: str = field("", help="Which of several parts of the dataset; empty for the usual one.")
    revision: str = field("", help="The commit on the hub, 40 digits: it always gives the same data.")
    licence: str = field("", help="As the hub told it when the dataset was looked up.")
    download_bytes: int = field(  # type: ignore[misc]  # of this dataset; the class itself has nothing to download
        0, min=0, max=2**50, unit="bytes", help="What its files take, as the hub told it."
    )
    input_column: str = field(
        "", help="Column that the network gets, or several of numbers with commas; empty to find."
    )
    target_column: str = field("", help="Column that is to be predicted; empty to find it.")
    input_type: str = field(FIND_OUT, choices=INPUT_TYPES, help="What the input is. Found out when it is chosen.")
    task: str = field(FIND_OUT, choices=TASKS, help="Whether the target is a class or a number.")
    size: tuple[int, ...] = field(
        (64, 64), min=1, max=LONGEST_SIDE, unit="pixels", help="Height and width that pictures are brought to."
    )
    colour: str = field("RGB", choices=COLOURS, help="Three channels of colour, or one of brightness.")
    fit: str = field(
        FITS[0],
        choices=FITS,
        help="Stretch: proportions change. Crop the centre: edges are cut off. Pad: black is added at the edges.",
    )
    unreadable: str = field(
        UNREADABLE[0], choices=UNREADABLE, help="What to do about damaged pictures: stop, or leave them out."
    )
    tokens: str = field(KINDS[0], choices=KINDS, help="Of texts: words, frequent pieces of words, or characters.")
    vocabulary: int = field(10_000, min=300, max=200_000, help="Of texts: the most tokens there may be.")
    max_length: int = field(200, min=1, max=100_000, unit="tokens", help="Of texts: longer ones are cut at the end.")
    features: str = field(LOG_MEL, choices=FEATURES, help="Of sounds: a picture of their pitches, or the wave itself.")
    rate: int = field(16_000, min=1_000, max=192_000, unit="Hz", help="Of sounds: samples in a second.")
    seconds: float = field(
        1.0, min=0.01, max=MOST_SECONDS, unit="s", help="Of sounds: longer ones are cut, shorter ones get silence."
    )
    mels: int = field(40, min=4, max=256, help="Of sounds: pitches of a log-mel picture.")

    def _check_fields(self) -> None:
        super()._check_fields()
        if len(self.size) != 2:
            raise FieldError("HuggingFace", "size", "must be two numbers, height and width")
        if self.name and not is_name(self.name):
            raise FieldError("HuggingFace", "name", "must be a name of the hub, such as stanfordnlp/imdb")
        if self.revision and REVISION.fullmatch(self.revision) is None:
            raise FieldError("HuggingFace", "revision", "must be a commit, 40 of the digits 0 to 9 and a to f")

    @property
    def rank(self) -> int:  # type: ignore[override]  # a described file is no mere table
        """Before tables where a description says more than a table tells; else behind all others."""
        return 45 if self.input_type not in (FIND_OUT, "number") and Path(self.path).suffix else 70

    @property
    def spec(self) -> DataSpec:
        """As far as it is known without reading."""
        target = Target("regression" if self.task == "regression" else "classification", ())
        if self.input_type == "picture":
            return DataSpec((self.picture,), target)
        if self.input_type == "sound":
            return DataSpec((self.sound,), target)
        if self.input_type in ("text", "tokens"):
            places = (self.max_length,) if self.input_type == "tokens" else ()
            return DataSpec((self.token_numbers,), dataclasses.replace(target, dims=places), tokens=(self.vocabulary,))
        return DataSpec((TensorSpec((_UNREAD,), "D"),), target)

    @property
    def form(self) -> Form:
        """What pictures are made to."""
        from studio.data.images.decode import Form

        height, width = self.size
        return Form(height, width, self.colour, self.fit)

    @property
    def picture(self) -> TensorSpec:
        """The input, if that is a picture."""
        return TensorSpec((1 if self.colour == GREY else 3, *self.size), "CHW")

    @property
    def token_numbers(self) -> TensorSpec:
        """The input, if that is a text."""
        return TensorSpec((self.max_length,), "L", "int")

    @property
    def rules(self) -> TokenRules:
        """How texts are cut into tokens."""
        from studio.data.texts.tokens import TokenRules

        return TokenRules(self.tokens, self.vocabulary, self.max_length)

    @property
    def spaced_rules(self) -> TokenRules:
        """How tokens that the dataset has cut itself become numbers."""
        from studio.data.texts.rules import SPACED_LOWER
        from studio.data.texts.tokens import TokenRules

        return TokenRules(SPACED_LOWER, self.vocabulary, self.max_length)

    @property
    def sound_rules(self) -> SoundRules:
        """What is made of sounds."""
        from studio.data.audio.features import SoundRules

        return SoundRules(self.features, self.rate, self.seconds, self.mels)

    @property
    def sound(self) -> TensorSpec:
        """The input, if that is a sound."""
        dims = self.sound_rules.dims
        return TensorSpec(dims, axes_for(3) if len(dims) == 3 else "CT")

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """What a row holds, as it was found when the dataset was chosen."""
        from studio.data.forms import ArrayForm, PictureForm, SoundForm, plain_forms

        dims = spec.inputs[0].dims
        if self.input_type == "picture" and dims == self.picture.dims:
            return (PictureForm(self.form),)
        if self.input_type == "sound" and dims == self.sound.dims:
            return (SoundForm(self.sound_rules),)
        if len(dims) > 1:
            return (ArrayForm(dims, why="As a row of the dataset has it, channels first."),)
        return plain_forms(spec)

    def at(self, place: Path) -> Source:
        """These settings for other files. Where there were none yet, the settings that suit them are proposed."""
        source = replace(self, path=place.as_posix())
        return source if self.path else source.proposed()

    def claim(self, path: Path) -> Source | None:
        """This source at files that Hugging Face's library wrote, or named as on its hub."""
        from studio.data.hub.claim import is_dataset

        return self.at(path) if is_dataset(path) else None

    def proposed(self) -> HuggingFace:
        """With what the beginnings of the files suggest; as it is if they cannot be read, which `look` will tell."""
        from studio.data.hub.claim import proposal

        return replace(self, **proposal(self))

    @property
    def folder(self) -> Path:
        """Where the files are, or will be after a download.

        Raises:
            MissingDataError: if nothing was chosen.
        """
        if self.path:
            return located(self.path)
        if not self.name or not self.revision:
            hub = f"Look up {self.name} on the hub first" if self.name else "or look up one on the hub"
            raise MissingDataError(
                "No dataset of Hugging Face was chosen yet: choose a file or a folder, "
                f"{hub} (“studio fetch NAME”, or File, “Data from Hugging Face”)."
            )
        return datasets_folder() / "huggingface" / folder_name(self.name) / self.revision

    def look(self) -> Findings:
        """Columns, target, counts and problems. Raises MissingDataError, DataError."""
        from studio.data.hub.look import look

        return look(self, self._view())

    def load(self, folder: Path | None = None) -> Samples:
        """All samples, from `folder` if one is given, or else from where the settings say."""
        from studio.data.hub.loading import load

        return load(self, self._view(folder))

    def unpack(self, folder: Path | None = None, progress: Progress | None = None) -> None:
        """Decode pictures or sounds into the cache, unless they are there."""
        from studio.data.hub.media import decode_all

        found = self._view(folder)
        if found.roles.kind in ("picture", "sound"):
            decode_all(self, found, progress)

    def listing(self, folder: Path | None = None) -> Listing:
        """The rows as they are in the files."""
        from studio.data.hub.look import HubListing

        return HubListing(self, self._view(folder))

    def download(self, progress: Progress | None = None) -> None:
        """Fetch the files of the revision that was looked up. Raises DataError."""
        from studio.data.hub.remote import download

        download(self, progress)

    def _view(self, folder: Path | None = None) -> View:
        from studio.data.hub.loading import view
        from studio.data.hub.remote import check_complete

        place = folder or self.folder
        if not folder and not self.path:
            check_complete(self)
        return view(self, place)
