"""Sounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import DataError
from studio.data.forms.base import InputError, Raw, RawForm, base64_bytes, described, numbers_of

if TYPE_CHECKING:
    import numpy as np

    from studio.data.audio.features import SoundRules

_NAMED = Path("The sound")


@dataclass(frozen=True)
class SoundForm(RawForm):
    """A sound: a file, its content, or what the network is given of it.

    Args:
        rules: what is made of it.
    """

    kind: ClassVar[str] = "sound"
    suffixes: ClassVar[frozenset[str]] = frozenset((".wav", ".flac", ".ogg", ".oga", ".mp3", ".aiff", ".aif", ".opus"))
    media: ClassVar[str] = "audio/*"

    rules: SoundRules

    @property
    def about(self) -> str:
        """What becomes of a sound."""
        rules = self.rules
        return (
            f"A sound (WAV, FLAC, OGG, MP3, AIFF); its first {rules.seconds:g} seconds are used, at {rules.rate:,} "
            "samples a second."
        )

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """Those of the rules."""
        return (self.rules.dims,)

    @property
    def schema(self) -> dict[str, Any]:
        """A file in base64."""
        return {
            "type": "string", "contentEncoding": "base64", "contentMediaType": "audio/*", "description": self.about,
        }  # fmt: skip

    def from_json(self, value: Any) -> object:
        """Bytes of a file in base64."""
        return base64_bytes(value, "A sound")

    def read(self, given: object) -> Raw:
        """A sound as it is read for training.

        Args:
            given: a Path, the bytes of a file, or an array (*dims) of what the network is given of a sound.
        """
        import numpy as np

        if isinstance(given, np.ndarray):
            return Raw((numbers_of(given, self.rules.dims),))
        if isinstance(given, Path):
            return Raw((self._heard(given, None),))
        if isinstance(given, bytes | bytearray):
            return Raw((self._heard(_NAMED, bytes(given)),))
        raise InputError(f"A sound is wanted, a file or its content, not {described(given)}.")

    def _heard(self, path: Path, content: bytes | None) -> np.ndarray:
        try:
            return self.rules.apply(path, content)
        except DataError as error:
            raise InputError(str(error)) from error
