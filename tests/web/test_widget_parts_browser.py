"""What sites can switch on in the widget, in a real browser: signed visitors, forms, files, sound; for everybody."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from chatbot.records.database import Database
from chatbot.records.tables import Attachment, Conversation, Site, Turn, Visitor

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect
SECRET = "fds_0123456789abcdef0123456789abcdef"
# How many tabs hold the connection for all, and how many would, were the first one closed.
HELD_AND_WAITED_FOR = """async (wanted) => {
    const {held, pending} = await navigator.locks.query();
    const follow = (locks) => locks.filter(({name}) => name.endsWith("follow")).length;
    return follow(held) === wanted[0] && follow(pending) === wanted[1];
}"""
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 200


def ask(frame: Any, text: str) -> None:
    frame.get_by_role("textbox", name=re.compile("Your message|消息内容")).fill(text)
    frame.get_by_role("textbox", name=re.compile("Your message|消息内容")).press("Enter")


def set_widget(database: Database, **widget: Any) -> None:
    with database.write() as session:
        site = session.scalars(select(Site)).one()
        site.identity_secret = SECRET
        site.options = dict(site.options) | {"widget": widget}


def signed(identity: str, **more: str) -> dict[str, str]:
    return {
        "id": identity,
        "hmac": hmac.new(SECRET.encode(), identity.encode(), hashlib.sha256).hexdigest(),
        **more,
    }


def test_a_signed_visitor_is_known_and_the_next_one_at_this_browser_sees_nothing_of_his(
    open_widget: Any, database: Database
) -> None:
    set_widget(database)
    page, frame = open_widget()
    page.evaluate("user => Frontdesk('setUser', user)", signed("u-7", name="Mei"))
    ask(frame, "refund of Mei?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund of Mei?”")
    page.evaluate("user => Frontdesk('setUser', user)", signed("u-7", name="Mei"))
    expect(frame.locator(".turn.customer")).to_have_count(1)
    page.evaluate("user => Frontdesk('setUser', user)", signed("u-8"))
    expect(frame.locator(".turn.customer")).to_have_count(0)
    ask(frame, "refund of another?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund of another?”")
    with database.read() as session:
        assert session.scalars(select(Visitor.identity).order_by(Visitor.id)).all() == ["u-7", "u-8"]
        assert session.scalars(select(Visitor.name)).first() == "Mei"


def test_a_wrong_signature_is_told_to_the_pages_developer_and_the_visitor_chats_on(
    open_widget: Any, database: Database, context: Any
) -> None:
    set_widget(database)
    warnings: list[str] = []
    context.on("console", lambda line: warnings.append(line.text) if line.type == "warning" else None)
    page, frame = open_widget()
    page.evaluate("Frontdesk('setUser', {id: 'u-7', hmac: '00'})")
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    assert any("signature does not fit" in line for line in warnings)
    with database.read() as session:
        assert session.scalars(select(Visitor.identity)).all() == [None]


def test_the_host_page_hears_of_every_message(open_widget: Any) -> None:
    page, frame = open_widget()
    page.evaluate("window.heard = []; Frontdesk('on', 'message', (m) => heard.push([m.role, m.text]))")
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    page.wait_for_function("heard.length > 1")  # the whole reply: its pieces were shown before
    heard = page.evaluate("heard")
    assert heard[0] == ["customer", "refund?"]
    assert (heard[1][0], len(heard)) == ("bot", 2)


def test_before_the_chat_the_site_asks_what_it_needs_once(open_widget: Any, database: Database) -> None:
    set_widget(
        database,
        prechat=[
            {"name": "email", "required": True},
            {"name": "order", "label": {"en": "Order", "zh": "订单"}},
        ],
    )
    page, frame = open_widget()
    page.evaluate("Frontdesk('ask', 'from the page')")  # waits for the form
    form = frame.get_by_role("form", name="Tell us who you are")
    form.get_by_role("button", name="Start the chat").click()
    expect(form.get_by_text("Please fill this in.")).to_be_visible()
    expect(form.get_by_label("E-mail")).to_be_focused()
    form.get_by_label("E-mail").fill("nowhere")
    form.get_by_label("E-mail").press("Enter")
    expect(form.get_by_text("That does not look right.")).to_be_visible()
    form.get_by_label("E-mail").fill("mei@x.example")
    form.get_by_label("Order").fill("KC-1")
    form.get_by_role("button", name="Start the chat").click()
    expect(frame.locator(".turn.bot").last).to_contain_text("“from the page”")
    expect(form).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="Open chat").click()
    expect(frame.locator(".turn.customer")).to_have_count(1)
    expect(frame.locator("form.prechat")).to_have_count(0)
    with database.read() as session:
        visitor = session.scalars(select(Visitor)).one()
    assert (visitor.email, visitor.details) == ("mei@x.example", {"order": "KC-1"})


def test_who_wants_a_person_first_gets_one_after_the_form(open_widget: Any, database: Database) -> None:
    set_widget(database, prechat=[{"name": "name", "required": True}])
    _, frame = open_widget()
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.get_by_label("Name")).to_be_focused()
    frame.get_by_label("Name").fill("Mei")
    frame.get_by_label("Name").press("Enter")
    expect(frame.locator(".notice")).to_contain_text("A colleague will answer here")


def test_what_was_said_last_stays_in_view_when_notice_and_marks_take_of_its_room(
    browser: Any, url: str
) -> None:
    context = browser.new_context(viewport={"width": 420, "height": 560}, locale="en-GB")
    frame = context.new_page()
    frame.goto(f"{url}/chat")
    for number in range(3):
        ask(frame, f"refund {number}?")
        expect(frame.locator(".turn.bot").last).to_contain_text(f"“refund {number}?”")
    frame.get_by_role("button", name="New conversation").click()
    frame.get_by_role("button", name="End this one").click()
    expect(frame.get_by_role("group", name="How did we do?")).to_be_visible()
    frame.wait_for_function(
        "() => { const log = document.querySelector('.log');"
        " return log.scrollHeight - log.scrollTop - log.clientHeight < 5; }"
    )
    context.close()


def test_at_the_end_a_mark_and_a_word_are_asked_for_once(open_widget: Any, database: Database) -> None:
    page, frame = open_widget()
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    frame.get_by_role("button", name="New conversation").click()
    frame.get_by_role("button", name="End this one").click()
    rating = frame.get_by_role("group", name="How did we do?")
    rating.get_by_role("button", name="4 of 5").click()
    expect(rating.get_by_role("button", name="4 of 5")).to_have_attribute("aria-pressed", "true")
    rating.get_by_role("textbox").fill("quick")
    rating.get_by_role("button", name="Send").click()
    expect(frame.locator(".after > p")).to_have_text(
        "Thank you for your rating."
    )  # stored; the mark alone is spoken
    page.reload()
    page.get_by_role("button", name="Open chat").click()
    expect(frame.locator(".notice")).to_contain_text("has ended")
    expect(rating).to_have_count(0)
    with database.read() as session:
        row = session.scalars(select(Conversation)).one()
    assert (row.state, row.csat, row.csat_comment) == ("closed", 4, "quick")


def test_a_file_goes_with_a_message_and_can_be_fetched_again(
    open_widget: Any, database: Database, tmp_path: Path
) -> None:
    photo, program = tmp_path / "photo.png", tmp_path / "setup.png"
    photo.write_bytes(PNG)
    program.write_bytes(b"MZ\x90\x00\xff")
    page, frame = open_widget()
    chosen = frame.locator("input[type=file]")
    chosen.set_input_files(program)
    expect(frame.locator(".composer .file")).to_contain_text("This kind of file cannot be sent.")
    expect(frame.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    frame.get_by_role("button", name="Remove: setup.png").click()
    chosen.set_input_files(photo)
    frame.get_by_role("button", name="Remove: photo.png").wait_for()
    expect(frame.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    frame.get_by_role("button", name="Send", exact=True).click()
    expect(frame.locator(".turn.bot").last).to_contain_text("I cannot read files myself")
    page.reload()
    page.get_by_role("button", name="Open chat").click()
    with page.expect_download() as download:
        frame.locator(".turn.customer").get_by_role("button", name="photo.png").click()
    assert Path(download.value.path()).read_bytes() == PNG
    with database.read() as session:
        assert session.scalars(select(Attachment.turn_id)).one() is not None
        assert session.scalars(select(Turn.text)).first() == "photo.png"


def test_sound_is_off_until_the_visitor_wants_it(open_widget: Any, context: Any) -> None:
    context.add_init_script(
        "window.tones = 0; window.AudioContext = class { constructor() { window.tones += 1; throw new Error(); } };"
    )
    page, frame = open_widget()
    inside = page.frames[1]
    ask(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    assert inside.evaluate("tones") == 0
    button = frame.get_by_role("button", name="Sound")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    inside.wait_for_function("tones > 0")  # the script is fetched now
    before = inside.evaluate("tones")
    ask(frame, "again?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“again?”")
    inside.wait_for_function("before => tones > before", arg=before)  # once the whole reply is there


def test_the_admins_look_holds_unless_the_snippet_says_otherwise(
    context: Any, url: str, database: Database
) -> None:
    set_widget(database, position="left", theme="dark")
    page = context.new_page()
    page.goto(url)
    button = page.get_by_role("button", name="Open chat")
    expect(button).to_be_visible()
    assert button.bounding_box()["x"] < 100
    expect(page.frame_locator("iframe").locator("html")).to_have_attribute("data-theme", "dark")


def test_over_the_whole_screen_the_focus_stays_in_the_chat(browser: Any, url: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 780}, reduced_motion="reduce", locale="en-GB"
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Open chat").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("body[data-ready]")).to_be_attached()
    expect(page.get_by_role("dialog", name="Chat")).to_have_attribute("aria-modal", "true")
    seen = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        page.wait_for_timeout(15)
        assert page.evaluate("document.activeElement.tagName") == "FRONTDESK-WIDGET"
        seen.add(page.frames[1].evaluate("document.activeElement.className"))
    assert {"round", "link"} <= {name.split()[0] for name in seen if name}
    context.close()


def test_two_tabs_hold_one_connection_between_them(open_widget: Any, app: Any, database: Database) -> None:
    streams = app.extensions["frontdesk"].streams
    page, first = open_widget()
    first.get_by_role("button", name="Talk to a person").click()
    expect(first.locator(".notice")).to_contain_text("A colleague will answer here")
    _, second = open_widget()
    expect(second.locator(".notice")).to_contain_text("A colleague will answer here")
    page.wait_for_function(HELD_AND_WAITED_FOR, arg=[1, 1])  # the second tab wants it as well
    deadline = time.monotonic() + 30
    while (held := streams.count - streams._free._value) != 1:
        assert time.monotonic() < deadline, held
        page.wait_for_timeout(50)
    with database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        conversation.state = "human"
        session.add(Turn(conversation_id=conversation.id, role="agent", text="Mei here"))
    expect(first.locator(".turn.agent")).to_contain_text("Mei here")
    expect(second.locator(".turn.agent")).to_contain_text("Mei here")


@pytest.mark.parametrize(
    ("locale", "clock", "days"),
    [
        ("zh-CN", ["23:58", "00:05"], ["3月2日", "3月3日"]),
        ("en-US", [r"11:58\sPM", r"12:05\sAM"], ["March 2", "March 3"]),
        ("en-GB", ["23:58", "00:05"], ["2 March", "3 March"]),
    ],
)
def test_when_a_thing_was_said_stands_there_in_the_visitors_own_way_and_hour(
    browser: Any, url: str, database: Database, audit: Any, locale: str, clock: list[str], days: list[str]
) -> None:
    context = browser.new_context(
        locale=locale,
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
        viewport={"width": 390, "height": 800},
    )
    page = context.new_page()
    page.goto(f"{url}/chat")
    ask(page, "refund?")
    expect(page.locator(".turn.bot").last).to_contain_text("“refund?”")
    stamps, separators = page.locator(".turn time"), page.locator(".day")
    expect(stamps.first).to_have_text(re.compile(r"^\d?\d:\d\d"))
    expect(separators).to_have_count(0)  # all of it today
    late = datetime(2026, 3, 2, 15, 58, tzinfo=UTC)  # two minutes before midnight there
    with database.write() as session:
        question, answer = session.scalars(select(Turn).order_by(Turn.id))
        question.created_at, answer.created_at = late, late + timedelta(seconds=30)
        session.add(
            Turn(
                conversation_id=question.conversation_id,
                role="agent",
                text="Mei here",
                created_at=late + timedelta(minutes=7),
            )
        )
    page.reload()
    expect(page.locator(".turn.agent")).to_contain_text("Mei here")
    expect(stamps).to_have_text(
        [re.compile(f"^{one}$") for one in clock]
    )  # one for what was said in one minute
    expect(separators).to_contain_text(days)
    expect(page.locator(".turn.customer time")).to_have_attribute(
        "title", re.compile(f"{days[0]}.*{clock[0]}")
    )
    assert audit(page) == []
    context.close()


# --- everybody ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "scheme", "width", "accent"),
    [
        ("en-GB", "light", 1200, "#0f766e"),
        ("zh-CN", "dark", 390, "#ffd400"),
        ("en-GB", "dark", 640, "#e11d48"),
    ],
)
def test_no_rule_of_accessibility_is_broken_in_widget_and_chat(
    browser: Any,
    url: str,
    database: Database,
    audit: Any,
    tmp_path: Path,
    locale: str,
    scheme: str,
    width: int,
    accent: str,
) -> None:
    set_widget(database, prechat=[{"name": "email", "required": True}])
    with database.write() as session:
        site = session.scalars(select(Site)).one()
        site.options = dict(site.options) | {"accent": accent}
    context = browser.new_context(
        locale=locale,
        color_scheme=scheme,
        viewport={"width": width, "height": 800 if width != 640 else 400},  # 640 by 400: a laptop at 200 %
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name=re.compile("^(Open chat|打开在线咨询)")).click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("body[data-ready]")).to_be_attached()
    inside = page.frames[1]
    assert audit(page) == []
    assert audit(inside) == []  # the form before the chat
    frame.locator("input[type=email]").fill("mei@x.example")
    frame.locator("input[type=email]").press("Enter")
    for text in ("which one?", "generated, please", "xyzzy"):
        ask(frame, text)
        expect(frame.locator(".turn.customer").last).to_contain_text(text)
        expect(frame.locator(".turn:not([data-key^='turn-'], [data-key='greeting'])")).to_have_count(0)
    frame.locator("details summary").first.click()
    frame.locator(".thumb").first.click()
    frame.locator(".head .round").first.click()
    photo = tmp_path / "photo.png"
    photo.write_bytes(PNG)
    frame.locator("input[type=file]").set_input_files(photo)
    expect(frame.locator(".composer .file")).to_contain_text("photo.png")
    assert audit(inside) == []  # answers, sources, choices, a question before starting anew, a file
    frame.locator(".confirm .plain").first.click()
    expect(frame.locator(".rating")).to_be_visible()
    frame.locator(".mark-button").nth(2).click()
    assert audit(inside) == []  # the marks at the end
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = frame.get_by_role("textbox", name=re.compile("Your message|消息内容"))
    box.scroll_into_view_if_needed()
    expect(box).to_be_in_viewport()
    page.goto(f"{url}/chat")
    expect(page.locator("body[data-ready]")).to_be_attached()
    assert audit(page) == []
    context.close()


def test_the_whole_path_by_keyboard_alone(context: Any, url: str, database: Database) -> None:
    """Ask, unfold the source, vote, talk to a person, go back, end, give a mark: Tab, Enter and Space only."""
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Open chat").focus()
    page.keyboard.press("Enter")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("generated refund?")
    page.keyboard.press("Enter")
    expect(frame.get_by_role("button", name="This helped")).to_be_visible()

    def tab_to(name: str, *, back: bool = False) -> None:
        inside = page.frames[1]
        for _ in range(30):
            page.keyboard.press("Shift+Tab" if back else "Tab")
            label = inside.evaluate(
                "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent)"
            )
            if name in label:
                return
        raise AssertionError(f"{name} cannot be reached")

    tab_to("This helped", back=True)
    page.keyboard.press("Space")
    expect(frame.get_by_role("button", name="This helped")).to_have_attribute("aria-pressed", "true")
    tab_to("Source: Refunds", back=True)
    page.keyboard.press("Enter")
    expect(frame.locator("blockquote")).to_be_visible()
    tab_to("Talk to a person")
    page.keyboard.press("Enter")
    expect(frame.get_by_role("button", name="Back to the assistant")).to_be_visible()
    expect(frame.get_by_role("textbox")).to_be_focused()
    tab_to("Back to the assistant", back=True)
    page.keyboard.press("Enter")
    expect(frame.get_by_role("button", name="Talk to a person")).to_be_visible()
    frame.get_by_role("textbox").focus()
    tab_to("New conversation", back=True)
    page.keyboard.press("Enter")
    tab_to("End this one")
    page.keyboard.press("Enter")
    expect(frame.locator(".rating")).to_be_visible()
    tab_to("5 of 5", back=True)
    page.keyboard.press("Space")
    expect(frame.get_by_role("button", name="5 of 5")).to_have_attribute("aria-pressed", "true")
    expect(frame.get_by_role("status")).to_have_text("Thank you for your rating.")  # it is stored
    with database.read() as session:
        assert session.scalars(select(Conversation.csat)).one() == 5


def test_outside_the_opening_hours_the_widget_says_so_and_takes_a_message(
    open_widget: Any, database: Database
) -> None:
    with database.write() as session:
        site = session.scalars(select(Site)).one()
        site.options = dict(site.options) | {"hours": {"zone": "Europe/Berlin", "week": {}}}
    _, frame = open_widget()
    expect(frame.locator(".subtitle")).to_contain_text("No colleague is there")
    frame.get_by_role("button", name="Leave a message").click()
    expect(frame.locator(".turn.bot").last).to_contain_text("Nobody is here just now")
    expect(frame.locator(".turn.bot").last.locator(".thumb")).to_have_count(0)
    for said in (frame.locator(".notice"), frame.locator(".subtitle")):  # nobody is promised who is not there
        expect(said).to_contain_text("No colleague is there")
    expect(frame.get_by_role("button", name="Back to the assistant")).to_be_visible()
    ask(frame, "The refund of KC-1, please: mei@x.example")
    expect(frame.locator(".turn.bot").last).to_contain_text("answer to mei@x.example")
