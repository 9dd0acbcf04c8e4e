"""Which of the snapshot's pairs the search is fitted on."""

from __future__ import annotations

from types import SimpleNamespace

from chatbot.learning.search_fitting import asked_by_customers


def test_an_articles_own_title_and_questions_are_nothing_to_fit_on():
    own = {"query": "What if it is damaged?", "article": "damage", "lang": "en", "own": True}
    asked = {"query": "my parcel is smashed", "article": "damage", "lang": "en"}
    assert asked_by_customers(SimpleNamespace(pairs=[own, asked])) == [asked]
