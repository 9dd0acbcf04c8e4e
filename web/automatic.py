"""Retraining by itself: the worker looks whether enough examples came or were corrected since the last training."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError
from chatbot.records.corrections import corrected_examples
from chatbot.records.database import Database
from chatbot.records.tables import Example, Job, Release
from chatbot.settings import Settings
from web.jobs import JobContext, enqueue

log = logging.getLogger(__name__)


def new_examples(session: Session) -> int:
    """Examples that came, or were corrected, since the newest release was made or the last retraining was queued,
    failed ones included: what could not be trained on once is not tried again every minute."""
    since = [
        moment
        for moment in (
            session.scalar(select(func.max(Release.created_at))),
            session.scalar(select(func.max(Job.created_at)).where(Job.kind == "retrain")),
        )
        if moment is not None
    ]
    counted = select(func.count()).select_from(Example).where(Example.status.in_(("accepted", "unreviewed")))
    if not since:
        return session.scalar(counted) or 0
    came = session.scalar(counted.where(Example.created_at > max(since))) or 0
    return came + corrected_examples(session, max(since))


def retrain_when_due(database: Database, settings: Settings) -> int | None:
    """Queue a retraining where the setting asks for it and enough is new; the job's id."""
    if not settings.retrain_after:
        return None
    with database.read() as session:
        count = new_examples(session)
    if count < settings.retrain_after:
        return None
    try:
        job_id = enqueue(database, settings, "retrain", {"because": f"{count} new or corrected examples"})
    except ConflictError:  # one is under way
        return None
    log.info("retraining: %d examples are new or corrected (job %d)", count, job_id)
    return job_id


def run_replay(context: JobContext) -> dict[str, Any]:
    """The job behind "replay": its result is the summary; the changes are kept beside the releases.
    With ``turn_id`` one message alone is put to the release."""
    from chatbot.learning.replay import LAST, replay, replay_turn

    turn_id = context.arguments.get("turn_id")
    if turn_id is not None:
        context.progress("load", 0.0)
        one = replay_turn(
            context.database, context.settings, int(turn_id), str(context.arguments["release_id"])
        )
        return {
            "turn_id": one.turn_id,
            "release_id": one.release_id,
            "changed": one.changed,
            "left_out": one.left_out,
        }
    found = replay(
        context.database,
        context.settings,
        str(context.arguments["release_id"]),
        last=int(context.arguments.get("last", LAST)),
        progress=context.progress,
    )
    return found.summary()
