"""Pictures of every page, from a copy of a trained installation in which visitors have written: docs/pages.

The installation itself is not touched: its data folder is copied, a month of conversations is held with the copy by its
own bot, and a real browser (Playwright with Debian's Chromium) looks at every page in light, dark, on a phone and in
Chinese. The pictures are WebP, which the browser makes itself.
"""

from __future__ import annotations

import base64
import json
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from chatbot.dialogue.options import SiteOptions
from chatbot.errors import NotFoundError, UnavailableError
from chatbot.records import actions, people, proposals
from chatbot.records.canned_replies import save_canned
from chatbot.records.conversations import DEFAULT_SITE, find_site
from chatbot.records.database import Database
from chatbot.records.tables import (
    Action,
    ArticleQuestion,
    Conversation,
    Example,
    Feedback,
    Intent,
    Proposal,
    ProposalMember,
    Release,
    Turn,
    utcnow,
)
from chatbot.records.visitors import Identity, identify
from chatbot.settings import Settings
from web.application import build
from web.context import parts
from web.page_list import Page, cited_answer, listed
from web.worker import Worker

WIDE, PHONE = (1200, 800), (390, 800)
PATIENCE_MS = 180_000  # with a page of a busy machine: half a set of pictures is none
QUALITY = 0.7  # of the WebP pictures, 0..1
CONVERSATIONS = 60
DAYS = 28
PLACES = (
    "",
    "help/returns",
    "orders",
    "help/delivery",
    "grinders/mara",
    "subscriptions",
)  # where they begin to write
EMAIL, PASSWORD = "mei@example.com", "correct horse battery"
FAQ = """question,answer
Do you wrap presents?,"Yes, for 3 euros a parcel; choose it in the basket."
,A row without its question
Can I visit the roastery?,"On the first Saturday of each month, at 11:00."
"""
CHATS = """conversation,author,message,topic
71,Client,"Hello, my grinder arrived with a crack in the lid. Order KC-204817, Mei Lin.",damage
71,Agent,"I am sorry about that. We send a new lid today.",damage
72,Client,Do you ship to Norway?,shipping
72,Agent,"Yes, in four to six working days.",shipping
"""
TO_WEBP = """async ([png, quality]) => {
    const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/webp", quality });
    const found = new Uint8Array(await blob.arrayBuffer());
    let text = "";
    for (let at = 0; at < found.length; at += 8192) text += String.fromCharCode(...found.subarray(at, at + 8192));
    return btoa(text);
}"""


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at a page."""

    name: str
    size: tuple[int, int] = WIDE
    dark: bool = False
    lang: str = "en"


LOOKS = (Look("light"), Look("dark", dark=True), Look("phone", size=PHONE), Look("zh", lang="zh"))


LEAST = {"en": 150, "zh": 60}  # characters of a written answer that is worth a picture


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


def take_pictures(
    settings: Settings,
    out: Path,
    *,
    workplace: Path,
    only: Sequence[str] = (),
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> list[Path]:
    """Write ``out``/<page>.<look>.webp and ``out``/README.md; ``only`` names pages, all without.

    Raises NotFoundError where the installation has no database, UnavailableError without a live release or browser.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise UnavailableError("There is no browser to take pictures with", remedy="Install Chromium")
    copy = copied(settings, workplace)
    database = Database(copy.database)
    app = build(copy, database=database)
    with served(app) as url:
        _wait_until_ready(app)
        converse(app, database, openings(settings), progress=progress)
        _work(app, database, copy)
        pages = [page for page in listed(app, database) if not only or page.name in only]
        out.mkdir(parents=True, exist_ok=True)
        asked = {
            lang: question_to_write_on(app, database, lang) for lang in sorted({look.lang for look in LOOKS})
        }
        made = _photograph(url, chromium, pages, out, asked, progress)
    with app.app_context():
        parts().serving.stop()  # it would go on looking at the copy
    database.dispose()
    if not only:
        (out / "README.md").write_text(index(pages), encoding="utf-8")
    return made


# --- a company whose visitors have written --------------------------------------------------------------


def copied(settings: Settings, workplace: Path) -> Settings:
    """The same installation in another folder, without its visitors: pictures are public. Raises NotFoundError."""
    source = settings.data / "frontdesk.db"
    if not source.is_file():
        raise NotFoundError(
            "There is no SQLite database to copy", value=str(source), remedy="Make one: frontdesk demo"
        )
    workplace.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(source) as old, sqlite3.connect(workplace / "frontdesk.db") as new:
        old.backup(new)
        new.execute("PRAGMA foreign_keys = ON")
        for table in ("conversations", "visitors"):
            new.execute(f"DELETE FROM {table}")
    for name in ("releases", "encoders", "index"):
        if (settings.data / name).is_dir():
            shutil.copytree(settings.data / name, workplace / name, dirs_exist_ok=True, symlinks=True)
    unlimited = "1000000 per minute"
    return settings.model_copy(
        update={
            "data": workplace,
            "database_url": "",
            "queue_url": "",
            "limits_url": "memory://",
            "chat_rate": unlimited,
            "signin_rate": unlimited,
        }
    )


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    server.daemon_threads = True  # type: ignore[attr-defined]  # an open stream must not hold up the end
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _wait_until_ready(app: Flask, *, seconds: float = 60.0) -> None:
    client = app.test_client()
    end = time.monotonic() + seconds
    while client.get("/readyz").status_code != 200:
        if time.monotonic() > end:
            raise UnavailableError("No release is live here", remedy="Make one with: frontdesk retrain")
        time.sleep(0.2)


def openings(settings: Settings) -> list[tuple[str, str]]:
    """(language, what a customer wrote first): of the demo company's own conversations, else a few of ours."""
    path = settings.data / "demo" / "conversations.jsonl"
    if not path.is_file():
        return [("en", "How long does a refund take?"), ("zh", "退款需要多长时间？")] * (CONVERSATIONS // 2)
    with path.open(encoding="utf-8") as lines:
        told = [json.loads(line)["comments"][0]["body"] for line in lines]
    random.Random(7).shuffle(told)
    return [("zh" if any("\u4e00" <= c <= "\u9fff" for c in text) else "en", text) for text in told]


def converse(
    app: Flask,
    database: Database,
    first: Sequence[tuple[str, str]],
    *,
    progress: Callable[[str, float], None],
) -> None:
    """Hold the conversations over the API, then put them on the days of the last month."""
    client, rng = app.test_client(), random.Random(11)
    for number, (lang, text) in enumerate(first[:CONVERSATIONS]):
        page = f"https://shop.example.com/{PLACES[number % len(PLACES)]}"
        started = client.post("/api/v1/conversations", json={"locale": lang, "page": page}).get_json()
        root = f"/api/v1/conversations/{started['id']}"
        headers = {"Authorization": f"Bearer {started['token']}"}
        said = client.post(f"{root}/messages", json={"text": text}, headers=headers).get_json()
        kind = (said.get("reply") or {}).get("kind")
        if kind in ("passage", "approved", "generated") and rng.random() < 0.45:
            vote = "up" if rng.random() < 0.8 else "down"
            client.post(f"{root}/turns/{said['turn_id']}/feedback", json={"vote": vote}, headers=headers)
        if number % 9 == 4:
            ask = "我想找人工客服" if lang == "zh" else "Can I talk to a person, please?"
            client.post(f"{root}/messages", json={"text": ask}, headers=headers)
        elif rng.random() < 0.5:
            mark = rng.choice((3, 4, 4, 5, 5, 5))
            client.post(f"{root}/close", json={"csat": mark}, headers=headers)
        progress("conversations", (number + 1) / CONVERSATIONS)
    with database.write() as session:
        rows = session.scalars(select(Conversation).order_by(Conversation.id)).all()
        now = utcnow()
        for row in rows:
            hour = rng.choice((8, 9, 10, 11, 13, 14, 15, 16, 19, 20))
            day = (now - timedelta(days=rng.randrange(DAYS))).replace(hour=hour, minute=rng.randrange(60))
            waits = row.state == "waiting"
            back = (
                now - min(now - timedelta(minutes=3), day)
                if not waits
                else timedelta(minutes=rng.randrange(2, 50))
            )
            for name in ("created_at", "last_activity_at", "handover_at", "closed_at"):
                if getattr(row, name, None) is not None:
                    setattr(row, name, getattr(row, name) - back)
            for turn in session.scalars(select(Turn).where(Turn.conversation_id == row.id)):
                turn.created_at -= back
                vote = session.scalar(select(Feedback).where(Feedback.turn_id == turn.id))
                if vote is not None:
                    vote.created_at -= back
        session.flush()
        _come_back(session)


def _come_back(session: Session) -> None:
    """Whoever has waited longest had written before: a customer whom the company's server has named."""
    waiting = session.scalars(
        select(Conversation)
        .where(Conversation.state == "waiting")
        .order_by(Conversation.locale != "en", Conversation.handover_at)
    ).first()
    if waiting is None:
        return
    before = session.scalars(
        select(Conversation)
        .where(Conversation.id < waiting.id, Conversation.locale == waiting.locale)
        .order_by(Conversation.state != "closed", Conversation.id.desc())
        .limit(4)
    ).all()
    for row in sorted((*before, waiting), key=lambda row: row.id):
        known = identify(session, row, Identity("customer-40817", "Anna Lee", "anna.lee@example.com"))
        known.created_at = min(known.created_at, row.created_at)


def _work(app: Flask, database: Database, settings: Settings) -> None:
    """People, canned replies, what somebody would be in the middle of, and jobs that have really run."""
    with database.write() as session:
        mei = people.create_person(session, email=EMAIL, name="Mei", password=PASSWORD, role="admin")
        people.create_person(session, email="jan@example.com", name="Jan", password=PASSWORD, role="agent")
        for shortcut, en, zh in (
            ("thanks", "Thank you, {customer}! {agent}", "谢谢您，{customer}！{agent}"),
            ("order", "Could you give me your order number?", "请告诉我您的订单号。"),
        ):
            save_canned(session, shortcut=shortcut, texts={"en": en, "zh": zh}, person_id=mei.id)
        _begin_to_work(session)
    table = settings.uploads / uuid4().hex / "chats.csv"
    table.parent.mkdir(parents=True)
    table.write_text(CHATS, encoding="utf-8")
    folder = settings.uploads / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faq.csv").write_text(FAQ, encoding="utf-8")
    from web.jobs import enqueue

    arguments = {"files": ["pictures/faq.csv"], "names": ["faq.csv"]}
    enqueue(database, settings, "import_articles", arguments, person_id=mei.id)
    with database.read() as session:
        answer = cited_answer(session)
        release = session.scalars(select(Release.id).order_by(Release.created_at.desc())).first()
    if answer is not None and release is not None:
        told = {"release_id": release, "turn_id": answer.reply_to_id, "answer_id": answer.id}
        enqueue(database, settings, "replay", told, person_id=mei.id)
    Worker(database, settings).run(until_idle=True)


def _begin_to_work(session: Session) -> None:
    """An action that nobody has switched on, and an intent proposed from messages of the logs themselves."""
    intent = session.scalars(select(Intent.name).where(Intent.status == "live").order_by(Intent.id)).first()
    if intent is not None and session.scalars(select(Action.id)).first() is None:
        actions.save(
            session,
            actions.Draft(
                name="stock",
                intent=intent,
                url="https://www.example.com/stock",
                slots=[
                    {"name": "product", "kind": "text", "ask": {"en": "Which product?", "zh": "哪一款产品？"}}
                ],
                templates={"en": "{product}: {left} left.", "zh": "{product}还剩 {left} 件。"},
                proof={},
                enabled=False,
            ),
        )
    if session.scalars(select(Proposal.id)).first() is None:
        free = session.scalars(
            select(Example)
            .where(
                Example.text.like("%voucher%"),
                Example.intent_id.is_(None),
                Example.id.not_in(select(ProposalMember.example_id)),
            )
            .order_by(Example.id)
            .limit(12)
        ).all()
        if free:
            proposals.add_proposal(
                session,
                proposals.NewProposal(
                    name="voucher",
                    terms=("voucher", "code", "gift"),
                    members={row.id: 1.0 - at / 24 for at, row in enumerate(free)},
                    drafts={},
                ),
            )


def question_to_write_on(app: Flask, database: Database, lang: str) -> str:
    """The question of an article that the bot answers in the fewest words of its own, though not too few; where it
    writes nothing, another: the picture shows what the installation does."""
    with database.read() as session:
        options = SiteOptions.from_json(find_site(session, DEFAULT_SITE).options)
        texts = session.scalars(
            select(ArticleQuestion.text)
            .where(
                ArticleQuestion.lang == lang, ArticleQuestion.enabled, ArticleQuestion.source != "transcript"
            )
            .order_by(ArticleQuestion.id)
        ).all()
    with app.app_context():
        assistant = parts().serving.assistant()
    replies = {text: assistant.reply(text, history=(), locale=lang, options=options)[0] for text in texts}
    written = {text: len(reply.text) for text, reply in replies.items() if reply.kind == "generated"}
    if written:
        return min(written, key=lambda text: (written[text] < LEAST[lang], written[text]))
    return {"zh": "退货后多久能收到退款？"}.get(lang, "How long does a refund take?")


# --- the pictures ------------------------------------------------------------------------------------------


def _photograph(
    url: str,
    chromium: str,
    pages: Sequence[Page],
    out: Path,
    asked: Mapping[str, str],
    progress: Callable[[str, float], None],
) -> list[Path]:
    from playwright.sync_api import sync_playwright

    made: list[Path] = []
    arguments = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    with sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(executable_path=chromium, args=arguments)
        packer = browser.new_page()
        cookies: Any = None
        for look in LOOKS:
            context = browser.new_context(
                viewport={"width": look.size[0], "height": look.size[1]},
                color_scheme="dark" if look.dark else "light",
                locale="zh-CN" if look.lang == "zh" else "en-GB",
                reduced_motion="reduce",
            )
            stranger = browser.new_context(
                viewport={"width": look.size[0], "height": look.size[1]},
                color_scheme="dark" if look.dark else "light",
                locale="zh-CN" if look.lang == "zh" else "en-GB",
                reduced_motion="reduce",
            )
            for window in (context, stranger):
                window.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            if cookies is None:
                page.goto(f"{url}/admin/sign-in")
                page.fill("#email", EMAIL)
                page.fill("#password", PASSWORD)
                page.click("button.primary")
                page.wait_for_url("**/admin/")
                cookies = context.cookies()
            context.add_cookies(cookies)
            visitor = stranger.new_page()
            for one in pages:
                target = visitor if one.public else page
                target.goto(url + one.path.format(lang=look.lang))
                _settle(target, one, look, asked[look.lang])
                path = out / f"{one.name}.{look.name}.webp"
                png = base64.b64encode(target.screenshot()).decode()
                path.write_bytes(base64.b64decode(packer.evaluate(TO_WEBP, [png, QUALITY])))
                made.append(path)
                progress(f"pictures ({look.name})", len(made) / (len(pages) * len(LOOKS)))
            context.close()
            stranger.close()
        browser.close()
    return made


def _settle(page: Any, one: Page, look: Look, question: str) -> None:
    """Wait for what comes after the page, and say something where there is somebody to talk to."""
    if one.name == "help":
        page.get_by_role("button", name="打开在线咨询" if look.lang == "zh" else "Open chat").click()
        frame = page.frame_locator("iframe")
        frame.locator("body[data-ready]").wait_for(state="attached")
        frame.locator("textarea").fill(question)
        frame.locator("textarea").press("Enter")
        frame.locator(".turn.bot .thumbs").first.wait_for()
    elif one.name == "chat":
        page.locator("body[data-ready]").wait_for(state="attached")
        page.locator("textarea").fill("E-4012 怎么办？" if look.lang == "zh" else "My machine shows E-4012")
        page.locator("textarea").press("Enter")
        page.locator(".turn.customer").last.wait_for()
        page.locator("[aria-busy]").wait_for(state="detached")
    elif one.name == "widget":
        preview = page.frame_locator("#preview").frame_locator("iframe")
        preview.locator(".turn.customer").wait_for()
    elif one.name == "inbox":
        page.wait_for_load_state("networkidle")
    elif one.name == "conversation":
        page.locator("details.why > summary").first.click()
        page.locator(".words").first.wait_for()
    page.wait_for_timeout(250)


def index(pages: Sequence[Page]) -> str:
    """The list of all pictures, as Markdown."""
    lines = [
        "# Every page",
        "",
        "Made by `frontdesk pictures docs/pages` from the demo company (`frontdesk demo`): a copy of it, with a month",
        "of conversations held by its own bot. In light, dark, on a phone, in Chinese.",
        "",
    ]
    for page in pages:
        shown = " ".join(
            f'<img src="{page.name}.{look.name}.webp" height="260" alt="{page.title}, {look.name}">'
            for look in LOOKS
        )
        lines += [f"## {page.title}", "", shown, ""]
    return "\n".join(lines)
