"""A report as a PDF on sheets of A4: paragraphs and tables are set line by line, pictures below each other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from studio.export.report.drawing import INK, LINE, drawing, pdf, shown
from studio.export.report.parts import Code, Part, Picture, Section, Table, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT, _MARGIN = 595.0, 842.0, 50.0  # points
_LINE = 13.0  # from one line of text to the next
_CHARACTERS = 98  # of a line in the usual size
_MOST_PICTURE = 330.0  # height in points
_MOST_ROWS = 80  # of a folded table: the page of HTML has all


def document(title: str, sections: Sequence[Section], footer: str) -> bytes:
    """The whole file."""
    with drawing():
        writer = _Writer(title, footer)
        for section in sections:
            writer.heading(section.title)
            for part in section.parts:
                writer.part(part)
        return pdf(writer.finished(), title)


class _Writer:
    """Fills sheets from top to bottom."""

    def __init__(self, title: str, footer: str) -> None:
        self._sheets: list[Figure] = []
        self._footer = footer
        self._place = 0.0
        self._new_sheet()
        for line in textwrap.wrap(title, 50)[:4]:
            self._line(line, size=18, step=26, bold=True)

    def finished(self) -> list[Figure]:
        """All sheets, numbered."""
        for number, sheet in enumerate(self._sheets, 1):
            text = f"{shown(self._footer, 110)}   {number} / {len(self._sheets)}"
            sheet.text(_MARGIN / _WIDTH, 24 / _HEIGHT, text, fontsize=7.5, color="#59636e")
        return self._sheets

    def heading(self, text: str) -> None:
        """A section begins: not at the end of a sheet."""
        self._need(90)
        self._place -= 12
        self._line(text, size=13, step=20, bold=True)

    def part(self, part: Part) -> None:
        """One part."""
        match part:
            case Text(text):
                self._paragraph(text)
            case Code(text):
                self._paragraph(text, family="monospace")
            case Picture():
                self._picture(part)
            case Table():
                self._table(part)

    def _new_sheet(self) -> None:
        from matplotlib.figure import Figure

        self._sheets.append(Figure(figsize=(_WIDTH / 72, _HEIGHT / 72)))
        self._sheets[-1].set_layout_engine("none")
        self._place = _HEIGHT - _MARGIN

    def _need(self, height: float) -> None:
        if self._place - height < _MARGIN:
            self._new_sheet()

    def _line(self, text: str, *, size: float = 9, step: float = _LINE, bold: bool = False, family: str = "") -> None:
        self._need(step)
        self._place -= step
        how: dict[str, Any] = {"family": family} if family else {}
        weight = "bold" if bold else "normal"
        self._sheets[-1].text(
            _MARGIN / _WIDTH, self._place / _HEIGHT, text, fontsize=size, fontweight=weight, color=INK, **how
        )  # fmt: skip

    def _paragraph(self, text: str, family: str = "") -> None:
        for paragraph in text.splitlines():
            plain = "".join(c if c.isprintable() else " " for c in paragraph)
            for line in textwrap.wrap(plain, _CHARACTERS if not family else 84, break_long_words=True):
                self._line(line, family=family)
        self._place -= 5

    def _picture(self, part: Picture) -> None:
        """A picture in its own axes, as it looks as a PNG: one figure cannot lie in another."""
        import io

        from matplotlib import image

        from studio.export.report.drawing import png

        figure = part.draw()
        width, height = figure.get_figwidth() * 72, figure.get_figheight() * 72
        share = min(1.0, (_WIDTH - 2 * _MARGIN) / width, (_HEIGHT - 2 * _MARGIN - 40) / height)
        if height * share > _MOST_PICTURE and part.name != "network":
            share = _MOST_PICTURE / height
        width, height = width * share, height * share
        self._need(height + 24)
        if not part.titled:
            self._line(part.title, bold=True)
        self._place -= height + 6
        box = (_MARGIN / _WIDTH, self._place / _HEIGHT, width / _WIDTH, height / _HEIGHT)
        axes = self._sheets[-1].add_axes(box)
        axes.imshow(image.imread(io.BytesIO(png(figure, 220))), aspect="auto", interpolation="antialiased")
        axes.axis("off")

    def _table(self, table: Table) -> None:
        if table.folded:
            self._line(table.folded, bold=True)
        rows = table.rows[:_MOST_ROWS] if table.folded else table.rows
        widths = _widths(table, rows)
        if any(table.head):
            self._row(table.head, widths, bold=True)
        for row in rows:
            self._row(row, widths)
        if len(rows) < len(table.rows):
            self._paragraph(f"… and {len(table.rows) - len(rows):,} more; the page of HTML has all.")
        self._place -= 8

    def _row(self, cells: Sequence[str], widths: Sequence[int], *, bold: bool = False) -> None:
        """Cells of several lines, a thin line below them."""
        wrapped = [
            textwrap.wrap("".join(c if c.isprintable() else " " for c in cell), max(width - 1, 4))[:6] or [""]
            for cell, width in zip(cells, widths, strict=False)
        ]
        height = max(len(lines) for lines in wrapped) * 10.0 + 5
        self._need(height)
        sheet, x = self._sheets[-1], _MARGIN
        each = (_WIDTH - 2 * _MARGIN) / max(sum(widths), 1)
        for lines, width in zip(wrapped, widths, strict=False):
            for number, line in enumerate(lines):
                y = self._place - 9 - 10 * number
                weight = "bold" if bold else "normal"
                sheet.text(x / _WIDTH, y / _HEIGHT, line, fontsize=7.5, fontweight=weight, color=INK)
            x += width * each
        self._place -= height
        self._rule(sheet)

    def _rule(self, sheet: Figure) -> None:
        from matplotlib.lines import Line2D

        y = (self._place + 1.5) / _HEIGHT
        sheet.add_artist(Line2D([_MARGIN / _WIDTH, 1 - _MARGIN / _WIDTH], [y, y], color=LINE, linewidth=0.5))


def _widths(table: Table, rows: Sequence[tuple[str, ...]]) -> list[int]:
    """Characters of each column: as wide as what stands in it, the widest are wrapped; together a line at most."""
    count = max([len(table.head), *(len(row) for row in rows)], default=1)
    wanted = [
        min(48, max([6, *(len(row[number]) + 2 for row in (table.head, *rows) if number < len(row))]))
        for number in range(count)
    ]
    line = 118
    if sum(wanted) <= line:
        return [*wanted[:-1], wanted[-1] + line - sum(wanted)]
    return [max(6, round(width * line / sum(wanted))) for width in wanted]
