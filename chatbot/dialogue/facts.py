"""Facts in a sentence, in a form that can be compared: "24 hours", "24h", "二十四小时" and "２４ 小时" are one fact.

Pure functions over text, English and Chinese. What counts as a fact: numbers with their units, amounts of money,
percentages, durations, dates, weekdays, times of day, e-mail addresses, web addresses, telephone numbers, codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from chatbot.language.normalise import normalise

FactKind = Literal["number", "range", "date", "weekday", "time", "email", "url", "phone", "code"]
Bound = Literal["least", "most", "from", "within", ""]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. ``value`` is canonical text; ``unit`` belongs to numbers; ``bound``: said to be at least or at most
    that, or ("from", "within") begun or ended there, as a plain figure often is meant; or neither."""

    kind: FactKind
    value: str
    unit: str = ""
    bound: Bound = ""

    def __str__(self) -> str:
        return f"{self.value} {self.unit}".strip()


_UNITS: dict[str, tuple[str, int]] = {}  # written form → canonical unit, factor


def _unit(canonical: str, factor: int, *forms: str) -> None:
    _UNITS.update(dict.fromkeys(forms, (canonical, factor)))


_unit("minute", 1, "minute", "minutes", "min", "mins", "分钟", "分鐘")
_unit("minute", 60, "hour", "hours", "hr", "hrs", "h", "小时", "小時", "个小时", "个钟头", "钟头")
_unit("day", 1, "day", "days", "天", "日", "calendar day", "calendar days", "个自然日", "自然日", "日内")
_unit("day", 7, "week", "weeks", "周", "星期", "个星期", "个礼拜", "礼拜")
_unit("workday", 1, "working day", "working days", "business day", "business days", "workday", "workdays",
      "weekday", "weekdays", "个工作日", "工作日", "工作天", "个工作天")  # fmt: skip
_unit("opening minute", 60, "opening hour", "opening hours", "营业小时", "个营业小时")
_unit("month", 1, "month", "months", "个月", "月")
_unit("month", 12, "year", "years", "yr", "yrs", "年")
_unit("EUR", 1, "€", "eur", "euro", "euros", "欧元", "歐元")
_unit("USD", 1, "$", "usd", "dollar", "dollars", "us$", "美元", "美金")
_unit("GBP", 1, "£", "gbp", "英镑")
_unit("CNY", 1, "¥", "cny", "rmb", "yuan", "元", "块", "块钱", "人民币")
_unit("percent", 1, "%", "percent", "per cent", "pct")
_unit("kg", 1, "kg", "kilogram", "kilograms", "公斤", "千克")
_unit("g", 1, "g", "gram", "grams", "克")
_unit("km", 1, "km", "kilometre", "kilometres", "kilometer", "kilometers", "公里", "千米")
_unit("cm", 1, "cm", "厘米", "公分")
_unit("mm", 1, "mm", "毫米")
_unit("ml", 1, "ml", "毫升")
_unit("l", 1, "l", "litre", "litres", "liter", "liters", "升")
_unit("point", 1, "point", "points", "积分", "个积分", "分")
_unit("time", 1, "time", "times", "次")
_unit("item", 1, "piece", "pieces", "item", "items", *"件个张份杯袋盒款步台位")
_unit("degree", 1, "°c", "℃", "degrees", "degree", "度", "摄氏度")

_SMALL_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: number for number, word in enumerate(_SMALL_WORDS.split())}
_TENS = {word: 10 * number for number, word in enumerate(_TENS_WORDS.split(), start=2)}
_HAN_DIGITS = {ch: n for n, ch in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10000}

_WORD_NUMBER = "|".join(sorted([*_SMALL, *_TENS], key=len, reverse=True))
_SPELT = re.compile(
    rf"\b(?:{_WORD_NUMBER})(?:[ -](?:{_WORD_NUMBER}))?(?: hundred)?\b", re.IGNORECASE | re.ASCII
)
_HAN_NUMBER = re.compile(r"[零〇一二两三四五六七八九十百千万]+")
_NUMERAL = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+,\d\d?(?!\d)|\d+(?:\.\d+)?"
_UNIT_FORMS = "|".join(re.escape(form) for form in sorted(_UNITS, key=len, reverse=True))
_LATIN_END = r"(?![a-z])"
_RANGE = r"\s*(?:-|–|—|~|～|to|and|or|至|到|或)\s*"
_BEFORE_MONEY = r"(?:€|\$|£|¥|us\$|eur |usd |gbp |cny |rmb )\s*"
_QUANTITY = re.compile(
    rf"(?P<money>{_BEFORE_MONEY})?(?<!\w)(?<!\d[.,])(?P<first>{_NUMERAL})"
    rf"(?:{_RANGE}(?P<money2>{_BEFORE_MONEY})?(?P<second>{_NUMERAL}))?"
    rf"(?:\s*-?\s*(?P<unit>{_UNIT_FORMS})(?:(?<=[a-z]){_LATIN_END}|(?<![a-z])))?",
    re.IGNORECASE | re.ASCII,
)

_EMAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE | re.ASCII)
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\u3000-\uffff]+|(?<![\w@.])(?:[a-z0-9-]+\.)+"
    r"(?:com|org|net|example|cn|eu|io|shop|store|info|de|fr|nl|uk|help|app|me|co)(?![a-z0-9-])(?:/[^\s<>\"')\u3000-\uffff]*)?",
    re.IGNORECASE | re.ASCII,
)
_CODE = re.compile(
    r"(?<![\w-])(?=[a-z0-9-]*\d)(?=[a-z0-9-]*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_PHONE = re.compile(r"(?<!\w)(?<!\d[.,])\+?\(?\d[\d ()/-]{6,}\d(?!\w)", re.ASCII)
_TIME = re.compile(
    r"(?<![\d:.])(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?![\d:])\s*(?P<half>[ap]\.?m\.?)?(?![a-z])"
    r"|(?<![\d:.])(?P<h2>1[0-2]|0?\d)\s*(?P<half2>[ap]\.?m\.?)(?![a-z])"
    r"|(?P<half3>上午|早上|下午|晚上|中午)?\s*(?P<h3>[01]?\d|2[0-4])\s*[点點时](?!间|候|钟)"
    r"(?:(?P<m3>[0-5]?\d)分?|(?P<half_hour>半))?",
    re.IGNORECASE | re.ASCII,
)
_MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
]  # fmt: skip
_MONTH = "|".join([*_MONTHS, *(name[:3] for name in _MONTHS)])
_DATE = re.compile(
    rf"\b(?P<y1>\d{{4}})[-/.](?P<m1>\d{{1,2}})[-/.](?P<d1>\d{{1,2}})\b"
    rf"|\b(?P<m2>{_MONTH})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)"
    rf"|\b(?P<d3>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m3>{_MONTH})\b"
    r"|(?:(?P<y4>\d{4})\s*年\s*)?(?P<m4>1[0-2]|0?[1-9])\s*月\s*(?P<d4>[12]\d|3[01]|0?[1-9])\s*[日号]",
    re.IGNORECASE | re.ASCII,
)
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAY = re.compile(
    rf"\b(?P<en>{'|'.join(_WEEKDAYS)})s?\b|(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])",
    re.IGNORECASE | re.ASCII,
)

_LEAST = (
    "at least", "more than", "over", "above", "minimum", "minimum of", "exceeding", "exceeds", "no less than",
    "not less than", "至少", "超过", "不少于", "不低于", "大于", "高于", "最少", "起码",
)  # fmt: skip
_MOST = (
    "at most", "less than", "under", "below", "maximum", "maximum of", "max", "up to", "no more than", "not more than",
    "no longer than", "not exceed", "最多", "不超过", "少于", "低于", "小于", "最长", "不满", "未满", "至多",
)  # fmt: skip
_FROM = ("from", "starting at", "after", "since", "满")
_WITHIN = ("within", "no later than", "before", "until", "till", "by", "最晚")
_LEAST_AFTER = ("or more", "or over", "and above", "and over", "or above", "minimum", "以上")
_MOST_AFTER = ("or less", "or under", "and below", "maximum", "at most", "以下")
_FROM_AFTER = ("起", "以后", "之后", "后")
_WITHIN_AFTER = ("以内", "之内", "内", "之前", "前")
_BOUNDS: tuple[tuple[Bound, tuple[str, ...], tuple[str, ...]], ...] = (
    ("most", _MOST, _MOST_AFTER),  # "no more than" holds "more than": most first
    ("least", _LEAST, _LEAST_AFTER),
    ("within", _WITHIN, _WITHIN_AFTER),
    ("from", _FROM, _FROM_AFTER),
)


def bears_out(source: Bound, told: Bound) -> bool:
    """Whether a figure with the bound ``source`` may be told with the bound ``told``: none may be turned round, and
    "14 days" is no "at most 14 days"."""
    if not source:
        return told not in ("least", "most")
    up = ("least", "from")
    return not told or (source in up) == (told in up)


@lru_cache(maxsize=2048)
def facts(text: str) -> frozenset[Fact]:
    """Every fact in ``text``. A range gives both ends; the lower one is at least, the upper one at most."""
    return frozenset(_facts(canonical(text)))


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """NFKC, case-folded, spelt-out and Chinese numbers as numerals where a unit follows."""
    text = normalise(text).casefold().replace("’", "'")
    text = _SPELT.sub(_spelt_number, text)
    text = re.sub(r"百分之([零〇一二两三四五六七八九十百\d.]+)", r"\1%", text)
    return _HAN_NUMBER.sub(_han_number, text)


def _facts(text: str) -> Iterator[Fact]:
    taken = [False] * len(text)

    def free(match: re.Match[str]) -> bool:
        start, end = match.span()
        if any(taken[start:end]):
            return False
        taken[start:end] = [True] * (end - start)
        return True

    for match in _EMAIL.finditer(text):
        if free(match):
            yield Fact("email", match.group())
    for match in _URL.finditer(text):
        if free(match):
            address = re.sub(r"^(?:https?://)?(?:www\.)?", "", match.group()).rstrip("/.,;:!?")
            yield Fact("url", address)
    for match in _DATE.finditer(text):
        if free(match):
            yield Fact("date", _date(match))
    for match in _WEEKDAY.finditer(text):
        if free(match):
            day = match["en"] or _WEEKDAYS["一二三四五六日".index(match["zh"].replace("天", "日"))]
            yield Fact("weekday", day)
    for match in _TIME.finditer(text):
        if free(match):
            yield Fact("time", _time(match), "", _bound_at(text, match.start(), match.end()))
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if 7 <= len(digits) <= 16 and not _QUANTITY.fullmatch(match.group().strip()) and free(match):
            yield Fact("phone", digits)
    for match in _CODE.finditer(text):
        if not _QUANTITY.fullmatch(match.group()) and not _ORDINAL.fullmatch(match.group()) and free(match):
            yield Fact("code", match.group())
    for match in _QUANTITY.finditer(text):
        if free(match):
            yield from _quantity(match, text)


_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)", re.IGNORECASE | re.ASCII)


def _quantity(match: re.Match[str], text: str) -> Iterator[Fact]:
    money = (match["money"] or match["money2"] or "").strip()
    form = (match["unit"] or money).casefold()
    unit, factor = _UNITS.get(form, ("", 1))
    if not unit and len(re.sub(r"\D", "", match["first"])) >= 7:
        yield Fact("phone", re.sub(r"\D", "", match["first"]))
        return
    bound = _bound_at(text, match.start(), match.end())
    if match["second"] is None:
        yield Fact("number", _decimal(match["first"], factor), unit, bound)
        return
    yield Fact("number", _decimal(match["first"], factor), unit, "least")
    yield Fact("number", _decimal(match["second"], factor), unit, "most")
    yield Fact("range", f"{_decimal(match['first'], factor)}-{_decimal(match['second'], factor)}", unit)


def _bound_at(text: str, start: int, end: int) -> Bound:
    """Whether the words around text[start:end] make it at least or at most that."""
    before, after = text[max(0, start - 18) : start].rstrip(), text[end : end + 12].lstrip()
    for bound, words, _ in _BOUNDS:
        if any(re.search(rf"(?<![a-z]){word}$", before) for word in words):
            return bound
    return next((bound for bound, _, words in _BOUNDS if after.startswith(words)), "")


def _decimal(numeral: str, factor: int) -> str:
    if re.fullmatch(r"\d+,\d\d?", numeral):  # 4,95: a decimal comma
        numeral = numeral.replace(",", ".")
    try:
        value = Decimal(numeral.replace(",", "")) * factor
    except InvalidOperation:  # not a number after all
        return numeral
    return format(value.normalize(), "f")


def _spelt_number(match: re.Match[str]) -> str:
    """A spelt number as a numeral, unless it is a pronoun ("this one", "one of them")."""
    words = re.split(r"[ -]", match.group().casefold())
    hundred = 100 if words[-1] == "hundred" else 1
    words = words[:-1] if hundred == 100 else words
    rest = match.string[match.end() : match.end() + 24].lstrip(" -")
    if words == ["one"] and hundred == 1 and not re.match(rf"(?:{_UNIT_FORMS}){_LATIN_END}", rest):
        return match.group()
    if len(words) == 2 and (words[0] not in _TENS or words[1] not in _SMALL or not 0 < _SMALL[words[1]] < 10):
        return " ".join(str(_SMALL.get(word, _TENS.get(word))) for word in words)
    return str(sum(_TENS.get(word, _SMALL.get(word, 0)) for word in words) * hundred)


def _han_number(match: re.Match[str]) -> str:
    """Chinese numerals as digits where a unit follows: 三天 is a number, 一下 and 统一 are not."""
    rest = match.string[match.end() : match.end() + 5]
    before = match.string[max(0, match.start() - 2) : match.start()]
    if before.endswith(("周", "星期", "礼拜", "第")):
        return match.group()
    unit = re.match(rf"(?:{_UNIT_FORMS}|点|點|%|号|到|至|-)", rest)
    if not unit or (
        match.group() == "一" and unit.group() in ("个", "次", "份", "点", "位", "分", "度", "块", "天到晚")
    ):
        return match.group()
    total = part = digit = 0
    for ch in match.group():
        if ch in _HAN_DIGITS:
            digit = 10 * digit + _HAN_DIGITS[ch] if digit and total == part == 0 else _HAN_DIGITS[ch]
        elif ch == "万":
            total, part, digit = (total + part + digit) * 10000, 0, 0
        else:
            part, digit = part + (digit or 1) * _HAN_SCALES[ch], 0
    return str(total + part + digit)


def _date(match: re.Match[str]) -> str:
    month = match["m1"] or match["m2"] or match["m3"] or match["m4"]
    day = match["d1"] or match["d2"] or match["d3"] or match["d4"]
    number = int(month) if month.isdigit() else [name[:3] for name in _MONTHS].index(month[:3]) + 1
    return f"{number:02d}-{int(day):02d}"


def _time(match: re.Match[str]) -> str:
    hour = int(match["h"] or match["h2"] or match["h3"])
    minute = int(match["m"] or match["m3"] or (30 if match["half_hour"] else 0))
    half = (match["half"] or match["half2"] or "").replace(".", "").casefold()
    if (half == "pm" or match["half3"] in ("下午", "晚上")) and hour < 12:
        hour += 12
    if half == "am" and hour == 12:
        hour = 0
    return f"{hour:02d}:{minute:02d}"
