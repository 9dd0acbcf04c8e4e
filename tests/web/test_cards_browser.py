"""Cards in the widget, in a real browser: side by side, by keyboard, read out, under the frame's own policy."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chatbot.records.database import Database
from chatbot.records.inbox import reply
from chatbot.records.tables import Conversation, Person, Turn

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect


def ask(frame: Any, text: str) -> None:
    field = frame.get_by_role("textbox", name=re.compile("Your message|消息内容"))
    field.fill(text)
    field.press("Enter")


def test_several_cards_are_a_row_that_scrolls_by_keyboard(
    open_widget: Any, audit: Any, problems: list[str]
) -> None:
    page, frame = open_widget()
    ask(frame, "cards?")
    row = frame.get_by_role("list", name="3 cards")
    expect(row.get_by_role("listitem")).to_have_count(3)
    expect(row.get_by_role("img", name="A courier on a bicycle")).to_be_visible()
    link = row.get_by_role("link", name="Book it")
    assert link.get_attribute("href") == "https://shop.example/express"
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    assert audit(page.frames[1]) == []
    row.focus()
    assert row.evaluate("(row) => row.scrollWidth > row.clientWidth && row.scrollLeft === 0")
    page.keyboard.press("ArrowRight")
    expect(row.get_by_role("listitem").first).not_to_be_in_viewport(ratio=1)
    page.keyboard.press("Tab")
    expect(row.get_by_role("listitem").first).to_be_in_viewport(ratio=1)
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(row.get_by_role("link", name="Find a shop")).to_be_focused()
    expect(row.get_by_role("listitem").nth(2)).to_be_in_viewport(ratio=1)
    expect(frame.get_by_role("status")).to_contain_text("Express\nStandard\nCollect")
    assert problems == []


def test_a_colleagues_card_alone_fills_its_row_and_a_picture_that_does_not_come_leaves_no_gap(
    open_widget: Any, database: Database, audit: Any
) -> None:
    page, frame = open_widget()
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    card = {
        "title": "Your <b>refund</b>",
        "text": "49.00\nto your card",
        "image": "/nothing-here.png",
        "alt": "A bank card",
        "links": [],
    }
    with database.write() as session:
        mei = Person(email="mei@example.com", name="Mei", password_hash="x", role="agent")
        session.add(mei)
        session.flush()
        one = session.query(Conversation).one()
        turn = reply(
            session, one.id, mei, text="Here.", client_message_id="1", lang="en", origin="http://localhost"
        )
        session.get_one(Turn, turn.id).reply = {"cards": [card]}
    page.reload()
    page.get_by_role("button", name=re.compile("^Open chat")).click()
    alone = frame.locator(".turn.agent .card")
    expect(alone).to_contain_text("Your <b>refund</b>")
    expect(frame.locator(".cards")).not_to_have_attribute("tabindex", "0")
    expect(alone.locator("img")).to_have_count(0)
    assert audit(page.frames[1]) == []


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_the_next_card_shows_that_there_is_one(context: Any, open_widget: Any, width: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 700})
    _, frame = open_widget(page)
    ask(frame, "cards?")
    expect(frame.locator(".card")).to_have_count(3)
    second = frame.locator(".card").nth(1).bounding_box()
    assert second["x"] < width < second["x"] + second["width"]
    assert page.frames[1].evaluate("document.documentElement.scrollWidth <= innerWidth")
