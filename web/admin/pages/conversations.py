"""Conversations: those that wait on top, and each bot turn with everything that decided it."""

from __future__ import annotations

from flask import render_template, request

from chatbot.records.attachments import attachments_of
from chatbot.records.conversation_search import (
    FILTERS,
    Filter,
    decisions,
    read_conversation,
    search_conversations,
)
from web.access import requires
from web.admin.blueprint import blueprint
from web.context import parts


@blueprint.get("/conversations")
@requires("viewer")
def conversations() -> str:
    asked = request.args.get("only", "all")
    only: Filter = next((one for one in FILTERS if one == asked), FILTERS[0])
    text = request.args.get("q", "")
    with parts().database.read() as records:
        page = search_conversations(records, only=only, text=text, page=request.args.get("page", 1, type=int))
    return render_template("admin/conversations.html", page=page, only=only, text=text, filters=FILTERS)


@blueprint.get("/conversations/<int:conversation_id>")
@requires("viewer")
def conversation(conversation_id: int) -> str:
    with parts().database.read() as records:
        view = read_conversation(records, conversation_id)
        files = attachments_of(records, [one.turn.id for one in view.turns])
        decided = decisions(records, [one.turn.id for one in view.turns if one.turn.role == "customer"])
    return render_template("admin/conversation.html", view=view, files=files, decided=decided)
