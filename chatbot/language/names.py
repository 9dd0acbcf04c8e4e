"""People's names in service conversations, by where they stand: after a greeting or an introduction, in a
signature, before or after a title.

No list holds all names, and most words of a message are none. So the place does the work, and the list of common
given names only settles the doubtful ones ("hi anna my kettle …"). Chinese names are a surname of the common ones
(they cover over 97 % of people) and one or two characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chatbot.language.name_words import AMBIGUOUS_NAMES, GIVEN_NAMES, NOT_NAMES, RARER_SURNAMES, SURNAMES


@dataclass(frozen=True, slots=True)
class NameSpan:
    """A name at ``start:end``; ``value`` is what equal names share."""

    start: int
    end: int
    value: str


_WORD = r"[^\W\d_](?:[^\W\d_]|['’\-](?=[^\W\d_]))*"
_FOLLOWING = rf"(?:[ ](?:(?:van|de|der|den|von|la|le|bin|al|el|da|dos|di)[ ])*{_WORD}\.?)"
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Mister|Madam|Sir)\b\.?"

_CUE = re.compile(
    r"\b(?:hi|hiya|hello|hey|dear|morning|afternoon|evening|name|names|i'm|i’m|i am|im|this is|it's"
    r"|it’s|speaking|regards|wishes|"
    r"sincerely|cheers|thanks|thank you|thx|best|mr|mrs|ms|miss|mx|dr|prof|mister|recipient|yours)\b"
    r"|[\n~–—-]",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"[A-Z][a-z]")
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof)\b\.?[ ]({_WORD}{_FOLLOWING}{{0,2}})")
_INTRODUCED = re.compile(
    r"\b(?:my (?:full |first |last )?name(?:'s| is|:)|name is|name\s?[:=]|names|recipient\s?[:=]"
    r"|addressed to|i am called|"
    rf"on the name of|in the name of|under the name(?: of)?)[ ]?({_WORD}{_FOLLOWING}{{0,3}})",
    re.IGNORECASE,
)
_PRESENTED = re.compile(
    rf"\b(?:this is|i'm|i’m|i am|im|it's|it’s|it is|here is)[ ]({_WORD}{_FOLLOWING}{{0,2}})", re.IGNORECASE
)
_TWO_CAPITALS = re.compile(rf"(?=[A-ZÀ-Þ]){_WORD}[ ](?=[A-ZÀ-Þ]){_WORD}")
_POSSESSIVE = re.compile(r"['’]s$")
_CONTRACTED = re.compile(r"['’](?:re|ll|ve|m|d|t)$")
_MYSELF = re.compile(r"(?:i'm|i’m|i am|im)\b", re.IGNORECASE)  # "it is Dispatched" is no name
_ALONE_AFTER = re.compile(r"[ ]*(?:[,.!\n]|$|and I\b)")
_LABELLED = re.compile(rf"\bname[ ]+((?=[A-ZÀ-Þ]){_WORD}[ ](?=[A-ZÀ-Þ]){_WORD})")
_ADDRESSED = re.compile(
    r"(?:^|[.!?。！？\n][ ]*)(?:hi|hiya|hello|hey|dear|good (?:morning|afternoon|evening|day)"
    r"|thanks(?: a lot| so much)?|"
    rf"thank you(?: so much| very much)?|welcome"
    rf"|sorry)[ ,]{{1,2}}(?:{_TITLE}[ ])?({_WORD}{_FOLLOWING}?)(?=([ ]*[,.!?:;\n–—-])|[ ]*$|[ ])",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    r"(?:\b(?:(?:best|kind|warm|kindest|warmest|many)[ ](?:regards|wishes|thanks)|regards|sincerely"
    r"|yours truly|yours|cheers|"
    r"thanks(?: again| in advance| a lot)?|thank you|thx|best|greetings)[ ]*[,.!:–—-]*\s*"
    r"|\n[ ]*[–—~-]*[ ]*|[ ][–—~-][ ]?)"
    rf"({_WORD}{_FOLLOWING}{{0,2}})[ ]*[.!]?\s*$",
    re.IGNORECASE,
)
_RELATED = re.compile(
    r"\b(?:husband|wife|son|daughter|mother|father|mum|mom|dad|sister|brother|colleague|neighbou?r"
    r"|friend|partner|boss|"
    r"boyfriend|girlfriend|contact|behalf of|ask for|asked for|spoke (?:to|with)|talked to"
    r"|signed for by|received by|addressed to)[ ,]{1,2}"
    rf"({_WORD}{_FOLLOWING}{{0,2}})"
)
_HERE = re.compile(rf"(?:^|[,.!\n][ ]?)((?=[A-ZÀ-Þ]){_WORD}(?:[ ](?=[A-ZÀ-Þ]){_WORD}){{0,2}})[ ]here\b")
_ANYWHERE = re.compile(rf"(?<![A-Za-z'’-])((?=[A-Z]){_WORD}{_FOLLOWING}{{0,1}})(?![A-Za-z-])")
_PLACE_AFTER = frozenset(
    {
        "street",
        "road",
        "avenue",
        "lane",
        "station",
        "park",
        "city",
        "airport",
        "hotel",
        "bank",
        "college",
        "university",
    }
)
_SPEAKING_AFTER = re.compile(r"[ ]*(?:here|speaking|from|again|writing|calling)\b", re.IGNORECASE)


def find_names(text: str) -> list[NameSpan]:
    """The names in ``text`` that stand where a name stands, in order, none overlapping another."""
    found: list[NameSpan] = []
    if _CAPITAL.search(text) or _CUE.search(text):
        for span in _english(text):
            _claim(found, span)
    if not text.isascii():
        for span in _chinese(text):
            _claim(found, span)
    return sorted(found, key=lambda span: span.start)


def _claim(found: list[NameSpan], span: NameSpan) -> None:
    if all(span.end <= other.start or span.start >= other.end for other in found):
        found.append(span)


def _english(text: str) -> Iterator[NameSpan]:
    for match in _TITLED.finditer(text):
        yield from _named(match, most=3, need_capital=True)
    for match in _INTRODUCED.finditer(text):
        yield from _named(match, most=3, need_capital=False)
    for match in _LABELLED.finditer(text):
        yield from _named(match, most=3, need_capital=True)
    for match in (*_RELATED.finditer(text), *_HERE.finditer(text)):
        yield from _named(match, most=3, need_capital=True)
    for match in _PRESENTED.finditer(text):
        after = _SPEAKING_AFTER.match(text, match.end(1)) or _SPEAKING_AFTER.search(match[1])
        full = _MYSELF.match(match[0]) is not None and (
            _TWO_CAPITALS.match(match[1]) is not None or _ALONE_AFTER.match(text, match.end(1)) is not None
        )
        yield from _named(match, most=3, need_capital=True, listed=after is None and not full)
    for match in _ADDRESSED.finditer(text):
        # "Hi Anna," is a name; "Hi Kettle broke" is one only if the list knows it
        yield from _named(
            match, most=2, need_capital=True, listed=match[2] is None and match.end(1) < len(text)
        )
    for match in _ANYWHERE.finditer(text):
        first, _, second = match[1].partition(" ")
        known = first.lower() in GIVEN_NAMES and first.lower() not in AMBIGUOUS_NAMES
        if known and second.lower() not in _PLACE_AFTER:
            yield from _named(match, most=2, need_capital=True, listed=True)
    signed = _SIGNED.search(text)
    if signed:
        yield from _named(signed, most=3, need_capital=True)


def _named(
    match: re.Match[str], *, most: int, need_capital: bool, listed: bool = False
) -> Iterator[NameSpan]:
    """The longest run of name-like words at the start of group 1."""
    start, end, taken = match.start(1), match.start(1), 0
    for word in re.finditer(rf"{_WORD}\.?", match[1]):
        plain = _POSSESSIVE.sub("", word[0].rstrip(".").lower())
        if _CONTRACTED.search(plain):
            break
        capital = word[0][0].isupper() and (len(word[0]) < 3 or not word[0].isupper() or plain in GIVEN_NAMES)
        if (
            plain in ("van", "de", "der", "den", "von", "la", "le", "bin", "al", "el", "da", "dos", "di")
            and taken
        ):
            continue
        if (plain in NOT_NAMES and not (plain in GIVEN_NAMES and capital)) or _is_han(plain) or taken == most:
            break
        if (
            not capital
            and plain not in GIVEN_NAMES
            and (need_capital or (taken and not _ends_name(match.string, match.start(1) + word.end())))
        ):
            break
        if listed and not taken and plain not in GIVEN_NAMES:
            break
        taken += 1
        end = match.start(1) + (word.end() if len(plain) == 1 else word.start() + len(plain))
    if taken and end - start > 1:
        name = match.string[start:end]
        yield NameSpan(start, end, name.lower())


def _ends_name(text: str, at: int) -> bool:
    """ "my name is jack wilson and …": a lower-case surname is followed by the end, a sign, or a small word."""
    return re.match(r"\s*(?:$|[,.;!?]|(?:and|i|my|from|but|order|email|phone)\b)", text[at:]) is not None


def _is_han(text: str) -> bool:
    return any("\u4e00" <= ch <= "\u9fff" for ch in text)


# --- Chinese ------------------------------------------------------------------------------------------------

_COMPOUND = r"欧阳|司马|诸葛|上官|司徒|皇甫|慕容|尉迟|东方|夏侯"
_FAMILY = rf"(?:{_COMPOUND}|[{SURNAMES}])"
_ANY_FAMILY = rf"(?:{_COMPOUND}|[{SURNAMES}{RARER_SURNAMES}])"  # after words that leave no doubt
_HAN = "[\u4e00-\u9fff]"
_STOPS_NAME = (
    r"(?=[\s，。！？、,.!?;；:：)）]|$|先生|女士|小姐|电话|手机|地址"
    r"|我|想|的|是|在|要|请|买|这|你|您|谢谢|收|和|跟)"
)
_NAMED_ZH = re.compile(
    r"(?:我叫|我的名字(?:是|叫)|名字(?:是|叫|[:：])|姓名(?:是|[:：])?\s*|本人(?:叫|是)?"
    r"|(?:收|联系|收货|收件|寄件|付款|签收|开户|持卡)人"
    r"(?:姓名)?(?:改成|改为|改|写|叫|是|[:：])*\s*|署名\s*|户名(?:是|[:：])?\s*|亲爱的|尊敬的)"
    rf"({_ANY_FAMILY}{_HAN}{{1,2}}?){_STOPS_NAME}"
    rf"|我是({_FAMILY}{_HAN}{{1,2}}?){_STOPS_NAME}"
)
_TITLED_ZH = re.compile(r"(?:先生|女士|小姐|太太|老师|经理)")
_OWNER_ZH = re.compile(
    rf"(?:这是|那是|说是|给|帮|找|跟|我(?:老公|老婆|先生|妈妈?|爸爸?|朋友|同事|女儿|儿子)(?:叫)?)({_FAMILY}{_HAN}{{1,2}}?)"
    r"(?=的(?:订单|账号|账户|包裹|快递|地址|电话|手机|号码|件)|[，。,]|$|查|看|签收|代收|收的|下的单|买的)"
)
_SURNAMED_ZH = re.compile(rf"(?:我姓|免贵姓|本人姓|姓)({_FAMILY})(?=[\s，。！,.!]|$|的|，|我)")
_AGENT_ZH = re.compile(
    rf"(?:客服(?:专员|代表|人员)?|我是|我叫|专员|工号\d*)[ ]?((?:小|阿){_HAN}{{1,2}}?"
    rf"|{_FAMILY}{_HAN}{{1,2}}?)(?=[\s，。！,.!、]|$|为您|很高兴|，|竭诚|在呢|哦|呢|请问)"
)
_LEADS = frozenset("是叫给找请问和跟、，。！,.!:： \n的好对让位哦啊向为替")
_NOT_SURNAME_HERE = frozenset(
    {"方便", "任何", "金额", "白色", "石头", "龙头", "温度", "康复", "华为", "向您", "高兴", "何时"}
)


def _chinese(text: str) -> Iterator[NameSpan]:
    for regex in (_NAMED_ZH, _AGENT_ZH, _OWNER_ZH, _SURNAMED_ZH):
        for match in regex.finditer(text):
            group = match.lastindex or 1
            if match[group][:2] not in _NOT_SURNAME_HERE:
                yield NameSpan(match.start(group), match.end(group), match[group])
    for match in _TITLED_ZH.finditer(text):
        span = _before_title(text, match.start())
        if span:
            yield NameSpan(*span, text[span[0] : span[1]])


def _before_title(text: str, end: int) -> tuple[int, int] | None:
    """张伟先生, 王女士: the longest name that begins where a word begins, else the surname next to the title."""
    family = re.compile(_FAMILY)
    for length in (4, 3, 2, 1):
        start = end - length
        if start < 0 or not all(_is_han(ch) for ch in text[start:end]):
            continue
        match = family.match(text, start, end)
        given = end - match.end() if match else 9
        if match and given <= 2 and (start == 0 or text[start - 1] in _LEADS or not _is_han(text[start - 1])):
            return start, end
    if end >= 1 and text[end - 1] in SURNAMES:
        return end - 1, end
    return None
