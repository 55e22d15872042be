"""How each input of a bundle is read: a module of `resources/bundle`, and what that has to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.data.forms import (
    ArrayForm,
    CharactersForm,
    NumbersForm,
    PictureForm,
    RawForm,
    RowForm,
    SoundForm,
    TextForm,
    WindowForm,
)
from studio.data.images.rules import GREY
from studio.data.tables.features import NUMBER, ORDERED, SWITCH, TIME, Columns
from studio.evaluation.parts import Part
from studio.export import python_categories, python_columns
from studio.export.formats import ExportError


@dataclass(frozen=True)
class BundlePart:
    """One thing that a person gives to a bundle.

    Args:
        about: what stands of it in model.json; "module" reads it.
        modules: files of `resources/bundle` that it needs, without their suffix.
        files: what else it needs, by name.
        packages: libraries beside torch and NumPy.
        example: what may be given, as Python.
        scaled: whether its reader scales already what it reads.
    """

    about: dict[str, Any]
    modules: tuple[str, ...]
    example: str
    files: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    scaled: bool = False


def bundle_part(part: Part, number: int, given: Sequence[dict[str, Any]], tokens: int) -> BundlePart:
    """How a part is read.

    Args:
        number: of the part, from 0.
        given: what the preparation says of its inputs.
        tokens: how many token numbers its input may have; 0 if it has none.

    Raises:
        ExportError: if nothing is known of how it is given.
    """
    form = part.form
    if isinstance(form, TextForm):
        found = _text(form, number)
    elif isinstance(form, RowForm):
        found = _row(form, given)
    else:
        found = _plain(form, part.name, tokens)
    return BundlePart(
        {"name": part.name, "module": found.modules[0], **found.about}, found.modules, found.example, found.files,
        found.packages, found.scaled,
    )  # fmt: skip


def _plain(form: RawForm, name: str, tokens: int) -> BundlePart:
    if isinstance(form, PictureForm):
        inner = form.form
        about: dict[str, Any] = {
            "height": inner.height, "width": inner.width, "grey": inner.colour == GREY, "fit": inner.fit,
            "brightest": form.brightest,
        }  # fmt: skip
        return BundlePart(about, ("picture",), '"picture.png"', packages=("pillow",))
    if isinstance(form, SoundForm):
        rules = form.rules
        about = {
            "features": rules.features, "rate": rules.rate, "bands": rules.bands, "length": rules.length,
            "dims": list(rules.dims),
        }  # fmt: skip
        return BundlePart(about, ("sound",), '"sound.wav"', packages=("soundfile", "scipy"))
    if isinstance(form, CharactersForm):
        about = {"characters": form.characters, "length": form.length}
        return BundlePart(about, ("characters",), '"A text to go on with"')
    if isinstance(form, NumbersForm):
        example = f"{{{', '.join(f'{name!r}: 0.5' for name in form.names[:6])}}}"
        return BundlePart({"names": list(form.names)}, ("numbers_row", "tables"), example)
    if isinstance(form, WindowForm):
        return BundlePart({"names": list(form.names), "length": form.source.window}, ("window",), '"steps.csv"')
    if isinstance(form, ArrayForm):
        about = {"size": list(form.size), "whole": form.whole, "tokens": tokens}
        return BundlePart(about, ("plain_array",), '"sample.npy"')
    raise ExportError(f"No bundle can read “{name}”: it is given as {form.kind}. Nothing was written.")


def _text(form: TextForm, number: int) -> BundlePart:
    name = f"tokenizer_{number + 1}.json" if number else "tokenizer.json"
    about = {
        "tokenizer": name, "length": form.length, "followed": form.followed, "signs": form.learned.has_signs,
    }  # fmt: skip
    return BundlePart(
        about, ("text",), '"A text"', files={name: form.learned.tokenizer}, packages=("tokenizers",)
    )  # fmt: skip


_WANTED = {NUMBER: "a number", TIME: "a date, {style}", ORDERED: "one of {choices}", SWITCH: "one of {choices}"}


def _row(form: RowForm, given: Sequence[dict[str, Any]]) -> BundlePart:
    columns = []
    for learned in form.learned:
        for code in learned.codes:
            wanted = _WANTED.get(code.kind, "").format(style=code.style, choices=", ".join(code.choices[:10]))
            columns.append({
                "name": code.name, "kind": code.kind, "style": code.style, "choices": list(code.choices),
                "missing": sorted(learned.rules.marks), "decimal": learned.rules.decimal, "wanted": wanted,
            })  # fmt: skip
    example = {column.name: column.default for column in form.columns[:6]}
    return BundlePart(
        {"columns": columns}, ("row", "tables"), repr(example), files={"columns.py": _columns_source(form, given)},
        scaled=True,
    )  # fmt: skip


def _columns_source(form: RowForm, given: Sequence[dict[str, Any]]) -> str:
    """The module that makes numbers and tokens of rows."""
    imports, pieces, names = [], [], []
    for learned, one in zip(form.learned, given, strict=True):
        if isinstance(learned, Columns):
            names.append("prepare_numbers")
            imports += python_columns.imports(one)
            pieces.append(python_columns.prepare_rows(one, names[-1]))
        else:
            names.append("prepare_tokens")
            pieces.append(python_categories.prepare_categories(one, names[-1]))
    head = ['"""What is known of the columns of the table, and what becomes of the cells of its rows."""', ""]
    head += [*sorted(set(imports)), *[""] * bool(imports), "import torch"]
    return "\n\n\n".join(["\n".join(head), *pieces, f"PREPARE = [{', '.join(names)}]"]) + "\n"
