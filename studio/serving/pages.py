"""The pages of a server: one to try the network, one that describes it. Nothing in them comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

from studio.data.forms import NumbersForm, PictureForm, RawForm, RowForm
from studio.data.tables.features import CHOICES, NUMBER, ORDERED, SWITCH
from studio.evaluation.answering import Answerer
from studio.serving.page_parts import SCRIPT, STYLE


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# Only this very script and style may run, and only this server may be asked.
POLICY = (
    f"default-src 'none'; script-src {_digest(SCRIPT)}; style-src {_digest(STYLE)}; connect-src 'self'; "
    "img-src blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def start_page(answerer: Answerer, title: str) -> bytes:
    """A page to try the network."""
    parts = [{"name": part.name, "about": part.form.about, **_fields(part.form)} for part in answerer.parts]
    about = json.dumps({"parts": parts}, ensure_ascii=False).replace("<", "\\u003c")
    body = (
        f"<h1>{html.escape(title)}</h1>"
        '<form id="form"><div id="fields"></div><button>Answer</button></form>'
        '<div id="answer" role="status" aria-live="polite"></div>'
        '<p class="quiet"><a href="/docs">How programs ask</a></p>'
        f'<script type="application/json" id="about">{about}</script><script>{SCRIPT}</script>'
    )
    return _page(title, body)


def _fields(form: RawForm) -> dict[str, Any]:
    """What a page needs to know to let a person give a value."""
    if isinstance(form, RowForm):
        return {"kind": "row", "fields": [_cell(column) for column in form.columns]}
    if isinstance(form, NumbersForm):
        values = [f"{value:.4g}" for value in form.middles] or [""] * len(form.names)
        hints = [_range(usual) for usual in form.usual] or [""] * len(form.names)
        fields = zip(form.names, values, hints, strict=True)
        return {"kind": "row", "fields": [{"name": n, "value": v, "hint": h, "number": True} for n, v, h in fields]}
    if form.media.startswith(("image/", "audio/")):
        drawing = isinstance(form, PictureForm) and form.drawing is not None
        return {"kind": "file", "accept": form.media, "drawing": drawing}
    return {"kind": "text" if form.media == "text/plain" else "json"}


def _cell(column: Any) -> dict[str, Any]:
    only = column.kind in (ORDERED, SWITCH)
    return {
        "name": column.name, "value": column.default, "number": False,
        "choices": list(column.choices) if only or column.kind == CHOICES else [], "only": only,
        "hint": _range(column.usual) if column.kind == NUMBER and column.usual else column.style,
    }  # fmt: skip


def _range(usual: tuple[float, float]) -> str:
    return f"usually {usual[0]:.4g} to {usual[1]:.4g}"


def documentation(description: dict[str, Any]) -> bytes:
    """The description of the server for people."""
    info, predict = description["info"], description["paths"]["/predict"]["post"]
    types = "".join(f"<li><code>{html.escape(kind)}</code></li>" for kind in predict["requestBody"]["content"])
    errors = "".join(
        f"<tr><td><code>{status}</code></td><td>{html.escape(response['description'])}</td></tr>"
        for status, response in predict["responses"].items()
    )
    schemas = "".join(
        f"<h3>{html.escape(name)}</h3><pre>{html.escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
        for name, schema in description["components"]["schemas"].items()
    )
    body = (
        f"<h1>{html.escape(info['title'])}</h1><p>{html.escape(info['description'])}</p>"
        f"<h2>POST /predict</h2><p>The body may be:</p><ul>{types}</ul>"
        '<p>JSON is an object with <code>"input"</code>, one value, or <code>"inputs"</code>, a list of them; '
        '<code>"top"</code>, or <code>?top=3</code> in the address, says how many classes to tell.</p>'
        f"<table><tr><th>Status</th><th>Meaning</th></tr>{errors}</table>"
        f"<h2>Schemas</h2>{schemas}"
        '<p>For programs: <a href="/openapi.json">openapi.json</a>. <a href="/">Try it</a></p>'
    )
    return _page(info["title"], body)


def _page(title: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    ).encode("utf-8", "replace")
