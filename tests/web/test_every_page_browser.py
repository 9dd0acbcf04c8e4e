"""Every page there is (web/page_list.py), in a real browser: no rule of WCAG 2.2 AA is broken (axe-core), it fits its
window, obeys the strict policy, and the keyboard reaches all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser

LOOKS = [("en-GB", "light", 1280), ("zh-CN", "dark", 390)]
SHARES = 6  # every page is in one: several processes share them, and none of them is long on a busy machine
# What the focus can rest on, as a browser counts it: a group of radio buttons is one stop.
STOPS = """() => {
    const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, iframe, [tabindex]")];
    const groups = new Set();
    return all.filter((one) => {
        if (one.disabled || one.tabIndex < 0 || one.type === "hidden") return false;
        if (!one.checkVisibility({ visibilityProperty: true })) return false;
        if (one.type === "radio") {
            const name = (one.form?.id || "") + one.name;
            if (groups.has(name)) return false;
            groups.add(name);
        }
        return true;
    }).length;
}"""
# Where the focus is, if anywhere, and how many of the stops it has been on.
FOCUSED = """() => {
    let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    if (one && one !== document.body) one.dataset.reached = "yes";
    const reached = document.querySelectorAll("[data-reached]").length;
    if (!one || one === document.body) return { reached };
    // a radio button or a checkbox that is drawn by what stands beside it
    const shown = getComputedStyle(one).opacity === "0" && one.nextElementSibling ? one.nextElementSibling : one;
    const box = shown.getBoundingClientRect();
    return {
        reached,
        html: one.outerHTML.slice(0, 120),
        marked: one.tagName === "IFRAME" || [shown, one.parentElement].some((drawn) =>
            drawn && (getComputedStyle(drawn).outlineStyle !== "none" || getComputedStyle(drawn).boxShadow !== "none")),
        inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


@pytest.fixture
def admin_cookie(installation: Any) -> str:
    return str(installation.cookie)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(("locale", "scheme", "width"), LOOKS)
def test_every_page_breaks_no_rule_fits_its_window_and_obeys_the_strict_policy(
    inside: Callable[..., Any],
    installation: Any,
    audit: Any,
    problems: list[str],
    locale: str,
    scheme: str,
    width: int,
    share: int,
) -> None:
    options = {"locale": locale, "color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    admin, stranger = inside(**options), inside(stranger=True, **options)
    lang = "zh" if locale == "zh-CN" else "en"
    wrong: list[str] = []
    for one in installation.pages[share::SHARES]:
        page = stranger if one.public else admin
        answer = page.goto(installation.url + one.path.format(lang=lang))
        assert answer.status == 200, one
        page.wait_for_load_state("load")
        if one.name in ("chat", "inbox"):
            page.locator("body[data-ready], .lines, .line").first.wait_for()
        wrong += [f"{one.name}: {line}" for line in audit(page)]
        if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            wrong.append(f"{one.name}: wider than the window")
        if one.path.startswith("/admin/"):
            assert page.get_attribute("html", "lang") == ("zh-Hans" if lang == "zh" else "en"), one
    assert not wrong, "\n".join(wrong)
    assert problems == []


@pytest.mark.parametrize("share", range(SHARES))
def test_the_keyboard_reaches_all_of_every_page_and_the_focus_is_seen(
    inside: Callable[..., Any], installation: Any, share: int
) -> None:
    size = {"viewport": {"width": 1280, "height": 800}}
    admin, stranger = inside(**size), inside(stranger=True, **size)
    wrong: list[str] = []
    for one in installation.pages[share::SHARES]:
        page = stranger if one.public else admin
        assert page.goto(installation.url + one.path.format(lang="en")).status == 200, one
        page.wait_for_load_state("load")
        if one.name in ("chat", "inbox"):
            page.locator("body[data-ready], .lines, .line").first.wait_for()
        count = page.evaluate(STOPS)
        reached = 0
        for _ in range(count + 60):  # round the end once, and through what is inside a frame
            page.keyboard.press("Tab")
            found = page.evaluate(FOCUSED)
            reached = found["reached"]
            if "html" not in found:
                continue
            if reached >= count:
                break
            if not found["marked"]:
                wrong.append(f"{one.name}: the focus is not seen on {found['html']}")
            if not found["inside"]:
                wrong.append(f"{one.name}: the focus is outside the window on {found['html']}")
        if reached < count:
            wrong.append(f"{one.name}: {reached} of {count} are reached")
    assert not wrong, "\n".join(wrong)
