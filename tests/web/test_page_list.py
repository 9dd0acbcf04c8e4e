"""The list of pages: whatever answers a browser is on it, or is named with the reason why not."""

from __future__ import annotations

from flask import Flask

from chatbot.records.database import Database
from web.admin.blueprint import MENU
from web.page_list import NO_PAGES, PAGES, STEPS, listed


def test_every_route_that_answers_a_browser_is_a_page_of_the_list(
    app: Flask, database: Database, full: None
) -> None:
    there = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in PAGES
    }
    found = {page.endpoint for page in listed(app, database)}
    assert there - found - set(NO_PAGES) - set(STEPS) == set()
    assert (found | set(NO_PAGES) | set(STEPS)) - there == set()
    assert not found & set(NO_PAGES)


def test_an_empty_installation_has_its_menu_and_no_page_of_what_is_not_there(
    app: Flask, database: Database
) -> None:
    names = [page.name for page in listed(app, database)]
    assert len(names) == len(set(names)) >= len(MENU) + 5
    assert not {"action", "proposal", "upload-check", "replay"} & set(names)


def test_every_page_opens_in_both_languages(
    app: Flask, database: Database, full: None, admin_cookie: str
) -> None:
    stranger, admin = app.test_client(), app.test_client()
    admin.set_cookie("frontdesk", admin_cookie, path="/admin")
    for page in listed(app, database):
        for lang in ("en", "zh"):
            client = stranger if page.public else admin
            answer = client.get(page.path.format(lang=lang), headers={"Accept-Language": lang})
            assert answer.status_code == 200, page
            assert answer.mimetype == "text/html", page
