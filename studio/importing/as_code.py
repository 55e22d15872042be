"""What no block does, as the code of a custom block: nothing that comes in is dropped.

The code is written here, from names of PyTorch and constants alone, so it may run without being asked for.
"""

from __future__ import annotations

import ast
import operator
import re
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from studio.importing.assemble import Source
from studio.importing.modules import described

_HOMES = (("torch", torch), ("nn.functional", functional), ("torch.special", torch.special), ("torch.fft", torch.fft))
_OPERATORS = {"truediv": "div", "floordiv": "floor_divide", "mod": "remainder"}
_CONSTANTS = (bool, int, float, str, type(None))


def code_of_layer(layer: nn.Module, number: int) -> str | None:
    """A class that is a layer of `torch.nn`; None if what the layer says of itself does not make it again.

    Args:
        number: so many were written before; it makes the name unique.
    """
    kind = type(layer).__name__
    if getattr(nn, kind, None) is not type(layer):
        return None
    said = re.fullmatch(rf"{kind}\((.*)\)", repr(layer))
    arguments = _constants(said[1]) if said is not None else None
    if arguments is None:
        return None
    try:
        again = eval(f"nn.{kind}({arguments})", {"nn": nn})
    except (TypeError, ValueError):
        return None
    if described(again) != described(layer) or _sizes(again) != _sizes(layer):
        return None
    return f"class {kind}{number}(nn.{kind}):\n    def __init__(self) -> None:\n        super().__init__({arguments})\n"


def _constants(arguments: str) -> str | None:
    """The arguments of a call written again, if all of them are constants; a bare word is a text there.

    Only what was written here again is ever run.
    """
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        written = [repr(ast.literal_eval(value)) for value in call.args]
        for keyword in call.keywords:
            assert keyword.arg is not None
            value = keyword.value.id if isinstance(keyword.value, ast.Name) else ast.literal_eval(keyword.value)
            written.append(f"{keyword.arg}={value!r}")
    except (SyntaxError, ValueError, AssertionError):
        return None
    return ", ".join(written)


def _sizes(layer: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in layer.state_dict().items()}


def code_of_call(
    target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], number: int
) -> tuple[str, tuple[Source, ...]] | None:
    """A class whose forward calls a function of torch, or a method of tensors, and what it takes.

    Args:
        target: the function, or the method's name.
        args, kwargs: constants, Sources, and lists of them.
        number: so many were written before; it makes the name unique.

    Returns:
        None if it is no function of torch, or takes something else.
    """
    names: dict[Source, str] = {}
    try:
        written = [_written(arg, names) for arg in args]
        written_kwargs = [f"{key}={_written(value, names)}" for key, value in kwargs.items()]
    except TypeError:
        return None
    if isinstance(target, str):
        called = f"{written.pop(0)}.{target}" if hasattr(Tensor, target) and written else ""
    else:
        called = _public_name(target)
    if not called or not names or not 1 <= len(names) <= 8:
        return None
    stem = "".join(part.capitalize() for part in re.findall(r"[A-Za-z0-9]+", called.rpartition(".")[2]))
    parameters = ", ".join(f"{name}: torch.Tensor" for name in names.values())
    code = (
        f"class {stem}{number}(nn.Module):\n"
        f"    def forward(self, {parameters}) -> torch.Tensor:\n"
        f"        return {called}({', '.join([*written, *written_kwargs])})\n"
    )
    return code, tuple(names)


def _written(value: Any, names: dict[Source, str]) -> str:
    """A value as code. Raises TypeError if it is neither constant nor made of the input."""
    if isinstance(value, Source):
        return names.setdefault(value, f"x{len(names) + 1}")
    if isinstance(value, tuple | list):
        inner = ", ".join(_written(item, names) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, slice):
        return f"slice({', '.join(_written(part, names) for part in (value.start, value.stop, value.step))})"
    if isinstance(value, torch.dtype):
        return str(value)
    if type(value) not in _CONSTANTS or (isinstance(value, float) and value - value != 0):
        raise TypeError(f"{type(value).__name__} cannot be written")
    return repr(value)


def _public_name(target: Any) -> str:
    """What a function of torch is called; empty for any other."""
    name = getattr(target, "__name__", "")
    if getattr(operator, name, None) is target:  # x > 0 is torch.gt(x, 0)
        name = _OPERATORS.get(name, name)
        return f"torch.{name}" if hasattr(torch, name) else ""
    for home, module in _HOMES:
        public = name.removeprefix(f"{home.rpartition('.')[2]}_")  # torch.special.erf calls itself special_erf
        if getattr(module, public, None) is target:
            return f"{home}.{public}"
    return ""
