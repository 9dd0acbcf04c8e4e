"""Messages that turn from what was said before: to another matter, or to the thing that was meant.

"Forget it. How long do I have to return it?" is read by itself: with what was said before in view the models hold fast
to that. "No, I meant the kettle" asks the question before again, of another thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.dialogue.smalltalk import smalltalk
from chatbot.dialogue.trace import Message

_LEAD = (
    r"(?:(?:no+|nope|ok(?:ay)?|oh|ah|hm+|well|so|right|fine|sorry|wait|actually|thanks?|thank you|and|but)\b"
    r"[\s,.!;:–—-]*)*"
)
_LEAD_ZH = r"(?:(?:好的?|哦|噢|嗯+|啊|唉|哎|那|不|行|谢谢)[,，。!！\s]*)*"
_TO_ANOTHER = re.compile(
    rf"{_LEAD}(?:(?:never ?mind|forget)(?: about)?(?: it| that)?(?! \w+ (?:is|was|are)\b| (?:the|my|a|to)\b)"
    r"|scratch that"
    r"|(?:keep|leave) it(?=\s?[.,;!])"
    r"|(?:(?:a|one) )?(?:(?:completely|totally) )?(?:different|unrelated|new|other|another)"
    r" (?:question|thing|topic|matter)(?=\s?[:,.;!–—-])|something (?:else|different)(?=\s?[:,.;!–—-])"
    r"|on (?:another|a different) (?:note|topic)|changing (?:the )?(?:subject|topic))[\s,.!:;–—-]+"
    rf"|{_LEAD_ZH}(?:算了|(?:说|问|换)(?:个|一个)?(?:别的|其他的?|另外的?)(?:事|问题)?|换(?:个|一个)(?:问题|话题)|(?:先)?不(?:说|管)(?:这|那)个了?"
    r"|(?:另|还有)(?:外)?一个问题|对了)[,，。!！;；:：\s]*",
    re.IGNORECASE,
)
_MEANT = re.compile(
    rf"{_LEAD}(?:(?:that(?:['’]s| is) not what i meant|not (?:that|this)(?: one)?)[\s,.!;:–—-]+)?"
    r"i(?: meant?|(?: was| am|['’]m) (?:talking|asking) about)\s+"
    r"(?!(?:it|that|this|so|like|just|really|yes|no)\b)(?P<thing>.+)"
    rf"|{_LEAD_ZH}(?:不(?:是|对)(?:这个|那个|的)?[,，。!！\s]*)?我(?:说|问|指|讲)的?是(?P<zh>.+)",
    re.IGNORECASE,
)
_THING = re.compile(r"(?:for |with |about )?(?:(?:my|the|your|an?|that|this) )?[\w-]+(?: [\w-]+){0,2}")
_NAMED = re.compile(
    r"\b(?:my|the|your|an?|this|that) [\w-]+(?: (?:machine|maker|grinder|kettle))?\b", re.IGNORECASE
)
_HOW_LONG_A_THING = 10  # Chinese characters
_LEAST = re.compile(r"[^\W\d_]{2,}\W+[^\W\d_]{2,}|[\u3400-\u9fff]{3}")


def read_anew(text: str, before: Sequence[Message]) -> tuple[str, Sequence[Message]]:
    """What to read of ``text``, and behind what; both as given where it goes on with what was said."""
    if not any(message.role == "customer" for message in before):
        return text, before
    turned = _TO_ANOTHER.match(text)
    if turned is not None:
        rest = text[turned.end() :].strip()
        if _LEAST.search(rest) and smalltalk(rest) is None:
            return rest, ()
    meant = _MEANT.match(text)
    if meant is not None:
        asked = _asked_of(meant["thing"] or meant["zh"], before)
        if asked is not None:
            return asked, ()
    return text, before


def _asked_of(thing: str, before: Sequence[Message]) -> str | None:
    """The question before, asked of ``thing``; None where that is more than the name of one."""
    thing = thing.strip(" \t.,!?。，！？")
    question = next((m.text for m in reversed(before) if m.role == "customer"), "").rstrip(" ?？。.!！")
    if re.search(r"[\u3400-\u9fff]", thing):
        return f"{thing}{question}?" if len(thing) <= _HOW_LONG_A_THING else None
    if not _THING.fullmatch(thing):
        return None
    named = list(_NAMED.finditer(question))
    if named:
        last = named[-1]
        return f"{question[: last.start()]}{thing}{question[last.end() :]}?"
    return f"{question} {thing}?"
