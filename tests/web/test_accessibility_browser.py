"""axe-core over every page behind the sign-in and the visitors' pages: no rule of WCAG 2.2 AA is broken."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from chatbot.records import actions, people
from chatbot.records.api_keys import create_key
from chatbot.records.conversations import hand_over
from chatbot.records.database import Database
from chatbot.records.tables import Action, Answer, Article, Conversation, Intent, Turn
from chatbot.settings import Settings
from web.admin.blueprint import MENU

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


@pytest.fixture
def filled(app: Flask, database: Database) -> None:
    """Something on every page: an empty table hides what is wrong with a full one."""
    client = app.test_client()
    for text in ("refund, generated?", "which one?"):
        started = client.post("/api/v1/conversations", json={}).get_json()
        headers = {"Authorization": f"Bearer {started['token']}"}
        client.post(f"/api/v1/conversations/{started['id']}/messages", json={"text": text}, headers=headers)
    with database.write() as session:
        hand_over(session, started["id"], reason="visitor_asked")
        create_key(session, name="shop", scopes=["chat"])
        article = Article(
            slug="refunds",
            lang="en",
            title="Refunds",
            body="# Refunds\n\nThree days.",
            section="",
            url="",
            source="refunds.md",
            content_hash="0",
            status="live",
        )
        intent = Intent(name="refund_time", titles={"en": "Refund time"}, status="live")
        session.add_all([article, intent])
        session.flush()
        session.add(Answer(intent_id=intent.id, lang="en", text="Three days.", status="draft"))
        actions.save(
            session,
            actions.Draft(
                name="refund_time",
                intent="refund_time",
                url="https://www.example.com/refunds",
                slots=[{"name": "order", "kind": "order", "ask": {"en": "Which order?"}}],
                templates={"en": "Your refund for {order} comes {day}."},
                proof={"kind": "answer", "accepts": ["email"], "paths": {"email": "buyer.email"}},
            ),
        )


@pytest.fixture
def uploaded(settings: Settings) -> str:
    """The address of the page on which an editor says what the columns of a table are."""
    name = f"{'0' * 32}/chats.csv"
    (settings.uploads / name).parent.mkdir(parents=True)
    (settings.uploads / name).write_text(
        "Chat,By whom,Said\na,Client,Where is my parcel?\na,Agent,It arrives on Friday.\n"
    )
    return "/admin/upload/check?" + urlencode(
        {"files": name, "column.text": "Said", "column.role": "By whom"}
    )


@pytest.mark.parametrize(("locale", "scheme", "width"), [("en-GB", "light", 1280), ("zh-CN", "dark", 390)])
def test_no_rule_is_broken_on_any_page(
    browser: Any,
    url: str,
    app: Flask,
    database: Database,
    audit: Any,
    filled: None,
    uploaded: str,
    locale: str,
    scheme: str,
    width: int,
) -> None:
    context = browser.new_context(
        locale=locale, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    page = context.new_page()
    wrong: list[str] = []

    def look(path: str) -> None:
        answer = page.goto(url + path)
        found = audit(page) if answer.status == 200 else [f"answers {answer.status}"]
        wrong.extend(f"{path} {line}" for line in found)

    with database.write() as session:
        link = people.create_link(session, role="admin")
        conversation = session.scalars(select(Conversation.id)).first()
        article = session.scalars(select(Article.id)).first()
        intent = session.scalars(select(Intent.id)).first()
        answer = session.scalars(select(Turn.id).where(Turn.role == "bot")).first()
        action = session.scalars(select(Action.id)).first()
    for path in ("/", "/help/en/refunds", "/chat", "/admin/sign-in", f"/admin/set-up/{link}"):
        look(path)
    page.fill("#name", "Mei")
    page.fill("#email", "mei@example.com")
    page.fill("#password", "correct horse battery")
    page.click("button.primary")
    page.wait_for_url("**/admin/")
    with app.test_request_context():
        listed = [app.url_for(entry.endpoint) for entry in MENU if entry.endpoint in app.view_functions]
    for path in (
        *listed,
        "/admin/account",
        "/admin/style",
        "/admin/widget/preview",
        "/admin/actions/new",
        f"/admin/actions/{action}",
        uploaded,
        f"/admin/turns/{answer}",
        f"/admin/conversations/{conversation}",
        f"/admin/articles/{article}",
        f"/admin/intents/{intent}",
    ):
        look(path)
    context.close()
    assert not wrong, "\n".join(wrong)
