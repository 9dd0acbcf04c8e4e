"""A real browser for the tests of pages: Debian's Chromium through Playwright, and the application on a port."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Puts an application on a free port and says where."""
    running = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
        server.daemon_threads = True  # type: ignore[attr-defined]  # an open event stream must not hold up the end
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def url(app: Flask, serve: Callable[[Flask], str]) -> str:
    return serve(app)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Debian's Chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def problems() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def context(browser: Any, problems: list[str]) -> Iterator[Any]:
    context = browser.new_context(
        viewport={"width": 1200, "height": 800}, reduced_motion="reduce", locale="en-GB"
    )
    context.set_default_timeout(8000)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield context
    context.close()


@pytest.fixture
def open_widget(context: Any, url: str) -> Callable[..., tuple[Any, Any]]:
    def open_it(page: Any = None, address: str = "/") -> tuple[Any, Any]:
        page = page or context.new_page()
        page.goto(url + address)
        page.get_by_role("button", name=re.compile("^(Open chat|打开在线咨询)")).click()
        frame = page.frame_locator("iframe")
        frame.locator("body[data-ready]").wait_for(state="attached")
        return page, frame

    return open_it


@pytest.fixture
def audit() -> Callable[[Any], list[str]]:
    """axe-core's rules of WCAG 2.0 to 2.2, levels A and AA, over a page or a frame."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def run(target: Any) -> list[str]:
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = axe.run(target, options={"runOnly": {"type": "tag", "values": tags}})
        return [
            f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]

    return run
