"""A release whose encoders have not seen the knowledge yet gets its index from a job, not from those that answer.

A serving process that finds such a release live keeps the one before it and queues a ``reindex`` job (once, whoever is
first). When that is done every process loads release and index together. Where nobody takes the job up, or it fails,
the process encodes by itself: slower for a while is better than never.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from chatbot.errors import ConflictError, FrontdeskError
from chatbot.records.database import Database
from chatbot.records.jobs import get_job
from chatbot.settings import Settings
from web import jobs

log = logging.getLogger(__name__)

BY_ITSELF = 300  # texts that a process encodes without a job: a few seconds
PATIENCE = 60.0  # seconds that a job may stay queued before nobody seems to work


class Reindexing:
    """Says when a release may be loaded. One a process; not thread-safe by itself."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        unprepared: Callable[[Database, Settings, str], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._unprepared = unprepared or _unprepared
        self._waiting: tuple[str, int | None, float] | None = None  # release, job, since when

    def may_load(self, release_id: str) -> bool:
        """Whether the release's index is ready, or not worth waiting for."""
        if self._waiting is None or self._waiting[0] != release_id:
            count = self._unprepared(self._database, self._settings, release_id)
            if count <= BY_ITSELF:
                return True
            job_id = self._queue(release_id)
            log.info("release %s waits for its index: %d texts to encode, job %s", release_id, count, job_id)
            self._waiting = (release_id, job_id, self._clock())
        if self._under_way():
            return False
        self._waiting = None
        return True

    def _queue(self, release_id: str) -> int | None:
        try:
            return jobs.enqueue(self._database, self._settings, "reindex", {"release": release_id})
        except ConflictError as error:  # another process was first
            return error.value if isinstance(error.value, int) else None

    def _under_way(self) -> bool:
        _, job_id, since = self._waiting or ("", None, 0.0)
        if job_id is None:
            return False
        try:
            with self._database.read() as session:
                state = get_job(session, job_id).state
        except FrontdeskError:
            return False
        return state == "running" or (state == "queued" and self._clock() - since < PATIENCE)


def _unprepared(database: Database, settings: Settings, release_id: str) -> int:
    from chatbot.learning.index_check import unprepared

    return unprepared(database, settings, release_id)
