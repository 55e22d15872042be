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
        purpose: what it is for, in a few words.
        about: the same in a sentence or two.
        ending: what the name of a file ends with before the suffix, where several formats share that.
        of_run: whether it tells of the run and what came of it, not only of its weights; see `of_runs`.
        folder: whether it is a folder.
    """

    kind: str
    title: str
    suffix: str
    purpose: str
    about: str
    ending: str = ""
    of_run: bool = False
    folder: bool = False


FORMATS = {
    format.kind: format
    for format in (
        Format(
            "state-dict",
            "PyTorch weights",
            ".pt",
            "for your own code in PyTorch",
            "The weights alone, for load_state_dict.",
            "-weights",
        ),
        Format(
            "safetensors",
            "Safetensors",
            ".safetensors",
            "for sharing: it cannot run code",
            "The weights in a format that cannot run code; graph, preparation, labels and figures beside them.",
        ),
        Format(
            "checkpoint",
            "Studio checkpoint",
            ".pt",
            "for this studio on another machine",
            "Weights, graph, preparation, labels and figures in one file that the studio opens as it opens a run. It "
            "holds tensors and plain values only.",
            "-checkpoint",
        ),
        Format(
            "onnx",
            "ONNX",
            ".onnx",
            "for other programs, languages and devices",
            "Runs in ONNX Runtime and many other programs, without Python or PyTorch. Batches have any size, sequences "
            "any length where the network allows it.",
        ),
        Format(
            "onnx-int8",
            "ONNX, 8 bits",
            ".onnx",
            "the same, smaller and a little less exact",
            "Weights and numbers in between have eight bits. The answers change a little: several ways are tried, and "
            "the best is measured on the validation split, before and after.",
            "-int8",
        ),
        Format(
            "program",
            "PyTorch program",
            ".pt2",
            "for PyTorch, without any source of the network",
            "The network as a program of torch.export: torch.export.load runs it, and AOTInductor can compile it.",
        ),
        Format(
            "python",
            "Python source",
            ".py",
            "for reading and changing",
            "The network as a readable class that needs only torch (torchvision for a backbone, tokenizers for texts).",
        ),
        Format(
            "script",
            "Training script",
            ".py",
            "for training elsewhere",
            "The whole training as one file that runs without the studio.",
            "-training",
        ),
        Format(
            "bundle", "Bundle that predicts", ".zip", "for people without the studio",
            "Network, weights, preparation and labels with a program that predicts for new files, and a model card; "
            "needs no studio. A name without .zip makes a folder.",
            "-bundle", of_run=True,
        ),
        Format(
            "report", "Report", ".html", "to read and to pass on",
            "One page that tells of the run: network, data, curves, mistakes, settings, health, how to make it again.",
            "-report", of_run=True,
        ),
        Format(
            "report-pdf", "Report, PDF", ".pdf", "to print", "The same on sheets of A4.",
            "-report", of_run=True,
        ),
        Format(
            "plots", "Pictures of curves", "", "for papers and slides",
            "A folder with the curves, the confusion matrix and the network as SVG and PNG.",
            "-plots", of_run=True, folder=True,
        ),
        Format(
            "metrics", "Figures as a table", ".csv", "for spreadsheets",
            "The figures of each epoch, for a spreadsheet.", "-metrics", of_run=True,
        ),
        Format(
            "tensorboard", "TensorBoard", "", "for TensorBoard and others",
            "A folder with the figures of each epoch for TensorBoard and what reads its files.",
            "-tensorboard", of_run=True, folder=True,
        ),
    )
}  # fmt: skip
