"""``bench widget``: how soon the widget is ready on a page of the running service, how many bytes it takes, and
whether anything on the page moves because of it.

A real browser (Playwright with Debian's Chromium) puts the snippet on a help page again and again, each time in a
fresh profile with nothing kept from the time before.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
from dataclasses import dataclass
from typing import Any

import click

from chatbot.errors import UnavailableError
from web.terminal import print_values
from web.widget import assets
from web.widget.languages import Languages

READY = """(address) => new Promise((done) => {
    const script = document.createElement("script");
    let loaded;
    script.src = address + "/widget.js";
    script.onload = () => {
        loaded = performance.now();
        Frontdesk("on", "ready", () => done(performance.now() - loaded));
    };
    document.body.append(script);
})"""
# What has moved on the page so far, as browsers count it (layout instability, WICG): 0 where nothing has.
SHIFT = """() => new Promise((done) => {
    let moved = 0;
    const watch = new PerformanceObserver((list) => {
        for (const one of list.getEntries()) moved += one.value;
    });
    watch.observe({ type: "layout-shift", buffered: true });
    setTimeout(() => { watch.disconnect(); done(moved); }, 100);
})"""
SETTLED_MS = 400  # the panel has opened or closed
BLANK = "/help/en/nothing-here"  # a page of the service's own without the widget on it


@click.command("widget")
@click.option("--url", required=True, help="A server that runs already.")
@click.option("--repeat", type=click.IntRange(min=1), default=20, show_default=True)
def command(url: str, repeat: int) -> None:
    loads = measure(url.rstrip("/"), repeat=repeat)
    milliseconds = [one.ready_ms for one in loads]
    sent = [assets.read(name) for name in ("widget.js", "app.css", *assets.MODULES)]
    print_values(
        "widget",
        {
            "loads": repeat,
            "ready_ms_median": round(statistics.median(milliseconds)),
            "ready_ms_worst": round(max(milliseconds)),
            "layout_shift_worst": max(one.layout_shift for one in loads),
            "bytes_gzipped": sum(len(gzip.compress(part)) for part in (*sent, Languages().chat_json("zh"))),
        },
    )


@dataclass(frozen=True, slots=True)
class Load:
    """``ready_ms``: from the loader's load event to the widget's own ready event. ``layout_shift``: of everything from
    before the loader came until the panel was opened and closed again."""

    ready_ms: float
    layout_shift: float


def measure(url: str, *, repeat: int) -> list[Load]:
    """The widget on a page without it, ``repeat`` times.

    Raises UnavailableError where there is no browser to measure with.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        raise UnavailableError(
            "There is no browser to measure with", remedy="Install Chromium and the development dependencies"
        )
    found: list[Load] = []
    with sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(repeat):
            context = browser.new_context()
            page = context.new_page()
            page.goto(url + BLANK)
            ready = page.evaluate(READY, url)
            for name in ("open", "close"):
                page.evaluate("(name) => Frontdesk(name)", name)
                page.wait_for_timeout(SETTLED_MS)
            found.append(Load(ready, page.evaluate(SHIFT)))
            context.close()
        browser.close()
    return found
