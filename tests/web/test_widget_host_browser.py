"""The widget on a company's own page, of another origin: who is logged in there, and when its button is to be seen."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from typing import Any

import pytest
from sqlalchemy import select

from chatbot.records.conversations import hand_over
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Site, Visitor

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect
SECRET = "fds_0123456789abcdef0123456789abcdef"
NEVER: dict[str, Any] = {"zone": "Europe/Berlin", "week": {}}
LAYOUT_SHIFTS = """() => new Promise((done) => {
    new PerformanceObserver((list) => done(list.getEntries().length)).observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(0), 300);
})"""


def same_site(page: str) -> str:
    """Another origin of the installation's own site, where a browser leaves the frame its storage."""
    return page.replace("localhost", "127.0.0.1")


@pytest.fixture
def shop(foreign: str, database: Database) -> str:
    """A page of the company's, which may show the chat."""
    with database.write() as session:
        site = session.scalars(select(Site)).one()
        site.allowed_origins = [foreign, same_site(foreign)]
        site.identity_secret = SECRET
    return foreign


def set_options(database: Database, **options: Any) -> None:
    with database.write() as session:
        site = session.scalars(select(Site)).one()
        site.options = dict(site.options) | options


def jwt(secret: str = SECRET, **claims: Any) -> str:
    """As a company's server makes one (docs/embed.md)."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    body = {"sub": "customer-7", "exp": int(time.time()) + 3600} | claims
    head = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(body).encode())}"
    return f"{head}.{part(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())}"


# --- who is logged in ------------------------------------------------------------------------------------


def open_chat(page: Any) -> Any:
    page.get_by_role("button", name=re.compile("^Open chat")).click()
    frame = page.frame_locator("iframe")
    frame.locator("body[data-ready]").wait_for(state="attached")
    return frame


def say(frame: Any, text: str) -> None:
    frame.get_by_role("textbox").fill(text)
    frame.get_by_role("textbox").press("Enter")


REFUSED = """if (window !== top) {
    const refuse = () => { throw new DOMException("The request was denied.", "SecurityError"); };
    Object.defineProperty(window, "localStorage", { get: refuse });
    LockManager.prototype.request = async () => refuse();
}"""
KEPT_BY_THE_PAGE = "JSON.parse(localStorage.getItem('frontdesk:default'))"
NO_CONVERSATION_KEPT = f"() => !('conversation' in {KEPT_BY_THE_PAGE})"


def asked_without_storage(shop: str, context: Any) -> tuple[Any, Any]:
    context.add_init_script(REFUSED)
    page = context.new_page()
    page.goto(shop)
    frame = open_chat(page)
    say(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    return page, frame


def test_a_frame_that_the_browser_keeps_locks_and_storage_from_still_sends_and_hears_a_person(
    shop: str, context: Any, sign_in: Any
) -> None:
    _, frame = asked_without_storage(shop, context)
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_be_visible()
    mei = sign_in("Mei")
    mei.locator(".lines .line").first.click()
    mei.get_by_role("button", name="Take it").click()
    expect(mei.get_by_role("textbox", name="Reply")).to_be_focused()
    mei.keyboard.type("Here I am")
    mei.keyboard.press("Enter")
    expect(frame.locator(".turn.agent")).to_contain_text("Here I am")


def test_a_frame_that_may_keep_nothing_goes_on_from_what_the_page_around_it_kept(
    shop: str, context: Any, database: Database
) -> None:
    page, frame = asked_without_storage(shop, context)
    frame.get_by_role("textbox").fill("half a senten")
    page.goto(f"{shop}/?another=page")
    frame = open_chat(page)
    expect(frame.locator(".turn.customer .bubble")).to_have_text(["refund?"])
    say(frame, "refund again?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund again?”")
    with database.read() as session:
        (public_id,) = session.scalars(select(Conversation.public_id)).all()
    kept = page.evaluate(KEPT_BY_THE_PAGE)
    assert kept["conversation"]["id"] == public_id
    assert "half a senten" not in json.dumps(kept)  # what is not sent yet is not left with the page

    page.evaluate("Frontdesk('reset')")  # and what is forgotten here is forgotten there
    expect(frame.locator(".turn.customer")).to_have_count(0)
    page.wait_for_function(NO_CONVERSATION_KEPT)  # the page hears of it a moment later
    page.reload()
    expect(open_chat(page).locator(".turn.customer")).to_have_count(0)
    assert "conversation" not in page.evaluate(KEPT_BY_THE_PAGE)


def test_who_logs_out_leaves_nothing_with_the_page_either(
    shop: str, context: Any, database: Database
) -> None:
    context.add_init_script(REFUSED)
    page = context.new_page()
    page.goto(shop)
    page.evaluate("jwt => Frontdesk('setUser', {jwt})", jwt(name="Ana Lima"))
    frame = open_chat(page)
    say(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    page.goto(f"{shop}/?another=page")
    page.evaluate("Frontdesk('setUser', null)")
    frame = open_chat(page)
    expect(frame.locator(".turn.customer")).to_have_count(0)
    page.wait_for_function(NO_CONVERSATION_KEPT)


def test_the_page_keeps_nothing_where_the_frame_may_or_where_another_window_asks_for_it(
    shop: str, context: Any
) -> None:
    page = context.new_page()
    page.goto(same_site(shop))
    frame = open_chat(page)
    say(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    page.evaluate(
        """() => new Promise((heard) => {
            addEventListener("message", heard, { once: true });
            postMessage({ frontdesk: "keep", kept: { conversation: { id: "x", token: "x" } } });
        })"""
    )
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize(
    "kept",
    [None, "x", {"conversation": "x"}, {"conversation": {"id": "../inbox", "token": "t"}}],
)
def test_what_a_page_kept_that_cannot_be_begins_the_chat_anew(
    shop: str, context: Any, problems: list[str], kept: Any
) -> None:
    context.add_init_script(REFUSED)
    stored = json.dumps(json.dumps(kept))
    context.add_init_script(
        f"if (location.hostname === 'localhost') localStorage.setItem('frontdesk:default', {stored})"
    )
    page = context.new_page()
    page.goto(shop)
    frame = open_chat(page)
    say(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    assert [line for line in problems if "404" not in line] == []


def test_whom_the_companys_server_vouches_for_the_agent_sees_by_name_as_verified(
    shop: str, context: Any, sign_in: Any, database: Database, problems: list[str]
) -> None:
    page = context.new_page()
    page.goto(shop)
    token = jwt(name="Ana Lima", email="ana@shop.example")
    page.evaluate("jwt => Frontdesk('setUser', {jwt})", token)
    frame = open_chat(page)
    say(frame, "When does my refund arrive?")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.locator(".notice")).to_be_visible()

    mei = sign_in("Mei")
    mei.locator(".lines .line", has_text="Ana Lima").click()
    expect(mei.locator(".top-line h2")).to_have_text("Ana Lima")
    about = mei.locator(".beside")
    expect(about).to_contain_text("Ana Lima (signed in)")
    expect(about).to_contain_text("ana@shop.example")
    mei.get_by_role("button", name="Take it").click()
    expect(mei.get_by_role("textbox", name="Reply")).to_be_focused()
    mei.keyboard.type("Hello Ana")
    mei.keyboard.press("Enter")
    expect(frame.locator(".turn.agent")).to_contain_text("Hello Ana")

    # The next customer who logs in at this browser sees nothing of it, and whoever logs out neither.
    page.evaluate("jwt => Frontdesk('setUser', {jwt})", jwt(sub="customer-8", name="Ben"))
    expect(frame.locator(".turn.agent")).to_have_count(0)
    say(frame, "refund of Ben?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund of Ben?”")
    page.evaluate("Frontdesk('setUser', null)")
    expect(frame.locator(".turn.customer")).to_have_count(0)
    with database.read() as session:
        known = session.execute(select(Visitor.identity, Visitor.name).order_by(Visitor.id)).all()
    assert [tuple(row) for row in known] == [("customer-7", "Ana Lima"), ("customer-8", "Ben")]
    assert [line for line in problems if "favicon" not in line and "404" not in line] == []


@pytest.mark.parametrize(
    "token",
    [
        jwt("another secret of 32 characters or more"),
        jwt(exp=int(time.time()) - 60),
        jwt().rpartition(".")[0] + ".",
        base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode() + "." + jwt().split(".")[1] + ".",
    ],
    ids=["another_secret", "over", "no_signature", "alg_none"],
)
def test_a_token_that_is_not_the_companys_makes_nobody_somebody(
    shop: str, context: Any, database: Database, token: str
) -> None:
    warnings: list[str] = []
    context.on("console", lambda line: warnings.append(line.text) if line.type == "warning" else None)
    page = context.new_page()
    page.goto(shop)
    page.evaluate("jwt => Frontdesk('setUser', {jwt})", token)
    frame = open_chat(page)
    say(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    with database.read() as session:
        assert session.scalars(select(Visitor.identity)).all() == [None]
    assert [line for line in warnings if "setUser" in line]


# --- a button only while somebody is there ---------------------------------------------------------------


def test_a_site_may_hide_the_button_outside_its_hours_and_it_comes_when_they_change(
    shop: str, context: Any, database: Database
) -> None:
    set_options(database, hours=NEVER, hide_closed=True)
    page = context.new_page()
    context.clock.install()
    page.goto(shop)
    page.frame_locator("iframe").locator("body[data-ready]").wait_for(state="attached")
    button = page.get_by_role("button", name="Open chat")
    expect(button).to_have_count(0)
    page.evaluate("Frontdesk('open')")  # the page's own link may open it all the same
    expect(page.get_by_role("button", name="Close chat")).to_be_visible()
    page.evaluate("Frontdesk('close')")
    expect(page.get_by_role("button")).to_have_count(0)
    set_options(database, hours={})
    context.clock.fast_forward("05:01")
    expect(button).to_be_visible()
    set_options(database, hours=NEVER)
    context.clock.fast_forward("05:01")
    expect(button).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_hiding_the_button_moves_nothing_on_the_page(shop: str, context: Any, database: Database) -> None:
    set_options(database, hours=NEVER, hide_closed=True)
    page = context.new_page()
    page.goto(shop)
    page.frame_locator("iframe").locator("body[data-ready]").wait_for(state="attached")
    assert page.evaluate(LAYOUT_SHIFTS) == 0


def test_whoever_waits_for_a_person_keeps_the_button(shop: str, context: Any, database: Database) -> None:
    page = context.new_page()
    page.goto(same_site(shop))
    frame = open_chat(page)
    say(frame, "refund?")
    expect(frame.locator(".turn.bot").last).to_contain_text("“refund?”")
    with database.write() as session:
        hand_over(session, session.scalars(select(Conversation.public_id)).one(), reason="visitor_asked")
    set_options(database, hours=NEVER, hide_closed=True)
    page.reload()
    button = page.get_by_role("button", name=re.compile("^Open chat"))
    expect(button).to_be_visible()
    frame = open_chat(page)
    frame.get_by_role("button", name="Back to the assistant").click()
    frame.get_by_role("button", name="Close").click()
    expect(button).to_have_count(0)


def test_by_default_the_button_is_there_at_any_hour(shop: str, context: Any, database: Database) -> None:
    set_options(database, hours=NEVER)
    page = context.new_page()
    page.goto(shop)
    expect(page.get_by_role("button", name="Open chat")).to_be_visible()
