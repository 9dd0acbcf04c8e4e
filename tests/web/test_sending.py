"""What leaves the house: signed, tried again, once, and an e-mail only to who has not seen it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.errors import InputError, OutboundError, UnavailableError
from chatbot.outbound import Fetched
from chatbot.records import deliveries, inbox
from chatbot.records.conversations import (
    ensure_default_site,
    hand_over,
    receive_message,
    start_conversation,
    visitor_seen,
)
from chatbot.records.database import Database
from chatbot.records.tables import (
    Conversation,
    Delivery,
    Feedback,
    Intent,
    Person,
    Release,
    Site,
    Turn,
    Visitor,
    utcnow,
)
from chatbot.settings import Settings
from web.mail import MailServer, Refused, compose
from web.return_links import opens, return_link
from web.rounds import Rounds, tell_alerts
from web.secrets import session_key
from web.sending import send_due
from web.visitors import token_hash

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def conversation(database: Database) -> Conversation:
    with database.write() as session:
        site = ensure_default_site(session, name="Kettle")
        row = start_conversation(session, site_id=site.id, token_hash="0" * 64, locale="en", now=NOON)
        session.get_one(Visitor, row.visitor_id).email = "ana@example.com"
        session.get_one(Visitor, row.visitor_id).name = "Ana"
        return row


@pytest.fixture
def mei(database: Database) -> Person:
    with database.write() as session:
        person = Person(email="mei@example.com", name="Mei", password_hash="x", role="agent")
        session.add(person)
    return person


def add_hook(database: Database, *events: str) -> str:
    with database.write() as session:
        return deliveries.add_webhook(session, url="https://hooks.example/in", events=events).secret


def say(database: Database, conversation: Conversation, text: str = "Hello") -> None:
    with database.write() as session:
        receive_message(
            session, conversation.public_id, text=text, lang="en", client_message_id=None, now=NOON
        )


class Receiver:
    """Takes requests in place of the network; answers with ``status``, or fails."""

    def __init__(self, *status: int) -> None:
        self.status = list(status)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    def __call__(self, url: str, *, headers: dict[str, str], body: bytes, **options: Any) -> Fetched:
        self.requests.append((url, headers, body))
        status = self.status.pop(0) if self.status else 200
        if status == 0:
            raise OutboundError("The other side does not answer", field="url", value=url)
        return Fetched(url, status, {}, b"")


def run(database: Database, settings: Settings, receiver: Receiver, *, at: datetime = NOON) -> int:
    return send_due(database, settings, now=lambda: at, fetching=receiver)


def rows(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def test_a_webhook_is_told_what_it_asked_for_with_a_signature_that_can_be_checked(
    database: Database, settings: Settings, conversation: Conversation, mei: Person
) -> None:
    secret = add_hook(database, "handover", "closed")
    say(database, conversation)  # messages were not asked for
    with database.write() as session:
        hand_over(session, conversation.public_id, reason="visitor_asked", note="urgent", now=NOON)
        inbox.close(session, conversation.id, mei, outcome="solved", now=NOON)
    receiver = Receiver()
    assert run(database, settings, receiver) == 2
    told = [json.loads(body) for _, _, body in receiver.requests]
    assert [(one["event"], one["conversation"]["state"]) for one in told] == [
        ("handover", "waiting"),
        ("closed", "closed"),
    ]
    assert (told[0]["reason"], told[0]["note"], told[1]["outcome"], told[1]["by"]) == (
        "visitor_asked",
        "urgent",
        "solved",
        "Mei",
    )
    url, headers, body = receiver.requests[0]
    assert url == "https://hooks.example/in"
    stamp, _, mark = headers["Frontdesk-Signature"].partition(",v1=")
    assert stamp == f"t={int(NOON.timestamp())}"
    signed = f"{stamp.removeprefix('t=')}.".encode() + body
    assert mark == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["Frontdesk-Delivery"] == str(told[0]["id"])
    assert run(database, settings, receiver) == 0  # once


def test_what_fails_is_tried_again_with_growing_pauses_and_given_up_in_the_end(
    database: Database, settings: Settings, conversation: Conversation
) -> None:
    add_hook(database, "message")
    say(database, conversation)
    receiver, at = Receiver(0, 500, *[503] * 20), NOON
    pauses = []
    for _ in range(len(deliveries.PAUSES) + 1):
        assert run(database, settings, receiver, at=at) == 1
        [row] = rows(database)
        pauses.append((row.next_at - at).total_seconds())
        if row.state == "due":
            assert run(database, settings, receiver, at=row.next_at - timedelta(seconds=1)) == 0
        at = row.next_at
    assert tuple(pauses[:-1]) == deliveries.PAUSES
    assert (row.state, row.attempt, "503" in row.error) == ("failed", len(deliveries.PAUSES) + 1, True)
    with database.write() as session:
        deliveries.try_again(session, row.id, now=at)
    assert run(database, settings, Receiver(), at=at) == 1
    assert rows(database)[0].state == "sent"


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(
    database: Database, settings: Settings, conversation: Conversation
) -> None:
    add_hook(database, "message")
    say(database, conversation)
    run(database, settings, Receiver(410))
    assert rows(database)[0].state == "failed"


def test_nothing_is_told_of_what_was_rolled_back(
    database: Database, settings: Settings, conversation: Conversation
) -> None:
    add_hook(database, "message")
    with pytest.raises(RuntimeError), database.write() as session:
        receive_message(
            session, conversation.public_id, text="x", lang="en", client_message_id=None, now=NOON
        )
        raise RuntimeError
    assert rows(database) == []


def test_a_delivery_whose_worker_died_is_taken_by_the_next_and_never_by_two(
    database: Database, conversation: Conversation
) -> None:
    add_hook(database, "message")
    say(database, conversation)
    with database.write() as session:
        [found] = deliveries.due(session, now=NOON)
        first = deliveries.take(session, found, now=NOON)
        assert first is not None
        assert deliveries.take(session, found, now=NOON) is None
        later = NOON + deliveries.LEASE
        second = deliveries.take(session, found, now=later)
        assert second is not None and second.attempt == 2
        deliveries.missed(session, first, error="late", now=later)  # the dead one comes back: too late
        assert session.get_one(Delivery, found, populate_existing=True).state == "sending"
        deliveries.sent(session, second, now=later)
        assert session.get_one(Delivery, found, populate_existing=True).state == "sent"
        deliveries.sweep(session, now=later + timedelta(days=30))
        assert session.scalars(select(Delivery)).all() == []


# --- e-mail ----------------------------------------------------------------------------------------------


class SmtpServer:
    """As much of RFC 5321 as a client needs; keeps what it was sent."""

    def __init__(self, refuse: bytes = b"") -> None:
        self.refuse = refuse
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes up who waits in accept
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 test\r\n")
                for line in lines:
                    verb = line[:4].upper()
                    if verb == b"DATA":
                        connection.sendall(b"354 go on\r\n")
                        content = b""
                        while (part := lines.readline()) != b".\r\n":
                            content += part[1:] if part.startswith(b"..") else part
                        self.received.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
                        connection.sendall(b"250 kept\r\n")
                    elif verb == b"RCPT" and self.refuse:
                        connection.sendall(self.refuse)
                    elif verb == b"QUIT":
                        connection.sendall(b"221 bye\r\n")
                        break
                    else:
                        if verb == b"RCPT":
                            self.recipients.append(line.decode().strip())
                        connection.sendall(b"250 ok\r\n")


@pytest.fixture
def smtp() -> Iterator[Callable[..., SmtpServer]]:
    running: list[SmtpServer] = []

    def start(refuse: bytes = b"") -> SmtpServer:
        running.append(SmtpServer(refuse))
        return running[-1]

    yield start
    for server in running:
        server.close()


def with_mail(settings: Settings, server: SmtpServer) -> Settings:
    return settings.model_copy(
        update={
            "smtp_url": f"smtp+plain://127.0.0.1:{server.port}",
            "mail_from": "Kettle <help@kettle.example>",
            "public_url": "https://help.kettle.example/",
        }
    )


def reply(database: Database, conversation: Conversation, who: Person, text: str) -> None:
    with database.write() as session:
        inbox.reply(
            session,
            conversation.id,
            who,
            text=text,
            client_message_id=text,
            lang="en",
            origin="http://127.0.0.1:5000",
            now=NOON + timedelta(minutes=1),
        )


LATER = NOON + timedelta(minutes=3)


def test_an_absent_visitor_gets_the_replies_by_e_mail_with_a_link_that_opens_the_conversation(
    database: Database,
    settings: Settings,
    conversation: Conversation,
    mei: Person,
    smtp: Any,
    client: FlaskClient,
) -> None:
    server = smtp()
    settings = with_mail(settings, server)
    say(database, conversation, "My kettle leaks\nat the bottom")
    reply(database, conversation, mei, "Which model is it?")
    reply(database, conversation, mei, ".It may be under warranty. 您好")
    assert run(database, settings, Receiver(), at=LATER) == 1
    [mail] = server.received
    assert mail["To"] == "Ana <ana@example.com>" and mail["From"] == "Kettle <help@kettle.example>"
    text = mail.get_content().replace("\r\n", "\n")
    assert "Mei has answered you:\n\nWhich model is it?\n\n.It may be under warranty. 您好" in text
    assert "> My kettle leaks\n> at the bottom" in text
    link = next(line for line in text.splitlines() if line.startswith("https://help.kettle.example/chat?"))
    code = link.partition("&k=")[2]
    address = f"/api/v1/conversations/{conversation.public_id}/messages"
    opened = client.get(address, headers={"Authorization": f"Bearer {code}"})
    assert opened.status_code == 200 and len(opened.get_json()["turns"]) == 3
    forged = client.get(address, headers={"Authorization": f"Bearer {code[:-2]}xx"})
    assert forged.status_code == 401
    assert [row.state for row in rows(database)] == ["sent"]


def test_who_has_seen_the_reply_gets_no_e_mail(
    database: Database, settings: Settings, conversation: Conversation, mei: Person, smtp: Any
) -> None:
    server = smtp()
    reply(database, conversation, mei, "Hello")
    with database.write() as session:
        visitor_seen(session, conversation.id, now=NOON + timedelta(minutes=2))
    run(database, with_mail(settings, server), Receiver(), at=LATER)
    assert server.received == []
    assert [row.state for row in rows(database)] == ["dropped"]


@pytest.mark.parametrize("path", ["messages", "events"])
@pytest.mark.parametrize(
    ("query", "states"), [("", ["dropped"]), ("shown=1", ["dropped"]), ("shown=0", ["sent"])]
)
def test_what_a_client_fetches_is_seen_unless_it_says_that_nobody_looks(
    database: Database,
    settings: Settings,
    conversation: Conversation,
    mei: Person,
    smtp: Any,
    client: FlaskClient,
    path: str,
    query: str,
    states: list[str],
) -> None:
    reply(database, conversation, mei, "Hello")
    with database.write() as session:
        session.get_one(Conversation, conversation.id).token_hash = token_hash("t")
        session.scalars(select(Turn)).one().created_at = utcnow()
        session.get_one(Visitor, conversation.visitor_id).last_seen_at = utcnow() - timedelta(minutes=1)
        inbox.close(session, conversation.id, mei, outcome="solved", now=NOON)  # so that the events end
    address = f"/api/v1/conversations/{conversation.public_id}/{path}?{query}"
    fetched = client.get(address, headers={"Authorization": "Bearer t"})
    assert "Hello" in fetched.get_data(as_text=True)
    server = smtp()
    run(database, with_mail(settings, server), Receiver(), at=LATER)
    assert [row.state for row in rows(database)] == states


def test_an_address_that_the_server_refuses_is_given_up_and_a_dead_server_is_tried_again(
    database: Database, settings: Settings, conversation: Conversation, mei: Person, smtp: Any
) -> None:
    refusing = smtp(b"550 no such user\r\n")
    reply(database, conversation, mei, "Hello")
    run(database, with_mail(settings, refusing), Receiver(), at=LATER)
    [row] = rows(database)
    assert (row.state, "550" in row.error) == ("failed", True)
    with database.write() as session:
        deliveries.try_again(session, row.id, now=LATER)
    gone = smtp()
    gone.close()
    run(database, with_mail(settings, gone), Receiver(), at=LATER)
    assert rows(database)[0].state == "due"


def test_without_a_mail_server_the_delivery_says_what_to_set(
    database: Database, settings: Settings, conversation: Conversation, mei: Person
) -> None:
    reply(database, conversation, mei, "Hello")
    run(database, settings, Receiver(), at=LATER)
    [row] = rows(database)
    assert row.state == "failed" and "FRONTDESK_SMTP_URL" in row.error


def test_settings_of_the_mail_server_are_read_and_wrong_ones_named_without_their_password(
    settings: Settings,
) -> None:
    def read(url: str, sender: str = "a@b.example") -> MailServer | None:
        return MailServer.of(settings.model_copy(update={"smtp_url": url, "mail_from": sender}))

    assert read("") is None
    server = read("smtps://us%40er:pa%2Fss@mail.example")
    assert server is not None
    assert (server.port, server.user, server.password) == (465, "us@er", "pa/ss")
    for url, sender in (("http://user:hush@x", "a@b.c"), ("smtp://user:hush@x:y", "a@b.c"), ("smtp://x", "")):
        with pytest.raises(InputError) as wrong:
            read(url, sender)
        assert "hush" not in wrong.value.one_line() and wrong.value.remedy


def test_encryption_is_not_given_up_silently(smtp: Any) -> None:
    server = smtp()  # speaks no STARTTLS
    known = MailServer("smtp", "127.0.0.1", server.port, "", "", "a@b.example")
    message = compose(known, to="c@d.example", name="", subject="x", text="y", thread="t")
    with pytest.raises(UnavailableError) as refused:
        known.send(message)
    assert not isinstance(refused.value, Refused)
    assert server.received == []
    replace(known, scheme="smtp+plain").send(message)
    assert len(server.received) == 1


def test_no_header_can_be_smuggled_into_an_e_mail() -> None:
    server = MailServer("smtp+plain", "127.0.0.1", 25, "", "", "a@b.example")
    message = compose(
        server, to="c@d.example", name="x\r\nBcc: e@f.example", subject="s\nBcc: e", text="", thread="t"
    )
    assert message["Bcc"] is None
    with pytest.raises(InputError):
        compose(server, to="c@d.example\nBcc: e@f.example", name="n", subject="s", text="", thread="t")


def test_a_link_back_is_for_one_conversation_and_one_address(settings: Settings) -> None:
    key = session_key(settings.data)
    link = return_link(key=key, origin="https://x", site="default", public_id="abc", email="a@b.c")
    code = link.partition("&k=")[2]
    assert opens(code, key=key, public_id="abc", email="a@b.c")
    assert not opens(code, key=key, public_id="abd", email="a@b.c")
    assert not opens(code, key=key, public_id="abc", email="other@b.c")
    assert not opens(code, key="0" * 64, public_id="abc", email="a@b.c")
    assert not opens("mail.", key=key, public_id="abc", email="a@b.c")


def test_a_round_that_fails_comes_again_and_the_others_go_on(database: Database, settings: Settings) -> None:
    time = [0.0]
    rounds = Rounds(database, settings, clock=lambda: time[0])
    ran: list[str] = []

    def fail() -> None:
        ran.append("first")
        raise OSError("the database is away")

    rounds.duties[0].run, rounds.duties[1].run = fail, lambda: ran.append("second")
    rounds.once()
    rounds.once()
    assert ran == ["first", "second"]
    time[0] = 10.0
    rounds.once()
    assert ran == ["first", "second"] * 2
    rounds.start()
    rounds.stop()


# --- alerts ----------------------------------------------------------------------------------------------


def displease(database: Database, conversation: Conversation, *, topic: str = "refund_time") -> None:
    """Six of six answers displeased yesterday, none of twenty a week before."""
    with database.write() as session:
        for day, votes in ((1, ["down"] * 6), (9, [None] * 20)):
            for vote in votes:
                turn = Turn(
                    conversation_id=conversation.id,
                    role="bot",
                    text="!",
                    lang="en",
                    kind="passage",
                    intent=topic,
                    created_at=NOON - timedelta(days=day),
                )
                session.add(turn)
                session.flush()
                if vote:
                    session.add(Feedback(turn_id=turn.id, vote=vote, created_at=turn.created_at))


@pytest.fixture
def admins(database: Database) -> None:
    with database.write() as session:
        for name, role, locale, active in (
            ("Ada", "admin", None, True),
            ("Lin", "admin", "zh", True),
            ("Gone", "admin", None, False),
            ("Ed", "editor", None, True),
        ):
            email = f"{name.lower()}@example.com"
            person = Person(
                email=email, name=name, password_hash="x", role=role, locale=locale, active=active
            )
            session.add(person)
        session.add(Intent(name="refund_time", titles={"en": "Refund time", "zh": "退款时间"}, status="live"))


def test_a_topic_that_surges_is_told_once_a_day_to_webhooks_and_admins(
    database: Database, settings: Settings, conversation: Conversation, admins: None, smtp: Any
) -> None:
    add_hook(database, "alert")
    add_hook(database, "closed")
    displease(database, conversation)
    server = smtp()
    settings = with_mail(settings, server)
    assert [one.kind for one in tell_alerts(database, settings, now=NOON)] == ["topic_surges"]
    assert tell_alerts(database, settings, now=NOON + timedelta(minutes=5)) == []
    receiver = Receiver()
    run(database, settings, receiver)
    [(_, headers, body)] = receiver.requests
    assert headers["Frontdesk-Event"] == "alert" and headers["Frontdesk-Signature"].startswith("t=")
    alert = json.loads(body)["alert"]
    assert (alert["kind"], alert["subject"], alert["title"]) == ("topic_surges", "refund_time", "Refund time")
    numbers = {"days": 7, "replies": 6, "displeased": 6, "replies_before": 20, "displeased_before": 0}
    assert alert["details"] == numbers
    assert sorted(str(mail["To"]) for mail in server.received) == [
        "Ada <ada@example.com>",
        "Lin <lin@example.com>",
    ]
    texts = {str(mail["To"])[:3]: (str(mail["Subject"]), mail.get_content()) for mail in server.received}
    subject, text = texts["Ada"]
    assert subject == "Frontdesk: More displeased customers than before: Refund time"
    assert "6 of 6 replies in the last 7 days" in text and "https://help.kettle.example/admin/" in text
    subject, text = texts["Lin"]
    assert "退款时间" in subject and "6 条回复中有 6 条" in text

    assert tell_alerts(database, settings, now=NOON + timedelta(days=1))  # it still surges: once more
    assert len([row for row in rows(database) if row.kind == "webhook"]) == 2


def test_without_a_mail_server_an_alert_goes_to_the_webhooks_alone(
    database: Database, settings: Settings, conversation: Conversation, admins: None
) -> None:
    add_hook(database, "alert")
    displease(database, conversation)
    tell_alerts(database, settings, now=NOON)
    assert [row.kind for row in rows(database)] == ["webhook"]


def test_a_release_that_waits_is_told_once_and_visitors_who_wait_while_the_site_is_open(
    database: Database, settings: Settings, conversation: Conversation, admins: None
) -> None:
    add_hook(database, "alert")
    with database.write() as session:
        session.add(Release(id="r7", snapshot="s", status="candidate"))
        hand_over(session, conversation.public_id, reason="visitor_asked", now=NOON)

    def told(*, at: datetime) -> list[tuple[str, str, dict[str, int]]]:
        return [(one.kind, one.subject, one.details) for one in tell_alerts(database, settings, now=at)]

    assert told(at=NOON + timedelta(minutes=59)) == [("release_waits", "r7", {})]
    waits = ("visitors_wait", "default", {"waiting": 1, "longest_minutes": 61})
    assert told(at=NOON + timedelta(minutes=61)) == [waits]
    assert told(at=NOON + timedelta(minutes=70)) == []
    assert [kind for kind, _, _ in told(at=NOON + timedelta(days=1))] == ["visitors_wait"]
    with database.write() as session:
        session.get_one(Site, conversation.site_id).options = {"hours": {"zone": "Europe/Berlin", "week": {}}}
    assert told(at=NOON + timedelta(days=2)) == []


def test_several_alerts_are_one_e_mail_and_none_reaches_who_is_no_admin_any_more(
    database: Database, settings: Settings, conversation: Conversation, admins: None, smtp: Any
) -> None:
    displease(database, conversation)
    displease(database, conversation, topic="delivery")
    server = smtp()
    settings = with_mail(settings, server)
    tell_alerts(database, settings, now=NOON)
    with database.write() as session:
        session.scalars(select(Person).where(Person.name == "Lin")).one().role = "viewer"
    run(database, settings, Receiver())
    [mail] = server.received
    assert str(mail["Subject"]).endswith(", and 1 more")
    assert "Refund time" in mail.get_content() and "delivery" in mail.get_content()
    assert [row.error for row in rows(database) if row.state == "failed"] == [
        "The person is no admin any more"
    ]


def test_nothing_an_agent_writes_as_a_note_goes_out(
    database: Database, conversation: Conversation, mei: Person
) -> None:
    add_hook(database, "message", "closed", "handover")
    with database.write() as session:
        inbox.add_note(session, conversation.id, mei, "secret")
    assert rows(database) == []
    with database.read() as session:
        assert session.scalars(select(Turn.role)).all() == ["note"]
