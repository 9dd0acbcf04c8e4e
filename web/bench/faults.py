"""``bench faults``: what becomes of acknowledged messages when processes are killed and things break under load.

Visitors write all the time and send a message again, with the same id, until the server acknowledges it. Meanwhile the
web server or the worker, and with ``--engines`` PostgreSQL or Redis, is killed (SIGKILL) at random moments; afterwards
come the mishaps of web/bench/mishaps.py, one after the other. At the end every acknowledged message must be there once,
with the one answer that was told.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from web.bench import mishaps
from web.bench.chat import percentiles
from web.bench.faulty_server import FaultyServer, running
from web.bench.figures import json_option, write_figures
from web.bench.insistence import Visitors
from web.bench.server import demo_folder

Progress = Callable[[str, float], None]


@click.command("faults")
@click.option("--kills", type=click.IntRange(min=0), default=20, show_default=True, help="Processes to kill.")
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=120, show_default=True, help="For the kills."
)
@click.option(
    "--engines",
    is_flag=True,
    help="On PostgreSQL and Redis of its own, which are killed too; moves the demo's database there.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([one.__name__ for one in mishaps.ALL] + ["none"]),
    help="Only these mishaps after the kills; none: kills alone.",
)
@click.option("--seed", default=13, show_default=True, help="The same moments and victims.")
@demo_folder
@json_option
def command(
    kills: int,
    seconds: float,
    engines: bool,
    only: tuple[str, ...],
    seed: int,
    data: Path | None,
    json_file: Path | None,
) -> None:
    """Kill processes and break things under load; count what was lost and doubled."""
    from web.terminal import TerminalProgress, out

    with tempfile.TemporaryDirectory(prefix="frontdesk-faults-") as temporary, TerminalProgress() as progress:
        figures = run(
            data or Path(temporary),
            kills=kills,
            seconds=seconds,
            engines=engines,
            only=only,
            seed=seed,
            progress=progress,
        )
    write_figures(figures, json_file)
    console = out()
    for name, value in figures.items():
        console.print(f"{name.replace('_', ' '):24} {value}")
    if figures["lost"] or figures["duplicated"] or figures["changed"] or False in figures["faults"].values():
        raise SystemExit(1)


def run(
    data: Path,
    *,
    kills: int,
    seconds: float,
    engines: bool = False,
    only: tuple[str, ...] = (),
    seed: int = 13,
    progress: Progress = lambda stage, share: None,
) -> dict[str, Any]:
    """→ the figures of MEASURES, times in ms; ``faults``: whether each mishap was survived, None: not tried here."""
    rng = random.Random(seed)
    with running(data, engines=engines) as server:
        visitors = Visitors(server.address)
        with visitors.writing():
            recovered, killed = _kill(server, rng, kills=kills, seconds=seconds, progress=progress)
        unanswered = dict(visitors.failures)
        faults: dict[str, bool | None] = {}
        for mishap in mishaps.ALL:
            if only and mishap.__name__ not in only:
                continue
            progress(mishap.__name__.replace("_", " "), 0.0)
            faults[mishap.__name__] = mishap(server, visitors)
            progress(mishap.__name__.replace("_", " "), 1.0)
        counted = visitors.compare()
    return {
        "kills": kills,
        "killed": dict(killed),
        "seconds": seconds,
        "acknowledged": len(visitors.acknowledged),
        "tries": visitors.tries,
        **counted,
        "recovered_seconds": {
            "p50": _seconds(percentiles(recovered)["p50"]),
            "max": round(max(recovered), 2) if recovered else None,
        },
        "unanswered_tries": unanswered,
        "faults": faults,
    }


def _seconds(milliseconds: float | None) -> float | None:
    return round(milliseconds / 1000, 2) if milliseconds is not None else None


def _kill(
    server: FaultyServer, rng: random.Random, *, kills: int, seconds: float, progress: Progress
) -> tuple[list[float], Counter[str]]:
    """Seconds until ready again, for each kill but the worker's; and what was killed how often."""
    recovered: list[float] = []
    killed: Counter[str] = Counter()
    moments = sorted(rng.uniform(0, seconds) for _ in range(kills))
    begun = time.monotonic()
    for number, moment in enumerate(moments):
        time.sleep(max(begun + moment - time.monotonic(), 0))
        victims = server.victims()
        kind = rng.choice([kind for kind, pids in victims.items() if pids] or ["none"])
        for pid in victims.get(kind, ()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        died = time.monotonic()
        killed[kind] += 1
        if server.engines is not None and kind in server.engines.ports:
            server.engines.bring_back(kind)
        if kind != "worker":
            time.sleep(0.2)
            server.wait_until_ready()
            recovered.append(time.monotonic() - died)
        progress("kills", (number + 1) / max(kills, 1))
    return recovered, killed
