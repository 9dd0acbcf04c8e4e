"""The style guide shows what the pages are made of: what a page wears and the console's style draws is on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient

import web
from web.tokens import tokens

WEB = Path(web.__file__).parent
# What only puts things in their place, or is read out and not seen.
PLACES = {
    *("above", "alone", "below", "beside", "builder", "dated", "dozen", "hide-small"),
    *("kinds", "later", "named", "nowrap", "one-line", "open", "options", "out-of-sight", "prose", "reason"),
    *("save", "sr", "stacked", "wide-left", "clip", "hits", "example", "examples", "from"),
    *("flash", "sites"),
}
# What stands on one page alone, and belongs to it.
OWN = {"card-said", "stage", "steps", "tick-mark", "trace", "why"}
_ATTRIBUTE = re.compile(r'class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"')


def drawn() -> set[str]:
    text = re.sub(r"/\*.*?\*/", "", (WEB / "admin" / "static" / "admin.css").read_text("utf-8"), flags=re.S)
    return set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", text)))


def worn() -> dict[str, str]:
    """Class to a page that has it."""
    found: dict[str, str] = {}
    for path in sorted(WEB.rglob("templates/**/*.html")):
        if path.name == "style.html":
            continue
        for value in _ATTRIBUTE.findall(path.read_text("utf-8")):
            plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", value)
            found |= {name: path.name for name in plain.split() if name not in found}
    return found


def test_every_class_of_the_pages_is_in_the_guide(signed_in: Callable[[str], FlaskClient]) -> None:
    page = signed_in("viewer").get("/admin/style").text
    shown = {name for value in re.findall(r'class="([^"]*)"', page) for name in value.split()}
    both = {name: where for name, where in worn().items() if name in drawn()}
    assert {"card", "menu-button", "drop"} <= both.keys(), "the pages are not read as they should be"
    missing = [f"{name} ({both[name]})" for name in sorted(both.keys() - shown - PLACES - OWN)]
    assert missing == [], f"show these on /admin/style, or name them here as placing only: {missing}"
    assert (PLACES | OWN) & shown == set(), "these are in the guide by now: take them off the list"
    assert {name for name in PLACES | OWN if name not in drawn()} == set(), "these are gone from admin.css"


def test_every_kind_of_field_and_each_state_is_in_the_guide(signed_in: Callable[[str], FlaskClient]) -> None:
    page = signed_in("viewer").get("/admin/style").text
    for kind in ("text", "email", "password", "search", "number", "date", "url", "color", "file", "range"):
        assert f'type="{kind}"' in page, kind
    for expected in (
        '<dialog class="card" open',
        "<textarea",
        "<select",
        "Saving…",
        "Copied",
        'class="problem"',
    ):
        assert expected in page, expected
    for element in ("a", "button", "input", "summary"):
        for state in ("is-hover", "is-focus"):
            assert re.search(rf'<{element} [^>]*class="[^"]*\b{state}\b', page) or re.search(
                rf'<{element} class="[^"]*\b{state}\b', page
            ), (element, state)


def test_a_duration_is_shown_with_what_becomes_of_it_for_who_wants_less_motion(
    signed_in: Callable[[str], FlaskClient],
) -> None:
    page = signed_in("viewer").get("/admin/style").text
    motions = [token for token in tokens().values() if token.is_duration]
    assert motions != []
    for token in motions:
        assert float(token.light.rstrip("ms")) > 0 and token.still in ("0s", "0ms")
        assert f"{token.light} → {token.still}" in page
