"""What every transcript reader yields: a Transcript, or the RowError that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ingest.files import RowError

ROLES = {
    "customer": "customer", "user": "customer", "client": "customer", "visitor": "customer", "human": "customer",
    "lead": "customer", "contact": "customer", "end-user": "customer", "enduser": "customer", "buyer": "customer",
    "agent": "agent", "assistant": "agent", "admin": "agent", "operator": "agent", "support": "agent",
    "representative": "agent", "staff": "agent", "teammate": "agent", "seller": "agent", "wizard": "agent",
    "bot": "bot", "system": "bot", "agentbot": "bot", "automation": "bot",
    "action": "action", "tool": "action", "api": "action",
    "requester": "customer", "guest": "customer", "consumer": "customer", "shopper": "customer", "kunde": "customer",
    "kundin": "customer", "cliente": "customer", "klant": "customer", "employee": "agent", "csr": "agent",
    "advisor": "agent", "mitarbeiter": "agent", "agente": "agent", "medewerker": "agent", "conseiller": "agent",
    "客户": "customer", "顾客": "customer", "买家": "customer", "用户": "customer", "访客": "customer",
    "客服": "agent", "坐席": "agent", "卖家": "agent", "商家": "agent", "人工": "agent", "机器人": "bot",
}  # fmt: skip


class Turn(NamedTuple):
    """``role``: customer, agent, bot (dropped on import) or action (what the agent looked up or did)."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """One past conversation as its source tells it, nothing redacted yet.

    ``tag`` is what the source itself calls the conversation's intent; ``tags`` are labels of all kinds, among which
    the import looks for one. ``names`` are the people the source names, for redaction. ``entities``: (kind, words)
    marked in the first message of the customer, in order; None where nobody marked any. ``at``: when it began, where
    the source says so.
    """

    id: str
    turns: tuple[Turn, ...]
    tag: str | None = None
    lang: str | None = None
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    entities: tuple[tuple[str, str], ...] | None = None
    at: datetime | None = None


class RowProblem(Exception):
    """Raised by a format's converter; the reader adds the line and makes a RowError of it."""

    def __init__(self, message: str, *, value: object = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.value = value
        self.remedy = remedy

    def at(self, line: int) -> RowError:
        return RowError(line, self.message, str(self.value)[:80], self.remedy)


def role_of(name: object) -> str:
    """One of our roles for a source's name of one. Raises RowProblem for a name that nobody knows."""
    role = ROLES.get(str(name).strip().lower())
    if role is None:
        raise RowProblem("The role is not known", value=name, remedy="Use customer, agent, bot or action")
    return role


def text_of(value: object, *, where: str) -> str:
    """A text field; null counts as empty. Raises RowProblem where it is no text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowProblem(f"{where} is no text", value=repr(value), remedy="Write it as a JSON string")
    return value


def identifier(value: object) -> str:
    return "" if value is None else str(value)[:200]


def labels(value: object) -> tuple[str, ...]:
    """Labels written as a list, or in one string with commas or spaces between."""
    if isinstance(value, str):
        value = value.split(",") if "," in value else value.split()
    if not isinstance(value, list):
        return ()
    return tuple(label.strip() for label in value if isinstance(label, str) and label.strip())
