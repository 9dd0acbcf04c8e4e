"""When nobody is there: what a visitor who asked for a person is told, and the message he leaves.

A notice is a turn of the bot's own (kind ``notice``): the visitor sees it where he writes, on whatever channel, and
the models never read it. An e-mail address in his next message is taken as the one he was asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chatbot.dialogue.danger import dangers
from chatbot.dialogue.danger_texts import RULE, danger_text
from chatbot.dialogue.hours import Hours, clock_time, closes_at, in_words, is_open, opens_at
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.taking_back import takes_back
from chatbot.dialogue.trace import Reply, ReplyPart
from chatbot.errors import InputError
from chatbot.language.entities import find_entities
from chatbot.language.normalise import detect_language
from chatbot.records.conversations import NOTICE
from chatbot.records.people import fold_email
from chatbot.records.tables import Conversation, Site, Turn, Visitor, utcnow

OUT_OF_HOURS = "out_of_hours"

_NOTICES = {
    "en": {
        "closed": "Nobody is here just now. We are back {opening}.",
        "closed_for_long": "Nobody is here just now.",
        "unanswered": "I am sorry: nobody could take your conversation yet.",
        "unanswered_until": "I am sorry: nobody could take your conversation yet. We are here until {closing}.",
        "unanswered_closed": "I am sorry: nobody could take your conversation in time. We are back {opening}.",
        "ask": "Write down what it is about and your e-mail address: we will answer there, and here.",
        "known": "Write down what it is about: we will answer to {email}, and here.",
        "added": "Thank you, I have added this. A colleague reads it as soon as somebody is free.",
        "thanks": "Thank you. We will answer to {email}, and here.",
    },
    "zh": {
        "closed": "现在没有客服在线，我们将于{opening}恢复服务。",
        "closed_for_long": "现在没有客服在线。",
        "unanswered": "非常抱歉，暂时还没有同事可以接待您。",
        "unanswered_until": "非常抱歉，暂时还没有同事可以接待您。人工服务到{closing}为止。",
        "unanswered_closed": "非常抱歉，刚才没有同事可以接待您。我们将于{opening}恢复服务。",
        "ask": "请留下您的问题和电子邮箱，我们会通过邮件和这里回复您。",
        "known": "请留下您的问题，我们会回复到 {email}，您在这里也能看到。",
        "added": "谢谢，已经为您补充上。同事有空后会马上查看。",
        "thanks": "谢谢！我们会回复到 {email}，您在这里也能看到。",
    },
}


def tell_if_closed(
    session: Session, conversation: Conversation, options: SiteOptions, *, now: datetime | None = None
) -> Turn | None:
    """Told at the moment of a handover: outside the opening hours the visitor hears when they begin again, and is
    asked for a message. None where somebody may be there."""
    now = now or utcnow()
    hours = options.opening_hours
    if (
        conversation.state != "waiting"
        or conversation.told_at is not None
        or conversation.external_id is not None
        or hours is None
        or is_open(hours, now)
    ):
        return None
    if conversation.handover_reason != RULE:  # a danger to life stays one at night
        conversation.handover_reason = OUT_OF_HOURS
    lang = _language(conversation)
    opening = opens_at(hours, now)
    words = _NOTICES[lang]
    first = (
        words["closed"].format(opening=in_words(opening, hours, now=now, lang=lang))
        if opening
        else words["closed_for_long"]
    )
    return _ask(session, conversation, first, now=now)


def tell_the_unanswered(session: Session, *, now: datetime | None = None) -> list[int]:
    """Tell visitors who have waited longer than their site promises, each once for a handover, and until when somebody
    is there, or when again. Returns the ids of their conversations."""
    now = now or utcnow()
    told: list[int] = []
    for site in session.scalars(select(Site)):
        options = SiteOptions.from_json(site.options)
        minutes = options.unanswered_minutes
        if not minutes:
            continue
        for conversation in session.scalars(_unanswered(site.id, now - timedelta(minutes=minutes))):
            _ask(
                session,
                conversation,
                _still_waiting(options.opening_hours, now, _language(conversation)),
                now=now,
            )
            told.append(conversation.id)
    return told


def _still_waiting(hours: Hours | None, now: datetime, lang: str) -> str:
    """Why nobody has come, and until when somebody may, or when again."""
    words = _NOTICES[lang]
    if hours is None:
        return words["unanswered"]
    if not is_open(hours, now):
        opening = opens_at(hours, now)
        if opening is None:
            return words["unanswered"]
        return words["unanswered_closed"].format(opening=in_words(opening, hours, now=now, lang=lang))
    closing = closes_at(hours, now)
    if closing is None or closing - now > timedelta(hours=12):  # open round the clock, or nearly
        return words["unanswered"]
    return words["unanswered_until"].format(closing=clock_time(closing, hours))


def _unanswered(site_id: int, before: datetime):  # type: ignore[no-untyped-def]  # a Select of Conversation
    return (
        select(Conversation)
        .where(
            Conversation.site_id == site_id,
            Conversation.state == "waiting",
            Conversation.told_at.is_(None),
            Conversation.external_id.is_(None),
            Conversation.handover_at < before,
        )
        .with_for_update(skip_locked=True)
    )


def hear_message(
    session: Session, conversation: Conversation, text: str, *, now: datetime | None = None
) -> Turn | None:
    """What a visitor writes after he was told that nobody is there is a message that waits for an answer, whatever he
    does next; an e-mail address in it is kept, and the notice that says so is returned. The first thing that he writes
    while a colleague is awaited is acknowledged, so that he does not talk to nobody; who takes his wish back is not."""
    now = now or utcnow()
    if conversation.state != "waiting" or conversation.external_id is not None:
        return None
    if conversation.told_at is None:
        if takes_back(text) or dangers(text) or not _first_while_waiting(session, conversation):
            return None
        return _notice(session, conversation, _NOTICES[_language(conversation)]["added"], now=now)
    conversation.left_message_at = conversation.left_message_at or now
    found = find_entities(text, kinds=("email",))
    if not found:
        return None
    try:
        return leave_contact(session, conversation, email=found[0].value, now=now)
    except InputError:
        return None


def hear_danger(
    session: Session,
    conversation: Conversation,
    text: str,
    options: SiteOptions,
    *,
    now: datetime | None = None,
) -> Turn | None:
    """Who waits for a person and tells of a danger to life is told at once what to do, and waits as the first from
    then on; the notice that says so is returned. Once for a handover."""
    if conversation.state != "waiting" or conversation.handover_reason == RULE or not options.danger:
        return None
    kinds = dangers(text)
    if not kinds:
        return None
    conversation.handover_reason = RULE
    told = danger_text(kinds, detect_language(text, default=_language(conversation)), options.danger_texts)
    return _notice(session, conversation, told, now=now or utcnow())


def _first_while_waiting(session: Session, conversation: Conversation) -> bool:
    return (
        session.scalar(
            select(func.count(Turn.id)).where(
                Turn.conversation_id == conversation.id,
                Turn.role == "customer",
                Turn.created_at > conversation.handover_at,
            )
        )
        == 1
    )


def leave_contact(
    session: Session,
    conversation: Conversation,
    *,
    email: str,
    name: str = "",
    now: datetime | None = None,
) -> Turn | None:
    """Keep where the visitor can be answered. While he waits it counts as a message left, and he is thanked (the
    notice is returned). Raises InputError for what is no address."""
    now = now or utcnow()
    visitor = session.get_one(Visitor, conversation.visitor_id)
    address = fold_email(email)
    changed = visitor.email != address
    if visitor.identity is not None and visitor.email and changed:
        return None  # what the company has signed stays
    visitor.email = address
    visitor.name = visitor.name or name.strip()[:200] or None
    if conversation.state != "waiting":
        return None
    conversation.left_message_at = conversation.left_message_at or now
    conversation.told_at = conversation.told_at or now
    if not changed:
        return None
    return _notice(
        session, conversation, _NOTICES[_language(conversation)]["thanks"].format(email=address), now=now
    )


def _ask(session: Session, conversation: Conversation, first: str, *, now: datetime) -> Turn:
    """``first`` and the wish for a message, with the address where it is not known yet."""
    words = _NOTICES[_language(conversation)]
    email = session.get_one(Visitor, conversation.visitor_id).email
    if email:
        conversation.left_message_at = conversation.left_message_at or now
    conversation.told_at = now
    rest = words["known"].format(email=email) if email else words["ask"]
    return _notice(
        session, conversation, f"{first} {rest}" if _spaced(conversation) else first + rest, now=now
    )


def _spaced(conversation: Conversation) -> bool:
    return _language(conversation) != "zh"


def _notice(session: Session, conversation: Conversation, text: str, *, now: datetime) -> Turn:
    reply = Reply((ReplyPart(text, "person", 1.0),)).as_json()
    turn = Turn(
        conversation_id=conversation.id,
        role="bot",
        text=text,
        lang=_language(conversation),
        kind=NOTICE,
        reply=reply,
        created_at=now,
    )
    session.add(turn)
    session.flush()
    return turn


def _language(conversation: Conversation) -> str:
    primary = conversation.locale.replace("_", "-").partition("-")[0].lower()
    return primary if primary in _NOTICES else "en"
