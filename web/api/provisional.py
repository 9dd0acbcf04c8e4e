"""Provisional intents for programs, with an API key: listed, checked, made, given more examples, withdrawn."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from flask import Response, g, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints

from chatbot.dialogue.provisional_check import add_provisional, check_examples
from chatbot.errors import NotFoundError
from chatbot.records import example_changes
from chatbot.records import provisional as library
from chatbot.records.example_changes import Decider
from chatbot.records.tables import ApiKey, Example
from web.api.guards import request_rate
from web.api.keys import KEY, key_rate_key, require_key
from web.api.models import Body, ErrorAnswer, Id
from web.context import parts
from web.limits import limiter
from web.provisional import known_now

api = APIBlueprint(
    "provisional",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="provisional intents", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 409, 422, 429), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\s/]+$")]
Text = Annotated[str, StringConstraints(max_length=4 * library.LONGEST)]
Language = Annotated[str, StringConstraints(max_length=16, pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]+)*)?$")]


@api.before_request
def guarded() -> None:
    """Before a body is looked at: a stranger learns nothing about it."""
    require_key("intents")


class ProvisionalPath(BaseModel):
    name: Name


class ProvisionalExamplePath(ProvisionalPath):
    example: Id


class ProvisionalExamplesBody(Body):
    examples: Annotated[list[Text], Field(max_length=library.MOST)] = Field(
        description="How customers ask; personal values are replaced.",
        examples=[["do you sell gift cards", "can i buy a gift card here"]],
    )
    lang: Language = Field("", description="Language of the examples. Left out: told by each text.")
    insist: bool = Field(False, description="Keep doubtful examples, too.")


class ProvisionalBody(ProvisionalExamplesBody):
    name: Name = Field(examples=["gift_card"])
    answers: dict[Language, Annotated[str, StringConstraints(max_length=library.MAX_ANSWER)]] = Field(
        default_factory=dict, description="What the bot says, by language; making the intent approves it."
    )
    titles: dict[Language, Annotated[str, StringConstraints(max_length=200)]] = Field(default_factory=dict)


class ProvisionalRow(BaseModel):
    name: str
    titles: dict[str, str]
    examples: dict[str, int] = Field(description="How many of each language.")
    answers_in: list[str] = Field(description="Languages with an approved answer and five examples.")
    takes: dict[str, int] | None = Field(
        description="Live intent → frozen test messages taken from it, when it was made; null: no release was live."
    )
    created_at: str


class ProvisionalIntents(BaseModel):
    intents: list[ProvisionalRow]


class ProvisionalExample(BaseModel):
    id: int
    text: str
    lang: str


class ProvisionalDetail(ProvisionalRow):
    answers: dict[str, str]
    example_list: list[ProvisionalExample]


class TakenMessage(BaseModel):
    text: str
    intent: str
    confidence: float


class LanguageChecked(BaseModel):
    lang: str
    counting: int
    recognised: int | None = Field(
        description="Examples that the others speak for; null: too little to tell."
    )
    frozen: int | None = Field(description="Test messages it was held against; null: no release is live.")
    taken: list[TakenMessage]


class KeptExample(BaseModel):
    text: str
    lang: str


class DoubtfulExample(BaseModel):
    kind: str = Field(description="`repeated`, `strange`, `alone`, `known` or `unanswered`.")
    text: str
    lang: str
    other: str = Field(description="What it repeats, or the intent that it is known as.")
    probability: float | None
    message: str
    remedy: str


class CheckAnswer(BaseModel):
    intent: str
    release: str | None
    takes: dict[str, int] | None
    languages: list[LanguageChecked]
    examples: list[KeptExample] = Field(description="The new ones that count.")
    doubts: list[DoubtfulExample]
    doubtful_left_out: bool
    problem: dict[str, Any] | None = Field(description="Why it cannot be made live so, as an error says it.")


@api.get(
    "/provisional-intents",
    responses={200: ProvisionalIntents},
    security=KEY,
    summary="List provisional intents",
)
def listed() -> Response:
    """Newest first. Scope `intents`."""
    with parts().database.read() as session:
        rows = [_as_json(line) for line in library.list_provisional(session)]
    return make_response(jsonify({"intents": rows}))


@api.post(
    "/provisional-intents/check",
    responses={200: CheckAnswer},
    security=KEY,
    summary="Say what a provisional intent would do",
)
def check(body: ProvisionalBody) -> Response:
    """Nothing is changed. Scope `intents`."""
    found = check_examples(parts().database, body.name, answers=body.answers, **_asked(body))
    return make_response(jsonify(found.as_json()))


@api.post(
    "/provisional-intents",
    responses={201: CheckAnswer},
    security=KEY,
    summary="Make a provisional intent",
)
def make(body: ProvisionalBody) -> Response:
    """It answers from the next message on; an existing one gets the examples and answers added. Scope `intents`."""
    key: ApiKey = g.api_key
    found = add_provisional(
        parts().database,
        body.name,
        answers=body.answers,
        titles=body.titles or None,
        person_id=key.created_by_id,
        noted={"key": key.prefix},
        **_asked(body),
    )
    return make_response(jsonify(found.as_json()), 201)


@api.get(
    "/provisional-intents/<name>",
    responses={200: ProvisionalDetail},
    security=KEY,
    summary="Read a provisional intent",
)
def read(path: ProvisionalPath) -> Response:
    """With its examples and answers. Scope `intents`."""
    with parts().database.read() as session:
        line, examples, answers = library.read_provisional(session, path.name)
        told = [{"id": one.id, "text": one.text, "lang": one.lang} for one in examples]
    return make_response(jsonify(_as_json(line) | {"answers": answers, "example_list": told}))


@api.post(
    "/provisional-intents/<name>/examples",
    responses={201: CheckAnswer},
    security=KEY,
    summary="Give a provisional intent more examples",
)
def add_examples(path: ProvisionalPath, body: ProvisionalExamplesBody) -> Response:
    """Checked like the first ones. Scope `intents`."""
    key: ApiKey = g.api_key
    with parts().database.read() as session:
        library.provisional_named(session, path.name)
    found = add_provisional(
        parts().database,
        path.name,
        answers={},
        person_id=key.created_by_id,
        noted={"key": key.prefix},
        **_asked(body),
    )
    return make_response(jsonify(found.as_json()), 201)


@api.delete(
    "/provisional-intents/<name>/examples/<example>",
    responses={204: None},
    security=KEY,
    summary="Take an example out of a provisional intent",
)
def take_out(path: ProvisionalExamplePath) -> Response:
    """With fewer than five left in a language it no longer answers there. Scope `intents`."""
    key: ApiKey = g.api_key
    with parts().database.write() as session:
        intent = library.provisional_named(session, path.name)
        row = session.get(Example, path.example)
        if row is None or row.intent_id != intent.id:
            raise NotFoundError("There is no such example", field="example", value=path.example)
        example_changes.take_out(session, [path.example], by=Decider(key.created_by_id, key=key.prefix))
    return make_response("", 204)


@api.delete(
    "/provisional-intents/<name>",
    responses={204: None},
    security=KEY,
    summary="Withdraw a provisional intent",
)
def withdraw(path: ProvisionalPath) -> Response:
    """It answers nothing any more, and no release learns it; making it again brings it back. Scope `intents`."""
    key: ApiKey = g.api_key
    with parts().database.write() as session:
        library.withdraw(session, path.name, person_id=key.created_by_id, noted={"key": key.prefix})
    return make_response("", 204)


def _asked(body: ProvisionalExamplesBody) -> dict[str, Any]:
    return {"examples": body.examples, "lang": body.lang, "insist": body.insist, "known": known_now()}


def _as_json(line: library.ProvisionalLine) -> dict[str, Any]:
    told = asdict(line)
    return {name: told[name] for name in ("name", "titles", "examples", "answers_in", "takes")} | {
        "created_at": line.created_at.isoformat(timespec="milliseconds")
    }
