"""Gaps, and articles that nobody is shown or that do not help: read from the bot's own turns, as it stored them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from chatbot.dialogue.trace import (
    Choice,
    Classification,
    Hit,
    PartTrace,
    Reply,
    ReplyKind,
    ReplyPart,
    Source,
    Trace,
)
from chatbot.learning.review import QuestionGroup, gaps
from chatbot.records import conversations, review
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import Article, Intent, Turn, utcnow

ASKS = Choice("Opening hours", "/article hours")


class Desk:
    """A knowledge of two articles in two languages, and customers who ask."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.articles: dict[tuple[str, str], int] = {}
        with database.write() as session:
            self.site = conversations.ensure_default_site(session).id
            for slug, lang in (("hours", "en"), ("hours", "zh"), ("returns", "en"), ("returns", "zh")):
                draft = ArticleDraft(slug, lang, f"{slug} {lang}", "text", (PassageDraft(slug, "text"),))
                self.articles[slug, lang] = put_article(session, draft)[0].id

    def hit(self, slug: str, score: float, lang: str = "en") -> Hit:
        return Hit(
            7, self.articles[slug, lang], slug, f"{slug} {lang}", "", f"/{slug}/{lang}", f"All about {slug}.",
            lang, score, score, score,
        )  # fmt: skip

    def ask(
        self,
        text: str,
        kind: ReplyKind = "unknown",
        *,
        confidence: float = 0.1,
        hits: tuple[Hit, ...] = (),
        source: Hit | None = None,
        down: bool = False,
        agent: str = "",
        at: datetime | None = None,
        lang: str = "en",
        talk: str | None = None,
    ) -> int:
        """The customer's turn; ``source``: the passage under the answer."""
        with self.database.write() as session:
            talk = (
                talk
                or conversations.start_conversation(
                    session, site_id=self.site, token_hash="x" * 64, locale=lang, now=at
                ).public_id
            )
            got = conversations.receive_message(
                session, talk, text=text, lang=lang, client_message_id=None, now=at
            )
            sources = (Source(source.title, source.url, source.text),) if source else ()
            part = ReplyPart("…", kind, confidence, sources=sources)
            decided = PartTrace(text, lang, Classification((), 0.5), hits, None, kind, "sure", "")
            trace = Trace("r", "approved_and_cited", {}, (decided,))
            reply, _ = conversations.store_reply(
                session, talk, to=got.turn.id, reply=Reply((part,)), trace=trace, lang=lang, now=at
            )
            assert reply is not None
            if down:
                conversations.give_feedback(session, talk, reply.id, vote="down", comment=None)
            if agent:
                session.add(Turn(conversation_id=got.turn.conversation_id, role="agent", text=agent))
            return got.turn.id

    def gaps(self) -> list[QuestionGroup]:
        with self.database.read() as session:
            return gaps(review.asked_questions(session))

    def idle(self) -> tuple[list[str], list[tuple[str, int, int]]]:
        """(titles never shown, (title, voted down, shown) of those that were voted down)."""
        with self.database.read() as session:
            never, disliked = review.idle_articles(session, review.asked_questions(session))
        return [one.title for one in never], [(one.title, one.voted_down, one.shown) for one in disliked]


@pytest.fixture
def desk(records: Database) -> Desk:
    return Desk(records)


def test_gaps_are_grouped_by_what_is_asked_and_the_most_asked_comes_first(desk: Desk) -> None:
    desk.ask("Do you repair toasters?", hits=(desk.hit("returns", 0.2), desk.hit("hours", 0.1)))
    for text in ("Can I rent a coffee machine?", "can I rent a coffee machine", "rent a coffee machine?"):
        desk.ask(text, "choices", hits=(desk.hit("hours", 0.3),), agent="Yes, for 20 euros a day.")
    desk.ask("能租咖啡机吗", hits=(desk.hit("hours", 0.3, "zh"),), lang="zh")
    first, *others = desk.gaps()
    assert (first.text, first.count) == ("Can I rent a coffee machine?", 3)
    assert (first.article, first.article_id) == ("hours", desk.articles["hours", "en"])
    assert (first.hit_score, first.suggestion) == (0.3, "Yes, for 20 euros a day.")
    assert first.coverage == 0.6
    assert {(one.text, one.article_id) for one in others} == {
        ("Do you repair toasters?", desk.articles["returns", "en"]),
        ("能租咖啡机吗", desk.articles["hours", "zh"]),
    }


def test_paraphrases_are_one_gap_where_an_encoder_knows_the_language(desk: Desk) -> None:
    for text in ("Do you rent bicycles?", "do u lend bikes", "is there parking"):
        desk.ask(text)
    desk.ask("有没有学生账户", lang="zh")
    desk.ask("可以开学生户头吗", lang="zh")
    assert len(desk.gaps()) == 5

    def encode(texts: Sequence[str], *, lang: str) -> NDArray[np.float32] | None:
        if lang != "en":
            return None
        return np.array([[0.0, 1.0] if "parking" in text else [1.0, 0.0] for text in texts], np.float32)

    with desk.database.read() as session:
        found = gaps(review.asked_questions(session), encode)
    assert [(one.text, one.count, one.examples) for one in found if one.lang == "en"] == [
        ("Do you rent bicycles?", 2, ("do u lend bikes",)),
        ("is there parking", 1, ()),
    ]
    assert len([one for one in found if one.lang == "zh"]) == 2


def test_a_question_for_which_nothing_was_found_at_all_is_a_gap(desk: Desk) -> None:
    desk.ask("xyzzy plugh")
    (one,) = desk.gaps()
    assert (one.article, one.article_id, one.hit_score, one.suggestion) == (None, None, 0.0, None)


@pytest.mark.parametrize("kind", ["approved", "smalltalk", "ask", "person"])
def test_what_needed_no_article_is_no_gap(desk: Desk, kind: ReplyKind) -> None:
    desk.ask("hello there", kind, hits=(desk.hit("hours", 0.1),))
    assert desk.gaps() == []


def test_a_good_hit_a_decision_and_time_end_a_gap(desk: Desk) -> None:
    desk.ask("when do you open", "passage", hits=(desk.hit("hours", 0.5),))
    desk.ask("what is your name", at=utcnow() - review.WINDOW - timedelta(days=1))
    turn = desk.ask("do you like tea")
    assert len(desk.gaps()) == 1
    with desk.database.write() as session:
        review.decide(session, [turn], action="oos", person_id=None, reason="t")
    assert desk.gaps() == []


def test_a_tapped_choice_is_no_gap_though_nobody_searched_for_it(desk: Desk) -> None:
    """What a customer chose is shown without a search: its passages have no score."""
    with desk.database.write() as session:
        talk = conversations.start_conversation(
            session, site_id=desk.site, token_hash="x" * 64, locale="en"
        ).public_id
        asked = conversations.receive_message(session, talk, text="open", lang="en", client_message_id=None)
        part = PartTrace("open", "en", Classification((), 0.5), (), None, "choices", "perhaps", "")
        conversations.store_reply(
            session, talk, to=asked.turn.id, reply=Reply((ReplyPart("?", "choices", 0.4, choices=(ASKS,)),)),
            trace=Trace("r", "approved_and_cited", {}, (part,)), lang="en",
        )  # fmt: skip
    shown = desk.hit("hours", 0.0)
    desk.ask(ASKS.payload, "passage", confidence=1.0, hits=(shown,), source=shown, talk=talk)
    assert [one.text for one in desk.gaps()] == ["open"]


def test_an_article_that_the_classifier_was_sure_of_is_a_good_answer(desk: Desk) -> None:
    """Its passage comes from the article and not from the search, which gave the others little."""
    own = desk.hit("returns", 0.0)
    desk.ask("it does not fit", "passage", confidence=0.8, hits=(desk.hit("hours", 0.1), own), source=own)
    assert desk.gaps() == []
    desk.ask("too big", "passage", confidence=0.4, hits=(desk.hit("hours", 0.1), own), source=own)
    assert [(one.text, one.article, one.hit_score) for one in desk.gaps()] == [("too big", "returns", 0.4)]


def test_an_article_shown_in_one_language_is_still_unknown_in_the_other(desk: Desk) -> None:
    never, disliked = desk.idle()
    assert never == ["hours en", "hours zh", "returns en", "returns zh"] and disliked == []
    hit = desk.hit("hours", 0.9)
    desk.ask("when do you open", "passage", confidence=0.9, hits=(hit,), source=hit)
    assert desk.idle() == (["hours zh", "returns en", "returns zh"], [])


def test_what_was_shown_is_what_stood_under_the_answer_and_not_the_best_found(desk: Desk) -> None:
    found, shown = desk.hit("hours", 0.6), desk.hit("returns", 0.5)
    desk.ask("it does not fit", "passage", confidence=0.8, hits=(found, shown), source=shown, down=True)
    never, disliked = desk.idle()
    assert "hours en" in never and "returns en" not in never
    assert disliked == [("returns en", 1, 1)]


def test_an_article_under_an_approved_answer_was_shown(desk: Desk) -> None:
    hit = desk.hit("returns", 0.9)
    desk.ask("can I return it", "approved", confidence=0.9, hits=(hit,), source=hit)
    assert "returns en" not in desk.idle()[0]


def test_the_worst_article_comes_first_and_only_what_is_live_is_listed(desk: Desk) -> None:
    hours, returns = desk.hit("hours", 0.9), desk.hit("returns", 0.9)
    for hit, down in ((hours, True), (returns, True), (returns, True), (returns, False)):
        desk.ask("and now", "generated", confidence=0.9, hits=(hit,), source=hit, down=down)
    assert desk.idle()[1] == [("returns en", 2, 3), ("hours en", 1, 1)]
    with desk.database.write() as session:
        session.get_one(Article, desk.articles["returns", "en"]).status = "off"
        session.get_one(Article, desk.articles["returns", "zh"]).status = "draft"
    assert desk.idle() == (["hours zh"], [("hours en", 1, 1)])


def test_what_somebody_said_is_published_without_personal_values_and_what_an_editor_wrote_as_it_is(
    desk: Desk,
) -> None:
    turn = desk.ask(
        "my mail is anna@example.org and it is late", agent="Write to anna@example.org\r\nor call."
    )
    desk.ask("another conversation", agent="Write to bob@example.org")
    with desk.database.read() as session:
        for said, published in (
            ("my mail is anna@example.org and it is late", "my mail is [EMAIL] and it is late"),
            ("my mail is anna@example.org and...", "my mail is [EMAIL] and..."),  # a long title
            ("Write to anna@example.org\nor call.", "Write to [EMAIL]\nor call."),
            ("Write to help@shop.example", "Write to help@shop.example"),
            ("Write to bob@example.org", "Write to bob@example.org"),
            ("", ""),
        ):
            assert review.taken_over(session, [turn], said) == published


def test_a_question_labelled_with_an_article_asks_for_the_intent_of_that_article(database: Database) -> None:
    desk = Desk(database)
    turns = [desk.ask("when are you open on Sunday"), desk.ask("and Monday?"), desk.ask("what is it")]
    with database.write() as session:
        for turn, name in zip(turns, ("article:hours", "article:hours", "article:gone"), strict=True):
            review.decide(session, [turn], action="label", person_id=None, reason="test", intent=name)
        made = session.execute(select(Intent.name, Intent.article_slug).order_by(Intent.id)).all()
    assert made == [("hours", "hours"), ("article:gone", None)]
