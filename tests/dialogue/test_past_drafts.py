"""Past answers as drafts: what is filled, what is verified today, what comes before the written draft."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from chatbot.dialogue.past_drafts import Approved, PastDraft, PastDrafting, filled, past_drafts
from chatbot.dialogue.trace import Check, Classification, Draft, Hit, IntentGuess, Message, PartTrace, Trace
from chatbot.dialogue.weighing import KnownIntent
from chatbot.inference.rank import RankedAnswer
from chatbot.inference.reply_choice import ChoiceWeights

HIT = Hit(7, 1, "refunds", "Refunds", "Refunds", "/r", "A refund takes 5 working days.", "en", 0.9, 1, 1)
OTHER = replace(HIT, passage_id=8, article_id=2, title_path="Repairs", text="A repair takes 3 weeks.")
ASKED = [Message("customer", "how long is a refund?")]
TRUE, FALSE = "A refund takes 5 working days.", "A refund takes 9 working days."
WRITTEN = Draft("Refunds take 5 working days.", -1.0, (7,), check=Check(True))


class Past:
    """Finds what it was given; ``scores`` of other texts are 0."""

    bias = 0.0

    def __init__(self, *found: RankedAnswer) -> None:
        self.found = list(found)
        self.weights = ChoiceWeights(rank=0.5, times=0.0, written=0.0, length=0.0)

    def search(self, turns: Sequence[Message], *, lang: str, k: int) -> list[RankedAnswer]:
        return self.found[:k]

    def scores(self, turns: Sequence[Message], texts: Sequence[str]) -> NDArray[np.float32]:
        known = {one.text: one.score for one in self.found}
        return np.array([known.get(text, 0.0) for text in texts], np.float32)

    def times(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.zeros(len(texts), np.float32)


class Likely:
    """Finds each reply as likely as it was told."""

    def __init__(self, **by_first_word: float) -> None:
        self.by_first_word = by_first_word

    def score(
        self, history: Sequence[Message], sources: Sequence[str], replies: Sequence[str], **_: object
    ) -> list[float]:
        assert "5 working days" in sources[0]
        return [self.by_first_word[reply.split()[0]] for reply in replies]

    def lengths(self, replies: Sequence[str]) -> list[int]:
        return [len(reply.split()) + 1 for reply in replies]


def drafts(*found: RankedAnswer, **more: object) -> list[PastDraft]:
    return past_drafts(Past(*found), ASKED, [HIT], lang="en", **more)  # type: ignore[arg-type]


def test_an_answer_that_an_article_holds_is_verified_with_that_source() -> None:
    [one] = drafts(RankedAnswer(TRUE, 5.0, 1))
    assert one.verified and one.source is not None
    assert (one.source.title, one.source.quote) == ("Refunds", HIT.text)
    assert one.times == 1


def test_an_answer_with_another_number_is_unverified_and_must_have_been_said_twice() -> None:
    [one] = drafts(RankedAnswer(FALSE, 5.0, 4), RankedAnswer("A refund takes 8 working days.", 4.0, 1))
    assert (one.text, one.times, one.verified, one.leads) == (FALSE, 4, False, False)


def test_an_approved_answer_verifies_too() -> None:
    [one] = drafts(RankedAnswer(FALSE, 5.0, 1), approved=[Approved("Refund time", FALSE)])
    assert one.source is not None and one.source.title == "Refund time" and one.leads
    unlikely = [Approved("Hours", "We open at nine."), Approved("Refund time", FALSE)]
    [one] = drafts(RankedAnswer(FALSE, 5.0, 1), approved=unlikely)
    assert one.verified and not one.leads


def test_an_article_found_with_the_answers_words_verifies_but_does_not_lead() -> None:
    [one] = drafts(RankedAnswer("A repair takes 3 weeks.", 5.0, 1), find=lambda text: [OTHER])
    assert one.verified and not one.leads


@pytest.mark.parametrize(("past", "leads"), [(-0.5, True), (-2.0, False)])
def test_a_verified_answer_that_is_worth_more_than_the_written_draft_leads(past: float, leads: bool) -> None:
    [one] = drafts(RankedAnswer(TRUE, 2.0, 3), written=WRITTEN, scores=Likely(A=past, Refunds=-1.0))
    assert one.leads is leads


def test_an_unverified_answer_never_leads_and_verified_ones_come_first() -> None:
    first, second = drafts(
        RankedAnswer(FALSE, 9.0, 50),
        RankedAnswer(TRUE, 1.0, 1),
        written=WRITTEN,
        scores=Likely(A=0.0, Refunds=-9.0),
    )
    assert (first.text, first.leads) == (TRUE, True)
    assert (second.text, second.leads) == (FALSE, False)


def test_at_most_two_and_none_that_is_shown_already() -> None:
    found = [RankedAnswer(f"A refund takes {days} weeks.", 5.0 - days, 3) for days in range(4)]
    assert [one.text for one in drafts(*found, shown=["a refund takes 0 weeks"])] == [
        "A refund takes 1 weeks.",
        "A refund takes 2 weeks.",
    ]


def test_a_placeholder_is_filled_from_the_customers_own_words_where_there_is_one_value() -> None:
    answer = "Order [ORDER] was sent."
    assert filled(answer, ["my order is [ORDER_2]"]) == "Order [ORDER_2] was sent."
    assert filled(answer, ["where is my order?"]) is None
    assert filled(answer, ["[ORDER] or [ORDER_2]?"]) is None
    assert filled(answer, ["[ORDER], I said [ORDER]!"]) == "Order [ORDER] was sent."
    assert drafts(RankedAnswer(answer, 9.0, 9)) == []


class Lookup:
    def intents(self, names: Sequence[str], lang: str) -> dict[str, KnownIntent]:
        assert names == ["refund_time"]
        return {"refund_time": KnownIntent("refund_time", "Refund time", article_slug=None, approved=FALSE)}

    def passages(self, article_slug: str, lang: str) -> list[Hit]:
        return []


class Search:
    def search(self, query: str, *, lang: str, history: Sequence[Message] = (), k: int = 5) -> list[Hit]:
        return [HIT]

    def encode(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32]:
        return np.ones((len(texts), 1), np.float32)


@pytest.mark.parametrize(("nearness", "leads"), [(0.9, True), (0.8, True), (0.79, False)])
def test_a_past_answer_that_is_farther_from_the_question_than_the_draft_does_not_lead(
    nearness: float, leads: bool
) -> None:
    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        """The question, the past answer, and the draft's sentences."""
        cosines = np.array([1.0, nearness, *[0.8] * (len(texts) - 2)], np.float32)
        return np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)

    [one] = drafts(
        RankedAnswer(TRUE, 2.0, 3), written=WRITTEN, scores=Likely(A=-0.5, Refunds=-1.0), encode=encode
    )
    assert one.leads is leads


def test_to_an_orders_number_alone_no_past_answer_is_offered() -> None:
    for text, offered in (("[ORDER]", 0), ("[ORDER] and when is the refund?", 1)):
        turns = [Message("customer", "Where is my refund?"), Message("bot", "…"), Message("customer", text)]
        found = past_drafts(Past(RankedAnswer(TRUE, 5.0, 1)), turns, [HIT], lang="en")
        assert len(found) == offered


def test_a_trace_gives_the_hits_the_guess_and_the_draft_to_beat() -> None:
    guess = Classification((IntentGuess("refund_time", 0.9, "Refund time"),), 0.9)
    part = PartTrace(ASKED[0].text, "en", guess, (HIT,), WRITTEN, "generated", "sure", "")
    trace = Trace("r", "drafts_only", {}, (part,))
    past = Past(RankedAnswer(TRUE, 1.0, 2), RankedAnswer(FALSE, 0.5, 2))
    drafting = PastDrafting(
        lambda: past, search=Search(), lookup=Lookup(), scores=Likely(A=0.0, Refunds=-1.0)
    )
    first, second = drafting.drafts(ASKED, trace)
    assert first.source is not None and first.source.title == "Refunds" and first.leads
    assert second.source is not None and second.source.title == "Refund time"  # approved today
    assert drafting.drafts([], trace) == []
