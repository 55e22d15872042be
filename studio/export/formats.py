"""Which formats there are. No torch here: the window and the command line list them."""

from __future__ import annotations

from dataclasses import dataclass


class ExportError(Exception):
    """An export could not be made or did not compare equal; the message says why. Nothing was left behind."""


@dataclass(frozen=True)
class Format:
    """An export format.

    Args:
        kind: its name on the command line.
        suffix: of the file.
        about: what it is for, in a sentence or two for people.
        ending: what the name of a file ends with before the suffix, where several formats share that.
        needs_data: whether the data of the run is used.
    """

    kind: str
    title: str
    suffix: str
    about: str
    ending: str = ""
    needs_data: bool = False


FORMATS = {
    format.kind: format
    for format in (
        Format(
            "state-dict", "PyTorch weights", ".pt", "The weights alone, for load_state_dict of your own code.",
            "-weights",
        ),
        Format(
            "safetensors",
            "Safetensors",
            ".safetensors",
            "The weights in a format that cannot run code, with graph, preparation, labels and figures as texts.",
        ),
        Format(
            "checkpoint",
            "Studio checkpoint",
            ".pt",
            "One file for this studio: weights, graph, preparation, labels and figures. It opens everywhere that a run "
            "does, and holds tensors and plain values only.",
            "-checkpoint",
        ),
        Format(
            "onnx",
            "ONNX",
            ".onnx",
            "For other programs, languages and devices: runs in ONNX Runtime and many more, without Python or PyTorch.",
        ),
        Format(
            "onnx-int8",
            "ONNX, 8 bits",
            ".onnx",
            "ONNX with whole numbers of eight bits: about a quarter of the size. Its answers change a little, so it is "
            "measured on the validation split before and after.",
            "-int8",
            needs_data=True,
        ),
        Format(
            "program",
            "PyTorch program",
            ".pt2",
            "The network as a program of torch.export: PyTorch runs it without any source of the network.",
        ),
        Format(
            "python",
            "Python source",
            ".py",
            "The network as a readable class that needs only torch (torchvision for a backbone, tokenizers for texts).",
        ),
        Format(
            "script", "Training script", ".py", "The whole training as one file that runs without the studio.",
            "-training", needs_data=True,
        ),
    )
}  # fmt: skip
