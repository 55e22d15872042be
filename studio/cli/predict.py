"""studio predict: what a trained network answers to new inputs, without the data that it was trained on."""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.project_options import add_trust_option

if TYPE_CHECKING:
    from studio.evaluation.answering import Answer, Answerer, InputError
    from studio.evaluation.inputs import Given, Inputs

FAILED = 1  # some inputs could not be answered


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("predict", help="answer new inputs with a trained network; its data need not be there")
    parser.add_argument("source", type=Path, metavar="RUN|CHECKPOINT", help="a run’s folder or a .pt checkpoint")
    parser.add_argument(
        "inputs", nargs="*", metavar="INPUT", help="files, folders, tables with rows; “-” for lines from standard input"
    )
    parser.add_argument("--text", action="append", default=[], metavar="TEXT", help="a text itself; may be repeated")
    parser.add_argument("--column", default="", metavar="NAME", help="the column with the texts, for tables of texts")
    parser.add_argument(
        "--drawing", action="store_true", help="pictures are handwriting, to be made to look like the samples"
    )
    parser.add_argument("--top", type=int, default=3, metavar="K", help="how many classes to tell (default: 3)")
    parser.add_argument("--json", action="store_true", help="a JSON object in each line")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.csv", help="write a table with all answers")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Answer one after the other; returns 1 if some could not be answered."""
    from studio.evaluation.answering import open_answerer  # loads torch
    from studio.evaluation.inputs import Given, Inputs

    if options.top < 1:
        raise ValueError("--top must be at least 1.")
    if not options.inputs and not options.text:
        raise ValueError("Nothing to answer: name files or folders, “-” for standard input, or --text.")
    answerer = open_answerer(options.source, options.device, trusted=options.trust)
    inputs = Inputs(answerer, options.column, drawings=options.drawing)
    texts = (Given(f"text {number}", text) for number, text in enumerate(options.text, 1))
    given = [*texts] if not options.inputs else _chained(texts, inputs.all(options.inputs, sys.stdin))
    answered = _answered(answerer, inputs, iter(given))
    if options.output is not None:
        return _write(options.output, answerer, answered)
    try:
        return _print(answered, options)
    except BrokenPipeError:  # who reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _chained(first: Iterator[Given], then: Iterator[Given]) -> Iterator[Given]:
    yield from first
    yield from then


def _answered(answerer: Answerer, inputs: Inputs, given: Iterator[Given]) -> Iterator[tuple[str, Answer | InputError]]:
    """The name of each input and what is answered, in order."""
    names: collections.deque[str] = collections.deque()

    def named() -> Iterator[Given]:
        for one in given:
            names.append(one.name)
            yield one

    with contextlib.closing(answerer.stream(named(), inputs.read)) as answers:
        for answer in answers:
            yield names.popleft(), answer


def _print(answered: Iterator[tuple[str, Answer | InputError]], options: argparse.Namespace) -> int:
    from studio.evaluation.answering import InputError
    from studio.evaluation.inputs import json_line

    failed = 0
    for name, answer in answered:
        if isinstance(answer, InputError):
            failed += 1
            print(f"studio: {_told(name, answer)}", file=sys.stderr)
            if options.json:
                print(json_line(name, {"error": str(answer)}))
        elif options.json:
            print(json_line(name, answer.to_json(options.top)))
        else:
            print(f"{name}: {answer.line(options.top)}")
            for note in answer.notes:
                print(f"studio: {name}: {note}", file=sys.stderr)
    sys.stdout.flush()
    return FAILED if failed else 0


def _told(name: str, error: InputError) -> str:
    """Why an input has no answer, with its name, which the message may begin with."""
    return str(error) if str(error).startswith(name) else f"{name}: {error}"


def _write(path: Path, answerer: Answerer, answered: Iterator[tuple[str, Answer | InputError]]) -> int:
    from studio.evaluation.answer_table import write_answers

    done, failed, first = write_answers(path, answerer.kind, answerer.names, _shown(answered))
    if failed:
        print(f"studio: {failed:,} could not be answered; the first: {first}", file=sys.stderr)
    print(f"{done:,} answers in {path}")
    return FAILED if failed else 0


def _shown(answered: Iterator[tuple[str, Answer | InputError]]) -> Iterator[tuple[str, Answer | InputError]]:
    """With a bar, if somebody looks on."""
    from tqdm import tqdm

    with tqdm(answered, unit="input", desc="Answer", disable=None, leave=False, file=sys.stderr) as bar:
        yield from bar
