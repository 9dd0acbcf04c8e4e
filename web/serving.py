"""This process's assistant: loaded beside the one that answers, then swapped in by one assignment.

The last promotion row says which release is live and the knowledge clock how far the knowledge has come
(CONTRACTS: "the only truth"). A thread looks at both every second; whatever it finds, a reply that has begun keeps
the assistant it began with.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import Message, Reply, Trace
from chatbot.errors import FrontdeskError, UnavailableError
from chatbot.records.database import Database
from chatbot.records.tables import KnowledgeClock, Promotion
from chatbot.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
RETRY_SECONDS = 30.0  # a release that would not load is tried again after this, not every second


class Answering(Protocol):
    """What a web process needs of chatbot.dialogue.assistant.Assistant."""

    @property
    def release_id(self) -> str: ...

    def reply(
        self,
        text: str,
        *,
        history: Sequence[Message],
        locale: str,
        options: SiteOptions,
        failures: int = 0,
    ) -> tuple[Reply, Trace]: ...

    def refresh(self) -> None:
        """Take in the changes of the knowledge since the last call."""


Load = Callable[[Database, Settings, str], Answering]


@dataclass(frozen=True, slots=True)
class Live:
    """What the database says should be answering now."""

    release_id: str | None
    knowledge: int


def look(database: Database) -> Live:
    with database.read() as session:
        release_id = session.scalar(select(Promotion.release_id).order_by(Promotion.id.desc()).limit(1))
        revision = session.scalar(select(KnowledgeClock.revision).order_by(KnowledgeClock.id).limit(1))
    return Live(release_id, revision or 0)


class Serving:
    """Holds the assistant of one process. ``start`` may be called again after a fork."""

    def __init__(self, database: Database, settings: Settings, *, load: Load | None = None) -> None:
        self._database = database
        self._settings = settings
        self._load = load or _load_release
        self._assistant: Answering | None = None
        self._knowledge = -1
        self._error: str | None = None
        self._failed: tuple[str, float] | None = None  # the release that would not load, and when
        self._updating = threading.Lock()
        self._stop = threading.Event()
        self._watching: tuple[int, threading.Thread] | None = None

    def assistant(self) -> Answering:
        """The assistant that answers now. Raises UnavailableError while there is none."""
        self.start()
        assistant = self._assistant
        if assistant is None:
            raise UnavailableError(
                self._error or "No release is live yet",
                code="no_release",
                remedy="Train one with frontdesk retrain, or promote one in the admin area",
                retry_after=10,
            )
        return assistant

    def ready(self) -> dict[str, Any]:
        """Whether this process can answer, and with what: ``{"ready", "release", "knowledge", "models"?, "error"?}``.

        ``knowledge`` is the revision that the index has taken in.
        """
        self.start()
        assistant = self._assistant
        state: dict[str, Any] = {
            "ready": assistant is not None,
            "release": assistant.release_id if assistant else None,
            "knowledge": max(self._knowledge, 0),
        }
        describe = getattr(assistant, "state", None)
        if describe is not None:
            state["models"] = describe()
        if self._error:
            state["error"] = self._error
        return state

    def start(self) -> None:
        """Begin to watch, once a process (a thread does not survive a fork)."""
        if self._watching is not None and self._watching[0] == os.getpid():
            return
        thread = threading.Thread(target=self._watch, name="frontdesk-serving", daemon=True)
        self._watching = (os.getpid(), thread)
        thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._watching is not None and self._watching[0] == os.getpid():
            self._watching[1].join(timeout=30)

    def update(self, *, now: float | None = None) -> None:
        """Look once, and load or refresh what has changed. Failures are kept for ``ready`` and logged, and what
        answered before goes on answering."""
        now = time.monotonic() if now is None else now
        with self._updating:
            try:
                live = look(self._database)
                if live.release_id is None:
                    return
                current = self._assistant
                if current is None or current.release_id != live.release_id:
                    self._swap(live, now=now)
                elif live.knowledge != self._knowledge:
                    current.refresh()
                    self._knowledge = live.knowledge
                    log.info("knowledge is at revision %d", live.knowledge)
            except (SQLAlchemyError, FrontdeskError, OSError) as error:
                self._note(f"Cannot look for the live release: {error}")

    def _swap(self, live: Live, *, now: float) -> None:
        release_id = str(live.release_id)
        if self._failed and self._failed[0] == release_id and now - self._failed[1] < RETRY_SECONDS:
            return
        begun = time.monotonic()
        try:
            # The new one reads the knowledge after ``live`` was read: it may be further, never behind.
            assistant = self._load(self._database, self._settings, release_id)
        except Exception as error:
            # Whatever a damaged bundle raises, the old release must go on answering.
            self._failed = (release_id, now)
            self._note(f"Release {release_id} could not be loaded: {error}")
            return
        self._assistant, self._knowledge = assistant, live.knowledge
        self._failed, self._error = None, None
        log.info("release %s answers now (loaded in %.1f s)", release_id, time.monotonic() - begun)

    def _note(self, message: str) -> None:
        if message != self._error:
            log.error(message)
        self._error = message

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self.update()
            except Exception:
                log.exception("the live release could not be followed")
            self._stop.wait(LOOK_SECONDS)


def _load_release(database: Database, settings: Settings, release_id: str) -> Answering:
    from chatbot.learning.loading import load_assistant  # the models' libraries come with the first release

    return load_assistant(database, settings, release_id)
