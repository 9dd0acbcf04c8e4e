"""Examples in a real browser: ticked all at once, changed by a double click, and brought back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from chatbot.records.database import Database
from chatbot.records.tables import AuditEntry, Example

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def test_all_shown_are_ticked_relabelled_once_by_a_double_click_and_brought_back(
    inside: Callable[..., Any], url: str, database: Database, full: None, problems: list[str]
) -> None:
    def labels() -> list[tuple[int, int | None, bool]]:
        with database.read() as session:
            rows = session.execute(select(Example.id, Example.intent_id, Example.out_of_scope))
            return sorted((row.id, row.intent_id, row.out_of_scope) for row in rows)

    before = labels()
    page = inside()
    page.goto(f"{url}/admin/examples")
    boxes = page.locator("input[type=checkbox][name=examples]")
    number = boxes.count()
    assert number >= 2
    every = page.locator("[data-tick-all]")
    every.check()
    assert page.get_by_text(f"{number} ticked").is_visible()
    boxes.first.uncheck()
    assert page.get_by_text(f"{number - 1} ticked").is_visible() and not every.is_checked()
    every.check()
    page.locator(".ticked select").select_option("oos")
    page.get_by_role("button", name="Relabel").dblclick()
    told = page.get_by_role("status")
    told.get_by_text(f"Relabelled: {number}.").wait_for()
    assert labels() != before
    told.get_by_role("button", name="Undo").click()
    page.get_by_role("status").get_by_text("Taken back.").wait_for()
    assert labels() == before
    with database.read() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.person_id.is_not(None))).all()
    assert [one for one in actions if one.startswith("example.")] == ["example.relabel", "example.undo"]
    assert problems == []
