"""The admin's pages for the widget and for API keys, and the visitors' files as agents get them."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records import people
from chatbot.records.database import Database
from chatbot.records.tables import ApiKey, AuditEntry, Site
from web.widget_options import WidgetOptions


@pytest.fixture
def admin(app: Flask, database: Database) -> FlaskClient:
    return sign_in(app, database, "admin")


def sign_in(app: Flask, database: Database, role: str) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    with database.write() as session:
        link = people.create_link(session, role=role, email=f"{role}@x.example")
        people.use_link(session, link, email=f"{role}@x.example", name=role, password="correct horse battery")
    client = app.test_client()
    answer = client.post(
        "/admin/sign-in", data={"email": f"{role}@x.example", "password": "correct horse battery"}
    )
    assert answer.status_code == 303
    return client


FORM = {"accent": "#E11D48", "position": "left", "theme": "dark", "attachment_mb": "3"}


def look(database: Database) -> WidgetOptions:
    with database.read() as session:
        return WidgetOptions.of_site(session.scalars(select(Site)).one().options)


def test_the_admin_sets_how_the_widget_looks_and_the_chat_shows_it(
    admin: FlaskClient, client: FlaskClient, database: Database
) -> None:
    asked = {"ask_email": "required", "ask_extra": "optional", "label_en": "Order", "label_zh": "订单"}
    assert admin.post("/admin/widget", data=FORM | asked).status_code == 303
    found = look(database)
    assert (found.position, found.theme, found.attachment_mb, found.csat) == ("left", "dark", 3, False)
    assert [(field.name, field.required) for field in found.prechat] == [("email", True), ("extra", False)]
    page = client.get("/chat").get_data(as_text=True)
    assert '"accent": "#e11d48"' in page
    assert '"position": "left"' in page
    assert admin.post("/admin/widget", data=FORM | {"csat": "on"}).status_code == 303
    assert (look(database).csat, look(database).prechat) == (True, ())
    assert 'value="#e11d48"' in admin.get("/admin/widget").get_data(as_text=True)
    with database.read() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert actions.count("widget.change") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"accent": "red"},
        {"accent": "#fff"},
        {"position": "top"},
        {"theme": "blue"},
        {"attachment_mb": "999"},
        {"attachment_mb": "-1"},
        {"ask_email": "maybe"},
        {"ask_extra": "optional"},  # without its words
    ],
)
def test_a_look_that_cannot_be_changes_nothing(
    admin: FlaskClient, database: Database, wrong: dict[str, str]
) -> None:
    before = look(database)
    answer = admin.post("/admin/widget", data=FORM | wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert look(database) == before


def test_the_secret_is_shown_once_and_replaced_at_once(admin: FlaskClient, database: Database) -> None:
    shown = []
    for _ in range(2):
        page = admin.post("/admin/widget/secret").get_data(as_text=True)
        shown.append(re.search(r'value="(fds_[\w-]+)"', page).group(1))  # type: ignore[union-attr]
    assert shown[0] != shown[1]
    with database.read() as session:
        assert session.scalars(select(Site.identity_secret)).one() == shown[1]
    assert shown[1] not in admin.get("/admin/widget").get_data(as_text=True)
    assert shown[1] not in admin.get("/admin/audit").get_data(as_text=True)


def test_a_key_made_on_the_page_works_until_it_is_switched_off(
    admin: FlaskClient, client: FlaskClient, database: Database
) -> None:
    page = admin.post("/admin/api-keys", data={"name": "Shop", "scope": "conversations:read"})
    key = re.search(r'value="(fdk_[\w-]+)"', page.get_data(as_text=True)).group(1)  # type: ignore[union-attr]
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/conversations", headers=headers).status_code == 200
    listed = admin.get("/admin/api-keys").get_data(as_text=True)
    assert key not in listed
    assert "Shop" in listed
    with database.read() as session:
        number = session.scalars(select(ApiKey.id)).one()
    assert admin.post(f"/admin/api-keys/{number}/off").status_code == 303
    assert client.get("/api/v1/conversations", headers=headers).status_code == 401
    assert admin.post("/admin/api-keys", data={"name": "", "scope": "chat"}).status_code == 422
    assert admin.post("/admin/api-keys", data={"name": "x"}).status_code == 422


def test_agents_get_a_visitors_file_and_viewers_and_strangers_do_not(
    app: Flask, client: FlaskClient, database: Database
) -> None:
    started = client.post("/api/v1/conversations", json={}).get_json()
    headers = {"Authorization": f"Bearer {started['token']}"}
    address = f"/api/v1/conversations/{started['id']}"
    png = b"\x89PNG\r\n\x1a\n...."
    sent = client.post(
        f"{address}/files", data={"file": (io.BytesIO(png), "photo.png")}, headers=headers
    ).get_json()
    client.post(f"{address}/messages", json={"text": "see", "files": [sent["id"]]}, headers=headers)

    assert client.get(f"/admin/attachments/{sent['id']}").status_code == 302
    agent = sign_in(app, database, "agent")
    got = agent.get(f"/admin/attachments/{sent['id']}")
    assert (got.data, got.headers["Content-Disposition"][:10]) == (png, "attachment")
    assert agent.get("/admin/attachments/nothing").status_code == 404
    assert "photo.png" in agent.get("/admin/conversations/1").get_data(as_text=True)
    assert sign_in(app, database, "viewer").get(f"/admin/attachments/{sent['id']}").status_code == 403
