"""The admin's pages for the widget and for API keys, and the visitors' files as agents get them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.dialogue.options import SiteOptions
from chatbot.records.database import Database
from chatbot.records.tables import ApiKey, AuditEntry, Site
from web.widget_options import WidgetOptions


@pytest.fixture
def admin(app: Flask, signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return signed_in("admin")


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
        {"corners": "pointed"},
        {"greeting_en": "x" * 501},
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


def test_name_greetings_and_corners_are_the_widgets(
    admin: FlaskClient, client: FlaskClient, database: Database
) -> None:
    said = {"title": "Mei's shop", "greeting_en": "Hi!", "greeting_zh": "您好！", "corners": "square"}
    assert admin.post("/admin/widget", data=FORM | said).status_code == 303
    page = client.get("/widget/frame").get_data(as_text=True)
    for expected in ('"corners": "square"', '"en": "Hi!"', "Mei\\u0027s shop"):
        assert expected in page


def test_the_preview_is_the_real_widget_with_a_made_up_conversation(
    admin: FlaskClient, client: FlaskClient
) -> None:
    page = admin.get("/admin/widget/preview?locale=zh")
    assert "data-preview" in page.get_data(as_text=True)
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    frame = client.get("/widget/frame?preview=").get_data(as_text=True)
    config = json.loads(re.search(r'id="config">(.*?)</script>', frame).group(1))  # type: ignore[union-attr]
    assert set(config["preview"]) == {"en", "zh"}
    assert config["preview"]["en"].keys() == {"question", "answer", "source"}
    assert "preview" not in client.get("/chat?preview=").get_data(as_text=True)


def test_another_site_has_settings_of_its_own(
    admin: FlaskClient, client: FlaskClient, database: Database
) -> None:
    assert admin.post("/admin/site/add", data={"key": "shop-de", "name": "Laden"}).status_code == 303
    assert admin.post("/admin/site/add", data={"key": "shop-de", "name": "Again"}).status_code == 409
    assert admin.post("/admin/site/add", data={"key": "Shop DE", "name": "Again"}).status_code == 422
    assert admin.post("/admin/widget?site=shop-de", data=FORM | {"title": "Laden"}).status_code == 303
    hours = {"always": "no", "zone": "Europe/Berlin", "day_mon": "09:00-17:00"}
    limits = {"unanswered_minutes": "3", "idle_hours": "2"}
    assert admin.post("/admin/inbox/hours?site=shop-de", data=hours | limits).status_code == 303
    kept = {"mode": "drafts_only", "origins": "https://laden.example"}
    assert admin.post("/admin/site?site=shop-de", data=kept).status_code == 303
    assert admin.post("/admin/privacy/retention?site=shop-de", data={"days": "30"}).status_code == 303
    with database.read() as session:
        first, other = session.scalars(select(Site).order_by(Site.id))
    assert (first.options, first.allowed_origins) == ({}, [])
    options = SiteOptions.from_json(other.options)
    assert (options.mode, options.unanswered_minutes, options.retention_days) == ("drafts_only", 3, 30)
    assert (options.title, options.accent) == ("Laden", "#e11d48")
    assert options.opening_hours is not None
    for path in ("/admin/site", "/admin/widget", "/admin/inbox/hours", "/admin/privacy"):
        page = admin.get(f"{path}?site=shop-de").get_data(as_text=True)
        assert 'site=shop-de" aria-current="page"' in page, path
    assert client.get("/").status_code == 200  # the first site's, although there are two
    assert '"site": "shop-de"' in client.get("/chat?site=shop-de").get_data(as_text=True)
    assert admin.get("/admin/widget?site=nowhere").status_code == 404


def test_a_site_is_deleted_only_where_nobody_has_written(
    admin: FlaskClient, client: FlaskClient, database: Database
) -> None:
    admin.post("/admin/site/add", data={"key": "one", "name": "One"})
    admin.post("/admin/site/add", data={"key": "two", "name": "Two"})
    assert client.post("/api/v1/conversations", json={"site": "two"}).status_code == 201
    assert admin.post("/admin/site/one/delete").status_code == 303
    assert admin.post("/admin/site/two/delete").status_code == 409
    assert admin.post("/admin/site/default/delete").status_code == 409
    with database.read() as session:
        assert session.scalars(select(Site.key).order_by(Site.id)).all() == ["default", "two"]


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
    client: FlaskClient, signed_in: Callable[..., FlaskClient]
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
    agent = signed_in("agent")
    got = agent.get(f"/admin/attachments/{sent['id']}")
    assert (got.data, got.headers["Content-Disposition"][:10]) == (png, "attachment")
    assert agent.get("/admin/attachments/nothing").status_code == 404
    assert "photo.png" in agent.get("/admin/conversations/1").get_data(as_text=True)
    assert signed_in("viewer").get(f"/admin/attachments/{sent['id']}").status_code == 403
