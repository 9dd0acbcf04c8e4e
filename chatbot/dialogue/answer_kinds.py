"""What kind of answer a question asks for, an amount of money or a time, and which sentences state one.

Two of the classes of Li and Roth 2002, "Learning question classifiers", section 2: those that a sentence shows that it
states. "How long do I have?" is answered by a sentence with a period or a date; what an article says besides, away from
what lies near to the question, answers something else. Of other questions ("can I …?", "how do I …?") no sentence shows
that it is the answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from chatbot.dialogue.facts import facts
from chatbot.language.simplified import simplified

AnswerKind = Literal["money", "time"]

_DOES = r"(?:'s| (?:is|are|was|were|do|does|did|will|would|can|could|should|shall|must|may|has|have)\b)"
_ASKS: tuple[tuple[AnswerKind, re.Pattern[str]], ...] = (
    (
        "money",
        re.compile(
            rf"\bhow much(?:{_DOES}| (?:for|to|money|extra|more|off)\b|\W*$)"
            r"|\bwhat(?:s|'s)?\b(?! (?:if|happens|about|kinds?|sorts?|ways?)\b)[^.?!]{0,40}"
            r"\b(?:costs?|price|charges?|fees?|postage|deposit|set (?:me|us) back)\b"
            rf"|\bwhat{_DOES} (?:i|we|you|they) (?:(?:have|need) to )?pay\b(?! (?:with|by|via)\b)"
            r"|多少(?:钱|[欧块元]|运费|手续费|邮费)|几[块欧]|[什啥]么?价|(?:怎么|如何|咋)(?:收费|算钱)|费用是?多少"
            r"|(?:要|花|收|付|扣|退|贵|便宜)(?:[我你您]们?)?多少(?=\W|$|[啊呀呢哦嘛吧])"
        ),
    ),
    (
        "time",
        re.compile(
            r"\bhow (?:long|soon|fast|quick(?:ly)?)\b"
            r"|\bhow many (?:working |business )?(?:minutes|hours|days|weeks|months|years)\b"
            rf"|\b(?:at |on |by |until )?what (?:time|day|date)\b|\bwhen(?:{_DOES}|\W*$)|\bhow much (?:longer|time)\b"
            r"|多久|多长时间|多少(?:天|小时|分钟|日)|多快"
            # "a few days late", "these few days" ask for none
            r"|(?<![了晚过迟早拖这那前头])几(?:天|号|时|点|周|年|分钟|个?(?:小时|工作[日天]|星期|礼拜|月|钟头))"
            r"|(?:什么|啥)时候|何时|哪[天日]"
        ),
    ),
)
_ASKS_MORE = re.compile(  # a second question in the same message
    r"[?？](?=.*\w)|吗"
    r"|\w.*\b(?:and|or|also|plus) (?:"
    r"(?:can|could|may|do|does|did|is|are|will|would|should) (?:i|you|we|they|it|the|there)"
    r"|where|which|who|why|how (?!much|long|soon|many))\b",
    re.DOTALL,
)
_MONEY = frozenset({"EUR", "USD", "GBP", "CNY", "percent"})
_PERIODS = frozenset({"minute", "day", "workday", "opening minute", "month"})
_POINTS = frozenset({"date", "weekday", "time"})
_STATES: dict[AnswerKind, re.Pattern[str]] = {
    "money": re.compile(r"\b(?:free|no extra|prices?|costs?|charges?|fees?)\b|[费价]|包邮|不(?:另)?收"),
    "time": re.compile(
        r"\b(?:at once|immediately|straight away|same day|(?:the )?day (?:of|before|after)|term|deadline"
        r"|(?:once|as soon as|until|till|before|after)\b)|立[即刻]|马上|当[场天日]|期限|之前|之后|以后|截止|到期"
    ),
}


@lru_cache(maxsize=1024)
def asked_for(question: str) -> frozenset[AnswerKind]:
    """The kinds of answer that the question asks for in so many words; empty: none of them, or something else, too."""
    text = simplified(question)
    if _ASKS_MORE.search(text):
        return frozenset()
    return frozenset(kind for kind, pattern in _ASKS if pattern.search(text))


def states(kind: AnswerKind, sentence: str) -> bool:
    """Whether the sentence states an answer of that kind, be it in words, or what one holds for: "free of charge", "the
    price includes parts", "on the day before"."""
    if _STATES[kind].search(simplified(sentence)):
        return True
    found = facts(sentence)
    if kind == "money":
        return any(fact.unit in _MONEY for fact in found)
    return any(fact.unit in _PERIODS or fact.kind in _POINTS for fact in found)
