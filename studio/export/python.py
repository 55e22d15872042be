"""Python source: the network as one readable class that needs only torch."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from studio import storage
from studio.compile.network import build_network
from studio.compile.plan import Plan, make_plan
from studio.compile.source import class_name, class_source
from studio.data.choice import INPUT
from studio.export.formats import ExportError
from studio.tensors import TensorSpec
from studio.training.checkpoint import Checkpoint

SECONDS_FOR_THE_PROOF = 120
PROOF_SAMPLES = 3

# Runs in a process of its own, without the studio: loads the exported file and the checkpoint, and answers.
_PROOF = """
import importlib.util, sys, torch
source, name, checkpoint, samples, answers = sys.argv[1:]
spec = importlib.util.spec_from_file_location("exported", source)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
given = torch.load(samples, weights_only=True)
torch.set_num_threads(given["threads"])
model = module.load_model(checkpoint)
with torch.no_grad():
    answer = model(*given["inputs"])
assert "studio" not in sys.modules
torch.save(answer if isinstance(answer, tuple) else (answer,), answers)
"""


def write(checkpoint: Checkpoint, path: Path, target: Path) -> str:
    """Write the source; see `studio.export.write.export`."""
    plan = make_plan(checkpoint.project.graph)
    name = class_name(checkpoint.project.title)
    source = make_source(plan, name, checkpoint.preparation)
    _prove(source, name, plan, checkpoint, path)
    storage.write_text(target, source)
    return f"Wrote {target}: run alone with {path.name}, it gives the same answers bit for bit."


def make_source(plan: Plan, name: str, preparation: dict[str, Any]) -> str:
    """The whole file: constants, the class, how to prepare inputs, to read answers and to load weights."""
    parts = [
        _HEADER.format(name=name),
        _constants(preparation),
        class_source(plan, name),
        *(_prepare(given, len(plan.inputs)) for given in preparation["inputs"]),
        *([_restore(preparation["inputs"][0])] if preparation.get("target") == INPUT else []),
        _LOADER.format(name=name),
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


_HEADER = '''
"""{name}: a network made with Training Studio. It needs only torch.

    model = load_model("best.pt")
    scores = model(prepare(raw_batch))
"""

import torch
from torch import nn
'''

_LOADER = '''
def load_model(path: str) -> {name}:
    """Make the network with the weights of a checkpoint, or of an exported state dict, ready to predict."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = {name}()
    model.load_state_dict(state.get("model", state))
    return model.eval()
'''


def _constants(preparation: dict[str, Any]) -> str:
    lines = [f"LABELS = {tuple(str(label) for label in preparation['names'])!r}"]
    texts = [str(given["characters"]) for given in preparation["inputs"] if "characters" in given]
    return "\n".join([*lines, *(f"CHARACTERS = {text!r}  # in order of their numbers" for text in texts), ""])


def _prepare(given: dict[str, Any], count: int) -> str:
    """The function that makes the network's input from raw values, as training did."""
    function = "prepare" if count == 1 else f"prepare_{given['name']}"
    shape = ", ".join(["N", *map(str, given["dims"])])
    if "characters" in given:
        return _PREPARE_TEXTS.format(length=given["dims"][0])
    lines = [f"def {function}(raw: torch.Tensor) -> torch.Tensor:"]
    if not given["scaling"]["shift"]:
        return "\n".join([*lines, f'    """Raw values ({shape}), as they are."""', "    return raw"])
    along = _along(given)
    return "\n".join(
        [
            *lines,
            f'    """Raw values ({shape}), scaled as in training."""',
            f"    shift = torch.tensor({_numbers(given['scaling']['shift'])}).reshape({along})",
            f"    scale = torch.tensor({_numbers(given['scaling']['scale'])}).reshape({along})",
            "    return (raw.float() - shift) * scale",
        ]
    )


_PREPARE_TEXTS = '''
def prepare(texts: list[str]) -> torch.Tensor:
    """The numbers (N, {length}) of texts of {length} characters each."""
    return torch.tensor([[CHARACTERS.index(character) for character in text] for text in texts])
'''


def _restore(given: dict[str, Any]) -> str:
    """The function that undoes the scaling, for a network that answers its input."""
    scaling, along = given["scaling"], _along(given)
    return "\n".join(
        [
            "def restore(answers: torch.Tensor) -> torch.Tensor:",
            f'    """Answers ({", ".join(["N", *map(str, given["dims"])])}) in the units of the raw values."""',
            f"    shift = torch.tensor({_numbers(scaling['shift'])}).reshape({along})",
            f"    scale = torch.tensor({_numbers(scaling['scale'])}).reshape({along})",
            "    return answers / scale + shift",
        ]
    )


def _along(given: dict[str, Any]) -> str:
    """The shape that lays one number for each channel or feature along axis 1."""
    return ", ".join(["1", "-1", *["1"] * (len(given["dims"]) - 1)])


def _numbers(values: list[float]) -> str:
    return repr([float(value) for value in values])


def _prove(source: str, name: str, plan: Plan, checkpoint: Checkpoint, path: Path) -> None:
    """Run the source in a clean process with the checkpoint. Raises ExportError unless its answers are equal."""
    inputs = tuple(_random_samples(spec, plan) for _, spec in plan.inputs)
    model = build_network(plan)
    model.load_state_dict(checkpoint.model)
    with torch.no_grad():
        expected = model.eval()(*inputs)
    answers = _answers_of(source, name, path, inputs)
    for ours, theirs in zip(expected if isinstance(expected, tuple) else (expected,), answers, strict=True):
        if not torch.equal(ours, theirs):
            largest = float((ours - theirs).abs().max())
            raise ExportError(f"The exported source answers differently (by up to {largest:g}). Nothing was written.")


def _random_samples(spec: TensorSpec, plan: Plan) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (PROOF_SAMPLES, *spec.dims)
    if spec.dtype == "float":
        return torch.randn(shape, generator=generator)
    tables = [dict(layer.arguments).get("num_embeddings") for layer in plan.layers()]
    return torch.randint(min(size for size in tables if size), shape, generator=generator)


def _answers_of(source: str, name: str, checkpoint: Path, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / file for file in ("exported.py", "samples.pt", "answers.pt")]
        storage.write_text(files[0], source)
        torch.save({"inputs": inputs, "threads": torch.get_num_threads()}, files[1])
        command = [
            sys.executable, "-I", "-c", _PROOF, str(files[0]), name, str(checkpoint.resolve()), *map(str, files[1:]),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_FOR_THE_PROOF, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(f"The exported source did not run: {reason} Nothing was written.")
        answers: tuple[torch.Tensor, ...] = torch.load(files[2], weights_only=True)
        return answers
