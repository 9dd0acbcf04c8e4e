"""The visitor's path in a real browser: asking, coming back, foreign pages, a lost network, phone and keyboard."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Feedback, Site, Turn

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect
LAYOUT_SHIFTS = """() => new Promise((done) => {
    new PerformanceObserver((list) => done(list.getEntries().length)).observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(0), 300);
})"""
PHONE = {"width": 390, "height": 780}


def ask(frame: Any, text: str) -> None:
    frame.get_by_role("textbox").fill(text)
    frame.get_by_role("textbox").press("Enter")


def roles(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Turn.role).order_by(Turn.id)))


def states(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Conversation.state).order_by(Conversation.id)))


def test_a_visitor_asks_sees_where_the_answer_comes_from_votes_and_finds_it_all_again(
    open_widget: Any, database: Database, problems: list[str]
) -> None:
    page, frame = open_widget()
    expect(frame.locator(".bot").first).to_contain_text("Hello! Ask me anything")
    ask(frame, "Is this generated? <b>bold</b> <img src=x onerror=alert(1)>")
    answer = frame.locator(".turn.bot").nth(1)
    expect(answer).to_contain_text("refunds arrive within 3 working days")
    expect(answer).to_contain_text("Written by the assistant, checked against our help pages")
    answer.locator("summary").click()
    expect(answer.locator("blockquote")).to_have_text("Refunds arrive within 3 working days.")
    expect(answer.get_by_role("link")).to_have_attribute("href", "https://shop.example/help/refunds")
    expect(frame.locator("img, .bubble b")).to_have_count(
        0
    )  # what he wrote is text, in his turn and in the answer
    answer.get_by_role("button", name="This helped").click()
    expect(answer.get_by_role("button", name="This helped")).to_have_attribute("aria-pressed", "true")
    expect(
        answer.get_by_role("button", name="This helped")
    ).to_be_focused()  # drawn anew, and yet where he was
    expect(answer.locator("details")).to_have_attribute("open", "")
    expect(answer.get_by_text("Thank you!")).to_be_visible()  # it is stored; before, a reload may cut it off

    page.reload()
    page.get_by_role("button", name="Open chat").click()
    expect(frame.locator(".turn.customer")).to_contain_text("<b>bold</b>")
    again = frame.locator(".turn.bot").nth(1)
    expect(again).to_contain_text("refunds arrive within 3 working days")
    expect(again.get_by_role("button", name="This helped")).to_have_attribute("aria-pressed", "true")
    assert roles(database) == ["customer", "bot"]
    with database.read() as session:
        assert session.scalars(select(Feedback.vote)).all() == ["up"]
    assert problems == []


def test_a_tapped_choice_is_answered_and_shown_by_its_title(open_widget: Any, database: Database) -> None:
    _, frame = open_widget()
    ask(frame, "which one?")
    frame.get_by_role("button", name="Refund time").click()
    expect(frame.locator(".turn.customer").last).to_contain_text("You: Refund time")
    expect(frame.locator(".turn.bot").last).to_contain_text("/intent refund_time")
    expect(frame.locator(".choice")).to_have_count(0)  # old choices cannot be tapped again


def test_talking_to_a_person_and_hearing_him_without_a_reload(
    open_widget: Any, database: Database, problems: list[str]
) -> None:
    page, frame = open_widget()
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")
    ask(frame, "Are you there?")
    expect(frame.locator(".turn.customer")).to_contain_text("Are you there?")
    expect(frame.locator(".turn.bot")).to_have_count(2)  # the greeting, and that the message was added
    with database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        conversation.state = "human"
        session.add(
            Turn(conversation_id=conversation.id, role="agent", text="Hello, see [this](javascript:alert)")
        )
    expect(frame.locator(".turn.agent")).to_contain_text("Hello, see this")
    expect(frame.locator(".turn.agent a")).to_have_count(0)
    expect(frame.locator(".turn.bot")).to_have_count(2)  # no answer
    page.keyboard.press("Escape")
    with database.write() as session:
        session.add(Turn(conversation_id=conversation.id, role="agent", text="Anything else?"))
    expect(page.get_by_role("button", name="Open chat (1)")).to_be_visible()
    assert problems == []


def test_a_conversation_that_a_person_opens_again_is_heard_without_a_connection_held(
    context: Any, open_widget: Any, database: Database
) -> None:
    context.clock.install()
    page, frame = open_widget()
    context.clock.pause_at(page.evaluate("Date.now() / 1000") + 60)  # from here on time passes as told alone
    ask(frame, "How long does a refund take?")
    expect(frame.locator(".turn.bot .thumbs")).to_be_visible()
    with database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        conversation.state = "human"
        session.add(Turn(conversation_id=conversation.id, role="agent", text="It is on its way."))
    context.clock.fast_forward(10_000)
    expect(frame.locator(".turn.agent")).to_have_count(0)  # it does not ask all the time
    context.clock.fast_forward(6_000)
    expect(frame.locator(".turn.agent")).to_contain_text("It is on its way.")
    with database.write() as session:  # from here on a connection brings what the person says
        session.add(Turn(conversation_id=conversation.id, role="agent", text="Anything else?"))
    expect(frame.locator(".turn.agent")).to_have_count(2)


def test_who_does_not_want_to_wait_goes_back_to_the_assistant(open_widget: Any) -> None:
    _, frame = open_widget()
    ask(frame, "a person please")
    frame.get_by_role("button", name="Back to the assistant").click()
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")


def test_a_message_written_without_network_is_kept_when_the_page_is_closed_and_sent_once(
    open_widget: Any, context: Any, database: Database
) -> None:
    page, frame = open_widget()
    ask(frame, "first")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    context.set_offline(True)
    ask(frame, "second")
    ask(frame, "third")
    expect(frame.locator(".unsent").last).to_contain_text("Will be sent when you are online again")
    page.close()
    context.set_offline(False)
    _, frame = open_widget()
    expect(frame.locator(".turn.bot").last).to_contain_text("“third”")
    expect(frame.locator(".unsent")).to_have_count(0)
    expect(frame.locator(".turn.customer")).to_have_count(3)
    assert roles(database) == ["customer", "bot"] * 3


def test_a_message_written_without_network_is_sent_when_it_is_back(
    open_widget: Any, context: Any, database: Database, audit: Any
) -> None:
    page, frame = open_widget()
    context.set_offline(True)
    ask(frame, "first words")
    expect(frame.locator(".notice")).to_contain_text("You are offline")
    assert audit(page.frames[1]) == []
    context.set_offline(False)
    expect(frame.locator(".turn.bot").last).to_contain_text("“first words”")
    assert roles(database) == ["customer", "bot"]


def test_a_failed_message_is_sent_again_under_the_same_id(
    open_widget: Any, database: Database, assistant: Any
) -> None:
    failures = iter([RuntimeError("once")])

    def fail_once(text: str) -> None:
        error = next(failures, None)
        if error:
            raise error

    assistant.before_reply = fail_once
    _, frame = open_widget()
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    assert len(assistant.calls) == 2
    assert roles(database) == ["customer", "bot"]


def test_a_refused_message_says_why_and_can_be_removed(open_widget: Any) -> None:
    _, frame = open_widget()
    ask(frame, "\u200b")  # nothing that can be seen
    failed = frame.locator(".state.failed")
    expect(failed).to_contain_text("Not sent. It is empty.")
    failed.get_by_role("button", name="Remove").click()
    expect(frame.locator(".turn.customer")).to_have_count(0)


def test_two_tabs_show_one_conversation(open_widget: Any) -> None:
    _, first = open_widget()
    _, second = open_widget()
    ask(first, "from the first tab")
    expect(second.locator(".turn.customer")).to_contain_text("from the first tab")
    ask(second, "from the second tab")
    expect(first.locator(".turn.customer").last).to_contain_text("from the second tab")
    expect(first.locator(".turn.bot")).to_have_count(3)


def test_a_conversation_that_was_erased_is_replaced_by_a_new_one(
    open_widget: Any, database: Database
) -> None:
    _, frame = open_widget()
    ask(frame, "one")
    expect(frame.locator(".turn.bot").last).to_contain_text("“one”")
    with database.write() as session:
        session.delete(session.scalars(select(Conversation)).one())
    ask(frame, "two")
    expect(frame.locator(".turn.bot").last).to_contain_text("“two”")
    expect(frame.locator(".turn.customer")).to_have_count(1)


# --- the page around it ----------------------------------------------------------------------------------


def test_an_allowed_foreign_page_under_a_strict_policy_of_its_own_has_the_widget_once(
    foreign: str, context: Any, database: Database, problems: list[str]
) -> None:
    with database.write() as session:
        session.scalars(select(Site)).one().allowed_origins = [foreign]
    page = context.new_page()
    page.goto(foreign)
    page.get_by_role("button", name="Open chat").click()
    expect(page.locator("frontdesk-widget")).to_have_count(1)
    frame = page.frame_locator("iframe")
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    assert [line for line in problems if "favicon" not in line and "404" not in line] == []
    assert page.evaluate(LAYOUT_SHIFTS) == 0
    page.evaluate("window.postMessage({frontdesk: 'close'}, '*')")  # not from the frame: not obeyed
    expect(page.get_by_role("button", name="Close chat")).to_have_attribute("aria-expanded", "true")


def test_a_foreign_page_that_is_not_allowed_gets_no_button(
    foreign: str, context: Any, problems: list[str]
) -> None:
    page = context.new_page()
    page.goto(foreign)
    page.wait_for_function("window.Frontdesk?.loaded")
    deadline = time.monotonic() + 60
    while not any("frame-ancestors" in line for line in problems):
        assert time.monotonic() < deadline, problems
        page.wait_for_timeout(100)
    expect(page.get_by_role("button")).to_have_count(0)


def test_on_a_phone_the_panel_fills_the_screen_and_closes_again(browser: Any, url: str) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Open chat").tap()
    panel = page.locator("frontdesk-widget .panel")
    expect(panel).to_be_visible()
    assert panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    frame = page.frame_locator("iframe")
    assert frame.locator("body").evaluate("body => body.scrollWidth") == PHONE["width"]
    assert (
        float(frame.get_by_role("textbox").evaluate("box => parseFloat(getComputedStyle(box).fontSize)"))
        >= 16
    )
    frame.get_by_role("button", name="Close chat").tap()
    expect(panel).to_be_hidden()
    context.close()


def test_the_keyboard_is_enough(context: Any, url: str) -> None:
    page = context.new_page()
    page.goto(url)
    button = page.get_by_role("button", name="Open chat")
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")
    box = page.frame_locator("iframe").get_by_role("textbox")
    expect(box).to_be_focused()
    page.keyboard.type("refund?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("please")
    page.keyboard.press("Enter")
    expect(page.frame_locator("iframe").locator(".turn.customer")).to_contain_text("refund?\nplease")
    expect(page.frame_locator("iframe").locator(".turn.bot").last).to_contain_text("3 working days")
    page.keyboard.press("Escape")
    expect(page.locator("frontdesk-widget .panel")).to_be_hidden()
    expect(page.get_by_role("button", name="Open chat")).to_be_focused()


def test_chinese_by_the_pages_language_and_by_choice(open_widget: Any, assistant: Any) -> None:
    page, frame = open_widget(address="/?locale=zh")
    expect(frame.get_by_role("button", name="转人工客服")).to_be_visible()
    expect(frame.locator(".bot").first).to_contain_text("您好！有什么可以帮您？")
    frame.get_by_role("combobox").select_option("en")
    expect(frame.get_by_role("button", name="Talk to a person")).to_be_visible()
    expect(page.get_by_role("button", name="Close chat")).to_be_visible()  # the page's button follows


def test_commands_before_the_widget_has_loaded_are_carried_out_and_ready_is_told(
    context: Any, url: str
) -> None:
    page = context.new_page()
    page.add_init_script(
        "window.Frontdesk = function () { (Frontdesk.q = Frontdesk.q || []).push(arguments) };"
        "Frontdesk('on', 'ready', () => { document.title = 'ready' }); Frontdesk('ask', 'from the page');"
    )
    page.goto(url)
    expect(page).to_have_title("ready")
    expect(page.frame_locator("iframe").locator(".turn.bot").last).to_contain_text("“from the page”")


def test_a_question_on_the_help_page_is_asked_in_the_widget(context: Any, url: str) -> None:
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("window.Frontdesk?.loaded")
    page.get_by_role("textbox", name="Ask a question").fill("Where is my refund?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.frame_locator("iframe").locator(".turn.customer")).to_contain_text("Where is my refund?")


def test_texts_become_elements_of_known_kinds_only(context: Any, url: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/chat")
    shown = page.evaluate(
        """async (text) => {
            const {render} = await import(document.querySelector("link[href$='markup.js']").href);
            const box = document.createElement("div");
            box.append(render(text));
            return box.innerHTML;
        }""",
        "# Head\nOne **bold** `code`\n- [page](/help/en/a) and https://x.example/a?b=1.\n- [bad](javascript:alert)\n\n"
        "2. second\n<script>alert(1)</script> mail a@x.example",
    )
    link = 'target="_blank" rel="noopener noreferrer"'
    assert shown == (
        "<p><strong>Head</strong></p><p>One <strong>bold</strong> <code>code</code></p>"
        f'<ul><li><a href="{url}/help/en/a" {link}>page</a> and <a href="https://x.example/a?b=1" {link}>'
        "https://x.example/a?b=1</a>.</li><li>bad</li></ul>"
        '<ol start="2"><li>second</li></ol><p>&lt;script&gt;alert(1)&lt;/script&gt; mail '
        f'<a href="mailto:a@x.example" {link}>a@x.example</a></p>'
    )


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ("Book it at kettle.example/repair.", {"kettle.example/repair": "https://kettle.example/repair"}),
        ("请在 kettle.example/repair 预约。", {"kettle.example/repair": "https://kettle.example/repair"}),
        ("请到kettle.example/returns填写", {"kettle.example/returns": "https://kettle.example/returns"}),
        (
            "see www.shop.nl, or shop.co.uk",
            {"www.shop.nl": "https://www.shop.nl/", "shop.co.uk": "https://shop.co.uk/"},
        ),
        ("ask help@kettle.example", {"help@kettle.example": "mailto:help@kettle.example"}),
        ("It works.no idea why, e.g. file.pdf, Node.js, 1.5 or 12.30", {}),
        ("javascript.alert(1) user@x ftp://kettle.example/a C:/kettle.com", {}),
        ("kettle.example.evil", {}),
    ],
)
def test_addresses_without_a_scheme_are_links(
    context: Any, url: str, text: str, leads: dict[str, str]
) -> None:
    page = context.new_page()
    page.goto(f"{url}/chat")
    found = page.evaluate(
        """async (text) => {
            const {render} = await import(document.querySelector("link[href$='markup.js']").href);
            const box = document.createElement("div");
            box.append(render(text));
            const links = [...box.querySelectorAll("a")];
            return [box.textContent, Object.fromEntries(links.map((a) => [a.textContent, a.href]))];
        }""",
        text,
    )
    assert found == [text, leads]


@pytest.mark.parametrize("accent", ["#0f766e", "#ffd400", "#000000", "#ffffff", "#e11d48"])
def test_any_accent_is_readable(context: Any, url: str, accent: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/chat")
    ratios = page.evaluate(
        """async (accent) => {
            const c = await import(document.querySelector("link[href$='colour.js']").href);
            return [c.contrast(c.on(accent), accent), c.contrast(c.readable(accent, "#f4f5f3"), "#f4f5f3"),
                    c.contrast(c.readable(accent, "#1b201e"), "#1b201e")];
        }""",
        accent,
    )
    assert min(ratios) >= 4.5


def test_when_all_connections_are_taken_a_persons_words_come_by_asking(
    open_widget: Any, app: Flask, database: Database
) -> None:
    streams = app.extensions["frontdesk"].streams
    held = [streams._free.acquire(blocking=False) for _ in range(streams.count)]
    assert all(held)
    _, frame = open_widget()
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    with database.write() as session:
        session.scalars(select(Conversation)).one().state = "human"
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_have_text("Now a colleague is on it.")
    with database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        session.add(Turn(conversation_id=conversation.id, role="agent", text="Hello, Mei here"))
    expect(frame.locator(".turn.agent")).to_contain_text("Mei here")


def test_the_page_can_open_close_translate_recolour_and_reset_the_widget(
    open_widget: Any, database: Database
) -> None:
    page, frame = open_widget()
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    page.evaluate("Frontdesk.on('close', () => { document.title = 'closed' }); Frontdesk('toggle')")
    expect(page).to_have_title("closed")
    expect(page.locator("frontdesk-widget .panel")).to_be_hidden()
    page.evaluate("Frontdesk('setLocale', 'zh-CN'); Frontdesk('setTheme', 'dark'); Frontdesk('open')")
    expect(frame.get_by_role("button", name="转人工客服")).to_be_visible()
    assert frame.locator("html").get_attribute("data-theme") == "dark"
    page.evaluate("Frontdesk('reset')")
    expect(frame.locator(".turn.customer")).to_have_count(0)
    ask(frame, "refund again?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund again?”")
    deadline = time.monotonic() + 30
    while (found := states(database)) != ["closed", "bot"]:  # nobody waits for the end of the first
        assert time.monotonic() < deadline, found
        page.wait_for_timeout(100)
    assert page.evaluate("try { Frontdesk('explode'); '' } catch (error) { error.message }") == (
        "Frontdesk has no command “explode”"
    )


def test_starting_over_asks_first(open_widget: Any) -> None:
    _, frame = open_widget()
    ask(frame, "refund?")
    frame.get_by_role("button", name="New conversation").click()
    expect(frame.get_by_role("button", name="Start new")).to_be_focused()
    frame.get_by_role("button", name="Cancel").click()
    expect(frame.locator(".turn.customer")).to_have_count(1)
    frame.get_by_role("button", name="New conversation").click()
    frame.get_by_role("button", name="Start new").click()
    expect(frame.locator(".turn.customer")).to_have_count(0)


def test_an_answer_that_comes_after_starting_over_is_not_of_the_new_conversation(
    open_widget: Any, assistant: Any
) -> None:
    thinks, goes_on = threading.Event(), threading.Event()

    def think(text: str) -> None:
        if text == "the old one":
            thinks.set()
            goes_on.wait(60)

    assistant.before_reply = think
    _, frame = open_widget()
    ask(frame, "the old one")
    assert thinks.wait(30)
    start_over(frame)
    ask(frame, "the new one")
    goes_on.set()
    expect(frame.locator(".turn.bot").last).to_contain_text("“the new one”")
    expect(frame.locator(".turn.customer .bubble")).to_have_text(["the new one"])


def test_a_conversation_begun_before_starting_over_is_not_gone_on_with(
    open_widget: Any, database: Database
) -> None:
    page, frame = open_widget()
    held: list[Any] = []
    begins = re.compile("/api/v1/conversations$")
    page.route(begins, lambda route: held.append(route), times=1)
    with page.expect_request(begins):
        ask(frame, "the old one")
    start_over(frame)
    ask(frame, "the new one")
    held[0].continue_()
    expect(frame.locator(".turn.bot").last).to_contain_text("“the new one”")
    expect(frame.locator(".turn.customer .bubble")).to_have_text(["the new one"])
    deadline = time.monotonic() + 30
    while (found := states(database)) != ["closed", "bot"]:
        assert time.monotonic() < deadline, found
        page.wait_for_timeout(100)
    assert roles(database) == ["customer", "bot"]


def start_over(frame: Any) -> None:
    frame.get_by_role("button", name="New conversation").click()
    frame.get_by_role("button", name="Start new").click()
    expect(frame.locator(".turn.customer")).to_have_count(0)


@pytest.mark.parametrize("kind", ["", "generated"])
def test_a_long_passage_or_written_reply_is_folded_until_it_is_wanted(open_widget: Any, kind: str) -> None:
    _, frame = open_widget()
    ask(frame, "退款 " * 160 + kind)
    text = frame.locator(".turn.bot .text").last
    expect(frame.get_by_role("button", name="Show all")).to_be_visible()
    folded = text.bounding_box()["height"]
    frame.get_by_role("button", name="Show all").click()
    assert text.bounding_box()["height"] > folded + 40
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    expect(frame.get_by_role("button", name="Show all")).to_have_count(0)


def test_a_long_answer_to_several_questions_is_folded_as_a_whole(context: Any, url: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/chat")
    shown = page.evaluate(
        """async (lengths) => {
            const {botTurn} = await import(document.querySelector("link[href$='turns.js']").href);
            const parts = lengths.map((long) => ({ text: "word ".repeat(long), kind: "approved", sources: [],
                choices: [{ title: "Tap", payload: "/intent a" }] }));
            const opened = new Set();
            const actions = { t: (name) => name, opened, isLast: true, stamp: "", vote() {}, choose() {}, ask() {} };
            const turn = { id: "1", reply: { parts } };
            const count = (made, what) => made.querySelectorAll(what).length;
            const made = botTurn(turn, actions);
            const before = [count(made, ".parts.folded"), count(made, ".folded .choice"), count(made, ".choice")];
            made.querySelector(".more")?.click();
            return [...before, count(made, ".folded"), count(botTurn(turn, actions), ".folded, .more")];
        }""",
        [70, 70, 70],
    )
    assert shown == [1, 0, 3, 0, 0]  # what can be tapped is never hidden


def test_new_answers_are_scrolled_to_unless_the_visitor_reads_above(browser: Any, url: str) -> None:
    context = browser.new_context(viewport={"width": 420, "height": 500}, locale="en-GB")  # with motion
    page = context.new_page()
    page.goto(f"{url}/chat")
    below = page.get_by_role("button", name="New messages")
    for number in range(4):
        ask(page, f"refund {number}?")
        expect(page.locator(".turn.bot").last).to_contain_text(f"“refund {number}?”")
        expect(page.locator(".turn.bot").last).to_be_in_viewport()
        expect(below).to_be_hidden()
    page.wait_for_timeout(800)
    page.locator(".log").hover()
    page.mouse.wheel(0, -400)
    page.get_by_role("textbox").fill("one more refund?")
    page.wait_for_timeout(100)
    page.evaluate("document.querySelector('form').requestSubmit()")
    expect(page.locator(".turn.bot").last).to_contain_text("“one more refund?”")
    expect(page.locator(".turn.bot").last).to_be_in_viewport()  # what he sends himself he follows
    context.close()
