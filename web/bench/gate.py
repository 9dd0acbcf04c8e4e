"""``bench gate``: retrain on the same data, on poisoned labels and without an intent, and see what the gate says.

Every training is the fast tier in a small size, so that twenty fit into minutes; the gate sees the outcomes of the form
that serves on the same frozen half of the rows, as it does after ``frontdesk retrain``.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.bench.figures import json_option, write_figures
from web.bench.rows import read_rows

if TYPE_CHECKING:
    from chatbot.learning.evaluation import Evaluation
    from chatbot.learning.gate import Verdict

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FROZEN = 0.5  # share of the rows that no training sees
VALID = 0.12  # of the others
POISONED = 0.2  # share of the labels that are dealt out anew
KEPT = 0.95  # of the rows, in a resample
OUTSIDE = 6  # one out-of-scope row for so many in scope, taken from the intents that are left out


@dataclass(frozen=True, slots=True)
class Material:
    """``frozen`` is measured on, ``pool`` trained on; both rows of examples.jsonl."""

    frozen: list[dict[str, Any]]
    pool: list[dict[str, Any]]
    languages: tuple[str, ...]


@click.command("gate")
@click.option(
    "--rows", "files", type=FILE, required=True, multiple=True, help="Intent rows; several files are joined."
)
@click.option(
    "--intents", default=30, show_default=True, help="So many intents; the others are out of scope."
)
@click.option("--runs", default=20, show_default=True, help="Retrainings on a 95 % resample.")
@click.option("--steps", default=300, show_default=True, help="Training steps of each.")
@click.option("--seed", default=13, show_default=True)
@json_option
def command(
    files: tuple[Path, ...], intents: int, runs: int, steps: int, seed: int, json_file: Path | None
) -> None:
    """Measure the gate: what it promotes, what it refuses, and why."""
    from web.terminal import TerminalProgress, out, table

    rows = [row for file in files for row in read_rows(file)]
    with TerminalProgress() as progress:
        figures = measure(rows, intents=intents, runs=runs, steps=steps, seed=seed, progress=progress)
    write_figures(figures, json_file)
    shown = [
        (row["run"], {True: "promoted", False: "refused", None: "a person"}[row["promote"]], row["reason"])
        for row in figures["candidates"]
    ]
    out().print(table("", ("candidate", "gate", "reason"), shown))
    click.echo(
        f"{figures['promoted']} of {runs} resamples promoted; {figures['n_frozen']} frozen examples, "
        f"{figures['disagreement']} % of the answers differ between two trainings"
    )


def measure(
    rows: Sequence[dict[str, Any]],
    *,
    intents: int,
    runs: int,
    steps: int,
    seed: int = 13,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Train the live release and its candidates; → ``candidates`` (run, promote, reason, blocked, measures, accuracy),
    ``promoted`` of the resamples, ``n_frozen``, ``n_train``, ``disagreement`` (percent), ``seconds``."""
    began, tell = time.monotonic(), progress or (lambda stage, share: None)
    material = prepare(rows, intents=intents, seed=seed)
    labels = sorted({row["intent"] for row in material.pool} - {"oos"})
    plans: list[tuple[str, list[dict[str, Any]]]] = [
        ("20 % of the labels shuffled", poisoned(material.pool, seed)),
        (f"without {labels[0]}", [row for row in material.pool if row["intent"] != labels[0]]),
    ]
    plans += [(f"resample {number + 1}", resampled(material.pool, number)) for number in range(runs)]
    live, live_labels = train(material.pool, material, steps=steps, seed=seed)
    candidates, disagreements = [], []
    for number, (name, pool) in enumerate(plans):
        tell("train", number / len(plans))
        found, found_labels = train(pool, material, steps=steps, seed=seed)
        verdict = judged(found, found_labels, live, live_labels)
        if name.startswith("resample"):
            pairs = zip(found.outcomes, live.outcomes, strict=True)
            disagreements.append(sum(a.right != b.right for a, b in pairs) / len(live.outcomes))
        candidates.append(
            {"run": name, "accuracy": found.classifier.accuracy if found.classifier else None}
            | verdict.as_json()
        )
    tell("train", 1.0)
    resamples = candidates[2:]
    return {
        "n_frozen": len(material.frozen),
        "n_train": len(material.pool),
        "n_intents": len(labels),
        "live_accuracy": live.classifier.accuracy if live.classifier else None,
        "promoted": sum(row["promote"] is True for row in resamples),
        "poisoned_refused": candidates[0]["promote"] is False,
        "removed_named": candidates[1]["blocked_intents"] == (labels[0],),
        "disagreement": round(100 * sum(disagreements) / max(1, len(disagreements)), 2),
        "candidates": candidates,
        "seconds": round(time.monotonic() - began, 1),
    }


def prepare(rows: Sequence[dict[str, Any]], *, intents: int, seed: int = 13) -> Material:
    """``intents`` of them, drawn by seed; rows of the others, and those labelled ``oos``, are out of scope."""
    seen: set[str] = set()
    kept_rows = []
    for row in rows:
        if row["text"].lower() not in seen:
            seen.add(row["text"].lower())
            kept_rows.append(row)
    names = sorted({row["intent"] for row in kept_rows} - {"oos"})
    random.Random(seed).shuffle(names)
    chosen = {*names[:intents], "oos"}
    inside = [row for row in kept_rows if row["intent"] in chosen]
    outside = [row | {"intent": "oos"} for row in kept_rows if row["intent"] not in chosen]
    random.Random(5).shuffle(outside)
    inside += outside[: len(inside) // OUTSIDE]
    frozen, pool = [], []
    for row in inside:
        plain = {"text": row["text"], "intent": row["intent"], "lang": row["lang"], "context": []}
        if _chance(row["text"], "f") < FROZEN:
            frozen.append(plain | {"split": "test"})
        else:
            pool.append(plain | {"split": "valid" if _chance(row["text"], "v") < VALID else "train"})
    return Material(frozen, pool, tuple(sorted({row["lang"] for row in inside})))


def poisoned(pool: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """The labels of a fifth of the rows dealt out anew among them; validation rows are not spared."""
    draw = random.Random(seed + 86)
    changed = [dict(row) for row in pool]
    places = draw.sample(range(len(changed)), round(len(changed) * POISONED))
    labels = [changed[place]["intent"] for place in places]
    draw.shuffle(labels)
    for place, label in zip(places, labels, strict=True):
        changed[place]["intent"] = label
    return changed


def resampled(pool: Sequence[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    draw = random.Random(1000 + number)
    return [row for row in pool if draw.random() < KEPT]


def train(
    pool: Sequence[dict[str, Any]],
    material: Material,
    *,
    steps: int,
    seed: int,
    start: Path | None = None,
    keep: Path | None = None,
) -> tuple[Evaluation, tuple[str, ...]]:
    """A fast tier trained on ``pool`` and measured, as it serves, on the frozen rows; its labels.

    ``start``: a classifier to learn on from; ``keep``: where the new one is left.
    """
    from chatbot.dialogue.options import SiteOptions
    from chatbot.inference.classifier_config import ClassifierConfig
    from chatbot.inference.classify_states import load_classifier
    from chatbot.learning.classifier_data import Recipe
    from chatbot.learning.classifier_training import train_classifier
    from chatbot.learning.evaluation import evaluate
    from chatbot.learning.snapshot import Snapshot, SnapshotManifest

    recipe = Recipe(steps=steps, least_epochs=4, embedding=128, hidden=64)
    snapshot = Snapshot(SnapshotManifest("", "", seed, {}, material.languages), examples=material.frozen)
    with tempfile.TemporaryDirectory() as name:
        folder = keep or Path(name) / "classifier"
        train_classifier(
            pool, folder, languages=material.languages, device="cpu", seed=seed, recipe=recipe, start=start
        )
        classifier = load_classifier(folder, threads=1)
        found = evaluate(snapshot, classifier=classifier, search=None, sureness=SiteOptions().sureness)
        return found, ClassifierConfig.load(folder).labels


def judged(found: Evaluation, labels: Sequence[str], live: Evaluation, live_labels: Sequence[str]) -> Verdict:
    from chatbot.learning.gate import judge

    return judge(found.outcomes, live.outcomes, candidate_intents=labels, live_intents=live_labels)


def _chance(text: str, salt: str) -> float:
    """A number 0..1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256((salt + text).encode()).digest()[:6], "big") / 2**48
