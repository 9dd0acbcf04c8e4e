"""``bench next``: what comes next in a conversation, against the most frequent follower.

Rows with customers' intents (sgd) are asked for the next intent that differs; rows with agents' labels (star) for the
label of the agent's next turn. ``--no-words`` reads the names alone. The served form is measured; a tenth of the
training file chooses the weights.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import click

from web.bench.figures import json_option, write_figures
from web.bench.rows import no_dialogue, read_rows

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("next")
@click.option("--train", "train_file", type=FILE, required=True, help="Dialogue rows to learn from.")
@click.option("--test", "test_file", type=FILE, required=True, help="Dialogue rows to measure on.")
@click.option("--no-words", is_flag=True, help="Read the names of what came before, not what was said.")
@click.option("--epochs", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--seed", type=int, default=13, show_default=True)
@click.option("--threads", type=click.IntRange(min=0), default=1, show_default=True, help="0: all cores.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@json_option
def command(
    train_file: Path, test_file: Path, no_words: bool, epochs: int, seed: int, threads: int, device: str,
    json_file: Path | None,
) -> None:  # fmt: skip
    """Measure the proposal of what customers ask next."""
    from web.terminal import TerminalProgress, out

    with TerminalProgress() as progress:
        figures = measure(
            train_file, test_file, words=not no_words, epochs=epochs, seed=seed, threads=threads, device=device,
            progress=progress,
        )  # fmt: skip
    write_figures(figures, json_file)
    out().print(
        f"hit@3 {figures['hit_at_3']:.1f} % of {figures['n_test']} (most frequent follower "
        f"{figures['baseline_hit_at_3']:.1f} %) · {figures['names']} names · "
        f"trained in {figures['train_seconds']:.0f} s · {figures['cpu_ms']:.2f} ms CPU each"
    )


def measure(
    train_file: Path,
    test_file: Path,
    *,
    words: bool = True,
    epochs: int = 10,
    seed: int = 13,
    threads: int = 1,
    device: str = "auto",
    progress: Any = None,
) -> dict[str, Any]:
    """Train on one file, measure on the other → figures (MEASURES: bench next)."""
    import os

    import torch

    from chatbot.inference.next_intent import NextIntents
    from chatbot.learning.next_intent_training import (
        NextIntentSettings,
        baseline,
        events_of,
        hit_at_3,
        train_next_intents,
    )

    torch.set_num_threads(threads or os.cpu_count() or 1)
    rows = [
        events for events in (events_of(row) for row in read_rows(train_file, no_dialogue)) if len(events) > 1
    ]
    held = Random(seed).sample(rows, max(1, len(rows) // 10))
    chosen = {id(events) for events in held}
    train = [events for events in rows if id(events) not in chosen]
    tell = (lambda state: progress("training", state.step / state.total_steps)) if progress else None
    with tempfile.TemporaryDirectory() as name:
        report = train_next_intents(
            train, held, Path(name), settings=NextIntentSettings(epochs=epochs, words=words), device=device,
            seed=seed, progress=tell,
        )  # fmt: skip
        model = NextIntents.load(Path(name))
        test = [
            events
            for events in (events_of(row) for row in read_rows(test_file, no_dialogue))
            if len(events) > 1
        ]
        began = time.process_time()
        found = hit_at_3(model, test, words=words)
        predicted = sum(len(events) - 1 for events in test)
        each = 1000 * (time.process_time() - began) / max(1, predicted)
    return {
        "hit_at_3": round(found, 2),
        "baseline_hit_at_3": round(baseline(rows, test), 2),
        "held_hit_at_3": report.hit_at_3,
        "n_train": len(train),
        "n_test": predicted,
        "names": report.names,
        "words": words,
        "train_seconds": report.seconds,
        "cpu_ms": round(each, 3),
    }
