"""studio import: a network of PyTorch becomes a project, with its weights."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from studio.project import write_project
from studio.project.file import SUFFIX
from studio.tensors import TensorSpec, axes_for


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("import", help="make a project of a network of torchvision or of a Python file")
    parser.add_argument("network", metavar="NETWORK", help="torchvision:NAME, or FILE.py:CLASS")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="PROJECT", help="the project file to write")
    parser.add_argument("--size", type=_sizes, metavar="N,N,...", help="size of one sample, such as 3,224,224")
    parser.add_argument("--tokens", action="store_true", help="samples are token numbers, not real ones")
    parser.add_argument("--until", default="", metavar="PART", help="end with the result of this part, such as layer4")
    parser.add_argument("--pretrained", action="store_true", help="fetch torchvision's learned weights")
    parser.add_argument("--trust", action="store_true", help="run the Python file; read it before")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Import, write the checkpoint of its weights and the project."""
    from studio.importing.write import import_project  # loads torch

    weights = options.output.with_name(f"{options.output.name.removesuffix(SUFFIX).removesuffix('.json')}.pt")
    project = import_project(_origin(options), (_spec(options),), weights, options.until)
    write_project(options.output, project)
    count = len(project.graph.nodes)
    print(f"Wrote {options.output} with {count:,} blocks, and {weights}. It answers as the original, bit for bit.")
    return 0


def _origin(options: argparse.Namespace) -> Any:
    from studio.importing import origins
    from studio.importing.errors import NetworkImportError

    place, _, name = options.network.partition(":")
    if place == "torchvision":
        return origins.from_torchvision(name, pretrained=options.pretrained)
    file, _, name = (
        options.network.rpartition(":") if not options.network.endswith(".py") else (options.network, "", "")
    )
    if not file.endswith(".py"):
        raise NetworkImportError(f"“{options.network[:80]}” is neither torchvision:NAME nor FILE.py:CLASS.")
    source = origins.read_source(Path(file))
    if not options.trust:
        raise NetworkImportError(f"{file} is Python code, which runs when it is imported. Read it, then add --trust.")
    return origins.from_python_file(Path(file), name, source)


def _spec(options: argparse.Namespace) -> TensorSpec:
    from studio.importing.errors import NetworkImportError
    from studio.importing.origins import IMAGE

    if options.size is None:
        if not options.network.startswith("torchvision:"):
            raise NetworkImportError("How large is one sample? Say it with --size, such as --size 3,224,224.")
        return IMAGE
    if options.tokens:
        return TensorSpec(options.size, "L" * len(options.size), "int")
    return TensorSpec(options.size, axes_for(len(options.size)))


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part) for part in text.split(","))
    if not sizes or min(sizes) < 1:
        raise ValueError
    return sizes
