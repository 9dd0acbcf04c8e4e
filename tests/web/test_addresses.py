"""A citation always leads to the words it cites."""

from __future__ import annotations

import pytest

from chatbot.dialogue.trace import Classification, Hit, PartTrace, Reply, ReplyPart, Source, Trace
from web.addresses import absolute, with_help_pages

HIT = Hit(7, 3, "refund time", "Refunds", "Returns › Refunds", "", "Three days.", "zh", 0.9, 1.0, 0.8)


def cited(url: str, quote: str = "Three days.") -> str:
    part = ReplyPart("Three days.", "passage", 0.9, sources=(Source("Returns › Refunds", url, quote),))
    decided = PartTrace("q", "zh", Classification((), 0.9), (HIT,), None, "passage", "sure", "because")
    reply = with_help_pages(Reply((part,)), Trace("r1", "approved_and_cited", {}, (decided,)))
    return reply.parts[0].sources[0].url


@pytest.mark.parametrize("url", ["", "https://shop.example/help/refunds", "https://a.invalid/x"])
def test_an_article_without_a_page_that_can_be_reached_is_shown_by_our_own(url: str) -> None:
    assert cited(url) == "/help/zh/refund%20time"


@pytest.mark.parametrize(
    "url", ["https://shop.com/help/refunds", "https://shop.example.com/x", "/help/en/other"]
)
def test_a_page_of_the_companys_own_is_kept(url: str) -> None:
    assert cited(url) == url


def test_a_source_that_was_no_hit_is_left_as_it_is() -> None:
    assert cited("", quote="Other words.") == ""


def test_clients_elsewhere_get_whole_addresses_and_the_stored_reply_stays() -> None:
    stored = {
        "text": "x",
        "parts": [{"sources": [{"url": "/help/zh/a"}, {"url": "https://shop.com/b"}, {"url": ""}]}],
    }
    sent = absolute(stored, "https://bot.shop.com")
    assert sent is not None
    urls = [source["url"] for source in sent["parts"][0]["sources"]]
    assert urls == ["https://bot.shop.com/help/zh/a", "https://shop.com/b", ""]
    assert stored["parts"][0]["sources"][0]["url"] == "/help/zh/a"  # type: ignore[index]
    assert absolute(None, "https://bot.shop.com") is None
