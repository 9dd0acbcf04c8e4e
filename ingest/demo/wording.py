"""The hand-written wording of the demo company's past conversations, as read from ``material/*.yaml``.

``<lang>-personas.yaml`` holds how the agents and customers of a language greet, wait and take leave,
``phrases.yaml`` the small sentences with which a conversation is put together, ``followers.yaml`` which topic leads to
which, ``followups-<lang>.yaml`` what else customers ask once a topic's first answer is given, and every other
``<lang>-<section>.yaml`` a list of entries: customers' openings, agents' answers and follow-up questions of one
topic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from chatbot.errors import FileError

MATERIAL = Path(__file__).parent / "material"
OUT_OF_SCOPE = "out_of_scope"
SLOT = re.compile(r"\{(\w+)\}")  # filled in when a conversation is composed
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads the material ten times faster


@dataclass(frozen=True)
class FollowUp:
    """A question that only makes sense after the turn before, and the agents' answers to it."""

    asks: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One topic or one side of it; ``topic`` is None for small talk and questions off the topic."""

    topic: str | None
    intent: str | None
    openings: tuple[str, ...]
    answers: tuple[str, ...]
    followups: tuple[FollowUp, ...]
    section: str
    unanswered: tuple[str, ...] = ()  # asked behind an answer, and in no article: agents do not know

    @property
    def small_talk(self) -> bool:
        return self.topic is None and self.intent != OUT_OF_SCOPE


@dataclass(frozen=True)
class Phrases:
    """Sentences with which a conversation is put together, in one language."""

    joiners: tuple[str, ...]  # two questions in one message: {first}, {second}
    lead_ins: tuple[str, ...]  # before a second question later on
    order_requests: tuple[str, ...]
    order_replies: tuple[str, ...]
    introductions: tuple[str, ...]  # who writes, after an opening
    nudges: tuple[str, ...]  # "are you still there?"
    notes: tuple[str, ...]  # internal, never public
    subjects: tuple[str, ...]
    cities: tuple[str, ...]
    names: tuple[str, ...]
    mailboxes: tuple[str, ...]


@dataclass(frozen=True)
class Personas:
    """How five agents, and the customers, of one language speak apart from the matter itself."""

    greetings: tuple[tuple[str, ...], ...]
    signoffs: tuple[tuple[str, ...], ...]
    holds: tuple[str, ...]
    transfers: tuple[str, ...]
    cannot_help: tuple[str, ...]
    not_known: tuple[str, ...]
    customer_greetings: tuple[str, ...]
    customer_thanks: tuple[str, ...]
    fillers: tuple[str, ...]


@dataclass(frozen=True)
class Wording:
    """Everything written for one language."""

    language: str
    entries: tuple[Entry, ...]
    personas: Personas
    phrases: Phrases
    followers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # topic -> what is asked next


def read_wording(folder: Path = MATERIAL) -> Mapping[str, Wording]:
    """The wording of every language that has a personas file, by language.

    Raises FileError when a file is not of the shape described above.
    """
    phrases = _read(folder / "phrases.yaml")
    followers = {topic: tuple(next_) for topic, next_ in _read(folder / "followers.yaml").items()}
    found: dict[str, Wording] = {}
    for path in sorted(folder.glob("*-personas.yaml")):
        language = path.name.partition("-")[0]
        entries: list[Entry] = []
        later = _followups(folder / f"followups-{language}.yaml")
        for part in sorted(folder.glob(f"{language}-*.yaml")):
            if part != path:
                section = part.stem.partition("-")[2]
                entries += [_entry(raw, section=section, path=part) for raw in _read(part)]
        found[language] = Wording(
            language=language,
            entries=tuple(_followed_by(entry, later) for entry in entries),
            personas=_personas(_read(path), path=path),
            phrases=Phrases(**{name: tuple(lines) for name, lines in phrases[language].items()}),
            followers=followers,
        )
    if not found:
        raise FileError("The demo's material is missing", value=folder, remedy="Reinstall the package")
    return found


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text("utf-8"), Loader=_LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileError(f"{path.name} cannot be read: {error}", value=path.name) from error


def _entry(raw: Mapping[str, Any], *, section: str, path: Path) -> Entry:
    try:
        followups = tuple(
            FollowUp(asks=tuple(pair["ask"]), answers=tuple(pair["answer"]))
            for pair in raw.get("followups") or ()
        )
        return Entry(
            topic=raw["topic"],
            intent=raw["intent"],
            openings=tuple(raw["openings"]),
            answers=tuple(raw.get("answers") or ()),
            followups=followups,
            section=section,
        )
    except (KeyError, TypeError) as error:
        raise FileError(
            f"An entry of {path.name} is incomplete: {error}",
            value=str(raw)[:80],
            remedy="Give topic, intent and openings; each follow-up needs ask and answer",
        ) from error


@dataclass(frozen=True)
class _Later:
    answered: tuple[FollowUp, ...]
    unanswered: tuple[str, ...]


def _followups(path: Path) -> Mapping[str, _Later]:
    """By topic."""
    try:
        return {
            topic: _Later(
                tuple(FollowUp(tuple(pair["ask"]), tuple(pair["answer"])) for pair in raw["answered"]),
                tuple(text for pair in raw["unanswered"] for text in pair["ask"]),
            )
            for topic, raw in _read(path).items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise FileError(
            f"{path.name} is incomplete: {error}",
            value=path.name,
            remedy="Give answered (ask and answer) and unanswered (ask) for each topic",
        ) from error


def _followed_by(entry: Entry, later: Mapping[str, _Later]) -> Entry:
    found = later.get(entry.topic or "")
    if found is None:
        return entry
    return replace(entry, followups=(*entry.followups, *found.answered), unanswered=found.unanswered)


def _personas(raw: Mapping[str, Any], *, path: Path) -> Personas:
    try:
        found = Personas(
            greetings=tuple(tuple(lines) for lines in raw["greetings"]),
            signoffs=tuple(tuple(lines) for lines in raw["signoffs"]),
            holds=tuple(raw["holds"]),
            transfers=tuple(raw["transfers"]),
            cannot_help=tuple(raw["cannot_help"]),
            not_known=tuple(raw["not_known"]),
            customer_greetings=tuple(raw["customer_greetings"]),
            customer_thanks=tuple(raw["customer_thanks"]),
            fillers=tuple(raw["fillers"]),
        )
    except (KeyError, TypeError) as error:
        raise FileError(f"{path.name} is incomplete: {error}", value=path.name) from error
    if len(found.greetings) != len(found.signoffs):
        raise FileError(f"{path.name} needs as many lists of signoffs as of greetings", value=path.name)
    return found
