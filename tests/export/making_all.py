"""Makes files of some telling networks, all in one process, and compares what they answer; for test_made.py.

Arguments: the checkpoint of a short run of digits-cnn, and a folder for the files that are made of it.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import onnx
import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.export import int8_making, making, onnx_making, program_making
from studio.export.made import compare
from studio.export.samples import Case, draw
from studio.graph import Graph
from studio.project import Project, read_template
from studio.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from tests.helpers import add, block, chain

STEPS = 12
HOSTILE = "x”\"'\n\\ {0} 名 </script> ‮"


def networks() -> dict[str, Graph]:
    """Small ones: each has something that is hard to trace."""
    tokens = block("input", shape=(STEPS,), values="tokens")
    words = block("embedding", vocabulary=20, features=8, padding=True)
    answer = (block("dense", units=3), block("output"))
    layer = block("transformer_encoder_layer", heads=2, hidden=8)
    table = chain(block("input", shape=(3,), values="tokens"), block("embedding", vocabulary=9, features=2),
                  block("flatten"))  # fmt: skip
    table = add(add(table, block("input", shape=(4,))), block("concatenate"), "n3", "n4")
    table = add(add(table, block("dense", units=3), "n5"), block("output"), "n6")
    return {
        "gru": chain(tokens, words, block("gru", units=4, bidirectional=True, output="sequence"), *answer),
        "lstm": chain(
            block("input", shape=(STEPS, 2)),
            block("rnn", units=4, nonlinearity="relu", output="sequence"),
            block("lstm", units=4, layers=2, bidirectional=True),
            *answer,
        ),
        "transformer": chain(tokens, words, block("positional_encoding"), layer, block("global_average_pool"), *answer),
        "u-net": read_template("shapes-unet").graph,
        "table": table,
    }


def untrained(graph: Graph, path: Path) -> Path:
    """A checkpoint of a network with fresh weights."""
    plan = make_plan(graph)
    torch.manual_seed(0)
    model = build_network(plan)
    model(*draw(plan, 8))  # batch norms measure something
    project = replace(read_template("iris-mlp"), graph=graph)
    preparation = {"inputs": [], "task": "classification", "names": ["a", "b", "c"]}
    write_checkpoint(path, Checkpoint(model.state_dict(), {}, 1, 1, {}, project, preparation))
    return path


def look(path: Path, folder: Path) -> dict[str, object]:
    """What the files of a network answer, and which axes of them are free."""
    network = making.open_network(path)
    traced = making.trace(network, fixed=False)
    cases = list(making.cases_of(network, traced.free))
    onnx_making.write_onnx(network, traced, folder / onnx_making.FILE)
    torch.export.save(traced.program, folder / program_making.FILE)
    return compared(folder, cases)


def compared(folder: Path, cases: list[Case]) -> dict[str, object]:
    """The same, of files that were made."""
    module = torch.export.load(folder / program_making.FILE).module()
    program = compare(cases, [making.answers_of(module, case.inputs) for case in cases])
    session = int8_making._session(folder / onnx_making.FILE)
    answers = [int8_making._ask(session, case.inputs) for case in cases]
    onnx.checker.check_model(onnx.load(folder / onnx_making.FILE), full_check=True)
    return {
        "program": program.largest / program.scale,
        "onnx": compare(cases, answers).largest,
        "axes": {each.name: each.shape for each in session.get_inputs()},
        "lengths": sorted({length for case in cases for length in case.lengths.values()}),
    }


def hostile(checkpoint: Checkpoint) -> Project:
    """The project of a checkpoint with another title."""
    return replace(checkpoint.project, title=HOSTILE, notes=HOSTILE)


def main(checkpoint: Path, folder: Path) -> None:
    """Leave the files of the run in the folder, and tell of all others in found.json."""
    found = {}
    for name, graph in networks().items():
        found[name] = look(untrained(graph, folder / "network.pt"), folder)
    given = read_checkpoint(checkpoint)
    names = [HOSTILE, *given.preparation["names"][1:]]
    changed = replace(given, project=hostile(given), preparation={**given.preparation, "names": names})
    write_checkpoint(folder / "network.pt", changed)
    network = making.open_network(folder / "network.pt")
    program_making.make(network, folder, False, None)
    int8_making.make(network, folder, False, None)
    found["cnn"] = compared(folder, making.read_cases(folder))
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*map(Path, sys.argv[1:]))
