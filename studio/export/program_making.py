"""The network as a program of torch.export; runs in the process of `making`."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from studio.export.about import about
from studio.export.clean_process import say
from studio.export.making import Network, cases_of, trace, write_cases

FILE = "model.pt2"


def make(network: Network, folder: Path, fixed: bool, data_folder: Path | None) -> None:
    """Write FILE and the cases; see `making.main`."""
    traced = trace(network, fixed=fixed)
    write_cases(list(cases_of(network, traced.free)), folder)
    say("Writing the program")
    extra = {"studio.json": json.dumps(about(network.checkpoint), ensure_ascii=False)}
    torch.export.save(traced.program, folder / FILE, extra_files=extra)
