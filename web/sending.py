"""Sending what lies in the outbox (chatbot/records/deliveries.py): webhooks, e-mails, answers to Chatwoot.

A webhook's request is signed as ``Frontdesk-Signature: t=<unix seconds>,v1=<hex>``, where v1 is the HMAC-SHA256 of
``"<t>.<body>"`` under the webhook's secret (RFC 2104): a receiver that checks t as well cannot be fed an old request.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from chatbot.dialogue.cards import cards_of, with_cards
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import FrontdeskError, InputError
from chatbot.outbound import Fetched, allowed_entries, fetch
from chatbot.records import deliveries
from chatbot.records.attachments import attachments_of
from chatbot.records.conversations import FILES_ONLY
from chatbot.records.database import Database
from chatbot.records.deliveries import Taken
from chatbot.records.tables import (
    ChatwootBridge,
    Conversation,
    Person,
    Site,
    Turn,
    Visitor,
    Webhook,
    utcnow,
)
from chatbot.settings import Settings
from chatbot.signatures import signature
from web.addresses import whole_cards
from web.alert_mails import send_alert
from web.mail import Refused, Unsendable, compose, mail_server
from web.return_links import return_link
from web.secrets import session_key

log = logging.getLogger(__name__)

SECONDS = 10.0  # for one request
ANSWER_LIMIT = 64 * 1024  # bytes; nobody reads them
MAIL_TURNS = 20  # replies in one e-mail

_MAIL = {
    "en": {
        "subject": "{title}: a reply to your question",
        "hello": "Hello{name},",
        "intro": "{agent} has answered you:",
        "asked": "You wrote:",
        "back": "Answer here, where the whole conversation is:",
        "bye": "The link is yours alone and works for 30 days.",
    },
    "zh": {
        "subject": "{title}：您的问题有新回复",
        "hello": "您好{name}：",
        "intro": "{agent}回复了您：",
        "asked": "您之前的消息：",
        "back": "点击链接查看完整对话并继续回复：",
        "bye": "该链接仅供您本人使用，30 天内有效。",
    },
}


class NotNeeded(Exception):
    """The visitor has seen it meanwhile."""


def send_due(
    database: Database,
    settings: Settings,
    *,
    now: Callable[[], datetime] = utcnow,
    fetching: Callable[..., Fetched] = fetch,
) -> int:
    """Try everything that is due once; returns how many were tried. One that fails waits for its next attempt."""
    with database.read() as session:
        ids = deliveries.due(session, now=now())
    for delivery_id in ids:
        with database.write() as session:
            taken = deliveries.take(session, delivery_id, now=now())
        if taken is not None:
            _attempt(database, settings, taken, now=now, fetching=fetching)
    return len(ids)


def _attempt(
    database: Database,
    settings: Settings,
    taken: Taken,
    *,
    now: Callable[[], datetime],
    fetching: Callable[..., Fetched],
) -> None:
    problem, final = "", False
    try:
        if taken.kind == "email" and taken.event == "alert":
            send_alert(database, settings, taken.payload)
        elif taken.kind == "email":
            _send_mail(database, settings, taken)
        elif taken.kind == "webhook":
            _call_webhook(database, settings, taken, now=now(), fetching=fetching)
        else:
            _call_chatwoot(database, settings, taken, fetching=fetching)
    except NotNeeded as reason:
        with database.write() as session:
            deliveries.drop(session, taken, why=str(reason))
        return
    except (Unsendable, Refused, InputError) as error:
        problem, final = str(error), True
    except FrontdeskError as error:
        problem = error.one_line()
    except Exception as error:
        log.exception("delivery %s failed", taken.id)
        problem = f"{type(error).__name__}: {error}"
    with database.write() as session:
        if not problem:
            deliveries.sent(session, taken, now=now())
            return
        again = deliveries.missed(session, taken, error=problem, now=now(), final=final)
    log.warning(
        "delivery %s (%s %s), attempt %s: %s%s",
        taken.id,
        taken.kind,
        taken.event,
        taken.attempt,
        problem,
        "" if again else "; given up",
    )


# --- webhooks --------------------------------------------------------------------------------------------


def _call_webhook(
    database: Database,
    settings: Settings,
    taken: Taken,
    *,
    now: datetime,
    fetching: Callable[..., Fetched],
) -> None:
    with database.read() as session:
        hook = session.get(Webhook, taken.webhook_id)
    if hook is None or not hook.active:
        raise Unsendable("The webhook is switched off")
    body = json.dumps({"id": taken.id, **taken.payload}, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "Frontdesk-Event": taken.event,
        "Frontdesk-Delivery": str(taken.id),
        "Frontdesk-Signature": signature(hook.secret, body, at=int(now.timestamp())),
    }
    _post(settings, hook.url, headers, body, fetching=fetching, gone=(410,))


def _post(
    settings: Settings,
    url: str,
    headers: dict[str, str],
    body: bytes,
    *,
    fetching: Callable[..., Fetched],
    gone: tuple[int, ...],
) -> None:
    """A POST whose answer only has a status. Raises Unsendable for a status of ``gone``, UnavailableError for every
    other that is no success."""
    answer = fetching(
        url,
        method="POST",
        headers=headers,
        body=body,
        allow=allowed_entries(settings.outbound_private),
        seconds=SECONDS,
        limit=ANSWER_LIMIT,
    )
    if answer.ok:
        return
    said = f"The other side answers {answer.status}"
    if answer.status in gone:
        raise Unsendable(f"{said}: it does not want this")
    raise _Failed(said)


class _Failed(FrontdeskError):
    code = "delivery_failed"
    status = 502


def _call_chatwoot(
    database: Database, settings: Settings, taken: Taken, *, fetching: Callable[..., Fetched]
) -> None:
    """``payload``: {"path", "body"} below the account's conversation (web/api/chatwoot.py writes it)."""
    with database.read() as session:
        bridge = session.get(ChatwootBridge, taken.bridge_id)
    if bridge is None or not bridge.active:
        raise Unsendable("The Chatwoot bridge is switched off")
    url = f"{bridge.base_url}/api/v1/accounts/{bridge.account_id}/conversations/{taken.payload['path']}"
    headers = {"Content-Type": "application/json", "api_access_token": bridge.access_token}
    body = json.dumps(taken.payload["body"], ensure_ascii=False).encode()
    _post(settings, url, headers, body, fetching=fetching, gone=(404, 422))


# --- e-mail ----------------------------------------------------------------------------------------------


def _send_mail(database: Database, settings: Settings, taken: Taken) -> None:
    server = mail_server(settings)
    with database.read() as session:
        conversation = session.get(Conversation, taken.conversation_id)
        if conversation is None:
            raise Unsendable("The conversation is gone")
        visitor = session.get_one(Visitor, conversation.visitor_id)
        site = session.get_one(Site, conversation.site_id)
        first = int(taken.payload["from_turn"])
        rows = session.execute(
            select(Turn, Person.name)
            .outerjoin(Person, Person.id == Turn.person_id)
            .where(Turn.conversation_id == conversation.id, Turn.id >= first, Turn.role == "agent")
            .order_by(Turn.id)
            .limit(MAIL_TURNS)
        ).all()
        files = attachments_of(session, [turn.id for turn, _ in rows])
        asked = session.scalar(
            select(Turn.text)
            .where(Turn.conversation_id == conversation.id, Turn.id < first, Turn.role == "customer")
            .order_by(Turn.id.desc())
            .limit(1)
        )
    replies = [(turn, name) for turn, name in rows if turn.created_at > visitor.last_seen_at]
    if not replies:
        raise NotNeeded("The visitor has seen it")
    if not visitor.email:
        raise Unsendable("The visitor left no e-mail address")
    origin = settings.public_url.rstrip("/") or str(taken.payload["origin"])
    link = return_link(
        key=session_key(settings.data),
        origin=origin,
        site=site.key,
        public_id=conversation.public_id,
        email=visitor.email,
    )
    title = SiteOptions.from_json(site.options).title or site.name
    subject, text = mail_text(
        conversation.locale,
        title=title,
        name=visitor.name or "",
        replies=[(_in_mail(turn, files.get(turn.id), origin), name or title) for turn, name in replies],
        asked=asked or "",
        link=link,
    )
    server.send(
        compose(
            server,
            to=visitor.email,
            name=visitor.name or "",
            subject=subject,
            text=text,
            thread=conversation.public_id,
        )
    )


def _in_mail(turn: Turn, files: list[dict[str, Any]] | None, origin: str) -> str:
    """An agent's turn as text: his words, his cards, and the names of the files that wait behind the link."""
    text = with_cards(turn.text, whole_cards(cards_of("agent", turn.reply), origin))
    names = [f"📎 {file['name']}" for file in files or () if turn.kind != FILES_ONLY]
    return "\n\n".join([text, *names])


def mail_text(
    locale: str, *, title: str, name: str, replies: list[tuple[str, str]], asked: str, link: str
) -> tuple[str, str]:
    """Subject and text of the e-mail; ``replies`` are (text, agent), oldest first."""
    lang = locale.partition("-")[0].lower()
    words = _MAIL.get(lang, _MAIL["en"])
    space = "" if lang == "zh" else " "
    lines = [words["hello"].format(name=space + name if name else ""), ""]
    lines += [words["intro"].format(agent=replies[0][1]), "", "\n\n".join(text for text, _ in replies), ""]
    if asked:
        lines += [words["asked"], *(f"> {line}" for line in asked.splitlines()), ""]
    lines += [words["back"], link, "", words["bye"], "", f"-- \n{title}"]
    return words["subject"].format(title=title), "\n".join(lines)
