"""Train the model of next questions on past conversations and write ``next/`` of the bundle.

``next/``: config.json with the names, next.onnx, weights.safetensors. Needs torch, numpy, onnx and safetensors; no
database, web or FAISS.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from chatbot.errors import TrainingError
from chatbot.inference.next_intent import (
    BUCKETS,
    FORMAT,
    MOST_EVENTS,
    START,
    Event,
    NextIntents,
    runs,
    word_buckets,
)
from chatbot.learning.next_words import HIT_AT, LastWords, weigh_last_words
from chatbot.learning.time_plan import cut_in_words, seconds_left
from chatbot.neural.batches import length_buckets
from chatbot.neural.fit import fit
from chatbot.neural.fit_report import FitProgress, Score
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.next_intent import EventBatch, NextIntentConfig, NextIntentNetwork, event_batch
from chatbot.neural.next_intent_export import next_intent_graph

COUNTS_AS = 20  # events: so much does what is usual behind anything weigh among the followers of one name
LEAST = 200  # events to predict, below which nothing is learned


@dataclass(frozen=True)
class NextIntentSettings:
    batch: int = 64
    epochs: int = 10
    learning_rate: float = 4e-3
    words: bool = True  # read what was said beside the names


@dataclass(frozen=True)
class NextIntentReport:
    """Percent of the validation's events whose name is among the three first; ``baseline``: the most frequent
    followers of the name before."""

    hit_at_3: float
    baseline_hit_at_3: float
    predicted: int
    names: int
    seconds: float
    counted_hit_at_3: float  # of the counts that the network begins with
    learned: bool  # whether the network knows more than they: else they are shipped alone
    cut: str | None = None  # where the clock ended it, in words


def events_of(row: Mapping[str, Any], *, article_intents: Mapping[Any, str] | None = None) -> list[Event]:
    """The events of a dialogue row: its customer's turns with an ``intent``; where none has one, its agent's turns
    with a ``label``; where none has one, its agent's turns whose first source is a passage in ``article_intents``.

    The text of an event ends before what is to be predicted from it is said.
    """
    turns = row["turns"]
    if any(turn["role"] == "customer" and turn.get("intent") for turn in turns):
        return _by_intent(turns)
    if any(turn["role"] == "agent" and turn.get("label") for turn in turns):
        return _by_label(turns)
    return _by_article(turns, article_intents or {})


def _by_intent(turns: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Each intent that differs from the one before, with all that is said until the next one."""
    events: list[Event] = []
    said: list[str] = []
    for turn in turns:
        name = turn.get("intent") if turn["role"] == "customer" else None
        text = str(turn.get("text") or "")
        if name and not (events and events[-1].name == name):
            if said and events:
                events[-1] = Event(events[-1].name, f"{events[-1].text} {' '.join(said)}".strip())
            events.append(Event(name, text))
            said = []
        else:
            said.append(text)
    return events


def _by_label(turns: Sequence[Mapping[str, Any]]) -> list[Event]:
    """What the agent did in turn; what the customer says behind it is known before the agent acts again."""
    events: list[Event] = []
    said: list[str] = []
    for turn in turns:
        name = turn.get("label") if turn["role"] == "agent" else None
        said.append(str(turn.get("text") or ""))
        if name:
            events.append(Event(name, " ".join(said)))
            said = []
        elif events:
            events[-1] = Event(events[-1].name, f"{events[-1].text} {said.pop()}".strip())
    return events


def _by_article(turns: Sequence[Mapping[str, Any]], article_intents: Mapping[Any, str]) -> list[Event]:
    """What the agent answered from in turn. The question behind an answer belongs to the next answer: when the next
    question is proposed, nobody has asked it yet."""
    events: list[Event] = []
    said: list[str] = []
    for turn in turns:
        said.append(str(turn.get("text") or ""))
        sources = (turn.get("sources") or ()) if turn["role"] == "agent" else ()
        name = article_intents.get(sources[0]) if sources else None
        if name:
            events.append(Event(name, " ".join(said)))
            said = []
    return runs(events)


def topics_of_passages(
    passages: Iterable[Mapping[str, Any]], pairs: Iterable[Mapping[str, Any]]
) -> dict[Any, str]:
    """Passage id → what its article answers: the intent bound to the article, else ``article:slug``."""
    bound = {row["article"]: str(row["intent"]) for row in pairs if row.get("intent") and row.get("article")}
    return {row["id"]: bound.get(row["article"], f"article:{row['article']}") for row in passages}


def train_next_intents(
    train: Sequence[Sequence[Event]],
    valid: Sequence[Sequence[Event]],
    out: Path,
    *,
    settings: NextIntentSettings | None = None,
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[FitProgress], None] | None = None,
) -> NextIntentReport:
    """Learn from the conversations' events and write ``out``/next/; without ``valid`` a tenth of them stands in.

    A network that knows no more than the counts it began with is set back to them. What the words said last tell is
    added where it wins more than it loses (chatbot/learning/next_words.py).

    Raises TrainingError where there are too few events that follow others.
    """
    began = time.monotonic()
    settings = settings or NextIntentSettings()
    train = [events for events in train if len(events) > 1]
    valid = [events for events in valid if len(events) > 1]
    if not valid:
        train, valid = train[: -max(1, len(train) // 10)], train[-max(1, len(train) // 10) :]
    follow = sum(len(events) - 1 for events in train)
    if follow < LEAST:
        raise TrainingError(
            f"{follow} questions that follow another are too few to learn from (at least {LEAST})",
            field="dialogues",
            value=follow,
        )
    counts = Counter(event.name for events in train for event in events)
    names = ("", *sorted(counts))
    rows = {name: row for row, name in enumerate(names)}
    encoded = [_encoded(events, rows, words=settings.words) for events in train]
    held = [_encoded(events, rows, words=settings.words) for events in valid]
    torch.manual_seed(seed)
    network = NextIntentNetwork(NextIntentConfig(len(names), BUCKETS))
    followers = _followers(rows, train)
    usual = followers.sum(axis=0) / followers.sum()
    network.begin_with(torch.from_numpy(_by_counts(followers)))

    def batches(epoch: int) -> Iterable[EventBatch]:
        buckets = length_buckets([len(ids) for ids, _, _ in encoded], settings.batch, seed=seed, epoch=epoch)
        return (event_batch([encoded[int(place)] for place in bucket]) for bucket in buckets)

    held_batches = [event_batch(held[start : start + 128]) for start in range(0, len(held), 128)]

    def validate() -> Score:
        right = total = 0
        for batch in held_batches:
            batch = batch.to(next(network.parameters()).device)
            logits = network(batch.names, batch.words)
            logits[:, :, 0] = -torch.inf
            asked = batch.wanted >= 0
            best = logits.topk(min(HIT_AT, logits.shape[-1]), dim=-1).indices  # [b, t, 3]
            right += int(((best == batch.wanted[:, :, None]).any(dim=-1) & asked & (batch.wanted > 0)).sum())
            total += int(asked.sum())
        return Score("hit at 3", 100 * right / max(1, total))

    network.eval()
    with torch.no_grad():
        counted = validate().value
    result = fit(
        network,
        batches,
        max(1, math.ceil(len(encoded) / settings.batch) - 1),
        validate,
        FitSettings(
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            patience=3,
            budget_seconds=seconds_left(budget_seconds, began),
            seed=seed,
        ),
        device=device,
        progress=progress,
    )
    learned = result.best.value > counted
    if not learned:
        network.begin_with(network.counted)
    recurs = _recurs(train)
    last = None
    if settings.words:
        last = weigh_last_words(
            train,
            valid,
            rows,
            counted=lambda some: _by_counts(_followers(rows, some)),
            network=_logits(network, held_batches),
            recurs=recurs,
            seed=seed,
        )
    _write(network, names, out, last, recurs=recurs, usual=[round(float(one), 5) for one in usual])
    asked = sum(len(events) - 1 for events in valid)
    best = max(result.best.value, counted)
    if last is not None:  # the network was measured without the words said last
        best = hit_at_3(NextIntents.load(out), valid)
        learned = best > counted
    return NextIntentReport(
        hit_at_3=round(best, 2),
        baseline_hit_at_3=round(baseline(train, valid), 2),
        predicted=asked,
        names=len(names) - 1,
        seconds=round(result.seconds, 1),
        counted_hit_at_3=round(counted, 2),
        learned=learned,
        cut=cut_in_words(result),
    )


def baseline(train: Sequence[Sequence[Event]], test: Sequence[Sequence[Event]]) -> float:
    """Percent of the events of ``test`` after the first that are among the three most frequent followers of the one
    before in ``train``."""
    followers: dict[str, Counter[str]] = defaultdict(Counter)
    for events in train:
        for before, after in pairwise(events):
            followers[before.name][after.name] += 1
    right = total = 0
    for events in test:
        for before, after in pairwise(events):
            right += after.name in [name for name, _ in followers[before.name].most_common(HIT_AT)]
            total += 1
    return 100 * right / max(1, total)


def hit_at_3(model: NextIntents, test: Sequence[Sequence[Event]], *, words: bool = True) -> float:
    """Percent of the events of ``test`` after the first that the served model has among its three first."""
    right = total = 0
    for events in test:
        shown = events if words else [Event(event.name) for event in events]
        for place in range(1, len(events)):
            found = model.probabilities(shown[:place])
            best = [model.names[row] for row in np.argsort(-found, kind="stable")[:HIT_AT].tolist()]
            right += events[place].name in best
            total += 1
    return 100 * right / max(1, total)


def _encoded(
    events: Sequence[Event], rows: Mapping[str, int], *, words: bool
) -> tuple[list[int], list[list[int]], list[int]]:
    """Names, words and what follows each; the first event is not predicted: nothing was said before it."""
    shown = [Event(START), *events]
    names = [rows.get(event.name, 0) for event in shown[:-1]]
    bags = [list(word_buckets(event.text)) if words else [] for event in shown[:-1]]
    wanted = [-100, *(rows.get(event.name, 0) for event in events[1:])]
    return names[-MOST_EVENTS:], bags[-MOST_EVENTS:], wanted[-MOST_EVENTS:]


def _logits(network: NextIntentNetwork, batches: Sequence[EventBatch]) -> NDArray[np.float32]:
    """[events to predict, names] in the order of the batches."""
    network = network.cpu().eval()
    with torch.no_grad():
        found = [network(batch.names, batch.words)[batch.wanted != -100] for batch in batches]
    return torch.cat(found).numpy()


def _recurs(train: Sequence[Sequence[Event]]) -> bool:
    """Whether what came up before comes up again, in more than one of a hundred events."""
    before = [
        event.name in {one.name for one in events[:place]}
        for events in train
        for place, event in enumerate(events)
        if place
    ]
    return sum(before) > 0.01 * len(before)


def _followers(rows: Mapping[str, int], train: Sequence[Sequence[Event]]) -> NDArray[np.float32]:
    """[names, names]: how often each name came behind each."""
    counts = np.zeros((len(rows), len(rows)), dtype=np.float32)
    for events in train:
        for before, after in pairwise(events):
            counts[rows[before.name], rows[after.name]] += 1
    return counts


def _by_counts(followers: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logarithm of how likely each name follows each; behind what nothing has followed: what is usual."""
    usual = followers.sum(axis=0) + 0.1
    usual /= usual.sum()
    behind = followers.sum(axis=1, keepdims=True)
    logs: NDArray[np.float32] = np.log((followers + COUNTS_AS * usual) / (behind + COUNTS_AS))
    return logs


def _write(
    network: NextIntentNetwork,
    names: Sequence[str],
    out: Path,
    last: LastWords | None,
    *,
    recurs: bool,
    usual: Sequence[float],
) -> None:
    folder = out / "next"
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().float().numpy() for name, value in network.state_dict().items()}
    save_file(
        {name: np.ascontiguousarray(value) for name, value in state.items()}, folder / "weights.safetensors"
    )
    model = next_intent_graph(state, order=last.order, last=last.table) if last else next_intent_graph(state)
    onnx.checker.check_model(model)
    (folder / "next.onnx").write_bytes(model.SerializeToString())
    config = {"format": FORMAT, "names": list(names), "recurs": recurs, "usual": list(usual)}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", "utf-8")
