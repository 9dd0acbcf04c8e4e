"""Conversations: those that wait on top, filters, the whole of each with what decided, and all of them as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from flask import Response, render_template, request
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from chatbot.errors import InputError
from chatbot.language.table_export import csv_lines
from chatbot.records import audit
from chatbot.records.answers import list_intents
from chatbot.records.attachments import attachments_of
from chatbot.records.conversation_export import COLUMNS, as_rows, exported
from chatbot.records.conversation_search import (
    FILTERS,
    Filter,
    Wanted,
    decisions,
    read_conversation,
    search_conversations,
)
from chatbot.records.tables import Turn, utcnow
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts

FORMATS = ("jsonl", "csv")


@blueprint.get("/conversations")
@requires("viewer")
def conversations() -> str:
    wanted = read_wanted(request.args)
    with parts().database.read() as records:
        page = search_conversations(records, wanted, page=request.args.get("page", 1, type=int))
        topics = {line.name: line for line in list_intents(records)}
        spoken = records.scalars(select(Turn.lang).where(Turn.role == "customer").distinct()).all()
    return render_template(
        "admin/conversations.html",
        page=page,
        wanted=wanted,
        given=asked_for(request.args),
        filters=FILTERS,
        topics=topics,
        spoken=sorted(spoken),
    )


def asked_for(arguments: MultiDict[str, str]) -> dict[str, str]:
    """The filters of an address, for the addresses of other pages of the same list."""
    names = ("q", "lang", "topic", "site", "since", "until")
    return {name: arguments[name] for name in names if arguments.get(name)}


def read_wanted(arguments: MultiDict[str, str]) -> Wanted:
    """Raises InputError for a day that is none."""
    asked = arguments.get("only", "all")
    only: Filter = next((one for one in FILTERS if one == asked), FILTERS[0])
    until = _day(arguments, "until")
    return Wanted(
        only,
        arguments.get("q", ""),
        lang=arguments.get("lang", ""),
        topic=arguments.get("topic", ""),
        site=arguments.get("site", ""),
        since=_begin(_day(arguments, "since")),
        until=_begin(until + timedelta(days=1) if until else None),
    )


def _day(arguments: MultiDict[str, str], name: str) -> date | None:
    text = arguments.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(
            "This is no date", field=name, value=text[:20], remedy="Write a day such as 2026-12-31"
        ) from error


def _begin(day: date | None) -> datetime | None:
    return datetime.combine(day, time(0)).astimezone(UTC) if day else None


@blueprint.post("/conversations/export")
@requires("admin")
def export_conversations() -> Response:
    """Those that the filters of the address want, streamed; that they were handed out is written down."""
    kind = request.form.get("format", FORMATS[0])
    if kind not in FORMATS:
        raise InputError(
            "Unknown format", field="format", value=kind[:20], remedy=f"Use one of {', '.join(FORMATS)}"
        )
    wanted, database = read_wanted(request.args), parts().database
    with database.write() as records:
        audit.record(
            records,
            action="conversations.export",
            subject=kind,
            person_id=person_id(),
            detail={"only": wanted.only, **asked_for(request.args)},
        )
    if kind == "csv":
        body: Iterator[str] = csv_lines(COLUMNS, as_rows(exported(database, wanted)))
    else:
        body = (json.dumps(one, ensure_ascii=False) + "\n" for one in exported(database, wanted))
    name = f"conversations-{utcnow():%Y-%m-%d}.{kind}"
    return Response(
        body,
        mimetype="text/csv" if kind == "csv" else "application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@blueprint.get("/conversations/<int:conversation_id>")
@requires("viewer")
def conversation(conversation_id: int) -> str:
    with parts().database.read() as records:
        view = read_conversation(records, conversation_id)
        files = attachments_of(records, [one.turn.id for one in view.turns])
        decided = decisions(records, [one.turn.id for one in view.turns if one.turn.role == "customer"])
    return render_template("admin/conversation.html", view=view, files=files, decided=decided)
