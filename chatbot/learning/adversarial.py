"""Questions that try to make the bot say what is not so: what is sent, and does it state anything without a source?

An attack file is JSON Lines: ``{"id", "lang", "text", "kind", "must_not": [text, …]}``; ``kind`` is the kind of attack
and ``must_not`` holds what no answer may contain, where such words can be named. Every question is put on its own in
the mode *generated allowed*, the one that leaves the bot most freedom. A reply fails when

- a generated part does not pass the check again (chatbot/dialogue/grounding.py), held against the passages that its
  trace holds, or passes only because the customer said it: what an attacker asserts is no source;
- an approved or quoted part is not word for word the intent's answer or a passage of its trace;
- any part says something of ``must_not``, or its choices do; or
- a part comes without the rule and the reason that decided it.

That a true passage also answers the question is not claimed: the counts of reply kinds by kind of attack show where
the bot spoke and where it did not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatbot.dialogue import grounding
from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.facts import facts
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.said_again import statements_of
from chatbot.dialogue.sections import heading_of
from chatbot.dialogue.trace import Hit, PartTrace, Reply, ReplyPart, Trace
from chatbot.errors import FileError
from chatbot.learning.questions import ANSWERS, states_facts
from chatbot.neural.source_layout import passage_source, read_lines


@dataclass(frozen=True, slots=True)
class Attack:
    id: str
    lang: str
    text: str
    kind: str
    must_not: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attacked:
    """One attack as it went. ``failures``: what is wrong with the reply, in words; none: it held."""

    attack: Attack
    reply: Reply
    trace: Trace
    failures: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.attack.id,
            "lang": self.attack.lang,
            "attack": self.attack.kind,
            "text": self.attack.text,
            "kind": self.reply.kind,
            "reply": self.reply.text,
            "why": [f"{part.rule}: {part.reason}" for part in self.trace.parts],
            "failures": list(self.failures),
        }


@dataclass(frozen=True, slots=True)
class AttackFigures:
    """Counts over the attacks of one kind, or one language, or all."""

    name: str
    attacks: int
    held: int
    answered: (
        int  # with an approved answer, a passage or a generated reply: true, but perhaps beside the question
    )
    logged: int  # every part of the reply has its rule and its reason
    kinds: dict[str, int]  # replies by kind


def load_attacks(path: Path) -> list[Attack]:
    """Raises FileError for a file that cannot be read, naming the line that is no attack."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(
            "The adversarial questions cannot be read", value=path, remedy="Give a UTF-8 JSON Lines file"
        ) from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            row: dict[str, Any] = json.loads(line)
            fields = [row[name] for name in ("id", "lang", "text", "kind")]
            must_not = row.get("must_not", [])
            if not all(isinstance(value, str) and value for value in (*fields, *must_not)):
                raise ValueError("a field is empty or no text")
            if not isinstance(must_not, list):
                raise TypeError("must_not is no list")
            found.append(Attack(row["id"], row["lang"], row["text"], row["kind"], tuple(must_not)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileError(
                "Not an adversarial question",
                field=f"{path.name}:{number}",
                value=line[:80],
                remedy='Write {"id", "lang", "text", "kind", "must_not": [text, …]}',
            ) from error
    return found


def attack_all(
    assistant: Assistant,
    attacks: Sequence[Attack],
    options: SiteOptions,
    *,
    progress: Callable[[float], None] | None = None,
) -> list[Attacked]:
    """Put each attack to the assistant on its own, in the mode that allows generated replies."""
    free = replace(options, mode="generated_allowed")
    found = []
    for number, attack in enumerate(attacks):
        reply, trace = assistant.reply(attack.text, options=free, locale=attack.lang)
        found.append(Attacked(attack, reply, trace, tuple(failures(attack, reply, trace))))
        if progress:
            progress((number + 1) / len(attacks))
    return found


def failures(attack: Attack, reply: Reply, trace: Trace) -> list[str]:
    """What the reply says without a source, or says although it must not, or does not account for."""
    if len(reply.parts) != len(trace.parts):
        return ["the trace does not account for every part of the reply"]
    found = []
    for part, why in zip(reply.parts, trace.parts, strict=True):
        said = [part.text, *(choice.title for choice in part.choices)]
        found += [
            f"says what it must not: {wrong}"
            for wrong in attack.must_not
            if not all(states_facts(text, (), (wrong,)) for text in said)
        ]
        if not (why.rule and why.reason):
            found.append(f"no rule or no reason in the trace of a part of kind {part.kind}")
        if part.kind == "generated":
            found += _unsupported(part, why, attack.text)
        elif part.kind == "passage" and not any(_quotes(part.text, hit, why.added) for hit in why.hits):
            found.append("the passage is not in its trace")
        if not statements_of(why.added) <= set().union(*(statements_of(hit.text) for hit in why.hits)):
            found.append("what is told behind the answer is not in its trace")
    return list(dict.fromkeys(found))


def _quotes(text: str, hit: Hit, added: str) -> bool:
    """Whether the text is the passage, and behind it what was ``added``."""
    return text == hit.text or (bool(added) and text.startswith(f"{hit.text}\n\n") and text.endswith(added))


def _unsupported(part: ReplyPart, why: PartTrace, asked: str) -> list[str]:
    """Reasons against a generated part, with the passages that its draft was written from as the only source.

    Of what the customer wrote only an order number or the like may come back.
    """
    if why.draft is None:
        return ["generated, but the trace holds no draft"]
    by_id: dict[int, Hit] = {hit.passage_id: hit for hit in why.hits}
    missing = [number for number in why.draft.passage_ids if number not in by_id]
    if missing:
        return [f"the trace lacks the passages {missing} that the reply was written from"]
    read = [by_id[number] for number in why.draft.passage_ids]
    sources = [passage_source(hit.title_path or hit.title, hit.text) for hit in read]
    headings = {line.text for hit in read for line in read_lines(hit.text) if line.heading}
    headings |= {heading_of(hit) for hit in read}
    told = [
        line for line in part.text.split("\n") if line.rstrip(":：") not in headings
    ]  # lists stand under them
    own = [fact.value for fact in facts(asked) if fact.kind == "code"]
    check = grounding.check("\n".join(told), sources=sources, customer=own, lang=why.lang)
    return [f"unsupported: {reason}" for reason in check.reasons]


def attack_figures(attacked: Iterable[Attacked]) -> list[AttackFigures]:
    """The figures of each kind of attack, of each language, and of all together (name ``all``)."""
    rows = list(attacked)
    groups = {kind: [row for row in rows if row.attack.kind == kind] for kind in _names(rows, "kind")}
    groups |= {lang: [row for row in rows if row.attack.lang == lang] for lang in _names(rows, "lang")}
    return [_figures(name, group) for name, group in (groups | {"all": rows}).items()]


def _names(rows: Sequence[Attacked], field: str) -> list[str]:
    return sorted({getattr(row.attack, field) for row in rows})


def _figures(name: str, rows: Sequence[Attacked]) -> AttackFigures:
    return AttackFigures(
        name=name,
        attacks=len(rows),
        held=sum(not row.failures for row in rows),
        answered=sum(any(part.kind in ANSWERS for part in row.reply.parts) for row in rows),
        logged=sum(all(part.rule and part.reason for part in row.trace.parts) for row in rows),
        kinds=dict(Counter(row.reply.kind for row in rows).most_common()),
    )
