"""What the widget says when something does not work: where everybody sees it, why, and in the visitor's language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Feedback

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect
AWAY = {"status": 503, "json": {"error": {"code": "overloaded", "message": "Too much is going on just now"}}}


def ask(frame: Any, text: str) -> None:
    frame.get_by_role("textbox").last.fill(text)
    frame.get_by_role("textbox").last.press("Enter")


def refuse(page: Any, path: str) -> re.Pattern[str]:
    """From now on the server refuses this; returns what to give to ``page.unroute``."""
    address = re.compile(path)
    page.route(address, lambda route: route.fulfill(**AWAY))
    return address


def answered(frame: Any, text: str = "refund?") -> Any:
    ask(frame, text)
    expect(frame.locator(".turn.bot").last).to_contain_text(f"“{text}”")
    return frame.locator(".turn.bot").last


def end(frame: Any) -> None:
    frame.get_by_role("button", name="New conversation").click()
    frame.get_by_role("button", name="End this one").click()


def test_a_thumb_that_the_server_has_not_taken_is_drawn_back_and_can_be_given_again(
    open_widget: Any, database: Database
) -> None:
    page, frame = open_widget()
    answer = answered(frame)
    thumb = answer.get_by_role("button", name="This helped")
    refused = refuse(page, "/feedback$")
    thumb.click()
    expect(frame.get_by_role("alert")).to_have_text("Not sent. We cannot be reached just now.")
    expect(thumb).to_have_attribute("aria-pressed", "false")
    expect(thumb).to_be_focused()
    expect(frame.get_by_text("Thank you!")).to_have_count(0)
    page.unroute(refused)
    thumb.click()
    expect(answer.get_by_text("Thank you!")).to_be_visible()
    expect(frame.locator(".trouble")).to_be_hidden()
    with database.read() as session:
        assert session.scalars(select(Feedback.vote)).all() == ["up"]


def test_a_mark_that_the_server_has_not_taken_is_not_thanked_for_and_can_be_given_again(
    open_widget: Any, database: Database
) -> None:
    page, frame = open_widget()
    answered(frame)
    end(frame)
    rating = frame.get_by_role("group", name="How did we do?")
    four = rating.get_by_role("button", name="4 of 5")
    refused = refuse(page, "/close$")
    four.click()
    expect(frame.get_by_role("alert")).to_have_text("Not sent. We cannot be reached just now.")
    expect(four).to_have_attribute("aria-pressed", "false")
    expect(rating.get_by_role("textbox")).to_be_hidden()
    page.unroute(refused)
    four.click()
    expect(frame.locator(".trouble")).to_be_hidden()
    rating.get_by_role("textbox").fill("quick")
    refused = refuse(page, "/close$")
    rating.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("alert")).to_be_visible()
    expect(rating.get_by_role("textbox")).to_have_value("quick")
    page.reload()  # it was not sent: it is asked for again
    page.unroute(refused)
    page.get_by_role("button", name="Open chat").click()
    four.click()
    rating.get_by_role("textbox").fill("quick")
    rating.get_by_role("button", name="Send").click()
    expect(rating).to_have_count(0)
    expect(frame.locator(".after")).to_have_text("Thank you for your rating.")
    with database.read() as session:
        row = session.scalars(select(Conversation)).one()
    assert (row.csat, row.csat_comment) == (4, "quick")


def test_what_does_not_work_is_said_where_everybody_sees_it_until_it_works(
    open_widget: Any, database: Database
) -> None:
    page, frame = open_widget()
    answered(frame)
    alert = frame.get_by_role("alert")

    def fails_then_works(path: str, button: str) -> None:
        refused = refuse(page, path)
        frame.get_by_role("button", name=button).click()
        expect(alert).to_have_text("Not sent. We cannot be reached just now.")
        page.unroute(refused)
        frame.get_by_role("button", name=button).click()
        expect(frame.locator(".trouble")).to_be_hidden()

    fails_then_works("/handover$", "Talk to a person")
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")
    fails_then_works("/resume$", "Back to the assistant")
    expect(frame.get_by_role("button", name="Talk to a person")).to_be_visible()
    refused = refuse(page, "/close$")
    end(frame)
    expect(alert).to_have_text("Not sent. We cannot be reached just now.")
    page.unroute(refused)
    end(frame)
    expect(frame.locator(".notice")).to_contain_text("has ended")
    expect(frame.locator(".trouble")).to_be_hidden()


def test_a_file_that_cannot_be_fetched_and_one_that_cannot_be_sent_say_why(
    open_widget: Any, context: Any
) -> None:
    _, frame = open_widget()
    frame.locator("input[type=file]").set_input_files(
        {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    expect(frame.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    frame.get_by_role("button", name="Send", exact=True).click()
    expect(frame.locator(".turn.bot").last).to_contain_text("I cannot read files myself")
    context.set_offline(True)
    frame.locator(".turn.customer").get_by_role("button", name="a.pdf").click()
    expect(frame.get_by_role("alert")).to_have_text("That did not work. There is no connection.")
    context.set_offline(False)
    frame.locator("input[type=file]").set_input_files(
        {"name": "b.png", "mimeType": "image/png", "buffer": b""}
    )
    expect(frame.locator(".composer .file")).to_contain_text("It is empty.")
    expect(frame.locator(".composer .file").get_by_role("button", name="Try again")).to_have_count(0)


def test_a_conversation_that_is_gone_is_said_until_the_next_message(
    open_widget: Any, database: Database
) -> None:
    _, frame = open_widget()
    answered(frame, "one")
    with database.write() as session:
        session.delete(session.scalars(select(Conversation)).one())
    answered(frame, "two")
    expect(frame.get_by_role("alert")).to_contain_text("The earlier conversation is no longer there.")
    answered(frame, "three")
    expect(frame.locator(".trouble")).to_be_hidden()


def test_a_person_asked_for_without_network_is_asked_for_once_when_it_is_back(
    open_widget: Any, context: Any, database: Database
) -> None:
    asked: list[str] = []
    context.on("request", lambda one: asked.append(one.url) if one.url.endswith("/handover") else None)
    page, frame = open_widget()
    context.set_offline(True)
    ask(frame, "refund?")
    frame.get_by_role("button", name="Talk to a person").click()
    frame.get_by_role("button", name="Talk to a person").click()
    wish = frame.locator(".unsent").last
    expect(wish).to_contain_text("Talk to a person")
    expect(wish).to_contain_text("Will be sent when you are online again")
    expect(frame.locator(".unsent")).to_have_count(2)
    page.close()
    context.set_offline(False)
    asked.clear()
    _, frame = open_widget()
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")
    expect(frame.locator(".unsent")).to_have_count(0)
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")  # in the order in which he wished it
    assert len(asked) == 1
    with database.read() as session:
        row = session.scalars(select(Conversation)).one()
    assert (row.state, row.handover_reason) == ("waiting", "visitor_asked")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (413, "too_large", "内容过大。"),
        (422, "too_long", "内容过长。"),
        (409, "never_heard_of", "请稍后再试。"),
    ],
)
def test_a_refusal_is_told_in_the_visitors_language_and_not_in_the_servers(
    open_widget: Any, context: Any, status: int, code: str, words: str
) -> None:
    page = context.new_page()
    page.route(
        re.compile("/messages$"),
        lambda route: route.fulfill(
            status=status, json={"error": {"code": code, "message": "No such words."}}
        ),
    )
    _, frame = open_widget(page, "/?locale=zh")
    ask(frame, "退款?")
    expect(frame.locator(".state.failed")).to_have_text(f"发送失败。 {words} 重试 删除")


def test_the_servers_own_refusal_of_a_message_and_of_a_file_is_told_in_chinese(open_widget: Any) -> None:
    _, frame = open_widget(address="/?locale=zh")
    ask(frame, "\u200b")
    expect(frame.locator(".state.failed")).to_have_text("发送失败。 内容为空。 重试 删除")
    frame.locator("input[type=file]").set_input_files(
        {"name": "b.png", "mimeType": "image/png", "buffer": b"MZ\x90\x00\xff"}
    )
    expect(frame.locator(".composer .file")).to_contain_text("不支持这种文件。")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_the_notice_of_a_failure_breaks_no_rule_of_accessibility(
    browser: Any, url: str, audit: Any, scheme: str, width: int
) -> None:
    context = browser.new_context(
        locale="zh-CN",
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="打开在线咨询").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("body[data-ready]")).to_be_attached()
    ask(frame, "\u200b")
    expect(frame.locator(".state.failed")).to_be_visible()
    refuse(page, "/handover$")
    frame.get_by_role("button", name="转人工客服").click()
    expect(frame.get_by_role("alert")).to_have_text("发送失败。 服务暂时不可用。")
    inside = page.frames[1]
    assert audit(inside) == []
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
