"""The demo company's test set: what it must hold, and that the past conversations do not give it away."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from importlib import resources
from typing import Any

import yaml

DEMO = resources.files("ingest.demo")
KINDS = {"plain", "indirect", "typo", "long", "mixed", "oos"}
MAX_SHARED = 0.6  # of a question's words that one past customer message may hold
SMALLTALK = {"greeting", "thanks", "goodbye", "talk_to_person"}


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


QUESTIONS = _lines("test_questions.jsonl")
CONVERSATIONS = _lines("test_conversations.jsonl")
TURNS = [turn for conversation in CONVERSATIONS for turn in conversation["turns"]]
TOPICS = {
    topic["slug"]: topic for topic in yaml.safe_load((DEMO / "topics.yaml").read_text(encoding="utf-8"))
}
INTENT_ARTICLES = {
    intent["name"]: intent["article"]
    for intent in yaml.safe_load((DEMO / "intents.yaml").read_text(encoding="utf-8"))
}
INTENT_OF = {article: name for name, article in INTENT_ARTICLES.items() if article}


def _normalised(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def _units(text: str, lang: str) -> set[str]:
    """The set of lower-cased words (English) or character bigrams without punctuation (Chinese)."""
    text = unicodedata.normalize("NFKC", text).lower()
    if lang == "en":
        return set(re.findall(r"\w+(?:['’]\w+)*", text))
    letters = re.sub(r"[\W_]+", "", text)
    return {letters[i : i + 2] for i in range(len(letters) - 1)}


def _requests() -> list[tuple[str, dict[str, Any]]]:
    """(language, request) for every question and every answerable turn, each request of a turn apart."""
    found = [(question["lang"], question) for question in QUESTIONS]
    for conversation in CONVERSATIONS:
        for turn in conversation["turns"]:
            found.extend((conversation["lang"], request) for request in turn.get("requests", [turn]))
    return found


def test_there_are_200_questions_half_chinese_and_40_out_of_scope() -> None:
    counts = Counter((q["lang"], q["intent"] == "oos") for q in QUESTIONS)
    assert counts == {("en", False): 80, ("zh", False): 80, ("en", True): 20, ("zh", True): 20}
    assert {q["kind"] for q in QUESTIONS} == KINDS
    assert all((q["kind"] == "oos") == (q["intent"] == "oos") for q in QUESTIONS)


def test_questions_cover_every_topic_in_both_languages() -> None:
    for lang in ("en", "zh"):
        assert {q["article"] for q in QUESTIONS if q["lang"] == lang} - {None} == set(TOPICS)
    with_intent = sum(q["article"] is not None and q["intent"] is not None for q in QUESTIONS)
    assert 0.55 <= with_intent / 160 <= 0.65


def test_there_are_60_conversations_of_two_to_five_turns_half_chinese() -> None:
    assert Counter(c["lang"] for c in CONVERSATIONS) == {"en": 30, "zh": 30}
    assert all(2 <= len(c["turns"]) <= 5 for c in CONVERSATIONS)
    assert len(TURNS) >= 170
    assert sum(not turn["answerable"] for turn in TURNS) >= 20
    assert sum(len(turn.get("requests", [])) > 1 for turn in TURNS) >= 4


def test_nothing_is_there_twice() -> None:
    ids = [item["id"] for item in QUESTIONS + CONVERSATIONS]
    texts = [_normalised(item["text"]) for item in QUESTIONS + TURNS]
    for values in (ids, texts):
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_every_article_and_intent_exists_and_they_belong_together() -> None:
    for _, request in _requests():
        article, intent = request["article"], request["intent"]
        assert {article, *request.get("also_articles", [])} - {None} <= set(TOPICS), request
        if article is None:
            assert intent in {None, "oos", *SMALLTALK}, request
        else:
            assert intent == INTENT_OF.get(article), request


def test_only_requests_about_an_article_state_facts() -> None:
    for _, request in _requests():
        facts = request["facts"]
        assert set(facts) == {"must", "must_not"}
        if request["article"] is None:
            assert facts == {"must": [], "must_not": []}, request
        else:
            assert 1 <= len(facts["must"]) <= 3, request
            assert all(group and all(spelling.strip() for spelling in group) for group in facts["must"]), (
                request
            )


def test_unanswerable_turns_name_no_article() -> None:
    for turn in TURNS:
        if not turn["answerable"]:
            assert turn["article"] is None and turn["intent"] is None, turn
        elif turn["article"] is None:
            assert turn["intent"] in SMALLTALK, turn


def test_english_facts_come_from_the_fact_sheet_and_never_forbid_it() -> None:
    """The fact sheet is English: the wanted strings can be checked there, the forbidden ones in both languages."""
    for lang, request in _requests():
        if request["article"] is None:
            continue
        slugs = [request["article"], *request.get("also_articles", [])]
        sheet = _normalised(" ".join(fact for slug in slugs for fact in TOPICS[slug]["facts"]))
        for group in request["facts"]["must"]:
            if lang == "en":
                assert any(_normalised(spelling) in sheet for spelling in group), (slugs, group)
        for forbidden in request["facts"]["must_not"]:
            assert _normalised(forbidden) not in sheet, (slugs, forbidden)


def test_no_question_repeats_more_than_half_of_its_words_from_its_title() -> None:
    for question in QUESTIONS:
        if question["article"]:
            lang = question["lang"]
            units = _units(question["text"], lang)
            title = _units(TOPICS[question["article"]][f"title_{lang}"], lang)
            assert len(units & title) <= len(units) / 2, question


def test_no_question_shares_most_of_its_words_with_a_past_customer_message(
    past: list[dict[str, Any]],
) -> None:
    bodies = sorted(
        {
            comment["body"]
            for ticket in past
            for comment in ticket["comments"]
            if comment["author_id"] == ticket["requester_id"]
        }
    )
    assert bodies
    given_away = []
    for lang in ("en", "zh"):
        holding: dict[str, list[int]] = defaultdict(list)  # unit -> numbers of the messages that hold it
        for number, body in enumerate(bodies):
            for unit in _units(body, lang):
                holding[unit].append(number)
        for question in QUESTIONS:
            if question["lang"] == lang:
                units = _units(question["text"], lang)
                shared = Counter(number for unit in units for number in holding.get(unit, ()))
                given_away += [
                    (question["id"], bodies[number])
                    for number, count in shared.items()
                    if count > MAX_SHARED * len(units)
                ]
    assert given_away == []
