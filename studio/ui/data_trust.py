"""Code of the person's own that gives data: it is shown, and runs after they say so."""

from __future__ import annotations

from pathlib import Path

from studio.data import DataError, Source
from studio.ui.prompts import Prompts


def waits_for_trust(source: Source) -> bool:
    """Whether code gives the data that has not been trusted yet."""
    try:
        return source.code is not None
    except DataError:  # the file cannot be read, which whoever reads the data tells
        return False


def is_trusted(prompts: Prompts, source: Source) -> bool:
    """Show code that would run to the person; whether they trust it. What cannot be kept for the next start is told."""
    from studio.ui.panels.trust_section import trust_here

    try:
        code = source.code
    except DataError as error:
        prompts.tell("The file cannot be read.", str(error))
        return False
    if code is None:
        return True
    if not prompts.trust_code(Path(source.place).name, code):
        return False
    trust_here(code, lambda reason: prompts.tell("The trust is not kept.", reason))
    return True
