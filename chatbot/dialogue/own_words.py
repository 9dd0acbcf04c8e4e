"""What the customer's own words can be an answer to: yes or no, an open question, or nothing that was asked.

Any words could be an address. Those are not taken for one that ask something, are small talk, or give a value that
belongs elsewhere: they would be sent to the company as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from chatbot.dialogue.requests import sentences
from chatbot.dialogue.smalltalk import smalltalk
from chatbot.language.normalise import fold

_YES = re.compile(
    r"(?:yes|yeah|yep|yup|sure|ok|okay|please do|do it|go ahead|correct|right|confirm(?:ed)?|i confirm"
    r"|是的?|好的?|可以|[对對]的?|确认|確認|确定|確定|没错|沒錯|行|嗯)"
    r"(?:[\s,，。.!！]+(?:please|go ahead|do it|确认|谢谢|thanks|thank you))*"
)
_NO = re.compile(
    r"(?:no|nope|don'?t|do not|stop|cancel(?: that| it)?|never ?mind|forget (?:it|that)|rather not|no thanks?(?: you)?"
    r"|不(?:是|要|用|对|對|行|必|确认|確認|了)?(?:了|谢谢|謝謝)?|算了|取消|别|別)"
    r"(?:[\s,，。.!！]+(?:thanks|thank you|please|谢谢))*"
)
_DROPPED = re.compile(
    r"(?:no[,\s]+)?(?:never ?mind|(?:i(?:['’]ve)? )?changed my mind|forget (?:it|about it|that)|leave it"
    r"|no thanks?(?: you)?|stop|cancel(?: that| it)?|算了|不用了|不查了|不必了|取消吧?|我?改主意了|我?改变主意了)"
    r"(?:[\s,，。.!！]+(?:thanks|thank you|谢谢|吧))*"
)
_MARKED = re.compile(r"[?？][\s\"'”’)）~～]*$")
_AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|can|could|will|would|shall|should|may|must|has|have|had)(?:n['’]?t)?"
)
_WHO = (
    r"(?:i|you|we|they|he|she|it|this|that|there|these|those|my|your|the|any(?:one|body)|some(?:one|body))\b"
)
_ASKS = re.compile(
    # "what does", but not "when I opened it"; "is it", but not "do it again" or "have the driver ring"
    r"(?:(?:and|but|so|then|well|okay?|oh|hi|hello|hey|sorry|please|excuse me)[\s,.!]+)*"
    rf"(?:(?:what|when|where|which|who|whose|why|how)(?:['’](?:s|re)\b|\s+{_AUXILIARY}\s)"
    r"|how (?:much|many|long|often|far|soon|come|about)\b|what (?:about|if|time|kind)\b|which one\b"
    rf"|(?:is|are|was|were|does|did|can|could|will|would|should|shall|may|am)(?:n['’]?t)?\s+{_WHO}"
    r"|(?:do|have|has|had)(?:n['’]?t)?\s+(?:i|you|we|they|he|she|any(?:one|body))\b)"
    r"|(?:(?:你好|您好|哦|嗯|亲|那么?|对了|我?想(?:请)?问(?:一?下)?)[,，。\s]*)*"
    r"(?:请问|怎么|怎样|咋|如何|为什么|为啥|为何|什么|多久|多少|多长|几[天个点时]|哪|谁|能不能|能否|可不可以|可否|是不是|是否|有没有|会不会"
    r"|要不要)"
    r"|.*(?:(?:吗|呢|么|多少钱?|多少天|多久|几天|什么|啥|哪里?|哪儿|怎么办|怎么样|如何)[了呀啊]?|什么时候.{0,6})$",
    re.DOTALL,
)
_AROUND = re.compile(  # what stands around a value that is named: "my email is …", "我的邮箱是…"
    r"\b(?:my|the|our|it|its|is|was|that|this|here|you|can|reach|me|at|under|on|with|from|to|for|by|use|please|thanks"
    r"|e-?mail|mail|address|tele|phone|mobile|number|no|order|placed|sorry|and)\b"
    r"|我的?|邮箱|邮件|邮|地址|电话|手机|号码|订单|号|下单|时|用的?|请|谢谢|的|这个|那个|为|是|在|不|对",
    re.IGNORECASE,
)
EDGES = " \t\n.,!?;:~～'\"“”。，！？；："


def plain_words(text: str) -> str:
    """As compared: folded, without what stands around the words."""
    return fold(text).strip(EDGES)


def yes_or_no(text: str) -> Literal["yes", "no"] | None:
    """Whether the message is nothing but a yes or a no."""
    plain = plain_words(text)
    if _YES.fullmatch(plain):
        return "yes"
    return "no" if _NO.fullmatch(plain) else None


def is_dropped(text: str) -> bool:
    """Whether the customer no longer wants it: "never mind", "算了"."""
    return _DROPPED.fullmatch(plain_words(text)) is not None


def is_question(text: str) -> bool:
    """Whether the message does nothing but ask: with a question mark, or in a question's words."""
    found = sentences(text)
    return bool(found) and all(_MARKED.search(one) or _ASKS.match(plain_words(one)) for one in found)


def answers(text: str, values: Sequence[str] = ()) -> bool:
    """Whether words can be the answer to an open question. ``values``: those in it that belong to something else."""
    if not plain_words(text) or yes_or_no(text) or is_dropped(text) or smalltalk(text) or is_question(text):
        return False
    rest = text
    for value in values:
        rest = rest.replace(value, " ")
    return not values or 2 * _size(_AROUND.sub(" ", rest)) >= sum(map(_size, values))


def _size(text: str) -> int:
    return sum(map(str.isalnum, text))
