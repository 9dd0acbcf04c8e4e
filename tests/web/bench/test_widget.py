"""What ``bench widget`` finds out: how soon it is ready, and whether the page moved."""

from __future__ import annotations

from typing import Any

import pytest

from web.bench.widget import SHIFT, measure

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def test_the_widget_gets_ready_and_nothing_on_the_page_moves(url: str) -> None:
    loads = measure(url, repeat=2)
    assert all(0 < one.ready_ms < 60_000 for one in loads)
    assert [one.layout_shift for one in loads] == [0, 0]


def test_a_page_that_moves_is_seen_to_move(browser: Any) -> None:
    page = browser.new_page()
    page.set_content("<p>first</p>")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.evaluate(
        """() => {
            const block = document.createElement("div");
            block.style.height = "300px";
            document.body.prepend(block);
        }"""
    )
    page.wait_for_function(f"async () => (await ({SHIFT})()) > 0")  # told with the frame in which it moved
    page.close()
