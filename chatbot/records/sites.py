"""The websites of an installation: each has its own key, origins, options, signing secret and conversations."""

from __future__ import annotations

import re

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError
from chatbot.records.conversations import DEFAULT_SITE, find_site
from chatbot.records.tables import ChatwootBridge, Conversation, Site, Visitor

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_KEY = 64


def list_sites(session: Session) -> list[Site]:
    """All sites, the first made first."""
    return list(session.scalars(select(Site).order_by(Site.id)))


def add_site(session: Session, *, key: str, name: str, like: Site) -> Site:
    """A further site that looks and answers as ``like`` does to begin with; origins and secrets are its own.

    Raises InputError for a key or name that cannot be, ConflictError where the key is taken.
    """
    key, name = key.strip().lower(), name.strip()
    if not _KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        raise InputError(
            "Not a site's key",
            field="key",
            value=key[:LONGEST_KEY],
            remedy="Use small letters, digits and single hyphens",
        )
    if not name:
        raise InputError("The site has no name", field="name", remedy="Write how you call it")
    if session.scalar(select(Site.id).where(Site.key == key)) is not None:
        raise ConflictError("There is a site with this key", field="key", value=key, remedy="Choose another")
    site = Site(key=key, name=name[:200], allowed_origins=[], options=dict(like.options))
    session.add(site)
    session.flush()
    return site


def delete_site(session: Session, key: str) -> Site:
    """Take away a site that nobody has used. Raises NotFoundError, and ConflictError for the first site and for one
    with conversations or a bridge: what visitors wrote is erased under *Privacy*, not by the way."""
    site = find_site(session, key)
    if site.key == DEFAULT_SITE:
        raise ConflictError("The first site stays", field="site", value=key)
    used = (
        exists().where(Conversation.site_id == site.id)
        | exists().where(Visitor.site_id == site.id)
        | exists().where(ChatwootBridge.site_id == site.id)
    )
    if session.scalar(select(used)):
        raise ConflictError(
            "Visitors have written on this site, or a bridge leads to it",
            field="site",
            value=key,
            remedy="Take its origins away instead: then no page can show its widget",
        )
    session.delete(site)
    return site
