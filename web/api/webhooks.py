"""Webhooks for programs, with an API key: listed, made, changed, deleted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, g, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints

from chatbot.records import audit, deliveries, tables
from web.api.guards import request_rate
from web.api.keys import KEY, key_rate_key, require_key
from web.api.models import Body, ErrorAnswer, Id
from web.context import parts
from web.inbox.service_pages import checked_url
from web.limits import limiter

api = APIBlueprint(
    "webhooks",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="webhooks", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 422, 429, 502), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)

Address = Annotated[str, StringConstraints(max_length=1000)]
Event = Literal["handover", "message", "closed", "alert"]
URL = Field(
    description="Is sent a signed POST of JSON (docs/inbox.md).",
    examples=["https://www.example.com/frontdesk"],
)


@api.before_request
def guarded() -> None:
    """Before a body is looked at: a stranger learns nothing about it."""
    require_key("webhooks")


class WebhookPath(BaseModel):
    webhook_id: Id


class WebhookBody(Body):
    url: Address = URL
    events: list[Event] = Field(
        min_length=1, description="What it is told.", examples=[["handover", "alert"]]
    )


class WebhookChange(Body):
    url: Address | None = None
    events: list[Event] | None = Field(
        None, min_length=1, description="All of them: those before are replaced."
    )
    active: bool | None = Field(None, description="false: it is told nothing until it is switched on again.")


class WebhookRow(BaseModel):
    id: int
    url: str
    events: list[str]
    active: bool
    created_at: str
    secret: str | None = Field(None, description="Signs every request; shown when the webhook is made.")


class WebhooksAnswer(BaseModel):
    webhooks: list[WebhookRow]


@api.get("/webhooks", responses={200: WebhooksAnswer}, security=KEY, summary="List webhooks")
def listed() -> Response:
    """Oldest first, without their secrets. Scope `webhooks`."""
    with parts().database.read() as session:
        rows = deliveries.list_webhooks(session)
    return make_response(jsonify({"webhooks": [_as_json(row) for row in rows]}))


@api.post("/webhooks", responses={201: WebhookRow}, security=KEY, summary="Make a webhook")
def add(body: WebhookBody) -> Response:
    """With a secret of its own, shown this once. Scope `webhooks`."""
    url = checked_url(body.url)
    with parts().database.write() as session:
        hook = deliveries.add_webhook(session, url=url, events=body.events)
        _record(session, hook, "webhook.add", {"url": hook.url, "events": hook.events})
        answer = _as_json(hook) | {"secret": hook.secret}
    return make_response(jsonify(answer), 201)


@api.patch(
    "/webhooks/<int:webhook_id>", responses={200: WebhookRow}, security=KEY, summary="Change a webhook"
)
def change(path: WebhookPath, body: WebhookChange) -> Response:
    """What is left out stays, and so does the secret; what is still to be sent goes to the new address.
    Scope `webhooks`."""
    url = checked_url(body.url) if body.url is not None else None
    with parts().database.write() as session:
        hook = deliveries.get_webhook(session, path.webhook_id)
        changed = deliveries.change_webhook(hook, url=url, events=body.events, active=body.active)
        if changed:
            _record(session, hook, "webhook.change", changed)
        answer = _as_json(hook)
    return make_response(jsonify(answer))


@api.delete("/webhooks/<int:webhook_id>", responses={204: None}, security=KEY, summary="Delete a webhook")
def delete(path: WebhookPath) -> Response:
    """It is told nothing more, not even what is still to be sent. Scope `webhooks`."""
    with parts().database.write() as session:
        hook = deliveries.get_webhook(session, path.webhook_id)
        _record(session, hook, "webhook.delete", {"url": hook.url})
        session.delete(hook)
    return make_response("", 204)


def _record(session: Any, hook: tables.Webhook, action: str, detail: dict[str, Any]) -> None:
    key: tables.ApiKey = g.api_key
    audit.record(
        session,
        action=action,
        subject=f"webhook {hook.id}",
        person_id=key.created_by_id,
        detail=detail | {"key": key.prefix},
    )


def _as_json(hook: tables.Webhook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "active": hook.active,
        "created_at": hook.created_at.isoformat(timespec="milliseconds"),
    }
