"""Small talk, by rule: a company whose logs hold no such tag has it all the same.

Only a whole message counts ("thanks" is small talk, "thanks, and where is my order?" is a question), so the
patterns match from end to end once politeness has been taken away.
"""

from __future__ import annotations

import re

from chatbot.language.normalise import fold

_PATTERNS: dict[str, str] = {
    "greeting": r"(hi|hello|hey|hiya|howdy|good (morning|afternoon|evening|day)|greetings|anyone there|hello there"
    r"|hi there|hey there|你好呀?|您好呀?|嗨|哈喽|哈啰|hello|在吗|在么|有人吗|有人在吗|早上好|下午好|晚上好|早"
    r"|客服在吗|亲在吗|亲)",
    "thanks": r"(thanks|thank you|thx|ty|cheers|great thanks|perfect thanks|thanks a lot|thank you so much|many thanks"
    r"|thank you very much|that helps|that helped|much appreciated|ok thanks|okay thanks|got it thanks|appreciate it"
    r"|谢谢|谢谢你|谢谢您|多谢|感谢|非常感谢|太感谢了|谢啦|谢了|好的谢谢|好的谢谢您|好的谢谢你|明白了谢谢|知道了谢谢|收到谢谢)",
    "goodbye": r"(bye|goodbye|bye bye|see you|see ya|have a nice day|take care|cya"
    r"|再见|拜拜|拜|回见|下次见|没事了|没有了|没别的了)",
}
_NOD = r"(ok|okay|oh|alright|great|perfect|cool|got it|i see|好的?|好吧|嗯+|哦+|行|明白了?|知道了|收到|了解了?|清楚了)"
_SMALLTALK = {
    name: re.compile(rf"({_NOD}\s*)?{pattern}(\s*{pattern})?(\s*{_NOD})?")
    for name, pattern in _PATTERNS.items()
} | {"acknowledgement": re.compile(rf"{_NOD}(\s*{_NOD})?")}
_FILLER = re.compile(r"[\s!.,;:~?…、。,!?;:~\-_()]+|[\U0001F300-\U0001FAFF\u2600-\u27BF\uFE0F]+")
_LIMIT = 40  # characters; longer than this it is not only small talk


def smalltalk(text: str) -> str | None:
    """``greeting``, ``thanks`` or ``goodbye`` where the message is nothing else; "ok" is thanks unsaid."""
    plain = _FILLER.sub(" ", fold(text)).strip()
    if not plain or len(plain) > _LIMIT:
        return None
    for name, pattern in _SMALLTALK.items():
        if pattern.fullmatch(plain):
            return "thanks" if name == "acknowledgement" else name
    return None
