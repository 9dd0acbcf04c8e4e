"""What the words said last tell about the next question, and how much they count beside the order of what came before.

Order says much where a conversation runs as others did, and nothing where it does not; "is there a hotel near it?" says
the same in both. Two tables of naive Bayes with hashed words: what *followed* such last words, and what is talked
*about* with such words anywhere. How much they count is fitted half on the held-back conversations, which run as those
learned from, and half on conversations whose very set of names was left out of what was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from chatbot.inference.next_intent import (
    LAST_BUCKETS,
    LAST_WORDS,
    MOST_EVENTS,
    Event,
    pair_buckets,
    word_hashes,
)

Floats = NDArray[np.float32]
Counted = Callable[[Sequence[Sequence[Event]]], Floats]  # conversations → log of how likely each follows each

FOLDS = 5
LEAST_SETS = 2 * FOLDS  # different sets of names, below which none can be left out
HIT_AT = 3
WINS = 3.0  # times what the words lose on held-back conversations, that they must win on those left out
MOST_FITTED = 4000  # events of each half that the weights are fitted on
_RIDGE = 1e-3
_SMOOTH = 0.1  # of what a bucket has with the average name, added to what it has with each
_ABSENT = -1e9


@dataclass(frozen=True)
class LastWords:
    """``order``: what the logits of the network are multiplied by; ``table`` [LAST_BUCKETS, names]: what each
    word of the last ones adds, over the root of how many there are."""

    order: float
    table: Floats


@dataclass(frozen=True)
class _Places:
    """Events to predict: their last words as buckets, the names before, the name that came (rows of the names)."""

    bags: list[NDArray[np.int64]]
    before: list[list[int]]
    came: NDArray[np.int64]


def weigh_last_words(
    train: Sequence[Sequence[Event]],
    held: Sequence[Sequence[Event]],
    rows: Mapping[str, int],
    *,
    counted: Counted,
    network: Floats,
    recurs: bool,
    seed: int = 13,
) -> LastWords | None:
    """``rows``: of the names, 0 what is not known. ``network`` [events of ``held`` to predict, names]: its logits.
    None where there are too few sets of names to leave some out, or where the words lose more than they win."""
    folds = _folds(train, seed)
    if folds is None or not len(network):
        return None
    by_fold = [
        [events for events, fold in zip(train, folds, strict=True) if fold == one] for one in range(FOLDS)
    ]
    counts = np.stack([_counts(part, rows) for part in by_fold])  # [folds, 2, names, LAST_BUCKETS]
    total = counts.sum(axis=0)
    followed, about = _tables(total)
    as_before = _signals(_places(held, rows), network, (followed, about), recurs)
    parts = []
    for one in range(FOLDS):
        places = _places(by_fold[one], rows)
        others = [events for place, part in enumerate(by_fold) if place != one for events in part]
        order = counted(others)[[before[-1] for before in places.before]]
        parts.append(_signals(places, order, _tables(total - counts[one]), recurs))
    left_out = _joined(parts)
    weights = _fitted([as_before, left_out], seed)
    lost, won = (-_gain(as_before, weights), _gain(left_out, weights))
    if lost > 0 and won < WINS * lost:
        return None
    return LastWords(float(weights[0]), weights[1] * followed + weights[2] * about)


def _folds(train: Sequence[Sequence[Event]], seed: int) -> list[int] | None:
    """The fold of each conversation; those of one set of names lie in one."""
    sets = [tuple(sorted({event.name for event in events})) for events in train]
    different = sorted(set(sets))
    if len(different) < LEAST_SETS:
        return None
    order = np.random.default_rng(seed).permutation(len(different))
    fold = {names: int(place) % FOLDS for names, place in zip(different, order, strict=True)}
    return [fold[names] for names in sets]


def _places(conversations: Sequence[Sequence[Event]], rows: Mapping[str, int]) -> _Places:
    bags, before, came = [], [], []
    for events in conversations:
        names = [rows.get(event.name, 0) for event in events]
        for place in range(max(1, len(events) - MOST_EVENTS), len(events)):
            bags.append(pair_buckets(word_hashes(events[place - 1].text)[-LAST_WORDS:]))
            before.append(names[:place])
            came.append(names[place])
    return _Places(bags, before, np.array(came, dtype=np.int64))


def _counts(conversations: Sequence[Sequence[Event]], rows: Mapping[str, int]) -> Floats:
    """[2, names, LAST_BUCKETS]: how often each bucket stood in the last words before each name; and in words about it.

    The last words of an event that another follows are not counted as about it: they often ask for the next already.
    """
    found: tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]] = ([], [])
    for events in conversations:
        for place, event in enumerate(events):
            row = rows.get(event.name, 0)
            said = word_hashes(event.text)
            goes_on = place + 1 < len(events)
            if goes_on:
                follows = rows.get(events[place + 1].name, 0)
                found[0].append(follows * LAST_BUCKETS + pair_buckets(said[-LAST_WORDS:]))
            end = len(said) - LAST_WORDS if goes_on and len(said) > LAST_WORDS else len(said)
            found[1].append(row * LAST_BUCKETS + pair_buckets(said[:end]))
    size = len(rows) * LAST_BUCKETS
    counted = [np.bincount(np.concatenate(one) if one else [], minlength=size) for one in found]
    return np.stack(counted).astype(np.float32).reshape(2, len(rows), LAST_BUCKETS)


def _tables(counts: Floats) -> tuple[Floats, Floats]:
    """[2, names, LAST_BUCKETS] counts → for each of both [LAST_BUCKETS, names]: the log of how much likelier a
    bucket is with a name than at all; nothing for a name without words."""
    tables = []
    for one in counts:
        usual = one.mean(axis=0)
        smooth = one + _SMOOTH * usual + _SMOOTH / 100
        logs = np.log(smooth / smooth.sum(axis=1, keepdims=True)) - np.log(smooth.sum(axis=0) / smooth.sum())
        logs[one.sum(axis=1) == 0] = 0.0
        logs[:, 0] = 0.0  # padding
        tables.append(np.ascontiguousarray(logs.T, dtype=np.float32))
    return tables[0], tables[1]


def _signals(
    places: _Places, order: Floats, tables: tuple[Floats, Floats], recurs: bool
) -> tuple[Floats, NDArray[np.int64]]:
    """[events, names, 3] and what came: what the order says, and both tables of the last words; a name that cannot
    come is far below. Events whose name cannot come are left out."""
    signals = np.zeros((*order.shape, 3), dtype=np.float32)
    signals[..., 0] = order - order.max(axis=1, keepdims=True)
    possible = np.ones(order.shape, dtype=bool)
    possible[:, 0] = False
    for place, (bag, before) in enumerate(zip(places.bags, places.before, strict=True)):
        if len(bag):
            for one, table in enumerate(tables):
                signals[place, :, 1 + one] = table[bag].sum(axis=0) / np.sqrt(len(bag))
        if not recurs:
            possible[place, before] = False
    signals[~possible] = _ABSENT
    fits = possible[np.arange(len(places.came)), places.came]
    return signals[fits], places.came[fits]


def _joined(parts: Sequence[tuple[Floats, NDArray[np.int64]]]) -> tuple[Floats, NDArray[np.int64]]:
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _gain(half: tuple[Floats, NDArray[np.int64]], weights: Floats) -> float:
    """How many percent more of what came are among the three first with the words than by the order alone."""
    signals, came = half
    found = []
    for logits in (signals[..., 0], signals @ weights):
        best = np.argsort(-logits, axis=1, kind="stable")[:, :HIT_AT]
        found.append((best == came[:, None]).any(axis=1).mean() if len(came) else 0.0)
    return 100 * float(found[1] - found[0])


def _fitted(halves: Sequence[tuple[Floats, NDArray[np.int64]]], seed: int) -> Floats:
    """The three weights, none below zero, with which what came is likeliest (a conditional logit, McFadden 1974);
    each half counts the same."""
    random = np.random.default_rng(seed)
    chosen = [random.permutation(len(came))[:MOST_FITTED] for _, came in halves]
    given = [
        (torch.from_numpy(signals[some]), torch.from_numpy(came[some]))
        for (signals, came), some in zip(halves, chosen, strict=True)
        if len(some)
    ]
    logs = torch.tensor([0.0, -1.0, -1.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([logs], max_iter=40, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        weights = logs.exp()
        losses = [torch.nn.functional.cross_entropy(signals @ weights, came) for signals, came in given]
        loss = torch.stack(losses).mean() + _RIDGE * weights.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    found: Floats = logs.detach().exp().numpy()
    return found
