"""Erasing in full: rows (chatbot/records/erasure.py), the files that were sent, and frozen training data on disk."""

from __future__ import annotations

import logging
import shutil

from sqlalchemy import select

from chatbot.dialogue.options import SiteOptions
from chatbot.learning.replay import forget_replays
from chatbot.records.database import Database
from chatbot.records.erasure import Erased, erase_person, forget_old, note_erasure
from chatbot.records.tables import Site, Visitor
from chatbot.settings import Settings
from web.attachments import AttachmentFiles

log = logging.getLogger(__name__)


def erase(database: Database, settings: Settings, visitor_id: int, *, person_id: int | None = None) -> Erased:
    """Erase a person here and now. Raises NotFoundError.

    Snapshots that were frozen while something of theirs was in the training data go too, and replays of real
    conversations: both can be made again.
    """
    with database.write() as session:
        visitor = session.get(Visitor, visitor_id)
        if visitor is not None:
            # Before the commit: noted twice does no harm, not noted would bring them back with a backup.
            note_erasure(settings.data, visitor_id, visitor.created_at)
        gone = erase_person(session, visitor_id, person_id=person_id)
    _remove_files(settings, gone)
    if gone.releases or gone.examples:
        shutil.rmtree(settings.data / "snapshots", ignore_errors=True)
    return gone


def apply_retention(database: Database, settings: Settings) -> int:
    """Erase the conversations that are older than their site's rule; how many.

    A site without a rule of its own follows ``settings.retention_days``; 0 keeps everything.
    """
    with database.read() as session:
        rules = [
            (site.id, SiteOptions.from_json(site.options).retention_days or settings.retention_days)
            for site in session.scalars(select(Site).order_by(Site.id))
        ]
    count = 0
    for site_id, days in rules:
        while days:
            with database.write() as session:
                gone = forget_old(session, site_id=site_id, days=days)
            _remove_files(settings, gone)
            count += gone.conversations
            if not gone.conversations:
                break
    if count:
        log.info("retention: %d conversations erased", count)
    return count


def _remove_files(settings: Settings, gone: Erased) -> None:
    if gone.conversations:
        forget_replays(settings)
    files = AttachmentFiles(settings.data)
    for public_id in gone.files:
        files.path(public_id).unlink(missing_ok=True)
