"""The audit log: who changed what."""

from __future__ import annotations

from flask import render_template, request

from chatbot.records.audit import entries
from web.access import requires
from web.admin.blueprint import blueprint
from web.context import parts

PAGE_SIZE = 50
TOPICS = (
    "",
    "release",
    "answer",
    "article",
    "example",
    "proposal",
    "upload",
    "action",
    "job",
    "person",
    "site",
)


@blueprint.get("/audit")
@requires("admin")
def audit() -> str:
    topic = request.args.get("topic", "")
    with parts().database.read() as records:
        found = entries(
            records,
            action=topic if topic in TOPICS else None,
            before=request.args.get("before", type=int),
            limit=PAGE_SIZE + 1,
        )
    return render_template(
        "admin/audit.html",
        entries=found[:PAGE_SIZE],
        older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        topic=topic,
        topics=TOPICS,
    )
