"""Abusive language, English and Chinese: lists of what is unmistakable, and how it is disguised.

What is said *about* a machine ("the damn kettle") is no abuse and is not listed. English words are matched whole, so
that Scunthorpe and "assess" pass, in look-alike signs (sh1t, f*ck), stretched (fuuuck) or spelt out (f u c k). Chinese
ones are phrases, in simplified and traditional characters, with the innocent compounds that contain them taken out
first (操作 is "to operate", 我妈的订单 is my mother's order).
"""

from __future__ import annotations

import re

from chatbot.language.normalise import fold

_WORDS = """
    fuck motherfuck fck fuk fcuk phuck shit bullshit horseshit dipshit shithead shithole bitch bastard cunt asshole
    arsehole dumbass jackass dickhead knobhead bellend cocksuck twat wank tosser whore slut skank retard
    nigger nigga faggot fagot wetback raghead tranny douchebag scumbag shitbag idiot moron
    imbecile stupid wtf stfu gtfo kys
"""
_PHRASES = "|".join(
    (
        "(?:prick|spic|chink|kike|fag|crap)s?",
        "(?:ass|arse|dick|shit|scum|douche) (?:hole|head|bag)s?",
        "piss off|screw you|go to hell|kill your ?self|suck my",
    )
)
_LOOK_ALIKE = {
    "a": "a@4*", "b": "b8", "c": "c*", "e": "e3*", "g": "g9", "i": "i1!|*", "k": "k*", "l": "l1", "o": "o0*",
    "s": "s$5*", "t": "t7", "u": "uv*",
}  # fmt: skip
_ENDINGS = r"(?:s|z|es|ed|er|ers|ing|in|y|ty|ies|wit|wits|head|heads|face|faces|ish|ly)?"


def _disguised(word: str) -> str:
    """The word with each letter as often as one likes and in its look-alikes; the first is never a star."""
    signs = [_LOOK_ALIKE.get(letter, letter) for letter in word]
    return "".join(f"[{re.escape(one)}]+" for one in (signs[0].replace("*", ""), *signs[1:]))


_ANY_WORD = "|".join(map(_disguised, _WORDS.split()))
_ENGLISH = re.compile(rf"(?<![\w@$])(?=\S*[a-z])(?:(?:{_ANY_WORD}){_ENDINGS}|f\*{{3}}|{_PHRASES})(?![\w@$*])")
_SPELT_OUT = re.compile(r"(?<!\w)\w(?:[ .\-_*]\w){2,}(?!\w)")

_SIMPLIFIED = str.maketrans(
    "媽幹滾賤雞殺腦殘豬廢爺東驢騷爛貨臉渾帳龜兒孫雜種癱們",
    "妈干滚贱鸡杀脑残猪废爷东驴骚烂货脸浑账龟儿孙杂种瘫们",
)
_BETWEEN = re.compile(r"(?<=[\u3400-\u9fff])[ .\-_*·~]+(?=[\u3400-\u9fff])")
_HERS = "(?=订单|账|包裹|快递|号|地址|手机|电话|生日|名字|会员|卡|礼物|咖啡|壶|机器|退款)"
_INNOCENT_ZH = re.compile(
    r"操(?:作|场|控|心|守|练|纵|办|盘|劳|行)|(?:体|做|早|曹|情|节)操|日(?:本|期|子|常|程|前|后)|干(?:净|燥|货|粮)|傻瓜(?:式|相机)|笨重"
    rf"|[你他她]妈的{_HERS}|去死(?:皮|角|机|海)|废物(?:利用|回收|处理|箱)|神经病(?:学|变)|智障(?:人士|儿童)|变态(?:反应|辣)"
    r"|王八(?!蛋)|混账单|不要脸盆"
)
_CHINESE = re.compile(
    r"[操草艹肏日干曰]你(?:妈|娘|大爷|全家|祖宗)|[操艹肏]你|[草操]泥马|[我卧握沃][操槽艹]|卧草|我日(?:你|$|[!！,，。])|狗日的|日了狗|操蛋"
    r"|[你他她]妈的|特么的|(?:^|[\s,，。!！?？])妈的|妈[逼比b]|[你泥尼]麻痹|尼玛(?!县)|去你(?:妈|大爷|奶奶)|他奶奶的"
    r"|[傻煞沙][逼比笔叉屄缺b]|[二狗骚装]逼|逼样|脑残|脑瘫|脑子进水|智障|弱智|低能儿|白痴|蠢[货猪驴]|猪脑子|死猪"
    r"|王八[蛋羔]|龟(?:儿子|孙)|混(?:蛋|账|球)|浑蛋|畜生|狗(?:东西|娘养|屁|杂种)|杂种|贱[人货婊]|婊[子砸]|臭婊|骚货|臭?不要脸"
    r"|滚蛋|滚你|给我滚|去死|死全家|死妈|不得好死|垃圾(?:客服|人|公司)|老子弄死|神经病|变态|人渣|败类|废物|鸡[巴掰]|狗屎"
)
_SHORT_ZH = re.compile(r"(?<![a-z])(?:nmsl|cnm|tmd|wcnm|wdnmd|mdzz|nmb|rnm)(?![a-z])")
_SB = re.compile(r"(?<![a-z])sb(?![a-z])")  # beside Chinese; in English it is somebody


def find_profanity(text: str) -> tuple[str, ...]:
    """The abusive words in ``text``, folded, in order by language; empty where there are none."""
    plain = fold(text)
    found = [match[0] for match in _ENGLISH.finditer(plain)]
    for match in _SPELT_OUT.finditer(plain):
        joined = re.sub(r"[ .\-_*]", "", match[0])
        found += [match[0]] if _ENGLISH.fullmatch(joined) else []
    found += [match[0] for match in _SHORT_ZH.finditer(plain)]
    if not plain.isascii():
        simple = _BETWEEN.sub("", plain.translate(_SIMPLIFIED))
        found += [match[0].strip() for match in _CHINESE.finditer(_INNOCENT_ZH.sub("＿", simple))]
        found += [match[0] for match in _SB.finditer(plain)]
    return tuple(found)
