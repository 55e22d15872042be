"""Makes a file out of a checkpoint, in a process of its own: it changes settings of all of torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx
from torch.export import Dim, ExportedProgram

from studio.compile.network import build_network
from studio.compile.plan import Plan, make_plan
from studio.export.clean_process import say, trusted_in
from studio.export.formats import ExportError
from studio.export.lengths import Free, relax, use_gather, with_lengths
from studio.export.recurrent import keep_whole
from studio.export.samples import FOR_EXPORT, Case, answers_of, draw
from studio.graph import Graph
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.trust import take_over

COUNTS = (1, 3, 8)  # samples in the batches with which a file is tried
COUNT_OF_LENGTHS = 2  # and in those of other lengths
LONGEST_TRIED = 600  # steps, where the usual length is shorter: attention takes memory with the square of them
CASES = "cases.pt"
LONGEST_REASON = 300  # characters


@dataclass(frozen=True)
class Network:
    """A trained network, ready to be traced.

    Args:
        model: in the state for answering.
    """

    checkpoint: Checkpoint
    plan: Plan
    model: fx.GraphModule

    @property
    def graph(self) -> Graph:
        """That of its project."""
        return self.checkpoint.project.graph


@dataclass(frozen=True)
class Traced:
    """A network as a program of torch.export.

    Args:
        free: its inputs with any length.
    """

    program: ExportedProgram
    free: tuple[Free, ...]


def main(arguments: Sequence[str], given: str) -> None:
    """Make a file; on failure tell why in one line and end the process.

    Args:
        arguments: kind of format, path of the checkpoint, folder for the file and the cases, how many threads, "fixed"
            or "" for lengths that may be free, and the folder of the data or "".
        given: what stands on standard input.
    """
    from studio.export import int8_making, onnx_making, program_making

    kind, path, folder, threads, fixed, data_folder = arguments
    take_over(trusted_in(given))
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    makers: dict[str, Any] = {
        "onnx": onnx_making.make, "program": program_making.make, "onnx-int8": int8_making.make,
    }  # fmt: skip
    try:
        network = open_network(Path(path))
        makers[kind](network, Path(folder), bool(fixed), Path(data_folder) if data_folder else None)
    except Exception as error:  # torch.export and the exporter for ONNX raise many kinds
        sys.exit(reason(error))


def reason(error: BaseException) -> str:
    """The first line of what an error says, or of what it comes from, which says more."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:LONGEST_REASON]


def open_network(path: Path) -> Network:
    """The network of a checkpoint.

    Raises:
        CheckpointError, CompileError: as reading and building do.
    """
    say("Reading the network")
    checkpoint = read_checkpoint(path)
    plan = make_plan(checkpoint.project.graph)
    model = build_network(plan)
    model.load_state_dict(checkpoint.model)
    return Network(checkpoint, plan, model.eval())


def trace(network: Network, *, fixed: bool) -> Traced:
    """Trace a network, for batches of any size and, where it can be, sequences of any length.

    Args:
        fixed: whether lengths stay as they are.

    Raises:
        ExportError: if the size of the batch would stay in it.
    """
    say("Tracing the network")
    keep_whole()
    model = _fresh(network.plan, network)
    free = () if fixed else tuple(relax(model, network.graph, network.plan))
    if free:
        try:
            return Traced(_trace(model, network.plan, free), free)
        except Exception:  # some operation wants a fixed length after all
            say("Tracing the network again, with fixed lengths")
            model = _fresh(network.plan, network)
    return Traced(_trace(model, network.plan, ()), ())


def _trace(model: fx.GraphModule, plan: Plan, free: Sequence[Free]) -> ExportedProgram:
    names = {each.name for each in free}
    axes = [(0, 1) if name in names else (0,) for name, _ in plan.inputs]
    use_gather(model)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one operation for a whole layer, which only PyTorch has
    try:
        with torch.no_grad():
            sizes = tuple(dict.fromkeys(free_axes, Dim.AUTO) for free_axes in axes)
            program = torch.export.export(model, draw(plan, FOR_EXPORT), dynamic_shapes=sizes)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    for values, free_axes in zip(_inputs(program), axes, strict=True):
        if any(isinstance(values.shape[axis], int) for axis in free_axes):
            raise ExportError("An operation of the network takes the size of its batch for a constant.")
    return program


def _inputs(program: ExportedProgram) -> list[Tensor]:
    """What enters a program, without numbers, in the order of its arguments."""
    names = program.graph_signature.user_inputs
    values = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
    return [values[str(name)] for name in names]


def cases_of(network: Network, free: Sequence[Free]) -> Iterator[Case]:
    """Drawn samples with the network's answers: some sizes of batches, and some lengths where they are free."""
    say("Answering samples")
    lengths = {each.name: each.lengths[0] for each in free}
    for count in COUNTS:
        inputs = draw(network.plan, count, count)
        yield Case(inputs, answers_of(network.model, inputs), lengths)
    for each in free:
        longest = max(LONGEST_TRIED, each.lengths[0] + 1)
        for length in (length for length in each.lengths[1:] if length <= longest):
            yield _case(network, {**lengths, each.name: length})


def _case(network: Network, lengths: dict[str, int]) -> Case:
    """One of other lengths, which the same graph answers when it is built for them."""
    plan = make_plan(with_lengths(network.graph, lengths))
    inputs = draw(plan, COUNT_OF_LENGTHS, sum(lengths.values()))
    return Case(inputs, answers_of(_fresh(plan, network), inputs), lengths)


def _fresh(plan: Plan, network: Network) -> fx.GraphModule:
    """Another network with the same weights; they are shared."""
    with torch.device("meta"):
        model = build_network(plan)
    model.load_state_dict(network.model.state_dict(), assign=True)
    return model.eval()


def write_cases(cases: Sequence[Case], folder: Path) -> None:
    """Leave them for the process that compares."""
    torch.save([(case.inputs, case.answers, case.lengths) for case in cases], folder / CASES)


def read_cases(folder: Path) -> list[Case]:
    """What `write_cases` left."""
    found: list[tuple[tuple[Tensor, ...], tuple[Tensor, ...], dict[str, int]]]
    found = torch.load(folder / CASES, weights_only=True)
    return [Case(*each) for each in found]
