"""The demo company's past conversations, composed from hand-written wording into a helpdesk's ticket export.

The shape is Zendesk's ticket with its comments inline, one ticket a line: the customer is
``author_id == requester_id``, ``public: false`` marks internal notes, ``description`` repeats the first comment and
``tags`` holds, on about 80 % of the tickets that open on an intent, the intent's name among other tags. Everything
is drawn from one seed, so the same seed gives the same export to the byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from chatbot.errors import InputError
from ingest.demo.decks import Table
from ingest.demo.exam import Exam
from ingest.demo.typing_habits import TypingHabits, draw_habits, type_out
from ingest.demo.wording import OUT_OF_SCOPE, SLOT, Entry, FollowUp, read_wording

EXPORT_NAME = "conversations.jsonl"
NEUTRAL_TAGS = ("web", "mobile", "vip", "chat", "email")
AGENT_IDS = {"en": 7000, "zh": 7100}  # one block of five agents a language

_FIRST_DAY = datetime(2025, 9, 1, 8, tzinfo=UTC)
_DAYS = 400
_STORY = 120  # characters of an opening that nobody follows up with a second question
_NOT_KNOWN = 0.1  # of the follow-up questions, those that no article answers
_LONG = 8  # comments after which nothing new is begun
_MACHINES = ("Crane Mini", "Crane One", "Crane Duo")
_PRODUCTS = (*_MACHINES, "Heron 40", "Heron Hand", "Ibis Kettle")
_WITH_DISPLAY = ("Crane One", "Crane Duo")
_PRODUCTS_OF_TOPIC = {
    **dict.fromkeys(("error-e4012", "error-e4015", "error-e4021"), _WITH_DISPLAY),
    "descale-espresso-machine": _MACHINES,
    "machine-leaking": _MACHINES,
    "first-use-espresso-machine": _MACHINES,
    "choose-espresso-machine": _MACHINES,
    "return-used-machine": (*_MACHINES, "Heron 40"),
    "espresso-sour-bitter": _WITH_DISPLAY,
    "plug-voltage": (*_MACHINES, "Heron 40", "Ibis Kettle"),
    "book-repair": (*_MACHINES, "Heron 40"),
    "repair-cost": (*_MACHINES, "Heron 40"),
    "error-e2107": ("Heron 40",),
    "grinder-setting": ("Heron 40", "Heron Hand"),
    "error-e1003": ("Ibis Kettle",),
    "descale-kettle": ("Ibis Kettle",),
}
_ORDER_SECTIONS = ("orders", "shipping", "returns")  # where agents ask for the order number
_STARTERS = re.compile(
    r"(?:what|how|my|is|can|do|does|did|when|where|which|the|your|are|if|there|could|will|would|why|it|should) ",
    re.I,
)


@dataclass(frozen=True)
class Line:
    """One comment before it is numbered and dated; ``agent`` is None for the customer."""

    agent: int | None
    text: str
    public: bool = True


def compose(
    seed: int = 13, count: int | None = None, *, chinese_share: float | None = None
) -> Iterator[dict[str, Any]]:
    """``count`` tickets, in the order of their dates, less the few that a test question could be read off; the same
    for the same arguments.

    By default as many as there are openings, in the languages they are written in: each is dealt once.
    ``chinese_share`` is the share of Chinese conversations (0 to 1).
    Raises InputError for a count below 1 or a share outside 0 to 1, FileError when the material is damaged.
    """
    wording = read_wording()
    written = {lang: sum(len(entry.openings) for entry in words.entries) for lang, words in wording.items()}
    count = sum(written.values()) if count is None else count
    share = written["zh"] / sum(written.values()) if chinese_share is None else chinese_share
    if count < 1 or not 0 <= share <= 1:
        raise InputError(
            "The demo needs a count of at least 1 and a Chinese share from 0 to 1",
            field="count" if count < 1 else "chinese_share",
            value=count if count < 1 else share,
        )
    rng = Random(seed)
    chinese = round(count * share)
    languages = ["zh"] * chinese + ["en"] * (count - chinese)
    rng.shuffle(languages)
    tables = {lang: Table(wording[lang], rng) for lang in sorted(set(languages))}
    starts = sorted(_FIRST_DAY + timedelta(minutes=rng.randrange(_DAYS * 24 * 60)) for _ in languages)
    exam = Exam()
    for number, (lang, start) in enumerate(zip(languages, starts, strict=True)):
        ticket = _Conversation(tables[lang], rng, start=start).ticket(40_001 + number)
        if not any(exam.is_given_away_by(text, lang) for text in _said_by_customer(ticket)):
            yield ticket


def _said_by_customer(ticket: dict[str, Any]) -> Iterator[str]:
    return (line["body"] for line in ticket["comments"] if line["author_id"] == ticket["requester_id"])


def write(
    folder: Path, seed: int = 13, *, count: int | None = None, chinese_share: float | None = None
) -> Path:
    """Write the export as ``folder/conversations.jsonl``, whole or not at all, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / EXPORT_NAME
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="\n") as out:
        for ticket in compose(seed, count, chinese_share=chinese_share):
            out.write(json.dumps(ticket, ensure_ascii=False) + "\n")
    partial.replace(path)
    return path


class _Conversation:
    """One conversation on its way to a ticket: who speaks, what about, and the lines so far."""

    def __init__(self, table: Table, rng: Random, *, start: datetime) -> None:
        self.table = table
        self.rng = rng
        self.start = start
        self.language = table.wording.language
        self.personas = table.wording.personas
        self.phrases = table.wording.phrases
        self.agent = rng.randrange(len(self.personas.greetings))
        self.habits: TypingHabits = draw_habits(rng, language=self.language)
        self.lines: list[Line] = []
        self.greeted = False
        self.values = self._draw_values()

    def _draw_values(self) -> dict[str, str]:
        rng, phrases = self.rng, self.phrases
        when = self.start - timedelta(days=rng.randrange(1, 20))
        date = f"{when.month}月{when.day}日" if self.language == "zh" else f"{when.day} {when:%B}"
        return {
            "order": f"KC-{rng.randrange(100_000, 1_000_000)}",
            "city": rng.choice(phrases.cities),
            "days": str(rng.randrange(2, 15)),
            "name": rng.choice(phrases.names),
            "email": f"{rng.choice(phrases.mailboxes)}@{rng.choice(('example.com', 'example.org', 'example.net'))}",
            "amount": f"{rng.randrange(12, 480)}.{rng.choice(('00', '50', '90', '95'))}",
            "date": date,
            "product": rng.choice(_PRODUCTS),
        }

    def _fill(self, text: str) -> str:
        try:
            return SLOT.sub(lambda match: self.values[match[1]], text)
        except KeyError as error:
            raise InputError(
                f"The demo's material uses the unknown slot {error}",
                value=text[:80],
                remedy=f"Known slots: {', '.join(sorted(self.values))}",
            ) from error

    # ------------------------------------------------------------------ the two sides
    def _customer(self, text: str) -> None:
        typed = type_out(self._fill(text), self.habits, self.rng, language=self.language)
        self.lines.append(Line(agent=None, text=typed))

    def _agent(self, text: str, *, greet: bool = False, sign: bool = False) -> None:
        text = self._fill(text)
        if greet and not self.greeted:
            text = self._join(self.rng.choice(self.personas.greetings[self.agent]), text)
            self.greeted = True
        if sign:
            text = self._join(text, self.rng.choice(self.personas.signoffs[self.agent]))
        self.lines.append(Line(agent=self.agent, text=self._fill(text)))

    def _join(self, first: str, second: str) -> str:
        if self.language == "zh":
            return f"{first}{second}" if first[-1:] in "，。！？~～" or not first else f"{first}，{second}"
        return f"{first} {second}".strip()

    def _happens(self, share: float) -> bool:
        return self.rng.random() < share

    # ------------------------------------------------------------------ the course of it
    def ticket(self, number: int) -> dict[str, Any]:
        """Draw an opening, play the conversation out, and give it as a ticket."""
        entry, opening = self.table.openings.draw()
        if entry.small_talk:
            self._small_talk(entry, opening)
        else:
            self._matter(entry, opening)
        if self._happens(0.12):
            note = self._fill(self.rng.choice(self.phrases.notes))
            self.lines.insert(
                self.rng.randrange(1, len(self.lines) + 1), Line(self.agent, note, public=False)
            )
        return self._as_ticket(number, entry)

    def _small_talk(self, entry: Entry, opening: str) -> None:
        self._customer(opening)
        self._agent(self.table.answer(entry, opening, self.rng, longer=self._likes_length()))
        if entry.intent == "talk_to_person" and self._happens(0.5):
            self._hand_over()
            self._later_question(entry)
        elif entry.intent == "greeting" and self._happens(0.5):
            self.greeted = True
            self._later_question(entry, lead_in=False)
        elif self._happens(0.3):
            self._take_leave()

    def _matter(self, entry: Entry, opening: str) -> None:
        rng = self.rng
        if self._happens(0.10):
            self._customer(rng.choice(self.personas.customer_greetings))
            self._agent(rng.choice(self.personas.greetings[self.agent]))
            self.greeted = True
        joinable = entry.intent != OUT_OF_SCOPE and len(opening) < _STORY
        second = self._other(entry) if joinable and self._happens(0.04) else None
        if second is not None and len(second[1]) >= _STORY:
            second = None
        self._set_product(entry)
        self._customer(self._dressed(opening, second))
        if entry.section in _ORDER_SECTIONS and "{order}" not in opening and self._happens(0.12):
            self._agent(rng.choice(self.phrases.order_requests), greet=True)
            self._customer(rng.choice(self.phrases.order_replies))
        if self._happens(0.07):
            self._agent(rng.choice(self.personas.holds), greet=True)
            if self._happens(0.3):
                self._customer(rng.choice(self.phrases.nudges))
        elif entry.topic is not None and self._happens(0.05):
            self._hand_over()
        self._reply(entry, opening, last=second is None)
        if second is not None:
            self._reply(*second, last=True)
        self._follow_up(entry)
        if entry.intent != OUT_OF_SCOPE and self._happens(0.10):
            self._later_question(entry)
        if self._happens(0.42):
            self._take_leave()

    def _reply(self, entry: Entry, question: str, *, last: bool) -> None:
        text = self.table.answer(entry, question, self.rng, longer=self._likes_length())
        self._agent(text, greet=self._happens(0.6), sign=last and self._happens(0.25))

    def _likes_length(self) -> bool:
        return self.agent % 2 == 0

    def _follow_up(self, entry: Entry) -> None:
        """None or some of the entry's follow-up questions."""
        rng = self.rng
        if entry not in self.table.followups or len(self.lines) > _LONG:
            return
        seen: list[FollowUp] = []
        for share in (0.62, 0.45, 0.3):
            if not self._happens(share) or len(self.lines) > _LONG:
                return
            if entry in self.table.unanswered and self._happens(_NOT_KNOWN):
                self._customer(self.table.unanswered[entry].draw())
                self._agent(rng.choice(self.personas.not_known), sign=self._happens(0.15))
                continue
            followup, ask = self.table.followups[entry].draw()
            if followup in seen:
                return
            seen.append(followup)
            self._customer(ask)
            self._agent(rng.choice(followup.answers), sign=self._happens(0.15))

    def _later_question(self, entry: Entry, *, lead_in: bool = True) -> None:
        """Another matter in the same conversation, with its answer."""
        if len(self.lines) > _LONG:
            return
        other, question = self._next(entry)
        self._set_product(other)
        before = self.rng.choice(self.phrases.lead_ins) if lead_in else ""
        self._customer(f"{before}{question}" if self.language == "zh" else f"{before} {question}".strip())
        self._reply(other, question, last=True)
        self._follow_up(other)

    def _hand_over(self) -> None:
        """A colleague takes over and greets anew."""
        self._agent(self.rng.choice(self.personas.transfers))
        self.agent = (self.agent + self.rng.randrange(1, len(self.personas.greetings))) % len(
            self.personas.greetings
        )
        self.greeted = False

    def _take_leave(self) -> None:
        self._customer(self.rng.choice(self.personas.customer_thanks))
        if self._happens(0.7):
            self._agent(self.rng.choice(self.personas.signoffs[self.agent]))

    # ------------------------------------------------------------------ the customer's message
    def _next(self, entry: Entry) -> tuple[Entry, str]:
        """A question on what this topic leads to, in seven cases of ten; else on any other topic."""
        followers = self.table.wording.followers.get(entry.topic or "", ())
        if not followers or not self._happens(0.7):
            return self._other(entry)
        (topic,) = self.rng.choices(followers, weights=range(len(followers), 0, -1))
        return self.table.about[topic].draw()

    def _other(self, entry: Entry) -> tuple[Entry, str]:
        """A question on another topic."""
        while True:
            other, question = self.table.later.draw()
            if other.topic != entry.topic:
                return other, question

    def _set_product(self, entry: Entry) -> None:
        allowed = _PRODUCTS_OF_TOPIC.get(entry.topic or "", _PRODUCTS)
        if self.values["product"] not in allowed:
            self.values["product"] = self.rng.choice(allowed)

    def _dressed(self, opening: str, second: tuple[Entry, str] | None) -> str:
        """The opening as it arrives: perhaps joined with a second question, a greeting, a filler, a name."""
        rng = self.rng
        text = opening
        if second is not None:
            joiner = rng.choice(self.phrases.joiners)
            text = _closed(text, self.language)
            follow = second[1]
            if joiner.endswith("Also, {second}"):
                follow = _lowered(follow)
            text = joiner.replace("{first}", text).replace("{second}", follow)
        if not self.greeted and self._happens(0.20):
            text = self._join(rng.choice(self.personas.customer_greetings), text)
        elif self._happens(0.06):
            text = self._join(rng.choice(self.personas.fillers), text)
        if "{order}" not in text and "{name}" not in text and self._happens(0.09):
            text = self._join(_closed(text, self.language), rng.choice(self.phrases.introductions))
        return text

    # ------------------------------------------------------------------ as a ticket
    def _as_ticket(self, number: int, entry: Entry) -> dict[str, Any]:
        rng = self.rng
        requester = rng.randrange(900_000, 999_999)
        channel = rng.choice(("chat", "chat", "chat", "web", "email"))
        at = self.start
        comments: list[dict[str, Any]] = []
        for position, line in enumerate(self.lines):
            if position:
                at += timedelta(seconds=rng.randrange(20, 400))
            author = requester if line.agent is None else AGENT_IDS.get(self.language, 7200) + line.agent
            comments.append(
                {
                    "id": number * 100 + position,
                    "type": "Comment",
                    "author_id": author,
                    "body": line.text,
                    "public": line.public,
                    "created_at": _stamp(at),
                }
            )
            if channel == "email":  # only this channel keeps a second, plain form
                comments[-1]["plain_body"] = line.text
        return {
            "id": number,
            "subject": self._subject(),
            "description": comments[0]["body"],
            "status": rng.choice(("closed", "closed", "closed", "solved", "pending")),
            "created_at": _stamp(self.start),
            "requester_id": requester,
            "assignee_id": AGENT_IDS.get(self.language, 7200) + self.agent,
            "tags": self._tags(entry),
            "satisfaction_rating": {
                "score": rng.choice(("unoffered", "unoffered", "offered", "good", "good", "bad"))
            },
            "via": {"channel": channel},
            "comments": comments,
        }

    def _subject(self) -> str:
        if self._happens(0.5):
            first = self.lines[0].text
            return first[:18] if self.language == "zh" else " ".join(first.split()[:6])
        return self._fill(self.rng.choice(self.phrases.subjects))

    def _tags(self, entry: Entry) -> list[str]:
        tags = [tag for tag in NEUTRAL_TAGS if self._happens(0.15)]
        if entry.intent is not None and self._happens(0.8):
            tags.append(entry.intent)
        self.rng.shuffle(tags)
        return tags


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _closed(text: str, language: str) -> str:
    """``text`` with an end mark, so that another sentence can follow."""
    if text[-1:] in ".?!。？！…)）~～":
        return text
    return f"{text}。" if language == "zh" else f"{text}."


def _lowered(text: str) -> str:
    """``text`` as it goes on after a comma: a small first letter where the word is not a name."""
    return text[0].lower() + text[1:] if _STARTERS.match(text) else text
