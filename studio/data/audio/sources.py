"""Sounds of a person's own, with a class each."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.audio.features import FEATURES, LOG_MEL, LOG_MEL_CHANNELS, SoundRules
from studio.data.base import DataSpec, Findings, MissingDataError, Progress, Samples, Source, Target, registry
from studio.data.images.rules import LEAVE_OUT, UNREADABLE
from studio.data.own_files import OwnFiles, located
from studio.fields import field, replace
from studio.tensors import TensorSpec, axes_for

if TYPE_CHECKING:
    from studio.data.audio.files import Sounds
    from studio.data.forms import RawForm
    from studio.data.listing import Listing

MOST_SECONDS = 120.0
_SPEECH_RATE = 16_000  # what is proposed at most: beyond are pitches that few sounds differ in
_PROPOSED_SECONDS = 10.0  # at most


def rounded_up(seconds: float) -> float:
    """To the next tenth of a second."""
    return max(0.1, math.ceil(round(seconds * 10, 6)) / 10)


def suitable(rate: int, seconds: float) -> dict[str, Any]:
    """Settings for sounds that usually have a rate and a length."""
    # Of which pitch something is matters, and when it comes does not: convolutions over time learn from few sounds.
    return {
        "features": LOG_MEL_CHANNELS,
        "rate": min(rate, _SPEECH_RATE),
        "seconds": rounded_up(min(seconds, _PROPOSED_SECONDS)),
    }


@registry.add
class AudioFolders(OwnFiles):
    """A person's own sounds: a folder for each class, or a folder of files with the class in their names."""

    kind: ClassVar[str] = "audio-folders"
    title: ClassVar[str] = "Sounds"
    group: ClassVar[str] = "Sound"
    about: ClassVar[str] = (
        "Your own sounds (WAV, FLAC, OGG, MP3, AIFF): a folder for each class, with or without train and test folders "
        "above them, or files with the class in their names, such as 7_jackson_3.wav."
    )
    rank: ClassVar[int] = 20
    unnumbered: ClassVar[tuple[str, ...]] = ("features", "rate", "seconds", "mels", "group_part", "unreadable")

    path: str = field("", help="A folder with a folder of sounds for each class, or with sounds.")
    features: str = field(
        LOG_MEL,
        choices=FEATURES,
        help="Log-mel: a picture of how much of each pitch there is, every 10 ms; or with each pitch as a channel, for "
        "convolutions over time. Waveform: the sound as it is.",
    )
    rate: int = field(
        16_000, min=1_000, max=192_000, unit="Hz", help="Samples in a second; sounds of another rate are resampled."
    )
    seconds: float = field(
        1.0, min=0.01, max=MOST_SECONDS, unit="s", help="Longer sounds are cut at the end, shorter ones get silence."
    )
    mels: int = field(40, min=4, max=256, help="Pitches of a log-mel picture, its height.")
    label_part: int = field(
        0,
        min=0,
        max=50,
        special="find out",
        help="Which part of the files’ names is the class, between “_”, “-”, “.” and spaces. "
        "Found out: folders, or by counting.",
    )
    group_part: int = field(
        0,
        min=0,
        max=50,
        special="none",
        help="Which part of the names says what belongs together, such as who speaks: it is kept out of two splits.",
    )

    unreadable: str = field(
        UNREADABLE[0], choices=UNREADABLE, help="What to do about damaged files: stop and name them, or leave them out."
    )

    @property
    def spec(self) -> DataSpec:
        """A log-mel picture (1, mels, frames) or (mels, frames), or a wave (1, T); only reading tells the classes."""
        dims = self._rules.dims
        axes = axes_for(3) if len(dims) == 3 else "CT"
        return DataSpec((TensorSpec(dims, axes),), Target("classification", ()))

    @property
    def _rules(self) -> SoundRules:
        return SoundRules(self.features, self.rate, self.seconds, self.mels)

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """Sounds, read alike."""
        from studio.data.forms import SoundForm

        return (SoundForm(self._rules),)

    def claim(self, path: Path) -> Source | None:
        """This source at a folder of sounds with classes, with a rate and a length that suit them."""
        from studio.data.audio.files import some_sounds

        files = some_sounds(path) if path.is_dir() else []
        if not files:
            return None
        from studio.data.audio.look import usual_rate_and_length

        usual = usual_rate_and_length(files)
        if usual is None:  # `look` will tell why
            return self.at(path)
        return replace(self, path=path.as_posix(), **suitable(*usual))

    def look(self) -> Findings:
        """Classes, lengths and problems, by listening to the sounds. Raises DataError."""
        from studio.data.audio.look import look

        return look(self, self.spec, self._found())

    def unpack(self, folder: Path | None = None, progress: Progress | None = None) -> None:
        """Read all sounds and keep what is made of them, unless that is there."""
        self._loaded(folder, progress)

    def load(self, folder: Path | None = None) -> Samples:
        """All sounds as numbers, from `folder` if one is given, or else from the path that is a setting."""
        return self._loaded(folder)

    def listing(self, folder: Path | None = None) -> Listing:
        """The sounds as they are in the files, each read when it is shown."""
        from studio.data.audio.look import SoundListing

        rules = self._rules if self.unreadable == LEAVE_OUT else None
        return SoundListing(self._found(folder), rules, grouped=self.group_part > 0)

    def _loaded(self, folder: Path | None, progress: Progress | None = None) -> Samples:
        from studio.data.audio.loading import load_sounds

        leave_out, grouped = self.unreadable == LEAVE_OUT, self.group_part > 0
        return load_sounds(self._found(folder), self._rules, leave_out=leave_out, grouped=grouped, progress=progress)

    def _found(self, folder: Path | None = None) -> Sounds:
        """The files. Raises MissingDataError, DataError."""
        from studio.data.audio.files import find_sounds

        if folder is None and not self.path:
            raise MissingDataError("No sounds were chosen yet: choose a folder with a folder of sounds for each class.")
        return find_sounds(folder or located(self.path), self.label_part, self.group_part)
