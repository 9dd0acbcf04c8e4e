"""What a typed placeholder that the generator writes stands for in this conversation.

Training texts are redacted, so a reply that repeats an order number was learnt with ``[ORDER]`` in its place, numbered
by how many the conversation had. What is written is filled with the newest value of that type: of the customer's words,
or of a look-up. A personal value of the conversation is a placeholder itself, turned back when the reply is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatbot.dialogue.trace import Message
from chatbot.language.entities import find_entities
from chatbot.neural.source_layout import readable_lookup
from chatbot.neural.tokenizer import PLACEHOLDER


@dataclass(frozen=True, slots=True)
class Values:
    """newest: a type (``ORDER``) → its newest value; own: placeholders of the conversation, which stay as they are."""

    newest: dict[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    @classmethod
    def of(cls, history: Sequence[Message]) -> Values:
        """history: redacted, oldest first. What agents and the bot said gives no value."""
        newest: dict[str, str] = {}
        own: set[str] = set()
        for message in history:
            if message.role not in ("customer", "action"):
                continue
            text = readable_lookup(message.text) if message.role == "action" else message.text
            found = [(match.start(), kind_of(match[0]), match[0]) for match in PLACEHOLDER.finditer(text)]
            own |= {value for _, _, value in found}
            found += [(entity.start, entity.kind.upper(), entity.text) for entity in find_entities(text)]
            newest |= {kind: value for _, kind, value in sorted(found)}
        return cls(newest, frozenset(own))

    def fill(self, text: str) -> str:
        """``text`` with its placeholders filled; one whose type the conversation lacks stays."""
        return PLACEHOLDER.sub(
            lambda match: match[0] if match[0] in self.own else self.newest.get(kind_of(match[0]), match[0]),
            text,
        )


def kind_of(placeholder: str) -> str:
    """``[ORDER_2]`` → ``ORDER``."""
    name, _, number = placeholder.strip("[]").rpartition("_")
    return name if number.isdigit() else placeholder.strip("[]")
