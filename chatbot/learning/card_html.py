"""What a model card is made of: sections, tables whose figures may carry a mark, pictures. Every text is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

Say = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell with a mark: good, bad, warn or none."""

    text: str
    mark: str = ""

    @property
    def is_number(self) -> bool:
        return self.text[:1].isdigit() or self.text[:1] in ("+", "-", "≥")


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def section(title: str, body: str) -> str:
    return f'<section class="card"><header><h2>{escape(title)}</h2></header>{body}</section>' if body else ""


def pictures(drawn: Iterable[str]) -> str:
    made = "".join(picture for picture in drawn if picture)
    return f'<div class="pictures">{made}</div>' if made else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str | Cell]]) -> str:
    """The first column names the row; any other that holds a figure is aligned to the right."""
    made = [[value if isinstance(value, Cell) else Cell(value) for value in row] for row in rows]
    numbers = {place for row in made for place, cell in enumerate(row) if place and cell.is_number}
    # an empty heading is no heading (a screen reader would stop at it), and a row of them is none either
    names = "".join(
        _cell("th" if name else "td", Cell(name), number=place in numbers) for place, name in enumerate(head)
    )
    named = f"<thead><tr>{names}</tr></thead>" if any(head) else ""
    body = "".join(
        f"<tr>{''.join(_cell('td', cell, number=place in numbers) for place, cell in enumerate(row))}</tr>"
        for row in made
    )
    return f'<div class="scroll"><table>{named}<tbody>{body}</tbody></table></div>'


def _cell(element: str, cell: Cell, *, number: bool) -> str:
    kind = ' class="number"' if number else ""
    shown = f'<span class="tag {cell.mark}">{escape(cell.text)}</span>' if cell.mark else escape(cell.text)
    return f"<{element}{kind}>{shown}</{element}>"
