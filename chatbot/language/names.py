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


@dataclass(frozen=True, slots=True)
class NameSpan:
    """A name at ``start:end``; ``value`` is what equal names share."""

    start: int
    end: int
    value: str


_GIVEN = """
aaron abdul abigail adam adele adrian agnes ahmed aisha alan albert alejandro alex alexander alexandra alexis alfred
ali alice alicia alison amanda amber amelia amina amir amy ana anastasia andre andrea andreas andrew andy angela anita
ann anna anne annie anthony antonio arjun arthur ashley astrid audrey barbara beatrice ben benjamin bernard beth
betty bianca bill billy bob bogdan boris brandon brenda brian bridget bruce camille carl carla carlos carmen carol
caroline catherine cecilia charles charlie charlotte chen chloe chris christian christina christine christopher
claire clara claudia colin connor craig cristina cynthia daan daisy dan daniel daniela danny dave david deborah dennis
derek diana diane diego dmitri dominic donald donna doris dorothy douglas dylan edgar eduardo edward elaine eleanor
elena elizabeth ella ellen emil emily emma eric erik erin esther ethan eva evelyn fatima felix fernando fiona florian
frances francesca francesco francis frank fred frederik gabriel gary gavin george gerald gerard giovanni giulia gloria
gordon greg gregory guillaume gustav hannah hans harold harriet harry hassan heather hector heidi helen helena henk
henry holly howard hugh hugo ian ibrahim igor imran ingrid irene isaac isabel isabella ivan jack jackie jacob jade
jake james jamie jan jane janet janice jason javier jay jean jeff jeffrey jenna jennifer jenny jeremy jerry jesse
jessica jim joan joanna joao joe joel johan johanna john johnny jonas jonathan jordan jorge jose josef joseph josh
joshua joyce juan judith judy julia julian julie jurgen justin karen karin karl kate katherine kathleen kathryn katie
katja kayla keith kelly ken kenneth kevin kim kimberly klaus kristen kyle lara lars laura lauren laurence lea leah lee
lena leo leon leonard lewis li liam lily linda lisa logan lois lorenzo louis louise luca lucas lucia lucy luis luke
lukas lydia maarten madison maggie malcolm marc marco marcus margaret maria marie marijke marina mario marion marlene
martha martin martina mary mateo matt matteo matthew matthias maureen max maya megan mei melanie melissa mia michael
michaela michele michelle miguel mike mila mohamed mohammed molly monica monika morgan nadia nancy naomi natalia
natalie natasha nathan neil nicholas nick nicola nicole nigel niklas nina noah noor nora norman olga oliver olivia omar
oscar owen pablo pamela patricia patrick paul paula pauline pedro peter petra philip philippe phoebe pierre pieter
piotr priya rachel rafael rahul raj ralph ramon raymond rebecca renate ricardo richard rick rita rob robert roberto
robin rodrigo roger roland ronald rosa rosie ross roy ruben russell ruth ryan sabine sally sam samantha samuel sandra
sanjay sara sarah scott sean sebastian sergei shane shannon sharon sheila simon simone sofia sonia sophia sophie
stacy stefan stella stephanie stephen steve steven stuart sue susan susanne suzanne sven sylvia tamara tanya tara
teresa terry theo theresa thijs thomas tim timothy tina tobias todd tom tommy tony tracy travis trevor tyler ursula
valentina valerie vanessa vera veronica victor victoria vincent viktor vivian walter wanda wayne wei wendy werner
wilhelm willem william wolfgang xavier yasmin yusuf yvonne zachary zara zoe
"""
GIVEN_NAMES = frozenset(_GIVEN.split())

_NOT_NAMES = """
a about account actually admin again agent ah all also am an and another any anybody anyone anything are as at back bad
been because before best bot but buy by can cannot cheers chat click colleague coming could customer customers day days
dear delivery did do does doing done dr due easy either english everyone everybody evening excuse fine first folks for
friend friends from fyi getting glad go going gonna good got great guys had happy has have having he hello help her
here hey hi him his hope how however i if im in interested into is issue it its ive just kind kindly know last late
later let like looking lost love ma'am maam madam many may maybe me message might mine miss more morning most mr mrs ms
much my need new no nobody not nothing now of off ok okay on one online only onto or order orders other our out over
parcel people perfect please possible problem question quick quite re ready really refund regarding regards return
right sad sales same say see service shall she shop should since sir sirs so some somebody someone something soon
sorry still stuck such sure support sure tech team thank thanks that the their them then there these they thing this
those though to today tomorrow tonight too trying unable under unfortunately until up update upset upon us using very
waiting want wanted was we week well were what when where which while who why wondering world would writing wrong yeah
yes yesterday yet you your yours monday tuesday wednesday thursday friday saturday sunday january february march april
june july august september october november december dutch german french spanish italian chinese british american
english european irish polish portuguese swiss norwegian danish amazon paypal google apple visa mastercard assistance
advance
"""
_STOP = frozenset(_NOT_NAMES.split())

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
_SPEAKING_AFTER = re.compile(r"[ ]*(?:here|speaking|from|again|writing|calling)\b", re.IGNORECASE)


def find_names(text: str) -> list[NameSpan]:
    """The names in ``text`` that stand where a name stands, in order, none overlapping another."""
    found: list[NameSpan] = []
    if _CUE.search(text):
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
    for match in _PRESENTED.finditer(text):
        after = _SPEAKING_AFTER.match(text, match.end(1)) or _SPEAKING_AFTER.search(match[1])
        yield from _named(match, most=3, need_capital=True, listed=after is None)
    for match in _ADDRESSED.finditer(text):
        # "Hi Anna," is a name; "Hi Kettle broke" is one only if the list knows it
        yield from _named(
            match, most=2, need_capital=True, listed=match[2] is None and match.end(1) < len(text)
        )
    signed = _SIGNED.search(text)
    if signed:
        yield from _named(signed, most=3, need_capital=True)


def _named(
    match: re.Match[str], *, most: int, need_capital: bool, listed: bool = False
) -> Iterator[NameSpan]:
    """The longest run of name-like words at the start of group 1."""
    start, end, taken = match.start(1), match.start(1), 0
    for word in re.finditer(rf"{_WORD}\.?", match[1]):
        plain = word[0].rstrip(".").lower()
        capital = word[0][0].isupper() and (len(word[0]) < 3 or not word[0].isupper() or plain in GIVEN_NAMES)
        if (
            plain in ("van", "de", "der", "den", "von", "la", "le", "bin", "al", "el", "da", "dos", "di")
            and taken
        ):
            continue
        if (plain in _STOP and not (plain in GIVEN_NAMES and capital)) or _is_han(plain) or taken == most:
            break
        if not capital and plain not in GIVEN_NAMES and (need_capital or taken):
            break
        if listed and not taken and plain not in GIVEN_NAMES:
            break
        taken += 1
        end = match.start(1) + (word.end() if len(plain) == 1 else word.start() + len(plain))
    if taken and end - start > 1:
        name = match.string[start:end]
        yield NameSpan(start, end, name.lower())


def _is_han(text: str) -> bool:
    return any("\u4e00" <= ch <= "\u9fff" for ch in text)


# --- Chinese ------------------------------------------------------------------------------------------------

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦"
    "贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵覃武钱戴严莫孔向汤温康施洪乔邢樊倪俞颜华聂章鲁岳柳殷庄骆耿俄申葛欧阮翟"
)
_COMPOUND = r"欧阳|司马|诸葛|上官|司徒|皇甫|慕容|尉迟|东方|夏侯"
_FAMILY = rf"(?:{_COMPOUND}|[{_SURNAMES}])"
_HAN = "[\u4e00-\u9fff]"
_STOPS_NAME = (
    r"(?=[\s，。！？、,.!?;；:：)）]|$|先生|女士|小姐|电话|手机|地址"
    r"|我|想|的|是|在|要|请|买|这|你|您|谢谢|收|和|跟)"
)
_NAMED_ZH = re.compile(
    r"(?:我叫|我的名字(?:是|叫)|名字(?:是|叫|[:：])|姓名(?:是|[:：])?\s*|本人(?:叫|是)?"
    r"|(?:收|联系|收货|收件|寄件|付款|签收|开户|持卡)人"
    r"(?:姓名)?(?:改成|改为|改|写|叫|是|[:：])*\s*|署名\s*|户名(?:是|[:：])?\s*|亲爱的|尊敬的|我是)"
    rf"({_FAMILY}{_HAN}{{1,2}}?){_STOPS_NAME}"
)
_TITLED_ZH = re.compile(r"(?:先生|女士|小姐|太太|老师|经理)")
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
    for regex in (_NAMED_ZH, _AGENT_ZH, _SURNAMED_ZH):
        for match in regex.finditer(text):
            if match[1][:2] not in _NOT_SURNAME_HERE:
                yield NameSpan(match.start(1), match.end(1), match[1])
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
    if end >= 1 and text[end - 1] in _SURNAMES:
        return end - 1, end
    return None
