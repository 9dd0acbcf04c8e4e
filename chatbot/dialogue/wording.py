"""What a sentence is made of, for the grounding check: content words, names, conditions, courtesies.

English words are compared by a light stem, Chinese by character pairs without filler. Pure functions.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chatbot.dialogue.facts import canonical

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[^\sa-z])|(?<=[。！？；])|\n+")
_WORD = re.compile(r"[a-z][a-z'-]*[a-z]|[a-z]|\d[\d.,:-]*|[\u3400-\u9fff]+")
_FILLER_EN = """
    a an the and or but so if then than that this these those there here it its it's is are was were be been being am
    do does did doing have has had having can could will would shall should may might must to of in on at for from by
    with as into about over under up out off again also just only very too not no nor yes you your yours yourself i me
    my we us our ours they them their he she his her who whom which what when where why how all any both each few more
    most other some such own same s t please let need want like get got make sure know see way thing things one ones
    able still already now well etc via per i'm you're we're we'll you'll i'll don't doesn't can't won't isn't aren't
    that's there's it'll i've you've we've cannot never without after before within during until while because however
    otherwise simply usually normally once am pm
"""
_FILLER = frozenset(_FILLER_EN.split())
_FILLER_ZH = frozenset(
    "的了是在我你您们他她它这那有和与及或也都就还把被给对为于以而且但吗呢吧啊哦呀哈哟嘛请会能可要想让从到后前时个些什么"
    "怎样如何请问以及并之其所"
)
_SUFFIXES = (
    "ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e", "y",
)  # fmt: skip

_CAPITAL = r"(?:[A-Z][a-z]*[A-Z]\w*|[A-Z][a-z]+|[A-Z]{2,})"
_NAME = re.compile(rf"(?<![A-Za-z]){_CAPITAL}(?:[ -](?:[A-Z][a-z]+|[A-Z]{{2,}}|\d+)\b)*")
_QUOTED = re.compile(r"[《“「『]([^》”」』]{1,30})[》”」』]")
_KNOWN_NAMES = re.compile(
    "顺丰|京东|中通|圆通|申通|韵达|邮政|菜鸟|淘宝|天猫|拼多多|亚马逊|支付宝|微信|银联|花呗|抖音|小红书|微博|苹果|华为|小米|星巴克"
)
_LATIN_RUN = re.compile(r"[A-Za-z][A-Za-z0-9.+-]*(?: [A-Za-z0-9][A-Za-z0-9.+-]*)*")
_CAPITAL_FILLER = """
    i i'm i'll i've ok faq you your yes no the a an if please for to we our it this that once when after before orders
    as from in on at with there
"""
_COMMON_CAPITALS = frozenset(_CAPITAL_FILLER.split())

_CONDITION = re.compile(
    r"\b(?:if|unless|only if|only when|only while|as long as|provided(?: that)?|except(?: for)?|while|until|excluding|"
    r"subject to|on condition)\b\s*(?P<en>[^.;,:()]{4,})"
    r"|(?:如果|只要|除非|仅限?|只有|只限|除了?)(?P<zh>[^，。；！？]{2,}?)(?:的?时候?|才|就|之?外|以外|情况下|，|。|；|$)"
    r"|在(?P<zh2>[^，。；！？]{2,}?)(?:的?情况下|期间)"
)
_PERMISSION = re.compile(
    r"\b(?:can|may|able to|eligible|entitled|free|allowed|possible|always|any time|qualif\w*)\b"
    r"|可以?|能够?|免费|允许|支持|均可|享"
)

_COURTESIES = (
    r"(?:hi|hello|hey|dear customer|good (?:morning|afternoon|evening))(?: there)?",
    r"thank you(?: for (?:contacting us|your (?:message|question|patience)|asking|reaching out))?",
    r"thanks|you(?:'re| are) welcome|i understand",
    r"sorry (?:about|for) (?:that|the (?:inconvenience|trouble|delay|wait))",
    r"(?:i'm|we're|i am|we are) (?:very |so )?sorry(?: to hear (?:that|this|about this))?",
    r"(?:i'm|we're|i am|we are) (?:very |so )?sorry (?:about that|for (?:the|any) (?:inconvenience|trouble))",
    r"(?:yes|no|sure|of course|certainly|ok|okay|great|good question)",
    r"(?:i|we) hope (?:this|that) helps",
    r"let (?:me|us) know if (?:you have any (?:more |other )?questions|there is anything else|that helps)",
    r"您好|你好|亲|好的|谢谢|不客气|非?常?抱歉|不好意思|当然|没问题|可以的|是的",
    r"感谢您的(?:来信|咨询|耐心等待|支持|理解)",
    r"很抱歉(?:给您(?:带来|造成)(?:了)?不便)?",
    r"希望(?:能|可以)?(?:对您有(?:所)?帮助|帮到您)",
)
_COURTESY = re.compile(rf"^\W*(?:{'|'.join(_COURTESIES)})[\s,.!?~，。！？～]*$", re.IGNORECASE)
_OPEN_END = re.compile(
    r"\b(?:the|an?|of|and|or|but|your|our|is|are|if|than|as|within)\s*\.?$|\b(?:to|in|on|at|for|from|by|with|be|can|will|"
    r"that|which)$|[,，、:：(（\-–]\s*[.。]?$"
    r"|(?:和|与|或|在|把|为|从|将|及|(?<![给为向帮对谢知系复诉到])您|则|如果|并|以|以及)\s*[.。]?$",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """The sentences of ``text``; a line break ends one, list markers and heading marks are dropped."""
    parts = (re.sub(r"^\s*(?:[-*•#]+|\d+[.)、])\s*", "", part) for part in _SENTENCE_END.split(text) if part)
    return [part.strip() for part in parts if part.strip()]


@lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """Stems of the content words, numbers, and Chinese character pairs that hold no filler character."""
    found: set[str] = set()
    for word in _WORD.findall(canonical(text)):
        if word[0] >= "\u3400":
            for run in re.split(f"[{''.join(_FILLER_ZH)}]", word):
                found.update(run[i : i + 2] for i in range(len(run) - 1))
        elif word not in _FILLER:
            found.add(stem(word))
    return frozenset(found)


def says_nothing(term: str) -> bool:
    """Whether a word, or a pair of Chinese characters, is filler: "the", "how", "怎么"."""
    return term in _FILLER or any(character in _FILLER_ZH for character in term)


def stem(word: str) -> str:
    """A word without its commonest endings: "delivered" and "delivery" meet, "order" and "border" do not."""
    word = word.removesuffix("'s").strip(".,:-'")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            word = word[: -len(suffix)]
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]  # "shipp" → "ship"
    return word


def names(statement: str, known: str, lang: str) -> list[str]:
    """Names in ``statement`` that ``known`` does not hold: capitalised words, quoted names, Latin words in Chinese."""
    grounds = canonical(known)
    missing = []
    if lang == "zh":
        found = [match.group() for match in _LATIN_RUN.finditer(statement)] + _QUOTED.findall(statement)
        found += _KNOWN_NAMES.findall(statement)
        found = [name for name in found if len(name) > 1]
    else:
        found = [match.group() for match in _NAME.finditer(statement)] + _QUOTED.findall(statement)
        first = re.match(r"\W*([A-Za-z']+)", statement)
        opening = first.group(1) if first else ""
        if found and found[0].split()[0] == opening:  # a capital that only begins the sentence
            rest = found[0].removeprefix(opening).strip(" -")
            ordinary = opening.casefold() in _COMMON_CAPITALS or not re.search(r"[A-Z]", opening[1:] + rest)
            if ordinary:
                found = ([rest] if re.search(r"[A-Za-z]", rest) else []) + found[1:]
    for name in found:
        plain = canonical(name).strip(" .-")
        if plain in _COMMON_CAPITALS or not plain:
            continue
        if not re.search(rf"(?<![a-z0-9]){re.escape(plain)}(?:'?s)?(?![a-z0-9])", grounds):
            missing.append(name)
    return missing


def dropped_condition(statement: str, source: str) -> str:
    """The condition of ``source`` that a permission in ``statement`` leaves out, or nothing."""
    if not _PERMISSION.search(canonical(statement)):
        return ""
    said = content_words(statement)
    plain = canonical(source)
    for match in _CONDITION.finditer(plain):
        condition = match["en"] or match["zh"] or match["zh2"] or ""
        words = content_words(condition)
        rest = content_words(plain[: match.start()] + " " + plain[match.end() :])
        if len(words) >= 2 and not words & said and len(rest & said) >= 2:
            return condition.strip()
    return ""


def is_courtesy(statement: str) -> bool:
    """A sentence that states nothing: a greeting, thanks, an apology."""
    return bool(_COURTESY.match(statement.strip()))


def unfinished(text: str) -> bool:
    """Whether the text breaks off: at a word that needs another, or at an opened bracket or quotation."""
    text = text.strip().rstrip("；;")
    if not text or _OPEN_END.search(text):
        return True
    return any(text.count(a) != text.count(b) for a, b in ("()", "（）", "“”", "「」", "《》"))
