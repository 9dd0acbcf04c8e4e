"""The audit log names what an entry is about in the reader's words and leads to its page; an error page leads back."""

from __future__ import annotations

from typing import Any

import pytest

from chatbot.records import audit
from chatbot.records.database import Database


@pytest.fixture
def noted(database: Database) -> None:
    with database.write() as session:
        for subject in (
            "article 12: Returns & refunds",
            "release r20261120-1",
            "site default",
            "job 3: retrain",
            "article x: odd",
            "KC-1 in conversation abc",
        ):
            audit.record(session, action="article.edit", subject=subject)


def test_what_an_entry_is_about_is_told_in_the_readers_language(noted: None, signed_in: Any) -> None:
    admin = signed_in("admin")
    english = admin.get("/admin/audit").text
    assert '<a href="/admin/articles/12">Article 12 · Returns &amp; refunds</a>' in english
    assert '<a href="/admin/releases/r20261120-1">Release r20261120-1</a>' in english
    assert '<a href="/admin/jobs/3">Job 3 · Retraining</a>' in english
    chinese = admin.get("/admin/audit", headers={"Accept-Language": "zh"}).text
    assert ">文章 12 · Returns &amp; refunds</a>" in chinese and ">站点 default</span>" in chinese


def test_what_has_no_page_or_no_known_form_stays_as_it_was_written(noted: None, signed_in: Any) -> None:
    page = signed_in("admin").get("/admin/audit").text
    assert ">Site default</span>" in page and ">Article x · odd</span>" in page
    assert ">KC-1 in conversation abc</span>" in page


@pytest.mark.parametrize(
    ("referrer", "back"),
    [
        ("http://localhost/admin/articles?q=a", '<a href="/admin/articles?q=a">Back to where you were</a>'),
        ("http://localhost/admin/articles/99", None),  # the page itself
        ("http://elsewhere.example/admin/articles", None),
        ("http://localhost//elsewhere.example/admin/", None),
        ("http://localhost/admin/", None),  # the overview is there anyway
        (None, None),
    ],
)
def test_an_error_page_leads_back_within_our_own_pages_alone(
    signed_in: Any, referrer: str | None, back: str | None
) -> None:
    headers = {"Accept": "text/html"} | ({"Referer": referrer} if referrer else {})
    answer = signed_in("admin").get("/admin/articles/99", headers=headers)
    assert answer.status_code == 404 and '<a href="/admin/">Overview</a>' in answer.text
    assert (back in answer.text) if back else ("Back to where you were" not in answer.text)
