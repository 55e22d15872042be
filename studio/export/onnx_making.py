"""The network as an ONNX file; runs in the process of `making`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnxscript import optimizer

from studio.export.about import about
from studio.export.clean_process import say
from studio.export.formats import ExportError
from studio.export.making import Network, Traced, cases_of, trace, write_cases
from studio.export.onnx_layers import translations
from studio.export.samples import Case

FILE = "model.onnx"
INPUTS = "inputs.npz"
MOST_BYTES = 2**31 - 2**26  # of weights in one file: such files have a limit of 2 GB
PRODUCER = "Training Studio"


def make(network: Network, folder: Path, fixed: bool, data_folder: Path | None) -> None:
    """Write FILE, the cases, and their inputs for a process without torch; see `making.main`."""
    _check_size(network)
    traced = trace(network, fixed=fixed)
    cases = list(cases_of(network, traced.free))
    write_cases(cases, folder)
    write_inputs(cases, [name for name, _ in network.plan.inputs], folder)
    write_onnx(network, traced, folder / FILE)


def _check_size(network: Network) -> None:
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.checkpoint.model.values())
    if size > MOST_BYTES:
        raise ExportError(f"The weights take {size / 1e9:.1f} GB, and an ONNX file holds 2 GB at most.")


def write_onnx(network: Network, traced: Traced, path: Path) -> None:
    """Translate a traced network; the file holds weights, preparation, labels and graph."""
    say("Translating to ONNX")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the exporter is going to change in itself
        made = torch.onnx.export(
            traced.program,
            dynamo=True,
            verbose=False,
            input_names=[name for name, _ in network.plan.inputs],
            output_names=list(network.plan.ends),
            custom_translation_table=translations(),
        )
    assert made is not None
    # Weights of recurrent layers come in another order: at once, not each time that the network is asked.
    optimizer.optimize(made.model, input_size_limit=MOST_BYTES, output_size_limit=MOST_BYTES)
    _name_axes(made.model, network, traced)
    made.model.producer_name = PRODUCER
    made.model.metadata_props.update(about(network.checkpoint))
    say("Writing the file")
    made.save(path, external_data=False)


def _name_axes(model: Any, network: Network, traced: Traced) -> None:
    """Call the free axes by their names, “batch” and “text_length”, in place of “s40”."""
    free = {each.name for each in traced.free}
    names = {}
    for (name, _), value in zip(network.plan.inputs, model.graph.inputs, strict=True):
        names[str(value.shape[0])] = "batch"
        if name in free:
            names[str(value.shape[1])] = f"{name}_length"
    results = [result for node in model.graph for result in node.outputs]
    for value in (*model.graph.inputs, *results):
        for axis, size in enumerate(value.shape or ()):
            if not isinstance(size, int) and str(size) in names:
                value.shape[axis] = names[str(size)]


def write_inputs(cases: Sequence[Case], names: Sequence[str], folder: Path) -> None:
    """Leave the inputs of the cases for a process without torch."""
    arrays = {
        f"{number}:{name}": values.numpy()
        for number, case in enumerate(cases)
        for name, values in zip(names, case.inputs, strict=True)
    }
    np.savez(folder / INPUTS, **arrays)  # type: ignore[arg-type]
