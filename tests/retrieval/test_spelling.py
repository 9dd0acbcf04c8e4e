"""Slips of the fingers in English, as they were meant."""

from __future__ import annotations

import pytest

from chatbot.retrieval.spelling import MOST, Spelling
from chatbot.retrieval.terms import terms

WORDS = (
    "the is it where what my has this these order return house mouse arrived today nice once money month about "
    "shipping address doors smith"
)
GENERAL = {word: place for place, word in enumerate(WORDS.split(), start=1)}
GENERAL |= {"tray": 9_000, "gust": 20_000}
PASSAGES = {"order": 9, "return": 7, "portafilter": 4, "tray": 2, "descal": 3, "month": 3}


def spread(word: str) -> int:
    return max((PASSAGES.get(term, 0) for term in terms(word)), default=0)


SPELLING = Spelling(GENERAL, spread)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("wher is my ordr, it hasnt arived", "where is my order, it hasnt arrived"),
        ("Whta is the shippping adress?", "What is the shipping address?"),
        ("my portafiter", "my portafilter"),  # the company's own word, and none of the dictionary's
        ("retrun it", "return it"),
        ("is it on the trayy", "is it on the tray"),
    ],
)
def test_one_slip_in_a_word_is_mended(written: str, meant: str) -> None:
    assert SPELLING.mended(written, lang="en") == meant


@pytest.mark.parametrize(
    "text",
    [
        "orders descaled the houses",  # inflected, or of a stem that passages have
        "I emailed Ordr about KC-204817, me@ordr.com, ordr.com/ordr and [ORDR]",
        "the gusst",  # what the dictionary has but rarely, and no passage
        "the fouse",  # "house" and "mouse" are as likely
        "tofay",  # a key beside the right one: only what passages have is sure enough
        "smth noce",  # of four letters only with one more, and one that passages have
        "thats whats wont ill",
        "退货 ordr",
    ],
)
def test_what_is_no_slip_or_an_uncertain_one_stays(text: str) -> None:
    mended = SPELLING.mended(text, lang="en")
    assert mended == text.replace("退货 ordr", "退货 order")


def test_only_english_is_mended_and_only_with_a_dictionary() -> None:
    assert SPELLING.mended("ordr", lang="de") == "ordr" == Spelling().mended("ordr", lang="en")


def test_a_message_of_slips_costs_no_more_than_so_many_words() -> None:
    assert SPELLING.mended("ordr " * (MOST + 2), lang="en").split().count("order") == MOST


def test_knowledge_that_comes_and_goes_is_seen_at_once() -> None:
    found = dict(PASSAGES)
    live = Spelling(GENERAL, lambda word: max((found.get(term, 0) for term in terms(word)), default=0))
    assert live.mended("the ordir", lang="en") == "the order"
    found["ordir"] = 1
    assert live.mended("the ordir", lang="en") == "the ordir"
