"""What a customer puts in the place of what he said: "no wait, make it Kade 7", "不对，是222B".

The words that say so are no part of the value. A number alone is no address: it takes the place of the one in the value
that was there, where it is clear which; else the detail is asked for again.
"""

from __future__ import annotations

import re

from chatbot.dialogue.own_words import plain_words, yes_or_no

_WORD = (  # that takes something back, or asks for a moment
    r"(?:no|nope|not (?:that|there)|wait|hold on|hang on|one (?:moment|sec(?:ond)?)|sorry|oops|actually"
    r"|my (?:mistake|bad)|that(?:['’]s| is| was) (?:wrong|not right|a typo))"
)
_PUTS = (  # what the new value follows
    r"(?:(?:please\s+)?make (?:it|that)|i mean(?:t)?|rather|better|sorry|actually"
    r"|(?:please\s+)?(?:change|correct|set|send|ship|deliver) (?:it|that|this|them)(?= to\b)"
    r"|(?:it|that) (?:should be|was meant to be)|should (?:be|read)|it['’]s|it is)"
)
_CORRECTS = re.compile(
    rf"(?:{_WORD}(?:[\s,.;:!–—-]*[,.;:!–—-]\s*|\s+(?=(?:{_WORD}|{_PUTS})\b))"
    r"|(?:yes|okay?),? but\s+"
    rf"|{_PUTS}[\s,:]+"
    r"|(?:no\s+)?to[\s:]+(?=\S)"
    r"|not\s[^,.;]{1,40}?,?\sbut\s+"
    r"|(?:不(?:是|对|對|行)?|错了|錯了|写错了|寫錯了|等等|等一?下|稍等|抱歉|对不起|對不起|(?:是|好|可以)的?(?=[,，\s]*但))[,，。!！\s]+(?:但是?)?"
    r"|不是[^,，。]{1,30}[,，\s]*(?:而)?是|(?:请|請|麻烦|麻煩)?(?:帮我|幫我)?(?:改成|改为|改為|改到|换成|換成|换到|換到|寄到|寄往|送到|发到|發到)"
    r"|应该是|應該是|我是说|我是說|我的意思是|而是|(?<=[,，。!！\s])是(?=\S))+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[\s,，]+(?:please|instead|rather|thanks|thank you|谢谢|謝謝)[\s.!。！]*$|吧[。！!.]*$", re.IGNORECASE
)
_REPLIES = re.compile(  # how somebody begins who answers yes, answers no, or thinks it over
    r"(?:yes|yeah|yep|sure|ok|okay|correct|right|fine|absolutely|of course|go|do|don['’]?t|can['’]?t|won['’]?t|cannot"
    r"|no|nope|not|never|i|i['’]\w+|we|you|he|she|they|it|that|that['’]s|this|there|let|lets|let['’]s|maybe|perhaps|later"
    r"|hm+|uh|um|wait|please|thanks|thank|wrong|stop|cancel|forget|leave)\b"
    r"|是|好|对|對|可以|行|没|沒|确[认定]|嗯|不|别|別|我|你|您|这|這|那|等|错|錯|算|取消|先|还|還|再|让|讓|地址(?:不[对對]|[错錯])"
)
_DOUBTS = re.compile(
    r"(?:(?:h+m+|u[hm]+|ah|oh|well|ok(?:ay)?|yes)[\s,.!]+)*(?:no|nope|not|wait|but|wrong|actually|sorry|oops|hold on"
    r"|hang on"
    r"|(?:that|it|this)(?:['’]?s|['’ ]is| was) (?:wrong|not|incorrect))\b"
    r"|不|错|錯|等|但|写错|寫錯|搞错|搞錯|地址(?:不对|不對|错|錯)|.*(?:不对|不對|错了|錯了)$"
)
_NUMBER = re.compile(
    r"(?:the\s+)?(?:(?:house|street)\s*)?(?:number|no\.?|nr\.?|num\.?|[#№]|门牌号?(?:码|是|为)?|門牌號?(?:碼|是|為)?)?\s*"
    r"(\d{1,5}\s?[A-Za-z]?)\s*[号號]?"
    r"(?:\s*,?\s*(?:not|instead of|rather than|不是|而不是)\s*\d{1,5}\s?[A-Za-z]?[号號]?)?",
    re.IGNORECASE,
)
_POSTCODE = (
    r"\d{4}\s?[A-Za-z]{2}|[A-Za-z]{1,2}\d[A-Za-z\d]?\s?\d[A-Za-z]{2}|\d{3}[\s\-]\d{2,4}"
    r"|(?:[A-Za-z]{1,2}-?)?\d{4,7}"
)
_NAMED_POSTCODE = (
    r"(?:(?:the |my )?(?:post\s?code|zip(?: code)?|postal code)|(?:我的)?(?:邮政编码|郵政編碼|邮编|郵編))"
    r"(?:\s|is|:|=|是|为|為)*"
)
_TAKEN = re.compile(rf"(?<![A-Za-z0-9])(?:{_POSTCODE})(?![A-Za-z0-9])")
_HOUSE = re.compile(r"(?<![A-Za-z0-9])\d{1,4}\s?[A-Za-z]?(?![A-Za-z0-9])")
_HOUSE_ZH = re.compile(r"\d{1,5}[A-Za-z]?(?=[号號](?![楼樓]))")


def correction(text: str) -> tuple[str, bool]:
    """What a message puts in the place of what was to be confirmed, and whether it says that it does: "no, to Kade 5".
    Empty where it is a reply of another kind."""
    lead = _CORRECTS.match(text.strip())
    rest = _TAIL.sub("", text.strip()[lead.end() if lead else 0 :]).strip()
    if yes_or_no(text) or yes_or_no(rest) or _REPLIES.match(plain_words(rest)):
        return "", False
    return rest, lead is not None


def doubts(text: str) -> bool:
    """Whether a message, though nothing could be taken from it, says that something is not right or names a number: a
    yes that comes after it may mean what it said."""
    return _DOUBTS.match(plain_words(text)) is not None or any(map(str.isdigit, text))


def is_fragment(words: str) -> bool:
    """Whether it is a number or a postcode and nothing else: "number 7", "222B号", "3011 AB"."""
    plain = plain_words(words)
    return (
        _NUMBER.fullmatch(plain) is not None
        or re.fullmatch(rf"(?:{_NAMED_POSTCODE})?(?:{_POSTCODE})", plain) is not None
    )


def edited(value: str, words: str) -> str | None:
    """``value`` with the house number that the fragment ``words`` names; None where it is not clear which number it is
    to take the place of."""
    number = _NUMBER.fullmatch(words.strip().strip(".,!?。，！？"))
    if number is None:
        return None
    places = [match.span() for match in _HOUSE_ZH.finditer(value)]
    if not places:
        taken = [match.span() for match in _TAKEN.finditer(value)]
        places = [
            (match.start(), match.end())
            for match in _HOUSE.finditer(value)
            if not any(start < match.end() and match.start() < end for start, end in taken)
        ]
    if len(places) != 1:
        return None
    start, end = places[0]
    return value[:start] + number[1].strip() + value[end:]
