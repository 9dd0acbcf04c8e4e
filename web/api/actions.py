"""Actions for programs, with an API key: listed, made or changed by name, deleted."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, g, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select

from chatbot.errors import NotFoundError
from chatbot.records import actions as library
from chatbot.records import audit, tables
from chatbot.records.actions import Draft
from web.admin.pages.actions import audited, checked_url
from web.api.guards import request_rate
from web.api.keys import KEY, key_rate_key, require_key
from web.api.models import Body, ErrorAnswer
from web.context import parts
from web.limits import limiter

api = APIBlueprint(
    "actions",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="actions", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 409, 422, 429, 502), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)

Name = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]


@api.before_request
def guarded() -> None:
    """Before a body is looked at: a stranger learns nothing about it."""
    require_key("actions")


class ActionPath(BaseModel):
    name: Name


class ActionBody(Body):
    intent: Annotated[str, StringConstraints(max_length=120)] = Field(examples=["order_status"])
    url: Annotated[str, StringConstraints(max_length=1000)] = Field(
        description="Is sent a signed POST of JSON.", examples=["https://www.example.com/api/orders/status"]
    )
    slots: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=8,
        description='Details: `{"name", "kind", "pattern"?, "ask"?: {language: question}}`.',
        examples=[[{"name": "order", "kind": "order", "ask": {"en": "Which order?"}}]],
    )
    templates: dict[str, str] = Field(
        description="What the customer is told, by language. Below a line `---` stand cards (docs/actions.md).",
        examples=[
            {
                "en": "Your order {order} is {status}.\n---\nParcel {parcel}\n"
                "[Follow it](https://www.example.com/track/{parcel})"
            }
        ],
    )
    proof: dict[str, Any] = Field(
        default_factory=dict,
        description='`{"kind": "none" | "service" | "answer", "accepts": ["email", "postcode"], "paths": {…}}`.',
    )
    changes: bool = Field(
        False,
        description="It changes something: a detail of kind `confirm` and a proof of kind `service` are needed.",
    )
    seconds: float = Field(4.0, description="Time limit of each of at most two tries.")
    enabled: bool = True


class ActionRow(BaseModel):
    name: str
    intent: str
    url: str
    slots: list[dict[str, Any]]
    templates: dict[str, str]
    proof: dict[str, Any]
    changes: bool
    seconds: float
    enabled: bool
    secret: str | None = Field(None, description="Signs every request; shown when the action is made.")


class ActionsAnswer(BaseModel):
    actions: list[ActionRow]


def _as_json(row: tables.Action, intent: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "intent": intent,
        "url": row.url,
        "slots": row.slots,
        "templates": row.templates,
        "proof": row.proof,
        "changes": row.changes,
        "seconds": row.seconds,
        "enabled": row.enabled,
    }


@api.get("/actions", responses={200: ActionsAnswer}, security=KEY, summary="List actions")
def listed() -> Response:
    """By name, without their secrets. Scope `actions`."""
    with parts().database.read() as session:
        rows = library.list_actions(session)
    return make_response(jsonify({"actions": [_as_json(row, intent) for row, intent in rows]}))


@api.put(
    "/actions/<name>",
    responses={200: ActionRow, 201: ActionRow},
    security=KEY,
    summary="Make or change an action",
)
def put(path: ActionPath, body: ActionBody) -> Response:
    """Whole, under its name; that approves its texts. Scope `actions`."""
    key: tables.ApiKey = g.api_key
    draft = Draft(name=path.name, **body.model_dump() | {"url": checked_url(body.url)})
    with parts().database.write() as session:
        row = session.scalar(select(tables.Action).where(tables.Action.name == path.name))
        saved = library.save(
            session, draft, row=row, person_id=key.created_by_id, image_hosts=parts().image_hosts
        )
        audit.record(
            session,
            action="action.make" if row is None else "action.change",
            subject=saved.name,
            person_id=key.created_by_id,
            detail={**audited(saved, draft), "key": key.prefix},
        )
        answer = _as_json(saved, body.intent) | ({"secret": saved.secret} if row is None else {})
    return make_response(jsonify(answer), 201 if row is None else 200)


@api.delete("/actions/<name>", responses={204: None}, security=KEY, summary="Delete an action")
def delete(path: ActionPath) -> Response:
    """From the next message on the bot answers without it. Scope `actions`."""
    key: tables.ApiKey = g.api_key
    with parts().database.write() as session:
        row = session.scalar(select(tables.Action).where(tables.Action.name == path.name))
        if row is None:
            raise NotFoundError("No such action", field="action", value=path.name)
        audit.record(
            session,
            action="action.delete",
            subject=row.name,
            person_id=key.created_by_id,
            detail={"url": row.url, "key": key.prefix},
        )
        session.delete(row)
    return make_response("", 204)
