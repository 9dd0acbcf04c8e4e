"""Where in a conversation an action was asked for, and which messages speak to it.

A message may ask for two things, and another question may come in between: the order that is named there is not the one
that is to be cancelled. What a run of an action reads is therefore, the newest first, the answers to its own questions,
the words that asked for it, what was said before it began, and last what was said to something else since.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chatbot.dialogue.actions import Said
from chatbot.dialogue.trace import Wish
from chatbot.language.normalise import normalise
from chatbot.language.redaction import PLACEHOLDER, Redactor


def wish_for(name: str, turn: int, request: str, text: str, redactor: Redactor) -> Wish:
    """The wish for the action ``name`` that ``request``, redacted, is in ``text``; the whole of it where the request
    cannot be found there as it stands."""
    pieces, at = [], 0
    for match in PLACEHOLDER.finditer(request):
        value = redactor.restore(
            match[0]
        )  # as it was written first: it may stand here with other spaces and dashes
        pieces += [_spaced(request[at : match.start()]), r"[\W_]*".join(filter(str.isalnum, value))]
        at = match.end()
    found = re.search("".join([*pieces, _spaced(request[at:])]), text, re.IGNORECASE)
    start, end = found.span() if found else (0, len(text))
    return Wish(name, turn, start, end)


def _spaced(words: str) -> str:
    return r"\s*".join(["", *map(re.escape, words.split()), ""])


def words_of(wish: Wish, said: Sequence[Said]) -> str:
    """The customer's words that asked for it; empty where the turn is too long ago, or it was tapped."""
    texts = [normalise(one.text)[wish.start : wish.end] for one in said if one.turn == wish.turn]
    return texts[-1].strip() if texts else ""


def said_to(wish: Wish, said: Sequence[Said]) -> list[Said]:
    """What the run that was begun for ``wish`` may read, the last counting most."""
    own, before, aside = [], [], []
    for one in said:
        if one.turn <= wish.since:
            before.append(replace(one, asked=None, of=""))
        elif one.of == wish.name:
            own.append(one)
        else:
            aside.append(replace(one, asked=None, of=""))
    words = words_of(wish, said)
    return [*aside, *before, *([Said(words, of=wish.name)] if words else []), *own]
