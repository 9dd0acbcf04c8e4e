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
    r"(?:(?:no|nah|nope|ok(?:ay)?|oh|well|actually|sorry|wait|hm+|please|you know what|on second thoughts?|then|just)\b"
    r"[\s,.!…-]*)*"
    r"(?:never ?mind(?: (?:it|that))?|(?:i(?:['’]ve| have)? )?changed my mind"
    r"|(?:let['’]?s |you can |i(?:['’]ll| will) )?(?:just )?(?:forget|leave|drop|skip|scrap)"
    r" (?:it|about it|that|about that)(?: (?:as it is|as is|be))?"
    # "I don't want it any more" may be the answer to why something is sent back
    r"|(?:i |we )?(?:do(?:n['’]?t| not)|no longer) want to(?: (?:do|change) (?:it|that|this))?(?: any ?more)?"
    r"|(?:do(?:n['’]?t| not)) bother"
    r"|no thanks?(?: you)?|stop|abort|cancel(?: that| it| this)?"
    r"|(?:那|还是|先|就|我|哦|嗯|不好意思|抱歉)*[,，\s]*(?:算了吧?|不用了|不查了|不必了|不[要想]?(?:再)?(?:改|弄|换|查|办|搞|取消)了?"
    r"|取消吧?|放弃|改(?:变)?主意了|改變主意了)(?:[,，\s]*(?:算了|不用了|不改了|不查了|不办了))?)"
    r"(?:[\s,，。.!！]+(?:thanks|thank you|please|then|now|sorry|谢谢|謝謝|吧)|吧)*"
)
_AGAIN = re.compile(
    r"(?:(?:ok(?:ay)?|yes|yeah|please|pls|sure|and|then|so|well|now|can you|could you|let me|let['’]?s"
    r"|i(?:['’]ll| will)|just)[\s,.!…-]*)*"
    r"(?:(?:try|check|do|look|ask)(?: (?:it|that|this|for it))?(?: (?:once|one))?(?: more(?: time)?| again| anew)"
    r"|re-?try(?: it| that)?|once (?:more|again)|one more time|again|how about now"
    r"|(?:does it work )?now|try (?:it |that )?now)"
    r"(?:[\s,.!]+(?:please|pls|now|thanks|thank you|for me))*"
    r"|(?:那|请|請|麻烦|麻煩|好的?|您|你|我|帮我|幫我|现在|現在)*[,，\s]*"
    r"(?:再|重新|重)(?:一次|[试試查看弄问問](?:[试試查看])?(?:一?[次下遍]|[试試看])?)(?:看看?|吧|呢|好吗|好嗎|可以吗|可以嗎)*|重[试試]"
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


def tries_again(text: str) -> bool:
    """Whether the message says nothing but to do again what has just failed: "try again", 再试一次."""
    return _AGAIN.fullmatch(plain_words(text)) is not None


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
    return not values or 2 * _size(without_surroundings(rest)) >= sum(map(_size, values))


def without_surroundings(text: str) -> str:
    """``text`` without the words that stand around a value that is named."""
    return _AROUND.sub(" ", text)


def _size(text: str) -> int:
    return sum(map(str.isalnum, text))
