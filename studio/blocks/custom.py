"""A block of the person's own: PyTorch code, which runs only after the person trusts exactly that code."""

from __future__ import annotations

import ast
from typing import Any, ClassVar

from studio import trust
from studio.blocks.base import Block, Recorder, ShapeError, Value, registry
from studio.fields import field
from studio.tensors import axes_for

EXAMPLE = '''class Gain(nn.Module):
    """Multiplies by a number that is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gain * x
'''


@registry.add
class CustomCode(Block):
    """A layer written in Python, for what no other block does.

    The code declares a class of `nn.Module` that needs no arguments; the last one in it is the layer. `torch` and `nn`
    are there, everything else it imports itself. Its forward takes a batch (N, *) for each input and returns one.
    Code that comes with a project from elsewhere is shown, but runs only after you say that you trust it.

    Shape: in (N, *) out (N, *), as the code makes it
    """

    kind: ClassVar[str] = "custom_code"
    title: ClassVar[str] = "Custom code"
    group: ClassVar[str] = "Code"
    synonyms: ClassVar[tuple[str, ...]] = ("python", "lambda", "own layer", "script", "pytorch", "module")

    code: str = field(EXAMPLE, lines=True, help="Python code with a class of nn.Module.")
    ports: int = field(1, min=1, max=8, help="How many inputs forward takes.")

    @property
    def inputs(self) -> tuple[str, ...]:  # type: ignore[override]  # as many as forward takes
        """Names of the input ports."""
        return ("input",) if self.ports == 1 else tuple(f"input_{number + 1}" for number in range(self.ports))

    @property
    def barrier(self) -> str:
        """Why it is not looked at: code that nobody has trusted yet."""
        if self.code == EXAMPLE or trust.is_trusted(self.code):
            return ""
        return "Custom code: this code came with the project and has not run here. Read it, then say that you trust it."

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        result = rec.custom(self.code, layer_class(self.code))(*inputs)
        came, rank = inputs[0].spec, len(result.spec.dims)
        axes = came.axes if rank == len(came.dims) else axes_for(rank)
        return result.named(axes if result.spec.dtype == "float" else "L" * rank)


def layer_class(code: str) -> str:
    """Name of the class in code that is the layer: the last one. The code does not run.

    Raises:
        ShapeError: if it is no Python, or has no class.
    """
    names = [node.name for node in _parsed(code).body if isinstance(node, ast.ClassDef)]
    if not names:
        raise ShapeError("Custom code: it declares no class. Write a class of nn.Module with a forward.")
    return names[-1]


def declared_names(code: str) -> set[str]:
    """All names that code declares outside of its classes and functions, but what it imports. The code does not run."""
    names: set[str] = set()
    for node in _parsed(code).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case _:
                walked = (part for part in ast.walk(node) if isinstance(part, ast.Name))
                names |= {part.id for part in walked if isinstance(part.ctx, ast.Store)}
    return names


def _parsed(code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ShapeError(f"Custom code: it is no Python{line}: {reason}.") from None
