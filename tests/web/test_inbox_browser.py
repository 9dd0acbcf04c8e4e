"""The agent's path beside the visitor's, in two real browsers at once; two agents who reach for the same one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from chatbot.dialogue.past_drafts import PastDraft
from chatbot.dialogue.trace import Source
from chatbot.records.conversations import find_site, hand_over, start_conversation
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Person, Turn, Visitor, utcnow
from chatbot.records.visitors import Identity, identify
from web.context import parts_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect


def test_a_visitor_is_taken_answered_and_closed_by_keyboard_alone_and_sees_it_live(
    open_widget: Callable[..., Any], sign_in: Any, database: Database, problems: list[str]
) -> None:
    _, frame = open_widget()
    frame.get_by_role("textbox").fill("When does my refund arrive?")
    frame.get_by_role("textbox").press("Enter")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    mei = sign_in("Mei")
    expect(mei.locator(".lines .empty")).to_be_visible()
    expect(mei.locator(".menu .number")).to_be_hidden()
    frame.get_by_role("button", name="Talk to a person").click()

    line = mei.locator(".lines .line")  # it appears by itself
    expect(line).to_contain_text("When does my refund arrive?")
    expect(line).to_contain_text("Asked for a person")
    mei.keyboard.press("j")
    expect(mei.locator(".summary").first).to_have_text("Wants: “When does my refund arrive?”")
    expect(mei.locator(".draft")).to_contain_text("3 working days")
    expect(mei.locator(".menu .number")).to_have_text("1")
    mei.keyboard.press("c")
    expect(mei.locator(".top-line .tag").first).to_have_text("You have this conversation")
    expect(mei.locator(".menu .number")).to_be_hidden()
    expect(frame.locator(".notice")).to_have_text("Now a colleague is on it.")
    expect(mei.get_by_role("textbox", name="Reply")).to_be_focused()
    mei.keyboard.type("Let me look.")
    mei.keyboard.press("Enter")
    expect(frame.locator(".turn.agent")).to_contain_text("Let me look.")
    expect(frame.locator(".turn.agent")).to_contain_text("Mei")

    frame.get_by_role("textbox").fill("Thank you <b>Mei</b>")
    frame.get_by_role("textbox").press("Enter")
    expect(mei.locator(".turn.customer").last).to_contain_text("Thank you <b>Mei</b>")
    mei.keyboard.press("Escape")
    mei.keyboard.press("n")
    mei.keyboard.type("a very patient customer")
    mei.keyboard.press("Enter")
    expect(mei.locator(".turn.note")).to_contain_text("a very patient customer")
    mei.keyboard.press("Escape")
    mei.keyboard.press("d")  # the draft comes into the reply
    expect(mei.get_by_role("textbox", name="Reply")).to_have_value(re.compile("3 working days"))
    mei.keyboard.press("Enter")
    expect(frame.locator(".turn.agent")).to_have_count(2)
    mei.keyboard.press("Escape")
    mei.keyboard.press("x")
    mei.get_by_role("dialog").get_by_role("button", name="Solved", exact=True).press("Enter")
    expect(mei.locator(".top-line .tag").first).to_have_text("Closed: Solved")
    expect(frame.locator("body")).to_have_attribute("data-state", "closed")
    expect(frame.locator("body")).not_to_contain_text("patient customer")
    with database.read() as session:
        roles = session.scalars(select(Turn.role).order_by(Turn.id)).all()
        assert roles == ["customer", "bot", "agent", "customer", "note", "agent"]  # the bot was silent
        assert session.scalars(select(Conversation.outcome)).one() == "solved"
    assert problems == []


def test_who_asks_for_it_hears_of_a_visitor_who_waits_and_sees_it_over_other_windows(
    open_widget: Callable[..., Any], sign_in: Any, browser: Any, problems: list[str]
) -> None:
    mei = sign_in("Mei")
    mei.context.add_init_script(
        "window.shown = []; window.tones = 0;"
        "window.Notification = class { static permission = 'granted';"
        " constructor(title, { body, tag }) { shown.push([body, tag]); } };"
        "window.AudioContext = class { constructor() { tones += 1; throw new Error(); } };"
        "Object.defineProperty(document, 'hidden', { get: () => true });"
    )
    mei.reload()
    button = mei.get_by_role("button", name="Alert me")
    _, first = open_widget()
    first.get_by_role("textbox").fill("When does my refund arrive?")
    first.get_by_role("textbox").press("Enter")
    first.get_by_role("button", name="Talk to a person").click()
    expect(mei.locator(".lines .line")).to_have_count(1)
    assert mei.evaluate("[tones, shown.length]") == [0, 0]  # nobody has asked for it

    button.click()
    expect(mei.get_by_role("button", name="No alerts")).to_have_attribute("aria-pressed", "true")
    mei.reload()  # and it is kept
    before = mei.evaluate("tones")
    somebody_else = browser.new_context(locale="en-GB")
    _, second = open_widget(somebody_else.new_page())
    second.get_by_role("textbox").fill("Where is my parcel?")
    second.get_by_role("textbox").press("Enter")
    expect(second.locator(".turn.bot").last).to_contain_text(
        "Where is my parcel?"
    )  # else his wish may come first
    second.get_by_role("button", name="Talk to a person").click()
    expect(mei.locator(".lines .line")).to_have_count(2)
    mei.wait_for_function("before => tones > before && shown.length === 1", arg=before)
    ((said, about),) = mei.evaluate("shown")
    assert said == "A visitor is waiting: Where is my parcel?" and about.startswith("waiting-")
    somebody_else.close()
    assert problems == []


def test_of_two_agents_the_second_is_told_who_has_it(
    open_widget: Callable[..., Any], sign_in: Any, database: Database
) -> None:
    _, frame = open_widget()
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")
    mei, tom = sign_in("Mei"), sign_in("Tom")
    # Tom's page is cut off from the news, as in the moment before it hears that Mei was quicker.
    tom.route("**/inbox/events*", lambda route: route.fulfill(status=204))
    tom.route("**/inbox/snapshot*", lambda route: route.fulfill(json={}))
    for page in (mei, tom):
        page.locator(".lines .line").click()
        expect(page.get_by_role("button", name="Take it")).to_be_visible()
    mei.get_by_role("button", name="Take it").click()
    expect(mei.locator(".top-line .tag").first).to_have_text("You have this conversation")
    tom.get_by_role("button", name="Take it").click()
    expect(tom.get_by_role("alert")).to_contain_text("Mei has this conversation")
    expect(tom.locator(".top-line .tag").first).to_have_text("Mei has this conversation")
    expect(tom.get_by_role("button", name="Reply")).to_be_disabled()
    with database.read() as session:
        conversation = session.scalars(select(Conversation)).one()
        holder = session.get_one(Person, conversation.agent_id)
        assert (conversation.state, holder.name) == ("human", "Mei")


@pytest.mark.parametrize(("locale", "scheme", "width"), [("en-GB", "light", 1300), ("zh-CN", "dark", 390)])
def test_the_pages_fit_a_phone_obey_the_strict_policy_and_break_no_rule_of_accessibility(
    locale: str,
    scheme: str,
    width: int,
    open_widget: Callable[..., Any],
    sign_in: Any,
    url: str,
    audit: Any,
    problems: list[str],
) -> None:
    _, frame = open_widget()
    frame.get_by_role("textbox").fill("a person please")
    frame.get_by_role("textbox").press("Enter")
    expect(frame.locator(".notice")).to_be_visible()
    page = sign_in("Mei", locale=locale, color_scheme=scheme, viewport={"width": width, "height": 780})
    page.locator(".lines .line").click()
    expect(page.locator(".conversation .turn").first).to_be_visible()
    assert audit(page) == []
    page.locator('[data-do="pass"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert audit(page) == []
    page.keyboard.press("Escape")
    for path in (None, "hours", "webhooks", "canned"):
        if path:
            page.goto(f"{url}/admin/inbox/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert problems == []


@pytest.mark.parametrize(("width", "height"), [(640, 400), (390, 700)], ids=["200_percent", "phone"])
def test_where_the_page_scrolls_the_field_for_the_reply_stays_in_view(
    open_widget: Callable[..., Any], sign_in: Any, width: int, height: int
) -> None:
    _, frame = open_widget()
    for number in range(4):
        frame.get_by_role("textbox").fill(f"refund {number}?")
        frame.get_by_role("textbox").press("Enter")
        expect(frame.locator(".turn.bot").last).to_contain_text(f"refund {number}?")
    frame.get_by_role("button", name="Talk to a person").click()
    mei = sign_in("Mei", viewport={"width": width, "height": height})
    mei.locator(".lines .line").first.click()
    mei.get_by_role("button", name="Take it").click()
    field = mei.get_by_role("textbox", name="Reply")
    expect(field).to_be_focused()
    names = ("Reply", "Note", None, "Attach a file", "Send")
    controls = [mei.get_by_role("button", name=name) if name else field for name in names]
    for name in ("transcript", "top-line"):
        mei.locator(f".{name}").evaluate("element => element.scrollIntoView()")
        for control in controls:
            box = control.bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= height, (name, box)
    assert (
        mei.locator(".composer").bounding_box()["height"] < height / 2
    )  # the conversation is to be seen as well
    mei.evaluate("scrollTo(0, 0)")  # the whole of the head is there, and under it what was said
    seen = mei.locator(".transcript").bounding_box()
    assert mei.locator(".composer").bounding_box()["y"] - seen["y"] > height * 0.4, seen
    places = [control.bounding_box() for control in controls]
    for one, following in itertools.pairwise(places):  # they stand as the focus goes
        assert following["x"] >= one["x"] + one["width"] or following["y"] >= one["y"] + one["height"], places
    field.fill("\n".join("a long reply" for _ in range(30)))
    assert mei.locator(".composer").bounding_box()["height"] < height * 0.75


def test_what_a_visitor_said_before_is_one_key_away_and_leads_to_his_page(
    open_widget: Callable[..., Any], sign_in: Any, database: Database, audit: Any, problems: list[str]
) -> None:
    page, frame = open_widget(address="/?campaign=SECRET#top")
    box = frame.get_by_role("textbox")
    box.fill("When does my refund arrive?")
    box.press("Enter")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    page.evaluate("Frontdesk.reset()")
    expect(frame.locator(".turn.customer")).to_have_count(0)
    box.fill("a person please")
    box.press("Enter")
    expect(frame.locator(".notice")).to_be_visible()
    with database.write() as session:
        first, second = session.scalars(select(Conversation).order_by(Conversation.id)).all()
        assert first.page == second.page and first.page is not None and first.page.endswith("/")
        assert "SECRET" not in first.page
        for one in (first, second):
            identify(session, one, Identity("c-17", "Anna Lee"))
        first.csat = 4
    mei = sign_in("Mei")
    mei.locator(".lines .line").wait_for()
    mei.keyboard.press("j")
    before = mei.get_by_role("button", name="When does my refund arrive?")
    expect(mei.locator(".beside")).to_contain_text("rated 4 of 5")
    with mei.context.expect_page() as opened:
        mei.get_by_role("link", name="Everything about this visitor").press("Enter")
    about = opened.value
    expect(about.get_by_role("heading", level=1)).to_contain_text("Anna Lee Verified")
    expect(about.locator("tbody tr")).to_have_count(2)
    assert audit(about) == []
    before.press("Enter")
    expect(mei.locator(".turn.customer")).to_contain_text("When does my refund arrive?")
    expect(mei.locator(".beside")).not_to_contain_text("Talked before")  # it was the first
    assert problems == []


def test_a_box_beyond_the_first_hundred_is_shown_by_keyboard_and_stays_live(
    sign_in: Any, database: Database, problems: list[str]
) -> None:
    def wait(number: int) -> None:
        with database.write() as session:
            talk = start_conversation(session, site_id=1, token_hash="x", locale="en")
            talk.state, talk.handover_at = "waiting", utcnow()
            session.add(Turn(conversation_id=talk.id, role="customer", text=f"parcel {number}", lang="en"))

    for number in range(102):
        wait(number)
    mei = sign_in("Mei")
    lines = mei.locator(".lines .line")
    expect(lines).to_have_count(100)
    mei.get_by_role("button", name="Show more").press("Enter")
    expect(lines).to_have_count(102)
    expect(lines.last).to_contain_text("parcel 101")
    expect(mei.get_by_role("button", name="Show more")).to_have_count(0)
    wait(102)
    expect(lines).to_have_count(103)  # by itself, in its place
    expect(lines.last).to_contain_text("parcel 102")
    mei.keyboard.press("3")
    expect(mei.locator(".lines .empty")).to_be_visible()
    mei.keyboard.press("1")
    expect(lines).to_have_count(100)
    assert problems == []


class SaidBefore:
    """Past answers: one that leads, one that nothing holds today."""

    def drafts(self, turns: Any, trace: Any, *, shown: Any = ()) -> list[PastDraft]:
        source = Source("Refunds", "", "Refunds arrive within 3 working days.")
        return [
            PastDraft("It is with you in 3 working days.", 12, source, leads=True),
            PastDraft("Please ask your bank for it first.", 2, None, leads=False),
        ]


def test_what_agents_said_before_is_offered_with_how_often_and_whether_anything_holds_it_today(
    open_widget: Callable[..., Any], sign_in: Any, assistant: Any, problems: list[str]
) -> None:
    assistant.past = SaidBefore()
    _, frame = open_widget()
    frame.get_by_role("textbox").fill("When does my refund arrive?")
    frame.get_by_role("textbox").press("Enter")
    frame.get_by_role("button", name="Talk to a person").click()
    mei = sign_in("Mei")
    mei.locator(".lines .line").wait_for()
    mei.keyboard.press("j")
    first, passage, last = (mei.locator(".draft").nth(place) for place in range(3))
    expect(first).to_contain_text("Said by agents before")
    expect(first).to_contain_text("Said in 12 conversations")
    expect(first).to_contain_text("Source: Refunds")
    expect(passage).to_contain_text("From the articles")
    expect(last).to_contain_text("No source today")
    expect(first).not_to_contain_text("No source today")
    mei.keyboard.press("c")
    expect(mei.get_by_role("textbox", name="Reply")).to_be_focused()  # once the conversation is hers
    mei.keyboard.press("Escape")
    mei.keyboard.press("d")
    expect(mei.get_by_role("textbox", name="Reply")).to_have_value("It is with you in 3 working days.")
    assert problems == []


@pytest.mark.parametrize(
    ("locale", "scheme", "width", "words"),
    [("en-GB", "light", 1300, "Seems displeased"), ("zh-CN", "dark", 390, "似有不满")],
)
def test_who_reads_displeased_is_marked_in_the_queue_and_above_the_conversation(
    sign_in: Any,
    app: Flask,
    database: Database,
    problems: list[str],
    monkeypatch: pytest.MonkeyPatch,
    locale: str,
    scheme: str,
    width: int,
    words: str,
) -> None:
    monkeypatch.setattr(type(parts_of(app).moods), "displeased", lambda self, said: "again" in said[-1])
    with database.write() as session:
        for name, text in (("Ana", "Broken again, the third one"), ("Ben", "Do you ship to Delft?")):
            site_id = find_site(session, "default").id
            conversation = start_conversation(session, site_id=site_id, token_hash=name, locale=locale[:2])
            session.get_one(Visitor, conversation.visitor_id).name = name
            session.add(Turn(conversation_id=conversation.id, role="customer", text=text))
            hand_over(session, conversation.public_id, reason="asked")
    page = sign_in("Mei", locale=locale, color_scheme=scheme, viewport={"width": width, "height": 780})
    expect(page.locator(".lines .line")).to_have_count(2)
    ana, ben = page.locator(".line", has_text="Ana"), page.locator(".line", has_text="Ben")
    expect(ana.locator(".tag", has_text=words)).to_be_visible()
    expect(ben.locator(".tag", has_text=words)).to_have_count(0)
    ana.click()
    expect(page.locator(".top-line .tag", has_text=words)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems == []
