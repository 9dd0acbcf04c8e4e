"""Icons: every one that a template or a script names is there, and is nothing that the strict policy would refuse."""

from __future__ import annotations

import re
from pathlib import Path

import heroicons
import pytest

import web
from web.admin.blueprint import MENU
from web.admin.icons import icon
from web.inbox.pages import ICONS

ROOT = Path(web.__file__).parent
NAMED = re.compile(r"""\bicon\(\s*["']([a-z0-9-]+)["'](?:,\s*["'](\w+)["'])?""")


def test_every_icon_of_a_template_is_in_the_package() -> None:
    found = {
        pair
        for folder in ("admin", "inbox")
        for path in (ROOT / folder).rglob("*.html")
        for pair in NAMED.findall(path.read_text("utf-8"))
    }
    assert len(found) >= 5
    for name, style in sorted(
        found | {(entry.icon, "") for entry in MENU} | {(name, "mini") for name in ICONS}
    ):
        drawn = icon(name, style or "outline")  # type: ignore[arg-type]
        assert 'aria-hidden="true"' in drawn and 'class="icon"' in drawn
        assert "style=" not in drawn and "http" not in drawn and "<script" not in drawn


def test_the_inbox_brings_the_icons_that_its_scripts_draw_and_no_others() -> None:
    scripts = [path.read_text("utf-8") for path in (ROOT / "inbox" / "static").glob("*.js")]
    calls = [
        call for text in scripts for call in re.findall(r"\bicon\(([^()]*(?:\([^()]*\))?[^()]*)\)", text)
    ]
    drawn = {
        name for call in calls for name in re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+|moon|sun|bell)"', call)
    }
    assert drawn == set(ICONS)


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(heroicons.IconDoesNotExist, match="no-such-icon"):
        icon("no-such-icon")


def test_no_two_entries_of_the_menu_look_alike() -> None:
    assert len({entry.icon for entry in MENU}) == len(MENU)
