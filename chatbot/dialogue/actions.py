"""What an action is: an intent bound to one HTTP request, with the details it needs and the words for its answer.

An admin makes them (chatbot/records/actions.py keeps them); chatbot/dialogue/acting.py asks for what is missing and
chatbot/dialogue/action_calls.py makes the request. Everything here is plain data and its rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from chatbot.dialogue.action_templates import Template, read_templates
from chatbot.dialogue.trace import ActionTrace, Tagged
from chatbot.errors import InputError
from chatbot.language.entity_marks import kind_name

SlotKind = Literal["order", "email", "phone", "date", "amount", "pattern", "entity", "text", "confirm"]
ProofKind = Literal["none", "service", "answer"]
Result = Literal["done", "not_found", "refused", "failed"]

SLOT_KINDS: tuple[SlotKind, ...] = (
    "order", "email", "phone", "date", "amount", "pattern", "entity", "text", "confirm",
)  # fmt: skip
PROOF_KINDS: tuple[ProofKind, ...] = ("none", "service", "answer")
PROOF_FIELDS = ("email", "postcode", "identity")  # what can prove that the order is the customer's own
MOST_SLOTS = 8
LEAST_SECONDS, MOST_SECONDS = 0.5, 10.0

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+){0,5}")
_PATTERN_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Slot:
    """One detail that the request needs.

    ``kind``: a value that chatbot/language/entities.py knows, the company's own ``pattern``, an ``entity`` that the
    release's tagger has learned (``pattern`` names its kind), the ``text`` of the answer as it is, or ``confirm`` (yes
    or no, asked last). ``ask``: the question by language; ``{slots}`` name those before.
    """

    name: str
    kind: SlotKind
    ask: Mapping[str, str] = field(default_factory=dict)
    pattern: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                "Not a name for a detail",
                field="slots",
                value=self.name,
                remedy="Use small letters, digits and _, for example order",
            )
        if self.kind not in SLOT_KINDS:
            raise InputError(
                "Unknown kind of detail",
                field="slots",
                value=self.kind,
                remedy=f"Use one of {', '.join(SLOT_KINDS)}",
            )
        if self.kind == "pattern":
            check_pattern(self.pattern)
        if self.kind == "entity" and (not self.pattern or self.pattern != kind_name(self.pattern)):
            raise InputError(
                "Which kind of entity?",
                field="pattern",
                value=self.pattern[:60] or None,
                remedy="Name one that is marked in the examples, for example delivery_city",
            )
        if self.kind == "confirm" and not any(self.ask.values()):
            raise InputError(
                "A confirmation needs its question",
                field="slots",
                value=self.name,
                remedy="Write what the customer is asked, for example: Shall I cancel order {order}?",
            )

    def question(self, lang: str) -> str:
        """The company's question in ``lang``, else in English; empty where there is none."""
        return self.ask.get(lang) or self.ask.get("en") or ""


def check_pattern(pattern: str) -> None:
    """Raises InputError for what is no regular expression, or one that could take very long on a long message."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise InputError(
            "The pattern is not a regular expression",
            field="pattern",
            value=pattern[:60],
            remedy=f"{error}; for example [A-Z]{{2}}-\\d{{6}}",
        ) from error
    if not pattern or len(pattern) > _PATTERN_LIMIT or _nests_repeats(pattern):
        raise InputError(
            "The pattern is empty, too long or repeats what is repeated already",
            field="pattern",
            value=pattern[:60],
            remedy="Write a plain one such as [A-Z]{2}-\\d{6}, without a group that ends in + or * and is repeated",
        )


def _nests_repeats(pattern: str) -> bool:
    return re.search(r"[+*}]\)?\)[+*{]|\\[1-9]", pattern) is not None


@dataclass(frozen=True, slots=True)
class Proof:
    """How it is proven that what the action reveals or changes is the customer's own.

    ``none``: it holds nothing personal. ``service``: it is sent the proof and must answer ``"verified": true``.
    ``answer``: the proof is held against ``paths`` of the answer (email, postcode, identity → ``customer.email``).
    ``answer`` comes after the request: what that changed stays changed, so an action that changes needs ``service``.
    A visitor whom the company has signed in needs no second proof where ``identity`` can be checked. ``accepts``: which
    second proofs are asked for; empty: none, only signed-in visitors may use the action.
    """

    kind: ProofKind = "none"
    accepts: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in PROOF_KINDS:
            raise InputError("Unknown proof", field="proof", value=self.kind, remedy=", ".join(PROOF_KINDS))
        unknown = [name for name in self.accepts if name not in ("email", "postcode")]
        unknown += [name for name in self.paths if name not in PROOF_FIELDS]
        if unknown:
            raise InputError(
                "Unknown proof", field="proof", value=", ".join(unknown), remedy=", ".join(PROOF_FIELDS)
            )
        bad = [path for path in self.paths.values() if not _PATH.fullmatch(path)]
        if bad:
            raise InputError(
                "Not a place in the answer", field="proof", value=bad[0], remedy="Write it as customer.email"
            )
        missing = [name for name in self.accepts if name not in self.paths] if self.kind == "answer" else []
        if missing:
            raise InputError(
                "Where in the answer does this stand?",
                field="proof",
                value=", ".join(missing),
                remedy="Name its place, for example customer.email",
            )
        if self.kind == "answer" and not self.paths:
            raise InputError(
                "A proof against the answer needs a place in the answer",
                field="proof",
                remedy="Name where the e-mail address, the postcode or the customer's id stands",
            )

    @property
    def needed(self) -> bool:
        return self.kind != "none"

    def signed_in_is_enough(self) -> bool:
        """Whether a signed-in identity can be checked without a second proof."""
        return self.kind == "service" or "identity" in self.paths


@dataclass(frozen=True, slots=True)
class Action:
    """One action as an admin approved it. ``templates``: by language, the first that fits the answer is said."""

    id: int
    name: str
    intent: str
    url: str
    slots: tuple[Slot, ...]
    templates: Mapping[str, tuple[Template, ...]]
    proof: Proof = Proof()
    changes: bool = False  # it changes something: the bot must be sure, and the customer confirms
    seconds: float = 4.0  # for one try

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                "Not a name for an action",
                field="name",
                value=self.name,
                remedy="Use small letters, digits and _, for example order_status",
            )
        names = [slot.name for slot in self.slots]
        if len(names) > MOST_SLOTS or len(set(names)) != len(names):
            raise InputError(
                "Two details have one name, or there are too many",
                field="slots",
                value=", ".join(names),
                remedy=f"Use at most {MOST_SLOTS} with different names",
            )
        reserved = [name for name in names if name in (*PROOF_FIELDS, "postcode") and self.proof.needed]
        if reserved:
            raise InputError(
                "This name belongs to the proof", field="slots", value=reserved[0], remedy="Name it otherwise"
            )
        if not LEAST_SECONDS <= self.seconds <= MOST_SECONDS:
            raise InputError(
                "Not a possible time limit",
                field="seconds",
                value=self.seconds,
                remedy=f"Give {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds: the customer waits",
            )
        if not any(self.templates.values()):
            raise InputError(
                "The action has no words for its answer",
                field="templates",
                remedy="Write what the customer is told in one language at least",
            )
        if self.changes and not any(slot.kind == "confirm" for slot in self.slots):
            raise InputError(
                "An action that changes something must ask first",
                field="slots",
                remedy="Add a detail of kind confirm, for example: Shall I cancel order {order}?",
            )

    @property
    def changes_unproven(self) -> bool:
        """Whether it would change something before anybody has checked whose it is."""
        return self.changes and self.proof.kind != "service"

    def templates_for(self, lang: str) -> tuple[Template, ...]:
        return self.templates.get(lang) or self.templates.get("en") or next(iter(self.templates.values()))


def check_proven(action: Action) -> None:
    """Raises InputError for an action that changes something unproven. Asked when one is saved: those that are stored
    from before are read all the same, and not carried out (chatbot/dialogue/acting.py)."""
    if action.changes_unproven:
        raise InputError(
            "An action that changes something needs a proof that the service checks before it does so",
            field="proof",
            value=action.proof.kind,
            remedy="Choose the proof service; with no second proof asked for, only signed-in customers may use it",
        )


Finder = Callable[[str], Sequence[Tagged]]  # what a text names (chatbot/inference/tagger.py)


def nothing(text: str) -> Sequence[Tagged]:
    """The finder of a release that has learned no entities."""
    return ()


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the customer, raw, with the detail that the bot had just asked for. ``of``: the action that it was
    said to, whether or not it asked; ``turn``: its number."""

    text: str
    asked: str | None = None
    of: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Talk:
    """What the bot must know of a live conversation beside its history.

    ``pending`` is where an action stood after the bot's last turn.
    ``identity`` is the company's own id of a visitor whom its server has signed in, ``email`` what it signed with it.
    ``topics``: what was answered before, oldest first, each intent (or ``article:slug``) with what was said about it.
    ``offered``: the next questions that the bot's last turn proposed, their text → intent or ``article:slug``.
    """

    conversation: str
    turn_id: int
    said: Sequence[Said] = ()
    pending: ActionTrace | None = None
    identity: str | None = None
    email: str | None = None
    topics: Sequence[tuple[str, str]] = ()
    offered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. ``detail`` says why, without any value of the customer's; ``answer`` only where ``done``."""

    result: Result
    detail: str = ""
    status: int | None = None
    attempts: int = 0
    milliseconds: float = 0.0
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)


def slots_from(rows: Sequence[Mapping[str, Any]]) -> tuple[Slot, ...]:
    """Slots as stored or as the API takes them. Raises InputError."""
    found = []
    for row in rows:
        if not isinstance(row, Mapping):
            raise InputError("Not a detail", field="slots", value=row)
        ask = row.get("ask") or {}
        if not isinstance(ask, Mapping):
            raise InputError("The questions are given by language", field="slots", value=ask)
        found.append(
            Slot(
                name=str(row.get("name") or "").strip(),
                kind=str(row.get("kind") or ""),  # type: ignore[arg-type]  # checked there
                ask={str(lang): str(text).strip() for lang, text in ask.items() if str(text).strip()},
                pattern=str(row.get("pattern") or ""),
            )
        )
    return tuple(found)


def proof_from(row: Mapping[str, Any]) -> Proof:
    """A proof as stored or as the API takes it. Raises InputError."""
    paths = row.get("paths") or {}
    if not isinstance(paths, Mapping):
        raise InputError("The places are given by name", field="proof", value=paths)
    return Proof(
        kind=str(row.get("kind") or "none"),  # type: ignore[arg-type]  # checked there
        accepts=tuple(str(name) for name in row.get("accepts") or ()),
        paths={str(name): str(path).strip() for name, path in paths.items() if str(path).strip()},
    )


def templates_from(texts: Mapping[str, str]) -> dict[str, tuple[Template, ...]]:
    """The templates of each language as an admin writes them. Raises InputError."""
    return {
        lang: read_templates(text, field=f"template_{lang}") for lang, text in texts.items() if text.strip()
    }


def as_json(action: Action) -> dict[str, Any]:
    """The stored columns ``slots`` and ``proof`` as JSON."""
    return {
        "slots": [asdict(slot) | {"ask": dict(slot.ask)} for slot in action.slots],
        "proof": {
            "kind": action.proof.kind,
            "accepts": list(action.proof.accepts),
            "paths": dict(action.proof.paths),
        },
    }
