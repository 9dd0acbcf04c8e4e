"""A question as the indexes read it: its words, its vector, and what was said just before it.

A follow-up leans on the turn before, so that one is searched too. Its two sides are encoded each for itself and their
vectors added: the customer's was encoded when he said it and the answer is one that many get, so that little of it is
to be encoded anew. Encoded as one text it would be, with each message, and took two thirds of a search in English. On
held-back conversations of the demo company the right article stands first for 84.5 % of 240 English follow-ups (85.6
as one text) and 81.4 of 240 Chinese ones (81.8); nothing before in view: 83.0 and 80.3.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.language.normalise import has_letters, normalise
from chatbot.retrieval.language_index import Query
from chatbot.retrieval.terms import terms

CONTEXT_CHARACTERS = 100  # of each earlier message that is read: 300 find no more
REMEMBERED = 2048  # vectors of a language; 3 MB at 384 dimensions

Vectors = NDArray[np.float32]


class Encodes(Protocol):
    def encode(self, texts: Sequence[str]) -> Vectors: ...


class RecentVectors:
    """Vectors [dimension] of what was said lately, the least used forgotten first. Thread-safe."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def note(self, text: str, vector: Vectors) -> None:
        with self._guard:
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)

    def vector(self, text: str, encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        with self._guard:
            known = self._vectors.get(text)
            if known is not None:
                self._vectors.move_to_end(text)
                return known
        made: Vectors = encode([text])[0]
        self.note(text, made)
        return made


def read_query(
    query: str, encoder: Encodes, *, history: Sequence[Message] = (), recent: RecentVectors | None = None
) -> Query | None:
    """The question with what was said before; None for a text without any letter or digit.

    ``recent`` remembers from one message to the next; each vector is the same with it and without.
    """
    text = normalise(query)
    if not has_letters(text):
        return None
    recent = recent if recent is not None else RecentVectors()
    vector = encoder.encode([text])[0]
    recent.note(text, vector)  # the next message has it before itself, and Searcher.question asks again
    spoken = said_before(history)
    before = [recent.vector(said, encoder.encode) for said in spoken]
    return Query(
        terms=terms(text),
        vector=vector,
        context_terms=terms(" ".join(spoken)),
        context_vector=_direction(before) if before else None,
    )


def said_before(history: Sequence[Message]) -> list[str]:
    """The last two turns, as far as they are read: what a question may lean on."""
    spoken = [message for message in history if message.role != "action" and message.text.strip()][-2:]
    return [normalise(message.text)[:CONTEXT_CHARACTERS] for message in spoken]


def _direction(vectors: Sequence[Vectors]) -> Vectors:
    """[dimension], of unit length."""
    summed: Vectors = np.sum(vectors, axis=0, dtype=np.float32)
    return summed / np.float32(max(float(np.linalg.norm(summed)), 1e-9))
