"""The audit log: who changed what."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for

from chatbot.records.audit import entries
from web.access import requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import gettext

PAGE_SIZE = 50
LONGEST_DETAIL = 4000  # characters shown of what an entry keeps
TOPICS = (
    "",
    "release",
    "answer",
    "article",
    "example",
    "proposal",
    "provisional",
    "upload",
    "action",
    "job",
    "person",
    "site",
    "webhook",
    "api_key",
)


_NAMED = re.compile(
    r"(answer|article|conversation|example|job|passage|proposal|question|release|site|visitor|webhook)"
    r" ([\w.-]+)(?:: (.*))?",
    re.DOTALL,
)
_PAGES = {  # what has a page of its own: its endpoint, and what the address calls the id
    "article": ("admin.article", "article_id"),
    "conversation": ("admin.conversation", "conversation_id"),
    "job": ("admin.job", "job_id"),
    "proposal": ("admin.proposal", "proposal_id"),
    "question": ("admin.turn", "turn_id"),
    "release": ("admin.release", "release_id"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about, in the reader's words, with its page where it has one."""

    text: str
    url: str | None = None


def subject_of(written: str) -> Subject:
    """An entry's subject, ``article 12: Returns``, which is written in English as it happens."""
    match = _NAMED.fullmatch(written)
    if match is None:
        return Subject(written)
    kind, identity, title = match.groups()
    named = gettext(title) if kind == "job" and title else title  # of a job, what kind it is
    text = f"{gettext(f'subject_{kind}')} {identity}" + (f" · {named}" if named else "")
    endpoint, argument = _PAGES.get(kind, ("", ""))
    if not endpoint or (kind != "release" and not identity.isdecimal()):
        return Subject(text)
    address: dict[str, Any] = {argument: identity}
    return Subject(text, url_for(endpoint, **address))


@blueprint.app_template_filter("detailed")
def detailed(detail: dict[str, Any]) -> str:
    """What an entry keeps, as JSON; of a long one (a whole article) the beginning."""
    text = json.dumps(detail, ensure_ascii=False, indent=2)
    return text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]} …"


@blueprint.get("/audit")
@requires("admin")
def audit() -> str:
    topic, before = request.args.get("topic", ""), request.args.get("before", type=int)
    with parts().database.read() as records:
        found = entries(
            records,
            action=topic if topic in TOPICS else None,
            before=before,
            limit=PAGE_SIZE + 1,
        )
    return render_template(
        "admin/audit.html",
        entries=[(entry, subject_of(entry.subject)) for entry in found[:PAGE_SIZE]],
        older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        before=before,
        topic=topic,
        topics=TOPICS,
    )
