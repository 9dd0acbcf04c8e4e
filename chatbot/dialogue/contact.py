"""Who asks for a telephone number or an e-mail address is shown the passage of the article that has one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from chatbot.dialogue.facts import facts
from chatbot.dialogue.trace import Hit
from chatbot.language.simplified import simplified

Way = Literal["phone", "email"]

_ASKED: tuple[tuple[Way, re.Pattern[str]], ...] = (
    (
        "phone",
        re.compile(
            r"\b(?:tele)?phone number\b|^\W*(?:tele)?phone\W*$|^\W*电话\W*$"
            r"|\b(?:number|who|where|whom) (?:(?:can|do|should|could|must) i |to )(?:call|phone|ring)\b"
            r"|\b(?:what(?:'?s| is)|have|got|give me) (?:(?:the|your|a|an) )?"
            r"(?:customer |service |support )*(?:tele)?phone\b"
            r"|电话(?:号码?)?(?:是|要)?(?:多少|几号|什么|哪个)|(?:多少|什么|哪个|几号)电话|(?:打|拨)给谁|电话号码|(?:客服|热线|服务)电话"
        ),
    ),
    (
        "email",
        re.compile(
            r"^\W*e-?mail(?: address)?\W*$|^\W*邮箱\W*$"
            r"|\bwh(?:at|ich)(?:'?s| is)? (?:the |your |an )?(?:customer |service |support )*e-?mail\b"
            r"|\bwhere (?:(?:can|do|should|could) i |to )(?:send (?:an? )?)?e-?mail\b|\byour e-?mail address\b"
            r"|(?:邮箱|邮件)(?:地址)?是?(?:多少|什么|哪个)|(?:哪个|什么)邮箱"
        ),
    ),
)


def with_contact(hit: Hit, request: str, passages_of: Callable[[], Sequence[Hit]]) -> Hit:
    """``hit``, or of its article's passages the first that has what ``request`` asks for, where ``hit`` has none.

    passages_of: the article's, in reading order; asked only where it lacks one.
    """
    wanted = way_asked(request)
    if wanted is None or _has(hit, wanted):
        return hit
    return next((one for one in passages_of() if _has(one, wanted)), hit)


def way_asked(text: str) -> Way | None:
    """The number or address of the company's that the message asks for."""
    plain = simplified(text)
    return next((way for way, pattern in _ASKED if pattern.search(plain)), None)


def _has(hit: Hit, way: Way) -> bool:
    return any(fact.kind == way for fact in facts(hit.text))
