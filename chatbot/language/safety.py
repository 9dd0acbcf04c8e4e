"""Abusive language, English and Chinese: small lists of what is unmistakable.

What is said *about* a machine ("the damn kettle") is no abuse and is not listed. English words are matched whole,
so that Scunthorpe and "assess" pass; Chinese ones as phrases, with the innocent compounds that contain them taken
out first (操作 is "to operate").
"""

from __future__ import annotations

import re

from chatbot.language.normalise import fold

_ENGLISH = re.compile(
    r"\b(?:(?:mother)?f[u*@][c*][k*](?:s|ed|er|ers|ing|in|wit|wits|head)?|fck(?:ing)?|fuk(?:ing)?|wtf|stfu|gtfo|sh[i1!*]t"
    r"(?:s|ty|head|heads|hole)?|bull ?sh[i1*]t|horse ?sh[i1*]t|b[i1!*]tch(?:es|y|ing)?|bastards?|c[u*]nts?|"
    r"a(?:ss|rse|\*\*) ?holes?|dumb ?ass(?:es)?|jack ?ass(?:es)?|dick ?heads?|pricks?|twats?|wankers?|whores?|sluts?|"
    r"retards?|retarded|n[i1]gg(?:er|a)s?|fagg?ots?|fags?|kikes?|chinks?|spics?|trann(?:y|ies)|douche ?bags?|"
    r"piss off|screw you|go to hell|kill your ?self|kys|suck my|scumbags?)(?!\w)"
)
_INNOCENT_ZH = re.compile(
    r"操(?:作|场|控|心|守|练|纵|办|盘)|体操|广播操|做操|早操|曹操|情操|节操|日(?:本|期|子|常|程|前|后)|干(?:净|燥|货|粮)|傻瓜(?:式|相机)|笨重"
)
_CHINESE = re.compile(
    r"操你|草你妈|艹你|肏|我操|卧槽|我艹|你妈的|他妈的|特么的|妈的|妈逼|妈b|你妈[逼比死]|尼玛|去你(?:妈|大爷)|[傻煞沙]\s?[逼比叉屄]"
    r"|傻b|(?<![a-z])(?:sb|nmsl|cnm|tmd|wcnm)(?![a-z])|脑残|智障|弱智|白痴|蠢货|蠢猪|猪脑子|王八蛋|混蛋|混账|畜生|狗东西|狗娘养|狗屁"
    r"|贱人|贱货|婊子|臭婊|婊砸|滚蛋|滚你|去死|死全家|不得好死|垃圾客服|日你|干你(?:妈|娘)|老子弄死|神经病|变态|人渣|败类|废物"
)


def find_profanity(text: str) -> tuple[str, ...]:
    """The abusive words in ``text``, folded, in order; empty where there are none."""
    plain = fold(text)
    found = [match[0] for match in _ENGLISH.finditer(plain)]
    if not plain.isascii():
        found += [match[0] for match in _CHINESE.finditer(_INNOCENT_ZH.sub("＿", plain))]
    elif "sb" in plain or "nmsl" in plain or "cnm" in plain or "tmd" in plain:
        found += [match[0] for match in _CHINESE.finditer(plain)]
    return tuple(found)


def is_profane(text: str) -> bool:
    """Whether ``text`` holds abuse; a reply that does is never sent."""
    return bool(find_profanity(text))
