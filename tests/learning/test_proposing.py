"""Proposed intents from the database: what is new is proposed once, people decide, and who did stays known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.learning.proposing import Encode, propose, split_proposal
from chatbot.records import proposals
from chatbot.records.database import Database
from chatbot.records.examples import text_hash
from chatbot.records.intents import put_intent
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import Answer, Example, Intent

PARCEL = [
    f"{verb} my parcel {place}"
    for verb in ("where is", "i lost", "when comes", "please track")
    for place in ("today", "from the courier", "with tracking number", "to the doorstep")
]
REFUND = [
    f"{verb} refund {what}"
    for verb in ("when is my", "i want a", "how long takes the", "no")
    for what in ("money on my bank account", "for the returned money", "amount money", "money please")
]
BAOGUO = [
    f"{a}快递包裹{b}" for a in ("我的", "查一下", "请问") for b in ("到哪了", "什么时候到", "没收到", "丢了")
]
ANSWER = "Parcels are handed to Swiftline and take three working days; the tracking page shows where it is."
ANSWER_ZH = "包裹由速线快递派送，三个工作日送达，物流页面可以查看包裹位置。"


def no_encoder(lang: str) -> Encode | None:
    return None


def store(session: Session, texts: Sequence[str], *, lang: str = "en", answer: str | None = None) -> None:
    session.add_all(
        Example(
            text=text,
            lang=lang,
            answer=answer,
            source="transcript",
            content_hash=text_hash(text),
            group_key=text_hash(text)[:16],
        )
        for text in texts
    )


@pytest.fixture
def logs(database: Database) -> Database:
    with database.write() as session:
        for lang, title, text in (("en", "Delivery time", ANSWER), ("zh", "派送时间", ANSWER_ZH)):
            put_article(
                session,
                ArticleDraft("delivery", lang, title, text, (PassageDraft(title, text),)),
            )
        store(session, PARCEL, answer=ANSWER)
        store(session, REFUND)
        store(session, BAOGUO, lang="zh", answer=ANSWER_ZH)
    return database


def listed(database: Database, status: str = "open") -> list[proposals.ProposalView]:
    with database.read() as session:
        return proposals.list_proposals(session, status=status)


def about(database: Database, word: str) -> proposals.ProposalView:
    return next(one for one in listed(database) if any(word in sample.text for sample in one.examples))


def test_logs_become_proposals_with_article_draft_and_both_languages(logs: Database) -> None:
    report = propose(logs, no_encoder)
    assert report.coverage > 0.8
    parcel = about(logs, "parcel")
    assert parcel.article_slug == "delivery"
    assert set(parcel.languages) == {"en", "zh"}, "joined by the article that both were answered from"
    assert parcel.drafts == {"en": ANSWER, "zh": ANSWER_ZH}
    assert "parcel" in parcel.terms
    assert about(logs, "refund").article_slug is None


def test_an_article_that_few_of_the_answers_come_from_is_not_the_proposals(logs: Database) -> None:
    with logs.write() as session:
        for row in session.scalars(select(Example).where(Example.text.like("%refund%"))):
            row.answer = ANSWER if row.text.startswith("no") else "Could you give me your name, please?"
    propose(logs, no_encoder)
    assert about(logs, "refund").article_slug is None
    assert about(logs, "parcel").article_slug == "delivery"


def test_a_second_look_proposes_only_what_is_new(logs: Database) -> None:
    propose(logs, no_encoder)
    before = {one.id: one.count for one in listed(logs)}
    assert propose(logs, no_encoder).proposed == 0
    rejected = about(logs, "refund").id
    with logs.write() as session:
        proposals.reject(session, rejected, person_id=None)
        store(session, ["where is my parcel today please"])
        store(session, ["when is my refund money on my bank account ok"])
        store(
            session,
            [
                f"{a} gift voucher {b}"
                for a in ("redeem", "buy a", "use the")
                for b in ("code", "online now", "card")
            ],
        )
    report = propose(logs, no_encoder)
    assert report.joined == 1 and report.proposed == 1
    assert about(logs, "voucher").id not in before
    assert about(logs, "parcel").count == before[about(logs, "parcel").id] + 1
    assert rejected not in {one.id for one in listed(logs)}


def test_accepting_labels_the_messages_and_leaves_the_answer_to_approve(
    logs: Database,
) -> None:
    propose(logs, no_encoder)
    parcel = about(logs, "parcel")
    with logs.write() as session:
        proposals.accept(session, parcel.id, name="where is my parcel", person_id=None)
    with logs.read() as session:
        intent = session.scalar(select(Intent).where(Intent.name == "where_is_my_parcel"))
        assert intent is not None and intent.article_slug == "delivery"
        rows = session.scalars(select(Example).where(Example.intent_id == intent.id)).all()
        assert len(rows) == parcel.count
        assert {(row.status, row.label_reason) for row in rows} == {("accepted", f"proposal {parcel.id}")}
        answers = session.scalars(select(Answer).where(Answer.intent_id == intent.id)).all()
        assert {answer.status for answer in answers} == {"draft"}
    with pytest.raises(ConflictError), logs.write() as session:
        proposals.accept(session, parcel.id, name="again", person_id=None)


def test_tags_are_evidence_that_messages_belong_to_an_intent(logs: Database) -> None:
    with logs.write() as session:
        intent, _ = put_intent(session, "refund_status")
        for row in session.scalars(select(Example).where(Example.text.like("%refund%")).limit(8)):
            row.intent_id, row.status = intent.id, "accepted"
    propose(logs, no_encoder)
    refund = about(logs, "refund")
    assert (refund.name, refund.intent) == ("refund_status", "refund_status")
    assert list(refund.evidence) == ["refund_status"]
    assert refund.count <= len(REFUND) - 8, "what is tagged already needs no decision"


def test_merging_keeps_all_messages_and_splitting_takes_some_away(logs: Database) -> None:
    propose(logs, no_encoder)
    parcel, refund = about(logs, "parcel"), about(logs, "refund")
    with logs.write() as session:
        kept = proposals.merge(session, [parcel.id, refund.id], person_id=None).id
    with logs.read() as session:
        assert proposals.read_proposal(session, kept).count == parcel.count + refund.count
    assert [one.status for one in listed(logs, "merged")] == ["merged"]
    made = split_proposal(logs, kept, no_encoder)
    with logs.read() as session:
        parts = [proposals.read_proposal(session, one) for one in (kept, *made)]
    assert sum(part.count for part in parts) == parcel.count + refund.count
    assert all(part.count for part in parts)


def test_one_message_can_be_taken_out(logs: Database) -> None:
    propose(logs, no_encoder)
    parcel = about(logs, "parcel")
    with logs.write() as session:
        proposals.take_out(session, parcel.id, parcel.examples[0].example_id)
    assert about(logs, "parcel").count == parcel.count - 1
    with pytest.raises(NotFoundError), logs.write() as session:
        proposals.take_out(session, parcel.id, parcel.examples[0].example_id)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_bad_name_decides_nothing(logs: Database, name: str) -> None:
    propose(logs, no_encoder)
    parcel = about(logs, "parcel")
    with pytest.raises(InputError), logs.write() as session:
        proposals.accept(session, parcel.id, name=name, person_id=None)
    assert about(logs, "parcel").status == "open"


def test_one_proposal_cannot_be_merged_with_itself(logs: Database) -> None:
    propose(logs, no_encoder)
    one = listed(logs)[0].id
    with pytest.raises(InputError), logs.write() as session:
        proposals.merge(session, [one, one], person_id=None)
