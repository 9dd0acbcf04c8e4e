"""``frontdesk doctor``: each thing that can be wrong, looked at and said in words, with what to do about it.

A check looks and never changes anything. One that itself fails is a finding like any other.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from chatbot.errors import FileError, FrontdeskError
from chatbot.learning.bundles import verify
from chatbot.learning.releases import bundle_folder, live_release_id
from chatbot.records import people, schema
from chatbot.records.database import Database
from chatbot.records.tables import Article, Conversation, Job, Passage, Release, Site, utcnow
from chatbot.settings import Settings
from web.widget.languages import own_files, read_file

Level = Literal["fine", "note", "warning", "error"]

LOW_DISK = 2 * 2**30  # bytes: a training writes a few hundred megabytes
NO_DISK = 200 * 2**20
STUCK = timedelta(minutes=5)
LONG_WAIT = timedelta(hours=1)
LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Finding:
    """``what`` was looked at, how it stands in words, and the remedy where something is to be done."""

    level: Level
    what: str
    message: str
    remedy: str = ""


def examine(settings: Settings, *, deep: bool = False) -> Iterator[Finding]:
    """All findings, in the order in which to deal with them. ``deep`` also loads the live release, asks it something
    and holds its index against the database."""
    yield from _safely("data folder", lambda: _data_folder(settings))
    yield from _safely("secrets", lambda: _secrets(settings))
    yield from _safely("settings", lambda: _settings(settings))
    yield from _safely("encoder", lambda: _encoder(settings))
    yield from _safely("queue", lambda: _queue(settings))
    try:
        database = Database(settings.database)
        answers = database.ping()
    except (FrontdeskError, SQLAlchemyError) as error:
        yield Finding(
            "error",
            "database",
            f"It does not answer: {_first_line(error)}",
            "Check FRONTDESK_DATABASE_URL and whether the database server runs",
        )
        return
    if not answers:
        yield Finding("error", "database", "It does not answer", "Check FRONTDESK_DATABASE_URL")
        return
    try:
        found = list(_safely("database", lambda: _database(database)))
        yield from found
        if any(one.level == "error" for one in found):
            return
        for what, check in (
            ("release", lambda: _release(database, settings, deep=deep)),
            ("knowledge", lambda: _knowledge(database)),
            ("worker", lambda: _worker(database)),
            ("people", lambda: _people(database)),
            ("sites", lambda: _sites(database, settings)),
            ("languages", lambda: _languages(settings)),
            ("web server", lambda: _web_server(settings)),
        ):
            yield from _safely(what, check)
    finally:
        database.dispose()


def _safely(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except FrontdeskError as error:
        yield Finding("error", what, error.message, error.remedy or "")
    except Exception as error:
        yield Finding(
            "error", what, f"This could not be looked at: {type(error).__name__}: {_first_line(error)}"
        )


def _first_line(error: BaseException) -> str:
    return (str(getattr(error, "orig", error)).strip().splitlines() or [type(error).__name__])[0]


# --- the machine and the settings ------------------------------------------------------------------------


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data.absolute()
    above = folder
    while not above.exists():
        above = above.parent
    if not os.access(above, os.W_OK | os.X_OK):
        yield Finding(
            "error",
            "data folder",
            f"{folder} cannot be written by this user",
            f"Run chown -R {os.getuid()} {folder}, or set FRONTDESK_DATA to a folder of your own",
        )
        return
    free = shutil.disk_usage(above).free
    if free < LOW_DISK:
        level: Level = "error" if free < NO_DISK else "warning"
        yield Finding(
            level,
            "disk",
            f"Only {free / 2**20:,.0f} MiB are free where {folder} lies",
            "Make room: old snapshots and replaced-* folders in the data folder can go first",
        )
    else:
        yield Finding("fine", "data folder", f"{folder}, {free / 2**30:,.0f} GiB free")


def _secrets(settings: Settings) -> Iterator[Finding]:
    from web.secrets import check_metrics_token, session_key

    check_metrics_token(settings.metrics_token)
    if (settings.data / "secrets" / "session.key").exists():
        session_key(settings.data)
        yield Finding("fine", "secrets", "The session key is there and nobody else can read it")


def _settings(settings: Settings) -> Iterator[Finding]:
    if settings.web_processes > 1 and settings.limits_url.startswith("memory:"):
        yield Finding(
            "warning",
            "limits",
            f"Each of the {settings.web_processes} web processes counts for itself, so limits are that much wider",
            "Set FRONTDESK_LIMITS_URL to a redis:// address",
        )
    if settings.live_url != "memory://":
        yield from _redis("live", settings.live_url, "FRONTDESK_LIVE_URL")
    if settings.limits_url.startswith(("redis://", "rediss://")):
        yield from _redis("limits", settings.limits_url, "FRONTDESK_LIMITS_URL")
    if settings.host not in LOCAL and not settings.trusted_proxies:
        yield Finding(
            "warning",
            "address",
            f"The server listens on {settings.host} and no proxy is trusted: visitors' words would travel in the clear",
            "Put a TLS proxy in front and set FRONTDESK_TRUSTED_PROXIES to 1 (docs/production.md)",
        )
    if not settings.retention_days:
        yield Finding(
            "note",
            "retention",
            "Conversations are kept for ever unless a site has a rule of its own",
            "Set FRONTDESK_RETENTION_DAYS, or the days in the site settings",
        )


def _redis(what: str, url: str, variable: str) -> Iterator[Finding]:
    try:
        import redis
    except ModuleNotFoundError:
        yield Finding(
            "error", what, "The client for Redis is not installed", "Run: pip install 'frontdesk[redis]'"
        )
        return
    try:
        with contextlib.closing(
            redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        yield Finding(
            "error",
            what,
            f"Redis does not answer: {_first_line(error)}",
            f"Check {variable} and the Redis server",
        )
        return
    yield Finding("fine", what, "Redis answers")


def _encoder(settings: Settings) -> Iterator[Finding]:
    """A misspelt name would be found at the next training only."""
    from chatbot.learning.encoders import CHINESE, PACKAGED, check_encoder

    try:
        where = check_encoder(settings.encoder, settings.encoders)
    except FrontdeskError as error:
        missing = settings.encoder in (PACKAGED, CHINESE)  # a machine that only serves needs no such package
        yield Finding(
            "warning" if missing else "error",
            "encoder",
            f"{error.message}: {error.value}",
            error.remedy or "",
        )
        return
    if where:
        yield Finding("fine", "encoder", f"{settings.encoder}: {where[0].lower()}{where[1:]}")
    else:
        yield Finding(
            "warning",
            "encoder",
            f"{settings.encoder} is not on this machine: the next training asks a model hub for it",
            "Check its name, and that this machine reaches the hub; or set FRONTDESK_ENCODER to a folder",
        )


def _queue(settings: Settings) -> Iterator[Finding]:
    if settings.queue_url.startswith(("redis://", "rediss://", "unix://")):
        yield from _redis("queue", settings.queue_url, "FRONTDESK_QUEUE_URL")
    elif settings.queue_url:
        yield Finding(
            "error",
            "queue",
            "FRONTDESK_QUEUE_URL cannot be used",
            "Leave it empty, or use redis://host:port/number",
        )
    elif settings.database_url and not settings.database_url.startswith("sqlite"):
        yield Finding(
            "note",
            "queue",
            "Wake-ups go through a file in this data folder: a worker elsewhere finds jobs within a minute only",
            "Set FRONTDESK_QUEUE_URL to a redis:// address when workers run elsewhere",
        )


# --- the database and what it says -----------------------------------------------------------------------


def _database(database: Database) -> Iterator[Finding]:
    revision = schema.current_revision(database)
    if not schema.is_current(database):
        yield Finding(
            "error",
            "database",
            f"Its schema is at {revision or 'nothing yet'}, which is not the newest",
            "Run: frontdesk db upgrade",
        )
        return
    if database.is_sqlite:
        with database.read() as session:
            result = session.execute(text("PRAGMA quick_check(5)")).scalars().all()
        if result != ["ok"]:
            yield Finding(
                "error",
                "database",
                f"The file is damaged: {'; '.join(map(str, result))[:300]}",
                "Stop the service, copy the file away, and restore the last backup: frontdesk restore FILE --replace",
            )
            return
    elif shutil.which("pg_dump") is None:
        yield Finding(
            "warning",
            "backup",
            "pg_dump is not installed: frontdesk backup will not work",
            "Install PostgreSQL's client programs (Debian: postgresql-client)",
        )
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    yield Finding("fine", "database", f"{kind} answers, schema {revision}")


def _release(database: Database, settings: Settings, *, deep: bool) -> Iterator[Finding]:
    with database.read() as session:
        live = live_release_id(session)
        row = session.get(Release, live) if live else None
    if live is None or row is None:
        yield Finding(
            "error", "release", "No release is live: the bot cannot answer", "Run: frontdesk retrain"
        )
        return
    verify(bundle_folder(settings, live))
    yield Finding("fine", "release", f"{live} is live and all of its files have their checksums")
    if row.erased_people:
        yield Finding(
            "warning",
            "release",
            f"{row.erased_people} people who were erased since wrote some of what {live} was trained on",
            "Run: frontdesk retrain",
        )
    if deep:
        yield from _asked(database, settings, live)


def _asked(database: Database, settings: Settings, live: str) -> Iterator[Finding]:
    from chatbot.dialogue.options import SiteOptions
    from chatbot.learning.loading import load_assistant

    reply, trace = load_assistant(database, settings, live).reply("Hello?", options=SiteOptions())
    total = sum(trace.milliseconds.values())
    yield Finding("fine", "release", f"It answers ({reply.kind}, {total:.0f} ms)")
    yield from _index(database, settings, live)


def _index(database: Database, settings: Settings, live: str) -> Iterator[Finding]:
    from chatbot.learning.index_check import check_index

    report = check_index(database, settings, release_id=live)
    if report.sound:
        yield Finding("fine", "index", f"{report.passages} passages, equal to the database")
        return
    found = [
        ("entries that differ from the database", len(report.lacking) + len(report.gone)),
        ("damaged parts", len(report.damaged)),
        ("wrong vectors", len(report.wrong_vectors)),
    ]
    told = ", ".join(f"{number} {what}" for what, number in found if number)
    yield Finding("error", "index", f"The index on disk has {told}", "Run: frontdesk index check --repair")


def _knowledge(database: Database) -> Iterator[Finding]:
    with database.read() as session:
        count = session.scalar(
            select(func.count())
            .select_from(Passage)
            .join(Article, Article.id == Passage.article_id)
            .where(Article.status == "live", Passage.enabled)
        )
    if not count:
        yield Finding(
            "warning",
            "knowledge",
            "There is no passage to cite: the bot can give approved answers only",
            "Run: frontdesk ingest articles FOLDER",
        )
    else:
        yield Finding("fine", "knowledge", f"{count} passages can be cited")


def _worker(database: Database) -> Iterator[Finding]:
    now = utcnow()
    with database.read() as session:
        oldest = session.scalar(select(func.min(Job.created_at)).where(Job.state == "queued"))
        busy = session.scalar(
            select(func.count()).where(Job.state == "running", Job.heartbeat_at > now - STUCK)
        )
        failed = session.execute(
            select(Job.id, Job.kind, Job.error)
            .where(Job.state == "failed", Job.finished_at > now - timedelta(days=7))
            .order_by(Job.id.desc())
            .limit(3)
        ).all()
    if oldest is not None and now - oldest > STUCK and not busy:
        minutes = int((now - oldest).total_seconds() // 60)
        yield Finding(
            "error",
            "worker",
            f"A job has been waiting for {minutes} minutes and nobody works",
            "Start a worker: frontdesk worker (frontdesk serve brings one along)",
        )
    for job_id, kind, error in failed:
        yield Finding(
            "warning",
            "worker",
            f"Job {job_id} ({kind}) failed: {(error or {}).get('message', 'it does not say why')}",
            (error or {}).get("remedy") or f"See: frontdesk jobs show {job_id}",
        )


def _people(database: Database) -> Iterator[Finding]:
    with database.read() as session:
        if people.anybody(session):
            yield Finding("fine", "people", "There is an admin who can sign in")
            return
    yield Finding(
        "error",
        "people",
        "Nobody can sign in",
        "Open the one-time link that frontdesk serve prints, or run: frontdesk user add you@example.com",
    )


def _sites(database: Database, settings: Settings) -> Iterator[Finding]:
    with database.read() as session:
        for key, origins in session.execute(select(Site.key, Site.allowed_origins).order_by(Site.id)):
            if "*" in origins:
                yield Finding(
                    "warning",
                    "sites",
                    f"Any page on the Internet may use the chat of site {key}",
                    "Name your pages' origins in the site settings instead of *",
                )
        waiting = session.scalar(
            select(func.min(Conversation.handover_at)).where(Conversation.state == "waiting")
        )
    if waiting is not None and utcnow() - waiting > LONG_WAIT:
        hours = int((utcnow() - waiting).total_seconds() // 3600)
        yield Finding(
            "warning",
            "conversations",
            f"Somebody has been waiting for a person for {hours} hours",
            "Look into the inbox; opening hours and the time-out are in the site settings",
        )


def _languages(settings: Settings) -> Iterator[Finding]:
    for path in own_files(settings.data):
        try:
            _, missing = read_file(path)
        except FileError as error:
            yield Finding(
                "error", "languages", f"{error.field}: {error.message}. It is not used", error.remedy or ""
            )
            continue
        if missing:
            yield Finding(
                "warning",
                "languages",
                f"{path.name} lacks {len(missing)} words, which visitors see in English",
                f"Translate {', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}",
            )
        else:
            yield Finding("fine", "languages", f"{path.name} is used from the next start on")


def _web_server(settings: Settings) -> Iterator[Finding]:
    from web.serve import address

    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.settimeout(2)
        host = settings.host if settings.host not in ("0.0.0.0", "::", "") else "127.0.0.1"
        if probe.connect_ex((host, settings.port)):
            yield Finding(
                "note", "web server", f"Nothing listens at {address(settings)}", "Run: frontdesk serve"
            )
            return
    try:
        with urllib.request.urlopen(f"{address(settings)}/readyz", timeout=5) as answer:
            ready = answer.status == 200
    except urllib.error.HTTPError as error:
        ready = False
        if error.code != 503:
            yield Finding(
                "error",
                "web server",
                f"What listens at {address(settings)} is not Frontdesk (status {error.code})",
                "Stop it, or choose another port with PORT",
            )
            return
    except OSError as error:
        yield Finding(
            "error",
            "web server",
            f"It listens but does not answer: {_first_line(error)}",
            "Restart it; see its log",
        )
        return
    if ready:
        yield Finding("fine", "web server", f"Ready at {address(settings)}")
    else:
        yield Finding(
            "error",
            "web server",
            f"It runs at {address(settings)} but is not ready",
            f"See what it says: curl {address(settings)}/readyz",
        )
