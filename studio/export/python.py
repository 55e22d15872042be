"""Python source: the network as one readable class that needs only torch; torchvision for a backbone, and the library
tokenizers for texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from studio import storage
from studio.compile.network import build_network
from studio.compile.plan import Plan, make_plan
from studio.compile.source import class_name, class_source, source_imports
from studio.data.base import DataError
from studio.data.choice import INPUT
from studio.data.scaling import Scaling
from studio.data.texts.tokens import PADDING, UNKNOWN, Tokenization
from studio.export import python_categories, python_columns
from studio.export.clean_process import ProcessError, Tick, run_alone, working_folder
from studio.export.formats import ExportError
from studio.export.python_main import main_source
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
numbers = [
    getattr(module, prepare)(given["texts"], module.load_tokenizer(checkpoint, number))
    for number, prepare in given["prepare_texts"]
]
numbers += [getattr(module, prepare)(rows) for prepare, rows in given["prepare_rows"]]
assert "studio" not in sys.modules
torch.save({"answers": answer if isinstance(answer, tuple) else (answer,), "numbers": numbers}, answers)
"""


def write(checkpoint: Checkpoint, path: Path, target: Path, tick: Tick | None = None) -> str:
    """Write the source; see `studio.export.write.export`."""
    plan = make_plan(checkpoint.project.graph)
    name = class_name(checkpoint.project.title)
    source = make_source(plan, name, checkpoint.preparation)
    _prove(source, name, plan, checkpoint, path, tick)
    storage.write_text(target, source)
    return f"Wrote {target}: run alone with {path.name}, it gives the same answers bit for bit."


def make_source(plan: Plan, name: str, preparation: dict[str, Any]) -> str:
    """The whole file: constants, the class, how to prepare inputs, read answers and load weights and vocabularies."""
    inputs = preparation["inputs"]
    texts = any("tokens" in given for given in inputs)
    imports = source_imports(plan)
    needs = "torch and torchvision" if imports else "torch"
    parts = [
        "\n".join([_header(name, plan, inputs, needs).strip("\n"), *imports]),
        _constants(preparation),
        class_source(plan, name),
        *(_preparing(given)(given, _prepare_name(given, inputs)) for given in inputs),
        *([_restore(inputs[0])] if preparation.get("target") == INPUT else []),
        *(
            [_restore({"dims": _answer_dims(preparation), "scaling": preparation["answers"]})]
            if "answers" in preparation
            else []
        ),
        _LOADER.format(name=name),
        *([_TOKENIZER_LOADER] if texts else []),
        main_source(plan, preparation),
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def _header(name: str, plan: Plan, inputs: list[dict[str, Any]], needs: str) -> str:
    scores = "scores" if len(plan.ends) == 1 else ", ".join(plan.ends)
    if any("tokens" in given for given in inputs):
        return _TEXT_HEADER.format(name=name, needs=needs, scores=scores)
    needed = sorted({line for given in inputs if "columns" in given for line in python_columns.imports(given)})
    rows = any("columns" in given or "categories" in given for given in inputs)
    made_of = ", ".join(f"{_prepare_name(given, inputs)}({'rows' if rows else 'raw_batch'})" for given in inputs)
    return _HEADER.format(
        name=name,
        needs=needs,
        scores=scores,
        rows='    rows = [{"a column": "its text", "another column": "3.5"}]\n' * rows,
        made_of=made_of,
        imports="".join(f"{line}\n" for line in needed) + "\n" * bool(needed),
    )


def _preparing(given: dict[str, Any]) -> Callable[[dict[str, Any], str], str]:
    """What writes the function that prepares an input."""
    if "tokens" in given:
        return _prepare_texts
    if "categories" in given:
        return python_categories.prepare_categories
    return python_columns.prepare_rows if "columns" in given else _prepare


_HEADER = '''
"""{name}: a network made with Training Studio. It needs only {needs}.

    model = load_model("best.pt")
{rows}    {scores} = model({made_of})
"""

{imports}import torch
from torch import nn
'''

_TEXT_HEADER = '''
"""{name}: a network made with Training Studio. It needs {needs} and, to cut texts into tokens, the library tokenizers.

    model = load_model("best.pt")
    tokenizer = load_tokenizer("best.pt")
    {scores} = model(prepare(["one text", "another text"], tokenizer))
"""

import json

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


_TOKENIZER_LOADER = '''
def load_tokenizer(path: str, number: int = 0):
    """The tokenizer of an input, from a checkpoint: its vocabulary was learned with the weights."""
    from tokenizers import Tokenizer

    state = torch.load(path, map_location="cpu", weights_only=True)
    if "preparation" not in state:
        raise ValueError(f"{path} holds weights alone: take the checkpoint of the run, which has the vocabulary, too.")
    return Tokenizer.from_str(json.loads(state["preparation"])["inputs"][number]["tokens"]["tokenizer"])
'''


def _prepare_name(given: dict[str, Any], inputs: list[dict[str, Any]]) -> str:
    return "prepare" if len(inputs) == 1 else f"prepare_{given['name']}"


def _prepare_texts(given: dict[str, Any], function: str) -> str:
    """The function that makes token numbers of texts, as training did."""
    (length,) = given["dims"]
    return f'''
def {function}(texts: list[str], tokenizer) -> torch.Tensor:
    """Token numbers (N, {length}): longer texts are cut at the end, shorter ones are filled with {PADDING}."""
    numbers = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    tokens = torch.tensor(numbers, dtype=torch.int64).reshape(-1, {length})
    tokens[tokens[:, 0] == {PADDING}, 0] = {UNKNOWN}  # a text without any token is a single unknown one
    return tokens
'''


def _prepare(given: dict[str, Any], function: str) -> str:
    """The function that makes the network's input from raw values, as training did."""
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
    """The function that undoes the scaling, for a network that answers its input, or numbers that were scaled."""
    scaling, along = given["scaling"], _along(given)
    return "\n".join(
        [
            "def restore(answers: torch.Tensor) -> torch.Tensor:",
            f'    """Answers ({", ".join(["N", *map(str, given["dims"])])}) in the units of the data."""',
            f"    shift = torch.tensor({_numbers(scaling['shift'])}).reshape({along})",
            f"    scale = torch.tensor({_numbers(scaling['scale'])}).reshape({along})",
            "    return answers / scale + shift",
        ]
    )


def _answer_dims(preparation: dict[str, Any]) -> list[int]:
    return list(preparation.get("places") or [len(preparation["names"])])


def _along(given: dict[str, Any]) -> str:
    """The shape that lays one number for each channel or feature along its axis."""
    scaling = Scaling.from_json(given["scaling"])
    return ", ".join(map(str, scaling.along(len(given["dims"]) + 1)))


def _numbers(values: list[float]) -> str:
    return repr([float(value) for value in values])


def _prove(source: str, name: str, plan: Plan, checkpoint: Checkpoint, path: Path, tick: Tick | None) -> None:
    """Run the source in a clean process with the checkpoint. Raises ExportError unless its answers are equal."""
    inputs = tuple(_random_samples(spec, plan) for _, spec in plan.inputs)
    model = build_network(plan)
    model.load_state_dict(checkpoint.model)
    with torch.no_grad():
        expected = model.eval()(*inputs)
    texts, rows = _Texts.of(checkpoint.preparation), _Rows.of(checkpoint.preparation)
    given = {"inputs": inputs, **texts.given, "prepare_rows": rows.given}
    found = _answers_of(source, name, path, given, tick)
    for ours, theirs in zip(expected if isinstance(expected, tuple) else (expected,), found["answers"], strict=True):
        if not torch.equal(ours, theirs):
            largest = float((ours - theirs).abs().max())
            raise ExportError(f"The exported source answers differently (by up to {largest:g}). Nothing was written.")
    count = len(texts.numbers)
    if not all(map(torch.equal, texts.numbers, found["numbers"][:count])):
        raise ExportError("The exported source cuts texts into other tokens. Nothing was written.")
    if not all(map(torch.equal, rows.numbers, found["numbers"][count:])):
        raise ExportError("The exported source prepares rows of a table in another way. Nothing was written.")


@dataclass(frozen=True)
class _Texts:
    """Texts for the proof.

    Args:
        given: what the other process is told: the texts, and each input's number and function that takes them.
        numbers: the token numbers that each of those functions must give.
    """

    given: dict[str, Any]
    numbers: list[torch.Tensor]

    @classmethod
    def of(cls, preparation: dict[str, Any]) -> _Texts:
        """For a checkpoint's preparation: texts of the tokens that it knows, an unknown one and an empty one."""
        inputs = preparation["inputs"]
        try:
            found = {i: Tokenization.from_json(given["tokens"]) for i, given in enumerate(inputs) if "tokens" in given}
        except DataError as error:
            raise ExportError(f"{error} Nothing was written.") from error
        texts = [" ".join(tokens.tokens(range(2, min(tokens.size, 40)))) for tokens in found.values()]
        texts += ["", "Nobody’s text, written for the proof."]
        names = [(i, _prepare_name(inputs[i], inputs)) for i in found]
        numbers = [torch.from_numpy(tokens.apply(texts)) for tokens in found.values()]
        return cls({"texts": texts, "prepare_texts": names}, numbers)


@dataclass(frozen=True)
class _Rows:
    """Rows of tables for the proof.

    Args:
        given: what the other process is told: each function that takes rows, and rows for it.
        numbers: what each of those functions must give.
    """

    given: list[tuple[str, list[dict[str, str]]]]
    numbers: list[torch.Tensor]

    @classmethod
    def of(cls, preparation: dict[str, Any]) -> _Rows:
        """For a checkpoint's preparation: rows with right and wrong cells of every kind."""
        given, numbers = [], []
        for some in preparation["inputs"]:
            name = _prepare_name(some, preparation["inputs"])
            if "columns" in some:
                rows = python_columns.rows_for_proof(python_columns.read_columns(some))
                given.append((name, rows))
                numbers.append(python_columns.prepared(some, rows))
            elif "categories" in some:
                categories = python_categories.read_categories(some)
                rows = python_columns.rows_for_proof(categories)
                given.append((name, rows))
                numbers.append(torch.from_numpy(categories.apply(rows)))
        return cls(given, numbers)


def _random_samples(spec: TensorSpec, plan: Plan) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (PROOF_SAMPLES, *spec.dims)
    if spec.dtype == "float":
        return torch.randn(shape, generator=generator)
    tables = [dict(layer.arguments).get("num_embeddings") for layer in plan.layers()]
    return torch.randint(min(size for size in tables if size), shape, generator=generator)


def _answers_of(source: str, name: str, checkpoint: Path, given: dict[str, Any], tick: Tick | None) -> dict[str, Any]:
    """What the other process answers to what it is given."""
    with working_folder() as folder:
        files = [folder / file for file in ("exported.py", "samples.pt", "answers.pt")]
        storage.write_text(files[0], source)
        torch.save({**given, "threads": torch.get_num_threads()}, files[1])
        arguments = [str(files[0]), name, str(checkpoint.resolve()), *map(str, files[1:])]
        told = None if tick is None else lambda said: tick("Running the source in a clean process")
        try:
            run_alone(_PROOF, arguments, SECONDS_FOR_THE_PROOF, told)
        except ProcessError as error:
            raise ExportError(f"The exported source did not run: {error} Nothing was written.") from error
        answers: dict[str, Any] = torch.load(files[2], weights_only=True)
        return answers
