"""Articles of files that a folder had at an earlier import and has no more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.records.tables import Article, Import
from ingest.articles.telling_apart import ImportSources

_ASKED = 400  # sources a query


def place(root: Path, source: str) -> list[str]:
    """Where an import found a file: a key of the folder that it walked, which does not tell where that lies, and what
    the file's articles are known by."""
    return [hashlib.blake2b(str(root.resolve()).encode(), digest_size=12).hexdigest(), source]


def articles_of_gone_files(
    session: Session, roots: Iterable[Path], sources: ImportSources
) -> Sequence[Article]:
    """The live articles of files that earlier imports of these folders read and this one did not find."""
    keys = {place(root, "")[0] for root in roots}
    if not keys:
        return []
    reports = session.scalars(select(Import.report).where(Import.kind == "articles"))
    read = {source for report in reports for key, source in report.get("places", ()) if key in keys}
    gone = sorted(source for source in read if source not in sources)
    found: list[Article] = []
    for at in range(0, len(gone), _ASKED):
        found += session.scalars(
            select(Article)
            .where(Article.source.in_(gone[at : at + _ASKED]), Article.status == "live")
            .order_by(Article.id)
        )
    return found
