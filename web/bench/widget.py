"""``bench widget``: how soon the widget is ready on a page of the running service, and how many bytes it takes.

A real browser (Playwright with Debian's Chromium) puts the snippet on a help page again and again, each time in a
fresh profile with nothing kept from the time before.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
from typing import Any

import click

from chatbot.errors import UnavailableError
from web.terminal import print_values
from web.widget import assets

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
BLANK = "/help/en/nothing-here"  # a page of the service's own without the widget on it


@click.command("widget")
@click.option("--url", required=True, help="A server that runs already.")
@click.option("--repeat", type=click.IntRange(min=1), default=20, show_default=True)
def command(url: str, repeat: int) -> None:
    milliseconds = measure(url.rstrip("/"), repeat=repeat)
    sent = [assets.read(name) for name in ("widget.js", "app.css", *assets.MODULES)]
    print_values(
        "widget",
        {
            "loads": repeat,
            "ready_ms_median": round(statistics.median(milliseconds)),
            "ready_ms_worst": round(max(milliseconds)),
            "bytes_gzipped": sum(len(gzip.compress(part)) for part in (*sent, assets.locale_json("zh"))),
        },
    )


def measure(url: str, *, repeat: int) -> list[float]:
    """Milliseconds from the loader's load event to the widget's own ready event, ``repeat`` times.

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
    found: list[float] = []
    with sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(repeat):
            context = browser.new_context()
            page = context.new_page()
            page.goto(url + BLANK)
            found.append(page.evaluate(READY, url))
            context.close()
        browser.close()
    return found
