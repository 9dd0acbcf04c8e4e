"""A visitor and an agent at once, in two real browsers: each sees that the other is writing, and never what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect


@pytest.fixture
def talking(open_widget: Callable[..., Any], sign_in: Any) -> tuple[Any, Any, Any]:
    """(the visitor's page, his chat, the page of the agent who has taken it)"""
    page, frame = open_widget()
    frame.get_by_role("textbox").fill("When does my refund arrive?")
    frame.get_by_role("textbox").press("Enter")
    expect(frame.locator(".turn.bot").last).to_contain_text("3 working days")
    frame.get_by_role("button", name="Talk to a person").click()
    mei = sign_in("Mei")
    mei.locator(".lines .line").click()
    mei.get_by_role("button", name="Take it").click()
    expect(frame.locator("body")).to_have_attribute("data-state", "human")
    expect(mei.get_by_role("textbox", name="Reply")).to_be_focused()
    return page, frame, mei


def test_each_sees_that_the_other_writes_and_a_message_ends_it(
    talking: Any, audit: Any, problems: list[str]
) -> None:
    page, frame, mei = talking
    dots = frame.get_by_role("img", name="is typing")
    hint = mei.get_by_text("The visitor is typing…")
    expect(hint).to_be_hidden()
    frame.get_by_role("textbox").press_sequentially("my secret")
    expect(hint).to_be_visible()
    assert "my secret" not in mei.content()
    assert audit(mei) == []
    frame.get_by_role("textbox").press("Enter")
    expect(mei.locator(".turn.customer").last).to_contain_text("my secret")
    expect(hint).to_be_hidden()

    expect(dots).to_have_count(0)
    mei.keyboard.type("Let me look")
    expect(dots).to_be_visible()
    assert "Let me look" not in page.frames[1].content()
    assert audit(page.frames[1]) == []
    mei.keyboard.press("Enter")
    expect(frame.locator(".turn.agent").last).to_contain_text("Let me look")
    expect(dots).to_have_count(0)
    mei.keyboard.type("One more")
    expect(frame.get_by_role("img", name="Mei is typing")).to_be_visible()
    mei.get_by_role("textbox", name="Reply").fill("")
    expect(dots).to_have_count(0)
    assert problems == []


def test_a_note_among_colleagues_is_no_typing(talking: Any) -> None:
    _, frame, mei = talking
    asked = []
    mei.on("request", lambda request: asked.append(request.url) if request.url.endswith("/typing") else None)
    mei.get_by_role("button", name="Note").click()
    mei.keyboard.type("he is cross")
    mei.get_by_role("button", name="Add note").click()
    expect(mei.locator(".turn.note")).to_contain_text("he is cross")
    assert asked == []
    expect(frame.get_by_role("img", name=re.compile("typing"))).to_have_count(0)
