"""What stands in the body of a request: JSON, a file, or a form with files. Nothing in it is taken for a path."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any

from studio import storage
from studio.data.forms import InputError
from studio.evaluation.answering import Answerer
from studio.evaluation.inputs import of_json
from studio.serving.errors import bad_request, too_large, unsupported

MOST_INPUTS = 1_000  # of one request
MOST_TOP = 1_000  # classes to tell
USUAL_TOP = 5
WISHES = ("top", "drawing")
_MOST_HEADER_BYTES = 8_192  # of a part of a form
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")


@dataclass(frozen=True)
class Wishes:
    """How answers are wanted.

    Args:
        top: how many classes to tell.
        drawing: whether pictures are handwriting, to be made to look like the samples.
    """

    top: int = USUAL_TOP
    drawing: bool = False


@dataclass(frozen=True)
class Asked:
    """What a request wants.

    Args:
        given: values that an Answerer reads, or why there is none.
        single: whether one answer is wanted rather than a list.
        wishes: how it is wanted.
    """

    given: Sequence[object]
    single: bool
    wishes: Wishes


def read_body(answerer: Answerer, content_type: str, body: bytes, wishes: Wishes) -> Asked:
    """What the body of POST /predict asks for.

    Args:
        content_type: the header.
        wishes: what the address said.

    Raises:
        RequestError: if it cannot be understood.
    """
    header = Message()
    header["Content-Type"] = content_type or "application/octet-stream"
    kind = header.get_content_type()
    if kind == "application/json":
        return _json(answerer, body, wishes)
    _only_part(answerer)
    if kind == "multipart/form-data":
        files = parts_of(body, str(header.get_param("boundary", "")))
        given: list[object] = [_file(answerer, file, media) for media, file in files]
        return Asked(given, len(given) == 1, wishes)
    return Asked([_file(answerer, body, kind)], True, wishes)


def _only_part(answerer: Answerer) -> None:
    if len(answerer.parts) > 1:
        raise unsupported("This network has several inputs: give them as JSON.")


def _json(answerer: Answerer, body: bytes, wishes: Wishes) -> Asked:
    try:
        content = storage.parse_json(body, "The body")
    except storage.BadFileError as error:
        raise bad_request(str(error)) from error
    if not isinstance(content, dict) or ("input" in content) == ("inputs" in content):
        raise bad_request("Give an object with “input”, or with “inputs”, a list.")
    unknown = sorted(set(content) - {"input", "inputs", *WISHES})
    if unknown:
        raise bad_request(f"“{unknown[0][:80]}” is unknown. There are “input”, “inputs”, “top” and “drawing”.")
    wishes = wished({name: content[name] for name in WISHES if name in content}, wishes)
    if "input" in content:
        return Asked([_value(answerer, content["input"])], True, wishes)
    many = content["inputs"]
    if not isinstance(many, list) or not many:
        raise bad_request("“inputs” must be a list with at least one value.")
    if len(many) > MOST_INPUTS:
        raise too_large(f"{len(many):,} inputs came at once; up to {MOST_INPUTS:,} are answered. Divide them.")
    return Asked([_value(answerer, value) for value in many], False, wishes)


def wished(given: Mapping[str, Any], usual: Wishes) -> Wishes:
    """What is wanted in place of what is usual.

    Args:
        given: values of JSON, or texts of an address.

    Raises:
        RequestError: if one cannot be.
    """
    drawing = given.get("drawing", usual.drawing)
    if isinstance(drawing, str):
        drawing = {"true": True, "1": True, "false": False, "0": False}.get(drawing)
    if not isinstance(drawing, bool):
        raise bad_request("“drawing” must be true or false.")
    return Wishes(wanted_top(given.get("top", usual.top)), drawing)


def wanted_top(value: Any) -> int:
    """How many classes to tell. Raises RequestError."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 4:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_TOP:
        raise bad_request(f"“top” must be a whole number from 1 to {MOST_TOP:,}.")
    return value


def _value(answerer: Answerer, value: Any) -> object:
    try:
        return of_json(answerer, value)
    except InputError as error:
        return error


def _file(answerer: Answerer, content: bytes, media: str) -> object:
    """The content of a file of a type that the network takes. Raises RequestError."""
    form = answerer.parts[0].form
    wanted, _, _ = form.media.partition("/")
    given, _, _ = media.partition("/")
    if not form.media:
        raise unsupported(f"This network takes JSON only. Wanted: {form.about}")
    if given != wanted and media != "application/octet-stream":
        raise unsupported(f"This network takes {form.media} or application/json, not {media[:80]}.")
    if not content:
        return InputError("The file is empty.")
    return content


def parts_of(body: bytes, boundary: str) -> list[tuple[str, bytes]]:
    """The parts of a form with their types.

    Source: RFC 7578 (multipart/form-data) and RFC 2046, section 5.1.1.

    Raises:
        RequestError: if it is no such form, or has too many parts.
    """
    if _BOUNDARY.fullmatch(boundary) is None:
        raise bad_request("The form has no boundary between its parts.")
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("ascii"))
    if len(sections) < 3 or not sections[-1].startswith(b"--"):
        raise bad_request("The form is cut off, or its parts are not divided by its boundary.")
    if len(sections) - 2 > MOST_INPUTS:
        raise too_large(f"The form has more than {MOST_INPUTS:,} parts. Divide them.")
    return [_part(section) for section in sections[1:-1]]


def _part(section: bytes) -> tuple[str, bytes]:
    head, separator, content = section.partition(b"\r\n\r\n")
    if not separator or len(head) > _MOST_HEADER_BYTES:
        raise bad_request("A part of the form has no header.")
    header = Message()
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() == "content-type":
            header["Content-Type"] = value.strip()
    return header.get_content_type() if header else "text/plain", content
