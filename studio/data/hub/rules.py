"""What people can choose for Hugging Face datasets, and what their names may be; without anything heavy."""

from __future__ import annotations

import re

FIND_OUT = "find out"
CLASSES, NUMBERS = "classification", "regression"
TASKS = (FIND_OUT, CLASSES, NUMBERS)
INPUT_TYPES = (FIND_OUT, "picture", "sound", "text", "tokens", "array", "number")
REVISION = re.compile(r"[0-9a-f]{40}")  # a commit: a branch would be other data tomorrow
_NAME = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
MARK = "-"  # between owner and name in a folder, twice


def is_name(name: str) -> bool:
    """Whether a dataset of the hub can have that name, such as “stanfordnlp/imdb”: it becomes part of a path."""
    return _NAME.fullmatch(name) is not None and ".." not in name and "--" not in name


def folder_name(name: str) -> str:
    """The name as that of one folder."""
    return name.replace("/", 2 * MARK)
