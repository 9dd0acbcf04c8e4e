"""Small talk, by rule: a company whose logs hold no such tag has it all the same.

Only a whole message counts ("thanks" is small talk, "thanks, and where is my order?" is a question), so the
patterns match from end to end once politeness has been taken away.
"""

from __future__ import annotations

import re

from chatbot.dialogue.about_bot import about_bot
from chatbot.language.simplified import simplified

_LANGUAGE = (
    r"(english|chinese|mandarin|cantonese|german|french|dutch|spanish|italian|portuguese|japanese|korean|russian"
    r"|deutsch|englisch|français|francais|anglais|español|espanol|inglés|ingles)"
)
_LANGUAGE_ZH = r"(中文|汉语|普通话|国语|粤语|英文|英语|德语|德文|法语|法文|日语|日文|荷兰语|西班牙语)"
_CALL = (
    r"(are (you|u) (still )?(there|here)|(is )?any(one|body) (still )?(there|here)"
    r"|hello( hello)* ((are (you|u) (still )?there|any(one|body) there))"
    r"|在吗|在么|在不在|还在(吗|么)|有人(吗|么|在吗)|人呢|人在(吗|么|哪)?|没人(吗|么|理我)|客服(在吗|呢)|亲在吗|怎么不(说话|理我|回(复|话|我))了?)"
)
_PATTERNS: dict[str, str] = {
    "greeting": rf"({_CALL}|yo|sup|wass?up|what'?s up|heya|(good )?morning"
    r"|hi|hello|hey|hiya|howdy|good (morning|afternoon|evening|day)"
    r"|greetings|hello there"
    r"|hi there|hey there|how are (you|u)( doing)?( today)?|how'?s it going|你好呀?|您好呀?|你好吗|最近好吗|嗨"
    r"|哈喽|哈啰|hello|早上好|下午好|晚上好|早|亲)",
    "thanks": r"(thanks|thank you|thx|ty|cheers|great thanks|perfect thanks|thanks a lot|thank you so much|many thanks"
    r"|thank you very much|that helps|that helped|much appreciated|ok thanks|okay thanks|got it thanks|appreciate it"
    r"|谢谢|谢谢你|谢谢您|多谢|感谢|非常感谢|太感谢了|谢啦|谢了|好的谢谢|好的谢谢您|好的谢谢你|明白了谢谢|知道了谢谢|收到谢谢)",
    "goodbye": r"((bye|goodbye|bye bye|see you|see ya|cya)( (for )?now| later| then| soon)?|take care"
    r"|(have|enjoy) (a|an|the|your) ((very )?(nice|good|great|lovely|wonderful) )?"
    r"(day|evening|weekend|night|one|afternoon)|good night"
    r"|再见|拜拜了?|拜|回见|下次见|晚安|祝(你|您|你们)?(生意兴隆|工作顺利|生活愉快|周末愉快)"
    r"|没事了|没有了|没别的了|就这些了?|no that'?s (all|it)|that'?s all|that'?s it"
    r"|nothing else)",
    "nothing_else": r"(you('?re| are) (very |most )?welcome|u ?r welcome|no (problem|worries|prob)|np"
    r"|(ok )?whatever|(sorry )?wrong (chat|window)|don'?t mention it"
    r"|my pleasure|all good"
    r"|l(o+)l+|lmf?ao|rofl|(a?(ha|he)){2,}h?|hehe|不客气|不用谢|不谢|没关系|没事儿?|小事|应该的|哈{2,}|呵{2,}|嘿{2,}|嘻{2,}|233+|笑死(我了)?)",
    "not_meant": r"(idk|dunno|(i )?(don'?t|do not) know|(i have )?no idea|(i'?m )?not sure|maybe|perhaps"
    r"|(我)?(也)?(不知道|不清楚|不确定)(了|啊|呀|诶)?|随便|都行|无所谓|也许吧?|可能吧)",
    "languages": r"(((sorry|please|pls|so|hi|hello) )*(((do|can|could|may|would) (you|we|i) (please |also |maybe )*)?"
    r"(speak|talk|chat|write|understand|continue|switch|answer|reply|know)( (to me|with me|to|in))* )?"
    rf"(in )?{_LANGUAGE}( or {_LANGUAGE})?( (please|pls|then|instead|too|only|bitte|por favor|s'il vous plaît))*"
    rf"|sprechen sie {_LANGUAGE}|parlez vous {_LANGUAGE}|hablas? {_LANGUAGE}"
    r"|(那|请|请问|麻烦|你们?|您|我们|可以|可不可以|能|能不能|会|会不会|还是)*(说|讲|用|换|换成|切换到|改用|懂)?"
    rf"{_LANGUAGE_ZH}(回复|回答|沟通|交流|聊|说)*(吗|么|吧|可以吗|可以么|行吗|好吗| ?谢谢)*)",
    "go_on": r"(well|so|((just|and|oh|ok|wait) )*(one|a) (more|last|quick|other) (thing|question)|((just|and|oh"
    r"|ok|wait) )*"
    r"(another|quick) (thing|question)|(i )?(still )?(have|got|ve got|'ve got) (a|another|one more|some|a few"
    r"|a quick) questions?"
    r"|(can|could|may) i ask (you )?(something|a question|one more thing|another question|something else)"
    r"|i( would|'d| want to) (like to )?ask (you )?(something|a question|something else)"
    r"|(还有|还想问|另外)(一?个|一?件|几个|点)?(问题|事|事情)?(想问(一?下)?|要问|请教)?|(我?(还|再)?想?再?|请)问(一下|一?个问题|下|你)?"
    r"|我?(还)?有(一?个|几个|些|点)?问题(想问(一?下)?|要问|请教)?|(能|可以)(再)?问(你)?(一?个)?问题吗|喂+|对了)",
}
_EMOJI = {  # a message that is nothing but these
    "thanks": "👍👌🙏❤💗💕😊🙂😀😃😄☺🥰😍👏💯🆗✅",
    "bot_blamed": "😡😠🤬👎😤💢🖕😾",
}
_DRAWN = {mark: name for name, marks in _EMOJI.items() for mark in marks}
_BESIDE_EMOJI = re.compile(r"[\s!.?,\uFE0F\u200D\U0001F3FB-\U0001F3FF]+")
_NOD = r"(okay|ok|oh|alright|great|perfect|cool|got it|i see|好的?|好吧|嗯+|哦+|行|明白了?|知道了|收到|了解了?|清楚了)"
_SMALLTALK = {
    name: re.compile(rf"({_NOD}\s*)?{pattern}(\s*{pattern})?(\s*{_NOD})?")
    for name, pattern in _PATTERNS.items()
} | {"acknowledgement": re.compile(rf"{_NOD}(\s*{_NOD})?")}
_CLOSING = re.compile(  # "ok thanks bye", "lol thanks for your help, have a nice day", 好的谢谢拜拜
    rf"({_PATTERNS['thanks']}|{_PATTERNS['goodbye']}|{_PATTERNS['nothing_else']}|{_NOD}"
    r"|for (the|your) (help|time|answer)|so much|very much|then|and|了|啦|你|您)(\s+|(?=[\u3400-\u9fff])|$)"
)
_CALLS = re.compile(_CALL)
_FILLER = re.compile(r"[\s!.,;:~?…、。,!?;:~\-_()]+|[\U0001F300-\U0001FAFF\u2600-\u27BF\uFE0F]+")
_LIMIT = 40  # characters; longer than this it is not only small talk


def smalltalk(text: str) -> str | None:
    """``greeting``, ``thanks``, ``goodbye``, ``nothing_else`` ("no worries", "haha"), ``not_meant`` ("idk"),
    ``languages`` ("English please"), ``go_on`` ("one more thing"), or what is said about the bot
    (chatbot/dialogue/about_bot.py), where the message is nothing else; "ok" is thanks unsaid."""
    folded = simplified(text)
    plain = _plain(folded)
    if not plain:
        return "greeting" if "?" in folded else drawn(folded)  # "??" calls
    if len(plain) <= _LIMIT:
        for name, pattern in _SMALLTALK.items():
            if pattern.fullmatch(plain):
                return "thanks" if name == "acknowledgement" else name
    return about_bot(plain) or _closing(plain)


def calls(text: str) -> bool:
    """Whether a message that greets calls for somebody who is not heard: "HELLO??", "anyone there?", 人呢."""
    folded = simplified(text)
    plain = _plain(folded)
    asked = "?" in folded and plain.startswith("hello")
    return asked or "??" in folded or not plain or _CALLS.fullmatch(plain) is not None


def _plain(folded: str) -> str:
    return _FILLER.sub(" ", folded).strip()


def _closing(plain: str) -> str | None:
    """What closes a conversation in several words of small talk: its goodbye, or else its thanks."""
    at, names = 0, set()
    while at < len(plain) <= 2 * _LIMIT:
        part = _CLOSING.match(plain, at)
        if part is None or part.end() == at:
            return None
        word = part[0].strip()
        names |= {name for name in ("goodbye", "thanks", "nothing_else") if _SMALLTALK[name].fullmatch(word)}
        at = part.end()
    return next((name for name in ("goodbye", "thanks", "nothing_else") if name in names), None)


def drawn(text: str) -> str | None:
    """What a message says that is nothing but emoji: of several the one that complains counts."""
    names = [_DRAWN.get(mark) for mark in _BESIDE_EMOJI.sub("", text)]
    if not names or None in names:
        return None
    return "bot_blamed" if "bot_blamed" in names else "thanks"
