"""What was said while the panel was closed: counted on the button, and mailed until the visitor has really seen it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from chatbot.records import inbox
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Delivery, Person, Visitor, utcnow
from chatbot.settings import Settings
from web.mail import MailServer
from web.sending import send_due

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect


def ask(frame: Any, text: str) -> None:
    frame.get_by_role("textbox").fill(text)
    frame.get_by_role("textbox").press("Enter")


@pytest.fixture
def agent_says(database: Database) -> Callable[..., None]:
    """Mei answers in the only conversation; its visitor has left an address. ``closes``: and she ends it."""
    with database.write() as session:
        mei = Person(email="mei@example.com", name="Mei", password_hash="x", role="agent")
        session.add(mei)

    def say(*texts: str, closes: bool = False) -> None:
        with database.write() as session:
            conversation = session.scalars(select(Conversation)).one()
            session.get_one(Visitor, conversation.visitor_id).email = "ana@example.com"
            if conversation.state != "human":
                inbox.take(session, conversation.id, mei)
            for text in texts:
                inbox.reply(
                    session,
                    conversation.id,
                    mei,
                    text=text,
                    client_message_id=text,
                    lang="en",
                    origin="http://127.0.0.1:5000",
                )
            if closes:
                inbox.close(session, conversation.id, mei, outcome="solved")

    return say


@pytest.fixture
def mailed(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[list[str], list[str]]]:
    """Lets the minute pass in which a reply is waited for; returns the texts mailed and the states of all mails."""
    texts: list[str] = []
    monkeypatch.setattr(MailServer, "send", lambda _, message: texts.append(message.get_content()))
    with_mail = settings.model_copy(
        update={"smtp_url": "smtp+plain://127.0.0.1:25", "mail_from": "a@b.example"}
    )

    def send() -> tuple[list[str], list[str]]:
        send_due(database, with_mail, now=lambda: utcnow() + timedelta(minutes=2))
        with database.read() as session:
            return texts, list(session.scalars(select(Delivery.state).order_by(Delivery.id)))

    return send


def test_a_reply_that_waits_behind_a_closed_panel_is_counted_and_still_mailed(
    open_widget: Any, context: Any, url: str, agent_says: Callable[..., None], mailed: Callable[..., Any]
) -> None:
    page, frame = open_widget()
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")
    page.close()
    agent_says("It is on its way", "Anything else?")

    page = context.new_page()
    page.add_init_script(
        "window.Frontdesk = function () { (Frontdesk.q = Frontdesk.q || []).push(arguments) };"
        "window.told = []; Frontdesk('on', 'unread', (count) => told.push(count));"
    )
    page.goto(url)
    expect(page.get_by_role("button", name="Open chat (2)")).to_be_visible()
    assert page.evaluate("told") == [2]
    texts, states = mailed()
    assert states == ["sent"]
    assert "It is on its way\n\nAnything else?" in texts[0].replace("\r\n", "\n")


def test_a_reply_that_is_looked_at_is_neither_counted_nor_mailed(
    open_widget: Any, context: Any, url: str, agent_says: Callable[..., None], mailed: Callable[..., Any]
) -> None:
    page, frame = open_widget()
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")
    page.close()
    agent_says("It is on its way", closes=True)  # closed: nobody holds a connection on it any more

    page = context.new_page()
    page.goto(url)
    with page.expect_response(re.compile(r"/messages\?after=\d+$")):  # fetched once more, as shown
        page.get_by_role("button", name="Open chat (1)").click()
    expect(page.frame_locator("iframe").locator(".turn.agent")).to_contain_text("It is on its way")
    assert mailed() == ([], ["dropped"])
    other = context.new_page()
    other.goto(url)
    expect(other.get_by_role("button", name="Open chat", exact=True)).to_be_visible()
    other.frame_locator("iframe").locator("body[data-ready]").wait_for(state="attached")
    expect(other.get_by_role("button", name="Open chat", exact=True)).to_be_visible()


def test_a_reply_that_comes_while_the_panel_is_open_is_seen_and_one_after_it_was_closed_is_not(
    open_widget: Any, agent_says: Callable[..., None], mailed: Callable[..., Any]
) -> None:
    page, frame = open_widget()
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")
    with page.expect_response(re.compile(r"/messages\?after=\d+$")):
        agent_says("Hello")
    expect(frame.locator(".turn.agent")).to_contain_text("Hello")
    assert mailed() == ([], ["dropped"])
    with page.expect_request(re.compile(r"/events\?after=\d+&shown=0")):  # the connection says so at once
        page.keyboard.press("Escape")
    agent_says("Still there?")
    expect(page.get_by_role("button", name="Open chat (1)")).to_be_visible()
    texts, states = mailed()
    assert (len(texts), states) == (1, ["dropped", "sent"])
    assert "Still there?" in texts[0] and "Hello" not in texts[0].splitlines()


def test_what_one_tab_has_shown_is_no_longer_counted_in_the_others(
    open_widget: Any, context: Any, url: str, agent_says: Callable[..., None]
) -> None:
    first, frame = open_widget()
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    first.keyboard.press("Escape")
    agent_says("It is on its way")
    second = context.new_page()
    second.goto(url)
    expect(second.get_by_role("button", name="Open chat (1)")).to_be_visible()
    first.get_by_role("button", name="Open chat").click()
    expect(frame.locator(".turn.agent")).to_contain_text("It is on its way")
    expect(second.get_by_role("button", name="Open chat", exact=True)).to_be_visible()
