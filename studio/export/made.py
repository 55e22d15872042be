"""Formats that are made in a process of their own, tried in a clean one, and kept only if both agree: ONNX and .pt2."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from studio import storage
from studio.export.clean_process import ProcessError, Tick, run_alone, run_studio, working_folder
from studio.export.formats import FORMATS, ExportError
from studio.export.making import read_cases
from studio.export.samples import Case, Difference, batches_and_lengths, check, difference

SECONDS_TO_MAKE = 1800
SECONDS_TO_TRY = 600

# In processes of their own, without the studio.
_ONNX_TRIAL = """
import sys
import numpy, onnx, onnxruntime
model, inputs, answers, threads = sys.argv[1:]
onnx.checker.check_model(model, full_check=True)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
given = numpy.load(inputs)
found = {}
for case in sorted({int(key.split(":")[0]) for key in given.files}):
    named = {each.name: given[f"{case}:{each.name}"] for each in session.get_inputs()}
    for number, answer in enumerate(session.run(None, named)):
        found[f"{case}:{number}"] = answer
assert not {"studio", "torch"} & set(sys.modules)
numpy.savez(answers, **found)
"""
_PROGRAM_TRIAL = """
import sys
import torch
program, cases, answers, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = torch.export.load(program).module()
found = []
with torch.no_grad():
    for inputs, _, _ in torch.load(cases, weights_only=True):
        answer = model(*inputs)
        found.append(answer if isinstance(answer, tuple) else (answer,))
assert "studio" not in sys.modules
torch.save(found, answers)
"""

_NOT_INSTALLED = (
    "ONNX files need packages that are not installed here: {missing}. Add them with\n"
    "{python} -m pip install {missing}\nand export again."
)


@dataclass(frozen=True)
class Request:
    """What is to be made.

    Args:
        kind: one of FORMATS.
        path: of the checkpoint.
        data_folder: where the dataset's files are; None for the studio's own folder.
        tick: told often what is being done; may raise to give up.
    """

    kind: str
    path: Path
    data_folder: Path | None = None
    tick: Tick | None = field(default=None, compare=False)

    def told(self, words: str) -> Tick | None:
        """The same, where a process says nothing of its own."""
        tick = self.tick
        return None if tick is None else lambda said: tick(said or words)


def check_installed() -> None:
    """Raises ExportError, with the command that helps, unless the packages for ONNX are there."""
    from importlib.util import find_spec

    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ExportError(_NOT_INSTALLED.format(missing=" ".join(missing), python=sys.executable))


def make(request: Request, folder: Path, *, fixed: bool = False) -> None:
    """Make the file in a folder, with the cases for its trial. Raises ExportError."""
    arguments = [
        request.kind, str(request.path.absolute()), str(folder), str(torch.get_num_threads()), "fixed" * fixed,
        str(request.data_folder.absolute()) if request.data_folder else "",
    ]  # fmt: skip
    try:
        run_studio("studio.export.making", arguments, SECONDS_TO_MAKE, request.told("Starting"))
    except ProcessError as error:
        raise ExportError(f"The network could not be exported: {error} Nothing was written.") from error


def try_onnx(request: Request, file: Path, folder: Path) -> list[tuple[Tensor, ...]]:
    """What ONNX Runtime answers to the cases, in a process without PyTorch. Raises ExportError."""
    answers = folder / "answers.npz"
    arguments = [str(file), str(folder / "inputs.npz"), str(answers), str(torch.get_num_threads())]
    _try(request, _ONNX_TRIAL, arguments)
    with np.load(answers) as found:
        cases = len({key.split(":")[0] for key in found.files})
        outputs = len(found.files) // cases
        return [
            tuple(torch.from_numpy(found[f"{case}:{number}"]) for number in range(outputs)) for case in range(cases)
        ]


def try_program(request: Request, file: Path, folder: Path) -> list[tuple[Tensor, ...]]:
    """What the file answers to the cases, in a process without the studio. Raises ExportError."""
    answers = folder / "answers.pt"
    _try(request, _PROGRAM_TRIAL, [str(file), str(folder / "cases.pt"), str(answers), str(torch.get_num_threads())])
    found: list[tuple[Tensor, ...]] = torch.load(answers, weights_only=True)
    return found


def _try(request: Request, code: str, arguments: Sequence[str]) -> None:
    try:
        run_alone(code, arguments, SECONDS_TO_TRY, request.told("Trying the file in a clean process"))
    except ProcessError as error:
        raise ExportError(f"The exported file does not run: {error} Nothing was written.") from error


def compare(cases: Sequence[Case], found: Sequence[Sequence[Tensor]]) -> Difference:
    """How far the answers of a file are from the studio's, at worst."""
    worst = Difference() if len(cases) == len(found) else Difference(float("inf"))
    for case, answers in zip(cases, found, strict=False):
        worst = worst.or_larger(difference(case.answers, answers))
    return worst


def write(request: Request, file_name: str, target: Path) -> str:
    """Make, try and keep a file that must answer as the studio does; returns what was proven.

    Raises:
        ExportError: if it cannot be made, or answers differently; nothing was written then.
        StorageError: if there is no room for it.
    """
    trial = try_program if request.kind == "program" else try_onnx
    with working_folder() as folder:
        cases, worst = _made_and_tried(request, folder, file_name, trial)
        keep(folder / file_name, target)
    where = "where only PyTorch is loaded" if trial is try_program else "in ONNX Runtime, without PyTorch,"
    return (
        f"Wrote {target}: {where} it answers as the studio does, for {batches_and_lengths(cases)}. "
        f"The largest difference is {worst.largest:.2g}{_of(worst)}."
    )


def _made_and_tried(request: Request, folder: Path, name: str, trial: object) -> tuple[list[Case], Difference]:
    assert callable(trial)
    make(request, folder)
    cases = read_cases(folder)
    if any(case.lengths for case in cases):
        try:
            worst = compare(cases, trial(request, folder / name, folder))
            if worst.is_small:
                return cases, worst
        except ExportError:
            pass  # some other length may be too much for the format: the usual one is left
        make(request, folder, fixed=True)
        cases = read_cases(folder)
    worst = compare(cases, trial(request, folder / name, folder))
    check(worst, f"The file for {FORMATS[request.kind].title}")
    return cases, worst


def _of(worst: Difference) -> str:
    return f", where the largest answer is {worst.scale:.3g}" if worst.scale > 1 else ""


def keep(made: Path, target: Path) -> None:
    """Copy what was made to where it belongs, whole or not at all. Raises StorageError."""
    with open(made, "rb") as source, storage.replacing(target) as file:
        shutil.copyfileobj(source, file)
