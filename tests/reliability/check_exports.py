"""Exports each template as ONNX and as a program of torch.export, and prints how far its answers are from the studio's.

Run: python tests/reliability/check_exports.py [template ...]

The networks have fresh weights, and one pass in training mode for what batch norms measure: no data is needed. It ends
with 1 if anything could not be exported. It takes some minutes.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.export.formats import FORMATS, ExportError
from studio.export.samples import draw
from studio.export.write import export
from studio.project import read_template, templates
from studio.training.checkpoint import Checkpoint, write_checkpoint

KINDS = ("onnx", "program")


def untrained(template: str, folder: Path) -> Path:
    """A checkpoint of a template's network with fresh weights."""
    project = read_template(template)
    plan = make_plan(project.graph)
    torch.manual_seed(0)
    model = build_network(plan)
    with torch.no_grad():
        model(*draw(plan, 8))
    inputs = [
        {"name": name, "dims": list(spec.dims), "axes": spec.axes, "dtype": spec.dtype,
         "scaling": {"shift": [], "scale": []}}
        for name, spec in plan.inputs
    ]  # fmt: skip
    preparation = {"inputs": inputs, "task": "classification", "names": ["a", "b"]}
    path = folder / f"{template}.pt"
    write_checkpoint(path, Checkpoint(model.state_dict(), {}, 1, 1, {}, project, preparation))
    return path


def main(names: list[str]) -> int:
    """Export and print a table; returns how many failed."""
    failed = 0
    print(f"{'template':<26}{'format':<9}{'difference':>11}{'MB':>8}{'s':>6}  tried with")
    for template in names or [each.name for each in templates()]:
        with tempfile.TemporaryDirectory() as folder:
            path = untrained(template, Path(folder))
            for kind in KINDS:
                target, begin = Path(folder) / f"out{FORMATS[kind].suffix}", time.monotonic()
                try:
                    said = export(path, kind, target)
                except ExportError as error:
                    failed += 1
                    print(f"{template:<26}{kind:<9}FAILED {error}", flush=True)
                    continue
                seconds, size = time.monotonic() - begin, target.stat().st_size / 1e6
                found = re.search(r"does, for (.*)\. The largest difference is ([\d.e+-]*\d)", said)
                assert found is not None, said
                print(f"{template:<26}{kind:<9}{found[2]:>11}{size:>8.2f}{seconds:>6.1f}  {found[1]}", flush=True)
    print("all were exported" if not failed else f"{failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
