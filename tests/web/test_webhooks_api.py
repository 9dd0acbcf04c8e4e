"""Webhooks by the API: made, changed, switched off and deleted with a key of their scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.outbound import Fetched
from chatbot.records.api_keys import create_key
from chatbot.records.database import Database
from chatbot.records.deliveries import tell_webhooks
from chatbot.records.tables import AuditEntry, Webhook, utcnow
from chatbot.settings import Settings
from chatbot.signatures import signature
from web.sending import send_due

PUBLIC = "https://93.184.215.14/in"  # no name: nothing is looked up


def test_programs_make_change_and_delete_webhooks(client: FlaskClient, database: Database) -> None:
    with database.write() as session:
        row, key = create_key(session, name="ci", scopes=["webhooks"])
        _, other = create_key(session, name="ci", scopes=["conversations:write"])
        prefix = row.prefix
    send: Any = {"headers": {"Authorization": f"Bearer {key}"}}
    made = client.post("/api/v1/webhooks", json={"url": PUBLIC, "events": ["alert", "handover"]}, **send)
    assert made.status_code == 201 and made.json is not None
    hook, secret = f"/api/v1/webhooks/{made.json['id']}", made.json["secret"]
    assert secret.startswith("whsec_") and made.json["events"] == ["handover", "alert"]

    bad: Any
    for bad in ({"url": "http://10.0.0.1/"}, {"events": []}, {"events": ["rain"]}, {"active": "no"}):
        assert client.patch(hook, json=bad, **send).status_code == 422, bad
    changed = client.patch(hook, json={"events": ["closed"], "active": False}, **send)
    assert changed.status_code == 200 and changed.json is not None and "secret" not in changed.json
    assert (changed.json["url"], changed.json["events"], changed.json["active"]) == (
        PUBLIC,
        ["closed"],
        False,
    )
    assert client.patch(hook, json={}, **send).json == changed.json
    assert client.get("/api/v1/webhooks", **send).json == {"webhooks": [changed.json]}
    with database.read() as session:
        assert session.scalars(select(Webhook)).one().secret == secret
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("webhook."))).all()
        assert [(entry.action, entry.detail) for entry in entries] == [
            ("webhook.add", {"url": PUBLIC, "events": ["handover", "alert"], "key": prefix}),
            ("webhook.change", {"events": ["closed"], "active": False, "key": prefix}),
        ]

    assert client.get("/api/v1/webhooks", headers={"Authorization": f"Bearer {other}"}).status_code == 403
    assert client.patch(hook, json={"active": True}).status_code == 401
    assert client.delete(hook, **send).status_code == 204
    assert client.patch(hook, json={"active": True}, **send).status_code == 404
    assert client.delete(hook, **send).status_code == 404


def test_what_is_still_to_be_sent_goes_to_the_new_address_under_the_old_secret(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    now, asked = utcnow(), []
    with database.write() as session:
        _, key = create_key(session, name="ci", scopes=["webhooks"])
    send: Any = {"headers": {"Authorization": f"Bearer {key}"}}
    made = client.post("/api/v1/webhooks", json={"url": PUBLIC, "events": ["alert"]}, **send).get_json()
    with database.write() as session:
        tell_webhooks(session, "alert", {"alert": {}}, now=now)
    client.patch(f"/api/v1/webhooks/{made['id']}", json={"url": f"{PUBLIC}/new"}, **send)

    def fetching(url: str, *, headers: dict[str, str], body: bytes, **_: Any) -> Fetched:
        asked.append((url, headers["Frontdesk-Signature"], body))
        return Fetched(url, 200, {}, b"")

    later = now + timedelta(seconds=5)
    send_due(database, settings, now=lambda: later, fetching=fetching)
    [(url, mark, body)] = asked
    assert url == f"{PUBLIC}/new" and mark == signature(made["secret"], body, at=int(later.timestamp()))
