"""Which of the installation's websites a settings page is about: ``?site=`` in its address, else the first one."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from chatbot.records.conversations import DEFAULT_SITE, find_site
from chatbot.records.sites import list_sites
from chatbot.records.tables import Site
from web.context import parts


def asked_site(session: Session) -> Site:
    """Raises NotFoundError for a key that no site has."""
    return find_site(session, request.args.get("site") or DEFAULT_SITE)


def argument(site: Site) -> str | None:
    """The site as an address names it: not at all where it is the first one."""
    return None if site.key == DEFAULT_SITE else site.key


def site_choice() -> list[Site]:
    """What a settings page lets choose from; nothing where there is one site."""
    with parts().database.read() as records:
        found = list_sites(records)
    return found if len(found) > 1 else []
