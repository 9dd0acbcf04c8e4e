"""``bench warm``: learn some new intents on from a trained classifier, held against training from scratch.

The same size of network, rows and frozen half as in ``bench gate``.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.bench.figures import json_option, write_figures
from web.bench.gate import FILE, judged, prepare, train
from web.bench.rows import read_rows

if TYPE_CHECKING:
    from chatbot.learning.evaluation import Evaluation


@click.command("warm")
@click.option(
    "--rows", "files", type=FILE, required=True, multiple=True, help="Intent rows; several files are joined."
)
@click.option("--intents", default=30, show_default=True, help="So many intents in all.")
@click.option("--new", default=3, show_default=True, help="So many of them are new.")
@click.option("--steps", default=300, show_default=True, help="Training steps from scratch.")
@click.option("--seed", default=13, show_default=True)
@json_option
def command(
    files: tuple[Path, ...], intents: int, new: int, steps: int, seed: int, json_file: Path | None
) -> None:
    """Measure learning on: accuracy on old and new intents, and the time it takes."""
    from web.terminal import TerminalProgress, print_values

    rows = [row for file in files for row in read_rows(file)]
    with TerminalProgress() as progress:
        figures = measure(rows, intents=intents, new=new, steps=steps, seed=seed, progress=progress)
    write_figures(figures, json_file)
    for name in ("before", "scratch", "warm"):
        print_values(name, figures[name])
    click.echo(f"gate, warm held against scratch: {figures['gate']}")


def measure(
    rows: Sequence[dict[str, Any]],
    *,
    intents: int,
    new: int,
    steps: int,
    seed: int = 13,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """→ ``before`` (without the new intents), ``scratch`` and ``warm``: accuracy on old and new intents in percent,
    wall and CPU seconds; ``gate``: its verdict on warm with scratch as the live release."""
    tell = progress or (lambda stage, share: None)
    material = prepare(rows, intents=intents, seed=seed)
    labels = sorted({row["intent"] for row in material.pool} - {"oos"})
    fresh = set(random.Random(seed).sample(labels, new))
    figures: dict[str, Any] = {"new_intents": sorted(fresh), "n_frozen": len(material.frozen)}
    found: dict[str, tuple[Evaluation, tuple[str, ...]]] = {}
    with tempfile.TemporaryDirectory() as name:
        before = Path(name) / "before"
        for number, (kind, pool, start, keep) in enumerate(
            (
                ("before", [row for row in material.pool if row["intent"] not in fresh], None, before),
                ("scratch", material.pool, None, None),
                ("warm", material.pool, before, None),
            )
        ):
            tell("train", number / 3)
            began, cpu = time.monotonic(), time.process_time()
            found[kind] = train(pool, material, steps=steps, seed=seed, start=start, keep=keep)
            figures[kind] = _accuracy(found[kind][0], fresh) | {
                "seconds": round(time.monotonic() - began, 1),
                "cpu_seconds": round(time.process_time() - cpu, 1),
            }
    tell("train", 1.0)
    verdict = judged(*found["warm"], *found["scratch"])
    figures["gate"] = verdict.reason
    return figures


def _accuracy(found: Evaluation, fresh: Collection[str]) -> dict[str, float]:
    def share(kept: list[bool]) -> float:
        return round(100 * sum(kept) / max(1, len(kept)), 2)

    inside = [outcome for outcome in found.outcomes if outcome.intent is not None]
    return {
        "old_intents": share([outcome.right for outcome in inside if outcome.intent not in fresh]),
        "new_intents": share([outcome.right for outcome in inside if outcome.intent in fresh]),
        "all_intents": share([outcome.right for outcome in inside]),
    }
