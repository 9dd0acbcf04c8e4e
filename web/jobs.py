"""Queued work: the kinds of job there are, how one is queued, and what each does when its turn comes.

The ``jobs`` table is the truth (chatbot/records/jobs.py). The queue (web/job_queue.py) only wakes a worker up: a lost,
doubled or forged message can do no harm, at most a queued job starts now instead of within a minute.
"""

from __future__ import annotations

import importlib
import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

from chatbot.errors import FrontdeskError, InputError
from chatbot.extras import missing_extra
from chatbot.records import audit, jobs
from chatbot.records.database import Database
from chatbot.settings import Settings
from web import logs

log = logging.getLogger(__name__)

REPORT_EVERY = 0.5  # seconds between two writes of a job's progress
MOST_POINTS = 200  # of a learning curve that is drawn while it grows


class JobStopped(Exception):
    """Raised inside a running job that is no longer its worker's: cancelled, or taken over."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """``run`` is "module:function", imported only in the child process that does the work."""

    name: str
    run: str
    exclusive: bool = False  # at most one open at a time


@dataclass
class JobContext:
    """What a running job is given; ``progress`` may be called as often as it likes."""

    database: Database
    settings: Settings
    lease: jobs.Lease
    arguments: dict[str, Any]
    person_id: int | None = None
    clock: Callable[[], float] = time.monotonic
    _stage: str = ""
    _reported: float = float("-inf")
    _curves: dict[str, list[list[float | None]]] = field(default_factory=dict)

    def progress(self, stage: str, fraction: float) -> None:
        """Raises JobStopped once the job was cancelled or taken over."""
        now = self.clock()
        point = getattr(fraction, "point", None)
        if point is not None and math.isfinite(point.loss):
            points = self._curves.setdefault(stage, [])
            points.append([point.step, round(point.loss, 4), point.score])
            if len(points) > MOST_POINTS:
                del points[1::2]  # every second one: a picture has no room for more
        if stage == self._stage and now - self._reported < REPORT_EVERY and fraction < 1:
            return
        with self.database.write() as session:
            mine = jobs.report(
                session, self.lease, stage=stage, progress=float(fraction), curves=self._curves
            )
        if not mine:
            raise JobStopped(f"job {self.lease.job_id}")
        self._stage, self._reported = stage, now


KINDS: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    """Add a kind of job; a second one of the same name replaces the first."""
    KINDS[kind.name] = kind


register(JobKind("import_transcripts", "web.jobs:run_import_transcripts"))
register(JobKind("import_articles", "web.jobs:run_import_articles"))
register(JobKind("import_web_pages", "web.jobs:run_import_web_pages"))
register(JobKind("import_intents", "web.jobs:run_import_intents"))
register(JobKind("reindex", "web.jobs:run_reindex", exclusive=True))
register(JobKind("retrain", "web.jobs:run_retrain", exclusive=True))
register(JobKind("replay", "web.automatic:run_replay"))
register(JobKind("discover", "web.jobs:run_discover", exclusive=True))


def job_kind(name: str) -> JobKind:
    if name not in KINDS:
        raise InputError(
            "Unknown kind of job", field="kind", value=name, remedy=f"Use one of {', '.join(KINDS)}"
        )
    return KINDS[name]


# --- the queue -------------------------------------------------------------------------------------------


def announce(settings: Settings, job_id: int) -> None:
    """Wake a worker for a queued job. A queue that is away is logged, not raised: the worker looks by itself."""
    from web import job_queue

    queue = job_queue.open_queue(settings)
    try:
        job_queue.send(queue, job_id)
    except Exception:  # any of sqlite3's or redis-py's: the row is safe, the wake-up is not needed
        log.warning("could not announce job %s; a worker finds it within a minute", job_id, exc_info=True)


def enqueue(
    database: Database,
    settings: Settings,
    kind: str,
    arguments: dict[str, Any] | None = None,
    *,
    person_id: int | None = None,
) -> int:
    """Queue a job and wake a worker; returns its id. The row is committed before the message goes out.

    Raises InputError for an unknown kind and ConflictError while an exclusive one is open.
    """
    chosen = job_kind(kind)
    with database.write() as session:
        job = jobs.add_job(
            session,
            kind=kind,
            arguments=arguments or {},
            person_id=person_id,
            exclusive=chosen.exclusive,
            request_id=logs.request_id.get() or None,
        )
        audit.record(session, action="job.queue", subject=f"job {job.id}: {kind}", person_id=person_id)
        job_id = job.id
    announce(settings, job_id)
    return job_id


def run_again(database: Database, settings: Settings, job_id: int, *, person_id: int | None = None) -> None:
    with database.write() as session:
        job = jobs.run_again(session, job_id)
        audit.record(session, action="job.again", subject=f"job {job_id}: {job.kind}", person_id=person_id)
    announce(settings, job_id)


def cancel(database: Database, job_id: int, *, person_id: int | None = None) -> None:
    with database.write() as session:
        jobs.cancel(session, job_id)
        audit.record(session, action="job.cancel", subject=f"job {job_id}", person_id=person_id)


def error_as_json(error: BaseException) -> dict[str, Any]:
    """What a failed job says: our own errors in full, anything else by its type and the log."""
    error = missing_extra(error) or error
    if isinstance(error, FrontdeskError):
        return error.as_json()
    return {
        "code": "crashed",
        "message": f"{type(error).__name__}: {error}"[:500],
        "remedy": "The worker's log has the details",
    }


def as_result(outcome: Any) -> dict[str, Any]:
    """A report or outcome as the plain JSON that the job row keeps."""
    if hasattr(outcome, "as_json"):
        plain = outcome.as_json()
    elif is_dataclass(outcome) and not isinstance(outcome, type):
        plain = asdict(outcome)
    else:
        plain = {"outcome": str(outcome)}
    cleaned: dict[str, Any] = json.loads(json.dumps(plain, default=str))
    return cleaned


def load(run: str) -> Callable[[JobContext], dict[str, Any]]:
    """The function that "module:function" names."""
    module, _, function = run.partition(":")
    loaded: Callable[[JobContext], dict[str, Any]] = getattr(importlib.import_module(module), function)
    return loaded


# --- what the kinds do (in the child process of web/worker.py) --------------------------------------------


def _uploaded(context: JobContext) -> list[Path]:
    """The job's files. Only what lies in the uploads folder is ever read on behalf of a job."""
    root = context.settings.uploads.resolve()
    paths = [(root / name).resolve() for name in context.arguments.get("files", [])]
    for path in paths:
        if not path.is_relative_to(root) or not path.is_file():
            raise InputError(
                "An uploaded file is gone", field="files", value=path.name, remedy="Upload it once more"
            )
    return paths


def _encodings(context: JobContext, paths: Sequence[Path]) -> dict[Path, str]:
    """The encodings that somebody has told of the job's files."""
    told = context.arguments.get("encodings") or {}
    names = context.arguments.get("files", [])
    return {path: str(told[name]) for name, path in zip(names, paths, strict=True) if told.get(name)}


def discard_uploads(settings: Settings, files: list[str]) -> None:
    """Erase uploaded files after a successful import: they hold personal values that the database does not."""
    root = settings.uploads.resolve()
    for name in files:
        folder = (root / name).resolve().parent
        if folder != root and folder.is_relative_to(root):
            shutil.rmtree(folder, ignore_errors=True)


def run_import_transcripts(context: JobContext) -> dict[str, Any]:
    paths = _uploaded(context)
    from ingest.files import read_as
    from ingest.importing import import_transcripts

    with read_as(_encodings(context, paths)):
        report = import_transcripts(
            context.database,
            paths,
            format=context.arguments.get("format", "auto"),
            columns=context.arguments.get("columns") or None,
            dry_run=bool(context.arguments.get("dry_run")),
            progress=context.progress,
        )
    return as_result(report)


def run_import_articles(context: JobContext) -> dict[str, Any]:
    paths = _uploaded(context)
    from ingest.files import read_as
    from ingest.importing import import_articles

    lang = str(context.arguments.get("lang") or "")
    columns = context.arguments.get("columns") or None
    with read_as(_encodings(context, paths)):
        report = import_articles(
            context.database, paths, progress=context.progress, lang=lang, columns=columns
        )
    return as_result(report)


def run_import_web_pages(context: JobContext) -> dict[str, Any]:
    from chatbot.outbound import allowed_entries
    from ingest.articles.web_import import import_web_pages
    from ingest.articles.web_pages import WebReader

    reader = WebReader(allow=allowed_entries(context.settings.outbound_private))
    addresses = [str(address) for address in context.arguments.get("addresses", [])]
    return as_result(import_web_pages(context.database, addresses, reader=reader, progress=context.progress))


def run_import_intents(context: JobContext) -> dict[str, Any]:
    paths = _uploaded(context)
    from ingest.importing import import_intents

    return as_result(import_intents(context.database, paths, progress=context.progress))


def run_reindex(context: JobContext) -> dict[str, Any]:
    from chatbot.learning.index_check import prepare_index

    release_id = str(context.arguments.get("release", ""))
    count = prepare_index(context.database, context.settings, release_id, progress=context.progress)
    return {"release": release_id, "passages": count}


def run_retrain(context: JobContext) -> dict[str, Any]:
    from chatbot.learning.retraining import retrain

    outcome = retrain(
        context.database,
        context.settings,
        device=context.arguments.get("device") or context.settings.device,
        seed=int(context.arguments.get("seed", 13)),
        progress=context.progress,
        created_by=context.person_id,
        warm=bool(context.arguments.get("warm")),
    )
    if outcome.status in ("candidate", "refused"):  # what a person who decides about it wants to see
        enqueue(context.database, context.settings, "replay", {"release_id": outcome.release_id})
    told = as_result(outcome)  # the figures themselves are kept with the release
    kept = ("release_id", "status", "reason", "seconds", "skipped", "cut")
    return {key: told[key] for key in kept if key in told}


def run_discover(context: JobContext) -> dict[str, Any]:
    from chatbot.learning.proposing import encoders_of, propose

    context.progress("encoder", 0.0)
    encoder_of = encoders_of(context.database, context.settings)
    return as_result(propose(context.database, encoder_of, progress=context.progress))
