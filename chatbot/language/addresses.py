"""Postal addresses: a street with a number, with what belongs to it before and after (flat, postcode, town).

Streets are recognised by their kind (Street, -straat, -straße, rue …; 路, 街, 小区 …). A street without a number, a
town or a country alone is no address: customers ask about those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddressSpan:
    start: int
    end: int
    value: str


_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Av|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Sq|Terrace|Close|"
    r"Crescent|Cres|Highway|Hwy|Parkway|Pkwy|Gardens|Gdns|Grove|Mews|Row|Quay|Wharf|Walk|Circle|Cir|Trail|Parade|Hill|"
    r"Green|Esplanade|Marg|Nagar|Jalan|Circuit|Loop|Broadway)"
)
_NUMBER = r"\d{1,5}\s?(?:bis\b|ter\b|[A-Za-z](?![A-Za-z]))?(?:[-/]\d{1,4}[A-Za-z]?)?"
_NAME = r"[A-Z0-9À-ÞĀ-ſ][\w'’.\-]*"
_WRITTEN = r"[A-ZÀ-ÞĀ-ſ][\w'’.\-]*"
_CANADA = r"[ABCEGHJ-NPRSTVXY]\d[A-Z]\s\d[A-Z]\d"
_UK = r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"
_POSTCODE = (
    rf"(?:{_UK}|{_CANADA}"
    r"|\d{4}\s?(?!AM|PM)[A-Z]{2}\b|(?:[A-Z]{1,2}[- ])?\d{2}-\d{3}\b|\d{4}-\d{3}\b"  # Netherlands, Poland, Portugal
    r"|\d{3}\s\d{2}(?!\d)|\d{5}-\d{3}\b|(?:[A-Z]{1,2}[- ])?\d{5,6}(?:-\d{4})?(?!\d)|\d{3}\s\d{3}(?!\d)"
    r"|\d{4}\b)"  # Belgium, Switzerland, Austria, Australia …
)
_TOWN = r"[A-ZÀ-ÞĀ-ſ][\w'’.\-]+(?:[ -](?:[a-z]{2,3}[ -])?[A-ZÀ-ÞĀ-ſ][\w'’\-]+){0,2}"
_FLAT = (
    r"(?:Apt|Apartment|Flat|Unit|Suite|Ste|Floor|Room|Rm|No|Block|Blk|Level|House|Plot|Shop|Door"
    r"|Building|Bldg|Tower)"
)
_TAIL = (
    rf"(?:(?:,?\s(?:{_FLAT})\.?\s?#?\w{{0,4}}\d\w{{0,3}}|,?\s#\d[\w-]*|,\s\d{{1,2}}[º°ª]\s?[A-Za-z]{{0,4}}\.?))?"
    rf"(?:(?:,\s{_TOWN}){{0,3}},?\s(?:{_TOWN},?\s)?(?:[A-Z]{{2,3}},?\s)?{_POSTCODE}(?:,?\s{_TOWN})?"
    rf"|(?:,\s{_TOWN}){{1,3}}(?:,?\s[A-Z]{{2}}\b)?)?"
)
_HOUSE = (
    rf"(?:(?:{_FLAT}\.?\s#?\w{{1,6}},?\s)?(?:{_NAME}\s){{0,3}}(?:House|Cottage|Mill|Farm|Lodge"
    rf"|Court|Towers?|Building|Apartments|Mansions?|Villas?|Hall|Barn|Manor|Residence|Residency"
    rf"|Heights|Plaza),\s)"
)
_BEFORE = rf"(?:{_HOUSE}|{_FLAT}\.?\s#?\w{{1,6}},?\s(?:{_HOUSE})?)?"
_LATIN = (
    re.compile(
        rf"(?<![A-Za-zÀ-ſ0-9.#-]){_BEFORE}{_NUMBER},?\s(?!\d+\s)(?:{_NAME}\s){{1,4}}{_STREET}\b\.?(?:\s(?:North|South|East|West|N|S|E|W|NW|NE|SW|SE)\b)?{_TAIL}"
    ),
    re.compile(rf"(?<![A-Za-zÀ-ſ0-9.#-]){_HOUSE}(?:{_NAME}\s){{1,3}}{_STREET},\s(?:{_TOWN},?\s)?{_POSTCODE}"),
    re.compile(
        rf"(?<![A-Za-zÀ-ſ0-9.#-]){_FLAT}\.?\s#?\d\w{{0,5}},\s(?:{_TOWN},\s){{1,4}}{_TOWN}[,-]?\s?-?\s?{_POSTCODE}"
    ),
    re.compile(
        r"(?<![A-Za-zÀ-ſ0-9])(?:[A-ZÀ-ÞĀ-ſ][\w'’\-]*\s){0,3}[A-ZÀ-ÞĀ-ſ]?[\w'’\-]*(?:straat|laan|weg|plein|gracht|kade|singel|dijk|straße|strasse|str\."
        r"|platz|allee|gasse|gade|vej|gatan|gata|vägen|veien|katu|tie|utca|steeg|hof|markt|damm|ufer|ring)"
        rf"\s{_NUMBER}\b(?:\s(?:bus|bte|hs|I{{1,3}})\.?\s?\w{{0,4}})?{_TAIL}"
    ),
    re.compile(
        rf"(?<![A-Za-zÀ-ſ0-9])(?:{_NUMBER},?\s)?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Ii]mpasse|[Qq]uai|[Aa]llée|[Vv]ia|[Vv]iale|[Cc]orso|[Pp]iazza"
        r"|[Cc]alle|C/|[Aa]venida|Av\.|[Pp]aseo|[Rr]ua|[Tt]ravessa|[Pp]raça|[Pp]laza|[Pp]lace|ul\.|[Uu]lica|al\.|os\.|Str\.|[Jj]alan|Jl\.)\s?(?:(?:de|del|della|di|la|las|los|le|les|du|"
        rf"des|da|do|das|dos|l'|d')\s?){{0,2}}{_WRITTEN}(?:[\s-](?:(?:de|la|du|des|del|di|da|do)\s)?{_WRITTEN}){{0,3}}(?:,?\s(?:n[°º]\s?|nr\.?\s|No\.?\s)?\d{{1,4}}[A-Za-z]?(?:/\d+)?\b)?{_TAIL}"
    ),
    # any street, known by what follows: "Meir 50, 2000 Antwerpen", "Unter den Linden 77, 10117 Berlin"
    re.compile(
        rf"(?<![A-Za-zÀ-ſ0-9.])[A-ZÀ-ÞĀ-ſ][\w'’.\-]+(?:\s[\w'’.\-]+){{0,3}}\s\d{{1,4}}\s?[a-zA-Z]?(?:[-/]\d{{1,4}})?,\s"
        rf"(?!(?:19\d|20[1-3])\d\s)(?:(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:\s?[A-Z]{{2}})?|\d{{2}}-\d{{3}}|\d{{4}}-\d{{3}}|\d{{3}}\s\d{{2}})\s{_TOWN}"
    ),
    re.compile(  # India, and others with long postcodes: "B-204 Green Park Society, Kothrud, Pune 411038"
        rf"(?<![A-Za-zÀ-ſ0-9.#-])(?:[A-Z]-?)?\d{{1,4}}[A-Z]?(?:/\d+)?,?\s(?:{_WRITTEN}\s?){{1,4}}(?:,\s{_TOWN}){{1,4}}[,-]?\s?-?\s?\d{{6}}(?!\d)"
    ),
    re.compile(  # Singapore
        rf"(?<![A-Za-zÀ-ſ0-9])(?:Blk|Block)\s\d{{1,4}}[A-Z]?,?\s(?:{_NAME},?\s){{1,5}}(?:#\d+-\d+\w?,?\s)?(?:Singapore\s)?\d{{6}}(?!\d)"
    ),
    re.compile(  # Japan
        rf"(?<![A-Za-zÀ-ſ0-9-])\d{{1,3}}(?:-\d{{1,3}}){{1,2}},?\s{_WRITTEN}(?:\s{_WRITTEN})?(?:,\s{_WRITTEN}){{1,3}},?\s(?:〒)?\d{{3}}-\d{{4}}(?!\d)"
    ),
    re.compile(  # typed without capitals
        r"(?<![A-Za-zÀ-ſ0-9.#-])(?:(?:flat|apt|unit) \w{1,4},? )?\d{1,5}[a-z]? (?!(?:days?|weeks?"
        r"|months?|years?|hours?|minutes?|times|pieces|of|down|more|people|in|on|from|to|at) "
        r")(?:(?!(?:the|my|a|your|our|down|off) )[a-z'’-]+ ){1,3}"
        r"(?:street|road|avenue|lane|crescent|terrace|boulevard|drive|close|gardens|grove|rd|ave|blvd)\b"
        r"(?:(?:,? [a-z]+){0,3},? (?:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]{2} \d{5}|\d{5})\b)?"
    ),
    re.compile(
        r"(?<![A-Za-zÀ-ſ0-9])(?:P\.?O\.?\s(?:Box|BOX|box)|RR\s\d+,?\sBox|HC\s\d+\sBox)\s\d{1,6}" + _TAIL
    ),
    re.compile(r"(?<![A-Za-zÀ-ſ0-9])(?:[Pp]ostfach|[Bb]oîte postale|BP|[Aa]partado)\s\d{1,6}" + _TAIL),
)
_UK_POSTCODE = re.compile(r"(?<![A-Za-z0-9\-])[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?![A-Za-z0-9])")
_LOWER_POSTCODE = re.compile(
    r"(?<![A-Za-z0-9\-])[a-z]{1,2}\d[a-z\d]?\s\d(?!st|nd|rd|th|am|pm|kg|ml|cm|mm|gb|mb|hr|ft|in|xl|oz|lb|of|to|pc)[a-z]{2}(?![A-Za-z0-9])"
)
_CANADIAN_POSTCODE = re.compile(rf"(?<![A-Za-z0-9\-]){_CANADA}(?![A-Za-z0-9])")
_DUTCH_POSTCODE = re.compile(
    r"(?<![A-Za-z0-9\-€$£.,])[1-9]\d{3}\s?(?!AM|PM|SA|SD|SS|CM|MM|KG|ML|EU|UK|MB|GB|KB|MW|HZ|RM|HK|US|NT)[A-Z]{2}(?![A-Za-z0-9])"
)
# cheap looks, so that most texts need no more
_WORD = re.compile(r"[A-Za-z]+")
_FURTHER_HINTS = """
rue Rue avenue boulevard Boulevard chemin Chemin quai via Via Viale viale Corso corso Piazza piazza Calle calle Avenida
avenida Paseo paseo Rua rua Plaza plaza place Ulica ulica ul al os Box BOX box Postfach Apartado BP Jl Str
street road lane crescent terrace drive close gardens grove rd ave blvd
"""
_HINT_WORDS = frozenset(re.sub(r"[(?:)]", "", f"{_STREET}|{_FLAT}").split("|")) | frozenset(
    _FURTHER_HINTS.split()
)
_HINT = re.compile(
    r"(?:straat|laan|weg|plein|gracht|kade|singel|dijk|straße|strasse|str\.|platz|allee|gasse|gade|vej|gatan|gata|vägen|veien"
    r"|katu|tie|utca|steeg|hof|markt|damm|ufer|ring)\s[0-9]"
    r"|[0-9](?:[A-Z]{2}\b|\s[0-9]?[A-Za-z]{2}\b|[a-zA-Z]?\s[0-9][a-zA-Z]{2}\b|[A-Z]\s[0-9]|[a-zA-Z]?,\s|-[0-9]{1,3}\s[A-Z])|\s[0-9]{6}\b"
)

_H = "[\u4e00-\u9fff]"
_COUNT = r"[0-9一二三四五六七八九十百零〇]{1,6}"
_UNIT = (
    rf"(?:[\-之附]?(?:[A-Za-z]?{_COUNT}[A-Za-z]?(?:-\d+)*|[A-Za-z]\d{{0,2}})\s?(?:号楼|號樓|号院"
    rf"|號院|号|號|弄|巷|栋|棟|幢|座|塔|单元|單元|楼|樓|层|層|F|室|户|戶|房|门|門|院|区|區|组|组团"
    rf"|期)(?:之{_COUNT})?)"
)
_BUILDING = (
    rf"(?:{_H}[\u4e00-\u9fffA-Za-z]{{1,9}}?(?:小区|小區|社区|社區|花园|花園|公寓|大厦|大廈|广场"
    rf"|廣場|苑|新村|新城|家园|家園|中心|写字楼|大楼|大樓|商厦|宿舍|园区|产业园|科技园|工业园|园|城"
    rf"|邨|里|坊|府|轩|湾|居))"
)
_REGIONS = rf"(?:{_H}{{2,7}}?(?:省|自治区|特别行政区|市|区|區|县|縣|镇|鎮|乡|鄉|街道|新区|开发区|高新区|园区)){{0,5}}"
_TAIL_ZH = (
    rf"(?:\s?{_UNIT}|\s?{_BUILDING}(?=\s?[A-Za-z0-9一二三四五六七八九十]{{1,4}}[\-期号號栋棟幢座塔"
    rf"单單楼樓层層室房]|\s?\d|[A-Za-z]?\d)|-[A-Za-z]?\d+|(?<=[号號栋棟幢座楼樓元])\s?\d{{1,4}}-\d{{1,4}}(?!\d)|\s?\d{{3,4}}(?!\d|年|元))*"
)
_STREET_ZH = re.compile(
    rf"{_REGIONS}[\u4e00-\u9fffA-Za-z0-9]{{1,10}}?(?:大道|大街|路|街|巷|弄|胡同|道|里|段)"
    rf"(?:[东西南北中東]?[一二三四五六七八九十]?[段路巷]|[东西南北東])?\s?(?:{_COUNT}[巷弄])?\s?(?:甲|乙)?{_COUNT}(?:号院|号楼|号|號|弄|-\d+)(?:之{_COUNT})?{_TAIL_ZH}(?:{_BUILDING})?"
)
_ESTATE_ZH = re.compile(
    rf"{_REGIONS}{_H}[\u4e00-\u9fffA-Za-z]{{1,9}}?(?:小区|小區|社区|花园|花園|公寓|大厦|大廈|苑|新村|家园|家園|村|园|城|宿舍|SOHO|府|湾|广场|中心|邨)\s?"
    rf"(?:[A-Za-z]?{_COUNT}|[A-Z])(?:期|区|號楼|号楼|号|號|栋|棟|幢|座|塔|单元|單元|室|组|-\d+){_TAIL_ZH}"
)
_BLOCK_ZH = re.compile(
    rf"(?:{_REGIONS}{_H}{{1,6}}?[区市县區縣]{_H}{{1,6}}[A-Z]{{2,6}}|{_REGIONS}{_H}{{2,6}}SOHO)\s?[A-Z]\d{{1,2}}\s?[\-座栋]?\s?\d{{3,4}}(?!\d)"
)
_VILLAGE_ZH = re.compile(
    rf"(?:{_H}{{2,7}}?(?:省|自治区|市|县|縣|区|區)){{1,4}}{_H}{{1,6}}?(?:镇|鎮|乡|鄉|街道){_H}{{1,6}}?(?:村|屯|庄|社区|组|寨|湾)(?:{_COUNT}(?:组|队|号))?"
)
_HINT_ZH = re.compile(
    rf"(?:大道|大街|路|街|巷|弄|胡同|道|段|里|小区|小區|社区|花园|花園|公寓|大厦|大廈|苑|新村|家园|家園|村|园|城|宿舍|SOHO|府|湾|广场|中心|邨)[东西南北中東A-Z甲乙一二三四五六七八九十]{{0,2}}[段路]?\s?{_COUNT}"
    r"|(?:SOHO|[A-Z]{2,6})\s?[A-Z]\d|(?:镇|鎮|乡|鄉|街道)[\u4e00-\u9fff]{1,6}(?:村|屯|庄|社区|组|寨|湾)|苑[A-Z]|公寓[A-Z]"
)
_LEAD = re.compile(
    r"^.*(?:地址|住址|住处)(?:就|也|还)?(?:是|为|改成|改为|改到|填|写|换成)?[在：:]?"
    r"|^.*?(?:位于|寄到|送到|发到|寄去|寄往|送去|搬到|改成|改为|改到|换成|住在|在|到|住|是|去|往)",
    re.DOTALL,
)


def find_addresses(text: str, *, orders: Sequence[tuple[int, int]] = ()) -> list[AddressSpan]:
    """The postal addresses in ``text``, in order, none overlapping another. ``orders``: where order numbers stand; one
    that is named before a street is no part of the address, one that could be its postcode is."""
    found = _find(text)
    before = [
        (start, end)
        for start, end in orders
        if any(one.start <= start and end < one.end and _find(text[end : one.end]) for one in found)
    ]
    for start, end in before:
        text = text[:start] + ";" * (end - start) + text[end:]
    return _find(text) if before else found


def _find(text: str) -> list[AddressSpan]:
    found: list[AddressSpan] = []
    spans: list[AddressSpan] = []
    if not _HINT_WORDS.isdisjoint(_WORD.findall(text)) or _HINT.search(text):
        spans += _latin(text)
    if not text.isascii() and _HINT_ZH.search(text):
        spans += _chinese(text)
    for span in sorted(spans, key=lambda span: span.start - span.end):  # the longest first
        _claim(found, span)
    return sorted(found, key=lambda span: span.start)


def _claim(found: list[AddressSpan], span: AddressSpan) -> None:
    if all(span.end <= other.start or span.start >= other.end for other in found):
        found.append(span)


def _latin(text: str) -> Iterator[AddressSpan]:
    for regex in (*_LATIN, _UK_POSTCODE, _LOWER_POSTCODE, _CANADIAN_POSTCODE, _DUTCH_POSTCODE):
        for match in regex.finditer(text):
            if any(ch.isdigit() for ch in match[0]):
                yield AddressSpan(match.start(), match.end(), re.sub(r"[\s,.]+", " ", match[0]).lower())


def _chinese(text: str) -> Iterator[AddressSpan]:
    for regex in (_STREET_ZH, _ESTATE_ZH, _BLOCK_ZH, _VILLAGE_ZH):
        for match in regex.finditer(text):
            lead = _LEAD.match(match[0])
            start = match.start() + (lead.end() if lead and lead.end() < len(match[0]) - 4 else 0)
            yield AddressSpan(start, match.end(), re.sub(r"\s", "", text[start : match.end()]))
