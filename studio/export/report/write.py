"""Writes a report of a run, and its pictures."""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from studio import __version__, storage
from studio.export.clean_process import Tick
from studio.export.facts import Facts, Source, gather
from studio.export.formats import ExportError
from studio.export.report.charts import charts_of
from studio.export.report.content import report_sections
from studio.export.report.drawing import drawing, png, svg
from studio.export.report.html import page
from studio.export.report.network_picture import network_picture
from studio.export.report.pages import document
from studio.training.checkpoint import Checkpoint


def write_html(
    source: Source, checkpoint: Checkpoint, target: Path, data_folder: Path | None = None, tick: Tick | None = None
) -> str:  # fmt: skip
    """One page. Returns what was written. Raises ExportError if it is not what it should be."""
    facts, _ = gather(source, checkpoint, data_folder, tick)
    _tell(tick, "Drawing")
    text = page(facts.project.title, report_sections(facts), _footer(facts))
    check_page(text)
    storage.write_text(target, text)
    return f"Wrote {target}: one page, {len(text) / 1e6:.1f} MB, which fetches nothing from elsewhere.{_missing(facts)}"


def write_pdf(
    source: Source, checkpoint: Checkpoint, target: Path, data_folder: Path | None = None, tick: Tick | None = None
) -> str:  # fmt: skip
    """A PDF. Returns what was written."""
    facts, _ = gather(source, checkpoint, data_folder, tick)
    _tell(tick, "Drawing")
    content = document(facts.project.title, report_sections(facts), _footer(facts))
    storage.write_bytes(target, content)
    return f"Wrote {target}: {len(content) / 1e6:.1f} MB.{_missing(facts)}"


def write_plots(
    source: Source, checkpoint: Checkpoint, target: Path, data_folder: Path | None = None, tick: Tick | None = None
) -> str:  # fmt: skip
    """A new folder with each picture as SVG and PNG. Raises ExportError if there is such a folder already."""
    from studio.compile.shapes import analyze

    facts, _ = gather(source, checkpoint, data_folder, tick)
    graph = facts.project.graph
    pictures = {chart.name: chart.draw for chart in charts_of(facts)}
    pictures["network"] = lambda: network_picture(graph, analyze(graph))
    with storage.making_folder(target) as folder, drawing():
        for name, draw in pictures.items():
            _tell(tick, f"Drawing {name}")
            figure = draw()
            folder.write(f"{name}.svg", [svg(figure).encode()])
            folder.write(f"{name}.png", [png(figure)])
    return f"Wrote {target}: {len(pictures)} pictures, each as SVG and PNG.{_missing(facts)}"


def _tell(tick: Tick | None, words: str) -> None:
    if tick is not None:
        tick(words)


def _footer(facts: Facts) -> str:
    now = datetime.now().astimezone()
    return f"Written by Training Studio {__version__} on {now:%Y-%m-%d %H:%M} from {facts.run.folder.name}."


def _missing(facts: Facts) -> str:
    return f" Nothing was measured anew, since the data is not there: {facts.no_data}" if facts.no_data else ""


def check_page(text: str) -> None:
    """Raises ExportError if a page would run or fetch anything, or an element in it does not end."""
    checker = _Checker()
    checker.feed(text)
    checker.close()
    if checker.problem or checker.open:
        problem = checker.problem or f"<{checker.open[-1]}> does not end"
        raise ExportError(f"The report is not as it should be: {problem}. Nothing was written.")


class _Checker(HTMLParser):
    """Looks at each element of a page."""

    _EMPTY = frozenset(("meta", "br", "hr", "img"))
    _FORBIDDEN = frozenset(("script", "iframe", "object", "embed", "link", "base", "form", "image", "foreignobject"))
    _ADDRESSES = frozenset(("src", "href", "xlink:href", "action", "data", "srcset"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.problem = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        if tag in self._FORBIDDEN:
            self.problem = f"there is a <{tag}>"
        for name, value in attrs:
            if name.startswith("on") or (name in self._ADDRESSES and not (value or "").startswith("#")):
                self.problem = f"<{tag}> has {name}"
        if tag not in self._EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self._EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problem = self.problem or f"</{tag}> ends something else"
