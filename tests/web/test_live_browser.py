"""A visitor and an agent at once, in two real browsers: each sees that the other is writing, and what he shows."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + b"\x0f\x76\x6e" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def drawn(picture: Any) -> None:
    """The picture has come and is as wide as it was sent."""
    expect(picture).to_have_js_property("naturalWidth", 60)
    expect(picture).to_be_visible()


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


def test_each_sees_the_others_picture_and_takes_it(talking: Any, audit: Any, problems: list[str]) -> None:
    page, frame, mei = talking
    mei.locator(".composer input[type=file]").set_input_files(
        {"name": "shelf.png", "mimeType": "image/png", "buffer": png(60, 40)}
    )
    expect(mei.locator(".composer .file")).to_contain_text("shelf.png")
    assert audit(mei) == []
    mei.keyboard.type("Is it this one?")
    mei.get_by_role("button", name="Send").click()
    drawn(frame.locator(".turn.agent .file img"))
    expect(mei.locator(".composer .file")).to_have_count(0)
    with page.expect_download() as taken:
        frame.get_by_role("button", name="shelf.png").press("Enter")
    assert taken.value.suggested_filename == "shelf.png"
    assert taken.value.path().read_bytes() == png(60, 40)

    frame.locator("input[type=file]").set_input_files(
        [
            {"name": "mine.png", "mimeType": "image/png", "buffer": png(60, 80)},
            {"name": "note.txt", "mimeType": "text/plain", "buffer": b"hello"},
        ]
    )
    expect(frame.locator(".composer .file")).to_have_count(2)
    expect(frame.locator(".composer .file .state")).to_have_count(0)  # both are up
    frame.get_by_role("button", name="Send").click()
    drawn(frame.locator(".turn.customer .file img"))
    drawn(mei.locator(".turn.customer .file img"))
    expect(mei.locator(".turn.customer .file").last).to_contain_text("note.txt")
    expect(mei.locator(".turn.customer .file").last.locator("img")).to_have_count(0)
    with mei.expect_download() as got:
        mei.get_by_role("link", name="mine.png").click()
    assert got.value.suggested_filename == "mine.png"
    assert audit(mei) == [] == audit(page.frames[1])
    assert problems == []


def test_a_file_chosen_for_one_visitor_never_goes_to_another(
    talking: Any, client: Any, database: Any
) -> None:
    mei = talking[2]
    started = client.post("/api/v1/conversations", json={}).get_json()
    bearer = {"Authorization": f"Bearer {started['token']}"}
    client.post(f"/api/v1/conversations/{started['id']}/handover", json={}, headers=bearer)
    mei.locator(".composer input[type=file]").set_input_files(
        {"name": "private.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    expect(mei.locator(".composer .file")).to_contain_text("private.pdf")
    mei.get_by_role("button", name=re.compile("^Waiting")).click()
    mei.locator(".lines .line:not(.current)").first.click()  # the one she has may stand there a moment longer
    mei.get_by_role("button", name="Take it").click()
    expect(mei.locator(".composer .file")).to_have_count(0)
    expect(mei.get_by_role("textbox", name="Reply")).to_be_focused()
    mei.keyboard.type("Hello")
    mei.keyboard.press("Enter")
    expect(mei.locator(".turn.agent")).to_contain_text("Hello")
    turns = client.get(f"/api/v1/conversations/{started['id']}/messages", headers=bearer).get_json()["turns"]
    assert [turn.get("files") for turn in turns] == [None]
    mei.get_by_role("button", name=re.compile("^Mine")).click()
    mei.locator(".lines .line", has_text="When does my refund arrive?").click()
    expect(mei.locator(".composer .file")).to_contain_text("private.pdf")
