"""The guided first run, all of it real: web server and worker as processes, a training, and the widget on a page."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect

ROOT = Path(__file__).resolve().parent.parent.parent
CLICKS = 7  # docs/learning.md tells this number
FAQ = {
    "How do I descale the machine?": "Descale the machine every 200 cups with 100 ml of descaler.",
    "How long does a refund take?": "A refund is sent back within three working days.",
    "When is the shop open?": "The shop in Rotterdam is open from 9:00 to 18:00.",
}
WORDINGS = {
    "descale": ("descale the machine", "remove limescale", "descaling programme"),
    "refund_time": ("refund", "my money back", "the repayment"),
    "shop_hours": ("opening hours of the shop", "when the store opens", "shop times"),
}
FRAMES = (
    "I would like to know about {}",
    "question about {} please",
    "{}, how does it work?",
    "hi, {}",
    "need help with {}",
    "please explain {}",
)
LINK = re.compile(r"http://127\.0\.0\.1:\d+/admin/set-up/\S+")


@contextmanager
def frontdesk(folder: Path) -> Iterator[tuple[str, str]]:
    """An empty installation served by ``frontdesk serve``: its address, and the first account's one-time link."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    told = folder / "told.txt"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "FRONTDESK_DATA": str(folder / "var"),
        "FRONTDESK_ENCODER": "domain",
        "FRONTDESK_TRAINING_BUDGET": "8",
        "FRONTDESK_TRAINING_THREADS": "2",
    }
    command = [sys.executable, "-c", "from web.cli import main; main()", "serve", "--port", str(port)]
    with (
        told.open("w") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            deadline = time.monotonic() + 90
            while (link := LINK.search(told.read_text())) is None or not answers(port):
                assert process.poll() is None and time.monotonic() < deadline, told.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}", link[0]
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            finally:
                process.kill()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def files(folder: Path) -> tuple[Path, Path]:
    """What the company has: a table of questions and answers, and an export of past conversations."""
    faq, chats = folder / "faq.csv", folder / "chats.jsonl"
    rows = [f'"{question}","{answer}"' for question, answer in FAQ.items()]
    faq.write_text("\n".join(["question,answer", *rows]) + "\n", encoding="utf-8")
    with chats.open("w", encoding="utf-8") as file:
        for (intent, wordings), answer in zip(WORDINGS.items(), FAQ.values(), strict=True):
            for number, frame in enumerate(FRAMES):
                for wording in wordings:
                    asked = {"role": "customer", "text": frame.format(wording)}
                    turns = [asked, {"role": "agent", "text": answer}]
                    row = {
                        "id": f"{intent}-{number}-{wording}",
                        "intent": intent,
                        "lang": "en",
                        "turns": turns,
                    }
                    file.write(json.dumps(row) + "\n")
    return faq, chats


class Counted:
    """An admin's hand: what he presses is counted, so that what the documents say of it stays true."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = 0

    def press(self, target: Any) -> None:
        target.press("Enter")  # as a click, without a mouse
        self.clicks += 1

    def choose(self, path: Path) -> None:
        self.page.locator("input[type=file]").set_input_files(path)
        self.clicks += 1


@pytest.mark.timeout(600)  # half a minute of work, on a machine that may be busy
def test_from_an_empty_installation_to_a_bot_that_answers_in_the_widget(
    context: Any, tmp_path: Path, problems: list[str]
) -> None:
    faq, chats = files(tmp_path)
    with frontdesk(tmp_path) as (url, link):
        page = context.new_page()
        page.set_default_timeout(
            120_000
        )  # jobs start processes of their own: nothing but the machine is slow
        page.goto(link)
        page.get_by_label("Name").fill("Mei")
        page.get_by_label("E-mail").fill("mei@example.com")
        page.get_by_label("Password").fill("correct horse battery")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="From here to a live bot")).to_be_visible()
        expect(page.get_by_text("0 of 4 done")).to_be_visible()
        hand = Counted(page)

        step = page.locator(".steps li").filter(has_text="Upload your help articles")
        hand.press(step.get_by_role("link", name="Upload"))
        hand.choose(faq)
        hand.press(page.get_by_role("button", name="Upload and read"))
        hand.press(
            page.get_by_role("link", name="Upload past conversations")
        )  # as soon as the articles are in
        hand.choose(chats)
        hand.press(page.get_by_role("button", name="Upload and read"))
        hand.press(page.get_by_role("button", name="Train the bot"))
        assert hand.clicks == CLICKS

        expect(page.get_by_text("Went live")).to_be_visible(timeout=240_000)  # the page finds out by itself
        expect(page.get_by_role("link", name="Try the chat yourself")).to_be_visible()
        page.goto(f"{url}/admin/")
        expect(page.get_by_text("The bot answers.")).to_be_visible()
        expect(page.get_by_text("3 of 4 done")).to_be_visible()

        deadline = time.monotonic() + 60
        while page.request.get(f"{url}/readyz").status != 200:  # the web process loads the release
            assert time.monotonic() < deadline
            page.wait_for_timeout(300)
        visitor = context.new_page()
        visitor.goto(url)
        visitor.get_by_role("button", name="Open chat").press("Enter")
        frame = visitor.frame_locator("iframe")
        frame.locator("body[data-ready]").wait_for(state="attached")
        frame.get_by_role("textbox").fill("How do I descale the machine?")
        frame.get_by_role("textbox").press("Enter")
        expect(frame.locator(".turn.bot").last).to_contain_text("every 200 cups", timeout=30_000)
        page.reload()
        expect(page.get_by_role("heading", name="From here to a live bot")).to_have_count(
            0
        )  # all four are done
        assert problems == []


def test_the_documents_tell_how_many_clicks_it_takes() -> None:
    told = (ROOT / "docs" / "learning.md").read_text("utf-8")
    assert f"{CLICKS} clicks" in told
