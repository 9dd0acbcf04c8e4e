"""Who waits for a person and would rather have the bot again: "forget the person, how do I get my money back?",
算了不转了.

By rule, clause by clause: 退款的事算了 takes back a refund and not the wish for a person, so a clause must say nothing
else.
"""

from __future__ import annotations

import re

from chatbot.dialogue.person_wish import asks_for_person, declines_person, without_declined
from chatbot.language.normalise import normalise, says_something
from chatbot.language.simplified import simplified

_PERSON = r"(?:person|human|agent|colleague|operator|transfer|hand ?over|manager|representative|one)"
_LEAD = r"(?:(?:no|nah|nope|wait|oh|ok|okay|actually|sorry|well|hm+|please|then|thanks|and|but|just) )*"
_TAIL = r"(?: (?:thanks|thank you|please|then|anymore|any more|now|instead|after all))*"
_CLAUSE_EN = re.compile(
    rf"{_LEAD}(?:(?:forget|skip|leave|drop|scrap|cancel)(?: about)? (?:(?:the|that|a|your) {_PERSON}|it|that)"
    rf"|never ?mind"
    r"(?: (?:the|that|a) (?:person|human|agent|colleague|transfer))?"
    rf"|no (?:need(?: (?:for|of) (?:a|the) {_PERSON})?|thanks?|thank you|{_PERSON}(?: needed| necessary)?)"
    r"|(?:i'd|i would) rather (?:ask|talk to|chat with|stay with|go on with|continue with|have) (?:you"
    r"|the (?:bot|assistant|robot))"
    r"|(?:let'?s |let me |i want to |can i |please )?(?:go )?back to (?:you|the (?:bot|assistant|robot))"
    r"|you (?:can |could |may )?(?:just )?(?:answer|tell me|help me)(?: (?:it|me|yourself))?(?: is fine)?)"
    rf"{_TAIL}"
)
_CLAUSE_ZH = re.compile(
    r"(?:不|等等|等一下|那|哦|呃|嗯|还是|谢谢|先)*(?:算了(?:吧)?|不用(?:人工|转人工|转|等|客服)?了?|不(?:转|等|需要|必|要)(?:人工|客服)?了"
    r"|不要(?:人工|客服)了?|别转了|取消(?:转接|转人工|人工)|(?:还是)?(?:你|机器人)(?:来)?(?:直接)?(?:回答|帮我|告诉我|解答)(?:我)?(?:就行|就好|吧|就可以)"
    r"|(?:我)?(?:还是)?问你(?:吧|就行|好了)?|(?:转|换|回)(?:回|到)?机器人(?:吧)?)(?:算了|不转了|不等了|谢谢|了|吧|多谢)*"
)
_SPLIT = re.compile(r"[,.;:!?…\n，。！？；]+| but |但是?")
_LIMIT = 200  # characters


def takes_back(text: str) -> bool:
    """Whether a message written while a person is awaited says that none is needed."""
    plain = simplified(text)
    if len(plain) > _LIMIT or asks_for_person(text):
        return False
    return declines_person(text) or any(_is_taken_back(clause) for clause in _SPLIT.split(plain))


def only_takes_back(text: str) -> bool:
    """Whether it says nothing besides."""
    return takes_back(text) and without_taking_back(text) == normalise(text)


def without_taking_back(text: str) -> str:
    """What is asked beside it; the text as it stands where nothing is."""
    text = normalise(text)
    if declines_person(text):
        return without_declined(text)
    kept, at = "", 0
    for match in [*_SPLIT.finditer(text), None]:
        end, after = match.span() if match else (len(text), len(text))
        if not _is_taken_back(simplified(text[at:end])):
            kept += text[at:after]
        at = after
    asked = kept.strip(" ,，.。;；:：!！、")
    return asked if says_something(asked) else text


def _is_taken_back(clause: str) -> bool:
    plain = clause.strip()
    return bool(_CLAUSE_EN.fullmatch(plain) or _CLAUSE_ZH.fullmatch(plain.replace(" ", "")))
