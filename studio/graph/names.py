"""Which names may become identifiers in code. Names from files are checked here, at the door."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Container

from studio.graph.errors import BadNameError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

# Attributes of torch.nn.Module and torch.fx.GraphModule, which a layer of that name would hide; a test compares this
# list with the classes themselves. Dunder names are refused altogether.
MODULE_ATTRIBUTES = frozenset(
    """T_destination add_module apply bfloat16 buffers call_super_init children code compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule graph half ipu
    load_state_dict meta modules mtia named_buffers named_children named_modules named_parameters parameters
    print_readable recompile register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule
    shape_env share_memory state_dict to to_empty to_folder train training type xpu zero_grad add_submodule
    delete_submodule delete_all_unused_submodules""".split()
)
# Names that the exported source uses itself.
SOURCE_NAMES = frozenset({"torch", "nn", "self", "super", "SHIFT", "SCALE", "LABELS", "load_model", "prepare"})


def check_name(name: object) -> str:
    """The name, if it may stand in code.

    Raises:
        BadNameError: if it is no identifier of at most 64 ASCII letters, digits and underscores, or is reserved.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise BadNameError(
            f"“{_shorten(name)}” cannot be a block's name: use 1 to 64 letters, digits and underscores, "
            "and no digit first."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name.startswith("_"):
        raise BadNameError(f"“{name}” cannot be a block's name: Python reserves it.")
    if name in MODULE_ATTRIBUTES or name in SOURCE_NAMES:
        raise BadNameError(f"“{name}” cannot be a block's name: PyTorch uses it for something else.")
    return name


def check_class_name(name: object) -> str:
    """The name, if a class in exported code may have it.

    Raises:
        BadNameError: if it is no identifier of at most 64 ASCII letters, digits and underscores, or is reserved.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or name.startswith("_"):
        raise BadNameError(
            f"“{_shorten(name)}” cannot be a group's name: use 1 to 64 letters, digits and underscores, "
            "and begin with a letter."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in SOURCE_NAMES or hasattr(builtins, name):
        raise BadNameError(f"“{name}” cannot be a group's name: it means something else in Python code.")
    return name


def check_id(node_id: object) -> str:
    """The id, if it is 1 to 64 letters, digits, - and _. Raises BadNameError."""
    if not isinstance(node_id, str) or not _ID.fullmatch(node_id):
        raise BadNameError(f"“{_shorten(node_id)}” cannot be a block's id: use 1 to 64 letters, digits, - and _.")
    return node_id


def _shorten(value: object) -> str:
    text = str(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 40 else text[:39] + "…"


def fresh_name(stem: str, taken: Container[str]) -> str:
    """`stem_1`, or the next number that is free."""
    number = 1
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def fresh_id(taken: Container[str], start: int) -> str:
    """`n7`, or the next number from `start` that is free."""
    number = start
    while f"n{number}" in taken:
        number += 1
    return f"n{number}"
