"""``bench start``: from nothing to a web server that can answer, with an index of as many passages as wanted.

The demo bot gets articles of made-up sentences beside its own; the first start takes them into the index and is not
counted. Then the service is started and stopped several times, each time from new processes (the files may still lie in
the system's cache, as they do after a crash or an update).
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from chatbot.errors import UnavailableError
from web.bench.chat import percentiles
from web.bench.figures import json_option, write_figures
from web.bench.processes import usage
from web.bench.server import Server, demo_folder

A_PASSAGE = 3  # paragraphs an article, each a passage of its own

Progress = Callable[[str, float], None]


@click.command("start")
@click.option(
    "--passages", type=click.IntRange(min=0), default=10_000, show_default=True, help="In the index at least."
)
@click.option("--starts", type=click.IntRange(min=1), default=5, show_default=True, help="How often.")
@demo_folder
@json_option
def command(passages: int, starts: int, data: Path | None, json_file: Path | None) -> None:
    """Seconds from starting the processes until the bot can answer."""
    from web.terminal import TerminalProgress, out

    with tempfile.TemporaryDirectory(prefix="frontdesk-start-") as temporary, TerminalProgress() as progress:
        figures = run(data or Path(temporary), passages=passages, starts=starts, progress=progress)
    write_figures(figures, json_file)
    for name, value in figures.items():
        out().print(f"{name.replace('_', ' '):16} {value}")


def run(
    data: Path, *, passages: int, starts: int, progress: Progress = lambda stage, share: None
) -> dict[str, Any]:
    """→ ``indexed`` passages; ``ready`` (ms, from the start of the first process until /readyz says 200), processor
    seconds until then, and the memory of all processes. Raises UnavailableError."""
    server = Server(data)
    server.make()
    with ExitStack() as stack:
        stack.callback(server.stop)
        progress("index", 0.0)
        server.start()
        indexed = _indexed(server)
        if indexed < passages:
            _add_articles(server, passages - indexed)
            while (indexed := _indexed(server)) < passages:
                time.sleep(1)
        progress("index", 1.0)
        server.stop()
        seconds, processor, memory = [], [], []
        for number in range(starts):
            begun = time.monotonic()
            server.start()
            seconds.append(time.monotonic() - begun)
            used = usage(server.process.pid) if server.process else None
            if _indexed(server) < indexed:
                raise UnavailableError(
                    "The index was not whole when the server said it was ready", value=indexed
                )
            if used is not None:
                processor.append(used.cpu_seconds)
                memory.append(used.rss_bytes)
            server.stop()
            progress("starts", (number + 1) / starts)
    return {
        "indexed": indexed,
        "starts": starts,
        "ready": percentiles(seconds),
        "slowest_seconds": round(max(seconds), 2),
        "cpu_seconds": max(processor, default=None),
        "rss_bytes": max(memory, default=None),
    }


def _indexed(server: Server) -> int:
    return int(server.told()[1].get("models", {}).get("indexed", 0))


def _add_articles(server: Server, passages: int) -> None:
    """Seeded sentences of a made-up vocabulary, so that no two passages are alike."""
    rng = random.Random(13)
    words = ["".join(rng.choices("aeioubdfgklmnprstv", k=rng.randrange(3, 9))) for _ in range(4000)]
    with tempfile.TemporaryDirectory(prefix="frontdesk-articles-") as folder:
        path = Path(folder) / "articles.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for number in range(-(-passages // A_PASSAGE)):
                parts = [
                    f"## {' '.join(rng.choices(words, k=3))}\n\n{_paragraph(rng, words)}"
                    for _ in range(A_PASSAGE)
                ]
                row = {
                    "title": f"Part {number} {rng.choice(words)}",
                    "body": "\n\n".join(parts),
                    "lang": "en",
                }
                file.write(json.dumps(row) + "\n")
        server.command("ingest", "articles", str(path), quiet=True)


def _paragraph(rng: random.Random, words: list[str]) -> str:
    return " ".join(" ".join(rng.choices(words, k=9)).capitalize() + "." for _ in range(6))
