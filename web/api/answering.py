"""Answering for programs, with an API key: what an agent does in the inbox, from a helpdesk that is not ours.

Webhooks tell of conversations; here is the way back. Whoever asks says for whom: a colleague's e-mail address, or
whoever made the key. All rules of the inbox hold: one person has a conversation, the bot is silent meanwhile.
"""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated, Literal

from flask import Response, g, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from chatbot.dialogue.cards import (
    LONGEST_ADDRESS,
    LONGEST_ALT,
    LONGEST_LABEL,
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_CARDS,
    MOST_LINKS,
    cards_from_json,
    check_images,
)
from chatbot.errors import InputError
from chatbot.language.normalise import detect_language
from chatbot.records import inbox
from chatbot.records.attachments import FROM_AGENT, MOST_A_MESSAGE, attachment_json
from chatbot.records.conversations import find_conversation
from chatbot.records.people import at_least, find_person
from chatbot.records.tables import ApiKey, Conversation, Person, Turn
from web.api.guards import request_rate
from web.api.keys import KEY, key_rate_key, require_key
from web.api.models import (
    Body,
    ConversationPath,
    ErrorAnswer,
    FileAnswer,
    FileForm,
    StateAnswer,
    TypingAnswer,
    TypingBody,
)
from web.attachments import receive
from web.context import parts
from web.limits import limiter
from web.visitors import own_origin

api = APIBlueprint(
    "answering",
    __name__,
    url_prefix="/api/v1/inbox",
    abp_tags=[Tag(name="answering", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 409, 422, 429), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)

Text = Annotated[str, StringConstraints(max_length=4 * inbox.REPLY_LIMIT)]
AGENT = Field("", description="E-mail of the colleague who does it. Left out: whoever made the key.")
Agent = Annotated[str, StringConstraints(max_length=254)]


@api.before_request
def guarded() -> None:
    """Before a body is looked at: a stranger learns nothing about it."""
    require_key("conversations:write")


class AgentBody(Body):
    agent: Agent = AGENT


class CardLinkBody(Body):
    title: Annotated[str, StringConstraints(max_length=LONGEST_LABEL)]
    url: Annotated[str, StringConstraints(max_length=LONGEST_ADDRESS)]


class CardBody(Body):
    title: Annotated[str, StringConstraints(max_length=LONGEST_TITLE)]
    text: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] = ""
    image: Annotated[str, StringConstraints(max_length=LONGEST_ADDRESS)] = ""
    alt: Annotated[str, StringConstraints(max_length=LONGEST_ALT)] = Field(
        "", description="What the picture shows; needed where there is one."
    )
    links: list[CardLinkBody] = Field(default_factory=list, max_length=MOST_LINKS)


class ReplyBody(Body):
    text: Text = Field(
        "",
        description="May be empty where files come with it.",
        examples=["I have looked it up: your refund was sent this morning."],
    )
    message_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="Yours, new for each reply: the same one again changes nothing.", examples=["reply-4711"]
    )
    cards: list[CardBody] = Field(
        default_factory=list,
        max_length=MOST_CARDS,
        description="Shown under the text. Links and pictures are https, or a path on this installation; pictures "
        "come from its `FRONTDESK_IMAGE_HOSTS`.",
        examples=[
            [
                {
                    "title": "Your refund",
                    "text": "49.00 to the card that ends in 1234.",
                    "links": [{"title": "How refunds work", "url": "https://www.example.com/refunds"}],
                }
            ]
        ],
    )
    files: list[Annotated[str, StringConstraints(max_length=40)]] = Field(
        default_factory=list, max_length=MOST_A_MESSAGE, description="Ids of files that were uploaded before."
    )
    agent: Agent = AGENT


class AgentTypingBody(TypingBody):
    agent: Agent = AGENT


class NoteBody(Body):
    text: Text = Field(examples=["Called back, will be in touch on Monday."])
    agent: Agent = AGENT


class PutBackBody(Body):
    to: Literal["queue", "bot"] = Field(examples=["queue"])
    note: Text = Field("", description="For whoever takes it next.")
    agent: Agent = AGENT


class OutcomeBody(Body):
    outcome: Annotated[str, StringConstraints(max_length=20)] = Field(
        description=f"One of {', '.join(inbox.OUTCOMES)}.", examples=["solved"]
    )
    agent: Agent = AGENT


class WrittenAnswer(StateAnswer):
    turn_id: int


@api.post(
    "/conversations/<conversation_id>/take",
    responses={200: StateAnswer},
    security=KEY,
    summary="Take a conversation over",
)
def take(path: ConversationPath, body: AgentBody) -> Response:
    """The bot is silent from here on. 409 where somebody else has it. Scope `conversations:write`."""
    with parts().database.write() as session:
        return _state(inbox.take(session, _id(session, path), _agent(session, body.agent)))


@api.post(
    "/conversations/<conversation_id>/replies",
    responses={201: WrittenAnswer},
    security=KEY,
    summary="Reply to the visitor",
)
def reply(path: ConversationPath, body: ReplyBody) -> Response:
    """Whoever answers what nobody has, takes it; an absent visitor gets it by e-mail. Scope `conversations:write`."""
    cards = cards_from_json([card.model_dump() for card in body.cards])
    check_images(cards, parts().image_hosts)
    with parts().database.write() as session:
        conversation = find_conversation(session, path.conversation_id)
        default = conversation.locale.partition("-")[0]
        turn = inbox.reply(
            session,
            conversation.id,
            _agent(session, body.agent),
            text=body.text,
            cards=cards,
            files=body.files,
            client_message_id=f"api:{body.message_id}",
            lang=detect_language(body.text, default=default),
            origin=own_origin(),
        )
        parts().typing.tell(conversation.id, "agent", False)
        return _written(conversation, turn)


@api.post(
    "/conversations/<conversation_id>/files",
    responses={201: FileAnswer, 413: ErrorAnswer},
    security=KEY,
    summary="Upload a file for a reply",
)
def upload(path: ConversationPath, form: FileForm) -> Response:
    """Send its id with the next reply; a file that no reply speaks of is erased after a day. What it may be and how
    large, the site decides, as for visitors; the type is read from the content. Scope `conversations:write`."""
    with parts().database.read() as session:
        conversation_id = _id(session, path)
    client_id = (
        f"{FROM_AGENT}api:{form.client_file_id}" if form.client_file_id else f"{FROM_AGENT}{token_hex(16)}"
    )
    row = receive(
        parts().database, parts().settings.data, conversation_id, form.file, client_file_id=client_id
    )
    return make_response(jsonify(attachment_json(row)), 201)


@api.post(
    "/conversations/<conversation_id>/typing",
    responses={200: TypingAnswer},
    security=KEY,
    summary="Say that a colleague is typing",
)
def typing(path: ConversationPath, body: AgentTypingBody) -> Response:
    """The visitor sees it for six seconds: say it every three. Only of whoever has the conversation; else it comes
    back `false`. Nothing is stored. Scope `conversations:write`."""
    with parts().database.read() as session:
        conversation = find_conversation(session, path.conversation_id)
        held = inbox.holds(conversation, _agent(session, body.agent))
    if held:
        parts().typing.tell(conversation.id, "agent", body.typing)
    return make_response(jsonify({"typing": held and body.typing}))


@api.post(
    "/conversations/<conversation_id>/notes",
    responses={201: WrittenAnswer},
    security=KEY,
    summary="Add a note",
)
def note(path: ConversationPath, body: NoteBody) -> Response:
    """For colleagues: no visitor, no model and no webhook ever reads it. Scope `conversations:write`."""
    with parts().database.write() as session:
        conversation = find_conversation(session, path.conversation_id)
        turn = inbox.add_note(session, conversation.id, _agent(session, body.agent), body.text)
        return _written(conversation, turn)


@api.post(
    "/conversations/<conversation_id>/put-back",
    responses={200: StateAnswer},
    security=KEY,
    summary="Give a conversation back",
)
def put_back(path: ConversationPath, body: PutBackBody) -> Response:
    """To whoever takes it next, or to the bot. Scope `conversations:write`."""
    with parts().database.write() as session:
        return _state(
            inbox.put_back(
                session, _id(session, path), _agent(session, body.agent), to=body.to, note=body.note
            )
        )


@api.post(
    "/conversations/<conversation_id>/close",
    responses={200: StateAnswer},
    security=KEY,
    summary="Close with an outcome",
)
def close(path: ConversationPath, body: OutcomeBody) -> Response:
    """Scope `conversations:write`."""
    with parts().database.write() as session:
        return _state(
            inbox.close(session, _id(session, path), _agent(session, body.agent), outcome=body.outcome)
        )


def _id(session: Session, path: ConversationPath) -> int:
    return find_conversation(session, path.conversation_id).id


def _written(conversation: Conversation, turn: Turn) -> Response:
    return make_response(jsonify({"state": conversation.state, "turn_id": turn.id}), 201)


def _state(conversation: Conversation) -> Response:
    return make_response(jsonify({"state": conversation.state}))


def _agent(session: Session, email: str) -> Person:
    """Raises InputError where nobody is named, or somebody who may not answer customers."""
    key: ApiKey = g.api_key
    if email:
        person = find_person(session, email)
    else:
        person = session.get(Person, key.created_by_id) if key.created_by_id is not None else None
    if person is None or not person.active or not at_least(person.role, "agent"):
        raise InputError(
            "Nobody of this name may answer customers" if email else "Say who answers",
            field="agent",
            value=email or None,
            remedy="Send the e-mail address of a colleague whose role is agent, editor or admin",
        )
    return person
