"""Queued work, as rows: the table is the truth about every job, whatever became of its queue message.

A job is *claimed* by one worker for one attempt. Everything that worker writes afterwards names both, so that a
worker that was given up for dead and comes back can no longer touch a job that somebody else has taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, select, text, update
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, NotFoundError
from chatbot.records.tables import Job, utcnow

OPEN_STATES = ("queued", "running")
MAX_ATTEMPTS = 3  # a job that took its worker down this often is not tried again by itself
LOST_AFTER = timedelta(seconds=45)  # without a heartbeat


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to one attempt at a job."""

    job_id: int
    worker: str
    attempt: int


def add_job(
    session: Session,
    *,
    kind: str,
    arguments: dict[str, Any],
    person_id: int | None = None,
    exclusive: bool = False,
    request_id: str | None = None,
    now: datetime | None = None,
) -> Job:
    """A new queued job; ``request_id`` is that of the web request that asks for it.

    With ``exclusive`` raises ConflictError while another of its kind is open."""
    if exclusive:
        if session.get_bind().dialect.name == "postgresql":  # SQLite's writer is alone already
            session.execute(text("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE"))
        other = session.scalar(select(Job.id).where(Job.kind == kind, Job.state.in_(OPEN_STATES)).limit(1))
        if other is not None:
            raise ConflictError(
                "Such a job is under way already",
                field="job",
                value=other,
                remedy="Wait until it is done, or cancel it",
            )
    job = Job(
        kind=kind,
        arguments=arguments,
        request_id=request_id,
        created_by_id=person_id,
        created_at=now or utcnow(),
    )
    session.add(job)
    session.flush()
    return job


def get_job(session: Session, job_id: int) -> Job:
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(
            "There is no such job", field="job", value=job_id, remedy="See: frontdesk jobs list"
        )
    return job


def list_jobs(
    session: Session, *, kind: str | None = None, before: int | None = None, limit: int = 20
) -> list[Job]:
    """The newest first; ``before`` is an id, for the next page."""
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Job.id < before)
    return list(session.scalars(query.where(Job.kind == kind) if kind else query))


def open_job(session: Session, kind: str) -> Job | None:
    """The queued or running job of a kind, if any."""
    return session.scalar(
        select(Job).where(Job.kind == kind, Job.state.in_(OPEN_STATES)).order_by(Job.id).limit(1)
    )


def claim(session: Session, job_id: int, *, worker: str, now: datetime | None = None) -> Lease | None:
    """Take a queued job; None where it is not queued (any more): of two messages for a job one wins."""
    now = now or utcnow()
    taken = _change(
        session,
        (Job.id == job_id, Job.state == "queued"),
        state="running",
        worker=worker,
        attempt=Job.attempt + 1,
        heartbeat_at=now,
        started_at=now,
        error=None,
    )
    if not taken:
        return None
    attempt = session.scalar(select(Job.attempt).where(Job.id == job_id)) or 1
    return Lease(job_id, worker, attempt)


def beat(session: Session, lease: Lease, *, now: datetime | None = None) -> bool:
    """Say that the worker lives; False tells it that the job is no longer its own (cancelled or taken over)."""
    return _change(session, _held(lease), heartbeat_at=now or utcnow())


def report(
    session: Session,
    lease: Lease,
    *,
    stage: str,
    progress: float,
    curves: Mapping[str, Sequence[Sequence[float | None]]] | None = None,
) -> bool:
    """How far the job is: ``stage`` in words, ``progress`` from 0 to 1. False as for ``beat``.

    ``curves``: by stage the points (step, loss, score) of a training under way; they stand in the result until there is
    one.
    """
    values: dict[str, Any] = {"result": {"curves": curves}} if curves else {}
    return _change(
        session,
        _held(lease),
        stage=stage[:200],
        progress=min(max(progress, 0.0), 1.0),
        heartbeat_at=utcnow(),
        **values,
    )


def finish(session: Session, lease: Lease, *, result: dict[str, Any], now: datetime | None = None) -> bool:
    return _change(
        session,
        _held(lease),
        state="done",
        result=result,
        progress=1.0,
        finished_at=now or utcnow(),
        worker=None,
    )


def fail(session: Session, lease: Lease, *, error: dict[str, Any], now: datetime | None = None) -> bool:
    """End an attempt that cannot succeed by trying again as it is. ``error`` as FrontdeskError.as_json."""
    return _change(
        session, _held(lease), state="failed", error=error, finished_at=now or utcnow(), worker=None
    )


def release(session: Session, lease: Lease) -> bool:
    """Put a job back because its worker shuts down: that was not the job's fault and costs it no attempt."""
    return _change(session, _held(lease), state="queued", worker=None, attempt=Job.attempt - 1)


def cancel(session: Session, job_id: int, *, now: datetime | None = None) -> None:
    """Raises ConflictError where the job has ended. A running one is stopped at its worker's next heartbeat."""
    job = get_job(session, job_id)
    stopped = _change(
        session,
        (Job.id == job_id, Job.state.in_(OPEN_STATES)),
        state="cancelled",
        finished_at=now or utcnow(),
        worker=None,
    )
    if not stopped:
        raise ConflictError("The job has ended already", field="job", value=f"{job.id}: {job.state}")


def run_again(session: Session, job_id: int) -> Job:
    """Queue an ended job again; it goes on from its last finished batch. Raises ConflictError while it is open."""
    job = get_job(session, job_id)
    again = _change(
        session,
        (Job.id == job_id, Job.state.in_(("failed", "cancelled"))),
        state="queued",
        attempt=0,
        worker=None,
        error=None,
        finished_at=None,
    )
    if not again:
        raise ConflictError(
            "Only a failed or cancelled job can run again", field="job", value=f"{job.id}: {job.state}"
        )
    session.refresh(job)
    return job


def lost_jobs(session: Session, *, now: datetime | None = None) -> list[Job]:
    """Running jobs without a heartbeat for LOST_AFTER."""
    before = (now or utcnow()) - LOST_AFTER
    return list(session.scalars(select(Job).where(Job.state == "running", Job.heartbeat_at < before)))


def running_jobs(session: Session) -> list[Job]:
    return list(session.scalars(select(Job).where(Job.state == "running")))


def queued_jobs(session: Session) -> list[int]:
    """Ids of the queued jobs, in their order."""
    return list(session.scalars(select(Job.id).where(Job.state == "queued").order_by(Job.id)))


def give_up_or_requeue(session: Session, job: Job, *, now: datetime | None = None) -> bool:
    """What happens to a running job whose worker is gone: queued again (True), or failed after MAX_ATTEMPTS."""
    mine = (Job.id == job.id, Job.state == "running", Job.worker == job.worker, Job.attempt == job.attempt)
    if job.attempt < MAX_ATTEMPTS:
        return _change(session, mine, state="queued", worker=None)
    _change(
        session,
        mine,
        state="failed",
        worker=None,
        finished_at=now or utcnow(),
        error={
            "code": "worker_lost",
            "message": f"The worker ended in the middle of this job {job.attempt} times",
            "remedy": "Look at the log and the machine's free memory, then run the job again",
        },
    )
    return False


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        Job.id == lease.job_id,
        Job.state == "running",
        Job.worker == lease.worker,
        Job.attempt == lease.attempt,
    )


def _change(session: Session, where: tuple[ColumnElement[bool], ...], **values: Any) -> bool:
    result = session.execute(
        update(Job).where(*where).values(**values).execution_options(synchronize_session="fetch")
    )
    return isinstance(result, CursorResult) and result.rowcount == 1
