"""The conversations that follow-ups are tuned on: in their format, true to the articles, and no tuning questions."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from typing import Any

import pytest
import yaml

from chatbot.dialogue.weighing import SMALLTALK_INTENTS
from chatbot.learning.conversations_played import load_conversations
from chatbot.learning.questions import states_facts
from ingest.demo import company

DEMO = resources.files("ingest.demo")
INTENT_OF = {
    intent["article"]: intent["name"]
    for intent in yaml.safe_load((DEMO / "intents.yaml").read_text(encoding="utf-8"))
    if intent["article"]
}
CONVERSATIONS: list[dict[str, Any]] = [
    json.loads(line) for line in company.tuning_conversations().read_text(encoding="utf-8").splitlines()
]
TURNS = [(conversation["lang"], turn) for conversation in CONVERSATIONS for turn in conversation["turns"]]
REQUESTS = [(lang, request) for lang, turn in TURNS for request in turn.get("requests", [turn])]


def _article(slug: str, lang: str) -> str:
    return (DEMO / "articles" / lang / f"{slug}.md").read_text(encoding="utf-8")


def test_each_hand_wrote_10_to_50_a_language_and_each_has_three_to_seven_turns() -> None:
    hands = Counter((c["id"].partition("-")[0], c["lang"]) for c in CONVERSATIONS)
    assert hands == {(hand, lang): 30 for hand in ("k", "ka", "kb") for lang in ("en", "zh")} | {
        ("kc", "en"): 40,
        ("kd", "en"): 40,
        ("kd", "zh"): 30,
        ("ke", "en"): 50,
        ("kf", "en"): 50,
        ("kg", "en"): 20,
        ("kg", "zh"): 30,
        ("kh", "en"): 10,
        ("kh", "zh"): 10,
    } | {(hand, lang): 22 for hand in ("kn", "ko") for lang in ("en", "zh")}
    assert all(3 <= len(c["turns"]) <= 7 for c in CONVERSATIONS)
    loaded = load_conversations(company.tuning_conversations())
    assert [len(c.turns) for c in loaded] == [len(c["turns"]) for c in CONVERSATIONS]


def test_nothing_is_there_twice_but_a_short_message_nor_a_tuning_question() -> None:
    lines = company.tuning_questions().read_text(encoding="utf-8").splitlines()
    ids = Counter(c["id"] for c in CONVERSATIONS)
    texts = Counter(turn["text"].casefold() for _, turn in TURNS)
    assert [value for value, count in ids.items() if count > 1] == []
    twice = [text for text, count in texts.items() if count > 1]
    assert (
        max(texts.values()) == 2 and all(len(text) < 40 for text in twice) and len(twice) < 0.01 * len(texts)
    )
    assert texts.keys() & {json.loads(line)["text"].casefold() for line in lines} == set()


def test_a_request_names_an_article_with_its_intent_or_is_small_talk() -> None:
    for _, request in REQUESTS:
        assert request["facts"].keys() == {"must", "must_not"}, request
        if request["article"] is not None:
            assert request["intent"] == INTENT_OF.get(request["article"]), request
            assert 1 <= len(request["facts"]["must"]) <= 2, request
            continue
        assert request["facts"] == {"must": [], "must_not": []}, request
        assert request["intent"] in (SMALLTALK_INTENTS if request["answerable"] else {None}), request


def test_every_fact_is_first_spelled_as_its_article_spells_it() -> None:
    for lang, request in REQUESTS:
        if request["article"] is None:
            continue
        text = _article(request["article"], lang)
        for other in request.get("also_articles", []):
            assert _article(other, lang)
        for spellings in request["facts"]["must"]:
            assert states_facts(text, [spellings[:1]], ()), (request, spellings)
            assert all(states_facts(one, (), request["facts"]["must_not"]) for one in spellings), request


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_article_is_asked_about_and_a_seventh_of_the_turns_has_no_answer(lang: str) -> None:
    asked = {request["article"] for spoken, request in REQUESTS if spoken == lang} - {None}
    assert asked == {path.name.removesuffix(".md") for path in (DEMO / "articles" / lang).iterdir()}
    answerable = Counter(turn["answerable"] for spoken, turn in TURNS if spoken == lang)
    assert 0.12 <= answerable[False] / answerable.total() <= 0.18
