"""ONNX with whole numbers of eight bits: smaller and often faster, but other answers. How much other is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from studio import storage
from studio.export import made
from studio.export.clean_process import Tick, working_folder
from studio.export.making import read_cases
from studio.export.samples import batches_and_lengths, check, difference

# Names of files that `int8_making` leaves; it is not imported here, since it loads the packages for ONNX.
_ORIGINAL, _FILE, _ANSWERS, _FIGURES = "model.onnx", "int8.onnx", "int8-answers.pt", "figures.json"


def write(path: Path, target: Path, data_folder: Path | None = None, tick: Tick | None = None) -> str:
    """Write the file; see `studio.export.write.export`.

    Raises:
        ExportError: also if no layer can be quantized, or the data of the run is not there.
    """
    made.check_installed()
    request = made.Request("onnx-int8", path, data_folder, tick)
    with working_folder() as folder:
        made.make(request, folder)
        cases = read_cases(folder)
        check(made.compare(cases, made.try_onnx(request, folder / _ORIGINAL, folder)), "The network in ONNX")
        answers = made.try_onnx(request, folder / _FILE, folder)
        here = torch.load(folder / _ANSWERS, weights_only=True)
        for ours, theirs in zip(here, answers, strict=True):
            check(difference(ours, theirs), "In a clean process the file")
        figures = storage.read_json(folder / _FIGURES)
        made.keep(folder / _FILE, target)
    return (
        f"Wrote {target}: {told(figures)} It runs in ONNX Runtime, without PyTorch, for {batches_and_lengths(cases)}."
    )


def told(figures: dict[str, Any]) -> str:
    """What it costs and what it saves, in a few sentences.

    Args:
        figures: of the network before and after, as `int8_making` leaves them.
    """
    before, after = figures["before"], figures["after"]
    sizes = f"{_size(after['bytes'])} instead of {_size(before['bytes'])}, quantized {after['way']}."
    if not after["samples"]:
        return f"{sizes} There are no validation samples, so what it lost is not known."
    metric = after["metric"]
    scores = (
        f"On the {after['samples']:,} samples of the validation split its {_metric(metric)} is "
        f"{_score(metric, after['score'])} instead of {_score(metric, before['score'])}, its loss {after['loss']:.4g} "
        f"instead of {before['loss']:.4g}."
    )
    worse = after["score"] > before["score"] if metric == "mae" else after["score"] < before["score"]
    chosen = f" Of {figures['ways']} ways of quantizing this one was best." if figures["ways"] > 1 else ""
    apart = (
        f"The largest difference of an answer is {figures['difference']:.2g}, where the largest is "
        f"{figures['scale']:.3g}."
    )
    return f"{sizes} {scores}{' So it got worse.' if worse else ''}{chosen} {apart}"


def _metric(name: str) -> str:
    return {"mae": "mean absolute error"}.get(name, name)


def _score(metric: str, score: float) -> str:
    return f"{score:.4g}" if metric == "mae" else f"{score:.2%}"


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.0f} KB"
