"""The examples of intents for programs, with an API key: listed, written, relabelled, taken out, each undone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, g, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints

from chatbot.errors import InputError
from chatbot.language.entity_marks import LONGEST_KIND, Mark
from chatbot.records import example_changes
from chatbot.records.example_changes import LONGEST, MOST, Change, Decider
from chatbot.records.example_search import ExampleLine, Origin, State, Wanted, search_examples
from chatbot.records.tables import ApiKey
from web.api.guards import request_rate
from web.api.keys import KEY, from_cursor, key_rate_key, require_key, to_cursor
from web.api.models import Body, ErrorAnswer, Id
from web.api.reading import PageQuery
from web.context import parts
from web.deciding import know_published
from web.limits import limiter

api = APIBlueprint(
    "examples",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="examples", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 409, 422, 429), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)

IntentName = Annotated[str, StringConstraints(max_length=120)]
Language = Annotated[str, StringConstraints(max_length=16, pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]+)*)?$")]


@api.before_request
def guarded() -> None:
    """Before a body is looked at: a stranger learns nothing about it."""
    require_key("examples")


class ExamplesQuery(PageQuery):
    state: State = Field("training", description="`taken_out`: those that nothing is learned from.")
    intent: IntentName = Field("", description="An intent's name, or `oos`: out of scope. Left out: all.")
    q: Annotated[str, StringConstraints(max_length=500)] = Field("", description="Occurs in the text.")
    lang: Annotated[str, StringConstraints(max_length=16)] = ""
    origin: Origin | Literal[""] = Field("", description="How it came by its label.")
    split: Literal["", "train", "valid", "test"] = Field("", description="`test` measures releases.")


class EntityMark(BaseModel):
    kind: Annotated[str, StringConstraints(max_length=LONGEST_KIND)] = Field(examples=["delivery_city"])
    start: int = Field(
        ge=0, le=10_000, description="Characters (Unicode code points) before it.", examples=[16]
    )
    end: int = Field(ge=1, le=10_000, description="Characters up to its end.", examples=[25])


class ExampleRow(BaseModel):
    id: int
    text: str
    lang: str
    intent: str | None = Field(description="null: out of scope.")
    state: State
    split: Literal["train", "valid", "test"]
    origin: Origin
    reason: str
    labelled_by: str
    labelled_at: str = Field(description="Or when it came, where no more is known.")
    transcript: int | None
    file: str = Field(description="What its transcript was imported from.")
    conversation: str | None
    turn_id: int | None
    entities: list[EntityMark] | None = Field(description="What it names; null: nobody has looked.")


class ExamplesAnswer(BaseModel):
    examples: list[ExampleRow]
    next_cursor: str | None = Field(description="null: that was the last page.")


class ExampleBody(Body):
    text: Annotated[str, StringConstraints(max_length=4 * LONGEST)] = Field(
        description=f"What a customer would write, at most {LONGEST} characters; personal values are replaced.",
        examples=["Where is my refund?"],
    )
    intent: IntentName = Field(examples=["refund_time"])
    lang: Language = Field("", description="Left out: told by the text.")


class ChangeBody(Body):
    examples: list[Id] = Field(description=f"At most {MOST} ids.", examples=[[12, 13]])
    intent: IntentName | None = Field(None, description="They ask for this.", examples=["refund_time"])
    state: State | None = Field(None, description="Take them out of the training, or put them back.")


class EntitiesBody(Body):
    entities: Annotated[list[EntityMark], Field(max_length=50)]


class ExamplePath(BaseModel):
    example: Id


class ChangePath(BaseModel):
    change: Id


class ChangeAnswer(BaseModel):
    examples: list[int]
    change: int | None = Field(description="What takes it back; null where nothing had to be done.")


@api.get("/examples", responses={200: ExamplesAnswer}, security=KEY, summary="List examples")
def listed(query: ExamplesQuery) -> Response:
    """Labelled messages that intents are learned from, newest first. Scope `examples`."""
    wanted = Wanted(query.state, query.intent, query.q, query.lang, query.origin, query.split)
    with parts().database.read() as session:
        page = search_examples(session, wanted, before=from_cursor(query.cursor), limit=query.limit)
    more = to_cursor(page.older) if page.older is not None else None
    return make_response(jsonify({"examples": [_as_json(line) for line in page.lines], "next_cursor": more}))


@api.post(
    "/examples",
    responses={200: ChangeAnswer, 201: ChangeAnswer},
    security=KEY,
    summary="Write an example",
)
def add(body: ExampleBody) -> Response:
    """The same words again change nothing (200); under another intent they are refused. Scope `examples`."""
    know_published(parts().database)
    with parts().database.write() as session:
        before = example_changes.newest_change(session)
        change = example_changes.add(session, body.text, intent=body.intent, lang=body.lang, by=_decider())
    new = change.entry is not None and change.entry > before
    return make_response(jsonify(_changed(change)), 201 if new else 200)


@api.patch(
    "/examples",
    responses={200: ChangeAnswer},
    security=KEY,
    summary="Relabel examples, take them out or put them back",
)
def change_examples(body: ChangeBody) -> Response:
    """Either `intent` or `state`, all of them or none. The next training learns it so. Scope `examples`."""
    if (body.intent is None) == (body.state is None):
        raise InputError(
            "Either an intent or a state", field="intent", remedy="Send one of the two: intent or state"
        )
    with parts().database.write() as session:
        if body.intent is not None:
            change = example_changes.relabel(session, body.examples, intent=body.intent, by=_decider())
        elif body.state == "taken_out":
            change = example_changes.take_out(session, body.examples, by=_decider())
        else:
            change = example_changes.put_back(session, body.examples, by=_decider())
    return make_response(jsonify(_changed(change)))


@api.put(
    "/examples/<example>/entities",
    responses={200: ChangeAnswer},
    security=KEY,
    summary="Mark what an example names",
)
def mark(path: ExamplePath, body: EntitiesBody) -> Response:
    """All of it: the marks before are replaced, none says that it names nothing. The tagger of the next training learns
    it so; the slots of actions of kind `entity` read it. Scope `examples`."""
    marks = [Mark(one.kind, one.start, one.end) for one in body.entities]
    with parts().database.write() as session:
        change = example_changes.mark(session, path.example, marks, by=_decider())
    return make_response(jsonify(_changed(change)))


@api.post(
    "/examples/changes/<change>/undo",
    responses={200: ChangeAnswer},
    security=KEY,
    summary="Take a change of examples back",
)
def undo(path: ChangePath) -> Response:
    """Exactly as before; refused where one of them was changed again since. Scope `examples`."""
    with parts().database.write() as session:
        change = example_changes.undo(session, path.change, by=_decider())
    return make_response(jsonify(_changed(change)))


def _decider() -> Decider:
    key: ApiKey = g.api_key
    return Decider(key.created_by_id, key=key.prefix)


def _changed(change: Change) -> dict[str, Any]:
    return {"examples": list(change.examples), "change": change.entry}


def _as_json(line: ExampleLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "text": line.text,
        "lang": line.lang,
        "intent": line.intent,
        "state": line.state,
        "split": line.split,
        "origin": line.origin,
        "reason": line.reason,
        "labelled_by": line.by,
        "labelled_at": line.at.isoformat(timespec="milliseconds"),
        "transcript": line.transcript_id,
        "file": line.file,
        "conversation": line.conversation,
        "turn_id": line.turn_id,
        "entities": [one._asdict() for one in line.entities] if line.entities is not None else None,
    }
