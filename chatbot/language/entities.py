"""Typed values in a customer's words: order numbers, dates, amounts, e-mail addresses, telephone numbers, and the
identifiers that only redaction asks for (payment cards, IBANs, identity numbers).

Each finder is a pattern with a check behind it: Luhn (ISO/IEC 7812-1) for cards, modulo 97 (ISO 7064, ISO 13616) for
IBANs, modulo 11-2 (ISO 7064, GB 11643) for Chinese identity numbers. Spans refer to the text as given; full-width
letters and digits are read as half-width ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from chatbot.errors import InputError

HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

DEFAULT_ORDER_PATTERN = r"[A-Z]{2,5}-\d{5,12}|[A-Z]{2,4}\d{6,15}"
"""KC-204817 and SF1234567890123, but not an error code such as E-4012 or a product such as Heron 40."""

KINDS = ("email", "iban", "id", "card", "order", "phone", "date", "amount")


@dataclass(frozen=True, slots=True)
class Entity:
    """One value found: ``text`` as written at ``start:end``, ``value`` as compared and passed on."""

    kind: str
    start: int
    end: int
    text: str
    value: str


def find_entities(
    text: str, *, order_pattern: str = DEFAULT_ORDER_PATTERN, kinds: Collection[str] = KINDS
) -> list[Entity]:
    """The values of ``kinds`` in ``text``, in order of appearance, none overlapping another.

    Where two rules claim the same characters the more certain one has them: the order of ``KINDS``, with
    values named by the words before them ("order number …", "电话…") ahead of bare ones. Raises InputError where
    ``order_pattern`` is no regular expression.
    """
    written = text
    text = text.translate(HALF_WIDTH) if not text.isascii() else text
    found: list[Entity] = []
    if "@" in text or "(at)" in text or "[at]" in text or " dot " in text.lower():
        _claim(found, _emails(text))
    digits = _DIGIT.search(text) is not None
    if digits:
        long = _LONG_NUMBER.search(text) is not None
        low = text.lower() if long else ""
        if len(low) != len(text):  # a letter whose small form is two
            low = text
        if long:
            _claim(found, _blocked(text, low))
            _claim(found, _ibans(text))
            _claim(found, _identity_numbers(text, low))
            _claim(found, _cards(text, low))
        if long or order_pattern != DEFAULT_ORDER_PATTERN:
            _claim(found, _company_orders(text, order_pattern))
        if long:
            _claim(found, _orders(text, low))
            _claim(found, _phones(text, low))
            _claim(found, _bare_numbers(text))
    if "date" in kinds:
        _claim(found, _dates(text))
    if digits and "amount" in kinds:
        _claim(found, _amounts(text))
    found = sorted((e for e in found if e.kind in kinds), key=lambda e: e.start)
    if written is not text:
        found = [replace(e, text=written[e.start : e.end]) for e in found]
    return found


def is_public_number(value: str) -> bool:
    """Whether a telephone number is a company's service line (free call, 400, 95xxx) and so nobody's own."""
    return _SERVICE_LINE.fullmatch(value) is not None


def is_role_address(value: str) -> bool:
    """Whether an e-mail address is a department's (help@, info@, …) rather than a person's."""
    return value.split("@", 1)[0].lower() in _ROLES


def _claim(found: list[Entity], more: Iterator[Entity]) -> None:
    for entity in more:
        if all(entity.end <= other.start or entity.start >= other.end for other in found):
            found.append(entity)


_DIGIT = re.compile(r"[0-9]")
_LONG_NUMBER = re.compile(r"[0-9](?:[^0-9]{0,3}[0-9]){3}")  # four digits that may belong together
_START = r"(?<![A-Za-z0-9])"
_END = r"(?![A-Za-z0-9])"

# --- e-mail -------------------------------------------------------------------------------------------------

_EMAIL = re.compile(
    rf"{_START}[A-Za-z0-9][A-Za-z0-9._%+\-]*\s?(?:@|\(at\)|\[at\])\s?[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{{2,}}"
)
_ROLE_NAMES = (
    "help support info service services contact sales care hello hi admin office team orders order returns billing "
    "invoice invoices noreply no-reply donotreply do-not-reply press jobs hr privacy legal security postmaster "
    "customerservice customer.service customer-service customercare feedback enquiries inquiries kefu"
)
_ROLES = frozenset(_ROLE_NAMES.split())


_SPOKEN_EMAIL = re.compile(
    r"\b[A-Za-z0-9][\w.\-]*(?:\s(?:dot|underscore|dash)\s\w+){0,3}\s(?:at|@|\(at\)|\[at\])\s[\w\-]+(?:\s?(?:\sdot\s|\(dot\)|\[dot\])\s?\w{2,})+\b",
    re.IGNORECASE,
)


def _emails(text: str) -> Iterator[Entity]:
    for match in _EMAIL.finditer(text):
        value = re.sub(r"\s?(?:@|\(at\)|\[at\])\s?", "@", match[0]).lower()
        yield Entity("email", match.start(), match.end(), match[0], value)
    for match in _SPOKEN_EMAIL.finditer(text):
        value = re.sub(r"\s?(?:at|@|\(at\)|\[at\])\s", "@", match[0].lower(), count=1)
        value = re.sub(r"\s?(?:\bdot\b|\(dot\)|\[dot\])\s?", ".", value)
        yield Entity("email", match.start(), match.end(), match[0], re.sub(r"\s", "", value))


# --- what looks like a number to call or to pay with, and is none ---------------------------------------------

_BLOCKED = re.compile(
    r"https?://\S+|www\.\S+"  # numbers in addresses of pages
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"  # IPv4
    r"|\b(?:isbn|ean|gtin|upc|iso|iec|sku|barcode|serial(?:\s(?:number|no\.?))?|s/n|imei|mac|model|version|firmware|build|article|art\.?\s?no\.?|item|product|part)(?:\s(?:number|no\.?|nr\.?|code))?[\s:#]*(?=[a-z\-]*\d)"
    r"[a-z0-9][a-z0-9\-]{3,20}"
    r"|(?:条码|条形码|序列号|型号|版本号?|货号|产品编号|产品号|零件号|配件号|商品编号|商品编码|商品号|款号|固件)[是为:\s]*[a-z0-9\-]{4,20}"
)  # in small letters, as all that are looked for in ``low``: ignoring case costs four times as much


def _blocked(text: str, low: str) -> Iterator[Entity]:
    for match in _BLOCKED.finditer(low):
        yield Entity("other", match.start(), match.end(), text[match.start() : match.end()], match[0])


# --- IBAN ---------------------------------------------------------------------------------------------------

_IBAN = re.compile(rf"{_START}[A-Za-z]{{2}}\d{{2}}(?:[ \-]?[A-Za-z0-9]{{1,4}}){{3,9}}")
_IBAN_TABLE = (
    "AD=24 AE=23 AL=28 AT=20 AZ=28 BA=20 BE=16 BG=22 BH=22 BR=29 BY=28 CH=21 CR=22 CY=28 CZ=24 DE=22 DK=18 "
    "DO=28 EE=20 EG=29 ES=24 FI=18 FO=18 FR=27 GB=22 GE=22 GI=23 GL=18 GR=27 GT=28 HR=21 HU=28 IE=22 IL=23 "
    "IS=26 IT=27 JO=30 KW=30 KZ=20 LB=28 LI=21 LT=20 LU=20 LV=21 MC=27 MD=24 ME=22 MK=19 MT=31 NL=18 NO=15 "
    "PK=24 PL=28 PS=29 PT=25 QA=29 RO=24 RS=22 SA=24 SE=24 SI=19 SK=24 SM=27 TN=24 TR=26 UA=29 VA=22 XK=20"
)  # the SWIFT registry: country=characters
_IBAN_LENGTHS = {pair[:2]: int(pair[3:]) for pair in _IBAN_TABLE.split()}


def _ibans(text: str) -> Iterator[Entity]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None:
            continue
        taken: list[str] = []
        end = match.start()
        while end < match.end() and len(taken) < length:
            if text[end].isalnum():
                taken.append(text[end].upper())
            end += 1
        value = "".join(taken)
        if len(value) == length and _modulo_97(value) == 1:
            yield Entity("iban", match.start(), end, text[match.start() : end], value)


def _modulo_97(iban: str) -> int:
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(ch, 36)) for ch in turned)) % 97


# --- identity numbers ---------------------------------------------------------------------------------------

_CHINESE_ID = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"
)
_SOCIAL_SECURITY = re.compile(r"(?<![\d\-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d\-])")
_NAMED_ID = re.compile(
    r"(?:passport|national id|id card|\bid (?:number|no\.?)|identity (?:number|no\.?)|identity "
    r"card|identity|driving licen[cs]e|driver'?s licen[cs]e|ssn|bsn|"
    r"social security|national insurance|\bni\b|nino|tax id|tax number|tax file|tfn|aadhaar|aadhar"
    r"|pan|codice fiscale|dni|nie|nif|cpf|curp|rfc|nhs|"
    r"pesel|personnummer|fødselsnummer|cpr|steuer-?id|ausweis|nric|fin|emirates id|medicare"
    r"|driver'?s licen[cs]e|licen[cs]e|"
    r"护照|護照|身份证|身份證|身分證|证件|證件|驾驶证|驾照|駕照|社保卡?|港澳通行证|台胞证|通行证|军官证|居住证|学生证|回乡证)"
    r"(?:\s?(?:number|no\.?|nr\.?|card|id|#)|号码|號碼|字号|字號|号|號)*(?:\sof(?:\s[^\W\d]+){1,3}(?=:|\sis\b))?(?:\s|\bis\b|\bwas\b|\bno\b|:|：|#|=|是|为|為|,|，)*"
    r"((?!(?:no|is|and|or)\b)(?=(?:[a-z]{1,2}\s)?[a-z]{0,6}\d)(?=(?:[a-z\- "
    r".]{0,6}\d){5})[a-z0-9](?:[a-z0-9]|[\- .(/](?=[a-z0-9]*\d|[a-d]\b)){5,22}\)?)"
)
_SHAPED_ID = re.compile(  # known by their form alone
    r"(?<![A-Za-z0-9])(?:[A-CEGHJ-PR-TW-Z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]"  # United Kingdom, national insurance
    r"|[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]"  # Italy, codice fiscale
    r"|[XYZ]\d{7}[A-Z]|\d{8}-?[TRWAGMYFPDXBNJZSQVHLCKE]"  # Spain, NIE and DNI
    r"|\d{3}\.\d{3}\.\d{3}-\d{2}"  # Brazil, CPF
    r"|[A-Z]{1,2}\d{6}\([0-9A]\)"  # Hong Kong
    r"|[STFGM]\d{7}[A-Z]"  # Singapore
    r"|[A-Z]{5}\d{4}[A-Z]"  # India, PAN
    r"|[1-9]\d{5}\s(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\s\d{3}[\dXx])(?![A-Za-z0-9])"  # China, spaced
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


def _identity_numbers(text: str, low: str) -> Iterator[Entity]:
    for match in _CHINESE_ID.finditer(text):
        value = match[0].upper()
        total = sum(int(digit) * weight for digit, weight in zip(value, _ID_WEIGHTS, strict=False))
        if _ID_CHECKS[total % 11] == value[17]:
            yield Entity("id", match.start(), match.end(), match[0], value)
    for match in _NAMED_ID.finditer(low):
        start, end = match.span(1)
        yield Entity("id", start, end, text[start:end], match[1].upper())
    for match in _SHAPED_ID.finditer(text):
        yield Entity("id", match.start(), match.end(), match[0], match[0].upper())
    for match in _SOCIAL_SECURITY.finditer(text):
        yield Entity("id", match.start(), match.end(), match[0], match[0])


# --- payment and bank cards ---------------------------------------------------------------------------------

_CARD = re.compile(r"(?<![A-Za-z0-9\-+])\d(?:[ \-]?\d){12,22}(?![A-Za-z0-9])")
_NAMED_CARD = re.compile(
    r"(?:card(?:\s(?:number|no\.?|nr\.?|ending in full))?|account(?:\s(?:number|no\.?))?|visa|mastercard|amex|maestro|"
    r"(?:sort code|routing(?:\snumber)?|bsb)[\s\d\-:,]{6,14}(?:and\s)?(?:account"
    r"|acct?)(?:\s(?:number|no\.?))?|acct?\.?(?:\s(?:number|no\.?))?|"
    r"银行卡|銀行卡|信用卡|储蓄卡|借记卡|卡号|卡號|账号|帳號|帐号|账户|[工建农中交招]行卡?)(?:号码|号|號)?"
    r"(?:\s|is|was|:|#|=|是|为|,)*(\d(?:[ \-]?\d){7,18})(?!\d)"
)
_BRANDS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|220[0-4]\d{12}"
)  # Visa, Mastercard, Amex, Discover, UnionPay, JCB, Diners, Mir


def _cards(text: str, low: str) -> Iterator[Entity]:
    for match in _CARD.finditer(text):
        # "4111 1111 1111 1111 12/26": the expiry is no part of the number, so shorter ends are tried as well
        for end in _group_ends(match[0]):
            value = re.sub(r"\D", "", match[0][:end])
            if _BRANDS.fullmatch(value) and _luhn(value):
                yield Entity("card", match.start(), match.start() + end, match[0][:end], value)
                break
    for match in _NAMED_CARD.finditer(low):
        value = re.sub(r"\D", "", match[1])
        if len(value) >= 8:
            yield Entity("card", match.start(1), match.end(1), match[1], value)


def _group_ends(number: str) -> list[int]:
    """Ends of the number at its own separators, longest first."""
    return [len(number)] + [at for at in range(len(number) - 1, 12, -1) if number[at] in " -"]


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# --- order numbers ------------------------------------------------------------------------------------------

_NAMED_ORDER = re.compile(
    r"(?:\b(?:order|ticket|case|reference|ref|invoice|booking|reservation|tracking|parcel|shipment|consignment|rma|"
    r"return|confirmation|subscription|repair)(?:'s)?(?:\s?(?:number|numbers|no\.?|nr\.?|num|id|code|ref))*"
    r"(?:\s|\bis\b|\bwas\b|:|#|=|\(|-)*"
    r"|(?:订单|单号|运单|快递单|工单|流水|物流|发票|维修单|退货单|订阅|票据|预订|编号)(?:号码|编号|编码|号|单)*(?:\s|是|为|:|#|=|\()*)"
    r"((?=[a-z0-9\-]*\d{3})(?=(?:[a-z\-]*\d){5})[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?)"
)
_HASH_ORDER = re.compile(r"#\s?((?:[A-Za-z]{1,5}-?)?\d{5,})(?![A-Za-z0-9])")
_SPACED_ORDER = re.compile(rf"{_START}([A-Z]{{2,4}})\s(\d{{5,12}}){_END}")
_TRACKING = re.compile(
    rf"{_START}(?:1Z[0-9A-Z]{{16}}|[A-Z]{{1,4}}\d{{9,20}}(?:[A-Z]{{2}})?){_END}", re.IGNORECASE
)
_NO_ORDER = re.compile(
    r"(?:SN|PN|ISO|IEC|DIN|EN|UL|CE|RFC|CVE|UTF|ANSI|USD|EUR|GBP|CNY|RMB|CHF|JPY|HKD|PO|NO|IN|IS|TO|AT|OF)[-\s]?\d.*",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.,/\-+€$£¥])\d{8,22}(?![A-Za-z0-9%€$£¥元]|[.,/\-:]\d|\s(?:rupiah|yen|won|pesos?|dong|rupees|km|miles|points|times)\b)"
)
_COMPACT_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


@lru_cache(maxsize=32)
def _order_regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(rf"{_START}(?:{pattern}){_END}", re.IGNORECASE)
    except re.error as error:
        raise InputError(
            "The order number pattern is not a regular expression",
            field="order_pattern",
            value=pattern,
            remedy=f"{error}; for example [A-Z]{{2}}-\\d{{6}}",
        ) from error


def _company_orders(text: str, pattern: str) -> Iterator[Entity]:
    for match in _order_regex(pattern).finditer(text):
        if not _NO_ORDER.fullmatch(match[0]):
            yield Entity("order", match.start(), match.end(), match[0], _order_value(match[0]))


def _orders(text: str, low: str) -> Iterator[Entity]:
    for match in _TRACKING.finditer(text):
        yield Entity("order", match.start(), match.end(), match[0], _order_value(match[0]))
    for regex, where in ((_NAMED_ORDER, low), (_HASH_ORDER, text)):
        for match in regex.finditer(where):
            start, end = match.span(1)
            if not (_COMPACT_DATE.fullmatch(match[1]) or re.fullmatch(r"\d{4}(?:-\d\d?){1,2}", match[1])):
                yield Entity("order", start, end, text[start:end], _order_value(match[1]))
    for match in _SPACED_ORDER.finditer(text):
        if not _NO_ORDER.fullmatch(match[0]):
            yield Entity("order", match.start(), match.end(), match[0], _order_value(match[0]))


def _order_value(text: str) -> str:
    return re.sub(r"[\s\-]", "", text).upper()


def _bare_numbers(text: str) -> Iterator[Entity]:
    """A long number with nothing to say what it is: most are order or parcel numbers."""
    for match in _BARE_NUMBER.finditer(text):
        if not _COMPACT_DATE.fullmatch(match[0]):
            yield Entity("order", match.start(), match.end(), match[0], match[0])


# --- telephone numbers --------------------------------------------------------------------------------------

_PHONES: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (  # with a country code
        re.compile(
            r"(?<![\dA-Za-z])(?:\+|00(?=[1-9]))\d{1,3}[\s\-.]?(?:\(\d{1,4}\)[\s\-.]?)?\d{1,4}(?:[\s\-.]?\d{2,4}){2,5}(?!\d)"
        ),
        lambda digits: 8 <= len(digits) <= 17,
    ),
    (  # China, mobile
        re.compile(r"(?<![\dA-Za-z])(?:\(?\+?(?:00)?86\)?[\s\-]?)?1[3-9]\d(?:[\s\-]?\d{4}){2}(?!\d)"),
        lambda digits: True,
    ),
    (  # China, fixed line and service lines
        re.compile(
            r"(?<![\d\-.A-Za-z])(?:\(?0\d{2,3}\)?[\s\-]?\d{7,8}(?:[\-转]\d{1,5})?|[48]00[\s\-]?\d{3}[\s\-]?\d{4})(?![\d\-])"
        ),
        lambda digits: True,
    ),
    (  # North America
        re.compile(
            r"(?<![\d\-.A-Za-z])(?:1[\s.\-])?(?:\([2-9]\d{2}\)\s?|[2-9]\d{2}[\s.\-])\d{3}[\s.\-]\d{4}(?![\d\-])"
        ),
        lambda digits: True,
    ),
    (  # Russia
        re.compile(r"(?<![\d\-.A-Za-z])8[\s\-]?\(?9\d{2}\)?[\s\-]?\d{3}[\s\-]?\d{2}[\s\-]?\d{2}(?![\d\-])"),
        lambda digits: True,
    ),
    (  # national numbers that start with 0
        re.compile(
            r"(?<![\d\-.,/A-Za-z+])\(?0\d{1,4}\)?[\s\-/.]?\d{2,4}(?:[\s\-.]?\d{2,4}){1,3}(?![\d:]|-\d)"
        ),
        lambda digits: 9 <= len(digits) <= 12,
    ),
)
_CALLED_ON = re.compile(  # a grouped number near a word that says it is called
    r"\b(?:phone|telephone|tel|mobile|mob|cell|whatsapp|number|call|text|ring|reach|dial|contact|sms|signal|telegram|viber)\b"
    r"|电话|電話|手机|手機|致电|联系|打给"
)
_GROUPED = re.compile(
    r"(?<![\d\-.,/A-Za-z€$£¥#+])\(?\d{2,5}\)?(?:[\s\-.]\d{2,5}){1,4}(?![\d\-%€$£¥A-Za-z]|[.,:/]\d)"
)
_NAMED_PHONE = re.compile(
    r"(?:\b(?:phone|telephone|tel|mobile|cell|cellphone|whatsapp|call me (?:on|at|back on)|call me|text me(?: at| on)?|"
    r"reach me (?:on|at)|ring me on|mob|fon|handy|numéro|téléphone|teléfono|telefono|telefon|móvil"
    r"|portable|sms|ph|gsm|t|m)\b|电话|電話|手机|手機|联系方式|联系我|致电|拨打|拨|微信|座机"
    r"|打这个|打這個)"
    r"(?:\s|number|no\.?|nr\.?|is|was|at|on|号码|号|是|为|:|#|=|,)*(\(?\d[\d\s\-.()]{5,17}\d)(?![\da-z])"
)
_DATE_LIKE = re.compile(
    r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})(?:\s.*)?|(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}.*"
)
_SERVICE_LINE = re.compile(
    r"(?:\+?1)?8(?:00|33|44|55|66|77|88)\d{7}|(?:\+44|0)(?:800|808|300|333|345|845|870)\d{6,7}|\+?(?:31|49|32|0)?0?800\d{4,8}"
    r"|\+?(?:86)?[48]00\d{7}|00800\d{8}"
)


def _phones(text: str, low: str) -> Iterator[Entity]:
    for regex, plausible in _PHONES:
        for match in regex.finditer(text):
            yield from _phone(match[0], match.start(), plausible)
    for match in _NAMED_PHONE.finditer(low):
        yield from _phone(match[1], match.start(1), lambda digits: 7 <= len(digits) <= 15)
    for match in _GROUPED.finditer(text):
        near = low[max(0, match.start() - 30) : match.start()] + " " + low[match.end() : match.end() + 20]
        if _CALLED_ON.search(near):
            yield from _phone(match[0], match.start(), lambda digits: 8 <= len(digits) <= 12)


def _phone(written: str, start: int, plausible: Callable[[str], bool]) -> Iterator[Entity]:
    digits = re.sub(r"\D", "", written)
    if plausible(digits) and not _DATE_LIKE.fullmatch(written):
        value = re.sub(r"^(?:\+?86|0086)(?=1[3-9]\d{9}$)", "", ("+" if "+" in written else "") + digits)
        yield Entity("phone", start, start + len(written), written, value)


# --- dates --------------------------------------------------------------------------------------------------

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_IN_YEAR = r"(?:,? (?P<y>(?:19|20)\d{2}))?"
_DATES: tuple[re.Pattern[str], ...] = (
    re.compile(r"(?<![\d\-/.])(?P<y>(?:19|20)\d{2})[-/.年]\s?(?P<m>\d{1,2})[-/.月]\s?(?P<d>\d{1,2})(?:日|号)?(?![\d\-/])"),
    re.compile(r"(?<!\d)(?P<m>1[0-2]|0?[1-9])月(?P<d>[12]\d|3[01]|0?[1-9])(?:日|号)?"),
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<n>{_MONTH})\b\.?{_IN_YEAR}", re.IGNORECASE),
    re.compile(rf"\b(?P<n>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b{_IN_YEAR}", re.IGNORECASE),
    re.compile(r"(?<![\d\-/.])(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>(?:19|20)\d{2})(?![\d\-/])"),
)  # fmt: skip
_RELATIVE = re.compile(
    r"\b(?:today|tonight|yesterday|tomorrow|the day (?:before yesterday|after tomorrow)|(?:last|next|this) "
    r"(?:week|month|year|monday|tuesday|wednesday|thursday|friday|saturday|sunday)|\d{1,3} (?:day|week|month)s? ago|"
    r"(?:on )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday))\b"
    r"|前天|昨天|昨晚|今天|今晚|明天|后天|大后天|(?:上|下|这|本)(?:个)?(?:周|星期|礼拜)[一二三四五六日天]?|(?:上|下|这|本)个?月(?:底|初)?"
    r"|[\d一二两三四五六七八九十]{1,3}(?:天|周|个月)(?:前|后)",
    re.IGNORECASE,
)


def _dates(text: str) -> Iterator[Entity]:
    """``value`` is ISO 8601 (``2026-11-20``, without a year ``--11-20``), or the words of a relative date."""
    if _DIGIT.search(text):
        for regex in _DATES:
            for match in regex.finditer(text):
                parts = match.groupdict()
                month = _MONTHS[parts["n"].lower()] if parts.get("n") else int(parts["m"])
                day = int(parts["d"])
                if month > 12 >= day and not parts.get("n"):
                    month, day = day, month  # 11/20/2026, as in the United States
                if 1 <= month <= 12 and 1 <= day <= 31:
                    value = f"{parts.get('y') or '-'}-{month:02}-{day:02}"
                    yield Entity("date", match.start(), match.end(), match[0], value)
    for match in _RELATIVE.finditer(text):
        yield Entity("date", match.start(), match.end(), match[0], match[0].lower())


# --- amounts of money ---------------------------------------------------------------------------------------

_NUMBER = r"\d{1,3}(?:[,.\s]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "欧元": "EUR", "欧": "EUR",
    "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "美元": "USD", "美金": "USD", "bucks": "USD",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP", "英镑": "GBP",
    "¥": "CNY", "￥": "CNY", "rmb": "CNY", "cny": "CNY", "yuan": "CNY", "元": "CNY", "块": "CNY", "块钱": "CNY",
    "人民币": "CNY", "chf": "CHF", "francs": "CHF", "港币": "HKD", "hkd": "HKD",
}  # fmt: skip
_UNIT = "|".join(sorted((re.escape(name) for name in _CURRENCIES), key=len, reverse=True))
_AMOUNT = re.compile(
    rf"(?P<u1>[€$£¥￥]|\b(?:EUR|USD|GBP|CNY|RMB|CHF|HKD)\b)\s?(?P<n1>{_NUMBER})(?![\d])"
    rf"|(?<![\d.,A-Za-z])(?P<n2>{_NUMBER})\s?(?P<u2>{_UNIT})(?![a-z])",
    re.IGNORECASE,
)


def _amounts(text: str) -> Iterator[Entity]:
    """``value`` is the number with a point and the ISO 4217 code: ``1200.50 EUR``."""
    for match in _AMOUNT.finditer(text):
        unit = _CURRENCIES[(match["u1"] or match["u2"]).lower()]
        yield Entity(
            "amount",
            match.start(),
            match.end(),
            match[0],
            f"{_plain_number(match['n1'] or match['n2'])} {unit}",
        )


def _plain_number(written: str) -> str:
    number = re.sub(r"\s", "", written)
    decimals = re.search(r"[.,](\d{1,2})$", number)
    whole = re.sub(r"[.,]", "", number[: decimals.start()] if decimals else number)
    return f"{whole}.{decimals[1]}" if decimals else whole
