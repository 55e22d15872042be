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
        of_run: whether it tells of the run and what came of it, not only of its weights; see `of_runs`.
        folder: whether it is a folder.
    """

    kind: str
    title: str
    suffix: str
    about: str
    ending: str = ""
    needs_data: bool = False
    of_run: bool = False
    folder: bool = False


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
        Format(
            "bundle", "Bundle that predicts", ".zip",
            "Network, weights, preparation and labels with a program that predicts for new files, and a model card; "
            "needs no studio. A name without .zip makes a folder.",
            "-bundle", needs_data=True, of_run=True,
        ),
        Format(
            "report", "Report", ".html",
            "One page that tells of the run: network, data, curves, mistakes, settings, health, how to make it again.",
            "-report", needs_data=True, of_run=True,
        ),
        Format(
            "report-pdf", "Report, PDF", ".pdf", "The same on sheets of A4.",
            "-report", needs_data=True, of_run=True,
        ),
        Format(
            "plots", "Pictures of curves", "",
            "A folder with the curves, the confusion matrix and the network as SVG and PNG.",
            "-plots", needs_data=True, of_run=True, folder=True,
        ),
        Format(
            "metrics", "Figures as a table", ".csv", "The figures of each epoch, for a spreadsheet.", "-metrics",
            of_run=True,
        ),
        Format(
            "tensorboard", "TensorBoard", "",
            "A folder with the figures of each epoch for TensorBoard and what reads its files.",
            "-tensorboard", of_run=True, folder=True,
        ),
    )
}  # fmt: skip
