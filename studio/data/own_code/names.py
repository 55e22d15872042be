"""What in a Python file is a dataset: found in its syntax. Nothing of it runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from studio import storage
from studio.data.base import DataError, MissingDataError
from studio.data.own_files import printable

MOST_BYTES = 1_000_000
_BASE_ENDING = ("Dataset",)


@dataclass(frozen=True)
class Candidate:
    """A class or function that gives a dataset.

    Args:
        name: in the file.
        arguments: names of the arguments that it takes.
        required: those of them that have no default.
        sure: whether its bases, its methods or what it says that it returns tell that it is one.
    """

    name: str
    arguments: tuple[str, ...]
    required: tuple[str, ...]
    sure: bool


def read_code(path: Path) -> str:
    """The text of a Python file. Raises MissingDataError, DataError."""
    if not path.is_file():
        raise MissingDataError(f"There is no file {printable(str(path), 200)}. Choose the Python file.")
    try:
        content = storage.read_bytes(path, MOST_BYTES)
        return content.decode("utf-8")
    except storage.StorageError as error:
        raise DataError(str(error)) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}).") from error


def has_dataset(path: Path) -> bool:
    """Whether something in a Python file is surely a dataset."""
    try:
        return any(candidate.sure for candidate in candidates(read_code(path), path))
    except DataError:
        return False


def candidates(code: str, path: Path) -> list[Candidate]:
    """Classes and functions of a file that may give a dataset, in order. Raises DataError if it is no Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise DataError(f"{path}{line}: this is no Python: {reason}.") from error
    found: list[Candidate] = []
    sure: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            candidate = _of_class(node, sure)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            candidate = _of_function(node, sure)
        else:
            continue
        found.append(candidate)
        if candidate.sure and isinstance(node, ast.ClassDef):
            sure.add(candidate.name)
    return found


def chosen(code: str, name: str, path: Path) -> Candidate:
    """The one of that name, or the last that is surely a dataset. Raises DataError if there is none."""
    found = candidates(code, path)
    if name:
        wanted = next((candidate for candidate in reversed(found) if candidate.name == name), None)
    else:
        wanted = next((candidate for candidate in reversed(found) if candidate.sure), None)
    if wanted is None:
        names = ", ".join(candidate.name for candidate in found[:20]) or "none"
        what = f"no class or function “{printable(name)}”" if name else "no class of torch.utils.data.Dataset"
        raise DataError(f"{path} has {what}. Name one; there are: {names}.")
    return wanted


def _of_class(node: ast.ClassDef, known: set[str]) -> Candidate:
    bases = [_last_name(base) for base in node.bases]
    methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    derived = any(base.endswith(_BASE_ENDING) or base in known for base in bases)
    sure = derived or {"__getitem__", "__len__"} <= set(methods)
    init = methods.get("__init__")
    return Candidate(node.name, *(_arguments(init, 1) if init is not None else ((), ())), sure)


def _of_function(node: ast.FunctionDef, known: set[str]) -> Candidate:
    returned = {_last_name(part) for part in ast.walk(node.returns)} if node.returns is not None else set()
    made = {_last_name(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    sure = any(name.endswith(_BASE_ENDING) for name in returned | made) or bool((returned | made) & known)
    return Candidate(node.name, *_arguments(node, 0), sure)


def _arguments(node: ast.FunctionDef, skipped: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of all arguments, and of those without a default."""
    placed = [*node.args.posonlyargs, *node.args.args]
    without = len(placed) - len(node.args.defaults)
    named = list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
    names = [argument.arg for argument in placed[skipped:]] + [argument.arg for argument, _ in named]
    required = [argument.arg for argument in placed[skipped:without]]
    required += [argument.arg for argument, default in named if default is None]
    return tuple(names), tuple(required)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rpartition(".")[2]
    return node.id if isinstance(node, ast.Name) else ""
