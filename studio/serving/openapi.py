"""A description of the server for programs, made from the forms of the network's inputs.

Source: OpenAPI Specification 3.1.0, https://spec.openapis.org/oas/v3.1.0.
"""

from __future__ import annotations

from typing import Any

from studio import __version__
from studio.data.forms import PictureForm
from studio.evaluation.answer import CLASSES, LABELS, NEXT, NUMBERS, STEPS
from studio.evaluation.answering import Answerer
from studio.serving.bodies import MOST_INPUTS, MOST_TOP, USUAL_TOP

_ERRORS = {
    "400": "The request cannot be understood.",
    "413": "There is too much in it.",
    "415": "The network takes no such type.",
    "422": "It cannot become an input; the message says why.",
    "429": "Too many requests wait already.",
}


def describe(answerer: Answerer, title: str) -> dict[str, Any]:
    """The description as plain JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__, "description": _about(answerer)},
        "paths": {
            "/predict": {"post": _predict(answerer)},
            "/health": {"get": _page("Whether the server answers", "application/json")},
            "/openapi.json": {"get": _page("This description", "application/json")},
            "/docs": {"get": _page("This description for people", "text/html")},
            "/": {"get": _page("A page to try the network", "text/html")},
        },
        "components": {"schemas": {"Answer": _answer(answerer), "Input": input_schema(answerer), "Error": _error()}},
    }


def _about(answerer: Answerer) -> str:
    parts = [f"{part.name}: {part.form.about}" for part in answerer.parts]
    names = ", ".join(answerer.names[:20]) + (" and more" if len(answerer.names) > 20 else "")
    return f"What to give: {' '.join(parts)} What is answered: {answerer.kind} ({names})."


def input_schema(answerer: Answerer) -> dict[str, Any]:
    """Of one sample."""
    if len(answerer.parts) == 1:
        return answerer.parts[0].form.schema
    names = [part.name for part in answerer.parts]
    properties = {part.name: part.form.schema for part in answerer.parts}
    return {"type": "object", "required": names, "additionalProperties": False, "properties": properties}


def _predict(answerer: Answerer) -> dict[str, Any]:
    reference, wishes = {"$ref": "#/components/schemas/Input"}, _wishes(answerer)
    single = {"type": "object", "required": ["input"], "properties": {"input": reference, **wishes}}
    several = {"type": "array", "items": reference, "minItems": 1, "maxItems": MOST_INPUTS}
    many = {"type": "object", "required": ["inputs"], "properties": {"inputs": several, **wishes}}
    content: dict[str, Any] = {"application/json": {"schema": {"oneOf": [single, many]}}}
    form = answerer.parts[0].form
    if len(answerer.parts) == 1 and form.media:
        content[form.media] = {}
        files = {"type": "array", "items": {"type": "string", "contentMediaType": form.media}}
        content["multipart/form-data"] = {"schema": {"type": "object", "properties": {"file": files}}}
    return {
        "summary": "Answer one input or several",
        "operationId": "predict",
        "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in wishes.items()],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": _answered(), **{status: _failed(about) for status, about in _ERRORS.items()}},
    }


def _wishes(answerer: Answerer) -> dict[str, Any]:
    about = "How many classes to tell."
    top = {"type": "integer", "minimum": 1, "maximum": MOST_TOP, "default": USUAL_TOP, "description": about}
    if not takes_drawings(answerer):
        return {"top": top}
    about = "Whether pictures are handwriting, dark on light or light on dark, to be made to look like the samples."
    return {"top": top, "drawing": {"type": "boolean", "default": False, "description": about}}


def takes_drawings(answerer: Answerer) -> bool:
    """Whether it is known how the pictures that the network learned from were made of handwriting."""
    form = answerer.parts[0].form
    return isinstance(form, PictureForm) and form.drawing is not None


def _answered() -> dict[str, Any]:
    answer, error = {"$ref": "#/components/schemas/Answer"}, {"$ref": "#/components/schemas/Error"}
    single = {"type": "object", "required": ["answer"], "properties": {"answer": answer}}
    several = {"type": "array", "items": {"oneOf": [answer, error]}}
    many = {"type": "object", "required": ["answers"], "properties": {"answers": several}}
    schema = {"oneOf": [single, many]}
    return {
        "description": "The answers, in the order of the inputs.",
        "content": {"application/json": {"schema": schema}},
    }


def _failed(about: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Error"}
    return {"description": about, "content": {"application/json": {"schema": reference}}}


def _error() -> dict[str, Any]:
    texts = {"code": {"type": "string"}, "message": {"type": "string"}}
    inner = {"type": "object", "required": ["code", "message"], "properties": texts}
    return {"type": "object", "required": ["error"], "properties": {"error": inner}}


def _page(about: str, media: str) -> dict[str, Any]:
    return {"summary": about, "responses": {"200": {"description": about, "content": {media: {}}}}}


def _ranked(names: list[str]) -> dict[str, Any]:
    name: dict[str, Any] = {"enum": names} if len(names) <= 1_000 else {"type": "string"}
    return {
        "type": "array",
        "items": {"type": "object", "properties": {"name": name, "probability": {"type": "number"}}},
    }


def _answer(answerer: Answerer) -> dict[str, Any]:
    names, kind = list(answerer.names), answerer.kind
    found: dict[str, Any] = {"kind": {"const": kind}, "notes": {"type": "array", "items": {"type": "string"}}}
    if kind in (CLASSES, NEXT):
        found |= {"answer": {"type": "string"}, "classes": _ranked(names)}
    elif kind == LABELS:
        found |= {"answer": {"type": "array", "items": {"type": "string"}}, "labels": _ranked(names)}
    elif kind == NUMBERS:
        numbers = {"type": "object", "properties": {name: {"type": "number"} for name in names[:1_000]}}
        found |= {"answer": {"oneOf": [numbers, {"type": "array"}]}}
    else:
        inner = {"type": "string"} if kind == STEPS else {"type": "array", "items": {"type": "integer"}}
        found |= {"answer": {"type": "array", "items": inner}, "shares": {"type": "object"}}
    return {"type": "object", "required": ["kind", "answer"], "properties": found}
