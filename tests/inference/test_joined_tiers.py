"""Two tiers' answers as one: what both say together, and what is left of it when one says nothing."""

from __future__ import annotations

import pytest

from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.inference.classifier_config import Blend
from chatbot.inference.classify_states import joined


def said(in_scope: float = 0.9, **confidences: float) -> Classification:
    ranked = sorted(confidences.items(), key=lambda item: -item[1])
    return Classification(tuple(IntentGuess(name, value) for name, value in ranked), in_scope)


def test_what_both_find_likely_beats_what_only_one_believes():
    fast = said(refund=0.5, cancel=0.45, status=0.05)
    accurate = said(status=0.5, cancel=0.45, refund=0.05)
    both = joined(fast, accurate, Blend(share=0.5))
    assert both.ranked[0].name == "cancel"
    assert sum(guess.confidence for guess in both.ranked) == pytest.approx(1.0)


def test_the_whole_share_is_the_accurate_tier_alone():
    accurate = said(status=0.7, refund=0.3)
    assert joined(said(refund=0.9), accurate, Blend()) is accurate


def test_scope_lies_between_what_the_tiers_say_of_it():
    both = joined(said(0.2, refund=0.9), said(0.9, refund=0.8), Blend(share=0.5))
    assert 0.2 < both.in_scope < 0.9


def test_sharpness_makes_the_likely_likelier():
    fast, accurate = said(refund=0.6, cancel=0.4), said(refund=0.6, cancel=0.4)
    plain, sharp = (joined(fast, accurate, Blend(0.5, sharpness)) for sharpness in (1.0, 2.0))
    assert sharp.ranked[0].confidence > plain.ranked[0].confidence == pytest.approx(0.6)
