"""A block in words: its settings in one line, its help; and numbers as people read them."""

from __future__ import annotations

import inspect
import re

from studio.blocks import Block, ShapeError
from studio.blocks.custom import layer_class
from studio.fields import FieldSpec, FieldValue
from studio.graph.groups import BOUNDARY, GroupUse, field_value, setting_specs

# Fields that count something read better after their number: "32 filters", but "stride 2".
_COUNTED = frozenset({"features", "filters", "groups", "heads", "layers", "units"})


def summary(block: Block) -> str:
    """The settings that matter in one line, such as "32 filters, 3×3": sizes, and whatever is not at its default."""
    declared = setting_specs(block)
    if isinstance(block, GroupUse):
        chosen = ", ".join(f"{spec.label.lower()} {value_text(block, spec)}" for spec in declared)
        inside = sum(not isinstance(node.block, BOUNDARY) for node in block.definition.body.nodes)
        return chosen or f"{inside} block{'' if inside == 1 else 's'}"
    shown = [spec for i, spec in enumerate(declared) if _matters(spec, getattr(block, spec.name), i)]
    return ", ".join(_phrase(block, spec) for spec in shown or declared[:1])


def value_text(block: Block, spec: FieldSpec) -> str:
    """A setting's value in few characters."""
    value = field_value(block, spec.name)
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _matters(spec: FieldSpec, value: FieldValue, position: int) -> bool:
    if value != spec.default:
        return True
    is_size = spec.type is tuple or (spec.type is int and value != 1)
    return position < 2 and is_size and not (spec.special and value == spec.min)


def _phrase(block: Block, spec: FieldSpec) -> str:
    value, label = getattr(block, spec.name), spec.label.lower()
    if isinstance(value, bool):
        return label if value else f"no {label}"
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    if spec.name == "kernel_size" and "HW" in getattr(block, "axes", ""):
        return f"{value}×{value}"
    if spec.lines:
        return _class_in(str(value))
    if isinstance(value, str):
        return value
    number = f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return f"{number} {label}" if spec.name in _COUNTED else f"{label} {number}"


def _class_in(code: str) -> str:
    try:
        return layer_class(code)
    except ShapeError:
        return "unfinished"


def block_help(block: type[Block]) -> str:
    """A block's docstring with one line per paragraph, and one each for shape and source."""
    paragraphs = (inspect.getdoc(block) or "").split("\n\n")
    # The lines are broken for the editor, not for the reader; only these begin something new.
    return "\n\n".join(re.sub(r"\n(?!Shape:|Source:)", " ", paragraph) for paragraph in paragraphs)


def short_count(count: int) -> str:
    """A count in at most five characters: 650, 18.5k, 2.36M."""
    for limit, divisor, letter in ((1_000, 1, ""), (1_000_000, 1e3, "k"), (1_000_000_000, 1e6, "M")):
        if count < 0.9995 * limit:
            return f"{count / divisor:.3g}{letter}"
    return f"{count / 1e9:.3g}G"
