"""What is said behind an answer that may lack what was asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chatbot.dialogue.additions import LIKELY, Additions
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import Decision
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import Candidate

HOURS = "The shop is open from 10:00 to 18:00. Chinese is spoken on Fridays and Saturdays. Dogs may come in."
NEWS = "To unsubscribe, click Unsubscribe below any newsletter. It takes effect within 2 days."
PLAN = "Unsubscribing from the newsletter does not cancel the subscription. Cancel it in your account."
WORDS = ("open", "chinese", "dogs", "unsubscrib", "cancel", "effect")


def encode(texts):
    """A direction for each of WORDS, and one for anything else."""
    rows = [[float(word in text.lower()) for word in WORDS] for text in texts]
    vectors = np.array([[*row, 0.5 * (not any(row))] for row in rows], np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def passage(number, slug, text):
    return Hit(number, number, slug, slug, slug, f"https://x.example/{slug}", text, "en", 0.9, 0.0, 0.0)


HITS = {
    slug: [passage(n, slug, text)]
    for n, (slug, text) in enumerate({"hours": HOURS, "news": NEWS, "plan": PLAN}.items())
}


def behind(question, decision, ranked=(), sent=()):
    asked = Additions(
        question, passages_of=lambda slug, lang: HITS.get(slug, []), encode=encode, lang="en", general=True
    )
    return asked.behind(decision, ranked, sent)


def candidate(slug, probability=0.9, **more):
    return Candidate(probability, slug.title(), article_slug=slug, hit=HITS[slug][0], **more)


def approved(text, kind="approved", **more):
    return Decision(kind, "sure", "", 0.9, candidate("hours", approved=text), **more)


def test_behind_an_approved_answer_stands_the_sentence_of_its_article_that_was_asked_for():
    added = behind("When is Chinese spoken?", approved("We are open from 10:00 to 18:00."))
    assert added.text == phrase("also_there", "en") + "Chinese is spoken on Fridays and Saturdays."
    assert added.hit == HITS["hours"][0]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When are you open?", "The shop is open from 10:00 to 18:00."),  # it has the words already
        ("When are you open?", "Come by, we are open most days."),  # as near as the article's own
    ],
)
def test_nothing_stands_behind_an_answer_that_says_it(question, text):
    assert behind(question, approved(text)) is None


def test_behind_an_answer_that_is_said_again_stands_what_it_lacks_however_near_it_is():
    text = "Come by, we are open most days."
    assert behind("When are you open?", approved(text)) is None
    again = replace(approved(text), rule="said_again", told=text)
    assert behind("When are you open?", again).text.endswith("The shop is open from 10:00 to 18:00.")


def test_a_passage_is_followed_by_what_another_one_says():
    shown = passage(7, "hours", "The shop is open from 10:00 to 18:00.")
    best = replace(candidate("hours"), hit=shown)
    added = behind("May dogs come in?", Decision("passage", "sure", "", 0.9, best))
    assert added.text.endswith("Dogs may come in.")


@pytest.mark.parametrize("rule", ["perhaps", "torn", "action"])
def test_what_is_no_answer_has_nothing_behind_it(rule):
    assert behind("When is Chinese spoken?", replace(approved("We are open."), rule=rule)) is None
    assert behind("When is Chinese spoken?", replace(approved("We are open."), kind="choices")) is None


def test_behind_what_is_said_again_stands_what_the_next_candidate_says():
    ranked = [candidate("news", 0.95), candidate("plan", LIKELY)]
    again = Decision("generated", "said_again", "", 0.95, ranked[0], told=NEWS)
    question = "If I unsubscribe, does that cancel my beans?"
    added = behind(question, again, ranked, [NEWS])
    assert added.text.startswith(phrase("other_reading", "en").format(title="Plan"))
    assert "does not cancel the subscription" in added.text and added.hit == HITS["plan"][0]

    assert behind(question, replace(again, rule="sure"), ranked, [NEWS]) is None  # not the first time
    unlikely = [ranked[0], candidate("plan", LIKELY / 2)]
    assert behind(question, again, unlikely, [NEWS]) is None
    assert behind(question, again, ranked, [NEWS, PLAN]) is None  # told before
    assert behind(question, again, [ranked[0], candidate("news", 0.04)], [NEWS]) is None
    assert behind(question, again, ranked[:1], [NEWS]) is None
