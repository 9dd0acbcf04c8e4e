"""Train the tagger of entities on messages whose details somebody marked, and write ``entities/`` of the bundle.

``entities/``: config.json with the kinds and transitions, tagger.onnx, weights.safetensors. Needs torch, numpy, onnx
and safetensors; no database, web or FAISS.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import torch
from safetensors.numpy import save_file

from chatbot.errors import TrainingError
from chatbot.inference.tagger import FOLDER, FORMAT, EntityTagger, decode
from chatbot.language.entity_tags import BUCKETS, OUTSIDE, entities_of, features, spans, tags_of
from chatbot.learning.time_plan import seconds_left
from chatbot.neural.batches import length_buckets
from chatbot.neural.entity_tagger import EntityNetwork, TaggedBatch, TaggerConfig, tagged_batch
from chatbot.neural.entity_tagger_export import tagger_graph
from chatbot.neural.fit import fit
from chatbot.neural.fit_report import FitProgress, Score
from chatbot.neural.fit_settings import FitSettings

LEAST = 10  # marked entities of a kind, below which it is not learned
_HELD = 0.1  # share of the messages that validates where the rows bring no validation

Row = tuple[list[list[int]], list[int]]  # features and tag of each piece


@dataclass(frozen=True)
class TaggerSettings:
    batch: int = 32
    steps: int = 1_500
    least_epochs: int = 8
    most_epochs: int = 60
    learning_rate: float = 1e-2


@dataclass(frozen=True)
class TaggerReport:
    """Percent over whole entities (kind and both ends right) of the validation messages, in the served form
    (Tjong Kim Sang and De Meulder 2003); ``kinds``: kind → (f1, how many); ``rare``: kinds with too few marks."""

    f1: float
    precision: float
    recall: float
    kinds: dict[str, tuple[float, int]]
    n_train: int
    n_valid: int
    seconds: float
    same_path: float  # share of the validation messages on which trained and served form agree
    rare: dict[str, int] = field(default_factory=dict)


def train_tagger(
    rows: Iterable[Mapping[str, Any]],
    out: Path,
    *,
    settings: TaggerSettings | None = None,
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[FitProgress], None] | None = None,
) -> TaggerReport:
    """``rows``: {"text", "entities": [{"kind", "start", "end"}], "split"}; those without ``entities`` were never looked
    at and are left. Raises TrainingError where no kind has ``LEAST`` marks to train on.
    """
    began = time.monotonic()
    settings = settings or TaggerSettings()
    looked_at = [row for row in rows if row.get("entities") is not None and spans(row["text"])]
    train = [row for row in looked_at if row.get("split", "train") == "train"]
    valid = [row for row in looked_at if row.get("split") == "valid"]
    if not valid:
        Random(seed).shuffle(train)
        held = math.ceil(_HELD * len(train))
        train, valid = train[held:], train[:held]
    counts = Counter(mark["kind"] for row in train for mark in row["entities"])
    kinds = tuple(sorted(kind for kind, count in counts.items() if count >= LEAST))
    if not kinds:
        raise TrainingError(
            f"No kind of entity has {LEAST} marked examples to learn from",
            field="entities",
            value=", ".join(f"{kind}: {count}" for kind, count in counts.most_common(5)) or "none",
            remedy="Mark more, or import Rasa training data whose examples mark them",
        )
    tags = tags_of(kinds)
    number = {tag: at for at, tag in enumerate(tags)}
    encoded = [_encoded(row, number) for row in train]
    held_rows = [_encoded(row, number) for row in valid]
    torch.manual_seed(seed)
    network = EntityNetwork(TaggerConfig(tags, BUCKETS))

    def batches(epoch: int) -> Iterable[TaggedBatch]:
        buckets = length_buckets([len(told) for _, told in encoded], settings.batch, seed=seed, epoch=epoch)
        return (tagged_batch([encoded[int(place)] for place in bucket]) for bucket in buckets)

    def validate() -> Score:
        found = _paths(network, held_rows)
        told = [[tags[tag] for tag in wanted] for _, wanted in held_rows]
        return Score("entity F1", _scores(told, [[tags[tag] for tag in path] for path in found])[0])

    steps = max(1, len(encoded) // settings.batch)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small that threads wait for each other longer than they work
    try:
        result = fit(
            network,
            batches,
            steps,
            validate,
            FitSettings(
                epochs=min(settings.most_epochs, max(settings.least_epochs, round(settings.steps / steps))),
                learning_rate=settings.learning_rate,
                budget_seconds=seconds_left(budget_seconds, began),
                mixed_precision=False,  # so small that converting costs more than it saves
                seed=seed,
            ),
            device=device,
            progress=progress,
        )
    finally:
        torch.set_num_threads(threads)
    network = network.cpu().eval()
    _write(network, kinds, out)
    return _report(network, EntityTagger.load(out), train, valid, held_rows, tags, counts, result.seconds)


def _encoded(row: Mapping[str, Any], number: Mapping[str, int]) -> Row:
    """A mark that begins or ends within a piece takes the whole piece; of two on one piece the first has it."""
    places = spans(row["text"])
    told = [0] * len(places)
    for mark in row["entities"]:
        if f"B-{mark['kind']}" not in number:
            continue
        inside = [at for at, (start, end) in enumerate(places) if start < mark["end"] and mark["start"] < end]
        if any(told[at] for at in inside):
            continue
        for at in inside:
            told[at] = number[f"{'B' if at == inside[0] else 'I'}-{mark['kind']}"]
    return features(row["text"], places), told


@torch.no_grad()
def _paths(network: EntityNetwork, rows: Sequence[Row]) -> list[list[int]]:
    network.eval()
    device = next(network.parameters()).device
    follow, begin = (part.cpu().double().numpy() for part in network.transitions())
    found = []
    for at in range(0, len(rows), 128):
        batch = tagged_batch(rows[at : at + 128]).to(device)
        scores = network(batch.features, batch.lengths).cpu().double().numpy()
        found += [
            decode(scores[place, :length], follow, begin)[0]
            for place, length in enumerate(batch.lengths.tolist())
        ]
    return found


def _scores(told: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> tuple[float, float, float]:
    """F1, precision and recall in percent, over whole entities."""
    right = n_told = n_found = 0
    for wanted, got in zip(told, found, strict=True):
        first, second = set(entities_of(wanted)), set(entities_of(got))
        right += len(first & second)
        n_told += len(first)
        n_found += len(second)
    precision, recall = right / max(1, n_found), right / max(1, n_told)
    return 200 * precision * recall / max(1e-9, precision + recall), 100 * precision, 100 * recall


def _report(
    network: EntityNetwork,
    served: EntityTagger,
    train: Sequence[Mapping[str, Any]],
    valid: Sequence[Mapping[str, Any]],
    rows: Sequence[Row],
    tags: Sequence[str],
    counts: Mapping[str, int],
    seconds: float,
) -> TaggerReport:
    trained = [[tags[tag] for tag in path] for path in _paths(network, rows)]
    told = [[tags[tag] for tag in wanted] for _, wanted in rows]
    got = [served.tags(row["text"]) for row in valid]
    f1, precision, recall = _scores(told, got)
    kinds = {}
    for kind in served.kinds:
        own = [[tag if tag[2:] == kind else OUTSIDE for tag in one] for one in told]
        ours = [[tag if tag[2:] == kind else OUTSIDE for tag in one] for one in got]
        kinds[kind] = (round(_scores(own, ours)[0], 2), sum(len(entities_of(one)) for one in own))
    return TaggerReport(
        f1=round(f1, 2),
        precision=round(precision, 2),
        recall=round(recall, 2),
        kinds=kinds,
        n_train=len(train),
        n_valid=len(valid),
        seconds=round(seconds, 1),
        same_path=round(
            sum(one == other for one, other in zip(trained, got, strict=True)) / max(1, len(got)), 4
        ),
        rare={kind: count for kind, count in sorted(counts.items()) if kind not in served.kinds},
    )


def _write(network: EntityNetwork, kinds: Sequence[str], out: Path) -> None:
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: np.ascontiguousarray(value.detach().float().numpy())
        for name, value in network.state_dict().items()
        if not name.startswith("cannot_")
    }
    save_file(state, folder / "weights.safetensors")
    model = tagger_graph(state)
    onnx.checker.check_model(model)
    (folder / "tagger.onnx").write_bytes(model.SerializeToString())
    follow, begin = (part.detach().double() for part in network.transitions())
    config = {
        "format": FORMAT,
        "kinds": list(kinds),
        "transitions": [[round(value, 5) for value in row] for row in follow.tolist()],
        "begin": [round(value, 5) for value in begin.tolist()],
    }
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False) + "\n", "utf-8")
