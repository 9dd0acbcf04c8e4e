"""The e-mail that tells an admin what nobody may have seen on the overview (chatbot/records/alerts.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatbot.records.database import Database
from chatbot.records.tables import Person
from chatbot.settings import Settings
from web.mail import Unsendable, compose, mail_server

_WORDS = {
    "en": {
        "subject": "Frontdesk: {first}",
        "more": "{first}, and {number} more",
        "topic_surges": "More displeased customers than before: {title}",
        "topic_surges_more": "{displeased} of {replies} replies in the last {days} days; "
        "in the {days} days before {displeased_before} of {replies_before}.",
        "release_waits": "A new release waits for your decision",
        "release_waits_more": "{title}",
        "visitors_wait": "Visitors wait for a person: {title}",
        "visitors_wait_more": "{waiting} for more than an hour, the longest for {longest_minutes} minutes.",
        "look": "Look at it:",
        "why": "Admins of this installation get this at most once a day for each topic and website.",
    },
    "zh": {
        "subject": "Frontdesk：{first}",
        "more": "{first}，另有 {number} 项",
        "topic_surges": "不满意的客户明显增多：{title}",
        "topic_surges_more": "最近 {days} 天的 {replies} 条回复中有 {displeased} 条令人不满意；"
        "此前 {days} 天为 {replies_before} 条中的 {displeased_before} 条。",
        "release_waits": "有一个新版本等待您决定",
        "release_waits_more": "{title}",
        "visitors_wait": "有访客在等待人工客服：{title}",
        "visitors_wait_more": "{waiting} 位访客已等待一个多小时，最长 {longest_minutes} 分钟。",
        "look": "前往查看：",
        "why": "本系统的管理员会收到此邮件，每个主题和网站每天最多一次。",
    },
}
_PAGES = {"topic_surges": "/admin/", "release_waits": "/admin/releases", "visitors_wait": "/admin/inbox/"}


def send_alert(database: Database, settings: Settings, payload: Mapping[str, Any]) -> None:
    """Raises Unsendable where the person is gone or no admin any more, and what MailServer.send raises."""
    server = mail_server(settings)
    with database.read() as session:
        person = session.get(Person, payload["person"])
    if person is None or not person.active or person.role != "admin":
        raise Unsendable("The person is no admin any more")
    subject, text = alert_text(
        person.locale or "en", payload["alerts"], origin=settings.public_url.rstrip("/")
    )
    message = compose(server, to=person.email, name=person.name, subject=subject, text=text, thread="alerts")
    server.send(message)


def alert_text(locale: str, alerts: Sequence[Mapping[str, Any]], *, origin: str) -> tuple[str, str]:
    """Subject and text; without an ``origin`` there is no link."""
    words = _WORDS.get(locale.partition("-")[0].lower(), _WORDS["en"])
    parts, subject = [], ""
    for alert in alerts:
        values = {"title": alert["title"], **alert["details"]}
        head = words[alert["kind"]].format(**values)
        subject = subject or head
        link = [f"{words['look']} {origin}{_PAGES[alert['kind']]}"] if origin else []
        parts.append("\n".join([head, words[f"{alert['kind']}_more"].format(**values), *link]))
    if len(alerts) > 1:
        subject = words["more"].format(first=subject, number=len(alerts) - 1)
    return words["subject"].format(first=subject), "\n\n".join([*parts, words["why"]]) + "\n"
