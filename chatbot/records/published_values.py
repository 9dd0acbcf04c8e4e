"""What the company itself publishes of e-mail addresses, telephone numbers and postal addresses.

They are the company's own, and an answer without them would be useless: redaction keeps them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.language.redaction import canonical, find_contacts
from chatbot.records.tables import Article

_AT_ONCE = 500  # articles read in one statement
_Version = tuple[int, str, datetime]  # an article's id, hash and time of change

# What each version of a live article holds, read once in a process: an article takes a quarter of a millisecond, and
# who decides about a question holds the database's write lock meanwhile. Replaced as a whole, so threads may share it
_read: dict[_Version, frozenset[str]] = {}


def published_values(session: Session) -> frozenset[str]:
    """Those in live articles, in canonical form."""
    global _read
    known = _read
    versions: list[_Version] = [
        (row.id, row.content_hash, row.updated_at)
        for row in session.execute(
            select(Article.id, Article.content_hash, Article.updated_at).where(Article.status == "live")
        )
    ]
    held = {version: known[version] for version in versions if version in known}
    missing = {version[0]: version for version in versions if version not in held}
    ids = list(missing)
    for at in range(0, len(ids), _AT_ONCE):
        bodies = select(Article.id, Article.body).where(Article.id.in_(ids[at : at + _AT_ONCE]))
        for row in session.execute(bodies):
            held[missing[row.id]] = frozenset(canonical(found.value) for found in find_contacts(row.body))
    _read = held
    return frozenset().union(*held.values())
