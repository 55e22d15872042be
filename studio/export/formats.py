"""Which formats there are. No torch here: the window and the command line list them."""

from __future__ import annotations

from dataclasses import dataclass


class ExportError(Exception):
    """An export could not be made or did not compare equal; the message says why. Nothing was left behind."""


@dataclass(frozen=True)
class Format:
    """An export format.

    Args:
        kind: its name on the command line; the module of that name in this package writes it.
        suffix: of the file.
        about: one sentence for people.
    """

    kind: str
    title: str
    suffix: str
    about: str


FORMATS = {
    format.kind: format
    for format in (
        Format("state-dict", "PyTorch weights", ".pt", "The weights alone, for load_state_dict of your own code."),
        Format("safetensors", "Safetensors", ".safetensors", "The weights in a format that cannot run code."),
        Format(
            "python",
            "Python source",
            ".py",
            "The network as a readable class that needs only torch (torchvision for a backbone, tokenizers for texts).",
        ),
        Format("script", "Training script", ".py", "The whole training as one file that runs without the studio."),
    )
}
