"""This process's assistant: loaded beside the one that answers, then swapped in by one assignment.

The last promotion row says which release is live and the knowledge clock how far the knowledge has come
(CONTRACTS: "the only truth"). A thread looks at both every second; whatever it finds, a reply that has begun keeps
the assistant it began with.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from chatbot.dialogue.actions import Talk
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import Message, Reply, Trace
from chatbot.errors import FrontdeskError, UnavailableError
from chatbot.learning.canaries import assigned, open_canary
from chatbot.records.database import Database
from chatbot.records.tables import KnowledgeClock, Promotion
from chatbot.settings import Settings
from web.reindexing import Reindexing

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
        talk: Talk | None = None,
        hurried: Callable[[], bool] = ...,
        for_agents: bool = ...,
    ) -> tuple[Reply, Trace]: ...

    def refresh(self) -> None:
        """Take in the changes of the knowledge since the last call."""


Load = Callable[[Database, Settings, str], Answering]


@dataclass(frozen=True, slots=True)
class Live:
    """What the database says should be answering now."""

    release_id: str | None
    knowledge: int
    trial: OnTrial | None = None


@dataclass(frozen=True, slots=True)
class OnTrial:
    """A release that answers a share of the conversations begun since (chatbot/learning/canaries.py)."""

    release_id: str
    share: float
    since: datetime


def look(database: Database) -> Live:
    with database.read() as session:
        canary = open_canary(session)
        release_id = session.scalar(select(Promotion.release_id).order_by(Promotion.id.desc()).limit(1))
        revision = session.scalar(select(KnowledgeClock.revision).order_by(KnowledgeClock.id).limit(1))
    trial = OnTrial(canary.release_id, canary.share, canary.started_at) if canary else None
    return Live(release_id, revision or 0, trial)


@dataclass(frozen=True, slots=True)
class Inherited:
    """An assistant that was loaded before the fork: its memory is shared with the other web processes."""

    live: Live
    assistant: Answering
    database: Database
    parent: int


_inherited: Inherited | None = None


def load_before_fork(settings: Settings) -> None:
    """Load the live release in the parent of several web processes, so that they share its pages (fork(2), copy on
    write): models and index are in memory once. Where it cannot be loaded, each process tries by itself and says why.

    Nothing that a fork breaks may be left behind: no thread, no connection, no OpenMP team.
    """
    global _inherited
    from chatbot.retrieval.vector_index import threads

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    database = Database(settings.database)
    try:
        live = look(database)
        if live.release_id is None:
            return
        with threads(1):
            assistant = _load_release(database, settings, live.release_id)
        _inherited = Inherited(live, assistant, database, os.getpid())
    except Exception:
        log.exception("the release could not be loaded before the web processes begin")
    finally:
        database.dispose()
    gc.collect()
    gc.freeze()  # what is here stays: a collection would write to every object's page


def _inheritance(release_id: str) -> Inherited | None:
    """What this process has from its parent, for its first load."""
    global _inherited
    given, _inherited = _inherited, None
    if given is None or given.live.release_id != release_id or given.parent != os.getppid():
        return None
    given.database.engine.dispose(close=False)
    return given


class Serving:
    """Holds the assistant of one process. ``start`` may be called again after a fork."""

    def __init__(self, database: Database, settings: Settings, *, load: Load | None = None) -> None:
        self._database = database
        self._settings = settings
        self._load = load or _load_release
        self._may_inherit = load is None
        self._reindexing = Reindexing(database, settings) if load is None else None
        self._assistant: Answering | None = None
        self._trial: tuple[OnTrial, Answering] | None = None
        self._trial_knowledge = -1
        self._trial_failed: tuple[str, float] | None = None
        self._knowledge = -1
        self._error: str | None = None
        self._failed: tuple[str, float] | None = None  # the release that would not load, and when
        self._updating = threading.Lock()
        self._stop = threading.Event()
        self.settled = threading.Event()  # the first look is over: it answers now, or it is known why not
        self._watching: tuple[int, threading.Thread] | None = None

    def assistant(self, public_id: str = "", begun: datetime | None = None) -> Answering:
        """The assistant that answers now; for a conversation (its id, and when it began) the release on trial where
        it falls to that one. Raises UnavailableError while there is none."""
        self.start()
        trial = self._trial
        if trial is not None and begun is not None and begun >= trial[0].since:
            on_trial, answering = trial
            if assigned(on_trial.release_id, public_id, on_trial.share):
                return answering
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
        if self._trial is not None:
            state["trial"] = self._trial[0].release_id
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
                self._follow_trial(live, now=now)
            except (SQLAlchemyError, FrontdeskError, OSError) as error:
                self._note(f"Cannot look for the live release: {error}")

    def _swap(self, live: Live, *, now: float) -> None:
        release_id = str(live.release_id)
        if self._failed and self._failed[0] == release_id and now - self._failed[1] < RETRY_SECONDS:
            return
        if self._assistant is not None and not self._may_load(release_id):
            return  # the one before answers until the index of this one is ready
        begun = time.monotonic()
        if self._may_inherit and self._assistant is None and (given := _inheritance(release_id)) is not None:
            # What has changed since then is taken in by the next look.
            self._assistant, self._knowledge = given.assistant, given.live.knowledge
            self._failed, self._error = None, None
            return
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

    def _may_load(self, release_id: str) -> bool:
        if self._reindexing is None:
            return True
        try:
            return self._reindexing.may_load(release_id)
        except Exception:  # a damaged bundle: loading it says what is wrong with it
            return True

    def _follow_trial(self, live: Live, *, now: float) -> None:
        """Hold the release on trial beside the live one for as long as the trial runs; its failures are its own."""
        wanted, held = live.trial, self._trial
        if wanted is None:
            self._trial = None
        elif held is not None and held[0].release_id == wanted.release_id:
            if held[0] != wanted:
                self._trial = (wanted, held[1])
            if live.knowledge != self._trial_knowledge:
                held[1].refresh()
                self._trial_knowledge = live.knowledge
        elif not (
            self._trial_failed
            and self._trial_failed[0] == wanted.release_id
            and now - self._trial_failed[1] < RETRY_SECONDS
        ):
            self._trial = None
            try:
                answering = self._load(self._database, self._settings, wanted.release_id)
            except Exception:
                self._trial_failed = (wanted.release_id, now)
                log.exception("release %s on trial could not be loaded", wanted.release_id)
                return
            self._trial, self._trial_knowledge = (wanted, answering), live.knowledge
            log.info("release %s answers %.0f %% of new conversations", wanted.release_id, 100 * wanted.share)

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
            self.settled.set()
            self._stop.wait(LOOK_SECONDS)


def import_models() -> None:
    """Import what a release needs, so that a thread that loads one does not import beside others."""
    with contextlib.suppress(Exception):  # where it cannot be imported, loading says so
        import chatbot.learning.loading  # noqa: F401


def _load_release(database: Database, settings: Settings, release_id: str) -> Answering:
    from chatbot.learning.loading import load_assistant  # the models' libraries come with the first release

    return load_assistant(database, settings, release_id)
