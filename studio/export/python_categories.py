"""The part of exported source that makes tokens of rows of a table, as `studio.data.tables.categories` does."""

from __future__ import annotations

from typing import Any

from studio.data.base import DataError
from studio.data.tables.categories import Categories
from studio.export.formats import ExportError

_PREPARE = '''
def category(column: dict, text: str) -> int:
    """The place of a cell among the tokens of its column."""
    choices = column.get("choices", [])
    if not text or text.lower() in NO_VALUE:
        return len(choices) + column.get("missing", False)
    return choices.index(text) if text in choices else len(choices)


def $function(rows: list[dict[str, str]]) -> torch.Tensor:
    """Rows of a table, the texts of their cells by the names of columns, as token numbers (N, $width)."""
    numbers, first = [], 0  # the tokens of each column follow those of the column before it
    for column in CATEGORIES:
        numbers.append([first + category(column, (row.get(column["name"]) or "").strip()) for row in rows])
        first += len(column.get("choices", [])) + 1 + column.get("missing", False)
    return torch.tensor(numbers, dtype=torch.int64).T.contiguous()
'''


def read_categories(given: dict[str, Any]) -> Categories:
    """What a checkpoint says of an input of categories. Raises ExportError if it is damaged."""
    try:
        return Categories.from_json(given["categories"])
    except DataError as error:
        raise ExportError(f"{error} Nothing was written.") from error


def prepare_categories(given: dict[str, Any], function: str) -> str:
    """The function that makes token numbers of rows, and all it needs.

    Args:
        given: what the checkpoint's preparation says of the input.
        function: its name.
    """
    read = read_categories(given)
    constants = [f"NO_VALUE = {sorted(read.rules.marks)!r}  # in lower case", "CATEGORIES = ["]
    constants += [*(f"    {code.to_json()!r}," for code in read.codes), "]"]
    written = _PREPARE.replace("$function", function).replace("$width", str(len(read.codes)))
    return "\n".join(constants) + f"\n\n\n{written.strip()}"
