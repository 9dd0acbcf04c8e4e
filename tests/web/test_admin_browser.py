"""The admin area in a real browser: from the one-time link to an imported article, every width, both languages."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from chatbot.learning.releases import go_live
from chatbot.learning.sureness import Answering, counted
from chatbot.records import people
from chatbot.records.database import Database
from chatbot.records.tables import Article, Conversation, Release, Site
from chatbot.settings import Settings
from web.worker import Worker

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


@pytest.fixture
def link(url: str, database: Database) -> str:
    with database.write() as session:
        return f"{url}/admin/set-up/{people.create_link(session, role='admin')}"


def sign_up(page: Any, link: str) -> list[str]:
    """Make the first account; what the browser complains about from then on is collected."""
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(link)
    page.fill("#name", "Mei")
    page.fill("#email", "mei@example.com")
    page.fill("#password", "correct horse battery")
    page.click("button.primary")
    page.wait_for_url("**/admin/")
    return problems


def test_a_first_admin_uploads_an_article_and_watches_the_job_to_its_end(
    browser: Any, url: str, link: str, database: Database, settings: Settings, tmp_path: Path
) -> None:
    article = tmp_path / "refunds.md"
    article.write_text("# How long does a refund take?\n\nA refund takes three working days to arrive.")
    page = browser.new_page(locale="en-GB")
    problems = sign_up(page, link)
    page.click("text=Upload >> nth=0")
    page.click("nav.tabs >> text=Articles")
    page.set_input_files("input[type=file]", article)
    playwright_api.expect(page.locator("#chosen")).to_contain_text("refunds.md")
    page.click("text=Upload and read")
    page.wait_for_selector("[data-job]")
    assert "Queued" in page.inner_text("[data-stage]")
    worker = threading.Thread(target=lambda: Worker(database, settings).run(until_idle=True))
    worker.start()
    page.wait_for_selector("h2:has-text('Report')", timeout=30_000)  # the page found out by itself
    worker.join()
    page.click("#menu >> text=Articles")
    page.click("text=How long does a refund take?")
    assert "three working days" in page.inner_text("ol.hits")
    assert problems == []
    page.close()


def test_files_chosen_before_the_pages_script_runs_are_named_as_well(
    inside: Callable[..., Any], url: str, tmp_path: Path
) -> None:
    article = tmp_path / "refunds.md"
    article.write_text("# Refunds\n\nThree working days.")
    page = inside()
    held: list[Any] = []
    page.route(re.compile(r"/admin\.js"), lambda route: held.append(route))
    page.goto(f"{url}/admin/upload", wait_until="commit")
    page.set_input_files("input[type=file]", article)
    assert page.inner_text("#chosen") == ""
    held[0].continue_()
    playwright_api.expect(page.locator("#chosen")).to_contain_text("refunds.md")


def test_a_doubtful_encoding_is_shown_and_chosen(
    inside: Callable[..., Any], url: str, database: Database, settings: Settings, tmp_path: Path
) -> None:
    article = tmp_path / "zasilky.md"
    article.write_bytes("# Zásilky\n\nKde je můj balík? Doručíme jej do tří dnů.".encode("cp1250"))
    page = inside()
    page.goto(f"{url}/admin/upload?kind=articles")
    page.fill("#lang", "cs")
    page.set_input_files("input[type=file]", article)
    page.click("text=Upload and read")
    page.wait_for_url("**/admin/upload/encoding?**")
    playwright_api.expect(page.locator("main")).to_contain_text("Kde je můj balík?")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.select_option("select[name=encoding]", "cp1250")
    page.click("text=Go on")
    page.wait_for_selector("[data-job]")
    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        assert "můj balík" in (session.scalar(select(Article.body).where(Article.slug == "zasilky")) or "")


def test_a_question_is_asked_before_somebody_is_switched_off(browser: Any, url: str, link: str) -> None:
    page = browser.new_page(locale="en-GB")
    sign_up(page, link)
    page.goto(f"{url}/admin/people")
    asked: list[str] = []

    def refuse(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.click("button.danger")
    assert asked == ["Switch this account off? Its sessions end at once."]
    assert page.url.endswith("/admin/people")
    page.close()


def test_what_a_setting_costs_is_said_of_the_value_that_the_slider_stands_at(
    browser: Any, url: str, link: str, database: Database, settings: Settings
) -> None:
    asked = [Answering("en", 0.9, False), Answering("en", 0.65, True)]
    with database.write() as session:
        session.add(Release(id="r1", snapshot="s", metrics={"training": {"sureness": counted(asked, [])}}))
        session.flush()
        go_live(session, settings, "r1", reason="test")
    page = browser.new_page(locale="en-GB")
    problems = sign_up(page, link)
    page.goto(f"{url}/admin/site")
    said = page.locator("#sureness-costs")
    playwright_api.expect(said).to_contain_text("Answers 100 % of questions, of these 50.0 % are wrong")
    for _ in range(6):
        page.press("#sureness", "ArrowRight")
    playwright_api.expect(said).to_contain_text("Answers 50 % of questions, of these 0.0 % are wrong")
    assert problems == []


def test_the_menu_opens_on_a_phone_by_keyboard(browser: Any, url: str, link: str) -> None:
    page = browser.new_page(locale="en-GB", viewport={"width": 390, "height": 800})
    sign_up(page, link)
    assert not page.is_visible("#menu")
    page.focus(".menu-toggle")
    page.keyboard.press("Enter")
    assert page.is_visible("#menu")
    assert page.get_attribute(".menu-toggle", "aria-expanded") == "true"
    page.close()


def test_the_theme_builder_shows_in_the_real_widget_what_is_not_saved_yet(
    browser: Any, url: str, link: str, database: Database
) -> None:
    page = browser.new_page(locale="en-GB")
    problems = sign_up(page, link)
    page.goto(f"{url}/admin/widget")
    host = page.frame_locator("#preview")
    chat = host.frame_locator("iframe")
    chat.locator(".turn.customer").wait_for()
    page.fill("#accent", "#7e22ce")
    page.check("text=Square", force=True)
    page.check("text=Left", force=True)
    page.fill("#title", "Mei's shop")
    button = host.locator("frontdesk-widget button")
    playwright_api.expect(button).to_have_css("background-color", "rgb(126, 34, 206)")
    playwright_api.expect(button).to_have_css("border-radius", "6px")
    playwright_api.expect(button).to_have_css("left", "20px")
    playwright_api.expect(chat.locator("h1")).to_have_text("Mei's shop")
    assert "7.0 to 1" in page.inner_text("#contrast")
    page.select_option("#ask_email", "required")
    page.click("text=Before the chat >> nth=-1")
    chat.locator(".prechat input[type=email]").wait_for()
    page.select_option("#preview-locale", "zh")
    page.click("[data-scene=talk]")
    chat.get_by_text("退款需要多长时间？").wait_for()
    chat.locator("textarea").fill("说点什么")
    chat.locator("textarea").press("Enter")
    playwright_api.expect(chat.locator(".turn.customer")).to_have_count(2)
    assert "Not saved yet" in page.inner_text("#unsaved")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 0
    page.click("#look button.primary")
    page.get_by_text("Saved.").wait_for()
    assert page.input_value("#accent") == "#7e22ce"
    assert problems == []
    page.close()


def test_an_admin_finds_his_way_and_changes_the_look_by_keyboard_alone(
    browser: Any, url: str, link: str, database: Database
) -> None:
    page = browser.new_page(locale="en-GB")
    sign_up(page, link)
    page.goto(f"{url}/admin/widget")
    stops: list[str] = []

    def tab_to(wanted: str) -> None:
        """Press Tab until the focus is on what the selector names; every stop on the way must be seen."""
        for _ in range(60):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                """() => {
                    const one = document.activeElement;
                    const shown = one.nextElementSibling && getComputedStyle(one).opacity === "0"
                        ? one.nextElementSibling : one;
                    return getComputedStyle(shown).outlineStyle !== "none";
                }"""
            )
            stops.append(page.evaluate("document.activeElement.outerHTML.slice(0, 90)"))
            assert seen, stops[-1]
            if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"{wanted} is not reached: {stops}")

    tab_to(".skip")
    page.keyboard.press("Enter")
    tab_to("#accent")
    tab_to("input[name=corners]")
    page.keyboard.press("ArrowRight")
    tab_to("#look .primary")
    page.keyboard.press("Enter")
    page.get_by_text("Saved.").wait_for()
    with database.read() as session:
        assert session.scalars(select(Site)).one().options["widget"]["corners"] == "soft"
    assert len(stops) < 40  # the menu was skipped
    page.close()
