"""What the ``frontdesk`` command prints: progress, reports, tables, one reply with the decision behind it.

Results go to stdout, everything else (progress, warnings, errors) to stderr, so that ``--json`` and pipes stay
clean. Without a terminal progress is one plain line a stage.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from chatbot.dialogue.trace import Reply, Trace

ACCENT = "#0f766e"


def out() -> Console:
    return Console(highlight=False)


def err() -> Console:
    return Console(stderr=True, highlight=False)


class TerminalProgress:
    """A progress callback ``(stage, fraction)`` that draws one bar a stage; use as a context manager."""

    def __init__(self, *, console: Console | None = None) -> None:
        self.console = console or err()
        self._bars: Progress | None = None
        self._stage = ""
        self._task: TaskID | None = None
        self._started = time.monotonic()

    def __enter__(self) -> TerminalProgress:
        if self.console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=32, complete_style=ACCENT, finished_style=ACCENT),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=self.console,
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._close_stage()
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, stage: str, fraction: float = 0.0) -> None:
        fraction = min(max(fraction, 0.0), 1.0)
        if stage != self._stage:
            self._close_stage()
            self._stage, self._started = stage, time.monotonic()
            if self._bars is not None:
                self._task = self._bars.add_task(escape(stage), total=1.0)
            else:
                self.console.print(f"{escape(stage)} …")
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=fraction)

    def _close_stage(self) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=1.0)
            self._bars.stop_task(self._task)
        elif self._stage:
            self.console.print(f"  done in {time.monotonic() - self._started:.1f} s")
        self._task = None


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; values are printed as they are, never read as markup."""
    drawn = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(Text(column, style="dim"))
    for row in rows:
        drawn.add_row(*(Text("" if value is None else str(value)) for value in row))
    return drawn


def print_values(title: str, values: Mapping[str, Any]) -> None:
    """A nested report as ``name  value`` lines, in its own order."""
    console = out()
    console.print(Text(title, style="bold"))
    for name, value in _flat(values):
        console.print(Text(f"  {name:<36} "), Text(_plain(value)), sep="", soft_wrap=True)


def print_import(report: Mapping[str, Any]) -> None:
    """An import's report (ingest/report.py, as JSON): files, numbers, what was left out, rows with errors."""
    console = out()
    if report["dry_run"]:
        console.print(Text("Dry run: nothing was stored.", style="bold"))
    files = [
        (file["name"], file["format"], file["encoding"], file["state"], file["read"], file["kept"])
        for file in report["files"]
    ]
    console.print(table("", ("file", "format", "encoding", "state", "read", "kept"), files))
    if report["n_files"] > len(files):
        console.print(
            Text(f"{len(files)} of {report['n_files']} files are shown, those with errors first", style="dim")
        )
    left = {"kind", "dry_run", "files", "n_files", "row_errors", "notes"}
    numbers = {
        key: _counts(value) if isinstance(value, Mapping) else value
        for key, value in report.items()
        if key not in left and value not in (0, {}, [])
    }
    print_values("Report", numbers)
    for note in report["notes"]:
        console.print(Text(note, style="yellow"), soft_wrap=True)
    if report["row_errors"]:
        rows = [
            (row["file"], row["line"], row["message"], row["value"], row["remedy"])
            for row in report["row_errors"]
        ]
        console.print(
            table("Rows that could not be read", ("file", "line", "what is wrong", "found", "remedy"), rows)
        )
        if report["errors"] > len(rows):
            console.print(Text(f"… and {report['errors'] - len(rows)} more", style="dim"))


def _counts(counted: Mapping[str, int], *, most: int = 12) -> str:
    """``en 790, zh 390``; the rare ones of many are summed up."""
    shown = [f"{name} {number}" for name, number in list(counted.items())[:most]]
    more = len(counted) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if value is None or value == [] or value == {}:
        return "–"
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return str(value)


def print_reply(reply: Reply, trace: Trace) -> None:
    """The reply, then the whole decision behind it: intents, hits, thresholds, the draft with its check."""
    console = out()
    for part in reply.parts:
        console.print(Text(part.text), soft_wrap=True)
        console.print(Text(f"  [{part.kind}, {part.confidence:.2f}]", style=ACCENT))
        for source in part.sources:
            console.print(Text(f"  source: {source.title}  {source.url}", style="dim"), soft_wrap=True)
        for card in part.cards:
            console.print(Text(f"  ▭ {card.title}  {card.text}"), soft_wrap=True)
        for choice in part.choices:
            console.print(Text(f"  › {choice.title}"))
    console.print()
    console.print(Text(f"release {trace.release}, mode {trace.mode}", style="dim"))
    thresholds = ", ".join(f"{name} {value:.2f}" for name, value in trace.thresholds.items())
    console.print(Text(f"thresholds: {thresholds}", style="dim"))
    for part_trace in trace.parts:
        console.print()
        console.print(Text(f"“{part_trace.request}” ({part_trace.lang}): {part_trace.rule}", style="bold"))
        if part_trace.read_as:
            console.print(Text(f"read as “{part_trace.read_as}”"), soft_wrap=True)
        console.print(Text(part_trace.reason), soft_wrap=True)
        if part_trace.added:
            console.print(Text(f"added “{part_trace.added}”"), soft_wrap=True)
        ranked = [(guess.name, f"{guess.confidence:.3f}") for guess in part_trace.classification.ranked]
        if ranked:
            console.print(table("", ("intent", "probability"), ranked))
        console.print(Text(f"in scope {part_trace.classification.in_scope:.3f}"))
        if part_trace.hits:
            hits = [
                (
                    f"{hit.score:.3f}",
                    f"{hit.keyword_score:.2f}",
                    f"{hit.dense_score:.2f}",
                    hit.title_path or hit.title,
                )
                for hit in part_trace.hits
            ]
            console.print(table("", ("score", "keyword", "dense", "passage"), hits))
        if part_trace.draft is not None:
            draft = part_trace.draft
            verdict = "passed" if draft.check.passed else "refused: " + "; ".join(draft.check.reasons)
            console.print(
                Text(f"draft ({draft.origin}, {draft.score:.2f}, {verdict}): {draft.text}"), soft_wrap=True
            )
    if trace.milliseconds:
        spent = ", ".join(f"{name} {value:.1f}" for name, value in trace.milliseconds.items())
        console.print(Text(f"milliseconds: {spent}", style="dim"))
