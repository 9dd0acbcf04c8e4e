"""Of a text that was sent in the conversation before, first what the new question asks for.

The article does answer who asks on about it. A person in place of each repeated text cost 14 points of the tuning
conversations' right turns, the three nearest sentences alone 13; the same page over and over reads as if nobody
listened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.relevance import Encode, Wanted, plain
from chatbot.dialogue.wording import sentences
from chatbot.language.normalise import normalise
from chatbot.neural.source_layout import read_lines

MOST = 3  # sentences that come first


def to_say_again(
    question: str,
    texts: Iterable[str],
    sent: Sequence[str],
    *,
    encode: Encode,
    lang: str,
    general: bool = True,
    restore: Callable[[str], str] = str,
) -> dict[str, str]:
    """Each of ``texts`` that was sent before, as it is said again.

    sent: what the bot and agents sent so far. A text was sent where all of its sentences were. restore: of a text what
    is sent for it.
    """
    before: set[str] = set().union(*map(statements_of, sent))
    found = {}
    for text in texts if before else ():
        statements = statements_of(restore(text))
        if statements and statements <= before:
            wanted = Wanted(question, sources=[text], encode=encode, lang=lang, general=general)
            first, rest = wanted.closest_first(max(1, min(MOST, len(statements) // 2)))
            found[text] = f"{first}\n\n{phrase('said_besides', lang)}\n{rest}" if rest else first
    return found


def statements_of(text: str) -> set[str]:
    """The sentences in one spelling, without a list's marks and headings."""
    lines = [line.text for line in read_lines(text) if not line.heading and line.text[-1] not in ":："]
    return {_plain(one) for line in lines for one in sentences(line)}


def _plain(part: str) -> str:
    return plain(normalise(part)).rstrip(".!?;。！？；")
