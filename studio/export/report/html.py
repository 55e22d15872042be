"""A report as one page of HTML: nothing is fetched from anywhere, no script runs, and all names are escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from studio.export.report.drawing import drawing, svg
from studio.export.report.parts import Code, Part, Picture, Section, Table, Text

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{nav}
{body}
<footer>{footer}</footer>
</main>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1f24; --muted: #59636e; --line: #d5d9df;
  --soft: #f4f6f8; --accent: #1f5fd0; }
@media (prefers-color-scheme: dark) { :root { --ground: #16191d; --ink: #e6e8eb; --muted: #9aa4af; --line: #39404a;
  --soft: #20252b; --accent: #7fb0ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.8rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
nav a { color: var(--accent); margin-right: 1rem; text-decoration: none; white-space: nowrap; }
p { max-width: 46rem; overflow-wrap: anywhere; white-space: pre-line; }
.table { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 600; }
td { max-width: 30rem; overflow-wrap: break-word; white-space: pre-wrap; }
td.number, th.number { text-align: right; }
figure { margin: 1rem 1.5rem 1rem 0; display: inline-block; vertical-align: top; max-width: 100%; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption, footer { color: var(--muted); font-size: .9rem; }
details { margin: .75rem 0; }
summary { cursor: pointer; color: var(--accent); }
pre { background: var(--soft); padding: .75rem 1rem; overflow-x: auto; border-radius: 6px; }
footer { margin-top: 3rem; }
@media print { details > * { display: revert; } nav { display: none; } h2 { break-after: avoid; } }
"""


def page(title: str, sections: Sequence[Section], footer: str) -> str:
    """The whole page."""
    anchors = [f"s{number}" for number, _ in enumerate(sections, 1)]
    links = " ".join(
        f'<a href="#{anchor}">{escape(section.title)}</a>' for anchor, section in zip(anchors, sections, strict=True)
    )
    body = []
    with drawing():
        for anchor, section in zip(anchors, sections, strict=True):
            inner = "\n".join(text for part in section.parts for text in _part(part))
            body.append(f'<section id="{anchor}">\n<h2>{escape(section.title)}</h2>\n{inner}\n</section>')
    return _PAGE.format(
        title=escape(title), style=_STYLE, nav=f"<nav>{links}</nav>", body="\n".join(body), footer=escape(footer)
    )


def _part(part: Part) -> Iterator[str]:
    match part:
        case Text(text):
            yield f"<p>{escape(text)}</p>"
        case Code(text):
            yield f"<pre><code>{escape(text)}</code></pre>"
        case Picture(title=title, draw=draw):
            picture = _alone(svg(draw(), on_page=True), title, part.name)
            below = "" if part.titled else f"<figcaption>{escape(title)}</figcaption>"
            yield f"<figure>{picture}{below}</figure>"
        case Table():
            inner = _table(part)
            folded = f"<details><summary>{escape(part.folded)}</summary>{inner}</details>"
            yield folded if part.folded else inner


def _alone(picture: str, title: str, name: str) -> str:
    """A picture whose names for its own pieces are not those of another picture in the page."""
    own = "".join(c if c.isalnum() else "-" for c in name)
    for before in (' id="', 'href="#', "url(#"):
        picture = picture.replace(before, f"{before}{own}-")
    return picture.replace(' role="img"', f' role="img" aria-label="{escape(title)}"', 1)


def _table(table: Table) -> str:
    right = _columns_of_numbers(table)
    head = "".join(f"<th{right[number]}>{escape(cell)}</th>" for number, cell in enumerate(table.head))
    rows = "\n".join(
        f"<tr>{''.join(f'<td{right[number]}>{escape(cell)}</td>' for number, cell in enumerate(row))}</tr>"
        for row in table.rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(table.head) else ""
    return f'<div class="table"><table>{top}<tbody>\n{rows}\n</tbody></table></div>'


def _columns_of_numbers(table: Table) -> list[str]:
    """A class for the columns in which all cells begin with a digit, so that they stand on the right."""
    width = max([len(table.head), *(len(row) for row in table.rows)], default=0)
    found = []
    for number in range(width):
        cells = [row[number] for row in table.rows if number < len(row) and row[number]]
        numbers = number > 0 and cells and all(cell.lstrip("-")[:1].isdigit() and len(cell) < 14 for cell in cells)
        found.append(' class="number"' if numbers else "")
    return found
