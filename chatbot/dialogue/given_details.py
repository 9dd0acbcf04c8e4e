"""A message of nothing but personal details, where nobody has asked for any: "my e-mail is …", a telephone number.

By its few words it is near to whatever article has an e-mail address in it. What it was given for is asked instead.
"""

from __future__ import annotations

import re

from chatbot.dialogue.own_words import without_surroundings
from chatbot.dialogue.policy import Decision
from chatbot.dialogue.saying import Part
from chatbot.dialogue.trace import Classification, PartTrace

RULE = "only_details"
_DETAIL = re.compile(r"\[(?:EMAIL|PHONE|NAME|ADDRESS|POSTCODE|IBAN)(?:_\d+)?\]")
_NOTHING = Classification(ranked=(), in_scope=0.0, tier="none")


def only_details(read: str, lang: str) -> Part | None:
    """What is said to a message, ``read`` redacted, that gives details and says nothing else; None for another one."""
    rest, details = _DETAIL.subn(" ", read)
    if not details or "?" in read or "？" in read or any(map(str.isalnum, without_surroundings(rest))):
        return None
    decision = Decision("unknown", RULE, "nothing but details that nobody asked for", 1.0)
    trace = PartTrace(read, lang, _NOTHING, (), None, decision.kind, decision.rule, decision.reason)
    return Part(decision, trace)
