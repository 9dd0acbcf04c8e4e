"""What customers ask next, as it serves: onnxruntime and numpy, no torch.

A conversation is a sequence of *events*: what it was about in turn (an intent, or the label of an agent's turn where
the rows have one), each with the words said since the one before. An LSTM over the events names the likeliest next ones
(chatbot/neural/next_intent.py), and the words said last weigh beside it where the release has learned what they tell
(chatbot/learning/next_words.py). Words are hashed, so that there is no vocabulary to ship.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError
from chatbot.inference.past_answers import terms
from chatbot.inference.sessions import open_session

FORMAT = 2
_READ = (1, FORMAT)  # the first one knows nothing of the words said last
BUCKETS = 8192  # of hashed words; bucket 0 is padding
MOST_WORDS = 48  # of an event, the last ones
LAST_WORDS = 20  # of the newest event: what was said last
LAST_BUCKETS = 16384  # of these words and pairs of neighbours; bucket 0 is padding
MOST_EVENTS = 12  # the last ones
START = "<start>"
MORE_THAN_USUAL = 4.0  # times the odds that a name has behind anything: from there it belongs to this topic


@dataclass(frozen=True, slots=True)
class Event:
    """``name``: the intent or label; ``text``: the words said since the event before it, this one's included."""

    name: str
    text: str = ""


def runs(events: Iterable[Event]) -> list[Event]:
    """The events with those of the same name in a row as one: asking on about a topic is no next topic."""
    found: list[Event] = []
    for event in events:
        if found and found[-1].name == event.name:
            event = Event(event.name, f"{found.pop().text} {event.text}".strip())
        found.append(event)
    return found


@lru_cache(maxsize=1024)  # a conversation's events are read again with each of its messages
def word_buckets(text: str) -> tuple[int, ...]:
    """The last words of ``text`` as buckets 1…BUCKETS-1, the same in training and serving."""
    return tuple(1 + zlib.crc32(term.encode()) % (BUCKETS - 1) for term in list(terms(text))[-MOST_WORDS:])


def word_hashes(text: str) -> NDArray[np.int64]:
    """One number for each word of ``text``, in their order."""
    return np.array([_hash(term) for term in terms(text)], dtype=np.int64)


@lru_cache(maxsize=20_000)
def _hash(term: str) -> int:
    return zlib.crc32(term.encode())


def pair_buckets(hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Words and pairs of neighbours as buckets 1…LAST_BUCKETS-1."""
    pairs = 31 * hashes[:-1] + hashes[1:]
    found: NDArray[np.int64] = 1 + np.concatenate([hashes, pairs]) % (LAST_BUCKETS - 1)
    return found


class NextIntents:
    """The next-intent model of one bundle (``next/``)."""

    def __init__(self, bundle: Path, *, threads: int = 1) -> None:
        folder = bundle / "next"
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if config["format"] not in _READ:
                raise BundleError("this model of next questions has another format", value=config["format"])
            self.names: tuple[str, ...] = tuple(config["names"])
            self._recurs = bool(config["recurs"])
            # older releases do not say what is usual
            self._usual = np.array(config.get("usual") or [0.0] * len(self.names), dtype=np.float32)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"the model of next questions cannot be read: {error}", value="next", remedy="Retrain"
            ) from error
        self._rows = {name: row for row, name in enumerate(self.names)}
        self._session = open_session(folder / "next.onnx", threads=threads)
        self._reads_last = "last" in [each.name for each in self._session.get_inputs()]

    @classmethod
    def load(cls, bundle: Path, *, threads: int = 1) -> NextIntents:
        """bundle: the release's folder. Raises BundleError when a part is missing or damaged."""
        return cls(Path(bundle), threads=threads)

    def probabilities(self, events: Sequence[Event]) -> NDArray[np.float32]:
        """[names]: how likely each comes next, the conversation being over not among them."""
        shown = [Event(START), *events][-MOST_EVENTS:]
        bags = [word_buckets(event.text) for event in shown]
        width = max(1, max(map(len, bags)))
        words = np.zeros((len(shown), width), dtype=np.int64)
        for row, bag in zip(words, bags, strict=True):
            row[: len(bag)] = bag
        names = np.array([self._rows.get(event.name, 0) for event in shown], dtype=np.int64)
        given = {"names": names, "words": words}
        if self._reads_last:
            newest = events[-1].text if events else ""
            given["last"] = pair_buckets(word_hashes(newest)[-LAST_WORDS:])[None]
        logits: NDArray[np.float32] = self._session.run(["logits"], given)[0][0]
        logits = logits - logits.max()
        powers = np.exp(logits)
        powers[0] = 0.0  # the row of what is not known, and of the start
        if not self._recurs:  # where nobody asks for the same twice, it is not proposed again
            powers[[self._rows[event.name] for event in events if event.name in self._rows]] = 0.0
        return (powers / max(float(powers.sum()), 1e-12)).astype(np.float32)

    def suggest(self, events: Sequence[Event], *, k: int = 3, least: float = 0.0) -> list[tuple[str, float]]:
        """The ``k`` likeliest next names that did not come up yet, each with its probability of at least ``least``.

        Only what is asked more than usual here: what is frequent behind everything says nothing about this topic.
        """
        found = self.probabilities(events)
        more = found * (1 - self._usual) >= MORE_THAN_USUAL * self._usual * (1 - found)
        seen = {event.name for event in events}
        likeliest = np.argsort(-found, kind="stable").tolist()
        best = [row for row in likeliest if more[row] and self.names[row] not in seen]
        return [(self.names[row], float(found[row])) for row in best[:k] if found[row] >= max(least, 1e-9)]
