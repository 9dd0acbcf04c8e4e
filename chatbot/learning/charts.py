"""Charts as SVG text, made on the server: no script, no style attribute, so that a strict CSP shows them.

Colours come from classes (``line-0`` …, ``axis``, ``grid``, ``cell``) that the page's style sheet defines; every chart
has a title and its figures stand in a table or in the tooltips of its marks. All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 38
MOST_LABELLED = 24  # rows of a heat map that still have room for names


@dataclass(frozen=True, slots=True)
class Line:
    """``points``: (x, y) in data units, in order. ``marks``: with dots, sized by ``weights`` where given."""

    name: str
    points: Sequence[tuple[float, float]]
    marks: bool = False
    weights: Sequence[float] = ()


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_name: str,
    y_name: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    diagonal: bool = False,
    x_words: Sequence[str] = (),
) -> str:
    """Lines over two axes. ``diagonal`` draws where both are equal; ``x_words`` name x = 0, 1, …. Empty text where
    there is no point."""
    points = [point for line in lines for point in line.points]
    if not points:
        return ""
    x_low, x_high = x_range or _around([x for x, _ in points])
    y_low, y_high = y_range or _around([y for _, y in points])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / ((x_high - x_low) or 1.0)
        up = (y - y_low) / ((y_high - y_low) or 1.0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    drawn = [_grid(x_low, x_high, y_low, y_high, place, x_name, y_name, x_words)]
    if diagonal:
        (x1, y1), (x2, y2) = place(x_low, x_low), place(x_high, x_high)
        drawn.append(f'<line class="ideal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    for number, line in enumerate(lines):
        placed = [place(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        drawn.append(f'<polyline class="line line-{number % 4}" points="{path}"/>')
        if line.marks:
            heaviest = max(line.weights, default=1.0) or 1.0
            for index, (x, y) in enumerate(placed):
                weight = line.weights[index] if line.weights else heaviest
                told = f"{_word(line.points[index][0], x_words)}: {line.points[index][1]:g}"
                told += f" ({weight:g})" if line.weights else ""
                drawn.append(
                    f'<circle class="mark line-{number % 4}" cx="{x:.1f}" cy="{y:.1f}" '
                    f'r="{2 + 4 * math.sqrt(weight / heaviest):.1f}"><title>{escape(told)}</title></circle>'
                )
    legend = "".join(
        f'<li><span class="key line-{number % 4}"></span>{escape(line.name)}</li>'
        for number, line in enumerate(lines)
    )
    keys = f'<ul class="legend">{legend}</ul>' if len(lines) > 1 else ""
    return _figure(_svg(WIDTH, HEIGHT, title, drawn) + keys, title)


@dataclass(frozen=True, slots=True)
class Bars:
    """One height for each place along the x axis. ``tone``: its colour (``stack-…``), by default after its order."""

    name: str
    heights: Sequence[float]
    tone: int | None = None


def stacked_bars(bars: Sequence[Bars], *, words: Sequence[str], title: str, x_name: str, y_name: str) -> str:
    """Bars upon each other, the first at the bottom; ``words`` name the places. Empty text where nothing is above 0."""
    places = len(words)
    highest = max((sum(one.heights[at] for one in bars) for at in range(places)), default=0)
    if not highest:
        return ""
    step = (WIDTH - LEFT - RIGHT) / places
    tall = HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (x + 0.5) * step, HEIGHT - BOTTOM - y / highest * tall

    tones = [number % 4 if one.tone is None else one.tone for number, one in enumerate(bars)]
    counted = all(height == int(height) for one in bars for height in one.heights)
    drawn = [_grid(0, max(places - 1, 0), 0, highest, place, x_name, y_name, words, y_least=float(counted))]
    for at in range(places):
        below = 0.0
        for tone, one in zip(tones, bars, strict=True):
            if one.heights[at]:
                x, y = place(at, below + one.heights[at])
                drawn.append(
                    f'<rect class="stack-{tone}" x="{x - 0.4 * step:.1f}" y="{y:.1f}" width="{0.8 * step:.1f}" '
                    f'height="{one.heights[at] / highest * tall:.1f}"><title>'
                    f"{escape(f'{words[at]}: {one.name} {one.heights[at]:g}')}</title></rect>"
                )
                below += one.heights[at]
    legend = "".join(
        f'<li><span class="key block stack-{tone}"></span>{escape(one.name)}</li>'
        for tone, one in zip(tones, bars, strict=True)
    )
    return _figure(_svg(WIDTH, HEIGHT, title, drawn) + f'<ul class="legend">{legend}</ul>', title)


def week_strip(hours: Sequence[Sequence[int]], *, days: Sequence[str], title: str) -> str:
    """One row a weekday and one cell an hour, shaded by its number. Empty text where there is none."""
    most = max(max(row) for row in hours)
    if not most:
        return ""
    size, left = 17, 40
    drawn = []
    for row, (day, counts) in enumerate(zip(days, hours, strict=True)):
        drawn.append(f'<text class="tick end" x="{left - 6}" y="{row * size + 13}">{escape(day)}</text>')
        for hour, count in enumerate(counts):
            shade = 0.05 + 0.95 * count / most
            drawn.append(
                f'<rect class="cell right" x="{left + hour * size}" y="{row * size + 1}" width="{size - 1}" '
                f'height="{size - 1}" fill-opacity="{shade:.2f}"><title>'
                f"{escape(f'{day} {hour:02}:00: {count}')}</title></rect>"
            )
    bottom = len(days) * size + 14
    for hour in range(0, 24, 3):
        drawn.append(f'<text class="tick" x="{left + hour * size}" y="{bottom}">{hour:02}</text>')
    return _figure(_svg(left + 24 * size + 2, bottom + 4, title, drawn), title)


def heat_map(matrix: Sequence[Sequence[int]], labels: Sequence[str], *, title: str) -> str:
    """Row: what was right; column: what was said. Shade by the row's share; each cell names itself on hovering."""
    n = len(labels)
    if not n:
        return ""
    named = n <= MOST_LABELLED
    size = max(5.0, min(22.0, 440 / n))
    left = 150.0 if named else 4.0
    drawn = []
    for row, counts in enumerate(matrix):
        whole = sum(counts) or 1
        if named:
            y = 4 + (row + 0.7) * size
            drawn.append(
                f'<text class="tick end" x="{left - 6:.0f}" y="{y:.1f}">{escape(labels[row][:24])}</text>'
            )
        for column, count in enumerate(counts):
            if not count:
                continue
            kind = "right" if row == column else "wrong"
            told = f"{labels[row]} → {labels[column]}: {count}"
            drawn.append(
                f'<rect class="cell {kind}" x="{left + column * size:.1f}" y="{4 + row * size:.1f}" width="{size:.1f}" '
                f'height="{size:.1f}" fill-opacity="{0.15 + 0.85 * count / whole:.2f}">'
                f"<title>{escape(told)}</title></rect>"
            )
    edge = n * size
    drawn.append(f'<rect class="frame" x="{left:.1f}" y="4" width="{edge:.1f}" height="{edge:.1f}"/>')
    svg = _svg(round(left + edge + 4), round(edge + 8), title, drawn)
    return _figure(svg, title)


def _grid(
    x_low: float,
    x_high: float,
    y_low: float,
    y_high: float,
    place: Callable[[float, float], tuple[float, float]],
    x_name: str,
    y_name: str,
    x_words: Sequence[str] = (),
    *,
    y_least: float = 0.0,
) -> str:
    """``y_least``: the least step between two lines; of a count there is no half."""
    drawn = []
    for value in _ticks(x_low, x_high):
        if x_words and value != int(value):
            continue
        x, y = place(value, y_low)
        drawn.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{y:.1f}"/>')
        drawn.append(
            f'<text class="tick middle" x="{x:.1f}" y="{y + 14:.1f}">{escape(_word(value, x_words))}</text>'
        )
    for value in _ticks(y_low, y_high, least=y_least):
        x, y = place(x_low, value)
        drawn.append(f'<line class="grid" x1="{x:.1f}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        drawn.append(f'<text class="tick end" x="{x - 5:.1f}" y="{y + 3.5:.1f}">{value:g}</text>')
    drawn.append(
        f'<text class="name middle" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}">{escape(x_name)}</text>'
    )
    drawn.append(
        f'<text class="name middle" transform="rotate(-90)" x="{-(HEIGHT - BOTTOM + TOP) / 2:.0f}" y="11">'
        f"{escape(y_name)}</text>"
    )
    return "".join(drawn)


def _figure(drawn: str, title: str) -> str:
    return f'<figure class="chart">{drawn}<figcaption>{escape(title)}</figcaption></figure>'


def _svg(width: int, height: int, title: str, drawn: Sequence[str]) -> str:
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}" xmlns="http://www.w3.org/2000/svg">{"".join(drawn)}</svg>'
    )


def _word(value: float, words: Sequence[str]) -> str:
    return words[round(value)] if words and 0 <= round(value) < len(words) else f"{value:g}"


def _around(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float, *, wanted: int = 5, least: float = 0.0) -> list[float]:
    """Round numbers between ``low`` and ``high``: steps of 1, 2 or 5 times a power of ten, none below ``least``."""
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    step = max(step, least)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]
