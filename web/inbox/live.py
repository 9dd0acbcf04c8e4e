"""What changes while an agent looks on: the queue, colleagues, and the conversation in front, as events.

One stream a page. A stream holds a thread, so agents have slots of their own, apart from the visitors'; a page that
gets none asks for the same every few seconds (``snapshot``).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, jsonify, request, stream_with_context
from flask_login import current_user

from chatbot.errors import NotFoundError
from chatbot.records import presence
from chatbot.records.database import Database
from chatbot.records.inbox import MOST, Box
from web import pressure
from web.access import requires
from web.context import parts
from web.inbox.blueprint import blueprint
from web.inbox.views import box_named, conversation_json, lines_asked, queue_json
from web.mood import Displeased, nobody
from web.streaming import HEARTBEAT_SECONDS, LIFETIME_SECONDS, event, stream
from web.typing_signs import Typing

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 0.3  # at least between two looks: each reads the whole queue


def look(
    database: Database,
    *,
    box: Box,
    open_id: int | None,
    person_id: int,
    most: int = MOST,
    typing: Typing | None = None,
    displeased: Displeased = nobody,
) -> dict[str, dict[str, Any] | None]:
    """``queue``, ``conversation`` and ``typing`` as they are now; ``conversation`` is None where none is open, or it is
    gone. ``typing`` says whether the visitor writes just now."""
    with database.read() as records:
        found: dict[str, dict[str, Any] | None] = {
            "queue": queue_json(records, box, person_id=person_id, most=most, displeased=displeased),
            "conversation": None,
        }
        if open_id is not None:
            try:
                found["conversation"] = conversation_json(
                    records, open_id, person_id=person_id, displeased=displeased
                )
            except NotFoundError:
                found["queue"] = {**(found["queue"] or {}), "gone": open_id}
            else:
                types = typing is not None and typing.seen(open_id, "visitor")
                found["typing"] = {"conversation": open_id, "visitor": types}
    return found


def changes(
    database: Database,
    *,
    box: Box,
    open_id: int | None,
    person_id: int,
    typing: Typing | None = None,
    displeased: Displeased = nobody,
    release: Callable[[], None],
    most: int = MOST,
    lifetime: float = LIFETIME_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """``queue``, ``conversation`` and ``typing`` events, each whole and only where it differs from the last one
    sent. The person counts as present while it runs."""
    told: dict[str, str] = {}
    start = clock()
    beaten = spoke = float("-inf")
    try:
        yield "retry: 300\n\n"  # milliseconds until the page connects again, once this one has ended
        while True:
            now = clock()
            if now - beaten >= presence.BEAT.total_seconds():
                beaten = now
                with database.write() as records:
                    presence.beat(records, person_id, looks_at=open_id)
            seen = look(
                database,
                box=box,
                open_id=open_id,
                person_id=person_id,
                most=most,
                typing=typing,
                displeased=displeased,
            )
            for name, body in seen.items():
                mark = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
                if body is not None and told.get(name) != mark:
                    told[name], spoke = mark, now
                    yield event(name, body)
            if now - start >= lifetime or pressure.stopping.is_set():
                break
            if now - spoke >= HEARTBEAT_SECONDS:
                spoke = now
                yield ": still here\n\n"
            sleep(LOOK_SECONDS)
    finally:
        release()


def _asked() -> tuple[Box, int | None, int]:
    """(box, the conversation that is open, how many lines of the box)"""
    asked = request.args
    return (
        box_named(asked.get("box")),
        asked.get("open", type=int),
        lines_asked(asked.get("most", type=int)),
    )


@blueprint.get("/events")
@requires("agent")
def events() -> Response:
    box, open_id, most = _asked()
    with parts().agent_streams.reserved() as release:
        told = changes(
            parts().database,
            box=box,
            open_id=open_id,
            person_id=current_user.id,
            typing=parts().typing,
            displeased=parts().moods.displeased,
            release=release,
            most=most,
            sleep=parts().news.watch(pause=PAUSE_SECONDS).wait,
        )
        return stream(
            stream_with_context(told)
        )  # its words are in the reader's language: that needs the request


@blueprint.get("/snapshot")
@requires("agent")
def snapshot() -> Response:
    """The same once, for a page that got no stream."""
    box, open_id, most = _asked()
    with parts().database.write() as records:
        presence.beat(records, current_user.id, looks_at=open_id)
    told = look(
        parts().database,
        box=box,
        open_id=open_id,
        person_id=current_user.id,
        most=most,
        typing=parts().typing,
        displeased=parts().moods.displeased,
    )
    return jsonify(told)
