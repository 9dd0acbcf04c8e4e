"""The steps of signing in, which no address opens by itself (web/page_list.py), in a real browser: no rule of
WCAG 2.2 AA is broken (axe-core), and each fits its window."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from chatbot.records import people
from chatbot.records.database import Database

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("locale", "scheme", "width"), [("en-GB", "light", 1280), ("zh-CN", "dark", 390)])
def test_the_steps_of_signing_in_break_no_rule(
    browser: Any, url: str, database: Database, audit: Any, locale: str, scheme: str, width: int
) -> None:
    with database.write() as session:
        link = people.create_link(session, role="admin")
    context = browser.new_context(
        locale=locale, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    wrong: list[str] = []

    def look(name: str) -> None:
        wrong.extend(f"{name}: {line}" for line in audit(page))
        if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            wrong.append(f"{name}: wider than the window")

    page.goto(f"{url}/admin/set-up/{link}")
    look("set-up")
    page.fill("#name", "Mei")
    page.fill("#email", "mei@example.com")
    page.fill("#password", "correct horse battery")
    page.click("button.primary")
    page.wait_for_url("**/admin/")
    look("first run")
    page.goto(f"{url}/admin/account")
    page.click("form[action$='/second-step'] button")
    secret = page.input_value("#secret").replace(" ", "")
    look("second step")
    page.fill("#code", pyotp.TOTP(secret).now())
    page.press("#code", "Enter")
    page.locator("pre.mono").wait_for()
    look("recovery codes")
    page.context.clear_cookies()
    page.goto(f"{url}/admin/sign-in")
    page.fill("#email", "mei@example.com")
    page.fill("#password", "correct horse battery")
    page.click("button.primary")
    page.wait_for_url("**/sign-in/code**")
    look("code")
    context.close()
    assert not wrong, "\n".join(wrong)
