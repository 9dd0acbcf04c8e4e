"""Which turns of a past conversation are worth learning from, and which rule says no.

A hold ("one moment please"), a transfer and an automatic line answer nothing; a bot that repeats them would be
useless. A sentence counts as one of these only as a whole, so "Let me check: it was sent on Monday" stays.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chatbot.dialogue.smalltalk import smalltalk
from chatbot.language.normalise import fold, has_letters
from chatbot.language.redaction import PLACEHOLDER

MAX_TURN = 4_000  # characters; longer is a pasted log or mail thread
MAX_TURNS = 400  # of one conversation
MAX_QUESTION = 1_500  # characters of an example

RULES = {
    "empty": "no letter or digit in it",
    "too_long": f"longer than {MAX_TURN} characters",
    "unreadable": "characters lost on the way here",
    "automatic": "sent by a machine: a bot, an out-of-office reply, a survey",
    "hold": "asks to wait",
    "transfer": "passes the customer on",
    "small_talk": "greeting, thanks or goodbye and nothing else (kept as context, no example)",
    "no_customer": "nothing by the customer",
    "only_small_talk": "the customer asks for nothing",
}

_SENTENCE = re.compile(r"(?<=[.!?。！？;；\n])\s*|\s+[-–—]\s+|[~～]+")
_CLAUSE = re.compile(r"[,，、:：]+")
_TRIM = re.compile(r"[\s!.,;:~?…、。，！？；：～\-_()（）\[\]\U0001F300-\U0001FAFF\u2600-\u27BF\uFE0F]+")


def _any_of(*patterns: str) -> str:
    return "(?:" + "|".join(patterns) + ")"


_WHILE = (
    r"(?:(?:just )?(?:a |one )?(?:moment|minute|min|sec|second|bit|while|little|few (?:moments|minutes)"
    r"|couple (?:of )?minutes))"
)
_THIS = (
    r"(?: (?:that|this|it|on that|into (?:that|this|it)|that up|it up"
    r"|your (?:order|account|details|information|ticket)))*"
)
_SOON = r"(?: (?:for you|right (?:away|now)|now|real quick|quickly|please))*"
_HOLD_EN = (
    r"(?:(?:ok|okay|sure|alright|certainly|of course|yes|great|perfect|thanks|thank you|please|just"
    r"|could you|can you) )*"
) + _any_of(
    rf"{_WHILE}(?: please)?",
    rf"(?:wait|hold|hold on|hang on|bear with me|stand by)(?: for)?(?: me)?(?: {_WHILE})?(?: please)?"
    r"(?: while i (?:check|look|do|pull|find|get).*)?",
    rf"give me {_WHILE}(?: please)?(?: to (?:check|look|pull|find).*)?",
    rf"i(?:'ll| will) (?:be right back|get right on it|be back in {_WHILE})",
    r"(?:let me|i(?:'ll| will)|i(?:'m| am) going to) (?:just )?"
    r"(?:check|look|look into|take a look|have a look|look up|pull up|see|find out)"
    rf"{_THIS}{_SOON}",
    rf"i(?:'m| am) (?:still )?(?:checking|looking|looking into|working on|pulling up){_THIS}{_SOON}",
    rf"(?:checking|looking){_THIS}{_SOON}",
    r"(?:thanks|thank you) for (?:your patience|waiting|holding|bearing with me|your understanding)",
    r"sorry for the (?:wait|delay)",
    r"(?:are you )?still there",
)
_LOOK = "(?:查询|核实|查看|看看|查|看|处理|确认)(?:一下|下|中|着)?"
_ENDING = "(?:哦|哈|呢|呀|喔|的)?"
_HOLD_ZH = "(?:好的?|嗯|亲|亲亲|您好|你好|那|麻烦|辛苦|还请|请|您|你|这边|我)*" + _any_of(
    f"(?:耐心)?(?:稍等|稍候|等一下|等待一下|等下|等等|等待|稍等片刻|等我一下)(?:一下|片刻|一会儿?|下)?{_ENDING}(?:这边)?"
    f"(?:(?:正在|马上|立即)?(?:帮|为|给)?(?:您|你)?{_LOOK}{_ENDING})?",
    f"(?:正在|马上|这就|立即)?(?:帮|为|给)?(?:您|你)?{_LOOK}{_ENDING}",
    "(?:感谢|谢谢)(?:您|你)的?(?:耐心)?(?:等待|等候)",
    f"让?(?:您|你)?久等了?{_ENDING}",
    "(?:您|你)?还在(?:线)?吗",
)
_HOLD = re.compile(_any_of(_HOLD_EN, _HOLD_ZH))

_PASSING = _any_of(
    "transfer(?:ring|red)?", "connect(?:ing|ed)?", "pass(?:ing|ed)?", "hand(?:ing|ed)?", "forward(?:ing|ed)?",
    "redirect(?:ing|ed)?", "escalat(?:e|ing|ed)",
)  # fmt: skip
_WHOM = _any_of(
    "team", "department", "colleague", "agent", "specialist", "supervisor", "manager", "representative", "human",
    "person", "desk", "level", "someone", "expert",
)  # fmt: skip
_TRANSFER = re.compile(
    rf".{{0,40}}\b(?:i|let me|we|you)\b.{{0,20}}\b{_PASSING}\b.{{0,30}}\b(?:to|with|over|through|on)\b"
    rf".{{0,60}}\b{_WHOM}.{{0,40}}"
    r"|.{0,20}(?:转接|转给|转到|转交|移交|升级)(?:给|到|至)?.{0,20}"
    r"(?:同事|专员|部门|专家|人工|客服|售后|主管|技术|专席|负责人).{0,20}"
)
_AUTOMATIC = re.compile(
    _any_of(
        r"this is an? auto(?:mated|matic)",
        r"auto(?:mated|matic) (?:message|reply|response)",
        r"do not reply to this",
        r"out of (?:the )?office",
        r"your (?:request|ticket|message) (?:\S+ )?has been (?:received|created|updated|closed|solved|assigned)",
        r"we have received your (?:request|message|e-?mail|ticket)",
        r"you are (?:now )?(?:number|position) \S+ in (?:the )?(?:queue|line)",
        r"(?:has|have) (?:joined|left|entered) the (?:chat|conversation)",
        r"chat (?:has been )?(?:started|ended|transferred|closed)",
        r"conversation (?:was |has been )?(?:closed|assigned|reopened)",
        r"please rate (?:this|our|your)",
        r"rate your (?:experience|conversation)",
        r"take (?:our|a) (?:short |quick )?survey",
        r"i(?:'m| am) (?:a |the |your )?(?:virtual|digital|automated) (?:assistant|agent)",
        r"(?:this|the) (?:chat|conversation) (?:has been|was) (?:inactive|idle)",
        r"delivery status notification",
        r"undeliverable",
        "(?:我是|这里是).{0,8}(?:智能|机器人|小助手|AI)(?:客服|助手|机器人)?",
        "自动回复",
        "系统(?:消息|提示|自动)",
        "智能(?:客服|助手)(?:为您|很高兴)",
        "请(?:您)?对(?:本次|我的|此次)服务(?:进行)?评价",
        "(?:会话|对话)(?:已|将)经?(?:结束|关闭|超时)",
        "(?:当前|前面)(?:有|还有|排队).{0,6}[人位]在?(?:排队|等待)",
        r"(?:输入|回复|点击)(?:数字)?\s?\S{1,3}\s?(?:转人工|进入)",
    ),
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"\b"
    + _any_of(
        "hi", "hello", "hey", "hiya", "good (?:morning|afternoon|evening|day)", "dear", "there", "team", "all",
        "everyone", "sure", "alright", "certainly", "of course", "no problem", "great", "perfect",
        "sir", "madam", "please", "pls", "thanks", "thank you", "thx", "(?:kind )?regards", "ok", "okay", "yes", "no",
        "sorry", "excuse me", "anyone", "someone",
        "i have a (?:quick |small )?(?:question|problem|issue|query)",
        "(?:can|could|would) (?:you|someone|anyone)(?: please)? (?:help|assist)(?: me)?(?: out)?"
        "(?: with (?:something|this|an issue|a problem))?",
        "i (?:need|want|would like|require) (?:some |your )?(?:help|assistance|support)", "help me", "help",
        "(?:is )?(?:anyone|anybody|someone|somebody) (?:there|here|available|online)", "are you there",
        "i(?:'d| would) like to ask (?:a question|something)", "quick question",
        "i(?:'m| am) (?:having|facing|experiencing) (?:a|an|some) (?:problem|issue|trouble|problems|issues)",
        "how are you(?: today| doing)?", "may i ask", "hope you are (?:well|fine|doing well)",
        "my name is", "i am", "i'm", "this is", "nice to meet you",
    )
    + r"\b|"
    + _any_of(
        "你好", "您好", "嗨", "哈喽", "在吗", "在么", "在不在", "有人吗", "有人在吗", "亲爱的", "亲亲", "亲",
        "客服", "请问一下",
        "请问", "想问一下", "想问", "问一下", "我?(?:想|要)?咨询一下", "我?(?:想|要)咨询", "咨询",
        "我?有(?:个|一个)?问题", "帮我(?:看看|一下|个忙)", "帮帮我", "帮帮忙", "帮个忙", "能帮(?:我|个忙)",
        "麻烦(?:您|你|问)?一?下?", "谢谢", "打扰(?:一下|了)?", "早上好", "上午好", "下午好", "晚上好", "中午好",
        "你们好", "哦", "嗯+", "好的?", "行", "呀", "啊", "呢", "吗", "哈", "了", "我叫", "我是", "我姓",
    )
)  # fmt: skip
_PLACEHOLDERS = re.compile(r"\[[A-Z]+(?:_\d+)?\]")


# one cheap look, so that most turns need no other
_WAIT_HINT = re.compile(
    r"moment|minute|\bmin\b|\bsec|wait|hold|hang on|bear with|stand by|right back|check|look|pull|find out|patience|"
    r"delay|still there|let me see|get right on|transfer|connect|pass|hand|forward|redirect|escalat|"
    r"稍|等|查|核实|处理|确认|看|久|在吗|在线吗|转|移交|升级",
    re.IGNORECASE,
)
_AUTOMATIC_HINT = re.compile(
    r"auto|do not reply|office|has been|have received|queue|line|the chat|conversation|rate|survey|virtual|digital|"
    r"notification|undeliverable|智能|机器人|助手|AI|自动|系统|评价|会话|对话|排|等待|输入|回复|点击",
    re.IGNORECASE,
)


def turn_fault(role: str, text: str) -> str | None:
    """The rule of RULES by which a turn (redacted, normalised) is left out of the stored conversation, or None."""
    if not has_letters(PLACEHOLDER.sub("x", text)):
        return "empty"
    if len(text) > MAX_TURN:
        return "too_long"
    if text.count("\ufffd") * 10 > len(text):
        return "unreadable"
    if role == "bot":
        return "automatic"
    if role == "agent" and len(text) < 400:
        return _agent_fault(text)
    if role == "customer" and len(text) < 400 and "auto" in text.lower() and _AUTOMATIC.search(text):
        return "automatic"
    return None


def _agent_fault(text: str) -> str | None:
    if _AUTOMATIC_HINT.search(text) and _AUTOMATIC.search(text):
        return "automatic"
    if not _WAIT_HINT.search(text):
        return None
    found: str | None = None
    for sentence in _SENTENCE.split(text):
        fault = _phrase_fault(sentence)
        if fault is None:  # "Sure, one moment, I'm checking": each of its parts may be a hold
            parts = [_phrase_fault(part) for part in _CLAUSE.split(sentence)]
            if None in parts:
                return None
            fault = next((part for part in parts if part), "")
        found = fault or found
    return found


def _phrase_fault(phrase: str) -> str | None:
    """hold, transfer, "" for mere politeness, or None for something said."""
    plain = _TRIM.sub(" ", fold(_PLACEHOLDERS.sub("", phrase))).strip()
    if not plain or smalltalk(plain):
        return ""
    if _TRANSFER.fullmatch(plain):
        return "transfer"
    if _HOLD.fullmatch(plain):
        return "hold"
    return None if has_letters(_POLITE.sub(" ", plain)) else ""


def asks_for_something(text: str) -> bool:
    """Whether a message is more than a greeting, thanks, a goodbye or "I have a question"."""
    if smalltalk(text) is not None:
        return False
    plain = _TRIM.sub(" ", fold(_PLACEHOLDERS.sub(" ", text))).strip()
    if not plain:  # only an order number, say: it may answer a question, but asks nothing by itself
        return False
    if len(plain) > 160:
        return True
    rest = re.sub(r"[\s'’]+", " ", _POLITE.sub(" ", plain)).strip()
    return len(rest) >= 2 and has_letters(rest)


@lru_cache(maxsize=1024)  # asked for the same question by the grouping and by its row
def core_of(text: str) -> str:
    """A message folded, without greeting words, placeholders and punctuation: what near-duplicates have in common."""
    plain = _TRIM.sub(" ", fold(_PLACEHOLDERS.sub(" ", text))).strip()
    rest = re.sub(r"\s+", " ", _POLITE.sub(" ", plain)).strip()
    return rest or plain
