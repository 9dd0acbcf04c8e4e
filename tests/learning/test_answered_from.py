from __future__ import annotations

from chatbot.learning.answered_from import ArticleFinder

FINDER = ArticleFinder(
    [
        ("refund", "en", "Refunds arrive within 3 working days on the original payment method."),
        ("return", "en", "You may return an item within 30 days of delivery. The label is in the parcel."),
        ("hours", "en", "The shop in Rotterdam is open from 9:00 to 18:00, Sunday closed."),
        ("refund", "zh", "退款会在 3 个工作日内退回原支付账户。"),
        ("return", "zh", "签收后 30 天内可以退货，包裹里有退货标签。"),
    ]
)


def test_an_answer_leads_to_the_article_it_was_taken_from():
    found = FINDER.find("It takes 3 working days, back on your original payment method", lang="en")
    assert found is not None and found.article == "refund" and found.margin > 0.1
    found = FINDER.find("亲，30天内都可以退货的，标签在包裹里", lang="zh")
    assert found is not None and found.article == "return"


def test_small_talk_is_taken_from_nowhere():
    assert FINDER.find("One moment please", lang="en") is None
    assert FINDER.find("ok", lang="zh") is None


def test_a_language_without_articles_finds_nothing():
    assert FINDER.find("Les remboursements arrivent en trois jours", lang="fr") is None
