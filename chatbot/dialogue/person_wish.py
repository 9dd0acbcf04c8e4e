"""The wish for a person, and its opposite, by rule: a company whose logs hold no such tag has them all the same.

Where nothing is negated the whole message is looked at. Where something is, each clause is looked at by itself: "I
don't want to wait, get me a human" wishes for a person, "I don't need a human, just tell me the price" does not.
"""

from __future__ import annotations

import re

from chatbot.dialogue.about_bot import asks_what_it_is
from chatbot.language.normalise import says_something
from chatbot.language.simplified import simplified

_LIMIT = 160  # characters; who writes more tells a story, in which a person may occur
_HUMAN = r"(?:(?:real|actual|live) )?(?:human|person|agent|representative|operator)(?: being)?"
_ANYONE = r"(?:someone|somebody|anyone|anybody|customer (?:service|support)|(?:your |the )?support(?: team)?)"
_CHIEF = r"(?:manager|supervisor|boss|superior|team leader|person in charge)(?!['’]s|s\b)"
_CHIEF_ZH = "(?:经理|主管|领导|老板|负责人|管事的人?)(?!的?(?:电话|邮箱|名字|微信|说|叫什么|是谁|姓|在哪|几点|什么时))"
_LABOUR = "人工(?!费|智能|审|成本|合成|制作|养|挑选)"
_SERVICE = "客服(?!的?(?:电话|号码|热线|微信|邮箱|工作|服务?时间|几点|什么时[候间]|上班|周|在哪|才))"
_NOT_A_BOT = re.compile(
    r"^(?:please )?no (?:more )?(?:chat|ro)?bots?\b"
    r"|\b(?:do not|don'?t) (?:want|wish|like|need)\b.{0,25}\b(?:chat|ro)?bots?\b"
    r"|(?:不要|不想(?:要|跟|和|与)|讨厌|别(?:用|让|给我))(?:再)?(?:这个|你们的?|的)?机器人"
)
_PLAIN = re.compile(
    r"\b(?:talk|speak|chat|connect|transfer|put|pass|hand)\b.{0,25}\b(?:to|with|through)?\b.{0,12}"
    r"\b(?:a |an |your |some )?(?:human|person|agent|representative|operator|colleague|someone real|manager"
    r"|supervisor|boss|superior"
    r"|staff member)"
    r"|\b(?:human|live|real|actual) (?:agent|person|human|being|support|help)"
    rf"|\b(?:want|need|get(?: me)?) (?:a |an )?{_HUMAN}(?: please$|$| to (?:help|answer|look|talk|speak|check|handle))"
    rf"|\b(?:want|need|get(?: me)?|fetch|call|bring|see|have)(?: to see| me)? (?:a |an |the |your )(?:\w+ )?{_CHIEF}"
    rf"(?: please|(?: to)? (?:call|answer|help|talk|speak|look|here|now|come))*[.!?]*$"
    rf"|^(?:a |an |the |your )?{_CHIEF},?(?: please| now)?[.!]*$"
    r"|^(?:a |an )?(?:real )?(?:agent|human|person|operator|representative),?(?: please)?[.!]*$"
    rf"|\b(?:can|could|would) (?:a |an |some )?{_HUMAN} (?:please )?"
    r"(?:answer|help|assist|take over|talk to|speak to|reply|respond|look)(?: to)?(?: me| us| my| this| at|[?.!]|$)"
    rf"|(?:转|找|要|接|换)(?:一下|个|到|接)*(?:{_LABOUR}(?!客服)|真人(?!客服)|客服人员|活人|专人)|^{_LABOUR}$"
    rf"|(?:人工|真人)(?:服务|{_SERVICE})"
    rf"|(?:想|我要|请|帮我|给我|麻烦)(?:直接|您|你)?(?:找|转|接|叫|联系)(?:一下|下|个|到|接|你们的?)*{_SERVICE}"
    r"|[跟和与](?:真|活)?人(?:工)?(?:说|聊|谈|讲|沟通|对话|交流)|给我(?:找|换|叫)(?:一?个|一下)?人"
    r"|(?:找|叫|换)(?:一?个)?人(?:来|跟我|和我|问|聊|谈|回答|处理|帮我(?:看|处理|查|解决))"
    rf"|有(?:没有)?(?:真人|活人|{_LABOUR})(?:客服|服务)?(?:吗|么|在|可以|能|$|[?])"
)
_ABOUT_SERVICE = re.compile(  # the same words in a question that an article answers, or in a story
    r"^(?!.*\b(?:want|need|like to|let me|please)\b).*\b(?:by|over the|on the|via) (?:tele)?phone\b"
    r"|\bhow (?:do|can|could|would) (?:i|we)\b"
    r"|几点|什么时候|怎么|怎样|如何|哪|昨|前天|上次|之前|刚才|已经"
)
_UNLESS_ABOUT = re.compile(
    r"\b(?:want|need|like|love|prefer|wish|rather|can|could|may|let|please|have|must|trying)\b.{0,20}"
    rf"\b(?:talk|speak|chat)(?:ing)? (?:to|with) {_ANYONE}\b"
    rf"|^(?:please )?(?:talk|speak|chat) (?:to|with) {_ANYONE}\b"
    rf"|\b(?:connect|transfer|put|pass|hand|get) (?:me|us)\b.{{0,20}}\b{_ANYONE}\b(?! else)"
    r"|\b(?:is there )?(?:someone|somebody|anyone|anybody) (?:that |who )?(?:i (?:can|could) |to )"
    r"(?:talk|speak|chat) (?:to|with)"
    rf"|(?:找|转|接|叫|呼叫)(?:一下|下|个|到|接|你们的?)*{_SERVICE}"
    rf"|(?:叫|找|让|请|换|喊|转|要见|要找|联系)(?:一下|下|一?个|到|接|给|你们?的?|您们?的?|这里的?)*{_CHIEF_ZH}"
    rf"|^(?:你们?的?)?{_CHIEF_ZH}(?:呢|在吗|在不在|出来|来)?$"
)
_IN_A_SHOP = re.compile(
    r"\b(?:is|are) there\b.{0,40}\b(?:in|at) (?:the|your) (?:shop|store|branch|counter|showroom)"
)
_CLAUSE = re.compile(r"[,.;:!?…\n、。]+|\b(?:but|instead|just|because)\b|但是?|而是|只要|就告诉")
_NOT_EN = (
    r"(?:(?<!why )\b(?:do not|don'?t|did not|didn'?t|never|without|stop|rather not|no need|need not|not)\b)"
    r"(?: (?:really|even|actually|just|ever|please|want|wanting|wish|need|like|care|asked?|asking|going|trying|you|for"
    r"|to|be|being|have|having|get|getting|a|an|any|the|your))*"
)
_NOT_ZH = (
    r"(?:(?<!用)不用|(?<!需)不需要|不必|(?<!要)不要|(?<!想)不想|先不|不打算|不是要|没有?要|无需|无须|(?<![特个分区识])别)"
    r"(?:再|给我|帮我|替我|把我|您|你|想|要|去|跟|和|用|麻烦|联系|给)*"
)
_NEGATED = re.compile(rf"(?:{_NOT_EN}\s*|{_NOT_ZH})$")
_ASKED_BACK = re.compile(r"\b(?:don'?t|do) you (?:not )?have\b|\b(?:can|could|may) (?:i|we) not\b")
_DECLINED = re.compile(rf"(?:{_NOT_ZH})(?:转|找|接)?(?:人工|真人|客服)")
_ANY_NOT = re.compile(rf"{_NOT_EN}|{_NOT_ZH}")

_WISH_FOR_A_PERSON = re.compile(  # its words, none of which says what for
    r"\b(i(['’](d|m))?|we|me|you|my|a|an|the|want|wanna|need|needs|would|like|love|can|could|may|must|have|get|to|with|and|or"
    r"|now|just|please|pls|here|there|is|are|am|let|give|real|live|human|humans|person|people|agent|agents|someone|somebody"
    r"|representative|operator|colleague|manager|supervisor|boss|superior|your|staff|member|support|service|customer|talk|speak|chat|connect"
    r"|transfer|hi|hello|hey|thanks|thank|directly|immediately|bot|robot|not|no|instead|right|away|put|pass|hand"
    r"|through|being|help|some)\b"
    r"|经理|主管|领导|老板|负责人|人工|真人|活人|客服|服务|人员|机器人|直接|马上|立刻|立即|现在|赶紧|谢谢|麻烦|可以|可不可以|能不能|你好|您好|需要|联系|不要|不想"
    r"|说话|沟通|聊天|[我们要想请帮给你您转接找换跟和个位名一下到快吧了啊呢吗呀的能叫让在有没人说聊]"
)
_TELL_ME = re.compile(
    r"^(?:(?:just|simply|please|only|but|instead) )*(?:tell me|answer me|let me know)[,:]? "
    r"|^(?:你|您|就|请|直接|只要|只需|只想|但是?|麻烦)*(?:告诉|回答)我?(?:一下|就行)?[,，:：]?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s!.,;:~?…、。！，？；：\-_()]+")


def asks_for_person(text: str) -> bool:
    """Whether the message asks to be passed on to a human being."""
    plain = simplified(text)
    if len(plain) > _LIMIT or asks_what_it_is(plain):
        return False
    if _NOT_A_BOT.search(plain):
        return True
    if _ANY_NOT.search(plain) is None or _ASKED_BACK.search(plain):
        return _wish(plain) is not None
    return any(
        (found := _wish(clause)) is not None and not _negated(clause, found) for clause in _clauses(plain)
    )


def only_asks_for_person(text: str) -> bool:
    """Whether nothing is left of the message once the wish for a person is taken out."""
    if not asks_for_person(text):
        return False
    return not _BETWEEN.sub("", _WISH_FOR_A_PERSON.sub(" ", simplified(text)))


def declines_person(text: str) -> bool:
    """Whether the message says that no person is wanted: then none is called, whatever a classifier reads in it."""
    plain = simplified(text)
    return not asks_for_person(text) and any(_negated(clause, _wish(clause)) for clause in _clauses(plain))


def without_declined(text: str) -> str:
    """The message without the clause that declines a person: what it asks is the rest, and a search for 人工 finds
    what nobody asked for. As it is where nothing is declined, or nothing else is said. ``text``: normalised."""
    plain = simplified(text)
    if len(plain) != len(text) or not declines_person(text):
        return text
    kept, at = "", 0
    for end, after in [*(match.span() for match in _CLAUSE.finditer(plain)), (len(plain), len(plain))]:
        clause = plain[at:end].strip()
        if not _negated(clause, _wish(clause)):
            kept += text[at:after]
        elif plain[end:after].strip(" ,.;:!?…、。"):
            kept += text[end:after]  # 就告诉, "but": it belongs to what comes
        at = after
    asked = _TELL_ME.sub("", kept.strip(" ,，.。;；:：!！、"))
    return asked if says_something(asked) else text


def _clauses(plain: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(plain) if clause.strip()]


def _negated(clause: str, wish: re.Match[str] | None) -> bool:
    if _DECLINED.search(clause):
        return True
    return wish is not None and _NEGATED.search(clause[: wish.start()]) is not None


def _wish(plain: str) -> re.Match[str] | None:
    if _IN_A_SHOP.search(plain):
        return None
    return _PLAIN.search(plain) or (None if _ABOUT_SERVICE.search(plain) else _UNLESS_ABOUT.search(plain))
