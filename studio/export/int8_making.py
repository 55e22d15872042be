"""The network as an ONNX file with whole numbers of eight bits; runs in the process of `making`.

Which way of quantizing keeps most of what a network learned depends on the network: several are tried, and the one that
does best on the validation split is taken.

Axis letters: N samples, K classes.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime import quantization
from torch import Tensor

from studio import storage
from studio.data.batches import Batches
from studio.data.dataset import Dataset, prepare
from studio.data.scaling import Scaling, scaled_answers
from studio.export import onnx_making
from studio.export.clean_process import say
from studio.export.formats import ExportError
from studio.export.making import Network, read_cases, reason
from studio.export.onnx_making import PRODUCER
from studio.export.samples import Difference, difference
from studio.training.checkpoint import Checkpoint
from studio.training.tasks import Tally, task_of

FILE = "int8.onnx"
ANSWERS = "int8-answers.pt"
FIGURES = "figures.json"
CALIBRATION_SAMPLES = 256
BATCH = 32  # samples
ALIKE = 0.002  # of a score: what is closer is decided by the size of the file

_CONVOLUTIONS = {"Conv", "ConvTranspose"}
_QUANTIZED = {"QuantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeLSTM", "DequantizeLinear"}


@dataclass(frozen=True)
class Measured:
    """What a network in a file is worth.

    Args:
        score: of the metric `metric`.
        bytes: of the file.
        way: how it was quantized, in words; empty if it is not.
    """

    metric: str
    score: float
    loss: float
    samples: int
    bytes: int
    way: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return dataclasses.asdict(self)


def make(network: Network, folder: Path, fixed: bool, data_folder: Path | None) -> None:
    """Write the usual ONNX file, FILE, its ANSWERS to the cases and the FIGURES of both; see `making.main`."""
    # The library recommends other ways of calling it, as warnings of the root. This process is there for this alone.
    logging.getLogger().setLevel(logging.ERROR)
    say("Reading the data")
    dataset = _data(network.checkpoint, data_folder)
    onnx_making.make(network, folder, fixed, data_folder)
    original = folder / onnx_making.FILE
    say("Measuring the network before")
    before = _measure(original, dataset, network.plan.main)
    found: list[tuple[Measured, Path]] = []
    failures: list[str] = []
    plain = _plain(original, folder / "plain.onnx")
    for number, (way, write) in enumerate(_ways(plain, dataset).items()):
        say(f"Quantizing {way}")
        target = folder / f"way-{number}.onnx"
        try:
            write(plain, target)
            if _is_quantized(target):
                measured = _measure(target, dataset, network.plan.main)
                found.append((dataclasses.replace(measured, way=way), target))
        except Exception as error:  # the library raises many kinds for operations that it cannot quantize
            failures.append(reason(error))
    if not found:
        why = failures[0] if failures else "no layer of it is of a kind that can be quantized"
        raise ExportError(f"The network cannot be quantized: {why}")
    best, path = _best(found)
    _keep(path, folder / FILE, network)
    _answer_cases(folder)
    best = dataclasses.replace(best, bytes=(folder / FILE).stat().st_size)
    largest = _largest_difference(original, folder / FILE, dataset)
    figures = {
        "before": before.to_json(), "after": best.to_json(), "ways": len(found), "difference": largest.largest,
        "scale": largest.scale,
    }  # fmt: skip
    storage.write_json(folder / FIGURES, figures)


def _plain(path: Path, target: Path) -> Path:
    """The file without the sizes of what is in between: the library turns weights round and trips over the old ones."""
    model = onnx.load(path)
    del model.graph.value_info[:]
    onnx.save(model, target)
    return target


def _data(checkpoint: Checkpoint, data_folder: Path | None) -> Dataset:
    """The data of the run, scaled as there, and never changed at random."""
    dataset = prepare(checkpoint.project.data, data_folder)
    scalings = tuple(Scaling.from_json(given["scaling"]) for given in checkpoint.preparation["inputs"])
    return dataclasses.replace(
        dataset, scalings=scalings, answers=scaled_answers(checkpoint.preparation), transforms=(), balanced=False
    )


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _ask(session: ort.InferenceSession, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    given = {each.name: values.numpy() for each, values in zip(session.get_inputs(), inputs, strict=True)}
    return tuple(torch.from_numpy(np.asarray(answer)) for answer in session.run(None, given))


def _measure(path: Path, dataset: Dataset, main: int) -> Measured:
    """Score and loss of the main answer on the validation split."""
    session, task = _session(path), task_of(dataset.spec.target, dataset.answers)
    tally = Tally(task)
    for inputs, targets in Batches(dataset, "validation", BATCH, torch.device("cpu")).epoch(None):
        answers = _ask(session, inputs)[main]
        tally.add(task.loss(answers, targets), answers, targets)
    sums = tally.sums()
    return Measured(task.metric, sums.mean_score, sums.mean_loss, sums.samples, path.stat().st_size)


class _Samples(quantization.CalibrationDataReader):  # type: ignore[misc]  # the library has no types
    """Some samples of the training split, from which the library learns which numbers occur inside the network."""

    def __init__(self, path: Path, dataset: Dataset) -> None:
        self._names = [each.name for each in _session(path).get_inputs()]
        self._batches = self._drawn(dataset)

    def _drawn(self, dataset: Dataset) -> Iterator[tuple[Tensor, ...]]:
        generator = torch.Generator().manual_seed(0)
        epoch = Batches(dataset, "train", BATCH, torch.device("cpu")).epoch(generator)
        return (inputs for inputs, _ in itertools.islice(epoch, CALIBRATION_SAMPLES // BATCH))

    def get_next(self) -> dict[str, Any] | None:
        """A batch by the names of the inputs; None at the end."""
        inputs = next(self._batches, None)
        return None if inputs is None else {n: values.numpy() for n, values in zip(self._names, inputs, strict=True)}


def _ways(original: Path, dataset: Dataset) -> dict[str, Callable[[Path, Path], None]]:
    """Ways of quantizing, each with what writes a file."""

    def dynamic(given: Path, target: Path) -> None:
        quantization.quantize_dynamic(
            given, target, weight_type=quantization.QuantType.QInt8, per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm", "LSTM", "Gather"],
        )  # fmt: skip

    def static(method: Any) -> Callable[[Path, Path], None]:
        def write(given: Path, target: Path) -> None:
            quantization.quantize_static(
                given, target, _Samples(original, dataset),
                quant_format=quantization.QuantFormat.QDQ, per_channel=True,
                activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
                calibrate_method=method,
            )  # fmt: skip

        return write

    ways = {
        "with fixed ranges": static(quantization.CalibrationMethod.MinMax),
        "with ranges of each batch": dynamic,
    }
    if _operations(original) & _CONVOLUTIONS:
        ways["with fixed ranges that leave rare numbers out"] = static(quantization.CalibrationMethod.Percentile)
    return ways


def _largest_difference(original: Path, quantized: Path, dataset: Dataset) -> Difference:
    """Between the answers of two files to some validation samples."""
    worst, sessions = Difference(), (_session(original), _session(quantized))
    epoch = Batches(dataset, "validation", BATCH, torch.device("cpu")).epoch(None)
    for inputs, _ in itertools.islice(epoch, CALIBRATION_SAMPLES // BATCH):
        ours, theirs = (_ask(session, inputs) for session in sessions)
        worst = worst.or_larger(difference(ours, theirs))
    return worst


def _operations(path: Path) -> set[str]:
    return {node.op_type for node in onnx.load(path).graph.node}


def _is_quantized(path: Path) -> bool:
    return bool(_operations(path) & _QUANTIZED)


def _best(found: list[tuple[Measured, Path]]) -> tuple[Measured, Path]:
    """The one with the best score; of those that are alike the smallest file."""
    sign = -1.0 if found[0][0].metric == "mae" else 1.0
    top = max(sign * each.score for each, _ in found)
    alike = [(each, path) for each, path in found if sign * each.score >= top - ALIKE * abs(top)]
    return min(alike, key=lambda pair: (pair[0].bytes, pair[0].loss))


def _keep(path: Path, target: Path, network: Network) -> None:
    """The file with what stood in the original, which the library drops."""
    from studio.export.about import about

    model = onnx.load(path)
    del model.metadata_props[:]
    model.producer_name = PRODUCER
    onnx.helper.set_model_props(model, {**about(network.checkpoint), "quantized": "int8"})
    target.write_bytes(model.SerializeToString())


def _answer_cases(folder: Path) -> None:
    """Leave what the file answers here, for comparison with what it answers elsewhere."""
    session = _session(folder / FILE)
    torch.save([_ask(session, case.inputs) for case in read_cases(folder)], folder / ANSWERS)
