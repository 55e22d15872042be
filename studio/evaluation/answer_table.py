"""Answers as a table of separated values, which programs for tables open without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from studio import storage
from studio.evaluation.answer import CLASSES, LABELS, NEXT, NUMBERS, Answer
from studio.evaluation.answering import InputError

MOST_COLUMNS = 1_000  # classes, labels or numbers with a column of their own
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """A text that no program for tables takes for a formula.

    Source: OWASP, “CSV Injection”, https://owasp.org/www-community/attacks/CSV_Injection.
    """
    return f"'{text}" if text.startswith(_FORMULAS) else text


def write_answers(
    path: Path, kind: str, names: tuple[str, ...], answered: Iterator[tuple[str, Answer | InputError]]
) -> tuple[int, int, str]:
    """Write a row for each input, whole or not at all.

    Args:
        kind: of the answers.
        names: of the classes, labels or numbers.
        answered: the name of each input, and its answer or why there is none.

    Returns:
        how many were answered, how many were not, and the first reason.

    Raises:
        StorageError: if the file cannot be written.
    """
    own = names if len(names) <= MOST_COLUMNS and kind in (CLASSES, LABELS, NUMBERS) else ()
    sure = ("probability",) if kind in (CLASSES, NEXT) else ()
    done, failed, first = 0, 0, ""
    with storage.replacing(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(["input", "answer", *sure, *map(guarded, own), "notes", "error"])
        for name, answer in answered:
            if isinstance(answer, Answer):
                done += 1
                told = [f"{answer.top(1)[0][1]:.6g}"] if sure else []
                values = [f"{value:.6g}" for value in answer.values.reshape(-1)] if own else []
                values = values if len(values) == len(own) else [""] * len(own)
                row = [guarded(answer.best), *told, *values, guarded(" ".join(answer.notes)), ""]
            else:
                failed += 1
                first = first or (str(answer) if str(answer).startswith(name) else f"{name}: {answer}")
                row = [""] * (len(own) + len(sure) + 2) + [guarded(str(answer))]
            writer.writerow([guarded(name), *row])
        text.detach()  # the file is closed by who opened it
    return done, failed, first
