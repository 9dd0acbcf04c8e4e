"""Server-sent events (WHATWG HTML, section 9.2): their form, a text in pieces, and how long one may last."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from flask import Response
from sqlalchemy import select

from chatbot.errors import UnavailableError
from chatbot.records.conversations import TurnView, turns_after
from chatbot.records.database import Database
from chatbot.records.tables import Conversation
from web import pressure
from web.addresses import absolute, whole_cards

MIME = "text/event-stream"
LIFETIME_SECONDS = 55.0  # below the idle limit of common reverse proxies (60 s); the widget connects again
LOOK_SECONDS = 0.7
HEARTBEAT_SECONDS = 15.0
MOST_PIECES = 48
_PIECE = re.compile(
    r"[^\S\n]*(?:[\u3400-\u9fff\uf900-\ufaff][，。！？；：、]?|[^\s\u3400-\u9fff\uf900-\ufaff]+|\n)\s*|\s+"
)


def event(name: str, data: dict[str, Any]) -> str:
    """One event. JSON escapes line breaks, so the data is always one line."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


def pieces(text: str) -> Iterator[str]:
    """``text`` cut at words (Chinese: characters) for ``delta`` events; joined they are the text again.

    Only a text that was decided and checked is cut up: nothing unchecked ever leaves the server.
    """
    words = _PIECE.findall(text)
    if sum(map(len, words)) != len(text):  # a character that no branch of the pattern takes
        words = list(text)
    size = max(1, -(-len(words) // MOST_PIECES))
    for start in range(0, len(words), size):
        yield "".join(words[start : start + size])


def stream(events: Iterator[str]) -> Response:
    """A response that leaves piece by piece; proxies are told not to gather it."""
    response = Response(events, mimetype=MIME)
    response.headers["Cache-Control"] = "no-store, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


class StreamSlots:
    """How many threads may be held by waiting visitors at once: the others must still get answers."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def reserved(self) -> Iterator[Callable[[], None]]:
        """Take a slot, or raise UnavailableError. Hands out a function that gives it back, to be called once the
        stream ends; where the block fails, it is given back at once."""
        if not self._free.acquire(blocking=False):
            raise UnavailableError(
                "Too many are waiting over open connections",
                code="too_many_streams",
                remedy="Ask for new messages every few seconds instead",
                retry_after=5,
            )
        released = threading.Event()

        def release() -> None:
            if not released.is_set():
                released.set()
                self._free.release()

        try:
            yield release
        except BaseException:
            release()
            raise


def turn_json(turn: TurnView, *, origin: str) -> dict[str, Any]:
    """A turn as the API sends it; what is not there is left out. ``origin`` is the installation's own."""
    cards = whole_cards(turn.cards, origin) or None
    turn = replace(turn, reply=absolute(turn.reply, origin), cards=cards)
    body = {key: value for key, value in asdict(turn).items() if value is not None}
    body["created_at"] = turn.created_at.isoformat(timespec="milliseconds")
    return body


def follow(
    database: Database,
    conversation_id: int,
    *,
    after: int,
    origin: str,
    release: Callable[[], None],
    seen: Callable[[], None] = lambda: None,
    agent_types: Callable[[], bool] = lambda: False,
    lifetime: float = LIFETIME_SECONDS,
    look_every: float = LOOK_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """``state``, ``turn`` and ``typing`` events of a conversation from ``after`` on, while it waits for or is with a
    person.

    ``seen`` is called when the visitor asks, and whenever a sign of life has reached him.
    Ends with ``end {"after"}`` when the conversation is back with the bot or closed, or after ``lifetime`` seconds.
    """
    try:
        start = spoke = clock()
        seen()
        told: str | None = None
        typing = False
        while True:
            with database.read() as session:
                state = session.scalar(select(Conversation.state).where(Conversation.id == conversation_id))
                new = turns_after(session, conversation_id, after=after)
            if state is None:  # erased meanwhile
                break
            for turn in new:
                after = turn.id
                yield event("turn", turn_json(turn, origin=origin))
            if state != told:
                told = state
                yield event("state", {"state": state})
            if typing != (state == "human" and agent_types()):
                typing = not typing
                yield event("typing", {"typing": typing})
            now = clock()
            if state not in ("waiting", "human") or now - start >= lifetime or pressure.stopping.is_set():
                break
            if new:
                spoke = now
            elif now - spoke >= HEARTBEAT_SECONDS:
                spoke = now
                yield ": still here\n\n"
                seen()
            sleep(look_every)
        yield event("end", {"after": after})
        seen()
    finally:
        release()
