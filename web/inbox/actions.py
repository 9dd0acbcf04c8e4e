"""What an agent does with a conversation, as JSON: take, answer, note, pass on, close; drafts and articles."""

from __future__ import annotations

from typing import Any, Literal, cast

from flask import Response, jsonify, request
from flask_login import current_user

from chatbot.dialogue.cards import Card, cards_from_json, check_images
from chatbot.errors import InputError
from chatbot.language.normalise import detect_language
from chatbot.records import inbox, presence
from chatbot.records.attachments import MOST_A_MESSAGE
from chatbot.records.canned_replies import list_canned, text_for
from chatbot.records.conversation_search import read_conversation
from chatbot.records.people import get_person
from web.access import requires
from web.context import parts
from web.exchange import primary
from web.inbox.assistance import find_passages, suggestion
from web.inbox.blueprint import blueprint, myself
from web.inbox.views import conversation_json
from web.language import page_language
from web.visitors import own_origin


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InputError("The body is no JSON object", field="body")
    return body


def _text(body: dict[str, Any], name: str, *, needed: bool = False) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or (needed and not value):
        raise InputError("A text is missing", field=name)
    return value


def _number(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise InputError("Not an id", field=name, value=value)
    return value


def _files(body: dict[str, Any]) -> list[str]:
    """Ids of files that were uploaded before."""
    given = body.get("files", [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InputError("Not a list of files", field="files")
    if len(given) > MOST_A_MESSAGE:
        raise InputError(
            "Too many files",
            field="files",
            value=len(given),
            remedy=f"Send at most {MOST_A_MESSAGE} with one message",
        )
    return given


def _cards(body: dict[str, Any]) -> tuple[Card, ...]:
    """Those of an approved answer that the agent has taken over."""
    given = body.get("cards", [])
    if not isinstance(given, list) or not all(isinstance(card, dict) for card in given):
        raise InputError("Not a list of cards", field="cards")
    cards = cards_from_json(given)
    check_images(cards, parts().image_hosts)
    return cards


def _shown(conversation_id: int) -> Response:
    """The conversation as it is now: what every change answers with."""
    with parts().database.read() as records:
        return jsonify(
            conversation_json(
                records, conversation_id, person_id=current_user.id, displeased=parts().moods.displeased
            )
        )


@blueprint.get("/conversations/<int:conversation_id>")
@requires("agent")
def conversation(conversation_id: int) -> Response:
    return _shown(conversation_id)


@blueprint.post("/conversations/<int:conversation_id>/take")
@requires("agent")
def take(conversation_id: int) -> Response:
    """Also opens a closed one again. 409 with the name of whoever was quicker."""
    with parts().database.write() as records:
        inbox.take(records, conversation_id, myself(records))
    return _shown(conversation_id)


@blueprint.post("/conversations/<int:conversation_id>/reply")
@requires("agent")
def reply(conversation_id: int) -> Response:
    body = _body()
    files = _files(body)
    text = _text(body, "text", needed=not files)
    client_id = _text(body, "client_message_id", needed=True)[:80]
    cards = _cards(body)
    with parts().database.write() as records:
        view_locale = read_conversation(records, conversation_id).conversation.locale
        inbox.reply(
            records,
            conversation_id,
            myself(records),
            text=text,
            cards=cards,
            files=files,
            client_message_id=client_id,
            lang=detect_language(text, default=primary(view_locale)),
            origin=own_origin(),
        )
    parts().typing.tell(conversation_id, "agent", False)
    return _shown(conversation_id)


@blueprint.post("/conversations/<int:conversation_id>/typing")
@requires("agent")
def typing(conversation_id: int) -> Response:
    """``{"typing": bool}``: the visitor sees that whoever has the conversation writes. Nothing is stored."""
    wanted = _body().get("typing")
    if not isinstance(wanted, bool):
        raise InputError("Not yes or no", field="typing", value=wanted)
    with parts().database.read() as records:
        held = inbox.holds(read_conversation(records, conversation_id).conversation, myself(records))
    if held:
        parts().typing.tell(conversation_id, "agent", wanted)
    return jsonify({"typing": held and wanted})


@blueprint.post("/conversations/<int:conversation_id>/note")
@requires("agent")
def note(conversation_id: int) -> Response:
    text = _text(_body(), "text", needed=True)
    with parts().database.write() as records:
        inbox.add_note(records, conversation_id, myself(records), text)
    return _shown(conversation_id)


@blueprint.post("/conversations/<int:conversation_id>/assign")
@requires("agent")
def assign(conversation_id: int) -> Response:
    """``{"to": person, "holder": who had it as the page showed it, "note"?}``."""
    body = _body()
    to = _number(body, "to")
    if to is None:
        raise InputError("Choose who gets it", field="to")
    with parts().database.write() as records:
        inbox.assign(
            records,
            conversation_id,
            myself(records),
            to=get_person(records, to),
            holder=_number(body, "holder"),
            note=_text(body, "note"),
        )
    return _shown(conversation_id)


@blueprint.post("/conversations/<int:conversation_id>/put-back")
@requires("agent")
def put_back(conversation_id: int) -> Response:
    """``{"to": "queue" | "bot", "note"?}``."""
    body = _body()
    to = _text(body, "to", needed=True)
    if to not in ("queue", "bot"):
        raise InputError("It goes back to the queue or to the bot", field="to", value=to)
    with parts().database.write() as records:
        inbox.put_back(
            records,
            conversation_id,
            myself(records),
            to=cast(Literal["queue", "bot"], to),
            note=_text(body, "note"),
        )
    return _shown(conversation_id)


@blueprint.post("/conversations/<int:conversation_id>/close")
@requires("agent")
def close(conversation_id: int) -> Response:
    with parts().database.write() as records:
        inbox.close(records, conversation_id, myself(records), outcome=_text(_body(), "outcome", needed=True))
    return _shown(conversation_id)


@blueprint.get("/conversations/<int:conversation_id>/suggestion")
@requires("agent")
def suggested(conversation_id: int) -> Response:
    return jsonify(
        suggestion(parts().database, parts().serving, conversation_id, hurried=parts().crowd.too_many)
    )


@blueprint.get("/articles")
@requires("agent")
def articles() -> Response:
    found = find_passages(parts().database, parts().serving, request.args.get("q", ""), lang=page_language())
    return jsonify({"passages": found})


@blueprint.get("/conversations/<int:conversation_id>/canned")
@requires("agent")
def canned_for(conversation_id: int) -> Response:
    """Canned replies in the visitor's language, ready to be sent."""
    with parts().database.read() as records:
        view = read_conversation(records, conversation_id)
        rows = [
            {
                "shortcut": row.shortcut,
                "text": text_for(
                    row,
                    primary(view.conversation.locale),
                    customer=view.visitor.name or "",
                    agent=current_user.name,
                ),
            }
            for row in list_canned(records)
        ]
    return jsonify({"canned": rows})


@blueprint.post("/presence")
@requires("agent")
def change_presence() -> Response:
    away = _body().get("away")
    if not isinstance(away, bool):
        raise InputError("Not yes or no", field="away", value=away)
    with parts().database.write() as records:
        presence.set_away(records, current_user.id, away)
    return jsonify({"away": away})
