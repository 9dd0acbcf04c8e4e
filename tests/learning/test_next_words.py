"""What was said last names the next question where the order of what came before was never seen."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from chatbot.inference.next_intent import Event, NextIntents, pair_buckets, word_hashes
from chatbot.learning import next_intent_training, next_words
from chatbot.learning.next_intent_training import NextIntentSettings, hit_at_3, train_next_intents
from chatbot.learning.next_words import weigh_last_words

TOPICS = (
    "hotel",
    "bus",
    "flight",
    "film",
    "song",
    "doctor",
    "cab",
    "house",
    "weather",
    "bank",
    "flat",
    "table",
)
ROWS = {name: row for row, name in enumerate(("", *TOPICS))}


def conversations(count: int, steps: tuple[int, ...], seed: int, *, told: bool = True) -> list[list[Event]]:
    """From topic to topic by one of ``steps`` places of the list; who is ``told`` says at the end what comes next."""
    random = Random(seed)
    made = []
    for _ in range(count):
        places = [random.randrange(len(TOPICS))]
        while len(places) < 3:
            places.append((places[-1] + random.choice(steps)) % len(TOPICS))
        names = [TOPICS[place] for place in places]
        after = [*names[1:], "nothing"]
        made.append(
            [
                Event(
                    name,
                    f"about a {name} a nice {name} in the middle of the town of {random.randrange(99)} with all that "
                    "belongs to it and whatever else there may be of this kind for two or three of us "
                    + (f"and then the {follows} too" if told else "that is all for now"),
                )
                for name, follows in zip(names, after, strict=True)
            ]
        )
    return made


def test_the_words_said_last_name_what_never_followed_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, held, other = (
        conversations(500, (1, 2, 3, 4), 1),
        conversations(60, (1, 2, 3, 4), 2),
        conversations(80, (6, 7, 8), 3),
    )
    settings = NextIntentSettings(epochs=4, batch=32)
    report = train_next_intents(train, held, tmp_path / "with", settings=settings, device="cpu", seed=3)
    served = NextIntents.load(tmp_path / "with")
    found = hit_at_3(served, other)
    assert found > 85
    assert report.hit_at_3 == pytest.approx(hit_at_3(served, held), abs=0.01)
    assert served.probabilities([]).sum() == pytest.approx(1, abs=1e-4)

    monkeypatch.setattr(next_intent_training, "weigh_last_words", lambda *_, **__: None)
    train_next_intents(train, held, tmp_path / "without", settings=settings, device="cpu", seed=3)
    assert hit_at_3(NextIntents.load(tmp_path / "without"), other) < found - 15


def _flat(some: object) -> np.ndarray:
    return np.zeros((len(ROWS), len(ROWS)), dtype=np.float32)


def _network(held: list[list[Event]], right: bool) -> np.ndarray:
    """Logits that name what comes, or nothing at all."""
    came = [ROWS[event.name] for events in held for event in events[1:]]
    return np.eye(len(ROWS), dtype=np.float32)[came] * (8.0 if right else 0.0)


def test_words_that_lose_more_than_they_win_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that drown a network which knows it all in words that tell nothing."""
    monkeypatch.setattr(next_words, "_fitted", lambda *_: np.array([0.1, 1.0, 1.0], np.float32))
    train, held = (conversations(some, (1, 2, 3, 4), seed, told=False) for some, seed in ((400, 1), (60, 2)))
    network = _network(held, True) / 80
    assert weigh_last_words(train, held, ROWS, counted=_flat, network=network, recurs=False) is None
    telling = conversations(400, (1, 2, 3, 4), 1)
    nothing = np.zeros_like(network)
    assert weigh_last_words(telling, held, ROWS, counted=_flat, network=nothing, recurs=False) is not None


def test_words_are_weighed_where_they_win_and_not_without_sets_to_leave_out() -> None:
    train, held = conversations(400, (1, 2, 3, 4), 1), conversations(60, (1, 2, 3, 4), 2)
    network = _network(held, False)
    weighed = weigh_last_words(train, held, ROWS, counted=_flat, network=network, recurs=False)
    assert weighed is not None
    bag = pair_buckets(word_hashes("and then the doctor too"))
    assert int(np.argmax(weighed.table[bag].sum(axis=0))) == ROWS["doctor"]
    few = [events for events in train if {event.name for event in events} <= set(TOPICS[:3])]
    assert weigh_last_words(few, held, ROWS, counted=_flat, network=network, recurs=False) is None
