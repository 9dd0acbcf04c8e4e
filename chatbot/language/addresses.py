"""Postal addresses: a street with a number, with what belongs to it before and after (flat, postcode, town).

Streets are recognised by their kind (Street, -straat, -straße, rue …; 路, 街, 小区 …). A street without a number, a
town or a country alone is no address: customers ask about those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddressSpan:
    start: int
    end: int
    value: str


_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Boulevard|Blvd|Way|Court|Ct|Place|Square|Sq|Terrace"
    r"|Close|"
    r"Crescent|Highway|Hwy|Parkway|Pkwy|Gardens|Grove|Mews|Row|Quay|Wharf|Walk)"
)
_NUMBER = r"\d{1,5}\s?[A-Za-z]?(?:[-/]\d{1,4}[A-Za-z]?)?"
_NAME = r"[A-Z0-9][\w'’.\-]*"
_POSTCODE = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"  # United Kingdom
    r"|\d{4}\s?(?!AM|PM)[A-Z]{2}\b|(?:[A-Z]{1,2}[- ])?\d{5}(?:-\d{4})?"
    r"|\d{4}\b)"  # Netherlands, Germany, Belgium …
)
_TOWN = r"[A-Z][\w'’\-]+(?:[ -][A-Z][\w'’\-]+){0,2}"
_TAIL = (
    r"(?:,?\s(?:Apt|Apartment|Flat|Unit|Suite|Floor|No)\.?\s?#?\d+[A-Za-z]?)?"
    rf"(?:,?\s(?:{_TOWN},?\s)?(?:[A-Z]{{2}}\s)?{_POSTCODE}(?:,?\s{_TOWN})?|,\s{_TOWN}(?:,\s?[A-Z]{{2}}\b)?)?"
)
_LATIN = (
    re.compile(
        rf"(?<![\w.])(?:(?:Flat|Apt|Unit)\.?\s\w+,\s)?{_NUMBER}\s(?:{_NAME}\s){{1,4}}{_STREET}\b\.?{_TAIL}"
    ),
    re.compile(
        r"(?<!\w)(?:[A-Z][\w'’\-]*\s){0,3}[A-Z]?[\w'’\-]*(?:straat|laan|weg|plein|gracht|kade|singel"
        r"|dijk|straße|strasse|str\.|"
        rf"platz|allee|gasse|gade|vej|gatan|gata)\s{_NUMBER}\b{_TAIL}"
    ),
    re.compile(
        rf"(?<!\w)(?:{_NUMBER},?\s)?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Vv]ia|[Pp]iazza|[Cc]alle|[Rr]ua"
        rf"|[Pp]laza|ul\.)\s(?:(?:de|del|della|la|le|du|"
        rf"des|da|do)\s)*{_NAME}(?:\s{_NAME}){{0,2}}(?:,?\s\d{{1,4}}[A-Za-z]?\b)?{_TAIL}"
    ),
    re.compile(r"(?<!\w)P\.?O\.?\sBox\s\d{1,6}" + _TAIL),
)
_UK_POSTCODE = re.compile(r"(?<![A-Za-z0-9\-])[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?![A-Za-z0-9])")
_DUTCH_POSTCODE = re.compile(
    r"(?<![A-Za-z0-9\-€$£.,])[1-9]\d{3}\s?(?!AM|PM|SA|SD|SS|CM|MM|KG|ML|EU|UK)[A-Z]{2}(?![A-Za-z0-9])"
)
_HINT = re.compile(  # without a wildcard, so that a long text costs no more than its length
    rf"\b{_STREET}\b|(?:straat|laan|weg|plein|gracht|kade|singel|dijk|straße|strasse|str\.|platz|allee|gasse|gade|vej|gatan"
    r"|gata)\s\d|\b(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Vv]ia|[Pp]iazza|[Cc]alle|[Rr]ua|[Pp]laza|ul\.|Box)\b"
    r"|\d[A-Z]{2}\b|\d{4}\s[A-Z]{2}\b"
)

_H = "[\u4e00-\u9fff]"
_CHINESE_NUMBER = r"[0-9一二三四五六七八九十百零〇]{1,6}"
_UNITS = (
    rf"(?:[\-之]?(?:{_CHINESE_NUMBER})?[0-9A-Za-z\-]*(?:号楼|号院|号|弄|栋|幢|座|单元|楼|层|室|户|房|门)"
    rf"|{_H}{{2,8}}?(?:小区|花园|公寓|大厦|广场|苑|新村|家园|中心|写字楼))"
)
_REGIONS = rf"(?:{_H}{{2,7}}?(?:省|自治区|特别行政区|市|区|县|镇|乡|街道|新区)){{0,5}}"
_STREET_ZH = re.compile(
    rf"{_REGIONS}[\u4e00-\u9fffA-Za-z0-9]{{1,10}}?(?:大道|路|街|巷|弄|胡同|道)"
    rf"(?:[东西南北中]段|[东西南北])?\s?{_CHINESE_NUMBER}(?:号|弄|-\d+)(?:{_UNITS}|-\d+)*(?:\d{{3,4}}(?!\d))?"
)
_ESTATE_ZH = re.compile(
    rf"{_REGIONS}{_H}{{2,8}}?(?:小区|花园|公寓|大厦|苑|新村|家园|村)\s?"
    rf"(?:[A-Za-z]?{_CHINESE_NUMBER}|[A-Z])(?:号楼|号|栋|幢|座|单元|室|-\d+)(?:{_UNITS}|-?\d+)*"
)
_HINT_ZH = re.compile(
    rf"(?:大道|路|街|巷|弄|胡同|道|段|小区|花园|公寓|大厦|苑|新村|家园|村)[东西南北A-Z]?\s?{_CHINESE_NUMBER}[号弄栋幢座单室\-]"
)
_LEAD = re.compile(
    r"^.*(?:地址|住址|住处)(?:就|也|还)?(?:是|为|改成|改为|改到|填|写|换成)?"
    r"|^.*?(?:寄到|送到|发到|寄去|寄往|送去|搬到|改成|改为|改到|换成|住在|在|到|住|是)",
    re.DOTALL,
)


def find_addresses(text: str) -> list[AddressSpan]:
    """The postal addresses in ``text``, in order, none overlapping another."""
    found: list[AddressSpan] = []
    if _HINT.search(text):
        for span in _latin(text):
            _claim(found, span)
    if not text.isascii() and _HINT_ZH.search(text):
        for span in _chinese(text):
            _claim(found, span)
    return sorted(found, key=lambda span: span.start)


def _claim(found: list[AddressSpan], span: AddressSpan) -> None:
    if all(span.end <= other.start or span.start >= other.end for other in found):
        found.append(span)


def _latin(text: str) -> Iterator[AddressSpan]:
    for regex in (*_LATIN, _UK_POSTCODE, _DUTCH_POSTCODE):
        for match in regex.finditer(text):
            if any(ch.isdigit() for ch in match[0]):
                yield AddressSpan(match.start(), match.end(), re.sub(r"[\s,.]+", " ", match[0]).lower())


def _chinese(text: str) -> Iterator[AddressSpan]:
    for regex in (_STREET_ZH, _ESTATE_ZH):
        for match in regex.finditer(text):
            lead = _LEAD.match(match[0])
            start = match.start() + (lead.end() if lead and lead.end() < len(match[0]) - 4 else 0)
            yield AddressSpan(start, match.end(), re.sub(r"\s", "", text[start : match.end()]))
