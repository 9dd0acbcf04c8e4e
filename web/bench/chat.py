"""``bench chat``: visitors writing at a fixed rate; first byte, total, and whether anything was lost or doubled.

Without ``--url`` it makes the demo bot in a temporary folder (or in ``--data``, kept for the next run), starts a
server of its own with raised limits, and measures that server's memory and processor time too.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import click

from web.bench import load
from web.bench.counted import drafts_counted, drafts_since
from web.bench.faulty_server import running
from web.bench.figures import json_option, write_figures
from web.bench.processes import Usage, usage
from web.bench.server import demo_folder

LOOK_SECONDS = 10.0


@click.command("chat")
@click.option("--url", help="A server that runs already, with raised limits. Without it one is started.")
@click.option(
    "--rate", type=click.FloatRange(min=0.1), required=True, help="Messages a second, all together."
)
@click.option("--seconds", type=click.FloatRange(min=1), required=True, help="For how long.")
@click.option(
    "--streams", type=click.IntRange(min=1), default=50, show_default=True, help="Visitors who write."
)
@click.option(
    "--engines", is_flag=True, help="On PostgreSQL and Redis of its own instead of SQLite (not with --url)."
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Web processes (not with --url).",
)
@click.option("--idle", type=click.IntRange(min=0), default=0, show_default=True, help="Widgets open beside.")
@demo_folder
@json_option
def command(
    url: str | None,
    rate: float,
    seconds: float,
    streams: int,
    engines: bool,
    processes: int,
    idle: int,
    data: Path | None,
    json_file: Path | None,
) -> None:
    """Load on the chat: visitors who write at a fixed rate, and what becomes of every message."""
    from web.terminal import TerminalProgress

    texts = questions()
    token = "" if url else secrets.token_hex()
    own = server(url, data, engines=engines, processes=processes, metrics_token=token)
    with own as (address, pid), TerminalProgress() as progress:
        figures = measure(
            address,
            texts,
            rate=rate,
            seconds=seconds,
            streams=streams,
            idle=idle,
            pid=pid,
            metrics_token=token,
            progress=progress,
        )
    write_figures(figures, json_file)
    _print(figures)


def questions() -> list[str]:
    """The demo company's test questions, English and Chinese in turn."""
    lines = (files("ingest.demo") / "test_questions.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    by_lang: dict[str, list[str]] = {}
    for row in rows:
        by_lang.setdefault(row["lang"], []).append(row["text"])
    longest = max(len(texts) for texts in by_lang.values())
    return [texts[number] for number in range(longest) for texts in by_lang.values() if number < len(texts)]


def measure(
    url: str,
    texts: Sequence[str],
    *,
    rate: float,
    seconds: float,
    streams: int,
    idle: int = 0,
    pid: int | None = None,
    metrics_token: str = "",
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> dict[str, Any]:
    """→ the figures of MEASURES (times in ms, sizes in bytes); memory and processor time where ``pid`` is ours, drafts
    where its metrics are. A message that was never answered counts with as long as it had waited in the end: the times
    are at least what is said, never less."""
    before = usage(pid) if pid else None
    drafts = drafts_counted(url, metrics_token)
    with Watched(pid) as watched:
        outcome = asyncio.run(
            load.run(url, texts, rate=rate, seconds=seconds, streams=streams, idle=idle, progress=progress)
        )
    after = usage(pid) if pid else None
    return {
        "rate": rate,
        "seconds": round(outcome.seconds, 3),
        "streams": streams,
        "idle": idle,
        "sent": len(outcome.sent),
        "answered": outcome.answered,
        "errors": outcome.errors.total(),
        "errors_by_kind": dict(outcome.errors),
        "unanswered": outcome.unanswered,
        "lost": outcome.lost,
        "duplicated": outcome.duplicated,
        "out_of_order": outcome.out_of_order,
        "unchecked": outcome.unchecked,
        "first_byte": percentiles(_waited(outcome.sent, lambda sent: sent.first_byte)),
        "total": percentiles(_waited(outcome.sent, lambda sent: sent.total)),
        "drafts": drafts_since(drafts, drafts_counted(url, metrics_token)),
        "rss_bytes": after.rss_bytes if after else None,
        "pss_bytes": after.pss_bytes if after else None,
        "memory": watched.memory,
        "rss_series": watched.series,
        "load_average": watched.load_average,
        "cpu_seconds": _spent(before, after),
    }


def _waited(messages: Sequence[load.Sent], time_of: Callable[[load.Sent], float | None]) -> list[float]:
    """Seconds of each message that met with no error: until the time asked for, or at least until the end."""
    times = (time_of(sent) or sent.given_up for sent in messages if not sent.error)
    return [seconds for seconds in times if seconds is not None]


class Watched:
    """Memory of a process and its children while something runs, from its start to its end, ``LOOK_SECONDS`` apart, and
    how busy the machine was (the mean of the one-minute load averages seen)."""

    def __init__(self, pid: int | None) -> None:
        self.series: list[int] = []
        self._loads: list[float] = []
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def load_average(self) -> float:
        return round(sum(self._loads) / max(len(self._loads), 1), 2)

    @property
    def memory(self) -> dict[str, int] | None:
        """At the start, in the middle and at the end."""
        if not self.series:
            return None
        return {"start": self.series[0], "middle": self.series[len(self.series) // 2], "end": self.series[-1]}

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        self._loads.append(os.getloadavg()[0])
        if self._pid and (used := usage(self._pid)):
            self.series.append(used.rss_bytes)


def percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    """p50, p95 and p99 in milliseconds, by nearest rank."""
    ranked = sorted(seconds)
    found: dict[str, float | None] = {}
    for share in (50, 95, 99):
        rank = math.ceil(share / 100 * len(ranked)) - 1
        found[f"p{share}"] = round(ranked[rank] * 1000, 2) if ranked else None
    return found


def _spent(before: Usage | None, after: Usage | None) -> float | None:
    return round(after.cpu_seconds - before.cpu_seconds, 2) if before and after else None


# --- a server of its own ---------------------------------------------------------------------------------


@contextmanager
def server(
    url: str | None,
    data: Path | None,
    *,
    engines: bool = False,
    processes: int = 1,
    metrics_token: str = "",
) -> Iterator[tuple[str, int | None]]:
    """The address to load and the process id where the server is ours."""
    if url is not None:
        yield url.rstrip("/"), None
        return
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        wanted = {"FRONTDESK_WEB_PROCESSES": str(processes), "FRONTDESK_METRICS_TOKEN": metrics_token}
        ours = stack.enter_context(running(folder, engines=engines, environment=wanted))
        yield ours.address, ours.process.pid if ours.process else None


def _print(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from web.terminal import out

    table = Table("", "p50", "p95", "p99", box=None, pad_edge=False)
    for name in ("first_byte", "total"):
        times = (f"{value:.1f} ms" if value is not None else "–" for value in figures[name].values())
        table.add_row(name.replace("_", " "), *times)
    console = out()
    console.print(table)
    counted = ("sent", "answered", "errors", "unanswered", "lost", "duplicated", "out_of_order", "unchecked")
    console.print("  ".join(f"{name.replace('_', ' ')} {figures[name]}" for name in counted))
    if figures["errors_by_kind"]:
        console.print(", ".join(f"{kind}: {count}" for kind, count in figures["errors_by_kind"].items()))
    if figures["rss_bytes"] is not None:
        shared = f"(shared pages once: {figures['pss_bytes'] / 1e6:.0f})"
        console.print(
            f"memory {figures['rss_bytes'] / 1e6:.0f} MB {shared}  processor {figures['cpu_seconds']:.1f} s"
        )
    if memory := figures["memory"]:
        told = ", ".join(f"{size / 1e6:.0f} MB ({when})" for when, size in memory.items())
        console.print(f"memory {told}, at most {max(figures['rss_series']) / 1e6:.0f}")
    if drafts := figures["drafts"]:
        console.print(
            f"drafts written {drafts['written']}, left out {drafts['left_out']}"
            + (f" ({drafts['left_out_share']:.1f} %)" if drafts["left_out_share"] is not None else "")
        )
    console.print(f"load average {figures['load_average']}")
