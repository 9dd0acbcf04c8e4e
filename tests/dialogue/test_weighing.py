"""Classifier and search weighed against each other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.dialogue.trace import Classification, Hit, IntentGuess
from chatbot.dialogue.weighing import (
    ARTICLE_LABEL,
    Behind,
    KnownIntent,
    Weighing,
    Weights,
    gather,
    length_of,
    weigh,
)
from chatbot.errors import BundleError

KNOWN = {
    "refund_time": KnownIntent("refund_time", "Refund time", "refund-time", None),
    ARTICLE_LABEL + "beans": KnownIntent(ARTICLE_LABEL + "beans", "Beans", "beans", None),
    "gossip": KnownIntent("gossip", "Gossip", None, None),
    "thanks": KnownIntent("thanks", "Thanks", None, "You are welcome."),
}
probabilities = st.floats(0, 1)


def hit(slug: str, score: float) -> Hit:
    return Hit(1, 1, slug, slug, slug, "", "text", "en", score, 0.0, 0.0)


def said(*guesses: tuple[str, float], in_scope: float = 1.0) -> Classification:
    return Classification(tuple(IntentGuess(name, p) for name, p in guesses), in_scope)


def test_an_intent_and_its_article_are_one_candidate():
    found = gather(said(("refund_time", 0.7)), KNOWN, [hit("refund-time", 0.4)])
    assert [(c.intent, c.by_classifier, c.by_search) for c in found] == [("refund_time", 0.7, 0.4)]


def test_an_article_without_intent_is_a_candidate_without_intent():
    (found,) = gather(said((ARTICLE_LABEL + "beans", 0.7)), KNOWN, [])
    assert (found.intent, found.article_slug) == (None, "beans")


def test_small_talk_and_intents_with_nothing_to_say_are_no_candidates():
    assert gather(said(("gossip", 0.9), ("thanks", 0.05), ("unheard_of", 0.01)), KNOWN, []) == []


def test_agreement_makes_surer_and_doubt_about_the_scope_less_sure():
    weights = Weights()
    agreed = gather(said(("refund_time", 0.6)), KNOWN, [hit("refund-time", 0.5)])
    split = gather(said(("refund_time", 0.6)), KNOWN, [hit("beans", 0.5)])
    sure = weigh([Behind(agreed)], in_scope=0.9, weights=weights)[0].probability
    assert sure > weigh([Behind(split)], in_scope=0.9, weights=weights)[0].probability
    assert sure > weigh([Behind(agreed)], in_scope=0.1, weights=weights)[0].probability


@given(probabilities, probabilities, probabilities, probabilities, st.sampled_from([None, Weights()]))
def test_probabilities_are_ordered_and_the_best_two_claim_no_more_than_everything(a, b, c, scope, weights):
    found = gather(said(("refund_time", a), in_scope=scope), KNOWN, [hit("refund-time", b), hit("beans", c)])
    ranked = weigh([Behind(found)], in_scope=scope, weights=weights)
    values = [candidate.probability for candidate in ranked]
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= 1 for value in values) and sum(values[:2]) <= 1 + 1e-9


def test_an_article_that_was_written_since_is_not_ruled_out_by_a_classifier_that_cannot_know_it():
    guessed = said(("refund_time", 0.9))
    hits = [hit("gift-wrapping", 0.97), hit("refund-time", 0.02)]

    def best(trained_on: set[str] | None) -> tuple[str | None, float]:
        found = gather(guessed, KNOWN, hits, trained_on=trained_on)
        first = weigh([Behind(found)], in_scope=0.9, weights=Weights())[0]
        return first.article_slug, first.probability

    slug, sure = best({"refund-time", "beans"})
    assert slug == "gift-wrapping" and sure > 0.8
    assert best({"refund-time", "gift-wrapping"}) == best(None) and best(None)[0] == "refund-time"
    faint = gather(
        guessed, KNOWN, [hit("refund-time", 0.3), hit("gift-wrapping", 0.1)], trained_on={"refund-time"}
    )
    assert weigh([Behind(faint)], in_scope=0.9, weights=Weights())[0].article_slug == "refund-time"


def test_what_was_answered_last_can_answer_again_though_nobody_named_it():
    (found,) = gather(said(("gossip", 0.9)), KNOWN, [], "refund_time")
    assert (found.intent, found.stays, found.by_classifier) == ("refund_time", True, 0.0)
    named = gather(said(("refund_time", 0.7)), KNOWN, [hit("beans", 0.5)], "refund_time")
    assert [(c.article_slug, c.stays) for c in named] == [("refund-time", True), ("beans", False)]
    assert gather(said(("gossip", 0.9)), KNOWN, [], "thanks") == []


def test_a_few_words_stay_with_the_subject_and_a_whole_question_leaves_it():
    weights = Weights(stay=6.0, stay_long=-2.0, stay_inside=1.0)
    found = gather(said(("refund_time", 0.05)), KNOWN, [hit("beans", 0.7)], "refund_time")

    def best(words: float, in_scope: float = 0.9) -> str | None:
        return weigh([Behind(found)], in_scope=in_scope, weights=weights, words=words)[0].article_slug

    assert (best(3), best(14), best(3, in_scope=0.02)) == ("refund-time", "beans", "beans")


def test_behind_a_question_back_each_topic_counts_as_it_is_likely_and_as_the_message_fits_it():
    weights = Weights(stay=3.0)
    said_nothing = said(("gossip", 0.9))

    def behind(topic: str, share: float) -> Behind:
        return Behind(gather(said_nothing, KNOWN, [hit("beans", 0.2)], topic), share=share)

    def best(*versions: Behind) -> dict[str | None, float]:
        ranked = weigh(versions, in_scope=0.9, weights=weights)
        return {candidate.article_slug: candidate.probability for candidate in ranked}

    beans = ARTICLE_LABEL + "beans"
    alone, sure = best(behind("nothing", 1.0)), best(behind("refund_time", 1.0))
    torn = best(behind("refund_time", 0.5), behind("nothing", 0.5))
    assert sure["refund-time"] > torn["refund-time"] > alone.get("refund-time", 0.0)
    assert sum(torn.values()) < 1
    assert best(behind("refund_time", 1.0), behind(beans, 0.0)) == sure, (
        "what is out of the question says nothing"
    )
    # "beans" has a passage as well: behind them more fits, which makes them likelier than half
    fits = best(behind("refund_time", 0.5), behind(beans, 0.5))
    assert fits["beans"] > fits["refund-time"]


@pytest.mark.parametrize(
    ("text", "length"), [("and in a shop?", 4), ("那门店呢", 2), ("那 Crane Duo 呢", 4), ("", 0)]
)
def test_two_characters_of_chinese_count_as_a_word(text, length):
    assert length_of(text) == length


def test_weights_survive_saving(tmp_path):
    weighing = Weighing(
        {"en": Weights(classifier=0.4, nothing=-2.0, stay=5.5, stay_long=-1.25), "*": Weights()},
        frozenset({"beans"}),
    )
    weighing.save(tmp_path / "weighing.json")
    loaded = Weighing.load(tmp_path / "weighing.json")
    assert loaded == weighing
    assert loaded.weights("fr") == Weights()
    body = json.loads((tmp_path / "weighing.json").read_text())
    (tmp_path / "weighing.json").write_text(json.dumps({k: v for k, v in body.items() if k != "articles"}))
    assert Weighing.load(tmp_path / "weighing.json").articles is None, "a release of before"
    (tmp_path / "weighing.json").write_text("{}")
    with pytest.raises(BundleError):
        Weighing.load(tmp_path / "weighing.json")
