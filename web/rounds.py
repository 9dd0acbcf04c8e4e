"""The small duties of a worker, beside the jobs it runs: sending what is due, telling visitors whom nobody takes,
closing what went quiet, alerting those who run it.

They run on a thread of the worker's own, because a training that takes ten minutes must not hold up an e-mail for as
long. Every round is safe to run in several workers at once, and a failing one is logged and comes again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from chatbot.dialogue.absence import tell_the_unanswered
from chatbot.dialogue.options import SiteOptions
from chatbot.records import alerts, deliveries
from chatbot.records.database import Database
from chatbot.records.idle import close_idle
from chatbot.records.tables import Site, utcnow
from chatbot.settings import Settings
from web.automatic import retrain_when_due
from web.privacy import apply_retention
from web.sending import send_due

log = logging.getLogger(__name__)

TICK = 1.0  # seconds


@dataclass
class Duty:
    """``run`` every ``every`` seconds."""

    name: str
    every: float
    run: Callable[[], object]
    due: float = 0.0


class Rounds:
    """Starts with ``start()``, ends with ``stop()``; ``once()`` runs what is due and returns."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.duties = [
            Duty("send what is due", 1.0, lambda: send_due(database, settings, now=now)),
            Duty("tell the unanswered", 10.0, lambda: tell_unanswered(database, now=now())),
            Duty("retrain when enough is new", 60.0, lambda: retrain_when_due(database, settings)),
            Duty("close idle conversations", 60.0, lambda: close_quiet(database, now=now())),
            Duty("tell those who run it", 300.0, lambda: tell_alerts(database, settings, now=now())),
            Duty("forget old conversations", 3_600.0, lambda: apply_retention(database, settings)),
            Duty("sweep old deliveries", 3600.0, lambda: sweep(database, now=now())),
        ]

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="frontdesk-rounds", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def once(self) -> None:
        for duty in self.duties:
            if self._clock() < duty.due or self._stopping.is_set():
                continue
            duty.due = self._clock() + duty.every
            try:
                duty.run()
            except Exception:
                log.exception("the round %r failed; it comes again", duty.name)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.once()
            self._stopping.wait(TICK)


def tell_unanswered(database: Database, *, now: datetime) -> list[int]:
    with database.write() as session:
        return tell_the_unanswered(session, now=now)


def close_quiet(database: Database, *, now: datetime) -> int:
    """Close the conversations that have been quiet for as long as their site allows; returns how many."""
    closed = 0
    with database.read() as session:
        sites = [
            (site.id, SiteOptions.from_json(site.options).idle_hours)
            for site in session.scalars(select(Site))
        ]
    for site_id, hours in sites:
        if hours:
            with database.write() as session:
                closed += len(
                    close_idle(session, site_id=site_id, before=now - timedelta(hours=hours), now=now)
                )
    return closed


def tell_alerts(database: Database, settings: Settings, *, now: datetime) -> list[alerts.Found]:
    """Looked for without holding up who writes; of what was told already nothing is put into the outbox."""
    with database.read() as session:
        found = list(alerts.look(session, now=now))
    if not found:
        return []
    with database.write() as session:
        return alerts.tell(session, found, now=now, by_mail=bool(settings.smtp_url))


def sweep(database: Database, *, now: datetime) -> None:
    with database.write() as session:
        deliveries.sweep(session, now=now)
