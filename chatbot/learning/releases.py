"""Releases as the database knows them: which there are, which is live, promoting and rolling back.

The last row of ``promotions`` is the only truth about what is live. A roll back is a promotion of an older release.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chatbot.errors import BundleError, ConflictError, NotFoundError
from chatbot.inference.classifier_config import ClassifierConfig
from chatbot.learning.bundles import verify
from chatbot.records.database import Database
from chatbot.records.provisional import settle
from chatbot.records.tables import AuditEntry, Canary, Promotion, Release, utcnow
from chatbot.settings import Settings


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release as lists show it."""

    id: str
    status: str
    live: bool
    created_at: datetime
    metrics: dict[str, Any]
    gate: dict[str, Any]
    reason: str
    parent_id: str | None
    snapshot: str
    erased_people: int = 0


def live_release_id(session: Session) -> str | None:
    """The id of the release that answers, or None before the first promotion."""
    return session.scalar(select(Promotion.release_id).order_by(Promotion.id.desc()).limit(1))


def list_releases(database: Database) -> list[ReleaseRow]:
    """All releases, newest first."""
    with database.read() as session:
        live = live_release_id(session)
        rows = session.scalars(select(Release).order_by(Release.created_at.desc(), Release.id.desc())).all()
    return [_row(row, live) for row in rows]


def get_release(database: Database, release_id: str) -> ReleaseRow:
    """Raises NotFoundError."""
    with database.read() as session:
        live = live_release_id(session)
        row = session.get(Release, release_id)
    if row is None:
        raise _unknown(release_id)
    return _row(row, live)


def promote(
    database: Database, settings: Settings, release_id: str, *, reason: str, person_id: int | None = None
) -> None:
    """Make a release live, in one transaction; every process swaps to it between two messages.

    Raises NotFoundError for an unknown release, BundleError where its files are damaged, ConflictError where it is
    live already.
    """
    with database.read() as session:
        if session.get(Release, release_id) is None:
            raise _unknown(release_id)
        if live_release_id(session) == release_id:
            raise ConflictError("This release is live already", value=release_id)
    verify(bundle_folder(settings, release_id))
    with database.write() as session:
        row = session.get(Release, release_id)
        if row is None:
            raise _unknown(release_id)
        row.status = "promoted"
        go_live(session, settings, release_id, reason=reason, person_id=person_id)
        session.add(
            AuditEntry(
                person_id=person_id,
                action="release.promote",
                subject=f"release {release_id}",
                detail={"reason": reason},
            )
        )


def go_live(
    session: Session, settings: Settings, release_id: str, *, reason: str, person_id: int | None = None
) -> None:
    """The promotion itself: the row that every process follows. A trial was against the release before: it ends.

    Provisional intents that this release has learnt are live from here on.
    """
    before = live_release_id(session)
    known = labels_of(settings, before) if before is not None else ()
    settle(session, labels_of(settings, release_id), before=known)
    session.add(Promotion(release_id=release_id, person_id=person_id, reason=reason))
    session.execute(update(Canary).where(Canary.ended_at.is_(None)).values(ended_at=utcnow()))


def rollback(
    database: Database, settings: Settings, *, reason: str = "rolled back", person_id: int | None = None
) -> str:
    """Promote the release that was live before the present one; its id.

    Raises ConflictError where there is none.
    """
    with database.read() as session:
        history: Sequence[str] = session.scalars(
            select(Promotion.release_id).order_by(Promotion.id.desc())
        ).all()
    live = history[0] if history else None
    previous = next((release_id for release_id in history if release_id != live), None)
    if previous is None:
        raise ConflictError("There is no earlier release to go back to", remedy="Retrain first")
    promote(database, settings, previous, reason=reason, person_id=person_id)
    return previous


def discard(database: Database, settings: Settings, release_id: str) -> None:
    """Remove the files of a release that was never live.

    Raises NotFoundError, or ConflictError for one that was promoted once (it may be rolled back to).
    """
    with database.write() as session:
        row = session.get(Release, release_id)
        if row is None:
            raise _unknown(release_id)
        if session.scalar(select(func.count()).where(Promotion.release_id == release_id)):
            raise ConflictError("A release that was live is kept", value=release_id)
        session.delete(row)
    shutil.rmtree(bundle_folder(settings, release_id), ignore_errors=True)


def labels_of(settings: Settings, release_id: str) -> tuple[str, ...]:
    """The intents that a release's classifier knows; none where it has no classifier, or its files are gone."""
    return labels_in(bundle_folder(settings, release_id))


def labels_in(bundle: Path) -> tuple[str, ...]:
    """Likewise, of a bundle."""
    try:
        return ClassifierConfig.load(bundle / "classifier").labels
    except BundleError:
        return ()


def bundle_folder(settings: Settings, release_id: str) -> Path:
    return settings.releases / release_id


def _row(row: Release, live: str | None) -> ReleaseRow:
    return ReleaseRow(
        row.id,
        row.status,
        row.id == live,
        row.created_at,
        row.metrics,
        row.gate,
        row.reason,
        row.parent_id,
        row.snapshot,
        row.erased_people,
    )


def _unknown(release_id: str) -> NotFoundError:
    return NotFoundError(
        "No such release", value=release_id, remedy="List them with: frontdesk releases list"
    )
