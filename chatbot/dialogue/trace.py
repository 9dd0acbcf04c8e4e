"""What decided a reply, as plain data: stored with the turn, shown as "why this answer?", replayable.

Nothing here computes; every field is JSON-serialisable. Confidences and scores are calibrated probabilities 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic_core import to_jsonable_python

from chatbot.dialogue.cards import Card

Role = Literal["customer", "bot", "agent", "action"]
ReplyKind = Literal["approved", "passage", "generated", "choices", "ask", "person", "unknown", "smalltalk"]
PAYLOAD = "/"
HANDOVER = f"{PAYLOAD}handover"  # payload of the choice that leads to a person
Mode = Literal["approved_and_cited", "generated_allowed", "drafts_only"]


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier turn, as the models read it; ``topic``: what a bot's turn answered, an intent or ``article:slug``.

    ``perhaps``: where it answered nothing, what the customer may have meant, each with its probability.
    ``offers_person``: it asked whether a person shall take over. ``choices``: title and payload of what was to be
    tapped, the person left out.
    """

    role: Role
    text: str
    topic: str | None = None
    perhaps: tuple[tuple[str, float], ...] = ()
    offers_person: bool = False
    choices: tuple[tuple[str, str], ...] = ()


def bot_message(
    text: str,
    topic: str | None,
    perhaps: tuple[tuple[str, float], ...],
    reply: Mapping[str, Any],
    trace: Mapping[str, Any],
) -> Message:
    """A reply as the turn that the next message comes behind; ``reply`` and ``trace`` as they are stored."""
    parts, decided = reply.get("parts", ()), trace.get("parts", ())
    last = parts[-1] if parts else {}
    choices = last.get("choices", ()) if last.get("kind") == "choices" else ()
    return Message(
        "bot",
        text,
        topic,
        perhaps,
        offers_person=bool(decided and decided[-1].get("offers_person")),
        choices=tuple(
            (str(choice["title"]), str(choice["payload"]))
            for choice in choices
            if choice["payload"] != HANDOVER
        ),
    )


@dataclass(frozen=True, slots=True)
class IntentGuess:
    """One intent with the calibrated probability that it is the right one."""

    name: str
    confidence: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """The classifier's answer for one text: the ranked intents and whether it is in scope at all."""

    ranked: tuple[IntentGuess, ...]  # best first, at most 8
    in_scope: float  # calibrated probability that the text asks for one of the known intents
    tier: str = "fast"

    @property
    def top(self) -> IntentGuess | None:
        return self.ranked[0] if self.ranked else None

    def probability_of(self, intent: str) -> float:
        """That the text asks for ``intent``; 0 where it is not among the ranked."""
        for guess in self.ranked:
            if guess.name == intent:
                return guess.confidence * self.in_scope
        return 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query. ``score`` is the calibrated probability that it answers the query."""

    passage_id: int
    article_id: int
    article_slug: str
    title: str
    title_path: str
    url: str
    text: str
    lang: str
    score: float
    keyword_score: float
    dense_score: float


@dataclass(frozen=True, slots=True)
class Check:
    """Result of holding a drafted sentence against its sources. ``reasons`` name what failed."""

    passed: bool
    reasons: tuple[str, ...] = ()
    coverage: float = 0.0  # share of the draft's content words found in its sources


@dataclass(frozen=True, slots=True)
class Draft:
    """What the generator (or the past-answer ranking) would say, sent or not."""

    text: str
    score: float  # mean log-probability a token
    passage_ids: tuple[int, ...]
    origin: Literal["generator", "past_answer"] = "generator"
    check: Check = field(default_factory=lambda: Check(False, ("not checked",)))


@dataclass(frozen=True, slots=True)
class Source:
    title: str
    url: str
    quote: str


@dataclass(frozen=True, slots=True)
class Choice:
    """``payload`` is what a tap sends, no words of the customer's: it begins with PAYLOAD."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """The answer to one request found in the message (CONTRACTS: HTTP, version 1)."""

    text: str
    kind: ReplyKind
    confidence: float
    intent: str | None = None
    sources: tuple[Source, ...] = ()
    choices: tuple[Choice, ...] = ()
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    parts: tuple[ReplyPart, ...]
    suggestions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "\n\n".join(part.text for part in self.parts)

    @property
    def kind(self) -> ReplyKind:
        return self.parts[0].kind

    def as_json(self) -> dict[str, Any]:
        """The reply as the API sends it."""
        body = to_jsonable_python(self)
        return {
            "parts": body["parts"],
            "text": self.text,
            "kind": self.kind,
            "suggestions": body["suggestions"],
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """An action that was asked for with ``start:end`` of the customer's turn ``turn``, normalised. ``since``: the turn
    in which it was begun, 0 where it was not yet."""

    name: str
    turn: int
    start: int
    end: int
    since: int = 0


@dataclass(frozen=True, slots=True)
class ActionTrace:
    """Where an action stood after a reply. It names the details that were there and never a value of the customer's.

    state: ``asking`` for ``asked``; ``paused`` by another question (``paused`` counts them); ``done``, ``failed``,
    ``dropped`` by the customer. proof: how it was shown that the order is the customer's own. failures: in a row.
    outcome, detail, attempts, milliseconds: of the request, where one was made. changes: it changes something.
    wish: what it was begun for. waiting: what comes after it. shown: a hash of the details that are to be confirmed.
    aside: the message was not said to it; it was taken up again behind another one. lacks: how often the customer said
    that he does not have what is asked for.
    """

    name: str
    state: Literal["asking", "paused", "done", "failed", "dropped"]
    asked: str | None = None
    filled: tuple[str, ...] = ()
    proof: str = ""
    failures: int = 0
    paused: int = 0
    outcome: str = ""
    detail: str = ""
    attempts: int = 0
    milliseconds: float = 0.0
    changes: bool = False
    wish: Wish | None = None
    waiting: tuple[Wish, ...] = ()
    shown: str = ""
    aside: bool = False
    lacks: int = 0

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> ActionTrace:
        """As it is stored with a turn."""
        wish = kept.get("wish")
        nested = {
            "filled": tuple(kept.get("filled", ())),
            "wish": Wish(**wish) if wish else None,
            "waiting": tuple(Wish(**one) for one in kept.get("waiting", ())),
        }
        return cls(**{**kept, **nested})

    @property
    def open(self) -> bool:
        return self.state in ("asking", "paused")


@dataclass(frozen=True, slots=True)
class Tagged:
    """An entity ``text`` at ``start:end`` of a request; ``confidence`` 0 … 1: of its least certain piece."""

    kind: str
    start: int
    end: int
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PartTrace:
    """Everything that decided one part: what was asked, what was found, which rule spoke and why."""

    request: str
    lang: str
    classification: Classification
    hits: tuple[Hit, ...]
    draft: Draft | None
    kind: ReplyKind
    rule: str  # name of the policy rule that decided
    reason: str  # the rule in words, with the numbers it compared
    action: ActionTrace | None = None
    topic: str | None = None  # what was answered: an intent, or ``article:slug``
    perhaps: tuple[
        tuple[str, float], ...
    ] = ()  # where nothing was: what may have been meant, with its probability
    entities: tuple[Tagged, ...] = ()  # what the request names, where the release has learned any
    left_out: bool = False  # a draft was due and not written: too many messages at once (web/pressure.py)
    offers_person: bool = False  # it is asked whether a person shall take over
    read_as: str = ""  # the request as the models read it, where slips in it were mended
    added: str = ""  # what of a passage is told behind the answer (additions.py)


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole decision behind one bot turn."""

    release: str
    mode: Mode
    thresholds: dict[str, float]
    parts: tuple[PartTrace, ...]
    milliseconds: dict[str, float] = field(default_factory=dict)
    suggested: tuple[str, ...] = ()  # the reply's suggestions by intent or ``article:slug``

    @property
    def topic(self) -> str | None:
        """What was answered last; None where nothing was."""
        return next((part.topic for part in reversed(self.parts) if part.topic), None)

    @property
    def perhaps(self) -> tuple[tuple[str, float], ...]:
        """What the customer may have meant, of the last part; empty where something was answered."""
        return self.parts[-1].perhaps if self.parts and self.topic is None else ()

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = to_jsonable_python(self)  # a tenth of what dataclasses.asdict takes
        return body
