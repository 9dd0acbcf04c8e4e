"""Which encoding a text that is no UTF-8 was written in, by what it would say in each: the everyday characters of a
language are few, and a wrong encoding hits others.

A short text can read well in two encodings: then the better one is taken, and ``sure`` is false.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

# The most frequent characters of modern Chinese (as in Jun Da's list), and those of customers' questions; below, the
# same in traditional form where that differs; then syllables of Korean and letters of Central European languages.
_SIMPLIFIED = frozenset(
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之"
    "都好看起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名"
    "法间知世什两次使身者被高已其进此话常与活正感吗呢吧请问您需怎货退款订单费运送收件快递查询号多少钱久付支修改地址取消换"
    "电邮箱客服务优惠券购买商品价格卡账户登录密码申请处理页联系周期谢再重新公司密图片，。？！、：；（）“”《》"
)
_TRADITIONAL = frozenset(
    "這個們來時為說國著後會過對學麼發當沒還樣種開總從無現動頭經長兒愛給間兩進與話嗎請問貨訂單費運遞查詢號錢務優購買價賬"
    "帳戶錄碼處頁聯繫謝圖電郵換覽優選實際應該點級專業員線機車書關於變檔類別數據達導覺軟體網站儲額匯銷獲續繳萬億"
)
_KOREAN = frozenset(
    "이는다을가하고에의나로은지도요니습를한어기해서있사자인라리수그시얼마환불배송주문제품입결취소변경방법어떻게언안녕세감합료"
)
_CENTRAL = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰăâîșțşţäöüßÄÖÜ")
_WESTERN = frozenset("äöüßéèêëàâçñåøæœìíòóôùúûïîáãõÄÖÜÉÈÊÀÂÇÑÅØÆŒÓÍÁÚ")
_MARKS = frozenset("€£«»„“”‘’–—…°§©®·¿¡´")
_CYRILLIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ")

_ENCODINGS = ("gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252", "cp1250", "cp1251")
_READ = 20_000  # characters that are looked at
_GOOD = 0.5  # below it, none of these is it
_LEAD = 0.75  # what the best must be ahead of the next by, to be sure


@dataclass(frozen=True, slots=True)
class Guess:
    encoding: str
    sure: bool


def guess_encoding(raw: bytes, *, complete: bool) -> Guess | None:
    """The likeliest of the encodings known here; None where none of them gives everyday text.

    ``complete``: whether ``raw`` is all there is, so that a character cut off at its end is an error.
    """
    found = _read_in_each(raw, complete)
    if not found or found[0][0] < _GOOD:
        return None
    score, encoding, text = found[0]
    rival = next((other for other, _, said in found[1:] if said != text), -2.0)
    return Guess(encoding, score - rival >= _LEAD)


def likeliest(raw: bytes, *, complete: bool, most: int = 4) -> list[tuple[str, str]]:
    """(encoding, text) of the likeliest that make different texts of it, best first; ``complete`` as before."""
    told: dict[str, str] = {}
    for _, encoding, text in _read_in_each(raw, complete):
        told.setdefault(text, encoding)
    return [(encoding, text) for text, encoding in told.items()][:most]


def _read_in_each(raw: bytes, complete: bool) -> list[tuple[float, str, str]]:
    """(how everyday it is, encoding, text), best first."""
    found: list[tuple[float, str, str]] = []
    for encoding in _ENCODINGS:
        try:
            text = codecs.getincrementaldecoder(encoding)("strict").decode(raw, complete)[:_READ]
        except UnicodeDecodeError:
            continue
        found.append((_everyday(text, encoding), encoding, text))
    return sorted(found, key=lambda one: -one[0])  # of equals, the first of the list


def _everyday(text: str, encoding: str) -> float:
    """How everyday the characters beyond ASCII are: 3 for the commonest of the language, −2 for what it never has."""
    total = count = 0.0
    before = " "
    for char in text:
        if not char.isascii():
            count += 1
            total += _worth(char, before, encoding)
        before = char
    return total / count if count else -2.0


def _worth(char: str, before: str, encoding: str) -> float:
    if encoding in ("cp1252", "cp1250"):
        # accents stand alone among plain letters; a row of them is another script
        letters = _WESTERN if encoding == "cp1252" else _CENTRAL
        if char in letters:
            return 3.0 if before.isascii() else 0.0
        return 1.0 if char in _MARKS else -2.0
    if encoding == "cp1251":
        if char.lower() not in _CYRILLIC:
            return 1.0 if char in _MARKS else -2.0
        among_latin = before.isascii() and before.isalpha()
        return -1.0 if among_latin or (char.isupper() and before.islower()) else 2.0
    if char in "，。？！、：；（）「」・ー～　":
        return 2.0
    if "\u3041" <= char <= "\u3096" or "\u30a1" <= char <= "\u30fa":
        return 2.5 if encoding in ("cp932", "euc_jp") else -0.5
    if "\uac00" <= char <= "\ud7a3":
        if encoding != "cp949":
            return -2.0
        return 3.0 if char in _KOREAN else 1.0 if _standard_syllable(char) else -1.0
    if not "\u4e00" <= char <= "\u9fff":
        return -1.0 if "\uff61" <= char <= "\uff9f" else -2.0
    if char in _SIMPLIFIED or (char in _TRADITIONAL and encoding == "big5"):
        return 2.0 if encoding in ("cp932", "euc_jp", "cp949") else 3.0
    return 0.5 if _first_level(char, encoding) else -2.0


def _standard_syllable(char: str) -> bool:
    """Whether KS X 1001 has it: the 2,350 that are really written, of 11,172."""
    try:
        return len(char.encode("euc_kr")) == 2
    except UnicodeEncodeError:
        return False


def _first_level(char: str, encoding: str) -> bool:
    """Whether the national standard counts a character among the common ones: its first level."""
    standard, low, high = {
        "gb18030": ("gb2312", 0xB0, 0xD7),
        "big5": ("big5", 0xA4, 0xC6),
    }.get(encoding, ("euc_jp", 0xB0, 0xCF))
    try:
        return low <= char.encode(standard)[0] <= high
    except UnicodeEncodeError:
        return False
