"""studio explain: which parts of a sample speak for the answer to it, and what features are worth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.evaluate import SPLITS
from studio.cli.project_options import add_trust_option, set_fields
from studio.cli.train import DEVICES
from studio.fields import to_json

if TYPE_CHECKING:
    from studio.evaluation.explain.explained import Explained, Question
    from studio.evaluation.explain.methods import Method
    from studio.evaluation.trained import Trained

MOST_PARTS = 20  # in the table for people; the JSON file has all
PNG, JSON = ".png", ".json"


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("explain", help="why a trained network answers as it does")
    parser.add_argument("weights", type=Path, metavar="RUN|CHECKPOINT", help="folder of a run, or a .pt checkpoint")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--sample", type=int, metavar="N", help="number of the sample, from 1, as the window counts them")
    what.add_argument("--importance", action="store_true", help="what each feature is worth, over a whole split")
    parser.add_argument(
        "--method", default="integrated-gradients", metavar="KIND[:FIELD=VALUE,...]",
        help="saliency, smoothgrad, integrated-gradients, grad-cam, occlusion, lime, kernel-shap or gradient-shap",
    )  # fmt: skip
    parser.add_argument("--class", dest="target", metavar="NAME", help="class, label or number; else what is answered")
    parser.add_argument("--input", metavar="NAME", help="of several inputs, the one to explain")
    parser.add_argument("--place", type=int, metavar="N", help="of an answer with places, the one to explain, from 1")
    parser.add_argument("--layer", default="", metavar="PATH", help="for grad-cam: a convolution; else the last one")
    parser.add_argument("--split", choices=SPLITS, default="validation", help="for --importance")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="for --importance: how often to shuffle")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="values as .json, or a picture as .png")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the dataset’s files are")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Explain one answer, or measure all features."""
    from studio.evaluation.trained import open_trained  # loads torch

    if options.output is not None and options.output.suffix.lower() not in (PNG, JSON):
        raise ValueError(f"“{options.output.name}” must end with {PNG} or {JSON}.")
    if options.importance and options.output is not None and options.output.suffix.lower() != JSON:
        raise ValueError(f"What features are worth is written as {JSON} only.")
    if options.repeats < 1:
        raise ValueError("--repeats must be at least 1.")
    trained = open_trained(options.weights, options.data_dir, options.device, trusted=options.trust)
    return _measure(trained, options) if options.importance else _explain(trained, options)


def _explain(trained: Trained, options: argparse.Namespace) -> int:
    from studio.evaluation.explain.explained import explain
    from studio.evaluation.explain.picture_file import as_png
    from studio.storage import write_bytes, write_json

    method = _method(options.method)
    question = _question(trained, method, options)
    _count_look(trained, question.row)
    found = explain(trained, question, method)
    name = trained.dataset.spec.target.names[found.question.target or 0]
    print(f"{method.title} of sample {options.sample:,} for “{name}”, whose score is {found.score:.4g}")
    if found.remainder is not None:
        print(f"  the values miss their sum by {100 * found.remainder:.2g} %")
    if options.output is None:
        _print_parts(found)
    elif options.output.suffix.lower() == PNG:
        write_bytes(options.output, as_png(found))
    else:
        write_json(options.output, _document(found, name))
    return 0


def _method(text: str) -> Method:
    from studio.evaluation.explain.methods import registry

    kind, _, fields = text.partition(":")
    method = registry.get(kind.strip())()
    return set_fields(method, method.title, [part for part in fields.split(",") if part.strip()])


def _question(trained: Trained, method: Method, options: argparse.Namespace) -> Question:
    """What the options ask. Raises ValueError if there is no such sample, class, input, place or layer."""
    from studio.evaluation.explain.explained import Question, convolutions

    dataset = trained.dataset
    count = len(dataset.targets)
    if not 1 <= options.sample <= count:
        raise ValueError(f"There is no sample {options.sample:,}: the data has samples 1 to {count:,}.")
    inputs = [name for name, _ in trained.plan.inputs[: len(dataset.inputs)]]
    which = _chosen("input", options.input, inputs) if options.input is not None else 0
    target = None
    if options.target is not None:
        target = _chosen("class", options.target, list(dataset.spec.target.names))
    places = dataset.spec.target.answer.numel if dataset.spec.target.dims else 0
    if dataset.spec.target.task == "classification" and places:
        places //= dataset.spec.target.size
    if options.place is not None and not 1 <= options.place <= places:
        raise ValueError(f"There is no place {options.place:,}: an answer has {places:,}.")
    layer = options.layer
    if method.kind == "grad-cam":
        layers = convolutions(trained.model)
        layer = layers[_chosen("layer", layer, layers)] if layer else (layers or [""])[0]
    return Question(options.sample - 1, target, which, None if options.place is None else options.place - 1, layer)


def _chosen(what: str, name: str, names: list[str]) -> int:
    if name not in names:
        known = ", ".join(names[:MOST_PARTS]) + (", …" if len(names) > MOST_PARTS else "")
        raise ValueError(f"There is no {what} “{name[:80]}”. Known: {known or 'none'}.")
    return names.index(name)


def _count_look(trained: Trained, row: int) -> None:
    """A look at a test sample is written down, as everywhere."""
    from studio.runs import record_use

    if bool((trained.dataset.splits["test"] == row).any()):
        uses = record_use(trained.dataset.test_fingerprint(), trained.path.absolute().parent.parent)
        print(f"It is one of the test samples, which were used {uses:,} time{'s' if uses > 1 else ''} so far.")


def _document(found: Explained, name: str) -> dict[str, Any]:
    question = found.question
    document: dict[str, Any] = {
        "kind": found.kind, "method": found.method.kind, "settings": to_json(found.method), "sample": question.row + 1,
        "class": name, "score": found.score, "values": found.values.tolist(),
    }  # fmt: skip
    if question.place is not None:
        document["place"] = question.place + 1
    if found.remainder is not None:
        document["remainder"] = found.remainder
    return {**document, "parts": list(found.parts)} if found.parts else document


def _print_parts(found: Explained) -> None:
    """The strongest parts; of pictures and series where they are."""
    import numpy as np

    flat = found.values.ravel()
    order = np.argsort(-np.abs(flat), kind="stable")[: min(MOST_PARTS, np.count_nonzero(flat))]
    for part in order.tolist():
        place = ", ".join(str(number + 1) for number in np.unravel_index(part, found.values.shape))
        words = {"picture": "row, column ", "series": "step "}.get(found.kind, "") + place
        print(f"  {float(flat[part]):+.4g}  {found.parts[part] if found.parts else words}")
    if len(order) < len(flat):
        print(f"  and {len(flat) - len(order):,} weaker parts; -o values{JSON} has all")


def _measure(trained: Trained, options: argparse.Namespace) -> int:
    import sys

    from tqdm import tqdm

    from studio.evaluation.explain.importance import permutation_importance
    from studio.runs import record_use
    from studio.storage import write_json

    with tqdm(desc="Shuffle", disable=None, leave=False, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = permutation_importance(trained, options.split, repeats=options.repeats, progress=progress)
    if options.split == "test":
        record_use(trained.dataset.test_fingerprint(), trained.path.absolute().parent.parent)
    print(f"{found.score} {found.before:.4g} on {found.samples:,} samples of the {found.split} split; worse by")
    for each in found.found:
        print(f"  {each.mean:.4g} ± {each.spread:.2g}  without {each.feature.name}")
    if options.output is not None:
        features = [{"name": each.feature.name, "drops": list(each.drops)} for each in found.found]
        document = {"score": found.score, "before": found.before, "split": found.split, "samples": found.samples}
        write_json(options.output, {**document, "features": features})
    return 0
